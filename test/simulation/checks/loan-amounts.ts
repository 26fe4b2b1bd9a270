/** What a loan counts for, read from the loan itself. */
import type { Loan } from '../../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../../core/lending/loan-units.ts';
import type { LoanDirection } from '../../../core/unit-limits.ts';
import type { EpochMillis } from '../../../core/units.ts';

const SECOND_MILLIS = 1_000;

export function unitsIn(direction: LoanDirection, loan: Loan): number {
  return direction === 'lend' ? lenderUnitsOf(loan) : loan.units;
}

export function momentOf(loan: Loan, state: string): EpochMillis | undefined {
  return loan.history.find((entry) => entry.state === state)?.at;
}

/** Until its end a loan counts with its whole term, then with what was used of it. */
export function secondsOf(loan: Loan): number {
  if (loan.endedAt === undefined) return loan.termSeconds;
  if (loan.activeAt === undefined) return 0;
  const used = ((momentOf(loan, 'reclaimed') ?? loan.endedAt) - loan.activeAt) / SECOND_MILLIS;
  return Math.min(loan.termSeconds, Math.floor(used));
}
