import { describe, expect, it } from '@jest/globals';
import { theta } from '../../../core/forecast/theta.ts';
import { DEGENERATE_SERIES, meanAbsoluteError, noise } from './simulated.ts';

describe('theta', () => {
  it('goes on along a line', () => {
    const values = Array.from({ length: 100 }, (_, step) => 5 + 3 * step);
    expect(meanAbsoluteError(theta.fitTo(values, [])?.forecast(4) ?? [], [305, 308, 311, 314])).toBeLessThan(0.3);
  });

  it('keeps the last value of a random walk and the mean of pure noise', () => {
    const shock = noise(5);
    const walk = [0];
    while (walk.length < 1000) walk.push((walk.at(-1) ?? 0) + shock());
    const last = walk.at(-1) ?? 0;
    expect(Math.abs((theta.fitTo(walk, [])?.forecast(1)[0] ?? Number.NaN) - last)).toBeLessThan(0.5);
    const around = Array.from({ length: 1000 }, () => 100 + shock());
    expect(meanAbsoluteError(theta.fitTo(around, [])?.forecast(3) ?? [], [100, 100, 100])).toBeLessThan(0.5);
  });

  it('recovers the smoothing of an ARIMA(0,1,1): its errors are the shocks', () => {
    const shock = noise(6);
    const shocks = Array.from({ length: 2000 }, shock);
    let level = 0;
    const values = shocks.map((one) => {
      const value = level + one;
      level += 0.4 * one;
      return value;
    });
    const errors = theta.fitTo(values, [])?.inSampleErrors ?? [];
    expect(errors).toHaveLength(1999);
    expect(meanAbsoluteError(errors.slice(100), shocks.slice(101))).toBeLessThan(0.1);
  });

  const seasonal = (steps: number, at: (level: number, wave: number) => number, shock: () => number) =>
    Array.from({ length: steps }, (_, step) => at(100 + step, Math.sin((2 * Math.PI * step) / 24)) + shock());

  it('takes out a season that is added, and one that is a factor', () => {
    for (const at of [
      (level: number, wave: number) => level + 40 * wave,
      (level: number, wave: number) => level * (1 + 0.4 * wave),
    ]) {
      const all = seasonal(24 * 14, at, noise(7));
      const path = theta.fitTo(all.slice(0, -24), [24])?.forecast(24) ?? [];
      expect(meanAbsoluteError(path, all.slice(-24))).toBeLessThan(6);
    }
  });

  it('takes the longer season where it explains more', () => {
    const shock = noise(8);
    const weekly = Array.from({ length: 168 * 5 }, (_, step) => {
      const day = Math.floor(step / 24) % 7;
      return (day < 5 ? 60 : 20) + 10 * Math.sin((2 * Math.PI * step) / 24) + shock();
    });
    const held = weekly.slice(-72);
    const daily = theta.fitTo(weekly.slice(0, -72), [24])?.forecast(72) ?? [];
    const both = theta.fitTo(weekly.slice(0, -72), [24, 168])?.forecast(72) ?? [];
    expect(meanAbsoluteError(both, held)).toBeLessThan(3);
    expect(meanAbsoluteError(daily, held)).toBeGreaterThan(6);
  });

  it('forecasts after later values in the right phase', () => {
    const all = seasonal(24 * 14, (level, wave) => level + 40 * wave, noise(9));
    const fit = theta.fitTo(all.slice(0, -31), [24]);
    expect(meanAbsoluteError(fit?.forecast(24, all.slice(-31, -24)) ?? [], all.slice(-24))).toBeLessThan(6);
  });

  it.each([[[]], [[1]], [[1, 2, 3]], [Array.from({ length: 300 }, () => 7)], [Array.from({ length: 300 }, () => 0)]])(
    'has nothing to say about too few values or equal ones (%#)',
    (values) => {
      expect(theta.fitTo(values, [24])).toBeUndefined();
    },
  );

  it.each(DEGENERATE_SERIES)('forecasts finite values or nothing: %s', (_name, values) => {
    const path = theta.fitTo(values, [24, 168, 0, -3, 2.5])?.forecast(72) ?? [];
    expect(path.filter((value) => !Number.isFinite(value))).toEqual([]);
  });
});
