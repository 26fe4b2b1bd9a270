import { describe, expect, it } from '@jest/globals';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import { seasonalNaive } from '../../../core/forecast/seasonal-naive.ts';

/** From the end of the values, or from earlier origins as well. */
function forecastsOf(
  values: readonly number[],
  seasons: readonly number[],
  horizonSteps: number,
  origins: readonly number[] = [values.length],
) {
  const series = { values, stepSeconds: 300, startMillis: 3_000_000, seasons };
  return seasonalNaive.forecastFrom(series, origins, horizonSteps);
}

const pointsOf = async (...args: Parameters<typeof forecastsOf>) => (await forecastsOf(...args)).at(-1)?.points;

describe('seasonal naive', () => {
  it('repeats the newest season', async () => {
    expect(await pointsOf([1, 2, 3, 4, 1, 2, 3, 5], [4], 6)).toEqual([1, 2, 3, 5, 1, 2]);
  });

  it('takes the season that would have repeated best of those that were seen twice', async () => {
    const values = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4];
    expect(await pointsOf(values, [2, 4], 4)).toEqual([1, 2, 3, 4]);
    expect(await pointsOf([1, 2, 1, 2, 1], [2, 4], 2)).toEqual([2, 1]);
    expect(await pointsOf([1, 2, 3], [2, 4], 2)).toEqual([3, 3]);
    expect(await pointsOf(values, [], 2)).toEqual([4, 4]);
  });

  it('spreads by the errors that repeating made, interpolated between them, on the side of each level', async () => {
    // Errors at the lag of 2: 0, 0, 4, 0 (steps 2 to 5), lowest first 0 0 0 4.
    const [made] = await forecastsOf([1, 1, 1, 1, 5, 1], [2], 2);
    expect(made?.points).toEqual([5, 1]);
    // 0.9 of the way over three gaps is 2.7: 0 + 0.7 × 4.
    expect(made?.quantiles?.['0.9']?.map((value) => Number(value.toFixed(9)))).toEqual([7.8, 3.8]);
    expect(made?.quantiles?.['0.025']).toEqual([5, 1]);
    // The one error is −8: nothing is expected above the last value, and the median stays on it.
    const [falling] = await forecastsOf([9, 1], [], 2);
    expect(falling?.quantiles?.['0.025']).toEqual([-7, -7]);
    expect(falling?.quantiles?.['0.5']).toEqual([1, 1]);
    expect(falling?.quantiles?.['0.975']).toEqual([1, 1]);
  });

  it('uses errors over two seasons for slots that repeat a season twice', async () => {
    // One more every season: errors of 1 at the lag of 2, of 2 at the lag of 4.
    const [made] = await forecastsOf([0, 0, 1, 1, 2, 2, 3, 3], [2], 4);
    expect(made?.points).toEqual([3, 3, 3, 3]);
    expect(made?.quantiles?.['0.9']).toEqual([4, 4, 5, 5]);
  });

  it('sees nothing of what comes after an origin', async () => {
    const values = [1, 2, 1, 2, 1, 2, 8, 9];
    const [before, wanted] = await forecastsOf(values, [2], 2, [4, 8]);
    const [alone] = await forecastsOf(values.slice(0, 4), [2], 2);
    expect(before).toEqual(alone);
    expect(before?.points).toEqual([1, 2]);
    expect(wanted?.points).toEqual([8, 9]);
  });

  it.each([
    ['one point', [3], 3],
    ['two equal points', [3, 3], 3],
    ['a constant', Array.from({ length: 40 }, () => 3), 3],
    ['zeros', Array.from({ length: 40 }, () => 0), 0],
  ])('is certain of %s', async (_what, values, expected) => {
    const [made] = await forecastsOf(values, [2, 4], 4);
    for (const level of QUANTILE_LEVELS)
      expect(made?.quantiles?.[level]).toEqual([expected, expected, expected, expected]);
  });

  it('has nothing to say without a value', async () => {
    expect(await forecastsOf([], [2], 3)).toEqual([undefined]);
  });
});
