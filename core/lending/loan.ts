import type { ConsentTerms } from '../consent/consent.ts';
import type { NeedLevel } from '../forecast/pool-forecast.ts';
import type { AccountId, EpochMillis, LoanId, MicroUsd, PoolId, ResourceType } from '../units.ts';

/**
 * The states of a loan. Diagram: docs/architecture.md.
 *
 * requested → reserved → taken → given → active → returning → reclaimed → returned, or, from any state before `active`,
 * → failed (nothing had been moved) or → compensated (what had been moved was moved back); requested → refused.
 * A loan without a lender (provisioned from the borrower's own limit) skips `taken` and `reclaimed`.
 */
export const LOAN_STATES = [
  'requested',
  'reserved',
  'taken',
  'given',
  'active',
  'returning',
  'reclaimed',
  'returned',
  'refused',
  'failed',
  'compensated',
] as const;
export type LoanState = (typeof LOAN_STATES)[number];

/** Why a loan is given back, or why its making was undone. */
export type ReturnReason = 'expired' | 'recovered' | 'revoked' | 'requested-by-owner' | 'repair' | 'step-failed';

/** One change of an Auto Scaling group, decided before it is made: a crash between deciding and recording can be told apart. */
export interface CeilingMove {
  readonly fromMaxSize: number;
  readonly toMaxSize: number;
  readonly fromDesiredCapacity: number;
  readonly toDesiredCapacity: number;
  /** Given when `MinSize` has to go down with the ceiling. */
  readonly toMinSize?: number;
}

export interface LoanMoves {
  /** Lender's ceiling down. */
  readonly take?: CeilingMove;
  /** Borrower's ceiling and desired capacity up. */
  readonly give?: CeilingMove;
  /** Borrower's ceiling down. */
  readonly takeBack?: CeilingMove;
  /** Lender's ceiling up. */
  readonly giveBack?: CeilingMove;
}

/** Why something was decided, in a sentence for people. What a party is shown of them: disclosure.ts. */
export interface LoanReason {
  readonly text: string;
  /** The account whose figures the text carries: no other may read it. Absent: each party may. */
  readonly onlyFor?: AccountId;
  /** Derived from the metrics of both parties: each may read it when the other's `dataAccess` lets it. */
  readonly fromMetrics?: true;
}

/** What was forecast when a loan was asked for before any alarm. */
export interface ForecastNeed {
  /** The resource type most likely to reach its bottleneck. */
  readonly resource: ResourceType;
  /** Demand, in units, that counts as a bottleneck. */
  readonly thresholdUnits: number;
  /** Probability that demand reaches it before `beforeMillis`. */
  readonly probability: number;
  /** End of the time that was looked ahead. */
  readonly beforeMillis: EpochMillis;
  /** Units needed at the peak, at a level of the forecast. */
  readonly neededUnits: number;
  readonly needLevel: NeedLevel;
  /** End of the slot in which the most is needed: the loan is kept until then, however low demand is. */
  readonly peakEndMillis: EpochMillis;
}

/** One borrowing of capacity, from request to end. All of it is written in transactions conditional on `version`. */
export interface Loan {
  readonly loanId: LoanId;
  readonly version: number;
  readonly state: LoanState;
  /** `nominal`: a ceiling moves. `provisioned`: no lender, the borrower's own limit is used. */
  readonly kind: 'nominal' | 'provisioned';
  readonly borrowerAccountId: AccountId;
  readonly borrowerPoolId: PoolId;
  /** Absent while no lender is chosen and in provisioned loans. */
  readonly lenderAccountId?: AccountId;
  readonly lenderPoolId?: PoolId;
  /** Units of the borrower's: by as many its ceiling rises. */
  readonly units: number;
  /**
   * Units of the lender's that stand in for them, by as many its ceiling is lowered: `units × unit ratio`, rounded up to whole ones.
   * Absent: as many as `units`. Read it with `lenderUnitsOf`.
   */
  readonly lenderUnits?: number;
  /** The resource type that needs the most units. */
  readonly bindingResource: ResourceType;
  /** The execution that makes the loan: a second one for the same loan leaves it alone. */
  readonly startedBy: string;
  /** The alarm transition that asked for it, unless a forecast did. */
  readonly alarmName?: string;
  readonly alarmTransitionAt?: EpochMillis;
  /** The forecast that asked for it before an alarm could. */
  readonly forecastNeed?: ForecastNeed;
  /** Of a unit of the lender's. */
  readonly priceMicroUsdPerUnitHour: MicroUsd;
  readonly termSeconds: number;
  readonly shortestTermSeconds: number;
  readonly borrowerConsentVersion?: number;
  readonly lenderConsentVersion?: number;
  /** `dataAccess` of each party's consent when the loan was reserved. */
  readonly borrowerDataAccess?: ConsentTerms['dataAccess'];
  readonly lenderDataAccess?: ConsentTerms['dataAccess'];
  readonly moves: LoanMoves;
  /** In-service instances of the borrower before the loan: it is active when there are `units` more. */
  readonly inServiceBefore: number;
  readonly requestedAt: EpochMillis;
  readonly activeAt?: EpochMillis;
  /** When the term ends by our own clock. */
  readonly dueAt?: EpochMillis;
  readonly returnReason?: ReturnReason;
  readonly endedAt?: EpochMillis;
  /** Billed for the use between `activeAt` and the borrower's ceiling being down again. */
  readonly billedMicroUsd?: MicroUsd;
  /** Why it was refused, failed or compensated, in a sentence that carries no figure of another account than its readers'. */
  readonly endDetail?: string;
  /** Why it was asked for, why this lender was chosen and others were not, and what a failed step said. */
  readonly reasons: readonly LoanReason[];
  /** Every state with the moment it was entered, in order. */
  readonly history: readonly { readonly state: LoanState; readonly at: EpochMillis }[];
}

/** States in which a loan still holds, or may still hold, capacity or money. */
export const OPEN_STATES: readonly LoanState[] = [
  'requested',
  'reserved',
  'taken',
  'given',
  'active',
  'returning',
  'reclaimed',
];

/** Whether the loan still has to end. */
export function isOpen(loan: Pick<Loan, 'state'>): boolean {
  return OPEN_STATES.includes(loan.state);
}
