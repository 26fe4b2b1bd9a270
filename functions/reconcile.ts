/**
 * The level-triggered way in: looks at what is, not at what was announced. Finds loans that are due, recovered, revoked or
 * stuck between two states, alarms that no loan answers, and events that were never put, whatever was lost; and audits each account's
 * last month.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Loan } from '../core/lending/loan.ts';
import { reconcileLoan, reconcilePool } from '../core/lending/reconcile.ts';
import type { Recovery } from '../core/lending/recovery.ts';
import { hasRecovered } from '../core/lending/recovery.ts';
import type { Pool } from '../core/pool.ts';
import type { AccountId, EpochMillis } from '../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { poolsByBucket, readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { observeGroup } from './adapters/groups.ts';
import { consentKey, poolKey } from './adapters/keys.ts';
import { loansOf } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { sweepEvents } from './adapters/pairing-events.ts';
import { auditLastMonth } from './adapters/period-audit.ts';
import { noInputSchema } from './adapters/schemas.ts';
import { startBorrow, startReturn } from './adapters/starts.ts';
import type { AlarmObservation } from './adapters/telemetry.ts';
import { alarmsInAlarm, latestMetrics } from './adapters/telemetry.ts';

const env = readEnv(
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_LOANS_TABLE',
  'ENTANGLE_AUDIT_TABLE',
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_BORROW_STATE_MACHINE_ARN',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  'ENTANGLE_STUCK_AFTER_SECONDS',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const accountsTable = env.ENTANGLE_ACCOUNTS_TABLE;
const auditTables = { accountsTable, auditTable: env.ENTANGLE_AUDIT_TABLE };
const stepFunctions = new SFNClient({});

/** An execution that failed without a trace may be started again once as much time has passed as makes a loan stuck. */
function attemptAt(at: EpochMillis): number {
  return Math.floor(at / (Math.max(1, env.ENTANGLE_STUCK_AFTER_SECONDS) * MILLIS_PER_SECOND));
}

async function recoveryOf(loan: Loan, pool: Pool | undefined, at: EpochMillis): Promise<Recovery | undefined> {
  if (loan.state !== 'active' || pool === undefined) return undefined;
  const [group, metrics] = await Promise.all([observeGroup(pool.spec, role), latestMetrics(pool.spec, at, role)]);
  return group === undefined ? undefined : hasRecovered({ pool, group, metrics, loan, now: at });
}

async function reconcileLoans(account: AccountId, loans: readonly Loan[], items: AccountItems): Promise<number> {
  let returns = 0;
  for (const loan of loans) {
    const at = now();
    const decided = reconcileLoan({
      loan,
      borrowerConsent: items.consent(account),
      lenderConsent: loan.lenderAccountId === undefined ? undefined : items.consent(loan.lenderAccountId),
      recovery: await recoveryOf(loan, items.pool(loan.borrowerPoolId), at),
      now: at,
      stuckAfterSeconds: env.ENTANGLE_STUCK_AFTER_SECONDS,
    });
    if (decided.action === 'none') continue;
    logger.info('returning', { loanId: loan.loanId, reason: decided.reason, detail: decided.detail });
    const { ENTANGLE_RETURN_STATE_MACHINE_ARN: machine } = env;
    const started = await startReturn(stepFunctions, machine, loan, decided.reason, { attempt: attemptAt(at) });
    if (started) returns += 1;
  }
  return returns;
}

function firing(alarms: readonly AlarmObservation[], pool: Pool) {
  return alarms
    .filter((alarm) => alarm.groupName === pool.spec.groupName)
    .map((alarm) => ({
      alarmName: alarm.alarmName,
      resourceType: alarm.resourceType,
      transitionAtMillis: alarm.transitionAt,
    }));
}

async function reconcilePools(pools: readonly Pool[], loans: readonly Loan[]): Promise<number> {
  let borrows = 0;
  for (const region of new Set(pools.map((pool) => pool.spec.region))) {
    const inRegion = pools.filter((pool) => pool.spec.region === region);
    const account = inRegion[0]?.spec.accountId;
    if (account === undefined) continue;
    const alarms = await alarmsInAlarm(account, region, role);
    for (const pool of inRegion) {
      const decided = reconcilePool({ pool, alarmsInAlarm: firing(alarms, pool), openLoans: loans, now: now() });
      if (decided.action === 'none') continue;
      logger.info('borrowing', { poolId: pool.spec.poolId, reason: decided.reason });
      const { alarmName, resourceType, transitionAtMillis: transitionAt } = decided.alarm;
      const start = { poolId: pool.spec.poolId, alarmName, resourceType, transitionAt };
      const { ENTANGLE_BORROW_STATE_MACHINE_ARN: machine } = env;
      const { started } = await startBorrow(stepFunctions, machine, start, attemptAt(now()));
      if (started) borrows += 1;
    }
  }
  return borrows;
}

async function reconcileAccount(account: AccountId, poolIds: readonly Pool['spec']['poolId'][]) {
  const loans = await loansOf(env.ENTANGLE_LOANS_TABLE, 'open', account);
  const lenders = loans.flatMap((loan) => loan.lenderAccountId ?? []);
  const items = await readAccountItems(accountsTable, [
    ...poolIds.map(poolKey),
    ...[account, ...lenders].map(consentKey),
  ]);
  const pools = poolIds.flatMap((id) => items.pool(id) ?? []);
  const done = { returns: await reconcileLoans(account, loans, items), borrows: await reconcilePools(pools, loans) };
  const at = now();
  // An event that has waited so long was left behind by a function that is gone.
  const leftBehind = epochMillis(at - env.ENTANGLE_STUCK_AFTER_SECONDS * MILLIS_PER_SECOND);
  const events = await sweepEvents(account, leftBehind, { accountsTable, busName: env.ENTANGLE_EVENT_BUS });
  return { ...done, events, audits: (await auditLastMonth(account, at, auditTables)) ? 1 : 0 };
}

/** One account that cannot be read does not keep the others from being looked at; the run fails at its end, by name. */
export const handler = lambda(noInputSchema, async () => {
  const byAccount = new Map<AccountId, Pool['spec']['poolId'][]>();
  for (const poolIds of (await poolsByBucket(accountsTable)).values()) {
    for (const id of poolIds) {
      const account = id.slice(0, id.indexOf('/')) as AccountId;
      byAccount.set(account, [...(byAccount.get(account) ?? []), id]);
    }
  }
  const total = { accounts: byAccount.size, returns: 0, borrows: 0, events: 0, audits: 0 };
  const failed: string[] = [];
  for (const [account, poolIds] of byAccount) {
    try {
      const done = await reconcileAccount(account, poolIds);
      total.returns += done.returns;
      total.borrows += done.borrows;
      total.events += done.events;
      total.audits += done.audits;
    } catch (error) {
      logger.error('account not reconciled', { account, error: error instanceof Error ? error : String(error) });
      failed.push(account);
    }
  }
  if (failed.length > 0) throw new Error(`not reconciled: ${failed.join(', ')}`);
  return total;
});
