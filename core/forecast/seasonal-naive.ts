import { LEVELS, onSideOf, quantileOf, rowsByLevel } from './distribution.ts';
import type { ForecastMember, ForecastSeries, MemberForecast } from './member.ts';
import { shownSeasons } from './model.ts';

/** What was measured minus what was measured `lag` steps earlier, lowest first. */
function errorsAt(values: readonly number[], lag: number): Float64Array {
  const errors = new Float64Array(Math.max(0, values.length - lag));
  for (let index = 0; index < errors.length; index += 1) {
    errors[index] = (values[index + lag] ?? 0) - (values[index] ?? 0);
  }
  return errors.sort();
}

function meanAbsoluteError(values: readonly number[], lag: number): number {
  let sum = 0;
  for (let step = lag; step < values.length; step += 1)
    sum += Math.abs((values[step] ?? 0) - (values[step - lag] ?? 0));
  return sum / Math.max(1, values.length - lag);
}

/** The season that would have repeated best; one step (the last value) when the values show none twice. */
function bestSeason(values: readonly number[], seasons: readonly number[]): number {
  let best = 1;
  let smallest = Number.POSITIVE_INFINITY;
  for (const season of shownSeasons(values.length, seasons)) {
    const error = meanAbsoluteError(values, season);
    if (error >= smallest) continue;
    smallest = error;
    best = season;
  }
  return best;
}

/**
 * Errors by how many seasons back the repeated value lies: a slot two days ahead repeats a day that is two seasons older.
 * Lags that less than half of the values could tell about are represented by the longest that they can.
 */
function errorsByAge(values: readonly number[], season: number, horizonSteps: number): Float64Array[] {
  const oldest = Math.max(1, Math.floor(values.length / (2 * season)));
  const ages = Math.min(oldest, Math.ceil(horizonSteps / season));
  return Array.from({ length: ages }, (_, index) => errorsAt(values, (index + 1) * season));
}

/** @param agedErrors of values before those of the forecast, or of the same */
function forecastAfter(
  values: readonly number[],
  season: number,
  agedErrors: readonly Float64Array[],
  horizonSteps: number,
): MemberForecast | undefined {
  if (values.length < season) return undefined;
  const points = Array.from(
    { length: horizonSteps },
    (_, step) => values[values.length - season + (step % season)] ?? 0,
  );
  const rowAt = (level: number): number[] => {
    const offsets = agedErrors.map((errors) => onSideOf(level, quantileOf(errors, level)));
    return points.map((point, step) => point + (offsets[Math.min(Math.floor(step / season), offsets.length - 1)] ?? 0));
  };
  return { points, quantiles: rowsByLevel(LEVELS.map(rowAt)) };
}

/**
 * Seasonal naive: a series repeats what it was one season ago, give or take the errors that repeating would have made in the
 * past. Of the seasons that the values show twice, the one that would have repeated best; without one, the last value. It has
 * something to say about every series with at least one value, and is what others are measured against.
 */
export const seasonalNaive: ForecastMember = {
  name: 'seasonal-naive',
  forecastFrom({ values, seasons }: ForecastSeries, origins, horizonSteps) {
    const before = values.slice(0, origins[0]);
    const season = bestSeason(before, seasons);
    // The errors before the first origin serve all origins of a backtest.
    const pastErrors = errorsByAge(before, season, horizonSteps);
    const forecasts = origins.map((origin) => {
      const seen = values.slice(0, origin);
      const errors = origin === values.length ? errorsByAge(seen, season, horizonSteps) : pastErrors;
      return forecastAfter(seen, season, errors, horizonSteps);
    });
    return Promise.resolve(forecasts);
  },
};
