import type { QuantileLevel } from './forecast.ts';

/** One series as the members of a combination see it. */
export interface ForecastSeries {
  /** Oldest first, evenly spaced, all finite; gaps have been filled. */
  readonly values: readonly number[];
  readonly stepSeconds: number;
  /** Start of the first step, in milliseconds since the epoch. */
  readonly startMillis: number;
  /** Steps after which the series may repeat itself. */
  readonly seasons: readonly number[];
  /**
   * Other series at the same steps, by name. Values beyond those of the series itself are known in advance; null: unknown.
   */
  readonly regressors?: Readonly<Record<string, readonly (number | null)[]>>;
}

/** What a member says of the steps after one origin. */
export interface MemberForecast {
  /** The member's median, one finite value a step. */
  readonly points: readonly number[];
  /** The member's own distribution, where it has one: values for each step by level. */
  readonly quantiles?: Readonly<Record<QuantileLevel, readonly number[]>>;
  /** Sample paths of the member's own, one row a path, one value a step: what errs together is seen in them. */
  readonly samplePaths?: () => readonly ArrayLike<number>[];
}

/** A member of the combination. It may fail: the combination then does without it. */
export interface ForecastMember {
  readonly name: string;
  /**
   * Forecasts from several origins of one series at once, so that a backtest can share a fit or a batch.
   * @param origins steps of the series, ascending; the forecast from an origin begins at that step and uses only values before
   *   it. An origin equal to the length of the values is the forecast that is wanted; the earlier ones are the backtest.
   * @param horizonSteps a positive whole number
   * @returns a forecast for each origin; undefined where the member has nothing to say about such a series
   */
  forecastFrom(
    series: ForecastSeries,
    origins: readonly number[],
    horizonSteps: number,
  ): Promise<readonly (MemberForecast | undefined)[]>;
}
