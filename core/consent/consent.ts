import type { NeedLevel } from '../forecast/pool-forecast.ts';
import type { IsolationLevel } from '../pool.ts';
import type { AccountId, EpochMillis, MicroUsd } from '../units.ts';

/** Hours of the week in UTC in which a consent applies; an empty list of windows means always. */
export interface ConsentWindow {
  /** 0 = Sunday … 6 = Saturday. */
  readonly daysOfWeek: readonly number[];
  /** Seconds after 00:00 UTC, from (inclusive). */
  readonly fromSecondOfDay: number;
  /** Seconds after 00:00 UTC, to (exclusive); smaller than `from` wraps past midnight. */
  readonly toSecondOfDay: number;
}

/** What one direction of a consent allows at most. */
export interface UsageLimits {
  /** Units out (lend) or in (borrow) at any moment, over all pools of the account. */
  readonly maxUnits: number;
  /** Share of a pool's owned units, in percent, that may be lent from it (at most 100) or borrowed into it (also more). */
  readonly maxSharePercent: number;
  /** Unit-hours a calendar month (UTC), counted at the loan's full term when it is reserved, trued down when it ends. */
  readonly maxUnitHoursPerMonth: number;
}

/** Instances of another type that a borrower's application can run on as well. */
export interface InstanceSubstitution {
  /** Instance type of the borrower's pool. */
  readonly from: string;
  /** Instance type of the lender's pool. */
  readonly to: string;
  /** Units of `to` that stand in for one unit of `from`: 2 when `to` is half as large. */
  readonly unitRatio: number;
}

/** The least of a need that is worth having: the larger of both, rounded up to whole units. */
export interface FillMinimum {
  readonly minimumUnits?: number;
  readonly minimumSharePercent?: number;
}

/** The terms an account agrees to. Absent direction = not agreed to. */
export interface ConsentTerms {
  readonly lend?: UsageLimits & {
    /** The least the lender accepts. */
    readonly minPriceMicroUsdPerUnitHour: MicroUsd;
    /** Notice the lender promises before it recalls. */
    readonly recallNoticeSeconds: number;
    /** Whether a loan may be recalled for a request of a higher tier; absent: never. */
    readonly preemption?: 'never' | 'lower-tier';
    /** How long a loan is left alone before it may be recalled for a forecast or by hand; absent: its shortest term. */
    readonly recallableFromSeconds?: number;
  };
  readonly borrow?: UsageLimits & {
    /** The most the borrower pays. */
    readonly maxPriceMicroUsdPerUnitHour: MicroUsd;
    /** Shortest recall notice that the borrower can live with. */
    readonly minRecallNoticeSeconds: number;
    /** The highest quantile of forecast need by which a loan before an alarm may be sized; absent: any. */
    readonly maxNeedLevel?: NeedLevel;
    /** Absent: instances of the pool's own type only. */
    readonly substitutions?: readonly InstanceSubstitution[];
    /** The least of a need that is worth having when all of it cannot be had; absent: all of it. */
    readonly fill?: FillMinimum;
    /** Whether what is borrowed may be recalled for a request of a higher tier; absent: never. */
    readonly preemption?: 'never' | 'lower-tier';
  };
  /** Pools by Auto Scaling group name; empty = all enrolled pools of the account. */
  readonly groupNames: readonly string[];
  /** Applications of the borrower that may run on lent capacity (lender), or that may borrow (borrower); empty = all. */
  readonly allowedApplications: readonly string[];
  readonly allowedCounterparties: readonly AccountId[];
  readonly deniedCounterparties: readonly AccountId[];
  /**
   * What this account lets its counterparties be shown besides the loan itself. No loan moves data, whatever stands here.
   *
   * - `none`: the loan itself only: its id, pools, kind, states with their moments, units, term, price and bill, and why it ended.
   * - `metrics-only`: also what was derived from this account's metrics: how its forecast goes together with the
   *   counterparty's (score, confidence, coverage, peaks, expected units) and, when it borrows, the resource type and the
   *   alarm that asked.
   *
   * Neither shows the metrics themselves, sizes of groups, or a consent's limits and prices. A loan keeps what stood here
   * when it was reserved, a plan what stood here when it was made.
   */
  readonly dataAccess: 'none' | 'metrics-only';
  /** Regions in which capacity may be lent or used (residency); empty = all. */
  readonly regions: readonly string[];
  /** Isolation required of the counterparty's hosts. */
  readonly requiredTenancy: 'any' | 'dedicated';
  /** Required of the counterparty's volumes; absent: any. */
  readonly requiredEncryption?: 'any' | 'at-rest';
  /** The weakest isolation accepted of the counterparty's instances; absent: any. */
  readonly requiredIsolation?: IsolationLevel;
  /** Longest acceptable network latency between lender's and borrower's place. */
  readonly maxLatencyMillis: number;
  /** Whether a nominal loan may reach over regions, within `regions` and `maxLatencyMillis`; absent: refused. */
  readonly otherRegions?: 'refuse' | 'accept';
  /** The least trust, 0 to 1, required of a counterparty; absent: as trust.ts says. */
  readonly trustFloor?: number;
  /** Lenders, and where stated also borrowers, that each pool of the account is paired with at most; absent: as preferences.ts says. */
  readonly maxPartners?: number;
  /**
   * Accounts, this one among them, of a circle that a pool of the account joins at most, 2 to 16: its members all lend to each
   * other, beyond `maxPartners`. Absent: no pool of the account is in a circle.
   */
  readonly maxCircleAccounts?: number;
  /** Whether this consent accepts pairings by itself (`standing`) or the account each one (`explicit`); absent: standing. */
  readonly pairingAcceptance?: 'standing' | 'explicit';
  readonly windows: readonly ConsentWindow[];
  readonly shortestTermSeconds: number;
  /** Of a loan in all, renewals included. */
  readonly longestTermSeconds: number;
  /** Whether a loan that is still needed may be made longer, up to `longestTermSeconds`; absent: it may. */
  readonly renewable?: boolean;
  /** When no partner can lend, or not enough: provision within the pool's limit, refuse, or wait for one that can. */
  readonly whenNoPartner: 'provision' | 'refuse' | 'wait';
  /** With `wait`: how long; absent: an hour. */
  readonly waitAtMostSeconds?: number;
  readonly validUntil?: EpochMillis;
}

/** Terms that leave open for which pools and applications, with whom, where and when; nothing is shown but the loan itself. */
export const UNRESTRICTED = {
  groupNames: [],
  allowedApplications: [],
  allowedCounterparties: [],
  deniedCounterparties: [],
  dataAccess: 'none',
  regions: [],
  requiredTenancy: 'any',
  windows: [],
} as const satisfies Partial<ConsentTerms>;

/** One version of an account's consent, made by that account's own identity. */
export interface Consent {
  readonly accountId: AccountId;
  readonly version: number;
  readonly status: 'active' | 'revoked';
  readonly terms: ConsentTerms;
  /** ARN of the principal that made this version. */
  readonly madeBy: string;
  readonly madeAt: EpochMillis;
}

/** What is used under a consent. Counted apart from the terms so that a new version does not reset it. */
export interface ConsentUsage {
  readonly accountId: AccountId;
  readonly lentUnits: number;
  readonly borrowedUnits: number;
  /** Unit-seconds by calendar month (`YYYY-MM`, UTC): the full term when reserved, trued down when the loan ends. */
  readonly lentUnitSeconds: Readonly<Record<string, number>>;
  readonly borrowedUnitSeconds: Readonly<Record<string, number>>;
  /**
   * What loans that have ended made of the account's credits, in unit-seconds of the lenders by the month of their end: above 0
   * where it lent, below 0 where it borrowed. Absent: none has. Read it with `creditsOf`.
   */
  readonly creditUnitSeconds?: Readonly<Record<string, number>>;
}
