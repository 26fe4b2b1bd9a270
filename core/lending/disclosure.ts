import type { AccountId } from '../units.ts';
import { invariant } from '../units.ts';
import type { Loan, LoanMoves } from './loan.ts';

/**
 * Who may read each field of a loan: both parties, one of them, or (`borrower-metrics`) the borrower, and the lender where
 * the borrower's `dataAccess` lets it see what was derived from its metrics. A new field does not compile until it is here.
 */
const READERS = {
  loanId: 'both',
  version: 'both',
  state: 'both',
  kind: 'both',
  borrowerAccountId: 'both',
  borrowerPoolId: 'both',
  lenderAccountId: 'both',
  lenderPoolId: 'both',
  units: 'both',
  lenderUnits: 'both',
  lentReservation: 'both',
  lenderReservations: 'lender',
  launchTargetArn: 'borrower',
  request: 'borrower',
  waiting: 'borrower',
  bindingResource: 'borrower-metrics',
  startedBy: 'borrower',
  alarmName: 'borrower-metrics',
  alarmTransitionAt: 'borrower-metrics',
  forecastNeed: 'borrower',
  watchNeed: 'borrower',
  priceMicroUsdPerUnitHour: 'both',
  termSeconds: 'both',
  shortestTermSeconds: 'both',
  recallNoticeSeconds: 'both',
  recallableFromSeconds: 'both',
  recall: 'both',
  renewals: 'both',
  borrowerConsentVersion: 'borrower',
  lenderConsentVersion: 'lender',
  borrowerDataAccess: 'borrower',
  lenderDataAccess: 'lender',
  lenderLimits: 'lender',
  borrowerLimits: 'borrower',
  inServiceBefore: 'borrower',
  requestedAt: 'both',
  activeAt: 'both',
  dueAt: 'both',
  returnReason: 'both',
  endedAt: 'both',
  billedMicroUsd: 'both',
  endDetail: 'both',
  history: 'both',
} as const satisfies Record<
  Exclude<keyof Loan, 'moves' | 'reasons'>,
  'both' | 'borrower' | 'lender' | 'borrower-metrics'
>;

/** Whose group each move changes: its sizes are that account's. */
const MOVE_OWNERS = {
  take: 'lender',
  give: 'borrower',
  takeBack: 'borrower',
  giveBack: 'lender',
} as const satisfies Record<keyof LoanMoves, 'borrower' | 'lender'>;

type Field = keyof typeof READERS;
type SharedField = { [F in Field]: (typeof READERS)[F] extends 'both' ? F : never }[Field];

/** A loan as one of its parties may see it. */
export type LoanView = Pick<Loan, SharedField> &
  Partial<Pick<Loan, Exclude<Field, SharedField>>> & {
    /** The moves of the reader's own group. */
    readonly moves: LoanMoves;
    /** Those that the reader may read, for people. */
    readonly reasons: readonly string[];
  };

function picked<Whole extends object>(whole: Whole, wanted: (key: string) => boolean): Partial<Whole> {
  return Object.fromEntries(Object.entries(whole).filter(([key]) => wanted(key))) as Partial<Whole>;
}

/**
 * The loan as an account that is a party to it may see it: none of the other party's figures, and what was derived from
 * the other's metrics only where the other's consent had `dataAccess: 'metrics-only'` when the loan was reserved.
 * @throws InvariantViolation when the account is no party of the loan
 */
export function loanFor(account: AccountId, loan: Loan): LoanView {
  const borrows = account === loan.borrowerAccountId;
  invariant(borrows || account === loan.lenderAccountId, `${account} is a party of loan ${loan.loanId}`);
  const party = borrows ? 'borrower' : 'lender';
  const readsMetrics = (borrows ? loan.lenderDataAccess : loan.borrowerDataAccess) === 'metrics-only';
  const mayRead = (field: string): boolean => {
    const reader = (READERS as Readonly<Record<string, string | undefined>>)[field];
    return reader === 'both' || reader === party || (reader === 'borrower-metrics' && (borrows || readsMetrics));
  };
  const ownMove = (move: string) => (MOVE_OWNERS as Readonly<Record<string, string | undefined>>)[move] === party;
  return {
    ...(picked(loan, mayRead) as Pick<Loan, SharedField>),
    moves: picked(loan.moves, ownMove),
    reasons: loan.reasons
      .filter(({ onlyFor, fromMetrics }) => (onlyFor ?? account) === account && (fromMetrics !== true || readsMetrics))
      .map(({ text }) => text),
  };
}
