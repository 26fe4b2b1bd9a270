import { describe, expect, it } from '@jest/globals';
import { bottleneckAhead, peakNeed, probabilityWithin } from '../../../core/forecast/bottleneck-ahead.ts';
import type { PoolBottleneck } from '../../../core/forecast/pool-forecast.ts';
import { BORROWER, NOW, planOf, specOf } from '../../support/fixtures.ts';

const { poolId } = specOf(BORROWER);
const HOUR = 3_600_000;
const risk = (probability: number, bySlot?: readonly number[]): PoolBottleneck => ({
  thresholdUnits: 8,
  probability,
  ...(bySlot === undefined ? {} : { bySlot }),
});

describe('probabilityWithin', () => {
  const all = { first: 0, end: 4 };

  it('is that of the horizon over the whole horizon, however slots depend on each other', () => {
    expect(probabilityWithin(risk(0.5, [0.5, 0.5, 0.5, 0.5]), all)).toBeCloseTo(0.5, 10);
    expect(probabilityWithin(risk(0.6, [0.2, 0.2, 0.2, 0.2]), all)).toBeCloseTo(0.59, 2);
    expect(probabilityWithin(risk(0.3, [0.2, 0.2, 0.2, 0.2]), all)).toBeCloseTo(0.3, 10);
  });

  it('is less for a part of it, and never below the likeliest slot', () => {
    const bottleneck = risk(0.6, [0.1, 0.1, 0.1, 0.5]);
    expect(probabilityWithin(bottleneck, { first: 0, end: 1 })).toBeCloseTo(0.1, 1);
    expect(probabilityWithin(bottleneck, { first: 3, end: 4 })).toBeGreaterThanOrEqual(0.5);
    expect(probabilityWithin(risk(0.3, [0.2, 0.2, 0.2, 0.2]), { first: 1, end: 3 })).toBeCloseTo(0.2, 10);
  });

  it('is 0 where nothing is likely, and 1 where something is certain', () => {
    expect(probabilityWithin(risk(0), all)).toBe(0);
    expect(probabilityWithin(risk(0.5, [0, 0, 0, 0.5]), { first: 0, end: 3 })).toBe(0);
    expect(probabilityWithin(risk(1, [0, 1, 0, 0]), all)).toBe(1);
    expect(probabilityWithin(risk(1, [0.5, 0.5, 0.5, 0.5]), all)).toBeLessThanOrEqual(1);
  });
});

describe('bottleneckAhead', () => {
  const plan = planOf(poolId, [2, 4, 6, 4], {
    bottlenecks: { cpu: risk(0.5, [0, 0.2, 0.5, 0.1]), memory: risk(0.4, [0.3, 0, 0, 0.4]) },
  });

  it('names the resource type that is likeliest within the time, and the slot', () => {
    expect(bottleneckAhead(plan, NOW, NOW + HOUR)).toMatchObject({
      resource: 'memory',
      slotMillis: NOW,
      probability: 0.3,
    });
    expect(bottleneckAhead(plan, NOW, NOW + 3 * HOUR)).toMatchObject({ resource: 'cpu', slotMillis: NOW + 2 * HOUR });
  });

  it('leaves out what has passed, and counts the slot that has begun', () => {
    expect(bottleneckAhead(plan, NOW + 2.5 * HOUR, NOW + 2.6 * HOUR)).toMatchObject({
      resource: 'cpu',
      probability: 0.5,
    });
    expect(bottleneckAhead(plan, NOW + 3 * HOUR, NOW + 9 * HOUR)).toMatchObject({ resource: 'memory' });
  });

  it('says nothing beyond the forecast, or of a forecast without a bottleneck', () => {
    expect(bottleneckAhead(plan, NOW + 4 * HOUR, NOW + 5 * HOUR)).toBeUndefined();
    expect(bottleneckAhead(planOf(poolId, [1]), NOW, NOW + HOUR)).toBeUndefined();
  });
});

describe('peakNeed', () => {
  const plan = planOf(poolId, [2, 6, 9, 7, 3, 12]);
  const time = (to: number, atMost: number) => ({
    fromMillis: NOW,
    toMillis: NOW + to * HOUR,
    atMostMillis: NOW + atMost * HOUR,
  });

  it('is the largest need within the time', () => {
    expect(peakNeed(plan, '0.9', time(2, 2), 5)).toEqual({
      neededUnits: 6,
      startMillis: NOW + HOUR,
      endMillis: NOW + 2 * HOUR,
    });
  });

  it('follows a need that goes on beyond the time, until it falls', () => {
    expect(peakNeed(plan, '0.9', time(2, 24), 5)).toMatchObject({ neededUnits: 9, endMillis: NOW + 3 * HOUR });
    expect(peakNeed(plan, '0.9', time(2, 24), 6)).toMatchObject({ neededUnits: 9 });
    expect(peakNeed(plan, '0.9', time(1, 24), 6)).toMatchObject({ neededUnits: 2 });
  });

  it('says nothing beyond the forecast', () => {
    expect(
      peakNeed(plan, '0.9', { fromMillis: NOW + 7 * HOUR, toMillis: NOW + 8 * HOUR, atMostMillis: 0 }, 5),
    ).toBeUndefined();
  });
});
