import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import { forecast } from '../../../core/forecast/seasonal-naive.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

function historyOf(values: readonly (number | null)[]) {
  return {
    poolId: specOf(BORROWER).poolId,
    resource: 'cpu' as const,
    stepSeconds: 300,
    startMillis: 3_000_000,
    values,
  };
}

describe('forecast', () => {
  it('has quantiles that do not cross and are not negative, and probabilities that agree with each other', () => {
    const values = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.double({ min: 0, max: 50, noNaN: true }) },
        { weight: 1, arbitrary: fc.constant(null) },
      ),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: 0.1, max: 60, noNaN: true }),
        (known, horizonSteps, thresholdUnits) => {
          fc.pre(known.some((value) => value !== null));
          const made = forecast(historyOf(known), { horizonSteps, seasonSteps: [6, 24], thresholdUnits });
          for (let slot = 0; slot < horizonSteps; slot += 1) {
            const bySlot = QUANTILE_LEVELS.map((level) => made.quantiles[level][slot] ?? Number.NaN);
            expect(bySlot.every((value) => value >= 0)).toBe(true);
            expect(bySlot.toSorted((a, b) => a - b)).toEqual(bySlot);
          }
          const { probability, bySlot } = made.bottleneck;
          expect(bySlot).toHaveLength(horizonSteps);
          expect(probability).toBeGreaterThanOrEqual(Math.max(...bySlot) - 1e-12);
          expect(probability).toBeLessThanOrEqual(
            Math.min(
              1,
              bySlot.reduce((sum, slot) => sum + slot, 0),
            ) + 1e-9,
          );
          expect(JSON.stringify(made)).not.toContain('NaN');
        },
      ),
    );
  });
});
