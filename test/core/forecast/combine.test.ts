import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { BacktestCase } from '../../../core/forecast/combine.ts';
import { chooseCombination, combineDistributions, mediansOf, weightsOf } from '../../../core/forecast/combine.ts';
import { LEVELS, MEDIAN_LEVEL } from '../../../core/forecast/distribution.ts';

/** Origins at which each member was off by one number at all of three steps. */
function casesOf(...errors: readonly (readonly number[])[]): BacktestCase[] {
  return errors.map((each) => ({ points: each.map((error) => [error, error, error]), actuals: [0, 0, 0] }));
}

describe('chooseCombination', () => {
  it('takes the median of all without an origin', () => {
    expect(chooseCombination(4, [])).toEqual({ method: 'median', weights: [0.25, 0.25, 0.25, 0.25] });
  });

  it('takes the median with a single origin, without members far worse than the best', () => {
    expect(chooseCombination(3, casesOf([1, -1.5, 2.5]))).toEqual({ method: 'median', weights: [0.5, 0.5, 0] });
  });

  it('takes a single member as it is', () => {
    expect(chooseCombination(1, casesOf([1], [2]))).toEqual({ method: 'median', weights: [1] });
  });

  it('takes weights where one member is clearly better everywhere', () => {
    const { method, weights } = chooseCombination(2, casesOf([1, 1.9], [-1, -1.9], [1, 1.9]));
    expect(method).toBe('weights');
    expect(weights[0]).toBeGreaterThan(0.9);
    expect((weights[0] ?? 0) + (weights[1] ?? 0)).toBeCloseTo(1, 12);
  });

  it('takes the median where another member is far off each time', () => {
    const { method, weights } = chooseCombination(3, casesOf([1, 1, 1.6], [1, 1.6, 1], [1.6, 1, 1]));
    expect(method).toBe('median');
    expect(weights).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  it('gives no weight to a member far worse than the best, in either way', () => {
    const worse = chooseCombination(3, casesOf([1, 1.9, 9], [-1, -1.9, -9], [1, 1.9, 9]));
    expect(worse).toMatchObject({ method: 'weights' });
    expect(worse.weights[2]).toBe(0);
    expect(chooseCombination(3, casesOf([1, -1, 9], [-1, 1, 9]))).toEqual({ method: 'median', weights: [0.5, 0.5, 0] });
  });

  it('judges the weights of an origin by the errors of the others only', () => {
    // Over all three the first member is better, and weights would have beaten the median at the very origins that they were
    // learned from. Without the first origin it is the worse one, and its weight there too small.
    expect(chooseCombination(2, casesOf([0.1, 1], [1, 0.8], [1, 0.8])).method).toBe('median');
  });

  it('leaves a lead of less than a twentieth to luck', () => {
    expect(chooseCombination(2, casesOf([1, 1.04], [1, 1.04], [1, 1.04])).method).toBe('median');
  });

  it('compares the points at each step, however many values followed', () => {
    const cases = [
      {
        points: [
          [5, 5, 5],
          [1, 1, 99],
        ],
        actuals: [1, 1],
      },
      {
        points: [
          [5, 5, 5],
          [1, 1, 99],
        ],
        actuals: [1],
      },
    ];
    expect(chooseCombination(2, cases).weights).toEqual([0, 1]);
  });
});

describe('weightsOf', () => {
  it('shares equally between equal errors', () => {
    expect(weightsOf([3, 3])).toEqual([0.5, 0.5]);
  });

  it('prefers small errors by more than in proportion', () => {
    const [better = 0, worse = 0] = weightsOf([1, 1.5]);
    expect(better / worse).toBeGreaterThan(1.5);
    expect(worse).toBeGreaterThan(0);
  });

  it('leaves out errors of more than twice the smallest', () => {
    const weights = weightsOf([1, 1.99, 2.01]);
    expect(weights[1]).toBeGreaterThan(0);
    expect(weights[2]).toBe(0);
  });

  it('shares all between those without an error', () => {
    expect(weightsOf([0, 1, 0])).toEqual([0.5, 0, 0.5]);
  });

  it('sums to 1 and never prefers a larger error', () => {
    const errors = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(errors, fc.integer({ min: -10, max: 10 }), (given, power) => {
        const weights = weightsOf(given);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        for (const [one, error] of given.entries()) {
          for (const [other, larger] of given.entries()) {
            if (error <= larger) expect(weights[one]).toBeGreaterThanOrEqual(weights[other] ?? Number.NaN);
          }
        }
        // Errors that scaling brings below what a number can hold are another matter.
        if (given.every((error) => error === 0 || error > 1e-200)) {
          for (const [place, weight] of weightsOf(given.map((error) => error * 2 ** power)).entries()) {
            expect(weight).toBeCloseTo(weights[place] ?? Number.NaN, 9);
          }
        }
      }),
    );
  });
});

describe('combineDistributions', () => {
  const level = (lowest: number) => LEVELS.map((_, place) => [lowest + place, lowest - place]);

  it('averages each level by weight and puts levels in order', () => {
    const combined = combineDistributions([level(0), level(4)], { method: 'weights', weights: [0.75, 0.25] });
    expect(combined[0]).toEqual([1, 1 - (LEVELS.length - 1)]);
    expect(combined.at(-1)).toEqual([1 + (LEVELS.length - 1), 1]);
  });

  it('takes the median of each level of those with a weight, between the middle two of an even number', () => {
    const members = [10, 0, 2, 1_000].map((value) => LEVELS.map(() => [value]));
    const medianOf = (weights: readonly number[]) => combineDistributions(members, { method: 'median', weights })[0];
    expect(medianOf([1 / 3, 1 / 3, 1 / 3, 0])).toEqual([2]);
    expect(medianOf([0.25, 0.25, 0.25, 0.25])).toEqual([6]);
    expect(medianOf([0, 0, 0, 1])).toEqual([1_000]);
  });

  it('lies between its members and does not cross', () => {
    const column = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: LEVELS.length, maxLength: LEVELS.length });
    const member = column.map((values) => values.sort((a, b) => a - b).map((value) => [value]));
    const weighted = fc.array(fc.tuple(member, fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(weighted, fc.constantFrom('median' as const, 'weights' as const), (given, method) => {
        const sum = given.reduce((total, [, count]) => total + count, 0);
        const members = given.map(([rows]) => rows);
        const combined = combineDistributions(members, { method, weights: given.map(([, count]) => count / sum) });
        for (const [place, [value = Number.NaN]] of combined.entries()) {
          const values = members.map((rows) => rows[place]?.[0] ?? Number.NaN);
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
          expect(value).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
          expect(value).toBeGreaterThanOrEqual(combined[place - 1]?.[0] ?? Number.NEGATIVE_INFINITY);
        }
      }),
    );
  });
});

describe('mediansOf', () => {
  it('is the row of the median', () => {
    expect(mediansOf(LEVELS.map((_, place) => [place]))).toEqual([MEDIAN_LEVEL]);
    expect(mediansOf([])).toEqual([]);
  });
});
