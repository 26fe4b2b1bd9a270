import { describe, expect, it } from '@jest/globals';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import { forecast } from '../../../core/forecast/seasonal-naive.ts';
import type { DemandHistory } from '../../../core/telemetry/history.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

function historyOf(values: readonly (number | null)[]): DemandHistory {
  return { poolId: specOf(BORROWER).poolId, resource: 'cpu', stepSeconds: 300, startMillis: 3_000_000, values };
}

const options = { horizonSteps: 4, seasonSteps: [2, 4], thresholdUnits: 5 };

describe('forecast', () => {
  it('repeats the longest season that it has seen twice', () => {
    const history = historyOf([1, 2, 3, 4, 1, 2, 3, 4]);
    const made = forecast(history, options);
    expect(made.startMillis).toBe(3_000_000 + 8 * 300_000);
    expect(made.quantiles['0.5']).toEqual([1, 2, 3, 4]);
    expect(made.models).toEqual([{ name: 'seasonal-naive-4', weight: 1, backtestMase: null }]);
  });

  it('falls back to a shorter season, then to the last value', () => {
    expect(forecast(historyOf([1, 2, 1, 2, 1]), options).models[0]?.name).toBe('seasonal-naive-2');
    const short = forecast(historyOf([1, 2, 3]), options);
    expect(short.models[0]?.name).toBe('last-value');
    // The last value, and the error of 1 that each step back in the history made.
    expect(short.quantiles['0.5']).toEqual([4, 4, 4, 4]);
  });

  it('spreads by the errors that repeating made, interpolated between them, and never below 0', () => {
    // Errors at the lag of 2: 0, 0, 4, 0 (steps 2 to 5), lowest first 0 0 0 4.
    const made = forecast(historyOf([1, 1, 1, 1, 5, 1]), { ...options, horizonSteps: 2, seasonSteps: [2] });
    expect(made.quantiles['0.5']).toEqual([5, 1]);
    // 0.9 of the way over three gaps is 2.7: 0 + 0.7 × 4.
    expect(made.quantiles['0.9'].map((value) => Number(value.toFixed(9)))).toEqual([7.8, 3.8]);
    expect(made.mean).toEqual([6, 2]);
    const falling = forecast(historyOf([9, 1]), { ...options, seasonSteps: [] });
    expect(falling.quantiles['0.975']).toEqual([0, 0, 0, 0]);
  });

  it('uses errors over two seasons for slots that repeat a season twice', () => {
    // A step every season: errors of 1 at the lag of 2, of 2 at the lag of 4.
    const made = forecast(historyOf([0, 0, 1, 1, 2, 2, 3, 3]), { ...options, seasonSteps: [2] });
    expect(made.quantiles['0.5']).toEqual([4, 4, 5, 5]);
  });

  it('takes the probability of a bottleneck from whole past paths', () => {
    // Errors at the lag of 2 come in pairs: 0 0 4 4. Each of the 4 origins sees two of them.
    const made = forecast(historyOf([1, 1, 1, 1, 5, 5, 1, 1, 1, 1]), {
      ...options,
      horizonSteps: 2,
      seasonSteps: [2],
      thresholdUnits: 4,
    });
    // Errors: 0 0 4 4 −4 −4 0 0; paths of two: 00 04 44 4− −− −0 00 00 (the last goes on at the beginning).
    expect(made.bottleneck).toEqual({ thresholdUnits: 4, probability: 3 / 8, bySlot: [2 / 8, 2 / 8] });
    // Taken as independent it would be 1 − (6/8)² = 0.4375.
  });

  it('measures its error against the seasonal naive one on what came before', () => {
    // Held out: the last 2. Scale: mean of |errors| at the lag of 2 within the first 6: 1, 0, 0, 1 → 0.5. Errors: 3 and 1.
    const { models } = forecast(historyOf([1, 1, 2, 1, 2, 2, 5, 3]), { ...options, horizonSteps: 2, seasonSteps: [2] });
    expect(models[0]?.backtestMase).toBe(4);
  });

  it('fills unknown steps from the season before and does not count them as errors', () => {
    const made = forecast(historyOf([1, 2, 1, 2, null, 2]), { ...options, horizonSteps: 2, seasonSteps: [2] });
    for (const level of QUANTILE_LEVELS) expect(made.quantiles[level]).toEqual([1, 2]);
    expect(forecast(historyOf([null, 3, null]), { ...options, seasonSteps: [] }).quantiles['0.5']).toEqual([
      3, 3, 3, 3,
    ]);
  });

  it.each([
    ['one point', [3], 3],
    ['two equal points', [3, 3], 3],
    ['a constant', Array.from({ length: 40 }, () => 3), 3],
    ['zeros', Array.from({ length: 40 }, () => 0), 0],
  ])('is certain of %s', (_what, values, expected) => {
    const made = forecast(historyOf(values), options);
    for (const level of QUANTILE_LEVELS)
      expect(made.quantiles[level]).toEqual([expected, expected, expected, expected]);
    expect(made.mean).toEqual([expected, expected, expected, expected]);
    expect(made.bottleneck).toEqual({ thresholdUnits: 5, probability: 0, bySlot: [0, 0, 0, 0] });
    expect(made.models[0]?.backtestMase).toBeNull();
    expect(forecast(historyOf(values), { ...options, thresholdUnits: expected }).bottleneck.probability).toBe(1);
  });

  it('refuses a history without a known step, and a horizon that is none', () => {
    expect(() => forecast(historyOf([]), options)).toThrow('expected at least one known step');
    expect(() => forecast(historyOf([null, null]), options)).toThrow(RangeError);
    expect(() => forecast(historyOf([1]), { ...options, horizonSteps: 0 })).toThrow('expected a positive whole number');
  });
});
