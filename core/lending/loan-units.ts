import type { Loan } from './loan.ts';

/** Units by which a loan lowers the lender's ceiling. A loan that does not state them takes as many as the borrower gets. */
export function lenderUnitsOf(loan: Pick<Loan, 'units' | 'lenderUnits'>): number {
  return loan.lenderUnits ?? loan.units;
}
