import type { Distribution } from './distribution.ts';
import { MEDIAN_LEVEL, withoutCrossing } from './distribution.ts';
import type { CombinationMethod } from './forecast.ts';
import { meanOf } from './statistics.ts';

export interface Combination {
  readonly method: CombinationMethod;
  /** One for each member, in their order; they sum to 1. Of a median, equal ones for those that it is taken of. */
  readonly weights: readonly number[];
}

/** Weight falls with this power of the backtest error. */
const ERROR_POWER = 8;
/** Members whose error is more than this multiple of the best one's are left out. */
const MAX_ERROR_RATIO = 2;
/** Weights have to beat the median by this share of its error: with few origins, a smaller lead is luck. */
const MIN_LEAD = 0.05;

/** The median of the first `count` values, which it puts in order: a handful, so that insertion is the fastest way. */
function medianOf(values: Float64Array, count: number): number {
  for (let place = 1; place < count; place += 1) {
    const value = values[place] ?? 0;
    let at = place;
    for (; at > 0 && (values[at - 1] ?? 0) > value; at -= 1) values[at] = values[at - 1] ?? 0;
    values[at] = value;
  }
  const middle = count >> 1;
  const above = values[middle] ?? 0;
  return count % 2 === 1 ? above : ((values[middle - 1] ?? above) + above) / 2;
}

/** Members' rows put together, step by step; as long as the shortest. Members without a weight do not count. */
function combinedRow(rows: readonly (readonly number[])[], { method, weights }: Combination): number[] {
  const steps = Math.min(...rows.map((row) => row.length));
  const weighed = rows.map((row, member) => ({ row, weight: weights[member] ?? 0 })).filter(({ weight }) => weight > 0);
  const values = new Float64Array(weighed.length);
  const combined: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    let sum = 0;
    for (const [place, { row, weight }] of weighed.entries()) {
      values[place] = row[step] ?? 0;
      sum += weight * (row[step] ?? 0);
    }
    combined.push(method === 'weights' ? sum : medianOf(values, values.length));
  }
  return combined;
}

/**
 * Combines distributions level by level, which keeps their shape where a mixture of them would be wider than any.
 * Source: Lichtendahl, Grushka-Cockayne & Winkler 2013, Is it better to average probabilities or quantiles?, Management
 * Science 59.
 */
export function combineDistributions(members: readonly Distribution[], combination: Combination): number[][] {
  const levels = members[0]?.length ?? 0;
  return withoutCrossing(
    Array.from({ length: levels }, (_, level) =>
      combinedRow(
        members.map((rows) => rows[level] ?? []),
        combination,
      ),
    ),
  );
}

/** Shares of 1 in proportion to what each counts. */
function shares(counts: readonly number[]): number[] {
  const sum = counts.reduce((total, count) => total + count, 0);
  return counts.map((count) => count / sum);
}

/** Equal weights for the members whose error is not far from the best one's. */
function medianWeights(errors: readonly number[]): number[] {
  const limit = MAX_ERROR_RATIO * Math.min(...errors);
  return shares(errors.map((error) => (error <= limit ? 1 : 0)));
}

/**
 * Weights from mean absolute errors, the larger the smaller the error.
 * Source: Bates & Granger 1969, The combination of forecasts, Operational Research Quarterly 20, with a steeper power.
 */
export function weightsOf(errors: readonly number[]): number[] {
  const best = Math.min(...errors);
  if (!(best > 0)) return shares(errors.map((error) => (error === best ? 1 : 0)));
  return shares(errors.map((error) => (error > MAX_ERROR_RATIO * best ? 0 : (best / error) ** ERROR_POWER)));
}

/** One origin of a backtest. */
export interface BacktestCase {
  /** Each member's median for the steps after the origin. */
  readonly points: readonly (readonly number[])[];
  readonly actuals: readonly number[];
}

function absoluteError(points: readonly number[], actuals: readonly number[]): number {
  return meanOf(actuals.map((actual, step) => Math.abs(actual - (points[step] ?? 0))));
}

/**
 * Chooses between the median of the members and a weighted mean, by how each would have done at every origin of the backtest
 * with the errors of the other origins. Either leaves out members far worse than the best. With a single origin there is nothing
 * to tell the two apart, and without one nothing to tell the members apart: the median.
 */
export function chooseCombination(members: number, cases: readonly BacktestCase[]): Combination {
  const errors = cases.map(({ points, actuals }) => points.map((each) => absoluteError(each, actuals)));
  const meanErrors = (rows: readonly (readonly number[])[]): number[] =>
    Array.from({ length: members }, (_, member) => meanOf(rows.map((row) => row[member] ?? 0)));
  const medianBy = (rows: readonly (readonly number[])[]): Combination => ({
    method: 'median',
    weights: medianWeights(meanErrors(rows)),
  });
  const weightedBy = (rows: readonly (readonly number[])[]): Combination => ({
    method: 'weights',
    weights: weightsOf(meanErrors(rows)),
  });
  if (members < 2 || cases.length < 2) return medianBy(errors);
  let medianError = 0;
  let weightedError = 0;
  for (const [index, { points, actuals }] of cases.entries()) {
    const others = errors.filter((_, other) => other !== index);
    medianError += absoluteError(combinedRow(points, medianBy(others)), actuals);
    weightedError += absoluteError(combinedRow(points, weightedBy(others)), actuals);
  }
  return weightedError < (1 - MIN_LEAD) * medianError ? weightedBy(errors) : medianBy(errors);
}

/** The median row of a distribution. */
export function mediansOf(rows: Distribution): readonly number[] {
  return rows[MEDIAN_LEVEL] ?? [];
}
