import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../../core/forecast/random.ts';
import { seasonalArima } from '../../../core/forecast/seasonal-arima.ts';
import { shockPool } from '../../../core/forecast/shocks.ts';
import { theta } from '../../../core/forecast/theta.ts';
import { DEGENERATE_SERIES, noise } from './simulated.ts';

function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe('shockPool', () => {
  const draw = (errors: Float64Array): number[] => [...shockPool(errors, 24).draw(20_000, seededRandom(1))];

  it('draws shocks as large as the errors, around 0', () => {
    const shock = noise(41);
    const drawn = draw(Float64Array.from({ length: 1000 }, () => 3 * shock() + 1));
    expect(Math.abs(drawn.reduce((sum, value) => sum + value, 0) / drawn.length)).toBeLessThan(0.15);
    expect(Math.abs(deviationOf(drawn) - 3)).toBeLessThan(0.4);
  });

  it('follows errors that have become larger, and smaller', () => {
    const shock = noise(42);
    const changed = (size: number) =>
      Float64Array.from({ length: 1000 }, (_, step) => (step < 800 ? 1 : size) * shock());
    const even = deviationOf(draw(changed(1)));
    expect(deviationOf(draw(changed(5)))).toBeGreaterThan(3 * even);
    expect(deviationOf(draw(changed(0.2)))).toBeLessThan(0.8 * even);
  });

  it('keeps neighbours together that err alike', () => {
    const shock = noise(43);
    let last = 0;
    const alike = Float64Array.from({ length: 1000 }, () => {
      last = 0.8 * last + shock();
      return last;
    });
    const pool = shockPool(alike, 24);
    expect(pool.blockSteps).toBe(10);
    const drawn = pool.draw(20_000, seededRandom(2));
    let together = 0;
    for (let step = 1; step < drawn.length; step += 1) together += (drawn[step] ?? 0) * (drawn[step - 1] ?? 0);
    expect(together / drawn.length / deviationOf([...drawn]) ** 2).toBeGreaterThan(0.6);
    expect(shockPool(Float64Array.from({ length: 1000 }, shock), 24).blockSteps).toBe(1);
  });

  it.each([[[]], [[0, 0, 0]]])('draws nothing from no errors (%#)', (errors) => {
    expect([...shockPool(Float64Array.from(errors), 24).draw(3, seededRandom(3))]).toEqual([0, 0, 0]);
  });
});

describe('samplePaths', () => {
  it('spread as an AR(1) does: a variance of (1 − φ^2h) / (1 − φ²) after h steps', () => {
    const shock = noise(44);
    const values = [0];
    while (values.length < 3000) values.push(0.7 * (values.at(-1) ?? 0) + shock());
    const paths = seasonalArima.fitTo(values, [])?.samplePaths(24, 2000, seededRandom(4)) ?? [];
    for (const ahead of [1, 2, 4, 24]) {
      const expected = Math.sqrt((1 - 0.7 ** (2 * ahead)) / (1 - 0.49));
      const found = deviationOf(paths.map((path) => path[ahead - 1] ?? 0));
      expect(Math.abs(found / expected - 1)).toBeLessThan(0.12);
    }
  });

  it.each([seasonalArima, theta])('of $name spread as a random walk does: with the root of the horizon', (model) => {
    const shock = noise(45);
    const values = [0];
    while (values.length < 2000) values.push((values.at(-1) ?? 0) + shock());
    const fit = model.fitTo(values, []);
    const paths = fit?.samplePaths(16, 2000, seededRandom(5)) ?? [];
    for (const ahead of [1, 4, 16]) {
      const found = deviationOf(paths.map((path) => path[ahead - 1] ?? 0));
      expect(Math.abs(found / Math.sqrt(ahead) - 1)).toBeLessThan(0.2);
    }
  });

  it.each([seasonalArima, theta])('of $name lie around its forecast and begin after later values', (model) => {
    const shock = noise(46);
    const all = Array.from({ length: 24 * 16 }, (_, step) => 50 + 20 * Math.sin((2 * Math.PI * step) / 24) + shock());
    const fit = model.fitTo(all.slice(0, -30), [24]);
    const later = all.slice(-30, -24);
    const paths = fit?.samplePaths(24, 400, seededRandom(6), later) ?? [];
    const forecast = fit?.forecast(24, later) ?? [];
    expect(forecast).toHaveLength(24);
    for (const [step, value] of forecast.entries()) {
      const mean = paths.reduce((sum, path) => sum + (path[step] ?? 0), 0) / paths.length;
      expect(Math.abs(mean - value)).toBeLessThan(1);
    }
  });

  describe.each([seasonalArima, theta])('of $name', (model) => {
    it.each(DEGENERATE_SERIES)('are finite: %s', (_name, values) => {
      const paths = model.fitTo(values, [24, 168])?.samplePaths(30, 4, seededRandom(7)) ?? [];
      expect(paths.flatMap((path) => [...path]).filter((value) => !Number.isFinite(value))).toEqual([]);
    });
  });
});
