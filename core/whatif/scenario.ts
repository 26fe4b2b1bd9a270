import type { Criticality, OrderRule, SlaTier } from '../allocation/priority.ts';
import { DEFAULT_ORDER_RULES } from '../allocation/priority.ts';
import { HARM_TARGET } from '../lending/harm.ts';
import { LEND_RISK, RECALL_RISK_SHARE, SPARE_PER_UNIT, START_UP_SECONDS } from '../lending/outlook-rules.ts';

/** What is assumed of a replay. Times are in seconds, shares from 0 to 1 unless a name says percent. */
export interface Scenario {
  /** How long demand is above the ceiling before a loan is asked for. */
  readonly alarmSeconds: number;
  /** From the request until borrowed units are in service. */
  readonly startUpSeconds: number;
  /** From a recall until the lender has its units again, at least; a longer notice in its consent counts. */
  readonly recallSeconds: number;
  /** No loan is made for less, and no borrower gives one back earlier. */
  readonly shortestLoanSeconds: number;
  /** Before this age a loan is recalled only once its lender is short. */
  readonly recallableFromSeconds: number;
  /** Share of what it owns that a lender keeps above its own forecast. */
  readonly floorPercent: number;
  /** Share of what it owns that a pool lends at most. */
  readonly maxLentPercent: number;
  /** `short-term`: made anew at each step. `profile`: a quantile of each time of day. `perfect`: the future is known. */
  readonly forecast: 'short-term' | 'profile' | 'perfect';
  /** Quantile of the profile. */
  readonly profileQuantile: number;
  /** Probability at which a lender's need may pass what it keeps, where `harmTarget` does not change it. */
  readonly lendRisk: number;
  /** The risk at which a loan is recalled, as a share of the risk at which it is made. */
  readonly recallRiskShare: number;
  /** Harm, as a share of the unit-hours lent: above it a lender takes less risk, below it more; 0: risks stay as they are. */
  readonly harmTarget: number;
  /** Borrowing by forecast, from what is left when all alarms have been served; absent: by alarm only. */
  readonly borrowAhead?: BorrowAheadRule;
  /** Who may lend to whom: all that consents allow, or within circles only. */
  readonly partners: 'any' | 'circles';
  readonly circleSize: number;
  /** How often circles are planned, and from how much of the past. */
  readonly replanSeconds: number;
  readonly planFromSeconds: number;
  /** Who comes first. */
  readonly orderRules: readonly OrderRule[];
  readonly slaTiers: Readonly<Record<string, SlaTier>>;
  readonly criticalities: Readonly<Record<string, Criticality>>;
  /** The weeks before the measured ones, at most half of the trace. */
  readonly trainingSeconds: number;
  /** What a pool owns is this percentile of its training weeks; absent: what the fleet says. */
  readonly commitmentPercentile?: number;
  /** Whether the usage that consents allow at most limits loans, or is left out to see what it costs. */
  readonly usageLimits: 'kept' | 'ignored';
  /** Whether only whole units are lent; absent: unless a pool owns parts of units. */
  readonly wholeUnits?: boolean;
  /** Decides which of lenders that have the same to lend comes first. */
  readonly seed: number;
}

/** A pool asks for its forecast need when a bottleneck is likely and much is left over. */
export interface BorrowAheadRule {
  /** Probability of a bottleneck within the start-up time from which a loan is asked for. */
  readonly atProbability: number;
  /** Quantile of the need over the shortest loan by which it is sized. */
  readonly needLevel: number;
  /** Units that must be left for each unit asked for so. */
  readonly sparePerUnit: number;
}

const SECONDS_A_WEEK = 604_800;

/** What holds where a scenario says nothing. */
export const DEFAULT_SCENARIO: Scenario = {
  alarmSeconds: 600,
  startUpSeconds: START_UP_SECONDS,
  recallSeconds: 300,
  shortestLoanSeconds: 3_600,
  recallableFromSeconds: 0,
  floorPercent: 5,
  maxLentPercent: 50,
  forecast: 'short-term',
  profileQuantile: 0.9,
  lendRisk: LEND_RISK,
  recallRiskShare: RECALL_RISK_SHARE,
  harmTarget: HARM_TARGET,
  borrowAhead: { atProbability: 0.3, needLevel: 0.9, sparePerUnit: SPARE_PER_UNIT },
  partners: 'any',
  circleSize: 16,
  replanSeconds: 21_600,
  planFromSeconds: 86_400,
  orderRules: DEFAULT_ORDER_RULES,
  slaTiers: {},
  criticalities: {},
  trainingSeconds: 4 * SECONDS_A_WEEK,
  usageLimits: 'kept',
  seed: 1,
};

/** A scenario in steps of a trace. */
export interface StepTimes {
  readonly alarmSteps: number;
  readonly startUpSteps: number;
  readonly recallSteps: number;
  readonly shortestLoanSteps: number;
  readonly recallableFromSteps: number;
  readonly replanSteps: number;
  readonly planFromSteps: number;
}

/** Durations in whole steps, rounded up; at least one each but where nothing is asked for. */
export function stepTimes(scenario: Scenario, stepSeconds: number): StepTimes {
  const steps = (seconds: number) => Math.ceil(seconds / stepSeconds);
  return {
    alarmSteps: Math.max(1, steps(scenario.alarmSeconds)),
    startUpSteps: Math.max(1, steps(scenario.startUpSeconds)),
    recallSteps: Math.max(1, steps(scenario.recallSeconds)),
    shortestLoanSteps: Math.max(1, steps(scenario.shortestLoanSeconds)),
    recallableFromSteps: steps(scenario.recallableFromSeconds),
    replanSteps: Math.max(1, steps(scenario.replanSeconds)),
    planFromSteps: Math.max(1, steps(scenario.planFromSeconds)),
  };
}
