import { describe, expect, it } from '@jest/globals';
import type { Forecast } from '../../../core/forecast/forecast.ts';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import {
  bottleneckUnits,
  forecastEndMillis,
  neededUnitsOver,
  poolForecast,
} from '../../../core/forecast/pool-forecast.ts';
import type { ResourceType } from '../../../core/units.ts';
import { BORROWER, metricOf, NOW, planOf, specOf } from '../../support/fixtures.ts';

const spec = specOf(BORROWER, { resources: { cpu: metricOf(), memory: metricOf({ thresholdPercent: 50 }) } });

function forecastOf(resource: ResourceType, values: readonly number[], overrides: Partial<Forecast> = {}): Forecast {
  return {
    poolId: spec.poolId,
    resource,
    stepSeconds: 300,
    startMillis: 300_000,
    quantiles: Object.fromEntries(QUANTILE_LEVELS.map((level) => [level, values])) as unknown as Forecast['quantiles'],
    mean: values,
    bottleneck: { thresholdUnits: 1, probability: 0, bySlot: values.map(() => 0), reachedByCourse: [false, false] },
    models: [],
    combination: 'median',
    confidence: { level: 1, backtestCoverage: null, drifted: false },
    reasons: [`${resource} repeats itself`],
    ...overrides,
  };
}

describe('poolForecast', () => {
  it('needs, in each slot, what the type that needs the most needs', () => {
    const pool = poolForecast({ cpu: forecastOf('cpu', [4, 0, 7.9]), memory: forecastOf('memory', [1, 1, 4.6]) }, spec);
    // cpu: 4 / 0.8 → 6, 0, 7.9 / 0.8 → 10; memory: 1 / 0.5 → 3, 3, 4.6 / 0.5 → 10.
    expect(pool.neededUnits['0.95']).toEqual([6, 3, 10]);
    expect(pool.bindingResource).toBe('cpu');
    expect(pool).toMatchObject({
      startMillis: 300_000,
      stepSeconds: 300,
      bottlenecks: { memory: { thresholdUnits: 1, probability: 0 } },
    });
  });

  it('keeps the probability of each type by slot, and that of any of them', () => {
    const risk = { thresholdUnits: 8, probability: 0.5, bySlot: [0.0004, 0.1234, 0.5], reachedByCourse: [true, false] };
    const other = { ...risk, probability: 0.4, bySlot: [0, 0, 0.4], reachedByCourse: [false, true] };
    const cpu = forecastOf('cpu', [1, 1, 1], { bottleneck: risk });
    const memory = forecastOf('memory', [1, 1, 1], { bottleneck: other });
    const pool = poolForecast({ cpu, memory }, spec);
    expect(pool.bottlenecks.cpu).toEqual({ thresholdUnits: 8, probability: 0.5, bySlot: [0, 0.123, 0.5] });
    // The courses never reach both together.
    expect(pool.bottleneckProbability).toBeCloseTo(0.9, 10);
    expect(poolForecast({ cpu }, spec).bottleneckProbability).toBe(0.5);
    const merged = poolForecast(
      {
        cpu: forecastOf(
          'cpu',
          Array.from({ length: 1_200 }, () => 1),
        ),
      },
      spec,
    );
    expect(merged.bottlenecks.cpu).toEqual({ thresholdUnits: 1, probability: 0 });
  });

  it('carries reasons, and coverage where there is one', () => {
    const coverage = { cpu: { level80: 0.8, level95: 0.9, slots: 10, untilMillis: 300_000 } };
    const pool = poolForecast({ cpu: forecastOf('cpu', [1]) }, spec, coverage);
    expect(pool).toMatchObject({ coverage, reasons: { cpu: ['cpu repeats itself'] } });
    expect(poolForecast({ cpu: forecastOf('cpu', [1]) }, spec)).not.toHaveProperty('coverage');
  });

  it('keeps the slots that all types have', () => {
    const cpu = forecastOf('cpu', [1, 9, 1]);
    const memory = forecastOf('memory', [1, 1, 1], { startMillis: 600_000 });
    const pool = poolForecast({ cpu, memory }, spec);
    expect(pool).toMatchObject({ startMillis: 600_000, neededUnits: { '0.5': [12, 3] } });
  });

  it('merges more than 600 slots by the largest need, and stays small', () => {
    const values = Array.from({ length: 2_016 }, (_, slot) => (slot === 1_000 ? 900 : slot % 7));
    const pool = poolForecast({ cpu: forecastOf('cpu', values) }, spec);
    expect(pool.stepSeconds).toBe(1_200);
    expect(pool.neededUnits['0.5']).toHaveLength(504);
    expect(pool.neededUnits['0.5'][250]).toBe(1_126);
    expect(forecastEndMillis(pool)).toBe(300_000 + 2_016 * 300_000);
    expect(JSON.stringify(pool).length).toBeLessThan(60_000);
  });

  it('refuses forecasts that cannot be put together', () => {
    const cpu = forecastOf('cpu', [1]);
    expect(() => poolForecast({}, spec)).toThrow('expected at least one measured resource type');
    expect(() => poolForecast({ network: forecastOf('network', [1]) }, spec)).toThrow(RangeError);
    expect(() => poolForecast({ cpu, memory: forecastOf('memory', [1], { stepSeconds: 60 }) }, spec)).toThrow(
      'expected 300 s as of cpu',
    );
    expect(() => poolForecast({ cpu, memory: forecastOf('memory', [1], { startMillis: 6e9 }) }, spec)).toThrow(
      'no slot in common',
    );
  });

  it('tells the demand at which an alarm fires', () => {
    expect(bottleneckUnits(10, 80)).toBe(8);
  });
});

describe('neededUnitsOver', () => {
  const plan = planOf(spec.poolId, [2, 5, 3]);
  const hour = 3_600_000;

  it.each([
    [0, hour, 2],
    [0, hour + 1, 5],
    [hour / 2, hour / 2, 2],
    [2 * hour, 3 * hour, 3],
    [0, 3 * hour, 5],
    [-1, hour, undefined],
    [0, 3 * hour + 1, undefined],
    [3 * hour, 3 * hour, undefined],
  ])('from %i to %i ms: %p', (from, to, needed) => {
    expect(neededUnitsOver(plan, '0.95', NOW + from, NOW + to)).toBe(needed);
  });
});
