import type { Criticality, SlaTier } from '../allocation/priority.ts';
import type { ConsentTerms } from '../consent/consent.ts';
import type { NeedLevel } from '../forecast/pool-forecast.ts';
import type { AccountId, EpochMillis, LoanId, MicroUsd, PoolId, ResourceType } from '../units.ts';
import type { AppliedLimit } from './limits.ts';
import type { LenderReservations, LentReservation } from './physical.ts';

/**
 * The states of a loan. Diagram: docs/architecture.md.
 *
 * requested → reserved → taken → given → active → returning → reclaimed → returned, or, from any state before `active`,
 * → failed (nothing had been moved) or → compensated (what had been moved was moved back); requested → refused.
 * `recalled` stands between active and returning when somebody else than the borrower asks for the loan; `draining` between
 * returning and reclaimed when instances do not go at once: the borrower's ceiling is down, and its pool may move for others.
 * `waiting` stands between requested and reserved when nobody can lend enough and the borrower would rather wait: requested → waiting →
 * reserved, refused or cancelled (by its borrower, also from requested).
 * A loan without a lender (provisioned from the borrower's own limit) skips `taken` and `reclaimed`.
 */
export const LOAN_STATES = [
  'requested',
  'waiting',
  'reserved',
  'taken',
  'given',
  'active',
  'recalled',
  'returning',
  'draining',
  'reclaimed',
  'returned',
  'refused',
  'cancelled',
  'failed',
  'compensated',
] as const;
export type LoanState = (typeof LOAN_STATES)[number];

/** Why a loan is given back, or why its making was undone. */
export type ReturnReason =
  | 'expired'
  | 'recovered'
  | 'recalled'
  | 'revoked'
  | 'requested-by-owner'
  | 'below-minimum'
  | 'repair'
  | 'step-failed';

/** Who may ask for an active loan to come back before its term is over, besides its borrower. */
export const RECALLERS = [
  'lender-alarm',
  'lender-forecast',
  'lender-operator',
  'higher-tier',
  'consent-revoked',
  'kill-switch',
  'foreign-change',
] as const;
export type RecallBy = (typeof RECALLERS)[number];

/** A loan that was asked back. */
export interface Recall {
  readonly by: RecallBy;
  /** In a sentence that both parties read: it carries no figure of either. */
  readonly reason: string;
  readonly askedAt: EpochMillis;
  /** The request for which it is recalled, of a higher tier. */
  readonly heldFor?: LoanId;
  /** Until then instances that are protected from scale-in, or wait in a termination hook, stay; not longer. */
  readonly firmAt: EpochMillis;
}

/** A term that was made longer. */
export interface Renewal {
  readonly at: EpochMillis;
  /** The end of the term before. */
  readonly fromDueAt: EpochMillis;
  readonly addedSeconds: number;
}

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

/** What demand did when a loan was asked for because of its course, before any alarm. */
export interface WatchNeed {
  /** `trend`: it rose towards more than the pool had. `anomaly`: it was above what is usual at that time. */
  readonly kind: 'trend' | 'anomaly';
  /** The resource type that needs the most units. */
  readonly resource: ResourceType;
  readonly neededUnits: number;
  /** By when they are needed: the loan is kept until then, however low demand is. */
  readonly beforeMillis: EpochMillis;
  readonly reason: string;
}

/** What the loans that fill one need share, and which of them this is. */
export interface RequestPart {
  /** Id of the first of them. */
  readonly requestId: LoanId;
  /** 1 for the first. */
  readonly part: number;
  /** Units of the borrower's that were missing when it was asked. */
  readonly wantedUnits: number;
  /** The fewest of them that are worth having: with less, what was made is given back. */
  readonly minimumUnits: number;
  /** The ceiling at which nothing is missing any more. */
  readonly ceilingUnits: number;
  /** 1 (highest) to 5, as the group's tag states and the operator allows it to its account. */
  readonly slaTier: SlaTier;
  /** As the group's tag states. */
  readonly criticality: Criticality;
}

/** A request in the queue. */
export interface Waiting {
  readonly since: EpochMillis;
  /** It is refused then. */
  readonly until: EpochMillis;
  /** Pools that it may borrow from. */
  readonly lenderPoolIds: readonly PoolId[];
}

/** One borrowing of capacity, from request to end. All of it is written in transactions conditional on `version`. */
export interface Loan {
  readonly loanId: LoanId;
  readonly version: number;
  readonly state: LoanState;
  /** `nominal`: a ceiling moves. `physical`: reserved capacity moves too. `provisioned`: no lender, the borrower's own limit is used. */
  readonly kind: 'nominal' | 'physical' | 'provisioned';
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
  /** Absent: the loan is a request of its own, for all of its units. */
  readonly request?: RequestPart;
  /** While it waits, and afterwards how long it may have waited. */
  readonly waiting?: Waiting;
  /** The execution that makes the loan: a second one for the same loan leaves it alone. */
  readonly startedBy: string;
  /** The alarm transition that asked for it, unless a forecast did. */
  readonly alarmName?: string;
  readonly alarmTransitionAt?: EpochMillis;
  /** The forecast that asked for it before an alarm could. */
  readonly forecastNeed?: ForecastNeed;
  /** The course of demand that asked for it. */
  readonly watchNeed?: WatchNeed;
  /** Of a unit of the lender's. */
  readonly priceMicroUsdPerUnitHour: MicroUsd;
  /** Of the whole term, with what renewals have added. */
  readonly termSeconds: number;
  readonly shortestTermSeconds: number;
  /** Notice that the lender promised; absent: none. */
  readonly recallNoticeSeconds?: number;
  /** From when, after it became active, the lender may recall it for a forecast or by hand; absent: from `shortestTermSeconds`. */
  readonly recallableFromSeconds?: number;
  readonly recall?: Recall;
  readonly renewals?: readonly Renewal[];
  readonly borrowerConsentVersion?: number;
  readonly lenderConsentVersion?: number;
  /** `dataAccess` of each party's consent when the loan was reserved. */
  readonly borrowerDataAccess?: ConsentTerms['dataAccess'];
  readonly lenderDataAccess?: ConsentTerms['dataAccess'];
  /** Limits beside the consents' that it counts against, as they were when it was reserved. Absent: none. */
  readonly lenderLimits?: readonly AppliedLimit[];
  readonly borrowerLimits?: readonly AppliedLimit[];
  readonly moves: LoanMoves;
  /** Of a physical loan that was taken: what the borrower launches into. */
  readonly lentReservation?: LentReservation;
  /** Of a physical loan that was given: the resource group of the borrower's that what is lent was put into. */
  readonly launchTargetArn?: string;
  /** Of a physical loan that was taken: where its capacity came from. */
  readonly lenderReservations?: LenderReservations;
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
  'waiting',
  'reserved',
  'taken',
  'given',
  'active',
  'recalled',
  'returning',
  'draining',
  'reclaimed',
];

/** Whether the loan is still a request: nothing is reserved for it. */
export function isAsked(loan: Pick<Loan, 'state'>): boolean {
  return loan.state === 'requested' || loan.state === 'waiting';
}

/** Whether the loan still has to end. */
export function isOpen(loan: Pick<Loan, 'state'>): boolean {
  return OPEN_STATES.includes(loan.state);
}

/** States of a loan that was active, or almost, and is on its way back. */
export const RETURNING_STATES: readonly LoanState[] = ['recalled', 'returning', 'draining', 'reclaimed'];
