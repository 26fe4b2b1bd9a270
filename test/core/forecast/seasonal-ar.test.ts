import { describe, expect, it } from '@jest/globals';
import type { Autoregression } from '../../../core/forecast/autoregression.ts';
import { addLagRows, differenced, reachSteps, regress } from '../../../core/forecast/autoregression.ts';
import { emptyGram, solveRidge } from '../../../core/forecast/linear-algebra.ts';
import { seasonalAr } from '../../../core/forecast/seasonal-ar.ts';
import { DEGENERATE_SERIES, meanAbsoluteError, noise } from './simulated.ts';

function estimate(values: readonly number[], difference: number, lags: readonly number[]): Autoregression | undefined {
  const series = Float64Array.from(values);
  const gram = emptyGram(lags.length + 2);
  const from = reachSteps({ difference, lags });
  addLagRows(gram, differenced(series, difference), lags, from, series.length);
  return regress(gram, lags, { difference, lags, ridge: 1e-9 });
}

describe('estimates of simulated processes of 4,000 steps', () => {
  it('recover an AR(2) to 0.05', () => {
    const shock = noise(11);
    const values = [0, 0];
    while (values.length < 4000) values.push(3 + 0.6 * (values.at(-1) ?? 0) - 0.3 * (values.at(-2) ?? 0) + shock());
    const found = estimate(values.slice(100), 0, [1, 2]);
    expect(Math.abs((found?.coefficients[0] ?? 0) - 0.6)).toBeLessThan(0.05);
    expect(Math.abs((found?.coefficients[1] ?? 0) + 0.3)).toBeLessThan(0.05);
    expect(Math.abs((found?.constant ?? 0) - 3)).toBeLessThan(0.3);
  });

  it('recover an ARIMA(1,1,0) with drift to 0.05', () => {
    const shock = noise(12);
    const values = [0];
    let change = 0;
    while (values.length < 4000) {
      change = 0.2 + 0.5 * change + shock();
      values.push((values.at(-1) ?? 0) + change);
    }
    const found = estimate(values, 1, [1]);
    expect(Math.abs((found?.coefficients[0] ?? 0) - 0.5)).toBeLessThan(0.05);
    expect(Math.abs((found?.constant ?? 0) - 0.2)).toBeLessThan(0.05);
  });

  it('recover a seasonal autoregression with lags 1, 24 and 25 to 0.05', () => {
    const shock = noise(13);
    const values: number[] = Array.from({ length: 25 }, () => 0);
    while (values.length < 4000) {
      values.push(0.5 * (values.at(-1) ?? 0) + 0.6 * (values.at(-24) ?? 0) - 0.3 * (values.at(-25) ?? 0) + shock());
    }
    const found = estimate(values, 0, [1, 24, 25]);
    const expected = [0.5, 0.6, -0.3];
    for (const [index, value] of expected.entries()) {
      expect(Math.abs((found?.coefficients[index] ?? 0) - value)).toBeLessThan(0.05);
    }
  });
});

describe('solveRidge', () => {
  it('shrinks coefficients towards 0 as the penalty grows and leaves the constant to the mean', () => {
    const gram = emptyGram(3);
    const values = Float64Array.from([1, 2, 3, 4, 5]);
    addLagRows(gram, values, [1], 1, 5);
    const free = solveRidge(gram, [1], 0);
    const held = solveRidge(gram, [1], 1e9);
    expect(free?.[0]).toBeCloseTo(1, 9);
    expect(free?.[1]).toBeCloseTo(1, 9);
    expect(held?.[1]).toBeCloseTo(0, 6);
    expect(held?.[0]).toBeCloseTo(3.5, 6);
  });

  it('gives up on columns that cannot be told apart', () => {
    const gram = emptyGram(3);
    addLagRows(gram, Float64Array.from([2, 2, 2, 2]), [1], 1, 4);
    expect(solveRidge(gram, [1], 0)).toBeUndefined();
  });
});

describe('seasonalAr', () => {
  const daily = (steps: number, shock: () => number, size: number) =>
    Array.from({ length: steps }, (_, step) => 50 + 20 * Math.sin((2 * Math.PI * step) / 24) + size * shock());

  it('continues a daily pattern without noise', () => {
    const all = daily(24 * 12, noise(1), 0);
    const fit = seasonalAr.fitTo(all.slice(0, -48), [24, 168]);
    expect(meanAbsoluteError(fit?.forecast(48) ?? [], all.slice(-48))).toBeLessThan(0.2);
  });

  it('comes close to the conditional mean of an AR(2) where repeating the last value does not', () => {
    const shock = noise(21);
    const values = [0, 0];
    while (values.length < 1500) values.push(1.2 * (values.at(-1) ?? 0) - 0.5 * (values.at(-2) ?? 0) + shock());
    const truth = values.slice(-2);
    for (let ahead = 0; ahead < 6; ahead += 1) truth.push(1.2 * (truth.at(-1) ?? 0) - 0.5 * (truth.at(-2) ?? 0));
    const path = seasonalAr.fitTo(values, [])?.forecast(6) ?? [];
    expect(meanAbsoluteError(path, truth.slice(2))).toBeLessThan(0.25);
  });

  it('goes on along a line', () => {
    const values = Array.from({ length: 120 }, (_, step) => 10 + 2 * step);
    expect(meanAbsoluteError(seasonalAr.fitTo(values, [])?.forecast(5) ?? [], [250, 252, 254, 256, 258])).toBeLessThan(
      1,
    );
  });

  it('forecasts after later values with the parameters of the fit', () => {
    const all = daily(24 * 14, noise(2), 3);
    const fit = seasonalAr.fitTo(all.slice(0, -48), [24, 168]);
    const late = fit?.forecast(24, all.slice(-48, -24)) ?? [];
    expect(late).toHaveLength(24);
    expect(meanAbsoluteError(late, all.slice(-24))).toBeLessThan(4);
    expect(late).not.toEqual(fit?.forecast(24));
  });

  it('states its errors of one step, about as large as the noise', () => {
    const fit = seasonalAr.fitTo(daily(24 * 20, noise(3), 2), [24]);
    const errors = fit?.inSampleErrors ?? [];
    const spread = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    expect(errors.length).toBeGreaterThan(24 * 15);
    expect(spread).toBeGreaterThan(1.5);
    expect(spread).toBeLessThan(3);
  });

  it('stays near the range of an explosive series', () => {
    const values = Array.from({ length: 100 }, (_, step) => 1.5 ** step);
    const highest = values.at(-1) ?? 0;
    for (const value of seasonalAr.fitTo(values, [])?.forecast(500) ?? [Number.NaN]) {
      expect(Math.abs(value)).toBeLessThanOrEqual(1.5001 * highest);
    }
  });

  it.each([[[]], [[1]], [[1, 2, 3]], [Array.from({ length: 300 }, () => 7)], [Array.from({ length: 300 }, () => 0)]])(
    'has nothing to say about too few values or equal ones (%#)',
    (values) => {
      expect(seasonalAr.fitTo(values, [24])).toBeUndefined();
    },
  );

  it.each(DEGENERATE_SERIES)('forecasts finite values or nothing: %s', (_name, values) => {
    const path = seasonalAr.fitTo(values, [24, 168, 0, -3, 2.5])?.forecast(72) ?? [];
    expect(path.filter((value) => !Number.isFinite(value))).toEqual([]);
  });
});
