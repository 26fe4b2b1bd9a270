// What the global LSTM is told of a history, and what its answer means. models/training/features.py computes the same numbers.
import type { QuantileLevel } from './forecast.ts';
import { QUANTILE_LEVELS } from './forecast.ts';
import { lstmCandidates } from './lstm-candidates.ts';
import { meanOf, medianOf } from './statistics.ts';

/** Hours of a day: the step of every lag below. */
export const LSTM_DAY_STEPS = 24;
/** Hours that one run of the network forecasts. */
export const LSTM_HORIZON_STEPS = 48;
/** Hours of history that are used at most; older ones are left out. */
export const LSTM_HISTORY_STEPS = 720;
/** Hours of history that the network reads one by one. */
export const LSTM_CONTEXT_STEPS = 336;
/** Hours that the network takes in one step. */
export const LSTM_PATCH_STEPS = 24;

const DAY = LSTM_DAY_STEPS;
const WEEK = 7 * DAY;
const HORIZON = LSTM_HORIZON_STEPS;
const CONTEXT = LSTM_CONTEXT_STEPS;
const PATCH = LSTM_PATCH_STEPS;
const BACKTESTS = 3;
/** Which candidate is the mean of the same hours, to which the others are compared. */
const BASE = 2;
const CANDIDATES = 16;
const CONTEXT_FEATURES = 6;
const MEDIAN = QUANTILE_LEVELS.indexOf('0.5');
/** Normalised: a series that repeats itself exactly would have no scale. */
const LEAST_SCALE = 0.01;
const SMALL = 0.02;

/** Values of the network's answer for each hour: weights of the candidates, a correction, distances between quantiles. */
const OUTPUTS = CANDIDATES + QUANTILE_LEVELS.length;

/** Sizes of the network's inputs and output for one history. */
export const LSTM_SHAPES = {
  context: [CONTEXT / PATCH, PATCH * CONTEXT_FEATURES],
  horizon: [HORIZON / PATCH, PATCH * CANDIDATES],
  statics: [2 * CANDIDATES + 13],
  answer: [HORIZON, OUTPUTS],
} as const;

/** The network's inputs for one history, and what its answer is measured in. */
export interface LstmFeatures {
  readonly context: Float32Array;
  readonly horizon: Float32Array;
  readonly statics: Float32Array;
  /** Simple forecasts of the horizon, normalised. */
  readonly candidates: readonly Float64Array[];
  /** Normalised size of an error of the best candidate. */
  readonly unit: number;
  /** Median and mean absolute deviation of the history: a normalised value is (value − location) ÷ scale. */
  readonly location: number;
  readonly scale: number;
}

/** Mean absolute change over `lag` steps, among the values themselves. */
function meanChange(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let step = lag; step < values.length; step += 1)
    sum += Math.abs((values[step] ?? 0) - (values[step - lag] ?? 0));
  return sum / Math.max(1, values.length - lag);
}

/** Mean absolute error of each candidate over the last day, and over up to three of the last days. */
function backtest(z: Float64Array): { readonly lastDay: number[]; readonly mean: number[] } {
  const byDay: number[][] = [];
  for (let back = 1; back <= BACKTESTS && z.length - back * DAY >= DAY; back += 1) {
    const end = z.length - back * DAY;
    byDay.push(
      lstmCandidates(z.subarray(0, end)).map((candidate) => {
        let sum = 0;
        for (let hour = 0; hour < DAY; hour += 1) sum += Math.abs((candidate[hour] ?? 0) - (z[end + hour] ?? 0));
        return sum / DAY;
      }),
    );
  }
  const lastDay = byDay[0] ?? [];
  return { lastDay, mean: lastDay.map((_, index) => meanOf(byDay.map((errors) => errors[index] ?? 0))) };
}

/** By hour: the value, its change over a day and over a week, its distance from the same hours before; what of it is known. */
function contextFeatures(z: Float64Array, seasonal: number): Float32Array {
  const features = new Float32Array(CONTEXT * CONTEXT_FEATURES);
  for (let place = 0; place < CONTEXT; place += 1) {
    const step = z.length - CONTEXT + place;
    if (step < 0) continue;
    const now = z[step] ?? 0;
    let sum = 0;
    let count = 0;
    for (let day = 1; day <= 7 && step - day * DAY >= 0; day += 1) {
      sum += z[step - day * DAY] ?? 0;
      count += 1;
    }
    const change = (earlier: number): number => Math.asinh((now - earlier) / seasonal);
    // A patch holds its hours feature by feature.
    const first = Math.floor(place / PATCH) * PATCH * CONTEXT_FEATURES + (place % PATCH);
    features[first] = Math.asinh(now);
    features[first + 4 * PATCH] = 1;
    if (count > 0) {
      features[first + PATCH] = change(z[step - DAY] ?? 0);
      features[first + 3 * PATCH] = change(sum / count);
    }
    if (step >= WEEK) {
      features[first + 2 * PATCH] = change(z[step - WEEK] ?? 0);
      features[first + 5 * PATCH] = 1;
    }
  }
  return features;
}

/** By hour: the mean of the same hours, and how far from it the other candidates are. */
function horizonFeatures(candidates: readonly Float64Array[], seasonal: number): Float32Array {
  const others = candidates.filter((_, index) => index !== BASE);
  const features = new Float32Array(HORIZON * CANDIDATES);
  for (let hour = 0; hour < HORIZON; hour += 1) {
    const base = candidates[BASE]?.[hour] ?? 0;
    features[hour * CANDIDATES] = Math.asinh(base);
    for (const [index, other] of others.entries()) {
      features[hour * CANDIDATES + index + 1] = Math.asinh(((other[hour] ?? 0) - base) / seasonal);
    }
  }
  return features;
}

interface Scales {
  readonly seasonal: number;
  readonly unit: number;
}

/** Numbers of the whole series: how the candidates fared, how rough it is, how long, where it stands. */
function staticFeatures(
  z: Float64Array,
  errors: ReturnType<typeof backtest>,
  { seasonal, unit }: Scales,
): Float32Array {
  const tail = z.subarray(Math.max(0, z.length - CONTEXT));
  const day = z.subarray(z.length - DAY);
  const level = meanOf(day);
  const small = SMALL * seasonal;
  const ratio = (error: number): number => Math.log((error + small) / seasonal);
  return Float32Array.from([
    ...errors.mean.map(ratio),
    ...errors.lastDay.map(ratio),
    Math.log(seasonal),
    Math.log(z.length / CONTEXT),
    z.length >= WEEK ? 1 : 0,
    z.length >= WEEK + DAY ? 1 : 0,
    z.length >= 2 * WEEK ? 1 : 0,
    Math.log(unit / seasonal),
    ratio(meanChange(tail, 1)),
    ratio(meanChange(z.subarray(z.length - DAY - 1), 1)),
    Math.log(meanOf(day.map((value) => Math.abs(value - level))) + SMALL),
    Math.asinh(day[DAY - 1] ?? 0),
    Math.asinh(level),
    Math.asinh(tail.reduce((highest, value) => Math.max(highest, value), Number.NEGATIVE_INFINITY)),
    Math.asinh(tail.reduce((lowest, value) => Math.min(lowest, value), Number.POSITIVE_INFINITY)),
  ]);
}

/**
 * @param values hourly (24 steps a day), oldest first, all finite; the last LSTM_HISTORY_STEPS are used
 * @returns undefined when there are fewer than two days of them, or when the last two weeks do not differ
 */
export function lstmFeatures(values: ArrayLike<number>): LstmFeatures | undefined {
  if (values.length < 2 * DAY) return undefined;
  const used = Float64Array.from(values).subarray(Math.max(0, values.length - LSTM_HISTORY_STEPS));
  const recent = used.subarray(Math.max(0, used.length - CONTEXT));
  const location = medianOf(recent);
  const scale = meanOf(recent.map((value) => Math.abs(value - location)));
  if (!(scale > 0) || !Number.isFinite(scale)) return undefined;
  const z = used.map((value) => (value - location) / scale);
  if (!z.every(Number.isFinite)) return undefined;
  const seasonal = Math.max(LEAST_SCALE, meanChange(z.subarray(Math.max(0, z.length - CONTEXT)), DAY));
  const candidates = lstmCandidates(z);
  const errors = backtest(z);
  const unit = Math.min(3 * seasonal, Math.max(0.05 * seasonal, Math.min(...errors.mean)));
  return {
    context: contextFeatures(z, seasonal),
    horizon: horizonFeatures(candidates, seasonal),
    statics: staticFeatures(z, errors, { seasonal, unit }),
    candidates,
    unit,
    location,
    scale,
  };
}

/** ln(1 + e^x), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Quantiles of one hour, normalised: a weighted mean of the candidates, corrected, and steps up and down from it. */
function hourQuantiles(answer: ArrayLike<number>, offset: number, features: LstmFeatures, hour: number): number[] {
  const raw = (index: number): number => answer[offset + index] ?? 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < CANDIDATES; index += 1) highest = Math.max(highest, raw(index));
  let total = 0;
  let sum = 0;
  for (const [index, candidate] of features.candidates.entries()) {
    const weight = Math.exp(raw(index) - highest);
    total += weight;
    sum += weight * (candidate[hour] ?? 0);
  }
  const quantiles = QUANTILE_LEVELS.map(() => sum / total + raw(CANDIDATES) * features.unit);
  const gap = (index: number): number => softplus(raw(CANDIDATES + 1 + index)) * features.unit;
  for (let level = MEDIAN - 1; level >= 0; level -= 1) quantiles[level] = (quantiles[level + 1] ?? 0) - gap(level);
  for (let level = MEDIAN + 1; level < QUANTILE_LEVELS.length; level += 1) {
    quantiles[level] = (quantiles[level - 1] ?? 0) + gap(level - 1);
  }
  return quantiles;
}

/**
 * Quantiles in the series' own units.
 * @param answer the network's raw answer for this history: LSTM_HORIZON_STEPS × OUTPUTS values
 * @returns LSTM_HORIZON_STEPS values for each level; a higher level is never below a lower one
 */
export function lstmQuantiles(answer: ArrayLike<number>, features: LstmFeatures): Record<QuantileLevel, number[]> {
  const byHour = Array.from({ length: HORIZON }, (_, hour) => hourQuantiles(answer, hour * OUTPUTS, features, hour));
  const inUnits = (value: number): number => value * features.scale + features.location;
  return Object.fromEntries(
    QUANTILE_LEVELS.map((level, index) => [level, byHour.map((hour) => inUnits(hour[index] ?? 0))]),
  ) as Record<QuantileLevel, number[]>;
}
