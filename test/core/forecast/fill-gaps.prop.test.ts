import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { withoutGaps } from '../../../core/forecast/fill-gaps.ts';

const gappy = fc.array(fc.option(fc.integer({ min: -100, max: 100 }), { freq: 2 }), { maxLength: 60 });
const span = fc.integer({ min: 1, max: 30 });

describe('a series without gaps', () => {
  it('keeps every known value at its step, and the range of the known ones', () => {
    fc.assert(
      fc.property(gappy, span, (values, spanSteps) => {
        const { values: filled, skipped } = withoutGaps(values, spanSteps);
        expect(filled).toHaveLength(values.length - skipped);
        const known = values.filter((value) => value !== null);
        expect(values.slice(0, skipped).every((value) => value === null)).toBe(true);
        for (const [index, value] of filled.entries()) {
          expect(value).toBe(values[skipped + index] ?? value);
          expect(value).toBeGreaterThanOrEqual(Math.min(...known));
          expect(value).toBeLessThanOrEqual(Math.max(...known));
        }
      }),
    );
  });

  it('is the pure season that it was made from, wherever it was known for one season first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 4, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
        (season, gapSteps, tailSteps) => {
          const at = (step: number) => season[step % season.length] ?? Number.NaN;
          const steps = season.length + gapSteps + tailSteps;
          const whole = Array.from({ length: steps }, (_, step) => at(step));
          const holed = whole.map((value, step) =>
            step >= season.length && step < season.length + gapSteps ? null : value,
          );
          expect(withoutGaps(holed, season.length)).toEqual({ values: whole, skipped: 0 });
        },
      ),
    );
  });
});
