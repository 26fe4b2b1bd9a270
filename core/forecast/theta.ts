import type { FittedModel, PointModel } from './model.ts';
import { forecastBounds, shownSeasons } from './model.ts';
import { shockPool } from './shocks.ts';
import { meanOf } from './statistics.ts';

/** What each step of a season adds to, or multiplies, the series. Index: step modulo the season. */
interface Seasonality {
  readonly kind: 'none' | 'additive' | 'multiplicative';
  readonly indices: readonly number[];
}

interface Parameters {
  /** Weight of the newest value in the level. */
  readonly alpha: number;
  /** How the line and the smoothing are put together: 1 is smoothing alone, 2 the classical theta method. */
  readonly theta: number;
}

const NO_SEASONALITY: Seasonality = { kind: 'none', indices: [0] };
const MIN_STEPS = 4;
/** What is older says little of tomorrow and costs time. */
const MAX_STEPS = 5000;
/** Squares of larger values, or of smaller ones, leave what a number can hold. */
const MAX_MAGNITUDE = 1e140;
const MAX_BACKTEST_SEASONS = 4;
const MAX_BACKTEST_SHARE = 0.25;
const THETAS = [1, 1.25, 1.5, 2, 3, 5, 50];
const ALPHAS = [0.02, 0.1, 0.25, 0.5, 0.75, 0.95];
/** The level of errors is followed over at least this. */
const SHOCK_SPAN_STEPS = 24;
const MIN_ALPHA = 0.001;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const GOLDEN_STEPS = 12;
/** Dividing by an index below this says nothing. */
const MIN_INDEX = 0.01;
/** Two-sided 90 %: the level of the test that the M competitions' benchmarks use. */
const ACF_CRITICAL = 1.645;
const MAX_SUMMED_LAGS = 24;

/**
 * Whether the values repeat after a season: their autocorrelation at that lag against Bartlett's limit.
 * Source: Fiorucci et al. 2016, section 2.
 */
function isSeasonal(values: readonly number[], season: number): boolean {
  const mean = meanOf(values);
  const deviations = values.map((value) => value - mean);
  const variance = deviations.reduce((sum, value) => sum + value * value, 0);
  if (!(variance > 0)) return false;
  const correlationAt = (lag: number): number => {
    let sum = 0;
    for (let step = lag; step < deviations.length; step += 1) {
      sum += (deviations[step] ?? 0) * (deviations[step - lag] ?? 0);
    }
    return sum / variance;
  };
  // Of a long season, every so many lags stand for those around them.
  const stride = Math.ceil(season / MAX_SUMMED_LAGS);
  let squares = 0;
  for (let lag = 1; lag < season; lag += stride) squares += stride * correlationAt(lag) ** 2;
  const correlation = correlationAt(season);
  return Math.abs(correlation) > ACF_CRITICAL * Math.sqrt((1 + 2 * squares) / values.length);
}

/** Moving average over one season, centred; undefined where it would reach beyond the ends. */
function centredAverage(values: readonly number[], season: number): (number | undefined)[] {
  const half = Math.floor(season / 2);
  const even = season % 2 === 0;
  const averages: (number | undefined)[] = values.map(() => undefined);
  let sum = 0;
  for (let step = 0; step < Math.min(values.length, 2 * half); step += 1) sum += values[step] ?? 0;
  for (let step = half; step + half < values.length; step += 1) {
    const first = values[step - half] ?? 0;
    sum += values[step + half] ?? 0;
    averages[step] = (even ? sum - (first + (values[step + half] ?? 0)) / 2 : sum) / season;
    sum -= first;
  }
  return averages;
}

/** Classical decomposition: the mean departure from the centred moving average at each step of the season. */
function decompose(
  values: readonly number[],
  averages: readonly (number | undefined)[],
  season: number,
  kind: 'additive' | 'multiplicative',
): Seasonality {
  const sums = Array.from({ length: season }, () => 0);
  const counts = Array.from({ length: season }, () => 0);
  for (const [step, average] of averages.entries()) {
    if (average === undefined) continue;
    const place = step % season;
    const value = values[step] ?? 0;
    sums[place] = (sums[place] ?? 0) + (kind === 'additive' ? value - average : value / average);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const raw = sums.map((sum, place) => sum / Math.max(1, counts[place] ?? 0));
  const mean = meanOf(raw);
  return { kind, indices: raw.map((index) => (kind === 'additive' ? index - mean : index / mean)) };
}

function without({ kind, indices }: Seasonality, value: number, step: number): number {
  const index = indices[step % indices.length] ?? 0;
  if (kind === 'none') return value;
  return kind === 'additive' ? value - index : value / index;
}

function withSeason({ kind, indices }: Seasonality, value: number, step: number): number {
  const index = indices[step % indices.length] ?? 0;
  if (kind === 'none') return value;
  return kind === 'additive' ? value + index : value * index;
}

/** What the model knows after some steps of the adjusted values. */
interface State {
  readonly steps: number;
  readonly level: number;
  readonly mean: number;
  /** Slope and intercept of the least-squares line through everything seen. */
  readonly slope: number;
  readonly intercept: number;
  /** (1 − α) to the power of `steps`. */
  readonly power: number;
}

/** Before the second value: a level that makes the first forecast the first value, whatever the parameters. */
function firstState(value: number, { alpha, theta }: Parameters): State {
  const level = alpha * value + ((1 - alpha) * value) / theta;
  return { steps: 1, level, mean: value, slope: 0, intercept: value, power: 1 - alpha };
}

function expected(state: State, { alpha, theta }: Parameters): number {
  const ahead = (1 - state.power * (1 - alpha)) / alpha;
  return state.level + (1 - 1 / theta) * (state.power * state.intercept + ahead * state.slope);
}

/**
 * Takes in one value. The line is updated by recursion, as the level is.
 * Source: Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler 2016, Models for optimising the theta method and their
 * relationship to state space models, International Journal of Forecasting 32, the dynamic optimised theta model.
 */
function updated(state: State, value: number, { alpha }: Parameters): State {
  const steps = state.steps + 1;
  const slope = ((steps - 2) * state.slope + (6 / steps) * (value - state.mean)) / (steps + 1);
  const mean = state.mean + (value - state.mean) / steps;
  return {
    steps,
    level: alpha * value + (1 - alpha) * state.level,
    mean,
    slope,
    intercept: mean - (slope * (steps + 1)) / 2,
    power: state.power * (1 - alpha),
  };
}

/** The state after all of the values, and each value minus what was forecast one step before; without the first. */
function runThrough(values: readonly number[], parameters: Parameters): { state: State; errors: number[] } {
  let state = firstState(values[0] ?? 0, parameters);
  const errors: number[] = [];
  for (const value of values.slice(1)) {
    errors.push(value - expected(state, parameters));
    state = updated(state, value, parameters);
  }
  return { state, errors };
}

/** Sum of the squared errors of one step ahead. As `runThrough` does, without keeping anything: it is most of the work. */
function squaredError(values: readonly number[], parameters: Parameters): number {
  const { alpha, theta } = parameters;
  const first = firstState(values[0] ?? 0, parameters);
  let { level, mean, slope, intercept, power } = first;
  let sum = 0;
  for (let step = 1; step < values.length; step += 1) {
    const value = values[step] ?? 0;
    const ahead = (1 - power * (1 - alpha)) / alpha;
    const error = value - (level + (1 - 1 / theta) * (power * intercept + ahead * slope));
    // The line has no slope worth the name before its third value.
    if (step > 2) sum += error * error;
    const steps = step + 1;
    slope = ((steps - 2) * slope + (6 / steps) * (value - mean)) / (steps + 1);
    mean += (value - mean) / steps;
    level = alpha * value + (1 - alpha) * level;
    intercept = mean - (slope * (steps + 1)) / 2;
    power *= 1 - alpha;
  }
  return sum;
}

/** Alpha between two neighbours on the grid with the smallest squared error, by golden section. */
function refined(values: readonly number[], theta: number, from: number, to: number): Parameters {
  let low = from;
  let high = to;
  let left = { alpha: high - GOLDEN * (high - low), theta };
  let right = { alpha: low + GOLDEN * (high - low), theta };
  let leftError = squaredError(values, left);
  let rightError = squaredError(values, right);
  for (let step = 0; step < GOLDEN_STEPS; step += 1) {
    if (leftError <= rightError) {
      high = right.alpha;
      right = left;
      rightError = leftError;
      left = { alpha: high - GOLDEN * (high - low), theta };
      leftError = squaredError(values, left);
    } else {
      low = left.alpha;
      left = right;
      leftError = rightError;
      right = { alpha: low + GOLDEN * (high - low), theta };
      rightError = squaredError(values, right);
    }
  }
  return leftError <= rightError ? left : right;
}

/** What smoothing suits is told by the newest values; more of them cost time and told nothing else. */
const TUNING_STEPS = 400;

function optimised(all: readonly number[]): Parameters {
  const values = all.slice(-TUNING_STEPS);
  let best: Parameters = { alpha: ALPHAS[0] ?? 1, theta: 1 };
  let bestError = Number.POSITIVE_INFINITY;
  for (const theta of THETAS) {
    for (const alpha of ALPHAS) {
      const error = squaredError(values, { alpha, theta });
      if (error >= bestError) continue;
      bestError = error;
      best = { alpha, theta };
    }
  }
  const place = ALPHAS.indexOf(best.alpha);
  const found = refined(values, best.theta, ALPHAS[place - 1] ?? MIN_ALPHA, ALPHAS[place + 1] ?? 1);
  return squaredError(values, found) < bestError ? found : best;
}

/** The next values: what is expected, and a shock on top of it, which the next value builds on. */
function extended(state: State, parameters: Parameters, shocks: Float64Array): number[] {
  let now = state;
  return Array.from(shocks, (shock) => {
    const value = expected(now, parameters) + shock;
    now = updated(now, value, parameters);
    return value;
  });
}

function fitted(values: readonly number[], seasonality: Seasonality): FittedModel {
  const adjust = (all: readonly number[]) => all.map((value, step) => without(seasonality, value, step));
  const adjusted = adjust(values);
  const parameters = optimised(adjusted);
  return {
    inSampleErrors: runThrough(adjusted, parameters).errors.map((error, index) => {
      const step = index + 1;
      return (values[step] ?? 0) - withSeason(seasonality, (adjusted[step] ?? 0) - error, step);
    }),
    forecast(horizonSteps, later = []) {
      const seen = [...values, ...later];
      const { lowest, highest } = forecastBounds(seen);
      const { state } = runThrough(adjust(seen), parameters);
      return extended(state, parameters, new Float64Array(horizonSteps)).map((value, index) =>
        Math.min(highest, Math.max(lowest, withSeason(seasonality, value, seen.length + index))),
      );
    },
    samplePaths(horizonSteps, paths, random, later = []) {
      const seen = [...values, ...later];
      const { lowest, highest } = forecastBounds(seen);
      const { state, errors } = runThrough(adjust(seen), parameters);
      const shocks = shockPool(Float64Array.from(errors), Math.max(seasonality.indices.length, SHOCK_SPAN_STEPS));
      return Array.from({ length: paths }, () => {
        const course = extended(state, parameters, shocks.draw(horizonSteps, random));
        return Float64Array.from(course, (value, index) =>
          Math.min(highest, Math.max(lowest, withSeason(seasonality, value, seen.length + index))),
        );
      });
    },
  };
}

/** No season, and each that autocorrelation shows: as something added and, where all values are positive, as a factor. */
function seasonalities(values: readonly number[], seasons: readonly number[]): Seasonality[] {
  const found = [NO_SEASONALITY];
  const positive = values.every((value) => value > 0);
  for (const season of shownSeasons(values.length, seasons)) {
    if (!isSeasonal(values, season)) continue;
    const averages = centredAverage(values, season);
    found.push(decompose(values, averages, season, 'additive'));
    if (!positive) continue;
    const factors = decompose(values, averages, season, 'multiplicative');
    if (factors.indices.every((index) => index > MIN_INDEX)) found.push(factors);
  }
  return found;
}

/** Sum of absolute errors over `heldOut`, forecast from origins `horizonSteps` apart. */
function backtestError(model: FittedModel, heldOut: readonly number[], horizonSteps: number): number {
  let sum = 0;
  for (let origin = 0; origin < heldOut.length; origin += horizonSteps) {
    const actual = heldOut.slice(origin, origin + horizonSteps);
    const path = model.forecast(actual.length, heldOut.slice(0, origin));
    for (const [index, value] of actual.entries()) sum += Math.abs(value - (path[index] ?? 0));
  }
  return sum;
}

/** The way to take the season out that would have forecast the end of the values best. */
function bestSeasonality(values: readonly number[], seasons: readonly number[]): Seasonality {
  const candidates = seasonalities(values, seasons);
  if (candidates.length === 1) return NO_SEASONALITY;
  const span = shownSeasons(values.length, seasons)[0] ?? 1;
  const heldOutSteps = Math.min(Math.floor(values.length * MAX_BACKTEST_SHARE), MAX_BACKTEST_SEASONS * span);
  const before = values.slice(0, -heldOutSteps);
  const heldOut = values.slice(-heldOutSteps);
  const earlier = seasonalities(before, seasons);
  let best = NO_SEASONALITY;
  let smallest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const { kind, indices } = candidate;
    const known = earlier.find((one) => one.kind === kind && one.indices.length === indices.length);
    if (known === undefined) continue;
    const error = backtestError(fitted(before, known), heldOut, Math.min(heldOutSteps, span));
    if (error >= smallest) continue;
    smallest = error;
    best = candidate;
  }
  return best;
}

/**
 * Optimised theta: the series without its season is a line and an exponential smoothing of what departs from it, put together
 * with the share and the smoothing that forecast one step of the past best. Of the seasons that autocorrelation shows, as
 * something added or as a factor, the one that forecasts the end of the history best is taken out. Scaling the values scales
 * the forecast; shifting them shifts it unless the season is a factor.
 * Sources: Assimakopoulos & Nikolopoulos 2000, International Journal of Forecasting 16; Fiorucci et al. 2016, ibid. 32.
 */
export const theta: PointModel = {
  name: 'theta',
  fitTo(values, seasons) {
    const recent = values.slice(-MAX_STEPS);
    if (recent.length < MIN_STEPS || recent.every((value) => value === recent[0])) return undefined;
    const magnitude = Math.max(...recent.map(Math.abs));
    if (magnitude > MAX_MAGNITUDE || magnitude < 1 / MAX_MAGNITUDE) return undefined;
    return fitted(recent, bestSeasonality(recent, seasons));
  },
};
