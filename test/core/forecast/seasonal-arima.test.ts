import { describe, expect, it } from '@jest/globals';
import { seasonalArima } from '../../../core/forecast/seasonal-arima.ts';
import { DEGENERATE_SERIES, meanAbsoluteError, noise } from './simulated.ts';

describe('seasonalArima', () => {
  const daily = (steps: number, shock: () => number, size: number) =>
    Array.from({ length: steps }, (_, step) => 50 + 20 * Math.sin((2 * Math.PI * step) / 24) + size * shock());

  it('continues a daily pattern without noise', () => {
    const all = daily(24 * 12, noise(1), 0);
    const fit = seasonalArima.fitTo(all.slice(0, -48), [24, 168]);
    expect(meanAbsoluteError(fit?.forecast(48) ?? [], all.slice(-48))).toBeLessThan(0.2);
  });

  it('comes close to the conditional mean of an AR(2) where repeating the last value does not', () => {
    const shock = noise(21);
    const values = [0, 0];
    while (values.length < 1500) values.push(1.2 * (values.at(-1) ?? 0) - 0.5 * (values.at(-2) ?? 0) + shock());
    const truth = values.slice(-2);
    for (let ahead = 0; ahead < 6; ahead += 1) truth.push(1.2 * (truth.at(-1) ?? 0) - 0.5 * (truth.at(-2) ?? 0));
    const path = seasonalArima.fitTo(values, [])?.forecast(6) ?? [];
    expect(meanAbsoluteError(path, truth.slice(2))).toBeLessThan(0.25);
  });

  it('keeps the last value of a random walk', () => {
    const shock = noise(22);
    const walk = [100];
    while (walk.length < 1000) walk.push((walk.at(-1) ?? 0) + shock());
    const last = walk.at(-1) ?? 0;
    const path = seasonalArima.fitTo(walk, [24])?.forecast(12) ?? [];
    expect(
      meanAbsoluteError(
        path,
        Array.from({ length: 12 }, () => last),
      ),
    ).toBeLessThan(1);
  });

  it('forecasts the smoothed level of an ARIMA(0,1,1), not its last value', () => {
    const shock = noise(23);
    let level = 50;
    let value = level;
    const values = Array.from({ length: 1500 }, () => {
      const one = 5 * shock();
      value = level + one;
      level += 0.2 * one;
      return value;
    });
    const path = seasonalArima.fitTo(values, [])?.forecast(6) ?? [];
    expect(
      meanAbsoluteError(
        path,
        Array.from({ length: 6 }, () => level),
      ),
    ).toBeLessThan(1);
    expect(Math.abs(value - level)).toBeGreaterThan(2);
  });

  it('stays at the new level after a step', () => {
    const shock = noise(24);
    const values = Array.from({ length: 336 }, (_, step) => (step < 180 ? 30 : 90) + shock());
    const path = seasonalArima.fitTo(values, [24, 168])?.forecast(24) ?? [];
    expect(
      meanAbsoluteError(
        path,
        Array.from({ length: 24 }, () => 90),
      ),
    ).toBeLessThan(3);
  });

  it('knows a week that it was shown twice', () => {
    const shock = noise(25);
    const all = Array.from({ length: 168 * 2 + 24 }, (_, step) => {
      const day = Math.floor(step / 24) % 7;
      return (day === 0 || day === 5 ? 20 : 60) + 10 * Math.sin((2 * Math.PI * step) / 24) + shock();
    });
    const held = all.slice(-24);
    const both = seasonalArima.fitTo(all.slice(0, -24), [24, 168])?.forecast(24) ?? [];
    const daily = seasonalArima.fitTo(all.slice(0, -24), [24])?.forecast(24) ?? [];
    expect(meanAbsoluteError(both, held)).toBeLessThan(4);
    expect(meanAbsoluteError(daily, held)).toBeGreaterThan(6);
  });

  it('is not led astray by single spikes', () => {
    const all = daily(24 * 14, noise(26), 1).map((value, step) => (step % 140 === 50 ? 500 : value));
    const path = seasonalArima.fitTo(all.slice(0, -24), [24, 168])?.forecast(24) ?? [];
    const held = daily(24 * 14, noise(26), 0).slice(-24);
    expect(meanAbsoluteError(path, held)).toBeLessThan(1.5);
  });

  it('goes on along a line', () => {
    const values = Array.from({ length: 120 }, (_, step) => 10 + 2 * step);
    expect(
      meanAbsoluteError(seasonalArima.fitTo(values, [])?.forecast(5) ?? [], [250, 252, 254, 256, 258]),
    ).toBeLessThan(1);
  });

  it('forecasts after later values with the parameters of the fit', () => {
    const all = daily(24 * 14, noise(2), 3);
    const fit = seasonalArima.fitTo(all.slice(0, -48), [24, 168]);
    const late = fit?.forecast(24, all.slice(-48, -24)) ?? [];
    expect(late).toHaveLength(24);
    expect(meanAbsoluteError(late, all.slice(-24))).toBeLessThan(4);
    expect(late).not.toEqual(fit?.forecast(24));
  });

  it('states its errors of one step, about as large as the noise', () => {
    const fit = seasonalArima.fitTo(daily(24 * 20, noise(3), 2), [24]);
    const errors = fit?.inSampleErrors ?? [];
    const spread = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    expect(errors.length).toBeGreaterThan(24 * 15);
    expect(spread).toBeGreaterThan(1.5);
    expect(spread).toBeLessThan(3);
  });

  it('stays near the range of an explosive series', () => {
    const values = Array.from({ length: 100 }, (_, step) => 1.5 ** step);
    const highest = values.at(-1) ?? 0;
    for (const value of seasonalArima.fitTo(values, [])?.forecast(500) ?? [Number.NaN]) {
      expect(Math.abs(value)).toBeLessThanOrEqual(1.5001 * highest);
    }
  });

  it.each([[[]], [[1]], [[1, 2, 3]], [Array.from({ length: 300 }, () => 7)], [Array.from({ length: 300 }, () => 0)]])(
    'has nothing to say about too few values or equal ones (%#)',
    (values) => {
      expect(seasonalArima.fitTo(values, [24])).toBeUndefined();
    },
  );

  it.each(DEGENERATE_SERIES)('forecasts finite values or nothing: %s', (_name, values) => {
    const path = seasonalArima.fitTo(values, [24, 168, 0, -3, 2.5])?.forecast(72) ?? [];
    expect(path.filter((value) => !Number.isFinite(value))).toEqual([]);
  });
});
