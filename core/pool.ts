import type { NeedLevel } from './forecast/pool-forecast.ts';
import type { UnitLimits } from './unit-limits.ts';
import type { AccountId, EpochMillis, MicroUsd, PoolId, ResourceType } from './units.ts';

/** How the owner pays for capacity; it decides whether lending it saves money. */
export type CommitmentKind = 'capacity-reservation' | 'reserved-instance' | 'savings-plan';

export interface Commitment {
  readonly kind: CommitmentKind;
  readonly units: number;
  /**
   * Of a Reserved Instance or a Savings Plan: whether its discount applies to the borrower's instances while the owner does not
   * use it; absent: no. Where discount sharing is on, AWS passes the discount on by itself and lending adds nothing.
   */
  readonly discountFollowsLoan?: boolean;
}

/** What a loan from a pool moves: reserved capacity itself, or the ceiling (`MaxSize`) of a group. */
export type LoanSubstance = 'physical' | 'nominal';

/** How far a group's instances are kept apart from other customers', weakest first. */
export const ISOLATION_LEVELS = ['virtualised', 'nitro', 'dedicated-instance', 'dedicated-host'] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];

/** What an owner would do about a shortage if nobody lent: what savings are counted against. */
export type Counterfactual = 'on-demand' | 'own-reservation' | 'no-capacity';

/** Where one resource type of a group is measured, and what one instance supplies of it. */
export interface ResourceMetric {
  readonly namespace: string;
  readonly metricName: string;
  readonly statistic: 'Average' | 'Maximum' | 'Sum';
  /** The metric's value when one instance is fully used, in the metric's own unit (100 for a percentage). */
  readonly fullUsePerUnit: number;
  /** Utilisation (% of `fullUsePerUnit`) at or above which the alarm fires. */
  readonly thresholdPercent: number;
  /** Utilisation (%) that own capacity must not pass for a loan to count as no longer needed; below the threshold. */
  readonly recoveryPercent: number;
}

/** A metric of the application that demand follows or goes along with: requests, latency, the length of a queue. */
export interface ApplicationMetric {
  /** What the forecast calls it. */
  readonly name: string;
  readonly namespace: string;
  readonly metricName: string;
  /** Dimensions by name, all that the metric has. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: 'Average' | 'Maximum' | 'Minimum' | 'Sum' | 'SampleCount';
}

/** Borrowing before an alarm goes off, because a bottleneck is forecast. */
export interface BorrowAhead {
  /** Probability (above 0, at most 1) of a bottleneck within the time looked ahead, at or above which a loan is asked for. */
  readonly atProbability: number;
  /** How far is looked ahead; at least as long as instances take to be in service. */
  readonly aheadSeconds: number;
  /** Quantile of the forecast need by which such a loan is sized: the higher, the more the application matters. */
  readonly needLevel: NeedLevel;
}

/** Borrowing because demand rises so fast that it will cross what the pool has before instances could be in service. */
export interface TrendWatch {
  /** How long instances take to be in service. */
  readonly withinSeconds: number;
  /** Newest samples that the trend is estimated from, one an alarm period; at least 5. */
  readonly samples: number;
}

/** Borrowing because demand is above what is usual at this time. */
export interface AnomalyWatch {
  /** How long demand is taken to stay as much above what is usual. */
  readonly withinSeconds: number;
  /** Newest samples of which each has to be unusual. */
  readonly samples: number;
  /** Robust standard deviations above the median of earlier seasons that are unusual; where there is a forecast, its 95 % interval says. */
  readonly score: number;
}

/** What enrolling states about one Auto Scaling group. It grants nothing: lending and borrowing need a consent. */
export interface PoolSpec {
  readonly poolId: PoolId;
  readonly accountId: AccountId;
  readonly region: string;
  readonly groupName: string;
  /** The application that runs on the group; consents allow or refuse by it. */
  readonly application: string;
  readonly azIds: readonly string[];
  readonly instanceType: string;
  readonly platform: string;
  readonly tenancy: 'default' | 'dedicated';
  readonly storageType: string;
  readonly networkGbps: number;
  /** vCPUs that one instance counts in EC2's quotas; absent: quotas are not looked at. */
  readonly vcpusPerUnit?: number;
  readonly commitments: readonly Commitment[];
  /** Absent: nominal. */
  readonly lendsAs?: LoanSubstance;
  /** Whether the group's instances go into Capacity Reservations that are shared with its account; absent: no. */
  readonly launchesIntoReservations?: boolean;
  /** Whether every volume of the group is encrypted; absent: not stated, which counts as no. */
  readonly encryptedAtRest?: boolean;
  /** Absent: `dedicated-instance` with dedicated tenancy, else `virtualised`. */
  readonly isolation?: IsolationLevel;
  /** Absent: on demand where `provisioningLimitUnits` allows it, else no capacity. */
  readonly withoutLending?: Counterfactual;
  /** Units the owner keeps idle above need, whatever is lent. */
  readonly reserveUnits: number;
  /** Units that may be provisioned above the owned ceiling when no partner can lend. */
  readonly provisioningLimitUnits: number;
  /** What one more unit costs without lending. */
  readonly onDemandMicroUsdPerUnitHour: MicroUsd;
  /** Period of the threshold alarms; current demand is read at the same resolution. */
  readonly alarmPeriodSeconds: number;
  /** Step of the demand history and of the forecast. */
  readonly historyStepSeconds: number;
  /** Steps after which demand repeats itself, shortest first, e.g. 288 five-minute steps = one day. */
  readonly seasonSteps: readonly number[];
  /** The pause after a refusal or a return before the pool may ask again. */
  readonly coolDownSeconds: number;
  /** Metrics that are collected beside demand and given to the forecast; absent: none. */
  readonly applicationMetrics?: readonly ApplicationMetric[];
  /** Beside those of the account's consent; absent: none. */
  readonly limits?: UnitLimits;
  /** Absent: only an alarm borrows. */
  readonly borrowAhead?: BorrowAhead;
  /** What of its demand is watched besides the threshold; absent: nothing. */
  readonly watch?: { readonly trend?: TrendWatch; readonly anomaly?: AnomalyWatch };
  readonly resources: Readonly<Partial<Record<ResourceType, ResourceMetric>>>;
}

/** Why a pool takes part in no loan whose group has a predictive scaling policy that raises its own ceiling. */
export const RAISES_OWN_CEILING =
  'a predictive scaling policy of its group may raise MaxSize by itself (MaxCapacityBreachBehavior IncreaseMaxCapacity): expected HonorMaxCapacity';

/**
 * A pool with what is promised from it and to it.
 *
 * `ceilingUnits = ownedUnits − lentUnits + borrowedUnits + provisionedUnits` is the `MaxSize` that the group has when
 * nobody else changes it. The four counters change only inside the transactions of a loan.
 */
export interface Pool {
  readonly spec: PoolSpec;
  /** The ceiling (`MaxSize`) that belongs to the owner, read when the pool was enrolled. */
  readonly ownedUnits: number;
  readonly lentUnits: number;
  readonly borrowedUnits: number;
  readonly provisionedUnits: number;
  /** Rises with every change; the condition of every write. */
  readonly version: number;
  /** The loan that is moving this pool's ceiling at the moment: one at a time, so that no two moves overwrite each other. */
  readonly movingLoanId?: string;
  /** The request that waits for this pool: one at a time. */
  readonly waitingLoanId?: string;
  /** No new request before this moment. */
  readonly coolDownUntil?: EpochMillis;
  /** No new request by a forecast before this moment: one was refused, which keeps no alarm from asking. */
  readonly aheadAgainAt?: EpochMillis;
  /** Lenders that recalled a loan of this pool, each with the moment before which none is made with it again. */
  readonly partnerCoolDowns?: Readonly<Record<PoolId, EpochMillis>>;
  /** It has recalled units for itself and lends none before this moment. */
  readonly lendAgainAt?: EpochMillis;
  /**
   * By how much `MaxSize` is above (below: less than 0) the ceiling that the counters say, through its owner: before its loans, or during
   * them where that leaves them whole. Absent: not known.
   */
  readonly ceilingDriftUnits?: number;
  /** Whether a scaling policy of its group was found to raise `MaxSize` by itself; absent: none was. */
  readonly raisesOwnCeiling?: true;
}

/** The isolation of a pool's instances, as stated or as its tenancy implies. */
export function isolationOf(spec: Pick<PoolSpec, 'isolation' | 'tenancy'>): IsolationLevel {
  return spec.isolation ?? (spec.tenancy === 'dedicated' ? 'dedicated-instance' : 'virtualised');
}

/** The ceiling that the group is expected to have. */
export function ceilingUnits(pool: Pool): number {
  return pool.ownedUnits - pool.lentUnits + pool.borrowedUnits + pool.provisionedUnits;
}

/** The `MaxSize` that the loans of a pool have left its group with, with what its owner is known to have changed. */
export function expectedMaxSize(pool: Pool): number {
  return ceilingUnits(pool) + (pool.ceilingDriftUnits ?? 0);
}

/** What `DescribeAutoScalingGroups` says of a group now. */
export interface GroupObservation {
  readonly minSize: number;
  readonly desiredCapacity: number;
  /** `MaxSize`. */
  readonly maxSize: number;
  /** Instances in the lifecycle state InService. */
  readonly inServiceUnits: number;
  /** Instances in any state that still occupies capacity (Pending, InService, Standby, Terminating …). */
  readonly occupiedUnits: number;
  /** Tagged `entangle:lending=enabled` by its owner. */
  readonly lendingEnabled: boolean;
  /** Values of its tags `entangle:sla-tier` and `entangle:criticality`; absent: it has none. */
  readonly slaTierTag?: string;
  readonly criticalityTag?: string;
  readonly observedAt: EpochMillis;
}
