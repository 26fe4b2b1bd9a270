import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { actualsAfter, backtestOf } from '../../../core/forecast/backtest.ts';

const steps = fc.integer({ min: 0, max: 3_000 });
const seasons = fc.array(fc.integer({ min: 2, max: 200 }), { maxLength: 3 });
const horizon = fc.integer({ min: 1, max: 300 });

describe('the origins of a backtest', () => {
  it('lie within the last 30 % and the last seven seasons, at most nine, half a season or more apart', () => {
    fc.assert(
      fc.property(steps, seasons, horizon, (length, seasonSteps, horizonSteps) => {
        const backtest = backtestOf(length, seasonSteps, horizonSteps);
        const { origins, spanSteps } = backtest;
        expect(origins.length).toBeLessThanOrEqual(9);
        expect(origins.length > 0).toBe(length >= 12);
        for (const [index, origin] of origins.entries()) {
          expect(Number.isSafeInteger(origin)).toBe(true);
          expect(10 * origin).toBeGreaterThanOrEqual(7 * length);
          expect(origin).toBeGreaterThanOrEqual(length - 7 * spanSteps);
          expect(origin - (origins[index - 1] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(spanSteps / 2);
        }
        expect(backtest.horizonSteps).toBeLessThanOrEqual(Math.min(horizonSteps, 2 * spanSteps));
      }),
      { numRuns: 500 },
    );
  });

  it('each have at least one value to be judged by, and no more than are judged', () => {
    fc.assert(
      fc.property(steps, seasons, horizon, (length, seasonSteps, horizonSteps) => {
        const backtest = backtestOf(length, seasonSteps, horizonSteps);
        const values = Array.from({ length }, (_, step) => step);
        for (const origin of backtest.origins) {
          const actuals = actualsAfter(values, origin, backtest);
          expect(actuals[0]).toBe(origin);
          expect(actuals).toHaveLength(Math.min(backtest.horizonSteps, length - origin));
        }
      }),
    );
  });
});
