import * as z from 'zod';
import type { Choice as Decision } from '../core/lending/choose.ts';
import { chooseLender } from '../core/lending/choose.ts';
import type { LoanCommit, LoanSnapshot } from '../core/lending/commit.ts';
import type { Candidate } from '../core/lending/lender-finding.ts';
import { pairingObjection } from '../core/lending/lender-finding.ts';
import type { CountedLimit } from '../core/lending/limits.ts';
import type { Loan, LoanReason, LoanState } from '../core/lending/loan.ts';
import { isAsked } from '../core/lending/loan.ts';
import type { Memberships } from '../core/lending/pair-limits.ts';
import type { Standing } from '../core/lending/queue.ts';
import { standingOf } from '../core/lending/queue.ts';
import { quotaObjection, roomUnits } from '../core/lending/quota.ts';
import { wait as beginToWait, refuse } from '../core/lending/request.ts';
import type { Offer } from '../core/lending/saga.ts';
import { stopObjection } from '../core/lending/stops.ts';
import { latencyMillis } from '../core/pairing/latency.ts';
import type { Pairing } from '../core/pairing/pairing.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { RAISES_OWN_CEILING } from '../core/pool.ts';
import { StaleSnapshot } from '../core/ports.ts';
import type { LoanId, PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { observeGroup } from './adapters/groups.ts';
import { pairingIdFor } from './adapters/ids.ts';
import {
  chainKey,
  consentKey,
  outlookKey,
  pairingKey,
  planKey,
  poolKey,
  queuedKey,
  usageKey,
} from './adapters/keys.ts';
import { lenderFacts, pairingsWith } from './adapters/lender-facts.ts';
import { membershipsAmong, organisationKey, readLimits } from './adapters/limit-store.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { enterQueue, heldOf, mayBeQueued } from './adapters/queue-store.ts';
import { commitStep, ForeignChange, PoolBusy, StartedElsewhere } from './adapters/saga-step.ts';
import { raisesOwnCeiling } from './adapters/scaling-policies.ts';
import { groupObservationSchema, poolIdSchema, snapshotSchema } from './adapters/schemas.ts';
import type { Stops } from './adapters/stop-store.ts';
import { stopKeys, stopsAmong } from './adapters/stop-store.ts';
import { vcpuQuota } from './adapters/vcpu-quota.ts';

const env = readEnv(...LOAN_TABLES, 'ENTANGLE_EXTERNAL_ID', 'ENTANGLE_OBSERVE_ROLE_NAME', 'ENTANGLE_PRIORITY_RULES');
const queueTables = { accountsTable: env.ENTANGLE_ACCOUNTS_TABLE, loansTable: env.ENTANGLE_LOANS_TABLE };
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const store = loanStore(env);

/** Times that a choice is made again because what it rested on changed before it was reserved. */
const MAX_ATTEMPTS = 8;

const inputSchema = z.object({
  snapshot: snapshotSchema,
  partners: z.array(poolIdSchema),
  attempt: z.int().optional(),
  /** As assessing has just observed it. */
  borrowerGroup: groupObservationSchema.optional(),
});

interface Choice {
  readonly outcome: 'partner' | 'provision' | 'waiting' | 'refused';
  readonly snapshot: LoanSnapshot;
  readonly partners: readonly PoolId[];
  readonly attempt: number;
  readonly offer?: Offer;
  /** What else there is to be done now that this loan is not made. */
  readonly followUp?: LoanId;
  /** Of a request that waits: what could be lent of it now. */
  readonly lendableUnits?: number;
}

type Input = z.infer<typeof inputSchema>;

/** All that a choice rests on, read in one go. */
interface Scene {
  readonly items: AccountItems;
  readonly stops: Stops;
  readonly memberships: Memberships;
  readonly borrowerPool: Pool;
  readonly borrowerGroup: GroupObservation;
  readonly snapshot: LoanSnapshot;
  readonly standing: Standing;
}

async function candidate(id: PoolId, { items, stops, snapshot }: Scene): Promise<Candidate | undefined> {
  const pool = items.pool(id);
  if (pool === undefined) return undefined;
  const { accountId } = pool.spec;
  const known = lenderFacts(pool, items);
  const stopped = stopObjection(accountId, stops.of(accountId));
  if (stopped !== undefined) return { ...known, unavailable: stopped };
  try {
    const [group, held] = await Promise.all([
      observeGroup(pool.spec, role),
      mayBeQueued(items, id) ? heldOf(id, snapshot.loan, env.ENTANGLE_PRIORITY_RULES.order, queueTables) : undefined,
    ]);
    if (group === undefined) return { ...known, unavailable: 'its Auto Scaling group does not exist' };
    if (await raisesOwnCeiling(pool.spec, role)) return { ...known, unavailable: RAISES_OWN_CEILING };
    return { ...known, group, held };
  } catch (error) {
    logger.warn('the account of a candidate could not be read', { poolId: id, error: error as Error });
    return { ...known, unavailable: 'its account could not be read' };
  }
}

function readFor(snapshot: LoanSnapshot, partners: readonly PoolId[]): Promise<AccountItems> {
  const { borrowerPoolId, borrowerAccountId } = snapshot.loan;
  const pools = [borrowerPoolId, ...partners];
  const accounts = [...new Set(pools.map((id) => poolIdParts(id).accountId))];
  return readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    ...pools.flatMap((id) => [poolKey(id), planKey(id)]),
    ...partners.flatMap((id) => [outlookKey(id), queuedKey(id)]),
    ...accounts.flatMap((account) => [consentKey(account), usageKey(account), chainKey(account)]),
    ...partners.map((id) => pairingKey(borrowerAccountId, pairingIdFor(id, borrowerPoolId))),
    ...stopKeys(accounts),
    ...accounts.map(organisationKey),
  ]);
}

function withHeads(snapshot: LoanSnapshot, items: AccountItems, partners: readonly PoolId[]): LoanSnapshot['heads'] {
  const accounts = [snapshot.loan.borrowerAccountId, ...partners.map((id) => poolIdParts(id).accountId)];
  const read = accounts.flatMap((account) => {
    const head = items.head(account);
    return head === undefined ? [] : [[account, head] as const];
  });
  return { ...snapshot.heads, ...Object.fromEntries(read) };
}

const FRESH_MILLIS = 5_000;

/** What assessing saw a moment ago, unless a loan has moved the pool since; the move is checked again before it is made. */
function stillFresh(input: Input, borrowerPool: Pool): GroupObservation | undefined {
  const group = input.borrowerGroup;
  const isFresh = group !== undefined && now() - group.observedAt <= FRESH_MILLIS;
  return isFresh && borrowerPool.version === input.snapshot.borrowerPool.version ? group : undefined;
}

async function sceneOf(input: Input): Promise<Scene> {
  const { snapshot: handed, partners } = input;
  const { loan } = handed;
  const accounts = [loan.borrowerAccountId, ...partners.map((id) => poolIdParts(id).accountId)];
  const items = await readFor(handed, partners);
  const [stops, memberships] = [stopsAmong(items), membershipsAmong(items, accounts)];
  const borrowerPool = items.pool(loan.borrowerPoolId);
  if (borrowerPool === undefined) throw new ForeignChange(`pool ${loan.borrowerPoolId} is no longer enrolled`);
  const borrowerGroup = stillFresh(input, borrowerPool) ?? (await observeGroup(borrowerPool.spec, role));
  if (borrowerGroup === undefined) throw new ForeignChange(`group ${loan.borrowerPoolId} does not exist any more`);
  const snapshot = { ...handed, borrowerPool, heads: withHeads(handed, items, partners) };
  return { items, stops, memberships, borrowerPool, borrowerGroup, snapshot, standing: standingOf(loan, borrowerPool) };
}

/** The limits beside the consents' that loans from partners count against. */
async function limitsWith(
  partners: readonly PoolId[],
  pairings: Readonly<Record<string, Pairing>>,
  { items, memberships, borrowerPool: borrower }: Scene,
): Promise<ReadonlyMap<PoolId, readonly CountedLimit[]>> {
  const pairs = partners.flatMap((id) => {
    const lender = items.pool(id);
    return lender === undefined ? [] : [{ lender, borrower, pairing: pairings[id] }];
  });
  const limits = await readLimits(env.ENTANGLE_ACCOUNTS_TABLE, pairs, memberships, now());
  return new Map(pairs.map(({ lender }, index) => [lender.spec.poolId, limits[index] ?? []]));
}

/**
 * The best partner that can lend all, with as few groups looked at as possible: the next one only when the one before cannot. What
 * several could lend together shows only once all have been looked at.
 */
async function chosenOf(input: Input, scene: Scene): Promise<Decision> {
  const { items, borrowerPool, borrowerGroup, snapshot, standing } = scene;
  const { loan } = snapshot;
  const candidates: Candidate[] = [];
  const pairings = pairingsWith(borrowerPool.spec, input.partners, items);
  const plan = items.plan(loan.borrowerPoolId);
  const choose = () =>
    chooseLender({
      snapshotLoan: loan,
      unitsStillNeeded: standing.missingUnits,
      filledUnits: standing.filledUnits,
      borrowerPool,
      borrowerGroup,
      borrowerConsent: items.consent(loan.borrowerAccountId),
      borrowerUsage: items.usage(loan.borrowerAccountId),
      borrowerTrust: plan?.trust,
      partners: plan?.partners ?? [],
      pairings,
      candidates,
      now: now(),
      latencyMillis,
    });
  const paired = input.partners.filter((each) => pairingObjection(pairings[each]) === undefined);
  const limits = await limitsWith(paired, pairings, scene);
  for (const id of paired) {
    const next = await candidate(id, scene);
    if (next === undefined) continue;
    candidates.push({ ...next, limits: limits.get(id) });
    const chosen = choose();
    if (chosen.outcome === 'partner' && chosen.offer.restUnits === undefined) return chosen;
  }
  return choose();
}

/** Who lends, how much; whether it is provisioned, waits or is refused instead. What ends or waits is recorded here. */
export const handler = lambda(inputSchema, async (input): Promise<Choice> => {
  const attempt = (input.attempt ?? 0) + 1;
  const { partners } = input;
  const scene = await sceneOf(input);
  const { snapshot, stops, standing } = scene;
  const { loan } = snapshot;
  const refused = async (reason: string, reasons: readonly LoanReason[] = []): Promise<Choice> => {
    const ended = await recordOnce(snapshot, 'refused', () => refuse(snapshot, reason, now(), reasons));
    return { outcome: 'refused', snapshot: ended, partners, attempt, ...followUpOf(loan) };
  };
  const stopped = stopObjection(loan.borrowerAccountId, stops.of(loan.borrowerAccountId));
  if (stopped !== undefined) return refused(stopped);
  if (await raisesOwnCeiling(scene.borrowerPool.spec, role)) return refused(RAISES_OWN_CEILING);
  if (standing.missingUnits <= 0) return refused('another loan has brought what was needed');
  if (attempt > MAX_ATTEMPTS) return refused(`nothing could be reserved in ${MAX_ATTEMPTS} attempts: too many at once`);
  const { spec } = scene.borrowerPool;
  const quota = await vcpuQuota(spec, now(), role);
  const least = (loan.request?.minimumUnits ?? loan.units) - standing.filledUnits;
  const exceeded = quotaObjection(spec, quota, Math.max(1, Math.min(least, standing.missingUnits)));
  if (exceeded !== undefined) return refused(exceeded);
  const missingUnits = Math.min(standing.missingUnits, roomUnits(spec, quota));
  const chosen = await chosenOf(input, { ...scene, standing: { ...standing, missingUnits } });
  switch (chosen.outcome) {
    case 'partner':
    case 'provision':
      return { outcome: chosen.outcome, snapshot, partners, attempt, offer: chosen.offer };
    case 'busy':
      // Seen by others that look at the same lenders in the meantime.
      await enterQueue(queueTables.accountsTable, loan.loanId, partners);
      throw new PoolBusy(chosen.reason);
    case 'wait': {
      const waiting = await wait(snapshot, chosen);
      const { lendableUnits } = chosen;
      return { outcome: 'waiting', snapshot: waiting, partners, attempt, followUp: loan.loanId, lendableUnits };
    }
    case 'refuse':
      return refused(chosen.reason, chosen.reasons);
  }
});

/** A part that is not made may leave its need with too little; a request that waited has held units back from others. */
function followUpOf(loan: Loan): Pick<Choice, 'followUp'> {
  return (loan.request?.part ?? 1) > 1 || loan.state === 'waiting' ? { followUp: loan.loanId } : {};
}

/** Takes a place in the queue, unless the request has one: then nothing changes. */
async function wait(
  snapshot: LoanSnapshot,
  { waiting, reasons }: Extract<Decision, { outcome: 'wait' }>,
): Promise<LoanSnapshot> {
  const { loan } = snapshot;
  await enterQueue(queueTables.accountsTable, loan.loanId, waiting.lenderPoolIds);
  if (loan.state === 'waiting') return snapshot;
  return recordOnce(snapshot, 'waiting', () => beginToWait(snapshot, waiting, reasons, now()));
}

/** Writes what becomes of a request, once: a step that is repeated finds it done. */
async function recordOnce(snapshot: LoanSnapshot, state: LoanState, commit: () => LoanCommit): Promise<LoanSnapshot> {
  try {
    return await commitStep(store, snapshot, commit());
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
    const stored = await store.readSnapshot(snapshot.loan.loanId);
    if (stored?.loan.state === state) return stored;
    if (stored !== undefined && !isAsked(stored.loan)) {
      throw new StartedElsewhere(`loan ${stored.loan.loanId} is ${stored.loan.state} already`);
    }
    throw error;
  }
}
