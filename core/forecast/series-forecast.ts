import type { Backtest } from './backtest.ts';
import { actualsAfter, backtestOf, seasonalScale } from './backtest.ts';
import { bottleneckOf, pastCourses, reorderedCourses } from './bottleneck.ts';
import { coverageFactors, shareWithin, widened, widthFactors } from './calibrate.ts';
import type { Combination } from './combine.ts';
import { chooseCombination, combineDistributions } from './combine.ts';
import type { ForecastCoverage } from './coverage.ts';
import type { Distribution } from './distribution.ts';
import { rowsByLevel, trimeanOf } from './distribution.ts';
import type { EventEffects } from './event-effects.ts';
import { withEvents } from './event-forecast.ts';
import type { Bottleneck, Confidence, ForecastModel, SeriesForecast } from './forecast.ts';
import { QUANTILE_LEVELS } from './forecast.ts';
import type { ForecastMember, ForecastSeries } from './member.ts';
import type { MemberDistributions, MemberFailure, MemberRun, WithinTime } from './member-runs.ts';
import { distributionsOf, limitsOf, runMember, simulatedBy } from './member-runs.ts';
import { reasonsOf } from './reasons.ts';
import { meanOf } from './statistics.ts';

export interface SeriesRequest {
  readonly horizonSteps: number;
  /** Values that count as a bottleneck when they are reached; at least one. The forecast carries the first. */
  readonly threshold: number;
  /** True for what cannot be negative: the forecast is cut off at 0. */
  readonly nonNegative: boolean;
  /** The history as it was measured, with what events did to it: how often the threshold was reached is counted in it. */
  readonly measuredValues: readonly number[];
  /** What events do to a forecast of normal days. */
  readonly effects?: Pick<EventEffects, 'factors' | 'deviations' | 'reasons'>;
  /** How earlier forecasts of this series turned out. */
  readonly coverage?: ForecastCoverage;
  readonly withinTime: WithinTime;
}

/** A forecast that can still be asked about other thresholds. */
export interface OpenForecast extends SeriesForecast {
  bottleneckAt(threshold: number): Bottleneck;
}

interface Judgement {
  readonly backtest: Backtest;
  /** For each origin the values that followed it. */
  readonly actuals: readonly (readonly number[])[];
}

interface Combined {
  readonly combination: Combination;
  readonly rows: Distribution;
  readonly confidence: Confidence;
}

function meanAbsoluteError({ past }: MemberRun, { actuals }: Judgement): number {
  return meanOf(
    past.flatMap(({ points }, origin) =>
      (actuals[origin] ?? []).map((actual, step) => Math.abs(actual - (points[step] ?? 0))),
    ),
  );
}

/** Share of a season outside its 95 % interval, from which on demand is said to have drifted. */
const DRIFT_SHARE = 0.4;
/** Seasons of history with which a forecast is fully relied on. */
const FULL_HISTORY_SPANS = 14;

function confidenceOf(series: ForecastSeries, judgement: Judgement, past: readonly Distribution[]): Confidence {
  const historyShare = Math.min(1, series.values.length / (FULL_HISTORY_SPANS * judgement.backtest.spanSteps));
  if (past.length === 0) return { level: historyShare / 2, backtestCoverage: null, drifted: false };
  const judged = past.map((rows, origin) => ({ rows, actuals: judgement.actuals[origin] ?? [] }));
  const within80 = shareWithin(judged, '0.1', '0.9');
  const within95 = shareWithin(judged, '0.025', '0.975');
  const drifted = 1 - shareWithin(judged.slice(-1), '0.025', '0.975') > DRIFT_SHARE;
  const missed = Math.max(0, 0.8 - within80) / 0.8;
  return {
    level: historyShare * (1 - missed) * (drifted ? 0.5 : 1),
    backtestCoverage: { '0.8': within80, '0.95': within95 },
    drifted,
  };
}

function combine(
  series: ForecastSeries,
  runs: readonly MemberRun[],
  judgement: Judgement,
  coverage?: ForecastCoverage,
): Combined {
  const { backtest, actuals } = judgement;
  const cases = backtest.origins.map((_, origin) => ({
    points: runs.map(({ past }) => past[origin]?.points ?? []),
    actuals: actuals[origin] ?? [],
  }));
  const combination = chooseCombination(runs.length, cases);
  const members: readonly MemberDistributions[] = runs.map((run) => distributionsOf(run, actuals, backtest.spanSteps));
  const past = backtest.origins.map((_, origin) =>
    combineDistributions(
      members.map((member) => member.past[origin] ?? []),
      combination,
    ),
  );
  const judgedSteps = series.values.length - (backtest.origins[0] ?? series.values.length);
  const factors = widthFactors(
    past.map((rows, origin) => ({ rows, actuals: actuals[origin] ?? [] })),
    judgedSteps / backtest.spanSteps,
  );
  const corrected = coverage === undefined ? factors : coverageFactors(factors, coverage);
  const wanted = combineDistributions(
    members.map((member) => member.wanted),
    combination,
  );
  return { combination, rows: widened(wanted, corrected), confidence: confidenceOf(series, judgement, past) };
}

function modelsOf(
  runs: readonly MemberRun[],
  failures: readonly MemberFailure[],
  { weights }: Combination,
  judgement: Judgement,
  scale: number | undefined,
): ForecastModel[] {
  const took = runs.map((run, place) => ({
    name: run.name,
    weight: weights[place] ?? 0,
    backtestMase: scale === undefined || run.past.length === 0 ? null : meanAbsoluteError(run, judgement) / scale,
  }));
  const failed = failures.map(({ name, reason }) => ({ name, weight: 0, backtestMase: null, failed: reason }));
  return [...took.sort((a, b) => b.weight - a.weight), ...failed];
}

/** The distribution within what the history allows, with the events put back. */
function bounded(rows: Distribution, { measuredValues, nonNegative, effects }: SeriesRequest): Distribution {
  const { lowest, highest } = limitsOf(measuredValues);
  const least = nonNegative ? Math.max(0, lowest) : lowest;
  const within = rows.map((row) => row.map((value) => Math.min(highest, Math.max(least, value))));
  if (effects === undefined) return within;
  const moved = withEvents(rowsByLevel(within), effects);
  return QUANTILE_LEVELS.map((level) => moved[level]);
}

/**
 * Forecasts one series with all members that have something to say about it.
 * A member that fails is named and left out. Where the history is too short for a backtest, only the floor speaks.
 * @param floor a member that has something to say about every series
 * @throws RangeError when the floor has nothing to say: the series has no values
 */
export async function forecastSeries(
  series: ForecastSeries,
  members: readonly ForecastMember[],
  floor: ForecastMember,
  request: SeriesRequest,
): Promise<OpenForecast> {
  const { values, seasons } = series;
  const { horizonSteps } = request;
  const backtest = backtestOf(values.length, seasons, horizonSteps);
  const judgement = { backtest, actuals: backtest.origins.map((origin) => actualsAfter(values, origin, backtest)) };
  const asked = backtest.origins.length === 0 ? [] : members;
  const results = await Promise.all([
    ...asked.map((member) => runMember(member, series, backtest, horizonSteps, request.withinTime)),
    // The floor is waited for: without it there might be no forecast.
    runMember(floor, series, backtest, horizonSteps, (_, work) => work),
  ]);
  const runs = results.filter((result) => result !== undefined && 'wanted' in result);
  const failures = results.filter((result) => result !== undefined && 'reason' in result);
  if (runs.length === 0) throw new RangeError('a series without values cannot be forecast: expected at least one');
  const { combination, rows: unbounded, confidence } = combine(series, runs, judgement, request.coverage);
  const rows = bounded(unbounded, request);
  const simulated = simulatedBy(runs, horizonSteps);
  // Without a model that simulates, the errors of repeating the past tell what errs together.
  const courses = reorderedCourses(rows, simulated ?? pastCourses(values, backtest.spanSteps, horizonSteps));
  const bottleneckAt = (threshold: number): Bottleneck =>
    bottleneckOf(rows, courses, request.measuredValues, threshold);
  const scale = seasonalScale(values.slice(0, backtest.origins[0]), backtest.spanSteps);
  const models = modelsOf(runs, failures, combination, judgement, scale);
  return {
    quantiles: rowsByLevel(rows),
    mean: trimeanOf(rows),
    bottleneck: bottleneckAt(request.threshold),
    models,
    combination: combination.method,
    confidence,
    reasons: [...(request.effects?.reasons ?? []), ...reasonsOf(models, combination.method, confidence)],
    bottleneckAt,
  };
}
