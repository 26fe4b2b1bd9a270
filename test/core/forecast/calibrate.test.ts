import { describe, expect, it } from '@jest/globals';
import type { Judged } from '../../../core/forecast/calibrate.ts';
import { coverageFactors, shareWithin, widened, widthFactors } from '../../../core/forecast/calibrate.ts';
import { LEVELS, MEDIAN_LEVEL } from '../../../core/forecast/distribution.ts';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import { NORMAL_QUANTILES } from '../../../core/forecast/normal-quantiles.ts';
import { noise } from './simulated.ts';

/** So much history that what was learned from it counts in full. */
const LONG = 1e6;
const factorOf = (factors: readonly number[], level: number): number => factors[LEVELS.indexOf(level)] ?? Number.NaN;
const same = LEVELS.map(() => 1);

/** Normal distributions around 50, at each of some steps. */
function normalRows(steps: number, lowerDeviation: number, upperDeviation = lowerDeviation): number[][] {
  return QUANTILE_LEVELS.map((level) => {
    const z = NORMAL_QUANTILES[level];
    return Array.from({ length: steps }, () => 50 + z * (z < 0 ? lowerDeviation : upperDeviation));
  });
}

/** Intervals of a normal distribution of the given deviation, and values that deviate by 10. */
function judgedFrom(shock: () => number, deviation: number, origins: number): Judged[] {
  return Array.from({ length: origins }, () => ({
    rows: normalRows(40, deviation),
    actuals: Array.from({ length: 40 }, () => 50 + 10 * shock()),
  }));
}

describe('widthFactors', () => {
  it.each([4, 7, 10, 16])(
    'make intervals cover what they say where %d was taken for a deviation of 10',
    (deviation) => {
      const shock = noise(71);
      const factors = widthFactors(judgedFrom(shock, deviation, 60), LONG);
      const fresh = judgedFrom(shock, deviation, 100).map(({ rows, actuals }) => ({
        rows: widened(rows, factors),
        actuals,
      }));
      expect(Math.abs(shareWithin(fresh, '0.25', '0.75') - 0.5)).toBeLessThan(0.03);
      expect(Math.abs(shareWithin(fresh, '0.1', '0.9') - 0.8)).toBeLessThan(0.03);
      expect(Math.abs(shareWithin(fresh, '0.025', '0.975') - 0.95)).toBeLessThan(0.015);
      expect(
        Math.abs(shareWithin(fresh, '0.025', '0.975') - shareWithin(judgedFrom(shock, 10, 100), '0.025', '0.975')),
      ).toBeLessThan(0.02);
    },
  );

  it('measure each value on its own side of the median', () => {
    const rows = normalRows(2, 1, 4);
    const edge = (level: number) => (rows[LEVELS.indexOf(level)]?.[0] ?? Number.NaN) - 50;
    const actuals = [50 + 2 * edge(0.1), 50 + 2 * edge(0.9)];
    const factors = widthFactors([{ rows, actuals }], LONG);
    expect(factorOf(factors, 0.9)).toBeCloseTo(2, 4);
    expect(factorOf(factors, 0.1)).toBe(factorOf(factors, 0.9));
    expect(factorOf(factors, 0.5)).toBe(1);
  });

  it('halve at most, triple at most, and are 1 where nothing was judged', () => {
    const rows = normalRows(3, 1);
    const certain = widthFactors([{ rows, actuals: [50, 50, 50] }], LONG);
    const hopeless = widthFactors([{ rows, actuals: [999, -999, 999] }], LONG);
    for (const [place, level] of LEVELS.entries()) {
      expect(certain[place]).toBeCloseTo(level === 0.5 ? 1 : 0.5, 4);
      expect(hopeless[place]).toBeCloseTo(level === 0.5 ? 1 : 3, 4);
    }
    expect(widthFactors([], 0)).toEqual(same);
    expect(widthFactors([{ rows, actuals: [] }], 3)).toEqual(same);
  });

  it('leave values at a forecast without any width out, unless they met it', () => {
    const rows = normalRows(1, 0);
    expect(widthFactors([{ rows, actuals: [80] }], LONG)).toEqual(same);
    expect(factorOf(widthFactors([{ rows, actuals: [50] }], LONG), 0.9)).toBeCloseTo(0.5, 4);
  });

  it.each([
    [0.75, 10, 0.69981, 0.67449],
    [0.9, 10, 1.37218, 1.28155],
    [0.975, 10, 2.22814, 1.95996],
    [0.975, 20, 2.08596, 1.95996],
    [0.975, 60, 2.0003, 1.95996],
  ])("widen level %d as Student's distribution of %d degrees of freedom does", (level, degrees, student, normal) => {
    const rows = normalRows(2, 5);
    const right = [rows[LEVELS.indexOf(level)]?.[0] ?? Number.NaN, 100 - (rows[LEVELS.indexOf(level)]?.[0] ?? 0)];
    const factors = widthFactors([{ rows, actuals: right }], degrees / 2);
    expect(factorOf(factors, level) / (student / normal)).toBeCloseTo(1, 2);
  });

  it('fall to 1 with the length of the backtest where the intervals were right', () => {
    const rows = normalRows(2, 5);
    const right = [rows.at(-1)?.[0] ?? Number.NaN, rows[0]?.[0] ?? Number.NaN];
    const factors = [1, 2, 4, 8, 100, LONG].map((spans) =>
      factorOf(widthFactors([{ rows, actuals: right }], spans), 0.975),
    );
    expect(factors.toSorted((a, b) => b - a)).toEqual(factors);
    expect(factors[0]).toBeGreaterThan(1.5);
    expect(factors.at(-1)).toBeCloseTo(1, 5);
  });

  it('learn more from a longer backtest', () => {
    const rows = normalRows(2, 5);
    const edges = [rows.at(-1)?.[0] ?? Number.NaN, rows[0]?.[0] ?? Number.NaN];
    const learned = [1, 4, 16, LONG].map((spans) => {
      const right = widthFactors([{ rows, actuals: edges }], spans);
      const narrow = widthFactors([{ rows, actuals: edges.map((edge) => 50 + 2 * (edge - 50)) }], spans);
      return factorOf(narrow, 0.975) / factorOf(right, 0.975);
    });
    expect(learned.toSorted((a, b) => a - b)).toEqual(learned);
    expect(learned[0]).toBeGreaterThan(1);
    expect(learned[0]).toBeLessThan(1.5);
    expect(learned.at(-1)).toBeCloseTo(2, 4);
  });
});

describe('widened', () => {
  it('multiplies distances from the median, which stays', () => {
    const rows = LEVELS.map((level) => [100 * level, 0]);
    const factors = LEVELS.map((level) => (level === 0.5 ? 1 : 3));
    const wider = widened(rows, factors);
    expect(wider[MEDIAN_LEVEL]).toEqual([50, 0]);
    expect(wider[LEVELS.indexOf(0.25)]).toEqual([-25, 0]);
    expect(wider[LEVELS.indexOf(0.75)]).toEqual([125, 0]);
    expect(widened(rows, same)).toEqual(rows);
  });
});

describe('shareWithin', () => {
  const rows = LEVELS.map((level) => LEVELS.map(() => 100 * level));

  it('counts values between two levels, the edges too', () => {
    expect(shareWithin([{ rows, actuals: [10, 90, 9.9, 90.1] }], '0.1', '0.9')).toBe(0.5);
    expect(
      shareWithin(
        [
          { rows, actuals: [50] },
          { rows, actuals: [0, 100, 95.1] },
        ],
        '0.1',
        '0.95',
      ),
    ).toBe(0.25);
  });

  it('is 0 without values', () => {
    expect(shareWithin([], '0.1', '0.9')).toBe(0);
  });
});

describe('coverageFactors', () => {
  const tracked = (level80: number, level95: number, slots = 1e9) => ({ level80, level95, slots, untilMillis: 0 });
  const wide = LEVELS.map((level) => (level === 0.5 ? 1 : 2));

  it('widen to what a normal distribution would have needed', () => {
    // 60 % lie within 0.8416 deviations where 80 % lie within 1.2816; 80 % within those where 95 % lie within 1.96.
    const corrected = coverageFactors(wide, tracked(0.6, 0.8));
    for (const level of [0.1, 0.25, 0.75, 0.9]) {
      expect(factorOf(corrected, level) / 2 / (1.2816 / 0.8416)).toBeCloseTo(1, 2);
    }
    for (const level of [0.025, 0.975]) expect(factorOf(corrected, level) / 2 / (1.96 / 1.2816)).toBeCloseTo(1, 2);
    expect(factorOf(corrected, 0.5)).toBe(1);
  });

  it('leave intervals alone that covered what they said, or were never compared', () => {
    for (const [place, factor] of coverageFactors(wide, tracked(0.8, 0.95)).entries()) {
      expect(factor / (wide[place] ?? Number.NaN)).toBeCloseTo(1, 2);
    }
    expect(coverageFactors(wide, tracked(0, 0, 0))).toEqual(wide);
  });

  it('narrow intervals that covered too much, to half at most', () => {
    const corrected = coverageFactors(same, tracked(0.9, 0.98));
    expect(factorOf(corrected, 0.9)).toBeCloseTo(1.2816 / 1.6449, 2);
    expect(factorOf(corrected, 0.975)).toBeCloseTo(1.96 / 2.3263, 2);
    expect(Math.min(...coverageFactors(same, tracked(1, 1)))).toBe(0.5);
  });

  it('triple intervals at most', () => {
    expect(Math.max(...coverageFactors(same, tracked(0, 0)))).toBe(3);
  });

  it('never widen the inner levels more than the outer ones', () => {
    const corrected = coverageFactors(same, tracked(0.5, 0.99));
    expect(factorOf(corrected, 0.9)).toBeGreaterThan(1.5);
    expect(factorOf(corrected, 0.975)).toBe(factorOf(corrected, 0.9));
  });

  it('count the more, the longer coverage was tracked', () => {
    const factors = [0, 10, 100, 1_000, 100_000].map((slots) =>
      factorOf(coverageFactors(same, tracked(0.6, 0.8, slots)), 0.9),
    );
    expect(factors.toSorted((a, b) => a - b)).toEqual(factors);
    expect(factors[0]).toBe(1);
    expect(factors[1]).toBeLessThan(1.1);
    expect(factors.at(-1)).toBeCloseTo(1.2816 / 0.8416, 1);
  });
});

describe('levels that are calibrated apart', () => {
  it('do not come to cross, and 0.95 is between its neighbours', () => {
    const rows = [-20, -10, -9, 0, 9, 10, 11, 20].map((value) => [value]);
    // Mostly errors of 5, and more of 18 than the outer levels allow for.
    const actuals = Array.from({ length: 100 }, (_, index) => (index % 10 < 7 ? 5 : 18) * (index % 2 === 0 ? 1 : -1));
    const judged = actuals.map((actual) => ({ rows, actuals: [actual] }));
    const column = widened(rows, widthFactors(judged, 20)).map(([value]) => value ?? Number.NaN);
    expect(column.toSorted((a, b) => a - b)).toEqual(column);
    expect(column[6]).toBeGreaterThanOrEqual(column[5] ?? Number.NaN);
  });
});

describe('widths that are next to nothing', () => {
  it('give factors within their limits, however many values lie infinitely many widths away', () => {
    const rows = LEVELS.map((level) => [level < 0.5 ? -5e-324 : level > 0.5 ? 5e-324 : 0]);
    const factors = widthFactors(
      [
        { rows, actuals: [1] },
        { rows, actuals: [-1] },
        { rows, actuals: [2] },
      ],
      3,
    );
    expect(factors.every((factor) => factor > 0 && factor < 10)).toBe(true);
  });
});
