import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { timesUnitRatio } from '../../../core/pairing/gates.ts';

const counts = fc.integer({ min: 1, max: 1_000_000 });
/** As people write them: up to four decimals. */
const decimals = fc.integer({ min: 1, max: 100_000 }).map((parts) => ({ parts, unitRatio: parts / 10_000 }));

describe('timesUnitRatio', () => {
  it('rounds the exact product up, and nothing that only binary fractions add', () => {
    expect(timesUnitRatio(10, 1.1)).toBe(11);
    expect(timesUnitRatio(3, 0.1)).toBe(1);
    expect(timesUnitRatio(0, 0.5)).toBe(0);
    fc.assert(
      fc.property(counts, decimals, (count, { parts, unitRatio }) => {
        const exact = (BigInt(count) * BigInt(parts) + 9_999n) / 10_000n;
        expect(BigInt(timesUnitRatio(count, unitRatio))).toBe(exact);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives enough at any ratio, less than one more than needed, and the count itself at 1', () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (count, unitRatio) => {
        const whole = timesUnitRatio(count, unitRatio);
        expect(Number.isSafeInteger(whole) && whole >= 1).toBe(true);
        expect(whole).toBeGreaterThanOrEqual(count * unitRatio * (1 - 1e-11));
        expect(whole).toBeLessThan(count * unitRatio + 1);
        expect(timesUnitRatio(count, 1)).toBe(count);
      }),
    );
  });
});
