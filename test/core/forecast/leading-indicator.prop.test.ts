import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { leadingIndicator } from '../../../core/forecast/leading-indicator.ts';
import { noise } from './simulated.ts';

const STEPS = 360;

/** An indicator, and a series that follows it two steps later. */
const pair = fc.integer({ min: 1, max: 1_000_000 }).map((seed) => {
  const random = noise(seed);
  const indicator = Array.from({ length: STEPS }, () => Math.round(64 * random()));
  return {
    indicator,
    values: indicator.map((_, step) => 5 * (indicator[step - 2] ?? 0) + 100 * (step % 12) + Math.round(8 * random())),
  };
});

async function pointsOf(values: readonly number[], indicator: readonly number[]) {
  const series = { values, stepSeconds: 3_600, startMillis: 0, seasons: [12], regressors: { indicator } };
  const [forecast] = await leadingIndicator.forecastFrom(series, [STEPS], 6);
  return forecast?.points ?? [];
}

describe('a regression on leading indicators, for any series', () => {
  it('grows and moves with the series, and not with the indicator', async () => {
    await fc.assert(
      fc.asyncProperty(
        pair,
        fc.integer({ min: -6, max: 6 }),
        fc.integer({ min: -4_000, max: 4_000 }),
        async ({ values, indicator }, power, shift) => {
          const points = await pointsOf(values, indicator);
          const changed = await pointsOf(
            values.map((value) => 2 ** power * (value + shift)),
            indicator.map((value) => 4 * value - shift),
          );
          expect(points).toHaveLength(6);
          expect(changed).toHaveLength(6);
          for (const [step, point] of points.entries()) {
            expect(Math.abs((changed[step] ?? Number.NaN) / 2 ** power - shift - point)).toBeLessThan(1e-4);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
