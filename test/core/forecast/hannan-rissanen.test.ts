import { describe, expect, it } from '@jest/globals';
import type { ArmaEquation, ArmaTerms } from '../../../core/forecast/arma.ts';
import { armaGram, differenced, oneStepErrors, reachSteps, regress } from '../../../core/forecast/arma.ts';
import { estimateArma } from '../../../core/forecast/hannan-rissanen.ts';
import { noise } from './simulated.ts';

const RIDGE = 1e-9;
const LONG_LAGS = Array.from({ length: 50 }, (_, index) => index + 1);

/** Both steps: a long autoregression, then the equation on its errors. */
function estimate(values: readonly number[], terms: ArmaTerms): ArmaEquation | undefined {
  const changes = differenced(Float64Array.from(values), terms.difference);
  const long = { difference: terms.difference, lags: LONG_LAGS, errorLags: [] };
  const range = { from: reachSteps(long), to: values.length };
  const autoregression = regress(armaGram(changes, changes, long, range), long, long, RIDGE);
  if (autoregression === undefined) return undefined;
  const shocks = oneStepErrors(autoregression, changes);
  return estimateArma({ changes, shocks, from: 2 * reachSteps(long), to: values.length }, terms, RIDGE);
}

/** A process without constant, from 0. */
function simulate(
  seed: number,
  { difference, lags, errorLags }: ArmaTerms,
  coefficients: readonly number[],
  errorCoefficients: readonly number[],
): number[] {
  const shock = noise(seed);
  const shocks = Array.from({ length: 4000 }, shock);
  const changes: number[] = [];
  const values: number[] = [];
  for (const [step, own] of shocks.entries()) {
    let change = own;
    for (const [k, lag] of lags.entries()) change += (coefficients[k] ?? 0) * (changes[step - lag] ?? 0);
    for (const [k, lag] of errorLags.entries()) change += (errorCoefficients[k] ?? 0) * (shocks[step - lag] ?? 0);
    changes.push(change);
    values.push(change + (difference === 0 ? 0 : (values[step - difference] ?? 0)));
  }
  return values;
}

describe('estimates of simulated processes of 4,000 steps', () => {
  it.each<[string, ArmaTerms, readonly number[], readonly number[]]>([
    ['AR(2)', { difference: 0, lags: [1, 2], errorLags: [] }, [0.6, -0.3], []],
    ['ARIMA(1,1,0)', { difference: 1, lags: [1], errorLags: [] }, [0.5], []],
    ['seasonal AR', { difference: 0, lags: [1, 24, 25], errorLags: [] }, [0.5, 0.6, -0.3], []],
    ['MA(1)', { difference: 0, lags: [], errorLags: [1] }, [], [0.6]],
    ['ARMA(1,1)', { difference: 0, lags: [1], errorLags: [1] }, [0.7], [0.4]],
    ['ARIMA(0,1,1)', { difference: 1, lags: [], errorLags: [1] }, [], [-0.6]],
    ['ARIMA(0,1,2)', { difference: 1, lags: [], errorLags: [1, 2] }, [], [-0.4, 0.3]],
    [
      'ARIMA(0,0,1)(0,1,1) with a season of 24',
      { difference: 24, lags: [], errorLags: [1, 24, 25] },
      [],
      [0.5, -0.5, -0.25],
    ],
  ])('recover the coefficients of %s to 0.06', (_name, terms, coefficients, errorCoefficients) => {
    const found = estimate(simulate(11, terms, coefficients, errorCoefficients), terms);
    const estimates = [...(found?.coefficients ?? []), ...(found?.errorCoefficients ?? [])];
    const expected = [...coefficients, ...errorCoefficients];
    expect(estimates).toHaveLength(expected.length);
    for (const [index, value] of expected.entries()) {
      expect(Math.abs((estimates[index] ?? Number.NaN) - value)).toBeLessThan(0.06);
    }
  });

  it('recover the constant of an AR(1) around 10, and know none of changes', () => {
    const terms = { difference: 0, lags: [1], errorLags: [] };
    const found = estimate(
      simulate(12, terms, [0.5], []).map((value) => value + 10),
      terms,
    );
    expect(Math.abs((found?.constant ?? 0) - 5)).toBeLessThan(0.5);
    const walk = simulate(13, { difference: 1, lags: [], errorLags: [1] }, [], [0.3]);
    expect(estimate(walk, { difference: 1, lags: [], errorLags: [1] })?.constant).toBe(0);
  });
});

describe('estimateArma', () => {
  const shocks = Float64Array.from({ length: 400 }, noise(14));

  it('rejects a moving average that cannot be inverted', () => {
    const changes = shocks.map((own, step) => own + 1.8 * (shocks[step - 1] ?? 0));
    const terms = { difference: 0, lags: [], errorLags: [1] };
    expect(estimateArma({ changes, shocks, from: 1, to: 400 }, terms, RIDGE)).toBeUndefined();
  });

  it('needs more steps than coefficients', () => {
    const terms = { difference: 0, lags: [1, 2], errorLags: [1] };
    expect(estimateArma({ changes: shocks, shocks, from: 2, to: 5 }, terms, RIDGE)).toBeUndefined();
  });
});
