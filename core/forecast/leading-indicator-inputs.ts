import type { ForecastSeries } from './member.ts';
import { shownSeasons } from './model.ts';

/** Another series as the regressions see it: without gaps, free of location and scale. */
export interface Indicator {
  readonly name: string;
  /** At the steps of the series, and beyond them as far as they are asked for. */
  readonly values: Float64Array;
  /** Whether its values after an origin are known at the origin. */
  readonly isKnownAhead: boolean;
}

/** A season, and what the series showed at the same time of it so far. */
export interface Seasonal {
  readonly steps: number;
  /** At each step the mean of its value and those whole seasons before it, newer ones counting for more. */
  readonly means: Float64Array;
}

/** What can be learned from before an origin. */
export interface IndicatorInputs {
  /** The series, free of location and scale. */
  readonly values: Float64Array;
  readonly centre: number;
  readonly scale: number;
  readonly indicators: readonly Indicator[];
  /** Those that the values before the origin show twice, shortest first. */
  readonly seasons: readonly Seasonal[];
  readonly origin: number;
}

const MAX_MISSING_SHARE = 0.3;
/** Regressions with more of them take long; those that move least with the series are left out. */
const MAX_INDICATORS = 6;
const SCREENED_LAGS = 12;
const NEWEST_WEIGHT = 0.15;

/** Mean and mean distance from it, of the first steps. */
function locationOf(values: ArrayLike<number>, steps: number): { centre: number; scale: number } {
  let sum = 0;
  for (let step = 0; step < steps; step += 1) sum += (values[step] ?? 0) / steps;
  let distance = 0;
  for (let step = 0; step < steps; step += 1) distance += Math.abs((values[step] ?? 0) - sum) / steps;
  return { centre: sum, scale: distance };
}

/** Gaps hold the value before them; those at the beginning the first one. */
function filled(values: readonly (number | null)[], length: number): Float64Array {
  const isValue = (value: number | null | undefined): value is number =>
    typeof value === 'number' && Number.isFinite(value);
  let last = values.find(isValue) ?? 0;
  return Float64Array.from({ length }, (_, step) => {
    const value = values[step];
    if (isValue(value)) last = value;
    return last;
  });
}

function indicatorOf(
  name: string,
  given: readonly (number | null)[],
  origin: number,
  length: number,
  steps: number,
): Indicator | undefined {
  let missing = 0;
  for (let step = 0; step < origin; step += 1) if (!Number.isFinite(given[step] ?? Number.NaN)) missing += 1;
  if (missing > MAX_MISSING_SHARE * origin) return undefined;
  const values = filled(given, length);
  const { centre, scale } = locationOf(values, origin);
  if (!(scale > 1e-9 * Math.abs(centre)) || !Number.isFinite(scale)) return undefined;
  const isKnownAhead = given.slice(steps).some((value) => value !== null && Number.isFinite(value));
  return { name, values: values.map((value) => (value - centre) / scale), isKnownAhead };
}

/** The largest correlation, of either sign, between changes over a season of the series and of an indicator some steps before. */
function relevance({ values }: Indicator, target: Float64Array, origin: number, season: number): number {
  let largest = 0;
  for (let lag = 0; lag <= SCREENED_LAGS; lag += 1) {
    let products = 0;
    let squares = 0;
    let targetSquares = 0;
    for (let step = season + lag; step < origin; step += 1) {
      const change = (values[step - lag] ?? 0) - (values[step - lag - season] ?? 0);
      const targetChange = (target[step] ?? 0) - (target[step - season] ?? 0);
      products += change * targetChange;
      squares += change * change;
      targetSquares += targetChange * targetChange;
    }
    if (squares > 0 && targetSquares > 0)
      largest = Math.max(largest, Math.abs(products) / Math.sqrt(squares * targetSquares));
  }
  return largest;
}

function seasonalOf(values: Float64Array, steps: number): Seasonal {
  const means = new Float64Array(values.length);
  for (let step = 0; step < values.length; step += 1) {
    const value = values[step] ?? 0;
    const before = step < steps ? value : (means[step - steps] ?? 0);
    means[step] = before + NEWEST_WEIGHT * (value - before);
  }
  return { steps, means };
}

/**
 * The series and its regressors, as far as an origin allows: location, scale and choice of regressors come from before it. Left
 * out are regressors that do not change, or lack more than three values in ten, and all but the six that move most with the
 * series.
 * @returns undefined without a regressor that is left, or when the series does not change
 */
export function inputsAt(series: ForecastSeries, origin: number, horizonSteps: number): IndicatorInputs | undefined {
  const steps = series.values.length;
  const { centre, scale } = locationOf(series.values, origin);
  if (!(scale > 1e-12 * Math.abs(centre)) || !Number.isFinite(scale)) return undefined;
  const values = Float64Array.from(series.values, (value) => (value - centre) / scale);
  const seasons = shownSeasons(origin, series.seasons).map((steps) => seasonalOf(values, steps));
  const all = Object.entries(series.regressors ?? {}).flatMap(
    ([name, given]) => indicatorOf(name, given, origin, steps + horizonSteps, steps) ?? [],
  );
  if (all.length === 0) return undefined;
  const season = seasons[0]?.steps ?? 1;
  const ranked =
    all.length <= MAX_INDICATORS
      ? all
      : all
          .map((indicator) => ({ indicator, relevance: relevance(indicator, values, origin, season) }))
          .sort((a, b) => b.relevance - a.relevance)
          .slice(0, MAX_INDICATORS)
          .map(({ indicator }) => indicator);
  return { values, centre, scale, indicators: ranked, seasons, origin };
}
