import * as z from 'zod';
import { criticalityFrom } from '../core/allocation/priority.ts';
import type { ChainHead } from '../core/audit/chain.ts';
import type { AssessRefusalCode } from '../core/lending/assess.ts';
import { assessNeed } from '../core/lending/assess.ts';
import { assessAhead } from '../core/lending/borrow-ahead.ts';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { LenderNeed } from '../core/lending/lender-need.ts';
import type { Loan, LoanReason, RequestPart } from '../core/lending/loan.ts';
import { minimumUnitsOf } from '../core/lending/queue.ts';
import type { LoanRequest } from '../core/lending/request.ts';
import { refuse, refuseAtOnce, request } from '../core/lending/request.ts';
import { assessWatched } from '../core/lending/watch.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { ceilingUnits } from '../core/pool.ts';
import { LimitReached, StaleSnapshot } from '../core/ports.ts';
import type { EpochMillis, LoanId, PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { recordRefusalOnce } from './adapters/governance-store.ts';
import { observeGroup } from './adapters/groups.ts';
import { chainKey, consentKey, outlookKey, planKey, poolKey, usageKey } from './adapters/keys.ts';
import { lenderRecalls } from './adapters/lender-recalls.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { tierOf } from './adapters/priority-rules.ts';
import { PoolBusy } from './adapters/saga-step.ts';
import { borrowInputSchema, resumeInputSchema } from './adapters/schemas.ts';
import { latestMetrics, observeAlarms } from './adapters/telemetry.ts';

const env = readEnv(
  ...LOAN_TABLES,
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  'ENTANGLE_PRIORITY_RULES',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const store = loanStore(env);
const ownUnits = lenderRecalls(env, store);

type Assessment =
  | {
      readonly outcome: 'needed';
      readonly snapshot: LoanSnapshot;
      readonly partners: readonly PoolId[];
      readonly borrowerGroup?: GroupObservation;
    }
  /** `followUp`: what else there is to be done now that this loan is not made. */
  | { readonly outcome: 'refused' | 'duplicate' | 'waiting'; readonly detail: string; readonly followUp?: LoanId };

type BorrowInput = z.infer<typeof borrowInputSchema>;
type ResumeInput = z.infer<typeof resumeInputSchema>;

/** What is seen of a pool when its need is judged. */
interface Seen {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly items: AccountItems;
  readonly at: EpochMillis;
}

/** What was found of a request: what to record of it, and why it is refused where it is. */
interface Found {
  readonly wanted: Pick<LoanRequest, 'units' | 'bindingResource' | 'reason'> & Partial<LoanRequest>;
  readonly refusal?: AssessRefusalCode;
}

/** An alarm is a reason by what is measured now: it may be late or repeated. */
async function byAlarm(input: Extract<BorrowInput, { alarmName: string }>, seen: Seen): Promise<Found> {
  const { pool, group, items, at } = seen;
  const { alarmName, resourceType } = input;
  const [alarms, metrics] = await Promise.all([observeAlarms(pool.spec, role), latestMetrics(pool.spec, at, role)]);
  const need = assessNeed({
    pool,
    group,
    metrics,
    alarmState: alarms.find((alarm) => alarm.alarmName === alarmName)?.state ?? 'INSUFFICIENT_DATA',
    resourceType,
    consent: items.consent(pool.spec.accountId),
    now: at,
  });
  const { units, reason, bindingResource } = need;
  const wanted = { units, reason, bindingResource, alarmName, alarmTransitionAt: input.transitionAtMillis };
  const found = { wanted, ...(need.action === 'refuse' ? { refusal: need.code } : {}) };
  if (found.refusal === 'alarm-recovered') return found;
  return lessOwnUnits(found, await ownUnits.onAlarm({ pool, group, metrics, now: at }));
}

/** What a pool has lent comes back first, whether or not it may borrow; only what is missing beyond that is asked for. */
function lessOwnUnits(found: Found, back: LenderNeed | undefined): Found {
  if (back === undefined || back.inTimeUnits === 0 || found.refusal !== undefined) return found;
  const { wanted } = found;
  const reason = `${wanted.reason}; of what it has lent ${back.inTimeUnits} come back in time`;
  const units = wanted.units - back.inTimeUnits;
  return units > 0
    ? { wanted: { ...wanted, units, reason } }
    : { wanted: { ...wanted, reason }, refusal: 'units-recalled' };
}

/** A forecast is a reason by the newest plan: it may be another one by now than that which asked. */
function byForecast(input: BorrowInput, seen: Seen): Found {
  const { pool, group, items, at } = seen;
  const { accountId, poolId } = pool.spec;
  const need = assessAhead({
    pool,
    group,
    forecast: items.plan(poolId)?.forecast,
    outlook: items.outlook(poolId),
    consent: items.consent(accountId),
    usage: items.usage(accountId),
    now: at,
  });
  const { units, reason } = need;
  if (need.action === 'refuse') {
    return { wanted: { units, reason, bindingResource: input.resourceType }, refusal: need.code };
  }
  const { forecastNeed } = need;
  return { wanted: { units, reason, bindingResource: forecastNeed.resource, forecastNeed } };
}

/** The course of demand is a reason as it was watched a moment ago. */
function byWatch({ watchNeed: need }: Extract<BorrowInput, { watchNeed: unknown }>, seen: Seen): Found {
  const { pool, group, items, at } = seen;
  const assessed = assessWatched({ pool, group, need, consent: items.consent(pool.spec.accountId), now: at });
  const { units, reason } = assessed;
  const wanted = { units, reason, bindingResource: need.resource, watchNeed: need };
  return assessed.action === 'refuse' ? { wanted, refusal: assessed.code } : { wanted };
}

/** What a need is as a request: what is worth having of it, and how it ranks. */
function requestOf(loanId: LoanId, units: number, { pool, group, items }: Seen): RequestPart {
  const { accountId } = pool.spec;
  return {
    requestId: loanId,
    part: 1,
    wantedUnits: units,
    minimumUnits: minimumUnitsOf(items.consent(accountId)?.terms.borrow?.fill, units),
    ceilingUnits: ceilingUnits(pool) + units,
    slaTier: tierOf(env.ENTANGLE_PRIORITY_RULES, accountId, group.slaTierTag),
    criticality: criticalityFrom(group.criticalityTag),
  };
}

function readPool(poolId: PoolId): Promise<AccountItems> {
  const { accountId } = poolIdParts(poolId);
  return readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    poolKey(poolId),
    consentKey(accountId),
    usageKey(accountId),
    planKey(poolId),
    outlookKey(poolId),
    chainKey(accountId),
  ]);
}

async function foundOf(input: BorrowInput, seen: Seen): Promise<Found> {
  if ('alarmName' in input) return byAlarm(input, seen);
  return 'watchNeed' in input ? byWatch(input, seen) : byForecast(input, seen);
}

/** Is the capacity really needed? The group is read again, and what asked for it: the alarm with the metrics, or the forecast. */
async function assessNew(input: BorrowInput): Promise<Assessment> {
  const { poolId, loanId } = input;
  const { accountId } = poolIdParts(poolId);
  const items = await readPool(poolId);
  const pool = items.pool(poolId);
  const head = items.head(accountId);
  if (pool === undefined) {
    logger.warn('request of a pool that is not enrolled', { poolId });
    return refuseUnmade(input, `pool ${poolId} is not enrolled`, head);
  }
  const at = now();
  const group = await observeGroup(pool.spec, role);
  if (group === undefined) {
    return refuseUnmade(input, `Auto Scaling group ${pool.spec.groupName} does not exist in ${accountId}`, head);
  }
  const seen = { pool, group, items, at };
  const found = await foundOf(input, seen);
  const { wanted } = found;
  // One need is one request: what it needs more by now is asked for when the one that waits has ended.
  const { waitingLoanId } = pool;
  const isWaiting = found.refusal === undefined && waitingLoanId !== undefined && waitingLoanId !== loanId;
  const refusal = isWaiting ? 'waiting-already' : found.refusal;
  const asked: LoanRequest = {
    loanId,
    borrowerAccountId: accountId,
    borrowerPoolId: poolId,
    startedBy: input.execution,
    // Instances above the ceiling are on their way out: another loan has been taken back.
    inServiceBefore: Math.min(group.inServiceUnits, group.maxSize),
    request: requestOf(loanId, wanted.units, seen),
    ...wanted,
    ...(isWaiting ? { reason: `${waitingLoanId} waits for ${poolId} already` } : {}),
  };
  const coolsDown = refusal !== 'cooling-down' && refusal !== 'waiting-already';
  const coolingPool = coolsDown ? pool : undefined;
  const commit =
    refusal === undefined
      ? request(asked, at)
      : refuseAtOnce(asked, asked.reason, at, coolingPool, 'forecastSlotMillis' in input);
  const partners = partnersIn(items, poolId);
  try {
    const heads = await store.commit(commit, head === undefined ? {} : { [accountId]: head });
    if (refusal !== undefined) return { outcome: 'refused', detail: asked.reason };
    return {
      outcome: 'needed',
      snapshot: { loan: commit.loan, borrowerPool: pool, heads },
      partners,
      borrowerGroup: group,
    };
  } catch (error) {
    if (!(error instanceof StaleSnapshot || error instanceof LimitReached)) throw error;
    return resumed(input, partners);
  }
}

function partnersIn(items: AccountItems, poolId: PoolId): PoolId[] {
  return items.plan(poolId)?.partners.map((partner) => partner.lenderPoolId) ?? [];
}

/** Units that are missing now of what a request that waits asked for, or why its need is gone. */
async function needOf({ loan }: LoanSnapshot, seen: Seen): Promise<number | string> {
  const { pool, group, items, at } = seen;
  const { bindingResource, forecastNeed, watchNeed } = loan;
  // What it was asked for because of is still to come.
  if (watchNeed !== undefined && at < watchNeed.beforeMillis) return loan.units;
  if (forecastNeed !== undefined) {
    const { accountId, poolId } = pool.spec;
    const usage = items.usage(accountId);
    const ahead = {
      pool,
      group,
      forecast: items.plan(poolId)?.forecast,
      outlook: items.outlook(poolId),
      consent: items.consent(accountId),
      usage,
      now: at,
    };
    const need = assessAhead(ahead);
    return need.action === 'request' || need.code === 'cooling-down' ? need.units : need.reason;
  }
  const metrics = await latestMetrics(pool.spec, at, role);
  const consent = items.consent(pool.spec.accountId);
  // What other parts have brought may have ended the alarm: what is missing is told by demand alone.
  const need = assessNeed({
    pool,
    group,
    metrics,
    alarmState: 'ALARM',
    resourceType: bindingResource,
    consent,
    now: at,
  });
  const unknown = need.action === 'refuse' && (need.code === 'cooling-down' || need.code === 'metric-missing');
  if (unknown) return loan.units;
  return need.action === 'request' ? need.units : need.reason;
}

/** Ends a request that stands already. */
async function endAsked(snapshot: LoanSnapshot, reason: string, detail: string, at: EpochMillis): Promise<Assessment> {
  const { loan } = snapshot;
  try {
    await store.commit(refuse(snapshot, reason, at, [ownReason(loan, detail)]), snapshot.heads);
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
    throw new PoolBusy(error.message);
  }
  return { outcome: 'refused', detail, followUp: loan.loanId };
}

/** A request that waits is assessed anew: its need may be smaller by now, or gone. */
async function resumeWaiting(snapshot: LoanSnapshot, seen: Seen, partners: readonly PoolId[]): Promise<Assessment> {
  const { loan } = snapshot;
  const need = await needOf(snapshot, seen);
  if (typeof need === 'string') {
    const reason = 'it waited until its need was gone';
    return endAsked(snapshot, reason, `${reason}: ${need}`, seen.at);
  }
  const { request: asked } = loan;
  const units = Math.min(loan.units, need);
  const request = asked === undefined ? {} : { request: { ...asked, ceilingUnits: ceilingUnits(seen.pool) + units } };
  const { group: borrowerGroup } = seen;
  return {
    outcome: 'needed',
    snapshot: { ...snapshot, loan: { ...loan, ...request, units } },
    partners,
    borrowerGroup,
  };
}

function ownReason(loan: Loan, text: string): LoanReason {
  return { text, onlyFor: loan.borrowerAccountId };
}

/** The next part of a need, or a request that waits, goes on. An execution that comes too late finds nothing to do. */
async function resume({ loanId, poolId, execution }: ResumeInput): Promise<Assessment> {
  const [stored, items] = await Promise.all([store.readSnapshot(loanId), readPool(poolId)]);
  if (stored === undefined) return { outcome: 'duplicate', detail: `loan ${loanId} does not exist` };
  const { state, startedBy } = stored.loan;
  const goesOn = state === 'waiting' || (state === 'requested' && startedBy === execution);
  if (!goesOn) return { outcome: 'duplicate', detail: `loan ${loanId} is ${state} already, by ${startedBy}` };
  const pool = stored.borrowerPool;
  const group = await observeGroup(pool.spec, role);
  if (group === undefined) {
    const reason = 'its Auto Scaling group does not exist any more';
    return endAsked(stored, reason, `${reason}: ${poolId}`, now());
  }
  const snapshot = { ...stored, loan: { ...stored.loan, startedBy: execution } };
  const partners = partnersIn(items, poolId);
  if (state === 'requested') return { outcome: 'needed', snapshot, partners, borrowerGroup: group };
  return resumeWaiting(snapshot, { pool, group, items, at: now() }, partners);
}

/** What a new request needs, or how one that stands already goes on. */
export const handler = lambda(z.union([resumeInputSchema, borrowInputSchema]), async (input): Promise<Assessment> => {
  return 'resume' in input ? resume(input) : assessNew(input);
});

/** A request of which no loan can be made, because its pool or its group does not exist; it is on record all the same. */
async function refuseUnmade(input: BorrowInput, detail: string, head: ChainHead | undefined): Promise<Assessment> {
  const { accountId } = poolIdParts(input.poolId);
  const event = {
    type: 'loan.refused',
    at: now(),
    subject: input.loanId,
    actor: 'entangle',
    detail: { endDetail: detail },
  };
  await recordRefusalOnce({ accountId, ...event }, head, {
    accountsTable: env.ENTANGLE_ACCOUNTS_TABLE,
    auditTable: env.ENTANGLE_AUDIT_TABLE,
  });
  return { outcome: 'refused', detail };
}

/**
 * The loan exists: this step ran before and its answer was lost, or another execution makes the same loan. A request of
 * this execution goes on; anything else is left alone.
 */
async function resumed(input: BorrowInput, partners: readonly PoolId[]): Promise<Assessment> {
  const snapshot = await store.readSnapshot(input.loanId);
  if (snapshot === undefined) throw new PoolBusy('the pool changed while its need was assessed');
  const { state, startedBy } = snapshot.loan;
  if (state === 'requested' && startedBy === input.execution) return { outcome: 'needed', snapshot, partners };
  return { outcome: 'duplicate', detail: `loan ${input.loanId} is ${state} already, by ${startedBy}` };
}
