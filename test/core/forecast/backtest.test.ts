import { describe, expect, it } from '@jest/globals';
import { actualsAfter, backtestOf, seasonalScale } from '../../../core/forecast/backtest.ts';

describe('backtestOf', () => {
  it('goes back seven seasons where that is less than 30 % of the history', () => {
    const { origins, horizonSteps, spanSteps } = backtestOf(1000, [24, 168], 48);
    expect([horizonSteps, spanSteps]).toEqual([48, 24]);
    const distances = origins.slice(1).map((origin, index) => origin - (origins[index] ?? Number.NaN));
    expect(origins.length).toBeGreaterThan(5);
    expect(origins.at(-1)).toBe(976);
    expect(new Set(distances).size).toBe(1);
    expect(origins[0]).toBeGreaterThanOrEqual(1000 - 7 * 24);
    expect(origins[0]).toBeLessThan(1000 - 7 * 24 + (distances[0] ?? Number.NaN));
  });

  it('goes back 30 % of a history that is shorter than that', () => {
    expect(backtestOf(100, [24], 48)).toEqual({ origins: [76], horizonSteps: 48, spanSteps: 24 });
    expect(backtestOf(200, [24], 48).origins).toEqual([140, 152, 164, 176]);
  });

  it('begins the last forecast a horizon before the end where that is shorter than a season', () => {
    const { origins, horizonSteps } = backtestOf(1000, [24], 12);
    expect(horizonSteps).toBe(12);
    expect(origins.at(-1)).toBe(988);
  });

  it('judges a long forecast by its first two seasons', () => {
    expect(backtestOf(1000, [24], 500).horizonSteps).toBe(48);
  });

  it('does without a season that the history does not show twice', () => {
    expect(backtestOf(47, [24], 10).spanSteps).toBeLessThan(24);
    expect(backtestOf(48, [24], 10).spanSteps).toBe(24);
    expect(backtestOf(10_000, [], 48).spanSteps).toBe(24);
  });

  it('has no origin in a history too short to hold any of it out', () => {
    expect(backtestOf(11, [], 5).origins).toEqual([]);
    expect(backtestOf(12, [], 5)).toEqual({ origins: [9, 10, 11], horizonSteps: 2, spanSteps: 1 });
    expect(backtestOf(0, [24], 5).origins).toEqual([]);
  });
});

describe('actualsAfter', () => {
  const values = [10, 11, 12, 13, 14];

  it('are the values from the origin on, as many as are judged', () => {
    expect(actualsAfter(values, 1, { origins: [1], horizonSteps: 2, spanSteps: 1 })).toEqual([11, 12]);
  });

  it('end with the history', () => {
    expect(actualsAfter(values, 4, { origins: [4], horizonSteps: 2, spanSteps: 1 })).toEqual([14]);
  });
});

describe('seasonalScale', () => {
  it('is the mean absolute change over a season', () => {
    expect(seasonalScale([1, 2, 4, 1], 1)).toBe(2);
    expect(seasonalScale([1, 2, 4, 7], 2)).toBe(4);
  });

  it.each([
    ['never changes', [5, 5, 5, 5], 1],
    ['repeats itself', [1, 2, 1, 2], 2],
    ['is no longer than a season', [1, 2], 2],
    ['is shorter than a season', [1], 2],
    ['has no values', [], 1],
  ])('is unknown of a series that %s', (_, values, seasonSteps) => {
    expect(seasonalScale(values, seasonSteps)).toBeUndefined();
  });
});
