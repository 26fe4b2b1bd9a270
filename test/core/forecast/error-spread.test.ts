import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LEVELS, MEDIAN_LEVEL } from '../../../core/forecast/distribution.ts';
import { errorSpread } from '../../../core/forecast/error-spread.ts';
import { noise } from './simulated.ts';

describe('errorSpread', () => {
  const offsetAt = (offsets: readonly (readonly number[])[] | undefined, level: number, step: number) =>
    offsets?.[LEVELS.indexOf(level)]?.[step];

  it('grows as the errors did, and beyond those that were seen stays as wide as the widest', () => {
    const offsets = errorSpread(
      [
        [1, 3],
        [-1, -3],
      ],
      4,
      4,
    );
    expect(offsets?.[LEVELS.indexOf(0.975)]).toEqual([1, 3, 3, 3]);
    expect(offsets?.[LEVELS.indexOf(0.25)]).toEqual([-1, -3, -3, -3]);
    expect(offsets?.[MEDIAN_LEVEL]).toEqual([0, 0, 0, 0]);
  });

  it('never falls with the horizon: where errors did, both steps count', () => {
    const offsets = errorSpread(
      [
        [3, 1],
        [-3, -1],
      ],
      2,
      4,
    );
    // A mean error of 2 at both steps, of which the errors are ±1.5 and ±0.5; the lowest level is 0.075 of the way up.
    expect(offsetAt(offsets, 0.025, 0)).toBeCloseTo(2 * (-1.5 + 0.075), 9);
    expect(offsetAt(offsets, 0.025, 1)).toBeCloseTo(2 * (-1.5 + 0.075), 9);
  });

  it('averages errors that fall again and again, each step counting alike', () => {
    const offsets = errorSpread(
      [
        [6, 3, 0, 10],
        [-6, -3, 0, -10],
      ],
      4,
      4,
    );
    // A mean error of 3 at the first three steps and of 10 at the last. Of these the errors are ±2, ±1, 0 twice and ±1 again;
    // the highest level is 0.175 of the way from the largest to the next.
    for (const step of [0, 1, 2]) expect(offsetAt(offsets, 0.975, step)).toBeCloseTo(3 * 1.825, 9);
    expect(offsetAt(offsets, 0.975, 3)).toBeCloseTo(10 * 1.825, 9);
  });

  it('pools neighbouring steps, a quarter of a season each', () => {
    const offsets = errorSpread([[0, 2, 6, 6, 9]], 5, 8);
    const [first, second, third, , fifth] = offsets?.[LEVELS.indexOf(0.9)] ?? [];
    expect(first).toBe(second);
    expect((third ?? 0) / (first ?? 0)).toBeCloseTo(6, 9);
    expect((fifth ?? 0) / (first ?? 0)).toBeCloseTo(9, 9);
  });

  it('spreads to one side only where all errors lay there', () => {
    const offsets = errorSpread([[1, 2, 3, 4]], 2, 1) ?? [];
    for (const [place, level] of LEVELS.entries()) {
      if (level <= 0.5) expect(offsets[place]).toEqual([0, 0]);
      else expect(offsets[place]?.[1]).toBeGreaterThan(0);
    }
  });

  it('is none where the forecasts were right, and unknown without a forecast', () => {
    expect(errorSpread([[0, 0]], 3, 24)?.every((row) => row.every((offset) => Math.abs(offset) === 0))).toBe(true);
    expect(errorSpread([], 3, 24)).toBeUndefined();
    expect(errorSpread([[]], 3, 24)).toBeUndefined();
  });

  it('finds the quantiles of errors whose size grows with the root of the horizon', () => {
    const shock = noise(61);
    const rows = Array.from({ length: 800 }, () => {
      let sum = 0;
      return Array.from({ length: 12 }, () => {
        sum += shock();
        return sum;
      });
    });
    const offsets = errorSpread(rows, 12, 4);
    for (const [level, z] of [
      [0.1, -1.2816],
      [0.75, 0.6745],
      [0.975, 1.96],
    ] as const) {
      for (const step of [0, 3, 11]) {
        expect((offsetAt(offsets, level, step) ?? 0) / (z * Math.sqrt(step + 1))).toBeGreaterThan(0.85);
        expect((offsetAt(offsets, level, step) ?? 0) / (z * Math.sqrt(step + 1))).toBeLessThan(1.15);
      }
    }
  });

  it('does not cross, widens or stays with the horizon, and scales with the errors', () => {
    const errors = fc.array(fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { maxLength: 20 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(errors, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 40 }), (rows, horizon, span) => {
        const offsets = errorSpread(rows, horizon, span);
        expect(offsets === undefined).toBe(rows.every((row) => row.length === 0));
        const doubled = errorSpread(
          rows.map((row) => row.map((error) => 2 * error)),
          horizon,
          span,
        );
        for (const [place, row] of (offsets ?? []).entries()) {
          expect(row).toHaveLength(horizon);
          for (const [step, offset] of row.entries()) {
            expect(offset).toBeGreaterThanOrEqual(offsets?.[place - 1]?.[step] ?? Number.NEGATIVE_INFINITY);
            expect(Math.abs(offset)).toBeGreaterThanOrEqual(Math.abs(row[step - 1] ?? 0) - 1e-9);
            expect(Math.abs((doubled?.[place]?.[step] ?? Number.NaN) - 2 * offset)).toBeLessThan(1e-9);
          }
        }
      }),
    );
  });
});
