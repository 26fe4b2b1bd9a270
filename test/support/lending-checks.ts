import { GENESIS, verifyChain } from '../../core/audit/chain.ts';
import { balanceOf } from '../../core/billing/ledger.ts';
import type { Loan } from '../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../core/lending/loan-units.ts';
import { invariant } from '../../core/units.ts';
import type { MemoryStore } from './memory-store.ts';
import { sha256Hex } from './memory-store.ts';

/** Price × the lender's units × active time, rounded half up. */
function dueOf(loan: Loan): number {
  const { activeAt, dueAt = 0, history } = loan;
  if (activeAt === undefined) return 0;
  const until = Math.min(history.find(({ state }) => state === 'reclaimed')?.at ?? 0, dueAt);
  const hours = (until - activeAt) / 3_600_000;
  return Math.floor(loan.priceMicroUsdPerUnitHour * lenderUnitsOf(loan) * hours + 0.5);
}

function checkBill(loan: Loan, store: MemoryStore): void {
  const posted = [...store.ledger.values()].filter(
    (entry) => entry.loanId === loan.loanId && entry.phase === 'posted' && entry.accountId === loan.lenderAccountId,
  );
  const billed = loan.billedMicroUsd ?? 0;
  invariant(posted.length === (billed === 0 ? 0 : 1), `${loan.loanId} is billed once, or not at all`);
  invariant((posted[0]?.amountMicroUsd ?? 0) === billed, `${loan.loanId} is billed what its record says`);
  invariant(loan.activeAt !== undefined || billed === 0, `${loan.loanId} is billed only when it was active`);
  invariant(billed === (loan.kind === 'nominal' ? dueOf(loan) : 0), `${loan.loanId} is billed what it lent`);
}

/**
 * The units of one loan on both sides, at every moment. @throws InvariantViolation with what does not hold
 * @param moved.given by how much the borrower's ceiling is up for it
 * @param moved.taken by how much the lender's is down
 */
export function checkUnits(
  { loanId, units, lenderUnits = units, lenderPoolId }: Loan,
  { unitRatio, given, taken }: { readonly unitRatio: number; readonly given: number; readonly taken: number },
): void {
  invariant(given === 0 || given === units, `${loanId} gives all of its ${units} units or none, not ${given}`);
  if (lenderPoolId === undefined) return;
  const excess = lenderUnits - unitRatio * units;
  invariant(excess > -1e-6 && excess < 1, `${loanId} takes ${lenderUnits} for ${units} at ${unitRatio}`);
  invariant(taken === 0 || taken === lenderUnits, `${loanId} takes all of its ${lenderUnits} units or none`);
  invariant(taken > 0 || given === 0, `${loanId} gives nothing that it has not taken`);
}

/** What must hold at every moment of consents and money. @throws InvariantViolation with what does not */
export function checkBooks(store: MemoryStore): void {
  for (const [account, usage] of store.usages) {
    const terms = store.consents.get(account)?.terms;
    invariant(usage.lentUnits <= (terms?.lend?.maxUnits ?? 0), `${account} lends within its consent`);
    invariant(usage.borrowedUnits <= (terms?.borrow?.maxUnits ?? 0), `${account} borrows within its consent`);
    for (const seconds of Object.values({ ...usage.lentUnitSeconds })) {
      invariant(seconds <= (terms?.lend?.maxUnitHoursPerMonth ?? 0) * 3_600, `${account} lends within its hours`);
    }
    for (const seconds of Object.values({ ...usage.borrowedUnitSeconds })) {
      invariant(seconds <= (terms?.borrow?.maxUnitHoursPerMonth ?? 0) * 3_600, `${account} borrows within its hours`);
    }
  }
  const booked = balanceOf([...store.ledger.values()]);
  invariant(booked.pendingMicroUsd === 0 && booked.postedMicroUsd === 0, 'the ledger sums to zero');
}

/** What must hold of them once all loans have ended. @returns audit records. @throws InvariantViolation with what does not */
export function checkBooksAtRest(store: MemoryStore): number {
  const loans = [...store.loans.values()];
  for (const [account, usage] of store.usages) {
    invariant(usage.lentUnits === 0 && usage.borrowedUnits === 0, `${account} uses nothing of its consent`);
  }
  for (const account of new Set(loans.map((loan) => loan.borrowerAccountId))) {
    const entries = [...store.ledger.values()].filter((entry) => entry.accountId === account);
    invariant(balanceOf(entries).pendingMicroUsd === 0, `${account} has nothing pending`);
  }
  for (const loan of loans) checkBill(loan, store);
  let records = 0;
  for (const [account, chain] of store.audit) {
    records += chain.length;
    const faults = verifyChain(chain, store.heads.get(account) ?? GENESIS, sha256Hex);
    invariant(faults.length === 0, `the chain of ${account} is whole`);
  }
  return records;
}
