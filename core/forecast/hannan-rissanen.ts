import type { ArmaEquation, ArmaTerms } from './arma.ts';
import { armaGram, reachSteps, regress } from './arma.ts';

/** What the coefficients of an equation are estimated from. */
export interface ArmaSample {
  /** The values, differenced as the equation says. */
  readonly changes: Float64Array;
  /** As many as changes: the errors of a long autoregression, which stand for the shocks. 0 where it does not reach. */
  readonly shocks: Float64Array;
  /** First and last step (excluded) that are explained. */
  readonly from: number;
  readonly to: number;
}

/** Multiples of the longest error lag after which what is left of one shock tells whether it dies away. */
const SHOCK_LIVES = 10;

/** Whether the moving-average part can be inverted: one wrong error has less and less weight in those that follow. */
function isInvertible({ errorCoefficients, errorLags }: ArmaEquation): boolean {
  const longest = errorLags.at(-1);
  if (longest === undefined) return true;
  const weights = new Float64Array((SHOCK_LIVES + 1) * longest + 1);
  weights[longest] = 1;
  for (let step = longest + 1; step < weights.length; step += 1) {
    let weight = 0;
    for (let k = 0; k < errorLags.length; k += 1) {
      weight -= (errorCoefficients[k] ?? 0) * (weights[step - (errorLags[k] ?? 0)] ?? 0);
    }
    weights[step] = weight;
  }
  const largestOf = (life: number): number =>
    weights
      .subarray(life * longest + 1, (life + 1) * longest + 1)
      .reduce((max, one) => Math.max(max, Math.abs(one)), 0);
  const left = largestOf(SHOCK_LIVES);
  return left < 1 && left <= largestOf(SHOCK_LIVES / 2);
}

/**
 * Estimates the coefficients of an equation with moving-average terms: a regression on earlier changes and earlier shocks.
 * Source: Hannan & Rissanen 1982, Recursive Estimation of Mixed Autoregressive-Moving Average Order, Biometrika 69, the first
 * two steps; the third, which corrects a small bias, made no forecast better.
 * @param ridge penalty on the coefficients, as a share of the columns' mean sum of squares
 * @returns undefined when there are too few steps, columns that cannot be told apart, or a moving-average part that cannot be
 *   inverted
 */
export function estimateArma(sample: ArmaSample, terms: ArmaTerms, ridge: number): ArmaEquation | undefined {
  const { changes, shocks, to } = sample;
  const from = Math.max(sample.from, reachSteps(terms));
  if (to - from <= terms.lags.length + terms.errorLags.length) return undefined;
  const equation = regress(armaGram(changes, shocks, terms, { from, to }), terms, terms, ridge);
  return equation && isInvertible(equation) ? equation : undefined;
}
