import type * as z from 'zod';
import type { ChainHead } from '../core/audit/chain.ts';
import { assessNeed } from '../core/lending/assess.ts';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { LoanRequest } from '../core/lending/saga.ts';
import { refuseAtOnce, request } from '../core/lending/saga.ts';
import type { GroupObservation } from '../core/pool.ts';
import { LimitReached, StaleSnapshot } from '../core/ports.ts';
import type { PoolId } from '../core/units.ts';
import { poolIdParts } from '../core/units.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { recordRefusal } from './adapters/governance-store.ts';
import { observeGroup } from './adapters/groups.ts';
import { chainKey, consentKey, planKey, poolKey } from './adapters/keys.ts';
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

/** Is the capacity really needed now? The alarm, the metrics and the group are read again: an event may be late or repeated. */
export const handler = lambda(borrowInputSchema, async (input): Promise<Assessment> => {
  const { poolId, alarmName, loanId } = input;
  const { accountId } = poolIdParts(poolId);
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    poolKey(poolId),
    consentKey(accountId),
    planKey(poolId),
    chainKey(accountId),
  ]);
  const pool = items.pool(poolId);
  if (pool === undefined) {
    logger.warn('alarm of a pool that is not enrolled', { poolId });
    return refuseUnmade(input, `pool ${poolId} is not enrolled`, items.head(accountId));
  }
  const at = now();
  const [group, alarms, metrics] = await Promise.all([
    observeGroup(pool.spec, role),
    observeAlarms(pool.spec, role),
    latestMetrics(pool.spec, at, role),
  ]);
  if (group === undefined) {
    const detail = `Auto Scaling group ${pool.spec.groupName} does not exist in ${accountId}`;
    return refuseUnmade(input, detail, items.head(accountId));
  }
  const need = assessNeed({
    pool,
    group,
    metrics,
    alarmState: alarms.find((alarm) => alarm.alarmName === alarmName)?.state ?? 'INSUFFICIENT_DATA',
    resourceType: input.resourceType,
    consent: items.consent(accountId),
    now: at,
  });
  const wanted: LoanRequest = {
    loanId,
    borrowerAccountId: accountId,
    borrowerPoolId: poolId,
    units: need.units,
    bindingResource: need.action === 'request' ? need.bindingResource : input.resourceType,
    startedBy: input.execution,
    alarmName,
    alarmTransitionAt: input.transitionAtMillis,
    inServiceBefore: group.inServiceUnits,
    reason: need.reason,
  };
  const head = items.head(accountId);
  const commit =
    need.action === 'request'
      ? request(wanted, at)
      : refuseAtOnce(wanted, need.reason, at, need.code === 'cooling-down' ? undefined : pool);
  try {
    const heads = await store.commit(commit, head === undefined ? {} : { [accountId]: head });
    if (need.action === 'refuse') return { outcome: 'refused', detail: need.reason };
    const partners = items.plan(poolId)?.partners.map((partner) => partner.lenderPoolId) ?? [];
    return {
      outcome: 'needed',
      snapshot: { loan: commit.loan, borrowerPool: pool, heads },
      partners,
      borrowerGroup: group,
    };
  } catch (error) {
    if (!(error instanceof StaleSnapshot || error instanceof LimitReached)) throw error;
    return resumed(input, items.plan(poolId)?.partners.map((partner) => partner.lenderPoolId) ?? []);
  }
});

/** A request of which no loan can be made, because its pool or its group does not exist; it is on record all the same. */
async function refuseUnmade(
  input: z.infer<typeof borrowInputSchema>,
  detail: string,
  head: ChainHead | undefined,
): Promise<Assessment> {
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
async function resumed(input: z.infer<typeof borrowInputSchema>, partners: readonly PoolId[]): Promise<Assessment> {
  const snapshot = await store.readSnapshot(input.loanId);
  if (snapshot === undefined) throw new PoolBusy('the pool changed while its need was assessed');
  const { state, startedBy } = snapshot.loan;
  if (state === 'requested' && startedBy === input.execution) return { outcome: 'needed', snapshot, partners };
  return { outcome: 'duplicate', detail: `loan ${input.loanId} is ${state} already, by ${startedBy}` };
}
