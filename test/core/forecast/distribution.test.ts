import { describe, expect, it } from '@jest/globals';
import {
  LEVELS,
  MEDIAN_LEVEL,
  onSideOf,
  probabilityOfReaching,
  quantileOf,
  trimeanOf,
  valueAt,
  withoutCrossing,
} from '../../../core/forecast/distribution.ts';

/** Even from 0 to 100 as far as the levels reach. */
const even = LEVELS.map((level) => 100 * level);
const rowsOf = (column: readonly number[]): number[][] => column.map((value) => [value]);
const certainly = (value: number): number[] => LEVELS.map(() => value);

describe('quantileOf', () => {
  it.each([
    [0, 1],
    [0.25, 1.75],
    [0.5, 2.5],
    [1, 4],
  ])('is the value at %d of the way, between neighbours', (probability, value) => {
    expect(quantileOf([1, 2, 3, 4], probability)).toBe(value);
  });

  it('is the only value of one, and 0 of none', () => {
    expect(quantileOf([7], 0.9)).toBe(7);
    expect(quantileOf([], 0.9)).toBe(0);
  });
});

describe('onSideOf', () => {
  it('moves a level only away from the median', () => {
    expect([onSideOf(0.1, -2), onSideOf(0.1, 2)]).toEqual([-2, 0]);
    expect([onSideOf(0.9, -2), onSideOf(0.9, 2)]).toEqual([0, 2]);
    expect([onSideOf(0.5, -2), onSideOf(0.5, 2)]).toEqual([0, 0]);
  });
});

describe('withoutCrossing', () => {
  it('puts each step in order by itself', () => {
    expect(
      withoutCrossing([
        [3, 1],
        [2, 5],
        [1, 2],
      ]),
    ).toEqual([
      [1, 1],
      [2, 2],
      [3, 5],
    ]);
  });
});

describe('valueAt', () => {
  it('is the level itself where one was given, and in between lies between', () => {
    for (const [place, level] of LEVELS.entries()) expect(valueAt(even, level)).toBeCloseTo(even[place] ?? 0, 9);
    expect(valueAt(even, 0.5)).toBe(even[MEDIAN_LEVEL]);
    expect(valueAt(even, 0.3)).toBeCloseTo(30, 9);
    expect(valueAt(even, 0.6)).toBeCloseTo(60, 9);
  });

  it('goes on beyond the outermost levels, and stays finite at 0 and 1', () => {
    expect(valueAt(even, 0.001)).toBeLessThan(valueAt(even, 0.01));
    expect(valueAt(even, 0.01)).toBeLessThan(2.5);
    expect(valueAt(even, 0.999)).toBeGreaterThan(valueAt(even, 0.99));
    expect(valueAt(even, 0.99)).toBeGreaterThan(97.5);
    for (const probability of [0, 1]) expect(Number.isFinite(valueAt(even, probability))).toBe(true);
  });

  it('is the one value that is certain', () => {
    for (const probability of [0, 0.01, 0.3, 0.99, 1]) expect(valueAt(certainly(5), probability)).toBe(5);
  });
});

describe('tails', () => {
  it('end where nothing can be told any more: no probability is smaller than a table can hold', () => {
    const z = rowsOf([-2, -1, -0.5, 0, 0.5, 1, 1.5, 2]);
    expect(probabilityOfReaching(z, 0, 400)).toBe(0);
    expect(probabilityOfReaching(z, 0, -400)).toBe(1);
  });

  it('thin out on both sides as the two outermost levels on each do', () => {
    const z = [-1.959964, -1.281552, -0.67449, 0, 0.67449, 1.281552, 1.644854, 1.959964];
    const above = probabilityOfReaching(rowsOf(z), 0, 2.5);
    const below = 1 - probabilityOfReaching(rowsOf(z), 0, -2.5);
    // Of a normal distribution 0.0062 on either side.
    expect(above).toBeGreaterThan(0.004);
    expect(above).toBeLessThan(0.009);
    expect(below).toBeGreaterThan(0.004);
    expect(below).toBeLessThan(0.009);
  });
});

describe('probabilityOfReaching', () => {
  const reaching = (column: readonly number[], threshold: number) =>
    probabilityOfReaching(rowsOf(column), 0, threshold);

  it('is the share of the distribution from the threshold on', () => {
    expect(reaching(even, 30)).toBeCloseTo(0.7, 9);
    expect(reaching(even, 90)).toBeCloseTo(0.1, 9);
    expect(reaching(even, 2.5)).toBeCloseTo(0.975, 9);
    expect(reaching(even, 97.5)).toBeCloseTo(0.025, 9);
  });

  it('thins out beyond the outermost levels as an exponential does: by the same factor at equal distances', () => {
    const [near, middle, far] = [97.5, 99.5, 101.5].map((threshold) => reaching(even, threshold));
    expect(far).toBeGreaterThan(0);
    expect(near).toBeGreaterThan(middle ?? Number.NaN);
    expect((middle ?? 0) / (near ?? 0)).toBeCloseTo((far ?? 0) / (middle ?? 0), 9);
    const [low, lower, lowest] = [2.5, -2.5, -7.5].map((threshold) => 1 - reaching(even, threshold));
    expect(lowest).toBeGreaterThan(0);
    expect((lower ?? 0) / (low ?? 0)).toBeCloseTo((lowest ?? 0) / (lower ?? 0), 9);
  });

  it('is certain of what is certain: reaching means at least', () => {
    expect(reaching(certainly(5), 5)).toBe(1);
    expect(reaching(certainly(5), 5.001)).toBe(0);
    expect(reaching(certainly(5), 4.999)).toBe(1);
    expect(reaching(certainly(0), 0)).toBe(1);
  });

  it('counts all of a value at which several levels lie', () => {
    const mostly = LEVELS.map((level) => (level <= 0.1 ? level * 10 : 1));
    // A quarter of the way from level 0.025 to 0.1 lies below 0.4375, the rest at 1 from level 0.1 on.
    expect(reaching(mostly, 0.4375)).toBeCloseTo(1 - (0.025 + 0.25 * 0.075), 9);
    expect(reaching(mostly, 1)).toBeCloseTo(0.9, 9);
    expect(reaching(mostly, 1.001)).toBe(0);
  });

  it('is told for each step', () => {
    const rows = even.map((value) => [value, value + 50]);
    expect([0, 1].map((step) => probabilityOfReaching(rows, step, 75))).toEqual([
      expect.closeTo(0.25, 9),
      expect.closeTo(0.75, 9),
    ]);
  });
});

describe('trimeanOf', () => {
  it('is the value that is certain, to the last bit', () => {
    expect(trimeanOf(LEVELS.map(() => [0.1 + 0.2, -3]))).toEqual([0.1 + 0.2, -3]);
  });

  it('lies between the quartiles by half the weight of the median, whatever the tails are', () => {
    // Quartiles 2 and 10, median 4: (2 + 8 + 10) ÷ 4.
    const column = [-1_000, -500, 2, 4, 10, 90, 1e6, 1e9];
    expect(trimeanOf(rowsOf(column))).toEqual([5]);
  });
});
