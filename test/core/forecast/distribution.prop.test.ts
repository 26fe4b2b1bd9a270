import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  LEVELS,
  probabilityOfReaching,
  quantileOf,
  valueAt,
  valuesByRank,
  withoutCrossing,
} from '../../../core/forecast/distribution.ts';

/** Values by level, each clearly above the one before. */
const rising = fc
  .tuple(
    fc.double({ min: -1_000, max: 1_000, noNaN: true }),
    fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), {
      minLength: LEVELS.length - 1,
      maxLength: LEVELS.length - 1,
    }),
  )
  .map(([lowest, gaps]) => {
    const column = [lowest];
    for (const gap of gaps) column.push((column.at(-1) ?? 0) + gap);
    return column;
  });

/** As above, but levels may share a value. */
const anyColumn = fc
  .array(fc.integer({ min: -5, max: 5 }), { minLength: LEVELS.length, maxLength: LEVELS.length })
  .map((values) => values.sort((a, b) => a - b));

const rowsOf = (column: readonly number[]): number[][] => column.map((value) => [value]);
const probability = fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true });

describe('valueAt and probabilityOfReaching', () => {
  it('undo each other, in the tails too', () => {
    fc.assert(
      fc.property(rising, probability, (column, below) => {
        const reached = probabilityOfReaching(rowsOf(column), 0, valueAt(column, below));
        expect(Math.abs(1 - reached - below)).toBeLessThan(1e-7);
      }),
      { numRuns: 500 },
    );
  });

  it('never fall, and never rise, with what they are asked', () => {
    fc.assert(
      fc.property(anyColumn, probability, probability, (column, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(valueAt(column, high)).toBeGreaterThanOrEqual(valueAt(column, low) - 1e-12);
        const [near, far] = [-10 + 20 * low, -10 + 20 * high];
        const [likely, unlikely] = [near, far].map((threshold) => probabilityOfReaching(rowsOf(column), 0, threshold));
        expect(unlikely).toBeLessThanOrEqual((likely ?? Number.NaN) + 1e-12);
        expect(likely).toBeLessThanOrEqual(1);
        expect(unlikely).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('valuesByRank', () => {
  it('are the values at the middle of equal shares', () => {
    fc.assert(
      fc.property(anyColumn, fc.integer({ min: 1, max: 300 }), (column, count) => {
        const valueOf = valuesByRank(count);
        const values = Array.from({ length: count }, (_, rank) => valueOf(column, rank));
        expect(values).toEqual(values.map((_, rank) => valueAt(column, (rank + 0.5) / count)));
      }),
    );
  });
});

describe('withoutCrossing', () => {
  const crossed = fc
    .integer({ min: 1, max: 5 })
    .chain((steps) =>
      fc.array(fc.array(fc.integer(), { minLength: steps, maxLength: steps }), { minLength: 1, maxLength: 8 }),
    );

  it('keeps the values of each step and orders them, and leaves the given rows as they were', () => {
    fc.assert(
      fc.property(crossed, (rows) => {
        const before = JSON.stringify(rows);
        const ordered = withoutCrossing(rows);
        for (const [step] of (rows[0] ?? []).entries()) {
          const column = ordered.map((row) => row[step]);
          expect(column).toEqual(rows.map((row) => row[step] ?? Number.NaN).toSorted((a, b) => a - b));
        }
        expect(JSON.stringify(rows)).toBe(before);
        expect(withoutCrossing(ordered)).toEqual(ordered);
      }),
    );
  });
});

describe('quantileOf', () => {
  it('lies in the range of the values and has the share of them below it that was asked for, to one value', () => {
    const values = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (unsorted, share) => {
        const sorted = unsorted.toSorted((a, b) => a - b);
        const value = quantileOf(sorted, share);
        const below = sorted.filter((each) => each < value - 1e-9).length;
        const above = sorted.filter((each) => each > value + 1e-9).length;
        expect(below).toBeLessThanOrEqual(share * (sorted.length - 1) + 1 + 1e-9);
        expect(above).toBeLessThanOrEqual((1 - share) * (sorted.length - 1) + 1 + 1e-9);
        expect(value).toBeGreaterThanOrEqual(sorted[0] ?? Number.NaN);
        expect(value).toBeLessThanOrEqual(sorted.at(-1) ?? Number.NaN);
      }),
    );
  });
});
