import type { AccountId, EpochMillis, LoanId, PoolId } from '../units.ts';
import type { Loan, LoanState, Recall } from './loan.ts';

/** What both parties of a loan are told on the hub's bus. It carries nothing that one of them may not read. */
export interface LoanEvent {
  readonly detailType: `Entangle Loan ${string}`;
  readonly at: EpochMillis;
  readonly detail: {
    /** The same for each delivery of the event: the loan and its version. It may come more than once. */
    readonly eventId: string;
    readonly loanId: LoanId;
    /** Grows with each change of the loan: events may come out of order. */
    readonly version: number;
    readonly state: LoanState;
    readonly units: number;
    readonly borrowerPoolId: PoolId;
    readonly borrowerAccountId: AccountId;
    readonly lenderPoolId?: PoolId;
    readonly lenderAccountId?: AccountId;
    readonly dueAt?: EpochMillis;
    readonly recall?: Recall;
    /** In a sentence for people. */
    readonly reason?: string;
  };
}

/** The event of a loan as it stands after a change. */
export function loanEventOf(
  detailType: LoanEvent['detailType'],
  loan: Loan,
  at: EpochMillis,
  reason?: string,
): LoanEvent {
  const { loanId, version, state, units, borrowerPoolId, borrowerAccountId } = loan;
  const { lenderPoolId, lenderAccountId, dueAt, recall } = loan;
  return {
    detailType,
    at,
    detail: {
      eventId: `${loanId}#${version}`,
      loanId,
      version,
      state,
      units,
      borrowerPoolId,
      borrowerAccountId,
      ...(lenderPoolId === undefined ? {} : { lenderPoolId }),
      ...(lenderAccountId === undefined ? {} : { lenderAccountId }),
      ...(dueAt === undefined ? {} : { dueAt }),
      ...(recall === undefined ? {} : { recall }),
      ...(reason === undefined ? {} : { reason }),
    },
  };
}
