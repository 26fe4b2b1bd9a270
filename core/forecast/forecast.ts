import type { PoolId, ResourceType } from '../units.ts';

/** Probability levels of a forecast, lowest first; the keys of its quantiles. */
export const QUANTILE_LEVELS = ['0.025', '0.1', '0.25', '0.5', '0.75', '0.9', '0.95', '0.975'] as const;
export type QuantileLevel = (typeof QUANTILE_LEVELS)[number];

/** The risk that demand reaches what the pool can serve without an alarm. */
export interface Bottleneck {
  /** Demand, in units, at which the alarm fires when the pool runs all that it owns. */
  readonly thresholdUnits: number;
  /** Probability that demand reaches it at least once within the horizon. */
  readonly probability: number;
  /** Probability for each slot. */
  readonly bySlot: readonly number[];
  /**
   * For each of a number of equally likely courses of demand whether it reaches the threshold. Forecasts made from histories of
   * the same steps share their courses, so that what happens together can be told from what does not.
   */
  readonly reachedByCourse: readonly boolean[];
}

/** How the models' forecasts became one. */
export type CombinationMethod = 'median' | 'weights';

/** What one model contributed. */
export interface ForecastModel {
  readonly name: string;
  /** Weights of a forecast's models sum to 1. Of a median, equal ones. */
  readonly weight: number;
  /**
   * Mean absolute error over the end of the history, forecast from what came before it, divided by the mean absolute change
   * over a season. null: too little history, a history without any change, or a model that failed.
   */
  readonly backtestMase: number | null;
  /** Why it could not take part; its weight is 0. */
  readonly failed?: string;
}

/** How far a forecast can be relied on. */
export interface Confidence {
  /** From 0 (none) to 1: falls with a short history, with intervals that did not cover what they said, and with drift. */
  readonly level: number;
  /** Shares of the backtest's values within the 80 % and 95 % intervals as they were before they were corrected; null: no backtest. */
  readonly backtestCoverage: { readonly '0.8': number; readonly '0.95': number } | null;
  /** True when the newest season left the forecast that was possible before it: demand no longer does what it did. */
  readonly drifted: boolean;
}

/** Values of a series over the slots to come. */
export interface SeriesForecast {
  /** One value a slot for each level; a higher level is never below a lower one. */
  readonly quantiles: Readonly<Record<QuantileLevel, readonly number[]>>;
  /** Tukey's trimean of each slot: a mean that single extremes do not carry away. */
  readonly mean: readonly number[];
  readonly bottleneck: Bottleneck;
  readonly models: readonly ForecastModel[];
  readonly combination: CombinationMethod;
  readonly confidence: Confidence;
  /** What shaped the forecast, in sentences for people, the most important first. */
  readonly reasons: readonly string[];
}

/** Demand of one resource type of a pool over the coming slots, in units (fully used instances). Never negative. */
export interface Forecast extends SeriesForecast {
  readonly poolId: PoolId;
  readonly resource: ResourceType;
  readonly stepSeconds: number;
  /** Start of the first slot, in milliseconds since the epoch. */
  readonly startMillis: number;
}
