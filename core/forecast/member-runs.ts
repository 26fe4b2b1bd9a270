import type { Backtest } from './backtest.ts';
import type { Courses } from './bottleneck.ts';
import type { Distribution } from './distribution.ts';
import { LEVELS, withoutCrossing } from './distribution.ts';
import { errorSpread } from './error-spread.ts';
import { QUANTILE_LEVELS } from './forecast.ts';
import type { ForecastMember, ForecastSeries, MemberForecast } from './member.ts';

/** What one member forecast. */
export interface MemberRun {
  readonly name: string;
  /** For each origin of the backtest, in their order. */
  readonly past: readonly MemberForecast[];
  /** After the end of the series. */
  readonly wanted: MemberForecast;
}

/** A member that should have had something to say and did not. */
export interface MemberFailure {
  readonly name: string;
  readonly reason: string;
}

/** Ends the wait for a member that takes too long. core has no clock: the time limit is its caller's. */
export type WithinTime = <T>(name: string, work: Promise<T>) => Promise<T>;

/** Ranges of the history beyond its lowest and highest value at which a forecast is said to have diverged. */
const MAX_RANGES_BEYOND = 3;
const ROUNDING = 1e-9;

export interface Limits {
  readonly lowest: number;
  readonly highest: number;
}

/** Values that no forecast of a series may leave. */
export function limitsOf(values: readonly number[]): Limits {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const range = highest - lowest;
  // Of a constant, rounding is no divergence.
  const room = range > 0 ? MAX_RANGES_BEYOND * range : ROUNDING * Math.abs(highest);
  return { lowest: lowest - room, highest: highest + room };
}

function check(forecast: MemberForecast, horizonSteps: number, { lowest, highest }: Limits): void {
  for (const row of [forecast.points, ...Object.values(forecast.quantiles ?? {})]) {
    if (row.length !== horizonSteps) {
      throw new RangeError(`forecast ${row.length} steps where ${horizonSteps} were asked for`);
    }
    if (!row.every(Number.isFinite)) throw new RangeError('forecast a value that is not finite');
    if (row.some((value) => value < lowest || value > highest)) {
      throw new RangeError(`diverged: forecast a value outside of ${lowest} to ${highest}`);
    }
  }
}

/**
 * Runs a member from every origin of a backtest and from the end.
 * @returns undefined when the member has nothing to say about the series
 */
export async function runMember(
  member: ForecastMember,
  series: ForecastSeries,
  backtest: Backtest,
  horizonSteps: number,
  withinTime: WithinTime,
): Promise<MemberRun | MemberFailure | undefined> {
  try {
    const origins = [...backtest.origins, series.values.length];
    const work = member.forecastFrom(series, origins, horizonSteps);
    const forecasts = await withinTime(member.name, work);
    const said = forecasts.filter((each) => each !== undefined);
    const wanted = said.at(-1);
    if (wanted === undefined || said.length < origins.length) return undefined;
    const limits = limitsOf(series.values);
    for (const forecast of said) check(forecast, horizonSteps, limits);
    return { name: member.name, past: said.slice(0, -1), wanted };
  } catch (error) {
    return { name: member.name, reason: error instanceof Error ? error.message : String(error) };
  }
}

function ownDistribution({ quantiles }: MemberForecast): number[][] | undefined {
  if (quantiles === undefined) return undefined;
  return withoutCrossing(QUANTILE_LEVELS.map((level) => quantiles[level]));
}

function around(points: readonly number[], offsets: Distribution | undefined): number[][] {
  return LEVELS.map((_, level) => points.map((point, step) => point + (offsets?.[level]?.[step] ?? 0)));
}

export interface MemberDistributions {
  readonly past: readonly Distribution[];
  readonly wanted: Distribution;
}

/**
 * The distributions of a member: its own, or its points with the errors of its backtest around them. At an origin of the
 * backtest only the errors of the other origins count, so that it can be told how well they would have served.
 * @param actuals for each origin the values that followed
 */
export function distributionsOf(
  run: MemberRun,
  actuals: readonly (readonly number[])[],
  spanSteps: number,
): MemberDistributions {
  const errors = run.past.map(({ points }, origin) =>
    (actuals[origin] ?? []).map((actual, step) => actual - (points[step] ?? 0)),
  );
  const distribution = (forecast: MemberForecast, rows: readonly number[][]): number[][] =>
    ownDistribution(forecast) ?? around(forecast.points, errorSpread(rows, forecast.points.length, spanSteps));
  return {
    past: run.past.map((forecast, origin) =>
      distribution(forecast, errors.length > 1 ? errors.filter((_, other) => other !== origin) : errors),
    ),
    wanted: distribution(run.wanted, errors),
  };
}

/**
 * Sample paths of the first member that simulates.
 * @returns undefined when none does, or what it simulates is not one finite value a step
 */
export function simulatedBy(runs: readonly MemberRun[], horizonSteps: number): Courses | undefined {
  for (const { wanted } of runs) {
    try {
      const paths = wanted.samplePaths?.() ?? [];
      const usable = paths.every(
        (path) => path.length === horizonSteps && Array.prototype.every.call(path, Number.isFinite),
      );
      if (paths.length > 0 && usable) return paths;
    } catch {
      // Its forecast stands: only what errs together has to be learned elsewhere.
    }
  }
  return undefined;
}
