import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { coverageFactors, widthFactors } from '../../../core/forecast/calibrate.ts';
import { LEVELS, MEDIAN_LEVEL } from '../../../core/forecast/distribution.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const slots = fc.integer({ min: 0, max: 10_000 });
const same = LEVELS.map(() => 1);

describe('coverageFactors', () => {
  it('stay between half and three times, and leave the median', () => {
    fc.assert(
      fc.property(share, share, slots, (level80, level95, count) => {
        const factors = coverageFactors(same, { level80, level95, slots: count, untilMillis: 0 });
        expect(factors[MEDIAN_LEVEL]).toBe(1);
        expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.5);
        expect(Math.max(...factors)).toBeLessThanOrEqual(3);
      }),
    );
  });

  it('do not rise with what was covered', () => {
    fc.assert(
      fc.property(share, share, share, share, slots, (a80, b80, a95, b95, count) => {
        const tracked = { slots: count, untilMillis: 0 };
        const less = { ...tracked, level80: Math.min(a80, b80), level95: Math.min(a95, b95) };
        const more = { ...tracked, level80: Math.max(a80, b80), level95: Math.max(a95, b95) };
        const narrower = coverageFactors(same, more);
        for (const [place, factor] of coverageFactors(same, less).entries()) {
          expect(factor).toBeGreaterThanOrEqual((narrower[place] ?? Number.NaN) - 1e-12);
        }
      }),
    );
  });
});

describe('widthFactors', () => {
  const actuals = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

  it('are the same for both sides, however the values are scaled and shifted', () => {
    fc.assert(
      fc.property(actuals, fc.integer({ min: -3, max: 3 }), fc.integer({ min: 1, max: 50 }), (values, power, spans) => {
        const scale = 2 ** power;
        const rows = LEVELS.map((level) => values.map(() => 1_000 * level));
        const factors = widthFactors([{ rows, actuals: values }], spans);
        const moved = widthFactors(
          [
            {
              rows: rows.map((row) => row.map((value) => scale * value)),
              actuals: values.map((value) => scale * value),
            },
          ],
          spans,
        );
        expect(moved).toEqual(factors);
        for (const [one, other] of [
          [0.025, 0.975],
          [0.1, 0.9],
          [0.25, 0.75],
        ] as const) {
          expect(factors[LEVELS.indexOf(one)]).toBe(factors[LEVELS.indexOf(other)]);
          expect(factors[LEVELS.indexOf(one)]).toBeGreaterThan(0);
        }
      }),
    );
  });
});
