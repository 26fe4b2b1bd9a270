import type { Gram } from './linear-algebra.ts';
import { addRow, solveRidge } from './linear-algebra.ts';

/** The change over `difference` steps (0: the value itself), explained by the changes at `lags` steps before. */
export interface Autoregression {
  readonly difference: number;
  /** Ascending. */
  readonly lags: readonly number[];
  readonly constant: number;
  /** One for each lag. */
  readonly coefficients: Float64Array;
}

interface Bounds {
  readonly lowest: number;
  readonly highest: number;
}

/** Earlier steps that one value's explanation takes. */
export function reachSteps({ difference, lags }: Pick<Autoregression, 'difference' | 'lags'>): number {
  return difference + (lags.at(-1) ?? 0);
}

/** Each value minus the one `difference` steps before; 0 where there is none before. */
export function differenced(values: Float64Array, difference: number): Float64Array {
  if (difference === 0) return values;
  return values.map((value, step) => (step < difference ? 0 : value - (values[step - difference] ?? 0)));
}

/** Adds the steps from `from` to before `to` as observations: a constant, the changes at each lag, the change itself. */
export function addLagRows(gram: Gram, changes: Float64Array, lags: readonly number[], from: number, to: number): void {
  const row = new Float64Array(gram.width);
  row[0] = 1;
  for (let step = from; step < to; step += 1) {
    for (let k = 0; k < lags.length; k += 1) row[k + 1] = changes[step - (lags[k] ?? 0)] ?? 0;
    row[lags.length + 1] = changes[step] ?? 0;
    addRow(gram, row);
  }
}

/**
 * Conditional least squares with ridge.
 * @param gram observations of `gramLags`, of which `lags` are a part
 * @returns undefined when the lags cannot be told apart
 */
export function regress(
  gram: Gram,
  gramLags: readonly number[],
  { difference, lags, ridge }: { difference: number; lags: readonly number[]; ridge: number },
): Autoregression | undefined {
  const columns = lags.map((lag) => gramLags.indexOf(lag) + 1);
  const solved = solveRidge(gram, columns, ridge);
  if (solved === undefined) return undefined;
  return { difference, lags, constant: solved[0] ?? 0, coefficients: solved.subarray(1) };
}

function predicted({ lags, constant, coefficients }: Autoregression, changes: Float64Array, step: number): number {
  let sum = constant;
  for (let k = 0; k < lags.length; k += 1) sum += (coefficients[k] ?? 0) * (changes[step - (lags[k] ?? 0)] ?? 0);
  return sum;
}

/** What each value from step `reachSteps` on is expected to be, one step before it. */
export function oneStepAhead(equation: Autoregression, values: Float64Array): Float64Array {
  const { difference } = equation;
  const changes = differenced(values, difference);
  const reach = reachSteps(equation);
  return Float64Array.from({ length: values.length - reach }, (_, index) => {
    const step = reach + index;
    const base = difference === 0 ? 0 : (values[step - difference] ?? 0);
    return base + predicted(equation, changes, step);
  });
}

/**
 * The values from step `origin` on, each explained by those before it, forecast or not. Every value is held within the
 * bounds before the next builds on it, so that an equation that grows without end cannot.
 */
export function pathFrom(
  equation: Autoregression,
  values: Float64Array,
  origin: number,
  steps: number,
  { lowest, highest }: Bounds,
): Float64Array {
  const { difference } = equation;
  const reach = reachSteps(equation);
  const path = new Float64Array(reach + steps);
  path.set(values.subarray(origin - reach, origin));
  const changes = difference === 0 ? path : new Float64Array(path.length);
  if (difference > 0) changes.set(differenced(path.subarray(0, reach), difference));
  for (let step = reach; step < path.length; step += 1) {
    const base = difference === 0 ? 0 : (path[step - difference] ?? 0);
    const value = Math.min(highest, Math.max(lowest, base + predicted(equation, changes, step)));
    path[step] = value;
    changes[step] = value - base;
  }
  return path.subarray(reach);
}
