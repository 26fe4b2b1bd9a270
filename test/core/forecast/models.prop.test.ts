import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { PointModel } from '../../../core/forecast/model.ts';
import { seededRandom } from '../../../core/forecast/random.ts';
import { seasonalArima } from '../../../core/forecast/seasonal-arima.ts';
import { theta } from '../../../core/forecast/theta.ts';

/** Whole numbers with a daily pattern of 12 steps: moved by whole numbers and scaled by powers of 2, no digit is lost. */
const demand = fc
  .tuple(
    fc.integer({ min: 0, max: 60 }),
    fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 30, maxLength: 128 }),
  )
  .map(([size, values]) => values.map((value, step) => value - 30 + (step % 12 < 6 ? size : -size)));

function pathOf(model: PointModel, values: readonly number[]): number[] | undefined {
  return model.fitTo(values, [12])?.forecast(24);
}

/** Equal to a millionth of what the history spans. */
function expectClose(path: readonly number[] | undefined, expected: readonly number[] | undefined, span: number): void {
  expect(path?.length).toBe(expected?.length);
  const gaps = (path ?? []).map((value, index) => Math.abs(value - (expected?.[index] ?? Number.NaN)));
  expect(Math.max(0, ...gaps)).toBeLessThanOrEqual(1e-6 * span);
}

describe.each([seasonalArima, theta])('$name, for any values', (model) => {
  it('forecasts 2^k times as much for 2^k times the values', () => {
    fc.assert(
      fc.property(demand, fc.integer({ min: -8, max: 8 }), (values, power) => {
        const factor = 2 ** power;
        const scaled = pathOf(
          model,
          values.map((value) => value * factor),
        );
        const expected = pathOf(model, values)?.map((value) => value * factor);
        expectClose(scaled, expected, factor * 200);
      }),
      { numRuns: 40 },
    );
  });

  it('moves with the values', () => {
    fc.assert(
      fc.property(demand, fc.integer({ min: -500, max: -120 }), (values, shift) => {
        // Below 0 throughout, where a season can only be something added.
        const low = values.map((value) => value - 120);
        const moved = pathOf(
          model,
          low.map((value) => value + shift),
        );
        expectClose(
          moved,
          pathOf(model, low)?.map((value) => value + shift),
          200,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('says the same again, finite, near the range of the values', () => {
    fc.assert(
      fc.property(demand, (values) => {
        const path = pathOf(model, values);
        expect(pathOf(model, values)).toEqual(path);
        const span = Math.max(...values) - Math.min(...values);
        for (const value of path ?? []) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) - span / 2 - 1e-9);
          expect(value).toBeLessThanOrEqual(Math.max(...values) + span / 2 + 1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('simulates the same finite paths again, near the range of the values, and scaled ones for scaled values', () => {
    fc.assert(
      fc.property(demand, fc.integer({ min: -8, max: 8 }), (values, power) => {
        const simulate = (given: readonly number[]) =>
          model.fitTo(given, [12])?.samplePaths(30, 5, seededRandom(7)) ?? [];
        const paths = simulate(values);
        expect(simulate(values)).toEqual(paths);
        const span = Math.max(...values) - Math.min(...values);
        const scaled = simulate(values.map((value) => value * 2 ** power));
        for (const [index, path] of paths.entries()) {
          expect(path).toHaveLength(30);
          expectClose(
            [...(scaled[index] ?? [])],
            Array.from(path, (value) => value * 2 ** power),
            2 ** power * 200,
          );
          expect(Math.min(...path)).toBeGreaterThanOrEqual(Math.min(...values) - span / 2 - 1e-9);
          expect(Math.max(...path)).toBeLessThanOrEqual(Math.max(...values) + span / 2 + 1e-9);
        }
      }),
      { numRuns: 20 },
    );
  });
});
