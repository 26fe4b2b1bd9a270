import type { RandomSource } from './random.ts';

/** A model of one series, of evenly spaced values without gaps. */
export interface PointModel {
  readonly name: string;
  /**
   * @param values oldest first, all finite
   * @param seasons steps after which the series may repeat itself; those that the values do not show twice are left out
   * @returns undefined when the model has nothing to say about these values: too few of them, or none that differ. Never throws.
   */
  fitTo(values: readonly number[], seasons: readonly number[]): FittedModel | undefined;
}

/** A model with its parameters fixed. */
export interface FittedModel {
  /**
   * Point forecasts of the next steps.
   * @param later values measured after those of the fit: the forecast begins after them, with the parameters as they were
   *   fitted. So several origins of a backtest cost one fit.
   * @returns finite values, as many as steps were asked for
   */
  forecast(horizonSteps: number, later?: readonly number[]): number[];
  /**
   * Simulated courses of the next steps: the model's own recursion, with shocks drawn from its past errors of one step. They
   * tell how errors of neighbouring steps go together and how they grow with the horizon.
   * @param paths how many courses
   * @param random numbers from 0 to before 1; the same numbers give the same courses
   * @param later as for `forecast`
   * @returns one row of `horizonSteps` finite values for each course
   */
  samplePaths(horizonSteps: number, paths: number, random: RandomSource, later?: readonly number[]): Float64Array[];
  /** What was measured minus what was forecast one step before, for the last steps of the fit; oldest first. */
  readonly inSampleErrors: readonly number[];
}

/** The range that a forecast is held within. */
export interface Bounds {
  readonly lowest: number;
  readonly highest: number;
}

/** How far a forecast may leave the range that its history shows, as a share of that range. */
const MAX_EXCESS = 0.5;

/** Values that bound a forecast: the history's range and half of it more on either side. Scale and shift equivariant. */
export function forecastBounds(values: ArrayLike<number>): Bounds {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < values.length; step += 1) {
    const value = values[step] ?? 0;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const excess = (highest - lowest) * MAX_EXCESS;
  return { lowest: lowest - excess, highest: highest + excess };
}

/** The seasons that the values show twice, without repetition, shortest first. */
export function shownSeasons(steps: number, seasons: readonly number[]): number[] {
  const shown = seasons.filter((season) => Number.isSafeInteger(season) && season > 1 && 2 * season <= steps);
  return [...new Set(shown)].sort((a, b) => a - b);
}
