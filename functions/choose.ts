import * as z from 'zod';
import type { Candidate } from '../core/lending/choose.ts';
import { chooseLender, pairingObjection } from '../core/lending/choose.ts';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { LoanReason } from '../core/lending/loan.ts';
import type { Offer } from '../core/lending/saga.ts';
import { refuse } from '../core/lending/saga.ts';
import { latencyMillis } from '../core/pairing/latency.ts';
import type { Pairing } from '../core/pairing/pairing.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { ceilingUnits } from '../core/pool.ts';
import { StaleSnapshot } from '../core/ports.ts';
import type { PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { observeGroup } from './adapters/groups.ts';
import { pairingIdFor } from './adapters/ids.ts';
import { chainKey, consentKey, pairingKey, planKey, poolKey, usageKey } from './adapters/keys.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { commitStep, ForeignChange, PoolBusy } from './adapters/saga-step.ts';
import { groupObservationSchema, poolIdSchema, snapshotSchema } from './adapters/schemas.ts';

const env = readEnv(...LOAN_TABLES, 'ENTANGLE_EXTERNAL_ID', 'ENTANGLE_OBSERVE_ROLE_NAME');
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
  readonly outcome: 'partner' | 'provision' | 'refused';
  readonly snapshot: LoanSnapshot;
  readonly partners: readonly PoolId[];
  readonly attempt: number;
  readonly offer?: Offer;
}

async function candidate(id: PoolId, items: AccountItems): Promise<Candidate | undefined> {
  const pool = items.pool(id);
  if (pool === undefined) return undefined;
  const { accountId } = pool.spec;
  const known = {
    pool,
    consent: items.consent(accountId),
    usage: items.usage(accountId),
    plan: items.plan(id)?.forecast,
    trust: items.plan(id)?.trust,
  };
  try {
    const group = await observeGroup(pool.spec, role);
    if (group === undefined) return { ...known, unavailable: 'its Auto Scaling group does not exist' };
    return { ...known, group };
  } catch (error) {
    logger.warn('the account of a candidate could not be read', { poolId: id, error: error as Error });
    return { ...known, unavailable: 'its account could not be read' };
  }
}

/** Less is needed when another loan for the same pool was made since this one was asked for. */
function stillNeeded(snapshot: LoanSnapshot, borrowerPool: Pool): number {
  return snapshot.loan.units - (ceilingUnits(borrowerPool) - ceilingUnits(snapshot.borrowerPool));
}

function readFor(snapshot: LoanSnapshot, partners: readonly PoolId[]): Promise<AccountItems> {
  const { borrowerPoolId, borrowerAccountId } = snapshot.loan;
  const pools = [borrowerPoolId, ...partners];
  const accounts = [...new Set(pools.map((id) => poolIdParts(id).accountId))];
  return readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    ...pools.flatMap((id) => [poolKey(id), planKey(id)]),
    ...accounts.flatMap((account) => [consentKey(account), usageKey(account), chainKey(account)]),
    ...partners.map((id) => pairingKey(borrowerAccountId, pairingIdFor(id, borrowerPoolId))),
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

/** The borrower's pairings with its partners, by the lender's pool. */
function pairingsWith({ loan }: LoanSnapshot, items: AccountItems, partners: readonly PoolId[]) {
  const found: Record<string, Pairing> = {};
  for (const id of partners) {
    const pairing = items.pairing(loan.borrowerAccountId, pairingIdFor(id, loan.borrowerPoolId));
    if (pairing !== undefined) found[id] = pairing;
  }
  return found;
}

const FRESH_MILLIS = 5_000;

/** What assessing saw a moment ago, unless a loan has moved the pool since; the move is checked again before it is made. */
function stillFresh(input: z.infer<typeof inputSchema>, borrowerPool: Pool): GroupObservation | undefined {
  const group = input.borrowerGroup;
  const isFresh = group !== undefined && now() - group.observedAt <= FRESH_MILLIS;
  return isFresh && borrowerPool.version === input.snapshot.borrowerPool.version ? group : undefined;
}

/** Chooses with as few groups looked at as possible: the best partner with an active pairing first, the next only when it cannot lend. */
export const handler = lambda(inputSchema, async (input): Promise<Choice> => {
  const attempt = (input.attempt ?? 0) + 1;
  const { partners } = input;
  const { loan } = input.snapshot;
  const items = await readFor(input.snapshot, partners);
  const borrowerPool = items.pool(loan.borrowerPoolId);
  if (borrowerPool === undefined) throw new ForeignChange(`pool ${loan.borrowerPoolId} is no longer enrolled`);
  const borrowerGroup = stillFresh(input, borrowerPool) ?? (await observeGroup(borrowerPool.spec, role));
  if (borrowerGroup === undefined) throw new ForeignChange(`group ${loan.borrowerPoolId} does not exist any more`);
  const snapshot = { ...input.snapshot, borrowerPool, heads: withHeads(input.snapshot, items, partners) };
  const unitsStillNeeded = stillNeeded(input.snapshot, borrowerPool);
  const refused = async (reason: string, reasons: readonly LoanReason[] = []): Promise<Choice> => {
    return { outcome: 'refused', snapshot: await refuseOnce(snapshot, reason, reasons), partners, attempt };
  };
  if (unitsStillNeeded <= 0) return refused('another loan has brought what was needed');
  if (attempt > MAX_ATTEMPTS) return refused(`nothing could be reserved in ${MAX_ATTEMPTS} attempts: too many at once`);
  const candidates: Candidate[] = [];
  const pairings = pairingsWith(snapshot, items, partners);
  const plan = items.plan(loan.borrowerPoolId);
  const choose = () =>
    chooseLender({
      snapshotLoan: loan,
      unitsStillNeeded,
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
  for (const id of partners.filter((each) => pairingObjection(pairings[each]) === undefined)) {
    const next = await candidate(id, items);
    if (next === undefined) continue;
    candidates.push(next);
    const chosen = choose();
    if (chosen.outcome === 'partner') return { outcome: 'partner', snapshot, partners, attempt, offer: chosen.offer };
  }
  const chosen = choose();
  switch (chosen.outcome) {
    case 'partner':
    case 'provision':
      return { outcome: chosen.outcome, snapshot, partners, attempt, offer: chosen.offer };
    case 'busy':
      throw new PoolBusy(chosen.reason);
    case 'refuse':
      return refused(chosen.reason, chosen.reasons);
  }
});

async function refuseOnce(
  snapshot: LoanSnapshot,
  reason: string,
  reasons: readonly LoanReason[],
): Promise<LoanSnapshot> {
  try {
    return await commitStep(store, snapshot, refuse(snapshot, reason, now(), reasons));
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
    const stored = await store.readSnapshot(snapshot.loan.loanId);
    if (stored?.loan.state === 'refused') return stored;
    throw error;
  }
}
