import { describe, expect, it } from '@jest/globals';
import { blockMeans, interpolatedBlocks, stepQuantiles, withinBlocks } from '../../../core/forecast/lstm-blocks.ts';
import { lstmCandidates } from '../../../core/forecast/lstm-candidates.ts';
import { LSTM_SHAPES, lstmFeatures, lstmQuantiles } from '../../../core/forecast/lstm-features.ts';

const hours = (count: number, valueAt: (hour: number) => number): number[] =>
  Array.from({ length: count }, (_, hour) => valueAt(hour));

const wave = (hour: number): number => 50 + 20 * Math.sin((hour * Math.PI) / 12) + ((hour * 7919) % 13);

describe('candidates of the LSTM', () => {
  const names = ['last day', 'last week', '7 days', '14 days', '4 weeks', 'last value', 'level'] as const;
  const at = (z: number[], name: (typeof names)[number]): number[] => [
    ...(lstmCandidates(Float64Array.from(z))[names.indexOf(name)] ?? []),
  ];

  it('are 16 forecasts of 48 finite hours, whatever the length', () => {
    for (const length of [24, 25, 48, 167, 168, 191, 192, 200, 336, 720]) {
      const candidates = lstmCandidates(Float64Array.from(hours(length, wave)));
      expect(candidates.map((candidate) => candidate.length)).toEqual(Array.from({ length: 16 }, () => 48));
      expect(candidates.every((candidate) => candidate.every(Number.isFinite))).toBe(true);
    }
  });

  it('all continue a series that repeats itself every day, but for those that are flat', () => {
    const daily = hours(720, (hour) => (hour % 24) ** 2);
    const next = hours(48, (hour) => (hour % 24) ** 2);
    const flat = new Set([5, 6, 13, 14]);
    for (const [index, candidate] of lstmCandidates(Float64Array.from(daily)).entries()) {
      if (flat.has(index)) continue;
      for (const [hour, value] of candidate.entries()) expect(value).toBeCloseTo(next[hour] ?? Number.NaN, 9);
    }
  });

  it('repeat the last day twice, and the last week from its own days', () => {
    const z = hours(400, (hour) => hour);
    expect(at(z, 'last day').slice(0, 3)).toEqual([376, 377, 378]);
    expect(at(z, 'last day')[24]).toBe(376);
    expect(at(z, 'last week')[0]).toBe(400 - 168);
    expect(at(z, 'last week')[47]).toBe(400 - 168 + 47);
  });

  it('average the days and weeks that are there', () => {
    const z = hours(400, (hour) => hour);
    expect(at(z, '7 days')[0]).toBeCloseTo(400 - 24 * 4, 9);
    expect(at(z, '14 days')[0]).toBeCloseTo(400 - 24 * 7.5 - 24 + 24, 9);
    expect(at(z, '4 weeks')[0]).toBeCloseTo(400 - 168 * 1.5, 9);
    expect(at(z, 'last value')[47]).toBe(399);
    expect(at(z, 'level')[0]).toBeCloseTo(387.5, 9);
  });
});

describe('features of the LSTM', () => {
  it('have the sizes that the network takes', () => {
    const features = lstmFeatures(hours(100, wave));
    expect(features?.context.length).toBe(LSTM_SHAPES.context[0] * LSTM_SHAPES.context[1]);
    expect(features?.horizon.length).toBe(LSTM_SHAPES.horizon[0] * LSTM_SHAPES.horizon[1]);
    expect(features?.statics.length).toBe(LSTM_SHAPES.statics[0]);
  });

  it('do not depend on unit or origin of the values', () => {
    const features = lstmFeatures(hours(400, wave));
    const moved = lstmFeatures(hours(400, (hour) => 1e-3 * wave(hour) - 7));
    for (const input of ['context', 'horizon', 'statics'] as const) {
      for (const [index, value] of (features?.[input] ?? []).entries()) {
        expect(moved?.[input][index]).toBeCloseTo(value, 4);
      }
    }
  });

  it('are not there for less than two days, or for two weeks without a change', () => {
    expect(lstmFeatures(hours(47, wave))).toBeUndefined();
    expect(lstmFeatures(hours(400, () => 3))).toBeUndefined();
    expect(lstmFeatures(hours(800, (hour) => (hour < 400 ? hour : 3)))).toBeUndefined();
    expect(lstmFeatures(hours(400, (hour) => (hour % 2 === 0 ? 1.7e308 : -1.7e308)))).toBeUndefined();
  });

  it('give finite quantiles that do not cross, even from an absurd answer', () => {
    const features = lstmFeatures(hours(400, wave));
    expect(features).toBeDefined();
    if (features === undefined) return;
    const size = LSTM_SHAPES.answer[0] * LSTM_SHAPES.answer[1];
    const answer = hours(size, (index) => ((index * 7919) % 2001) - 1000);
    const levels = Object.values(lstmQuantiles(answer, features));
    for (const [index, values] of levels.entries()) {
      expect(values).toHaveLength(48);
      for (const [hour, value] of values.entries()) {
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(levels[index - 1]?.[hour] ?? Number.NEGATIVE_INFINITY);
      }
    }
  });
});

describe('blocks', () => {
  it('end with the last value', () => {
    expect(blockMeans([9, 1, 3, 5, 7], 2)).toEqual([2, 6]);
    expect(blockMeans([1], 2)).toEqual([]);
  });

  it('keep their means when they are drawn as lines', () => {
    const means = [1, 5, 2, 2, -10, 4];
    expect(blockMeans(interpolatedBlocks(means, 12), 12).map((mean) => Math.round(mean * 1e9) / 1e9)).toEqual(means);
    const straight = interpolatedBlocks([0, 2, 4], 2);
    expect(straight[2]).toBeCloseTo(1.5, 9);
    expect(straight[3]).toBeCloseTo(2.5, 9);
  });

  it('know a pattern within hours that returns every day, and leave out what is chance', () => {
    const steps = 24 * 12 * 7;
    const regular = withinBlocks(
      hours(steps, (step) => (step % 12 === 0 ? 12 : 0)),
      12,
    );
    expect(regular.pattern[0]).toBeCloseTo(11, 6);
    expect(regular.pattern[1]).toBeCloseTo(-1, 6);
    expect(regular.spread['0.975']).toBeCloseTo(0, 6);
    let seed = 1;
    const noise = withinBlocks(
      hours(steps, () => {
        seed = (seed * 48271) % 2147483647;
        return seed / 2147483647;
      }),
      12,
    );
    expect(Math.max(...noise.pattern.map(Math.abs))).toBeLessThan(0.1);
    expect(noise.spread['0.9']).toBeGreaterThan(0.3);
  });

  it('widen the quantiles of steps by what steps do on their own', () => {
    const hourly = {
      '0.025': [6, 6],
      '0.1': [7, 7],
      '0.25': [8, 8],
      '0.5': [10, 10],
      '0.75': [11, 11],
      '0.9': [13, 13],
      '0.95': [14, 14],
      '0.975': [15, 15],
    };
    const spread = {
      '0.025': -4,
      '0.1': -4,
      '0.25': -1,
      '0.5': 0,
      '0.75': 0,
      '0.9': 4,
      '0.95': 5,
      '0.975': 6,
    };
    const quantiles = stepQuantiles(hourly, 2, { pattern: hours(48, () => 0), spread });
    expect(quantiles['0.9']).toEqual([15, 15, 15, 15]);
    expect(quantiles['0.1']).toEqual([5, 5, 5, 5]);
    expect(quantiles['0.75'][0]).toBe(11);
    expect(quantiles['0.5']).toEqual([10, 10, 10, 10]);
  });
});
