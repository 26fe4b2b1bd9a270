import type { ConsentTerms } from '../consent/consent.ts';
import type { ExpectedPeak } from '../forecast/expected-peaks.ts';
import { expectedPeaks } from '../forecast/expected-peaks.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import type { LoanSubstance } from '../pool.ts';
import type { AccountId, EpochMillis, MicroUsd, PoolId } from '../units.ts';
import type { Gate, GateRefusal } from './gates.ts';
import type { SavingInterval } from './savings.ts';
import type { ScoreParts } from './score.ts';

/** A pool that a borrower may turn to, with what speaks for it. */
export interface Partner {
  readonly lenderPoolId: PoolId;
  readonly lenderAccountId: AccountId;
  /** Higher is better; see planBucket for what it is made of. */
  readonly score: number;
  /** What the score is made of. */
  readonly scoreParts?: ScoreParts;
  /** Probability, 0 to 1, that the lender delivers what is expected of it; see outlook.ts. */
  readonly confidence: number;
  /** Mean units that the lender is expected to give in a slot in which any are. */
  readonly expectedUnits: number;
  /** What a loan moves; absent: nominal. */
  readonly substance?: LoanSubstance;
  /** The mean of `saving`. 0 for nominal loans: a moved ceiling saves no money. */
  readonly expectedSavingMicroUsd: MicroUsd;
  /** What both sides together save over the horizon of the forecast. */
  readonly saving?: SavingInterval;
  /** What enrolling states about both pools. */
  readonly reasons: readonly string[];
  /** What the forecasts of both pools say. */
  readonly metricReasons: readonly string[];
  /** Whether the borrower may be shown what was derived from the lender's metrics. */
  readonly lenderDataAccess: ConsentTerms['dataAccess'];
}

/** A pool that a borrower may not turn to, with the first reason. */
export interface RefusedPartner extends GateRefusal {
  readonly lenderPoolId: PoolId;
}

/** What is planned for one pool as a borrower. */
export interface PoolPlan {
  readonly poolId: PoolId;
  readonly plannedAt: EpochMillis;
  /** Absent: the pool has no forecast yet. */
  readonly forecast?: PoolForecast;
  /** Best first. */
  readonly partners: readonly Partner[];
  /** The first few by pool id. */
  readonly refused: readonly RefusedPartner[];
  /** All that were refused, also those that are not listed. */
  readonly refusedCount: number;
  /** The same by the gate that refuses. */
  readonly refusedByGate?: Readonly<Partial<Record<Gate, number>>>;
  /** Trust score, 0 to 1, of the pool's own account when it was planned; absent: not looked at. */
  readonly trust?: number;
}

/** A partner as the borrower may see it: what was derived from the lender's metrics only where the lender's consent lets it. */
export type PartnerView = Pick<Partner, 'lenderPoolId' | 'lenderAccountId' | 'substance' | 'reasons'> &
  Partial<Pick<Partner, 'score' | 'scoreParts' | 'confidence' | 'expectedUnits' | 'expectedSavingMicroUsd' | 'saving'>>;

/** A plan as the account of its pool may see it. */
export type PlanView = Omit<PoolPlan, 'partners'> & {
  readonly partners: readonly PartnerView[];
  /** Where the forecast needs the most, the earliest first. */
  readonly expectedPeaks: readonly ExpectedPeak[];
};

/** Peaks that a plan shows: with a forecast of two days, both days' and one more. */
const PEAKS_SHOWN = 3;

function partnerForBorrower(partner: Partner): PartnerView {
  const { metricReasons, lenderDataAccess, reasons, ...figures } = partner;
  if (lenderDataAccess === 'metrics-only') return { ...figures, reasons: [...metricReasons, ...reasons] };
  const { lenderPoolId, lenderAccountId, substance, expectedSavingMicroUsd } = partner;
  return {
    lenderPoolId,
    lenderAccountId,
    ...(substance === undefined ? {} : { substance }),
    // That a nominal loan saves nothing says nothing of the lender; what a physical one saves comes from its need.
    ...(substance === 'physical' ? {} : { expectedSavingMicroUsd }),
    reasons,
  };
}

/** The plan as it is shown to the borrower whose it is. */
export function planForBorrower(plan: PoolPlan): PlanView {
  return {
    ...plan,
    partners: plan.partners.map(partnerForBorrower),
    expectedPeaks: plan.forecast === undefined ? [] : expectedPeaks(plan.forecast, PEAKS_SHOWN),
  };
}
