import { describe, expect, it } from '@jest/globals';
import type { SplQuantiles } from '../../bench/forecast/measures.ts';
import {
  absoluteError,
  brierSkill,
  calibrationError,
  coverage,
  overallWeightedAverage,
  percentile,
  pinballLoss,
  seasonalNaivePoints,
  seasonalScale,
  symmetricError,
} from '../../bench/forecast/measures.ts';

const told = (...events: readonly (readonly [number, boolean])[]) =>
  events.map(([probability, happened]) => ({ probability, happened }));

const quantilesAt = (...values: readonly [number, number, number, number, number]): SplQuantiles => ({
  '0.025': [values[0]],
  '0.1': [values[1]],
  '0.5': [values[2]],
  '0.9': [values[3]],
  '0.975': [values[4]],
});

describe('errors of points', () => {
  it('averages absolute errors over the steps', () => {
    expect(absoluteError([1, 5], [2, 2])).toBe(2);
  });

  it('takes symmetric percentages, and 0 where both are 0', () => {
    expect(symmetricError([100, 0], [50, 0])).toBeCloseTo((200 * 50) / 150 / 2, 10);
  });

  it('scales by the mean change over a season', () => {
    expect(seasonalScale([1, 2, 4, 8], 2)).toBe((3 + 6) / 2);
  });

  it('repeats the last season for as long as is asked', () => {
    expect(seasonalNaivePoints([9, 1, 2, 3], 3, 5)).toEqual([1, 2, 3, 1, 2]);
  });

  it("has the M4 competition's published average for its seasonal naive method on hourly series", () => {
    const owa = overallWeightedAverage({ smape: 13.912, mase: 1.193 }, { smape: 18.383, mase: 2.395 });
    expect(owa).toBeCloseTo(0.6275, 4);
  });
});

describe('pinballLoss', () => {
  it('is nothing where every quantile is the value', () => {
    expect(pinballLoss([3], quantilesAt(3, 3, 3, 3, 3))).toBe(0);
  });

  it('punishes a value above by the level and one below by the rest', () => {
    const above = 2 * (0.025 + 0.1 + 0.5 + 0.9 + 0.975);
    expect(pinballLoss([1], quantilesAt(0, 0, 0, 0, 0))).toBeCloseTo(above / 5, 10);
    expect(pinballLoss([-1], quantilesAt(0, 0, 0, 0, 0))).toBeCloseTo((2 * 5 - above) / 5, 10);
    expect(pinballLoss([0], quantilesAt(-4, -1, 0, 2, 4))).toBeCloseTo((0.2 + 0.2 + 0 + 0.4 + 0.2) / 5, 10);
  });
});

describe('coverage', () => {
  it('counts the ends as inside', () => {
    expect(coverage([1, 2, 3, 4], [1, 1, 1, 1], [3, 3, 3, 3])).toBe(0.75);
  });
});

describe('percentile', () => {
  it('interpolates between neighbours', () => {
    expect(percentile([3, 1, 2, 4], 0.5)).toBe(2.5);
    expect(percentile([0, 10], 0.95)).toBeCloseTo(9.5, 10);
  });
});

describe('brierSkill', () => {
  it('is 1 for those who knew and 0 for the base rate', () => {
    expect(brierSkill(told([1, true], [0, false]))).toBe(1);
    expect(brierSkill(told([0.25, true], [0.25, false], [0.25, false], [0.25, false]))).toBe(0);
  });

  it('is below 0 for those who are surely wrong', () => {
    expect(brierSkill(told([0, true], [1, false]))).toBe(-3);
  });

  it('is not defined where everything or nothing happened', () => {
    expect(brierSkill(told([0.5, true], [0.9, true]))).toBeUndefined();
    expect(brierSkill(told([0.5, false]))).toBeUndefined();
  });
});

describe('calibrationError', () => {
  it('compares probability and frequency within a bin', () => {
    expect(calibrationError(told([0.5, true], [0.5, false]))).toBe(0);
    expect(calibrationError(told([0.52, true], [0.58, true]))).toBeCloseTo(0.45, 10);
  });

  it('weighs bins by their size and takes 1 into the last one', () => {
    const events = told([1, true], [0.95, true], [0, false], [0.05, true]);
    expect(calibrationError(events)).toBeCloseTo((0.05 + 0.95) / 4, 10);
  });
});
