import { describe, expect, it } from '@jest/globals';
import { needSeries } from '../../../core/telemetry/need-series.ts';
import { plusMillis } from '../../../core/units.ts';
import { LENDER, metricOf, NOW, specOf } from '../../support/fixtures.ts';
import { historyBefore } from '../../support/outlooks.ts';

const STEP_MILLIS = 300_000;
const resources = { cpu: metricOf(), memory: metricOf({ thresholdPercent: 50 }) };
const spec = specOf(LENDER, { resources });
const { poolId } = spec;
const cpu = (values: readonly (number | null)[], until: number = NOW) => historyBefore(poolId, values, until, 'cpu');
const memory = (values: readonly (number | null)[], until: number = NOW) =>
  historyBefore(poolId, values, until, 'memory');

describe('needSeries', () => {
  it('is the largest need over the resource types, in units at which the alarm fires', () => {
    expect(needSeries({ cpu: cpu([8, 8, 8]), memory: memory([1, 6, 4]) }, spec, NOW)).toEqual({
      startMillis: NOW - 3 * STEP_MILLIS,
      endMillis: NOW,
      values: [10, 12, 10],
      knownSteps: 3,
      bindingResource: 'cpu',
    });
    const later = needSeries({ cpu: cpu([8, 8]), memory: memory([1, 6]) }, spec, NOW);
    expect(later).toMatchObject({ values: [10, 12], bindingResource: 'memory' });
  });

  it('is of the time in which all of them are known', () => {
    const early = memory([2, 2, 2, 2], NOW - STEP_MILLIS);
    const found = needSeries({ cpu: cpu([4, 4, 4]), memory: early }, spec, NOW);
    expect(found).toMatchObject({ startMillis: NOW - 3 * STEP_MILLIS, endMillis: NOW - STEP_MILLIS, values: [5, 5] });
    const unknownFirst = needSeries({ cpu: cpu([null, 4, 4]), memory: memory([1, 1, 1]) }, spec, NOW);
    expect(unknownFirst).toMatchObject({ startMillis: NOW - 2 * STEP_MILLIS, values: [5, 5], knownSteps: 2 });
    expect(needSeries({ cpu: cpu([4, 4, null]), memory: memory([1, 1, 1]) }, spec, NOW)?.values).toEqual([5, 5]);
  });

  it('leaves out the step that is still being measured, and what comes after it', () => {
    const values = [4, 4, 40, 80];
    const at = plusMillis(NOW, -STEP_MILLIS - 1);
    expect(needSeries({ cpu: cpu(values), memory: memory([1, 1, 1, 1]) }, spec, at)?.values).toEqual([5, 5]);
  });

  it('fills what is unknown and does not count it', () => {
    const found = needSeries({ cpu: cpu([4, null, 8]), memory: memory([1, 1, 1]) }, spec, NOW);
    expect(found).toMatchObject({ values: [5, 7.5, 10], knownSteps: 2 });
  });

  it('is not there without a history of each resource type at the step of the pool', () => {
    expect(needSeries({ cpu: cpu([4, 4]) }, spec, NOW)).toBeUndefined();
    const other = historyBefore(poolId, [1, 1], NOW, 'memory', 60);
    expect(needSeries({ cpu: cpu([4, 4]), memory: other }, spec, NOW)).toBeUndefined();
    expect(needSeries({ cpu: cpu([4], NOW - STEP_MILLIS), memory: memory([1]) }, spec, NOW)).toBeUndefined();
    expect(needSeries({}, { ...spec, resources: {} }, NOW)).toBeUndefined();
    expect(needSeries({ cpu: cpu([null]), memory: memory([1]) }, spec, NOW)).toBeUndefined();
  });
});
