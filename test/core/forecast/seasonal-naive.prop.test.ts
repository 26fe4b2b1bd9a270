import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import { seasonalNaive } from '../../../core/forecast/seasonal-naive.ts';

const anyValues = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });
const anySeasons = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 3 });
const anyHorizon = fc.integer({ min: 1, max: 40 });

async function madeFrom(values: readonly number[], seasons: readonly number[], horizonSteps: number) {
  const series = { values, stepSeconds: 300, startMillis: 0, seasons };
  const [made] = await seasonalNaive.forecastFrom(series, [values.length], horizonSteps);
  return made;
}

describe('seasonal naive, for any values', () => {
  it('repeats values of the history, with quantiles around them that do not cross', async () => {
    await fc.assert(
      fc.asyncProperty(anyValues, anySeasons, anyHorizon, async (values, seasons, horizonSteps) => {
        const made = await madeFrom(values, seasons, horizonSteps);
        expect(made?.points).toHaveLength(horizonSteps);
        for (const [step, point] of (made?.points ?? []).entries()) {
          expect(values).toContain(point);
          const column = QUANTILE_LEVELS.map((level) => made?.quantiles?.[level]?.[step] ?? Number.NaN);
          expect(column.toSorted((a, b) => a - b)).toEqual(column);
          expect(column[QUANTILE_LEVELS.indexOf('0.5')]).toBeCloseTo(point, 9);
        }
      }),
    );
  });

  it('doubles with the values', async () => {
    await fc.assert(
      fc.asyncProperty(anyValues, anySeasons, anyHorizon, async (values, seasons, horizonSteps) => {
        const made = await madeFrom(values, seasons, horizonSteps);
        const doubled = await madeFrom(
          values.map((value) => 2 * value),
          seasons,
          horizonSteps,
        );
        expect(doubled?.points).toEqual(made?.points.map((value) => 2 * value));
        expect(doubled?.quantiles?.['0.9']).toEqual(made?.quantiles?.['0.9']?.map((value) => 2 * value));
      }),
    );
  });
});
