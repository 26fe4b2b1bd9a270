import type { ForeignChange } from '../../core/lending/foreign-change.ts';
import { foreignChange } from '../../core/lending/foreign-change.ts';
import type { Loan } from '../../core/lending/loan.ts';
import { recordRepair } from '../../core/lending/repair.ts';
import { pausesForCeiling } from '../../core/pairing/interruptions.ts';
import type { Pool } from '../../core/pool.ts';
import { StaleSnapshot } from '../../core/ports.ts';
import type { EpochMillis } from '../../core/units.ts';
import { pairingsOf, readAccountItems } from './account-store.ts';
import { observeGroup } from './groups.ts';
import { poolKey } from './keys.ts';
import { lentLoansOf } from './lent-loans.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { logger } from './middleware.ts';
import { publishEvents } from './pairing-events.ts';
import { writePauses } from './pairing-pauses.ts';
import type { RecallRoute } from './recalls.ts';
import { startRecall } from './recalls.ts';
import { commitStep } from './saga-step.ts';
import { raisesOwnCeiling } from './scaling-policies.ts';
import type { AuditTables } from './transaction.ts';

/** Where foreign changes are looked for, and how what follows from them is written. */
export interface ForeignChangeRoute {
  readonly tables: AuditTables;
  readonly loansTable: string;
  /** Role for looking at groups. */
  readonly role: RoleInLinkedAccount;
  readonly recalls: RecallRoute;
}

/** Records a change of each loan that goes on; the books of the pool follow with the first. @returns how many were recorded */
async function repair(
  change: Extract<ForeignChange, { action: 'repair' }>,
  pool: Pool,
  at: EpochMillis,
  { recalls }: ForeignChangeRoute,
): Promise<number> {
  let recorded = 0;
  for (const { loanId, version } of change.loans) {
    const snapshot = await recalls.store.readSnapshot(loanId);
    if (snapshot === undefined || snapshot.loan.version !== version) continue;
    const commit = recordRepair(snapshot, change, pool, recorded === 0, at);
    try {
      await commitStep(recalls.store, snapshot, commit);
    } catch (error) {
      if (!(error instanceof StaleSnapshot)) throw error;
      // Something else has moved on: the change is looked at again by the next run.
      return recorded;
    }
    recorded += 1;
    await publishEvents(
      (commit.events ?? []).map((event) => ({ account: snapshot.loan.borrowerAccountId, event })),
      recalls.events,
    );
  }
  return recorded;
}

async function end(
  change: Extract<ForeignChange, { action: 'end' }>,
  pool: Pool,
  at: EpochMillis,
  { tables, recalls }: ForeignChangeRoute,
): Promise<number> {
  const { poolId, accountId } = pool.spec;
  const figures = change.loans.some(({ lenderPoolId }) => lenderPoolId === poolId)
    ? { lenderDetail: change.detail }
    : {};
  const ids = change.loans.map(({ loanId }) => loanId);
  const outcomes = await startRecall(ids, { by: 'foreign-change', reason: change.reason, ...figures }, recalls);
  if (change.kind === 'ceiling-not-fixed') {
    const pauses = pausesForCeiling(await pairingsOf(tables.accountsTable, accountId), pool.spec, 'reconcile', at);
    await writePauses(pauses, tables, recalls.events);
  }
  return outcomes.filter(({ outcome }) => outcome === 'recalled').length;
}

async function tendPool(
  pool: Pool,
  borrowed: readonly Loan[],
  at: EpochMillis,
  route: ForeignChangeRoute,
): Promise<number> {
  const { spec } = pool;
  const lent = await lentLoansOf(route.loansTable, pool);
  const openLoans = [...borrowed.filter(({ borrowerPoolId }) => borrowerPoolId === spec.poolId), ...lent];
  if (openLoans.length === 0) return 0;
  return (await tendGroup(pool, openLoans, at, route)) + (await tendReservations(pool, openLoans, at, route));
}

/** The clients for reserved capacity are large, so only pools with loans of it load them. */
async function tendReservations(
  pool: Pool,
  openLoans: readonly Loan[],
  at: EpochMillis,
  route: ForeignChangeRoute,
): Promise<number> {
  if (openLoans.every(({ kind }) => kind !== 'physical')) return 0;
  const { reservationChangesOf } = await import('./reservation-changes.ts');
  const { poolId } = pool.spec;
  let changed = 0;
  for (const change of await reservationChangesOf(pool.spec, openLoans, route.role)) {
    if (change.action === 'none') continue;
    logger.warn('reserved capacity was changed by somebody else', { poolId, ...change, loans: change.loans.length });
    changed += await (change.action === 'repair' ? repair(change, pool, at, route) : end(change, pool, at, route));
  }
  return changed;
}

async function tendGroup(
  pool: Pool,
  openLoans: readonly Loan[],
  at: EpochMillis,
  route: ForeignChangeRoute,
): Promise<number> {
  const { spec } = pool;
  const group = await observeGroup(spec, route.role);
  const raises = group !== undefined && (await raisesOwnCeiling(spec, route.role));
  const change = foreignChange({ pool, group, raisesOwnCeiling: raises, openLoans });
  if (change.action === 'none') return 0;
  const items = await readAccountItems(route.tables.accountsTable, [poolKey(spec.poolId)]);
  // A loan that has moved the pool in between makes what was seen of the group say nothing.
  if (items.pool(spec.poolId)?.version !== pool.version) return 0;
  logger.warn('a group was changed by somebody else', { poolId: spec.poolId, ...change, loans: change.loans.length });
  return change.action === 'repair' ? repair(change, pool, at, route) : end(change, pool, at, route);
}

/**
 * Finds what others have changed in groups and reservations that loans stand on, and ends or repairs those loans. Pools without a loan cost nothing.
 * @param pools as they were just read
 * @param borrowed open loans of their account as a borrower
 * @returns how many loans were repaired or are ended by it
 */
export async function tendForeignChanges(
  pools: readonly Pool[],
  borrowed: readonly Loan[],
  at: EpochMillis,
  route: ForeignChangeRoute,
): Promise<number> {
  let changed = 0;
  for (const pool of pools) {
    if (pool.lentUnits + pool.borrowedUnits + pool.provisionedUnits > 0) {
      changed += await tendPool(pool, borrowed, at, route);
    }
  }
  return changed;
}
