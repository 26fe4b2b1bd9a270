import type { DemandHistory } from '../telemetry/history.ts';
import { historyEndMillis } from '../telemetry/history.ts';
import { invariant } from '../units.ts';
import type { Bottleneck, Forecast, QuantileLevel } from './forecast.ts';
import { QUANTILE_LEVELS } from './forecast.ts';

export interface ForecastOptions {
  /** Slots to forecast, each one step of the history. */
  readonly horizonSteps: number;
  /** Steps after which demand repeats itself; the longest that the history shows twice is used. */
  readonly seasonSteps: readonly number[];
  /** Demand, in units, that counts as a bottleneck. */
  readonly thresholdUnits: number;
}

/** Errors at one lag: what was measured minus what was measured `lag` steps earlier. */
interface LagErrors {
  readonly lag: number;
  /** Errors of the steps from `lag` on. An unknown one is taken to be the one before it. */
  readonly path: readonly number[];
  /** The known errors alone, lowest first. */
  readonly sorted: readonly number[];
}

/** A history without gaps: an unknown step is one season earlier, or else the last known step, or else the first known one. */
function filled(values: readonly (number | null)[], season: number): number[] {
  const firstKnown = values.find((value) => value !== null);
  invariant(firstKnown !== undefined && firstKnown !== null, 'a history that is forecast has a known step');
  const known: number[] = [];
  for (const [step, value] of values.entries()) {
    known.push(value ?? known[step - season] ?? known[step - 1] ?? firstKnown);
  }
  return known;
}

function lagErrors(values: readonly (number | null)[], lag: number): LagErrors {
  const errors: (number | undefined)[] = [];
  for (let step = lag; step < values.length; step += 1) {
    const now = values[step] ?? undefined;
    const earlier = values[step - lag] ?? undefined;
    errors.push(now === undefined || earlier === undefined ? undefined : now - earlier);
  }
  const known = errors.filter((error) => error !== undefined);
  let carried = known[0] ?? 0;
  const path = errors.map((error) => {
    carried = error ?? carried;
    return carried;
  });
  return { lag, path, sorted: known.sort((a, b) => a - b) };
}

/** The value at a probability in sorted values, interpolated between neighbours. Without values there is no error. */
function quantileOf(sorted: readonly number[], probability: number): number {
  const place = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean absolute change over a season; undefined when there is none to measure. */
function seasonalScale(values: readonly number[], season: number): number | undefined {
  const changes = values.slice(season).map((value, index) => Math.abs(value - (values[index] ?? value)));
  return changes.length === 0 ? undefined : meanOf(changes);
}

/** The value that repeats at a horizon of `ahead` steps (1 = the next) after the end of `values`. */
function repeated(values: readonly number[], season: number, ahead: number): number {
  return values[values.length - season + ((ahead - 1) % season)] ?? 0;
}

function backtestMase(values: readonly number[], season: number, horizonSteps: number): number | null {
  const heldOut = Math.min(horizonSteps, values.length - 2 * season);
  if (heldOut < 1) return null;
  const before = values.slice(0, -heldOut);
  const scale = seasonalScale(before, season);
  if (scale === undefined || scale === 0) return null;
  const errors = values.slice(-heldOut).map((value, index) => Math.abs(value - repeated(before, season, index + 1)));
  return meanOf(errors) / scale;
}

/** The longest season that the history shows twice; one step (the last value) when it shows none. */
function longestSeason(steps: number, seasonSteps: readonly number[]): number {
  const usable = seasonSteps.filter((season) => Number.isSafeInteger(season) && season > 0 && 2 * season <= steps);
  return Math.max(1, ...usable);
}

/**
 * Errors by how many seasons back the repeated value lies: a slot two days ahead repeats a day that is two seasons older.
 * Lags that less than half of the history could tell about are represented by the longest that it can.
 */
function errorsByAge(values: readonly (number | null)[], season: number, horizonSteps: number): LagErrors[] {
  const oldest = Math.max(1, Math.floor(values.length / (2 * season)));
  const wanted = Math.min(oldest, Math.ceil(horizonSteps / season));
  return Array.from({ length: wanted }, (_, index) => lagErrors(values, (index + 1) * season));
}

/**
 * Bottleneck probabilities from whole paths of past errors: each past moment is taken as if it were now, and the errors that
 * followed it are added to the forecast. Slots next to each other err together, so probabilities of single slots cannot be
 * multiplied. A path that reaches the end of the history goes on at its beginning.
 */
function bottleneck(
  points: readonly number[],
  agedErrors: readonly LagErrors[],
  season: number,
  thresholdUnits: number,
): Bottleneck {
  const paths = Math.max(1, agedErrors[0]?.path.length ?? 0);
  const crossings = points.map(() => 0);
  let crossedPaths = 0;
  for (let origin = 0; origin < paths; origin += 1) {
    let crossed = false;
    for (const [index, point] of points.entries()) {
      const errors = agedErrors[Math.min(Math.floor(index / season), agedErrors.length - 1)];
      const path = errors?.path ?? [];
      // The path of an age begins at its own lag; `origin` counts from the first.
      const place = path.length === 0 ? 0 : (origin + index + season - (errors?.lag ?? 0)) % path.length;
      const error = path.at(place) ?? 0;
      if (Math.max(0, point + error) < thresholdUnits) continue;
      crossed = true;
      crossings[index] = (crossings[index] ?? 0) + 1;
    }
    if (crossed) crossedPaths += 1;
  }
  return {
    thresholdUnits,
    probability: crossedPaths / paths,
    bySlot: crossings.map((count) => count / paths),
  };
}

/**
 * Seasonal naive forecast: demand repeats what it was one season ago, give or take the errors that repeating would have made
 * in the past.
 * @returns a forecast that begins at the end of the history
 * @throws RangeError when nothing is known of any step, or the horizon is not a positive whole number
 */
export function forecast(history: DemandHistory, options: ForecastOptions): Forecast {
  const { horizonSteps, thresholdUnits } = options;
  if (!Number.isSafeInteger(horizonSteps) || horizonSteps < 1) {
    throw new RangeError(`horizon of ${horizonSteps} steps: expected a positive whole number`);
  }
  if (!history.values.some((value) => value !== null)) {
    throw new RangeError(`history of ${history.resource} in ${history.poolId}: expected at least one known step`);
  }
  const season = longestSeason(history.values.length, options.seasonSteps);
  const values = filled(history.values, season);
  const agedErrors = errorsByAge(history.values, season, horizonSteps);
  const points = Array.from({ length: horizonSteps }, (_, index) => repeated(values, season, index + 1));
  const ageAt = (index: number) => Math.min(Math.floor(index / season), agedErrors.length - 1);
  const atLevel = (level: QuantileLevel): number[] => {
    const offsets = agedErrors.map(({ sorted }) => quantileOf(sorted, Number(level)));
    return points.map((point, index) => Math.max(0, point + (offsets[ageAt(index)] ?? 0)));
  };
  const mean = points.map((point, index) => {
    const errors = agedErrors[ageAt(index)]?.sorted ?? [];
    return errors.length === 0 ? point : meanOf(errors.map((error) => Math.max(0, point + error)));
  });
  return {
    poolId: history.poolId,
    resource: history.resource,
    stepSeconds: history.stepSeconds,
    startMillis: historyEndMillis(history),
    quantiles: Object.fromEntries(QUANTILE_LEVELS.map((level) => [level, atLevel(level)])) as Record<
      QuantileLevel,
      number[]
    >,
    mean,
    bottleneck: bottleneck(points, agedErrors, season, thresholdUnits),
    models: [
      {
        name: season === 1 ? 'last-value' : `seasonal-naive-${season}`,
        weight: 1,
        backtestMase: backtestMase(values, season, horizonSteps),
      },
    ],
  };
}
