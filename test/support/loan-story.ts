/** Steps that the tests of loans have in common, on the deployed stacks. */
import type { AuditRecord, ChainHead } from '../../core/audit/chain.ts';
import { verifyChain } from '../../core/audit/chain.ts';
import type { LedgerEntry } from '../../core/billing/ledger.ts';
import type { ConsentUsage } from '../../core/consent/consent.ts';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { LoanState } from '../../core/lending/loan.ts';
import { isOpen } from '../../core/lending/loan.ts';
import type { AccountId, LoanId, ResourceType } from '../../core/units.ts';
import { sha256Hex } from '../../functions/adapters/ids.ts';
import type { Fleet, GroupSizes } from './deployment.ts';
import { until } from './deployment.ts';
import type { FleetPool } from './lending-fleet.ts';
import { ALL_POOLS, idOf, LINKED } from './lending-fleet.ts';

/** Utilisation that needs two units more than the four that a borrower owns: 3.8 of them are used, 70 % is the threshold. */
export const OVERLOAD_PERCENT = 95;
/** Fits into half of what a borrower owns. */
export const CALM_PERCENT = 10;

/** Sets every metric of a pool to a calm value: no alarm of it is left in ALARM. */
export async function calm(fleet: Fleet, pool: FleetPool): Promise<void> {
  for (const type of pool.resources) await fleet.publish(idOf(pool), type, CALM_PERCENT);
}

/**
 * Calms every pool of the fleet and waits until no loan is open: reconciling looks at all of them, whatever test they
 * belong to.
 */
export async function calmFleet(fleet: Fleet): Promise<void> {
  await until('no loan is open in the whole fleet', async () => {
    for (const pool of ALL_POOLS) await calm(fleet, pool);
    await fleet.invoke('reconcile', {});
    const open = await Promise.all(
      LINKED.map((account) => fleet.api<{ loans: LoanView[] }>(account, 'GET', '/loans?state=open')),
    );
    return open.every(({ loans }) => loans.length === 0) || undefined;
  });
}

/** The newest loan of a borrower's pool that was asked for at or after a moment, once it is in one of the states. */
export function loanIn(fleet: Fleet, borrower: FleetPool, since: number, ...states: LoanState[]): Promise<LoanView> {
  return until(`a loan of ${borrower.groupName} is ${states.join(' or ')}`, async () => {
    const loans = await fleet.loansOf(borrower.account);
    return loans.findLast(
      (loan) => loan.borrowerPoolId === idOf(borrower) && loan.requestedAt >= since && states.includes(loan.state),
    );
  });
}

/** Overloads a pool; its alarm goes off by itself. */
export async function overload(fleet: Fleet, pool: FleetPool, resource: ResourceType = 'cpu'): Promise<number> {
  const since = Date.now();
  await fleet.publish(idOf(pool), resource, OVERLOAD_PERCENT);
  return since;
}

/** Overloads a pool and waits until its loan is active. */
export async function borrow(fleet: Fleet, pool: FleetPool, resource: ResourceType = 'cpu'): Promise<LoanView> {
  return loanIn(fleet, pool, await overload(fleet, pool, resource), 'active');
}

export async function ended(fleet: Fleet, account: AccountId, loanId: LoanId): Promise<LoanView> {
  return until(`loan ${loanId} has ended`, async () => {
    const { loan } = await fleet.api<{ loan: LoanView }>(account, 'GET', `/loans/${loanId}`);
    return loan.endedAt === undefined ? undefined : loan;
  });
}

const ON_ITS_WAY = / is (recalled|returning|draining|reclaimed|returned), not active/;

/** Gives a loan back through the API and waits for its end. A pool that has calmed down may be quicker and give it back by itself. */
export async function giveBack(fleet: Fleet, loan: LoanView): Promise<LoanView> {
  try {
    await fleet.api(loan.borrowerAccountId, 'POST', `/loans/${loan.loanId}/return`);
  } catch (error) {
    if (!ON_ITS_WAY.test(String(error))) throw error;
  }
  return ended(fleet, loan.borrowerAccountId, loan.loanId);
}

/** Everything of an account that a loan changes for its time. */
export interface Books {
  readonly groups: readonly GroupSizes[];
  readonly counters: readonly object[];
  readonly lentUnits: number;
  readonly borrowedUnits: number;
  readonly pendingMicroUsd: number;
  readonly openLoans: number;
}

export async function booksOf(fleet: Fleet, pools: readonly FleetPool[]): Promise<Books[]> {
  return Promise.all(
    pools.map(async (pool) => {
      const { lentUnits, borrowedUnits, provisionedUnits, movingLoanId, ownedUnits } = await fleet.pool(idOf(pool));
      const { usage } = await fleet.api<{ usage: ConsentUsage }>(pool.account, 'GET', '/consent');
      const bills = await billsOf(fleet, pool.account);
      return {
        groups: [await fleet.group(idOf(pool))],
        counters: [{ lentUnits, borrowedUnits, provisionedUnits, ownedUnits, moving: movingLoanId ?? null }],
        lentUnits: usage.lentUnits,
        borrowedUnits: usage.borrowedUnits,
        pendingMicroUsd: bills.balance.pendingMicroUsd,
        openLoans: (await fleet.loansOf(pool.account)).filter(
          (loan) => isOpen(loan) && (loan.borrowerPoolId === idOf(pool) || loan.lenderPoolId === idOf(pool)),
        ).length,
      };
    }),
  );
}

export function billsOf(fleet: Fleet, account: AccountId) {
  return fleet.api<{ balance: { pendingMicroUsd: number; postedMicroUsd: number }; entries: LedgerEntry[] }>(
    account,
    'GET',
    '/bills',
  );
}

export async function auditOf(fleet: Fleet, account: AccountId): Promise<readonly AuditRecord[]> {
  const { head, records } = await fleet.api<{ head: ChainHead; records: AuditRecord[] }>(account, 'GET', '/audit');
  const faults = verifyChain(records, head, sha256Hex);
  if (faults.length > 0) throw new Error(`the audit chain of ${account} is broken: ${JSON.stringify(faults)}`);
  return records;
}

/** The audit records about one loan, in both accounts' chains, in the order of time. */
export async function trailOf(fleet: Fleet, loan: LoanView): Promise<string[]> {
  const accounts = [loan.borrowerAccountId, ...(loan.lenderAccountId === undefined ? [] : [loan.lenderAccountId])];
  const records = (await Promise.all(accounts.map((account) => auditOf(fleet, account)))).flat();
  return records
    .filter((record) => record.subject === loan.loanId)
    .sort(
      (a, b) =>
        a.at - b.at ||
        loan.history.findIndex(({ state }) => a.type.endsWith(state)) -
          loan.history.findIndex(({ state }) => b.type.endsWith(state)),
    )
    .map((record) => record.type);
}
