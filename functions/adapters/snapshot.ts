import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { AccountItems } from './account-store.ts';
import type { AccountKey } from './keys.ts';
import { chainKey, poolKey } from './keys.ts';

function accountsOf(loan: Loan) {
  return [loan.borrowerAccountId, ...(loan.lenderAccountId === undefined ? [] : [loan.lenderAccountId])];
}

/** What has to be read for the snapshot of a loan, besides the loan. */
export function snapshotKeys(loan: Loan): AccountKey[] {
  const pools = [loan.borrowerPoolId, ...(loan.lenderPoolId === undefined ? [] : [loan.lenderPoolId])];
  return [...pools.map(poolKey), ...accountsOf(loan).map(chainKey)];
}

/** A loan with its pools and the heads of its audit chains as they were read; `undefined` without the borrower's pool. */
export function snapshotOf(loan: Loan, items: AccountItems): LoanSnapshot | undefined {
  const borrowerPool = items.pool(loan.borrowerPoolId);
  if (borrowerPool === undefined) return undefined;
  const lenderPool = loan.lenderPoolId === undefined ? undefined : items.pool(loan.lenderPoolId);
  const heads = accountsOf(loan).flatMap((account) => {
    const head = items.head(account);
    return head === undefined ? [] : [[account, head] as const];
  });
  return { loan, borrowerPool, ...(lenderPool === undefined ? {} : { lenderPool }), heads: Object.fromEntries(heads) };
}
