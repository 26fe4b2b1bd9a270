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
}

/** What one model contributed. */
export interface ForecastModel {
  readonly name: string;
  /** Weights of a forecast's models sum to 1. */
  readonly weight: number;
  /**
   * Mean absolute error over the end of the history, forecast from what came before it, divided by the mean absolute error of
   * the seasonal naive method within what came before. null: too little history, or a history without any change.
   */
  readonly backtestMase: number | null;
}

/** Demand of one resource type of a pool over the coming slots, in units (fully used instances). Never negative. */
export interface Forecast {
  readonly poolId: PoolId;
  readonly resource: ResourceType;
  readonly stepSeconds: number;
  /** Start of the first slot, in milliseconds since the epoch. */
  readonly startMillis: number;
  /** One value a slot for each level; a higher level is never below a lower one. */
  readonly quantiles: Readonly<Record<QuantileLevel, readonly number[]>>;
  readonly mean: readonly number[];
  readonly bottleneck: Bottleneck;
  readonly models: readonly ForecastModel[];
}
