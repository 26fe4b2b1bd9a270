import type * as z from 'zod';
import type { ChainHead } from '../core/audit/chain.ts';
import type { AssessRefusalCode } from '../core/lending/assess.ts';
import { assessNeed } from '../core/lending/assess.ts';
import { assessAhead } from '../core/lending/borrow-ahead.ts';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { LoanRequest } from '../core/lending/saga.ts';
import { refuseAtOnce, request } from '../core/lending/saga.ts';
import type { GroupObservation, Pool } from '../core/pool.ts';
import { LimitReached, StaleSnapshot } from '../core/ports.ts';
import type { EpochMillis, PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { recordRefusal } from './adapters/governance-store.ts';
import { observeGroup } from './adapters/groups.ts';
import { chainKey, consentKey, planKey, poolKey, usageKey } from './adapters/keys.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { PoolBusy } from './adapters/saga-step.ts';
import { borrowInputSchema } from './adapters/schemas.ts';
import { latestMetrics, observeAlarms } from './adapters/telemetry.ts';

const env = readEnv(...LOAN_TABLES, 'ENTANGLE_EXTERNAL_ID', 'ENTANGLE_OBSERVE_ROLE_NAME');
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const store = loanStore(env);

type Assessment =
  | {
      readonly outcome: 'needed';
      readonly snapshot: LoanSnapshot;
      readonly partners: readonly PoolId[];
      readonly borrowerGroup?: GroupObservation;
    }
  | { readonly outcome: 'refused' | 'duplicate'; readonly detail: string };

type BorrowInput = z.infer<typeof borrowInputSchema>;

/** What was found of a request: what to record of it, and why it is refused where it is. */
interface Found {
  readonly wanted: Pick<LoanRequest, 'units' | 'bindingResource' | 'reason'> & Partial<LoanRequest>;
  readonly refusal?: AssessRefusalCode;
}

/** An alarm is a reason by what is measured now: it may be late or repeated. */
async function byAlarm(
  input: Extract<BorrowInput, { alarmName: string }>,
  seen: {
    readonly pool: Pool;
    readonly group: GroupObservation;
    readonly items: AccountItems;
    readonly at: EpochMillis;
  },
): Promise<Found> {
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
  return { wanted, ...(need.action === 'refuse' ? { refusal: need.code } : {}) };
}

/** A forecast is a reason by the newest plan: it may be another one by now than that which asked. */
function byForecast(
  input: BorrowInput,
  seen: {
    readonly pool: Pool;
    readonly group: GroupObservation;
    readonly items: AccountItems;
    readonly at: EpochMillis;
  },
): Found {
  const { pool, group, items, at } = seen;
  const { accountId, poolId } = pool.spec;
  const need = assessAhead({
    pool,
    group,
    forecast: items.plan(poolId)?.forecast,
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

/** Is the capacity really needed? The group is read again, and what asked for it: the alarm with the metrics, or the forecast. */
export const handler = lambda(borrowInputSchema, async (input): Promise<Assessment> => {
  const { poolId, loanId } = input;
  const { accountId } = poolIdParts(poolId);
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    poolKey(poolId),
    consentKey(accountId),
    usageKey(accountId),
    planKey(poolId),
    chainKey(accountId),
  ]);
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
  const { wanted, refusal } = 'alarmName' in input ? await byAlarm(input, seen) : byForecast(input, seen);
  const asked: LoanRequest = {
    loanId,
    borrowerAccountId: accountId,
    borrowerPoolId: poolId,
    startedBy: input.execution,
    inServiceBefore: group.inServiceUnits,
    ...wanted,
  };
  const commit =
    refusal === undefined
      ? request(asked, at)
      : refuseAtOnce(asked, asked.reason, at, refusal === 'cooling-down' ? undefined : pool);
  const partners = items.plan(poolId)?.partners.map((partner) => partner.lenderPoolId) ?? [];
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
  await recordRefusal({ accountId, ...event }, head, {
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
