/**
 * The level-triggered way in: looks at what is, not at what was announced. Finds loans that are due, recovered, revoked or
 * stuck between two states, alarms that no loan answers, and events that were never put, whatever was lost; and audits each account's
 * last month.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Loan } from '../core/lending/loan.ts';
import type { LoanAction } from '../core/lending/reconcile.ts';
import { reconcileLoan, reconcilePool } from '../core/lending/reconcile.ts';
import type { Recovery } from '../core/lending/recovery.ts';
import { hasRecovered } from '../core/lending/recovery.ts';
import type { Pool } from '../core/pool.ts';
import type { AccountId, EpochMillis } from '../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { poolsByAccount, poolsByBucket, readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { tendForeignChanges } from './adapters/foreign-changes.ts';
import { observeGroup } from './adapters/groups.ts';
import { consentKey, poolKey } from './adapters/keys.ts';
import { recallRoute } from './adapters/lender-recalls.ts';
import { LOAN_TABLES, loanStore, loansOf } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { fulfilOrganisation, readOrganisation } from './adapters/organisation-store.ts';
import { sweepEvents } from './adapters/pairing-events.ts';
import { auditLastMonth } from './adapters/period-audit.ts';
import { startRecall } from './adapters/recalls.ts';
import { sweepRequests } from './adapters/request-parts.ts';
import { noInputSchema } from './adapters/schemas.ts';
import { startBorrow, startRenewal, startReturn } from './adapters/starts.ts';
import { fulfilStops } from './adapters/stop-duties.ts';
import type { OrganisationSwitch } from './adapters/stop-store.ts';
import { organisationSwitch } from './adapters/stop-store.ts';
import type { AlarmObservation } from './adapters/telemetry.ts';
import { alarmsInAlarm, latestMetrics } from './adapters/telemetry.ts';

const env = readEnv(
  ...LOAN_TABLES,
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_BORROW_STATE_MACHINE_ARN',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  'ENTANGLE_STUCK_AFTER_SECONDS',
  'ENTANGLE_HUB_ACCOUNT_ID',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const accountsTable = env.ENTANGLE_ACCOUNTS_TABLE;
const auditTables = { accountsTable, auditTable: env.ENTANGLE_AUDIT_TABLE };
const stepFunctions = new SFNClient({});
const requestRoute = {
  loansTable: env.ENTANGLE_LOANS_TABLE,
  stepFunctions,
  borrowMachineArn: env.ENTANGLE_BORROW_STATE_MACHINE_ARN,
  returnMachineArn: env.ENTANGLE_RETURN_STATE_MACHINE_ARN,
};
const recalls = recallRoute(env, loanStore(env), stepFunctions);
const foreignChanges = { tables: auditTables, loansTable: env.ENTANGLE_LOANS_TABLE, role, recalls };

/** An execution that failed without a trace may be started again once as much time has passed as makes a loan stuck. */
function attemptAt(at: EpochMillis): number {
  return Math.floor(at / (Math.max(1, env.ENTANGLE_STUCK_AFTER_SECONDS) * MILLIS_PER_SECOND));
}

async function recoveryOf(loan: Loan, pool: Pool | undefined, at: EpochMillis): Promise<Recovery | undefined> {
  if (loan.state !== 'active' || pool === undefined) return undefined;
  const [group, metrics] = await Promise.all([observeGroup(pool.spec, role), latestMetrics(pool.spec, at, role)]);
  return group === undefined ? undefined : hasRecovered({ pool, group, metrics, loan, now: at });
}

/** Carries out what was decided of a loan. @returns whether it is on its way back because of it */
async function carryOut(
  loan: Loan,
  decided: Exclude<LoanAction, { action: 'none' }>,
  at: EpochMillis,
): Promise<boolean> {
  const { ENTANGLE_RETURN_STATE_MACHINE_ARN: machine } = env;
  logger.info(decided.action, { loanId: loan.loanId, ...decided });
  switch (decided.action) {
    case 'return':
      return startReturn(stepFunctions, machine, loan, decided.reason, { attempt: attemptAt(at) });
    case 'renew':
      await startRenewal(stepFunctions, machine, loan);
      return false;
    case 'recall': {
      const [outcome] = await startRecall([loan.loanId], decided, recalls);
      return outcome?.outcome === 'recalled';
    }
  }
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
    if (await carryOut(loan, decided, at)) returns += 1;
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

async function reconcileAccount(
  account: AccountId,
  poolIds: readonly Pool['spec']['poolId'][],
  organisation: OrganisationSwitch,
) {
  const loans = await loansOf(env.ENTANGLE_LOANS_TABLE, 'open', account);
  const lenders = loans.flatMap((loan) => loan.lenderAccountId ?? []);
  const items = await readAccountItems(accountsTable, [
    ...poolIds.map(poolKey),
    ...[account, ...lenders].map(consentKey),
  ]);
  const pools = poolIds.flatMap((id) => items.pool(id) ?? []);
  const stopped = await fulfilStops(account, loans, organisation, auditTables, recalls);
  const done = { returns: await reconcileLoans(account, loans, items), borrows: await reconcilePools(pools, loans) };
  const at = now();
  await sweepRequests(loans, at, requestRoute);
  const foreign = await tendForeignChanges(pools, loans, at, foreignChanges);
  // An event that has waited so long was left behind by a function that is gone.
  const leftBehind = epochMillis(at - env.ENTANGLE_STUCK_AFTER_SECONDS * MILLIS_PER_SECOND);
  const events = await sweepEvents(account, leftBehind, { accountsTable, busName: env.ENTANGLE_EVENT_BUS });
  const returns = done.returns + stopped;
  return { ...done, returns, foreign, events, audits: (await auditLastMonth(account, at, auditTables)) ? 1 : 0 };
}

/** One account that cannot be read does not keep the others from being looked at; the run fails at its end, by name. */
export const handler = lambda(noInputSchema, async () => {
  const byAccount = poolsByAccount([...(await poolsByBucket(accountsTable)).values()].flat());
  const organisation = await organisationSwitch(accountsTable);
  const total = { accounts: byAccount.size, returns: 0, borrows: 0, foreign: 0, events: 0, audits: 0 };
  const failed: string[] = [];
  for (const [account, poolIds] of byAccount) {
    try {
      const done = await reconcileAccount(account, poolIds, organisation);
      total.returns += done.returns;
      total.borrows += done.borrows;
      total.foreign += done.foreign;
      total.events += done.events;
      total.audits += done.audits;
    } catch (error) {
      logger.error('account not reconciled', { account, error: error instanceof Error ? error : String(error) });
      failed.push(account);
    }
  }
  try {
    const stated = await readOrganisation(accountsTable);
    await fulfilOrganisation([...byAccount.keys()], stated, env.ENTANGLE_HUB_ACCOUNT_ID as AccountId, auditTables);
  } catch (error) {
    logger.error('the organisation was not brought to its accounts', { error: error as Error });
    failed.push('the organisation');
  }
  if (failed.length > 0) throw new Error(`not reconciled: ${failed.join(', ')}`);
  return total;
});
