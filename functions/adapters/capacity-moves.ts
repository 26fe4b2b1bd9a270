import type { Loan } from '../../core/lending/loan.ts';
import type { LoanReservations } from '../../core/lending/physical.ts';
import type { PoolSpec } from '../../core/pool.ts';

/** The parties of a loan, as far as moving capacity between them needs them. */
export interface LendingParties {
  readonly loan: Pick<Loan, 'loanId' | 'units' | 'lentReservation' | 'lenderReservations' | 'launchTargetArn'>;
  readonly lender: PoolSpec;
  readonly borrower: PoolSpec;
}

/**
 * What a loan moves besides the ceilings of the two groups, for each kind of loan. Every step can be repeated, and the steps back
 * may follow wherever the steps out have stopped.
 */
export interface CapacityMoves {
  /**
   * After the lender's ceiling went down: the capacity is the borrower's account's to use.
   * @returns what was moved, to be kept with the loan; undefined when the ceiling is all there is
   * @throws ReservationPending while AWS is at it, CannotLend when there is nothing to lend, and AWS's errors by their names
   */
  lend(parties: LendingParties): Promise<LoanReservations | undefined>;
  /**
   * Before the borrower's ceiling goes up: its group launches into what was lent.
   * @returns the resource group that it was put into, to be kept with the loan; undefined when there is none
   * @throws ReservationPending while AWS is at it, CannotBorrow when the group is not prepared for it
   */
  admit(parties: LendingParties): Promise<string | undefined>;
  /** After the borrower's ceiling went down: nothing is launched into it any more. */
  dismiss(parties: LendingParties): Promise<void>;
  /**
   * Once the borrower's surplus instances are gone, or have to go: asks for the capacity back.
   * @returns undefined when all of it is back, else what is still missing
   */
  reclaim(parties: LendingParties): Promise<string | undefined>;
  /** Before the lender's ceiling goes up: everything in the lender's account is as it was before the loan. */
  restore(parties: LendingParties): Promise<void>;
}

/** AWS has begun what was asked for and has not ended it; the step is tried again a little later. */
export class ReservationPending extends Error {
  override readonly name = 'ReservationPending';
}
/** The lender has no reservation with so many unused instances. */
export class CannotLend extends Error {
  override readonly name = 'CannotLend';
}
/** The borrower's group does not launch into reservations that are shared with it. */
export class CannotBorrow extends Error {
  override readonly name = 'CannotBorrow';
}

/** A loan of a ceiling: the group's size is all that moves. */
export const nominalMoves: CapacityMoves = {
  lend: async () => undefined,
  admit: async () => undefined,
  dismiss: async () => undefined,
  reclaim: async () => undefined,
  restore: async () => undefined,
};
