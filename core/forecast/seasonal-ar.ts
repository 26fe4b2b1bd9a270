import type { Autoregression } from './autoregression.ts';
import { addLagRows, differenced, oneStepAhead, pathFrom, reachSteps, regress } from './autoregression.ts';
import type { Gram } from './linear-algebra.ts';
import { emptyGram } from './linear-algebra.ts';
import type { FittedModel, PointModel } from './model.ts';
import { forecastBounds, shownSeasons } from './model.ts';

const MIN_STEPS = 8;
/** What is older says little of tomorrow and costs time. */
const MAX_STEPS = 5000;
/** Penalties from almost none to one that leaves little but the mean. */
const RIDGES = [0.003, 0.03, 0.3, 3];
/** Equations whose median is the forecast: the best alone was both worse and less steady. */
const KEPT_EQUATIONS = 5;
const MAX_BACKTEST_SEASONS = 7;
const MAX_BACKTEST_SHARE = 0.25;
/** Stands for the season where there is none. */
const UNSEASONAL_SPAN_STEPS = 24;
const MAX_DENSE_LAGS = 25;
/** Observations that a set of lags needs beyond one for each lag. */
const MIN_SPARE_ROWS = 5;
/** And as a share of the steps that it reaches back: two weeks tell little of what a week ago says. */
const MIN_ROWS_TO_REACH = 0.5;

interface Bounds {
  readonly lowest: number;
  readonly highest: number;
}

/** Values made free of location and scale, and how the end of them is forecast to tell good equations from bad. */
interface Study {
  readonly values: Float64Array;
  readonly bounds: Bounds;
  readonly seasons: readonly number[];
  /** First step of the backtest. */
  readonly heldOutFrom: number;
  readonly backtestHorizonSteps: number;
}

interface Candidate {
  readonly backtestError: number;
  /** The same equation fitted to everything. */
  refit(): Autoregression | undefined;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const around = (lag: number): number[] => [lag - 1, lag, lag + 1];
const ascending = (lags: readonly number[]): number[] => [...new Set(lags)].sort((a, b) => a - b);

/** Lags worth trying, from few to many: recent steps, and the steps around each season and twice the shortest. */
function lagSets(seasons: readonly number[]): number[][] {
  const [shortest, ...longer] = seasons;
  if (shortest === undefined) return [[1], upTo(2), upTo(3), upTo(6), upTo(12), upTo(24)];
  const dense = upTo(Math.min(shortest + 1, MAX_DENSE_LAGS));
  const season = around(shortest);
  const sets = [
    [1],
    upTo(3),
    [1, shortest],
    [...upTo(3), ...season],
    [...upTo(6), ...season, 2 * shortest],
    [...dense, ...season],
    [...dense, ...season, ...around(2 * shortest)],
    ...longer.flatMap((long) => [
      [...upTo(3), ...season, ...around(long)],
      [...dense, ...season, ...around(2 * shortest), ...around(long)],
    ]),
  ].map((lags) => ascending(lags.filter((lag) => lag > 0)));
  return [...new Map(sets.map((lags) => [lags.join(), lags])).values()];
}

/** Sets by whether they reach for a longer season, which costs a short history many of its observations. */
function byReach(sets: readonly (readonly number[])[], seasons: readonly number[]): (readonly number[])[][] {
  const nearest = 2 * (seasons[0] ?? UNSEASONAL_SPAN_STEPS) + 1;
  const isNear = (lags: readonly number[]) => (lags.at(-1) ?? 0) <= nearest;
  return [sets.filter(isNear), sets.filter((lags) => !isNear(lags))].filter((group) => group.length > 0);
}

/** Mean absolute error of an equation fitted before the held-out steps, from origins one backtest horizon apart. */
function backtestError(equation: Autoregression, study: Study): number {
  const { values, bounds, heldOutFrom, backtestHorizonSteps } = study;
  let sum = 0;
  for (let origin = heldOutFrom; origin < values.length; origin += backtestHorizonSteps) {
    const steps = Math.min(backtestHorizonSteps, values.length - origin);
    const path = pathFrom(equation, values, origin, steps, bounds);
    for (let index = 0; index < steps; index += 1) sum += Math.abs((path[index] ?? 0) - (values[origin + index] ?? 0));
  }
  return sum / (values.length - heldOutFrom);
}

/** Every set of lags with every ridge, from one pass over the observations. */
function candidatesOf(study: Study, difference: number, sets: readonly (readonly number[])[]): Candidate[] {
  const { values, heldOutFrom } = study;
  const gramLags = ascending(sets.flat());
  const changes = differenced(values, difference);
  const from = reachSteps({ difference, lags: gramLags });
  const before = emptyGram(gramLags.length + 2);
  addLagRows(before, changes, gramLags, from, heldOutFrom);
  const all: Gram = { width: before.width, sums: before.sums.slice() };
  addLagRows(all, changes, gramLags, heldOutFrom, values.length);
  const found: Candidate[] = [];
  for (const lags of sets) {
    for (const ridge of RIDGES) {
      const equation = regress(before, gramLags, { difference, lags, ridge });
      if (equation === undefined) continue;
      found.push({
        backtestError: backtestError(equation, study),
        refit: () => regress(all, gramLags, { difference, lags, ridge }),
      });
    }
  }
  return found;
}

function bestEquations(study: Study): Autoregression[] {
  const sets = lagSets(study.seasons);
  const candidates: Candidate[] = [];
  for (const difference of new Set([0, 1, study.seasons[0] ?? 0])) {
    const affordable = sets.filter((lags) => {
      const rows = study.heldOutFrom - reachSteps({ difference, lags });
      return rows >= MIN_SPARE_ROWS + lags.length && rows >= MIN_ROWS_TO_REACH * (lags.at(-1) ?? 0);
    });
    for (const group of byReach(affordable, study.seasons)) candidates.push(...candidatesOf(study, difference, group));
  }
  return candidates
    .sort((a, b) => a.backtestError - b.backtestError)
    .slice(0, KEPT_EQUATIONS)
    .flatMap((candidate) => candidate.refit() ?? []);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const above = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? above) + above) / 2 : above;
}

/** The median of several series, step by step, aligned at their ends and as long as the shortest. */
function medianPath(paths: readonly Float64Array[]): number[] {
  const steps = Math.min(...paths.map((path) => path.length));
  return Array.from({ length: steps }, (_, index) => medianOf(paths.map((path) => path.at(index - steps) ?? 0)));
}

function fitTo(given: readonly number[], seasonsGiven: readonly number[]): FittedModel | undefined {
  const recent = given.slice(-MAX_STEPS);
  if (recent.length < MIN_STEPS) return undefined;
  const centre = medianOf(recent);
  const scale = recent.reduce((sum, value) => sum + Math.abs(value - centre), 0) / recent.length;
  if (!(scale > 0) || !Number.isFinite(scale)) return undefined;
  const normalised = (values: readonly number[]) => Float64Array.from(values, (value) => (value - centre) / scale);
  const values = normalised(recent);
  const seasons = shownSeasons(values.length, seasonsGiven);
  const span = seasons[0] ?? UNSEASONAL_SPAN_STEPS;
  const heldOut = Math.min(Math.floor(values.length * MAX_BACKTEST_SHARE), MAX_BACKTEST_SEASONS * span);
  const equations = bestEquations({
    values,
    bounds: forecastBounds(values),
    seasons,
    heldOutFrom: values.length - heldOut,
    backtestHorizonSteps: Math.min(heldOut, span),
  });
  if (equations.length === 0) return undefined;
  const expected = medianPath(equations.map((equation) => oneStepAhead(equation, values)));
  return {
    inSampleErrors: expected.map((value, index) => ((values.at(index - expected.length) ?? 0) - value) * scale),
    forecast(horizonSteps, later = []) {
      const seen = normalised([...recent, ...later]);
      const bounds = forecastBounds(seen);
      const paths = equations.map((equation) => pathFrom(equation, seen, seen.length, horizonSteps, bounds));
      return medianPath(paths).map((value) => centre + scale * value);
    },
  };
}

/**
 * Seasonal autoregressive model with differencing: the value, its change, or its change over a season, explained by recent
 * steps and by the steps around past seasons, with ridge. Differencing, lags and ridge are chosen by forecasting the end of
 * the history (at most its last quarter, at most seven seasons) from origins a season apart, with the coefficients of what
 * came before; the median of the five best, fitted again to everything, is the forecast.
 * Sources: Box & Jenkins 1970, Time Series Analysis: Forecasting and Control (seasonal lags and differencing); Hoerl &
 * Kennard 1970, Technometrics 12 (ridge). A moving-average part by the long autoregression of Hannan & Rissanen 1982
 * (Biometrika 69) is left out: many autoregressive lags stand for it, and with it the forecasts of cloud traces were worse.
 */
export const seasonalAr: PointModel = { name: 'seasonal-ar', fitTo };
