import type { Gram, LagColumn } from './linear-algebra.ts';
import { laggedGram, solveRidge } from './linear-algebra.ts';
import type { Bounds } from './model.ts';

/** What explains the change over `difference` steps (0: the value itself). */
export interface ArmaTerms {
  readonly difference: number;
  /** Steps back at which the change itself counts, ascending. */
  readonly lags: readonly number[];
  /** Steps back at which the error of one step counts, ascending. */
  readonly errorLags: readonly number[];
}

export interface ArmaEquation extends ArmaTerms {
  readonly constant: number;
  /** One for each of `lags`. */
  readonly coefficients: Float64Array;
  /** One for each of `errorLags`. */
  readonly errorCoefficients: Float64Array;
}

/** Earlier steps that one value's explanation takes. */
export function reachSteps({ difference, lags, errorLags }: ArmaTerms): number {
  return difference + Math.max(lags.at(-1) ?? 0, errorLags.at(-1) ?? 0);
}

/** Each value minus the one `difference` steps before; 0 where there is none before. */
export function differenced(values: Float64Array, difference: number): Float64Array {
  if (difference === 0) return values;
  const changes = new Float64Array(values.length);
  for (let step = difference; step < values.length; step += 1) {
    changes[step] = (values[step] ?? 0) - (values[step - difference] ?? 0);
  }
  return changes;
}

/** The sums that any equation with a part of the terms can be estimated from. `errors` may be empty where no error lag is. */
export function armaGram(
  changes: Float64Array,
  errors: Float64Array,
  { lags, errorLags }: Pick<ArmaTerms, 'lags' | 'errorLags'>,
  { from, to }: { readonly from: number; readonly to: number },
): Gram {
  const columns: LagColumn[] = lags.map((lag) => ({ series: changes, lag }));
  for (const lag of errorLags) columns.push({ series: errors, lag });
  return laggedGram(columns, changes, from, to);
}

/**
 * Conditional least squares with ridge.
 * @param gram observations of `gramTerms`, of which `terms` are a part
 * @returns undefined when the columns cannot be told apart
 */
export function regress(
  gram: Gram,
  gramTerms: Pick<ArmaTerms, 'lags' | 'errorLags'>,
  { difference, lags, errorLags }: ArmaTerms,
  ridge: number,
): ArmaEquation | undefined {
  const columns = difference === 0 ? [0] : [];
  for (const lag of lags) columns.push(gramTerms.lags.indexOf(lag) + 1);
  for (const lag of errorLags) columns.push(gramTerms.lags.length + gramTerms.errorLags.indexOf(lag) + 1);
  const solved = solveRidge(gram, columns, ridge);
  if (solved === undefined) return undefined;
  const coefficients = difference === 0 ? solved.subarray(1) : solved;
  return {
    difference,
    lags,
    errorLags,
    constant: difference === 0 ? (solved[0] ?? 0) : 0,
    coefficients: coefficients.subarray(0, lags.length),
    errorCoefficients: coefficients.subarray(lags.length),
  };
}

function weighted(coefficients: Float64Array, lags: readonly number[], series: Float64Array, step: number): number {
  let sum = 0;
  for (let k = 0; k < lags.length; k += 1) sum += (coefficients[k] ?? 0) * (series[step - (lags[k] ?? 0)] ?? 0);
  return sum;
}

/**
 * What was measured minus what was expected one step before, from step `reachSteps` on; 0 before. An error counts in those
 * after it, so the errors of an equation whose moving-average part cannot be inverted grow without end.
 * @param changes the values, differenced as the equation says
 */
export function oneStepErrors(equation: ArmaEquation, changes: Float64Array): Float64Array {
  const { constant, coefficients, lags, errorCoefficients, errorLags } = equation;
  const errors = new Float64Array(changes.length);
  for (let step = reachSteps(equation); step < changes.length; step += 1) {
    const expected =
      constant + weighted(coefficients, lags, changes, step) + weighted(errorCoefficients, errorLags, errors, step);
    errors[step] = (changes[step] ?? 0) - expected;
  }
  return errors;
}

/** A series and what an equation is fed with, step by step. */
export interface Track {
  readonly values: Float64Array;
  /** Of the values, as the equation says; without differencing the same array. */
  readonly changes: Float64Array;
  /** Of one step; may be empty when the equation has no error lags. */
  readonly errors: Float64Array;
}

/**
 * Writes the values of the steps from `from` to before `to`, each explained by those before it, written or not. Every value is
 * held within the bounds before the next builds on it, so that an equation that grows without end cannot.
 * @param from at least `reachSteps`
 * @param shocks what each step departs from what is expected of it; none: the forecast
 */
export function continueTrack(
  equation: ArmaEquation,
  { values, changes, errors }: Track,
  { from, to }: { readonly from: number; readonly to: number },
  { lowest, highest }: Bounds,
  shocks?: Float64Array,
): void {
  const { difference, constant, coefficients, lags, errorCoefficients, errorLags } = equation;
  for (let step = from; step < to; step += 1) {
    const base = difference === 0 ? 0 : (values[step - difference] ?? 0);
    const shock = shocks === undefined ? 0 : (shocks[step - from] ?? 0);
    let value = base + constant + shock + weighted(coefficients, lags, changes, step);
    if (errorLags.length > 0) {
      value += weighted(errorCoefficients, errorLags, errors, step);
      errors[step] = shock;
    }
    // What is not a number compares as false: it too is held within the bounds.
    if (!(value >= lowest)) value = lowest;
    else if (value > highest) value = highest;
    changes[step] = value - base;
    values[step] = value;
  }
}

/**
 * The values after the end of a track, which stays as it is.
 * @param shocks as for `continueTrack`
 */
export function pathAfter(
  equation: ArmaEquation,
  { values, changes, errors }: Track,
  steps: number,
  bounds: Bounds,
  shocks?: Float64Array,
): Float64Array {
  const reach = reachSteps(equation);
  const known = (series: Float64Array): Float64Array => {
    const extended = new Float64Array(reach + steps);
    extended.set(series.subarray(series.length - reach));
    return extended;
  };
  const path = known(values);
  const track = {
    values: path,
    changes: changes === values ? path : known(changes),
    errors: equation.errorLags.length === 0 ? errors : known(errors),
  };
  continueTrack(equation, track, { from: reach, to: reach + steps }, bounds, shocks);
  return path.subarray(reach);
}
