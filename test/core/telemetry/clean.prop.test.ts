import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cleanSeries } from '../../../core/telemetry/clean.ts';

const options = { minimum: 0, maximum: 100, maxGapSteps: 2 };

describe('cleanSeries', () => {
  it('gives the same series whatever the order of different moments, all values in range', () => {
    const series = fc.uniqueArray(
      fc.record({ step: fc.nat({ max: 60 }), value: fc.double({ min: -20, max: 120, noNaN: true }) }),
      {
        selector: ({ step }) => step,
        minLength: 2,
      },
    );
    fc.assert(
      fc.property(series, fc.infiniteStream(fc.nat()), (samples, keys) => {
        const given = samples.map(({ step, value }) => ({ atMillis: step * 60_000, value }));
        fc.pre(given.some(({ value }) => value >= 0 && value <= 100));
        const shuffled = given
          .map((sample) => ({ sample, key: Number(keys.next().value) }))
          .sort((a, b) => a.key - b.key)
          .map(({ sample }) => sample);
        const all = { ...options, stepSeconds: 60, maxGapSteps: 100 };
        const cleaned = cleanSeries(shuffled, all);
        expect(cleaned.values).toEqual(cleanSeries(given, all).values);
        expect(cleaned.values.every((value) => value >= 0 && value <= 100)).toBe(true);
      }),
    );
  });
});
