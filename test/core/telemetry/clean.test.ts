import { describe, expect, it } from '@jest/globals';
import type { CleaningOptions, SeriesSample } from '../../../core/telemetry/clean.ts';
import { cleanSeries, UnusableSeries } from '../../../core/telemetry/clean.ts';

const options: CleaningOptions = { minimum: 0, maximum: 100, maxGapSteps: 2 };
const untouched = { unsorted: 0, duplicates: 0, badSamples: 0, interpolated: 0, filledFromDayBefore: 0 };

/** Samples a minute apart, one for each value; undefined = no line. The first line of the file is a header. */
function minutes(...values: (number | undefined)[]): SeriesSample[] {
  return values.flatMap((value, index) =>
    value === undefined ? [] : [{ atMillis: index * 60_000, value, line: index + 2 }],
  );
}

describe('cleanSeries', () => {
  it('leaves a clean series as it is', () => {
    expect(cleanSeries(minutes(1, 2, 3), options)).toEqual({
      stepSeconds: 60,
      startMillis: 0,
      values: [1, 2, 3],
      repairs: untouched,
    });
  });

  it('sorts, and counts what stood after a later line', () => {
    const [a, b, c] = minutes(1, 2, 3) as [SeriesSample, SeriesSample, SeriesSample];
    expect(cleanSeries([c, a, b], options)).toMatchObject({
      values: [1, 2, 3],
      repairs: { ...untouched, unsorted: 2 },
    });
  });

  it('takes the last line of several for one moment, unless it is a bad sample', () => {
    const twice = [...minutes(1, 2, 3), { atMillis: 60_000, value: 7, line: 9 }];
    expect(cleanSeries(twice, options)).toMatchObject({ values: [1, 7, 3], repairs: { duplicates: 1 } });
    const bad = [...minutes(1, 2, 3), { atMillis: 60_000, value: -1, line: 9 }];
    expect(cleanSeries(bad, options)).toMatchObject({ values: [1, 2, 3], repairs: { duplicates: 0, badSamples: 1 } });
  });

  it.each([-1, 101, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'takes %f for a missing sample',
    (bad) => {
      expect(cleanSeries(minutes(10, bad, 20), options)).toMatchObject({
        values: [10, 15, 20],
        repairs: { ...untouched, badSamples: 1, interpolated: 1 },
      });
    },
  );

  it('begins and ends at good samples', () => {
    expect(cleanSeries(minutes(-1, 5, 6, 101), options)).toMatchObject({
      startMillis: 60_000,
      values: [5, 6],
      repairs: { badSamples: 2 },
    });
  });

  it('interpolates a gap of the longest allowed length and refuses one more, naming the line after it', () => {
    expect(cleanSeries(minutes(1, 2, undefined, undefined, 5), options).values).toEqual([1, 2, 3, 4, 5]);
    expect(() => cleanSeries(minutes(1, 2, undefined, undefined, undefined, 5), options)).toThrow(
      'line 7: 3 steps of 60 s are missing since line 3: expected at most 2, or samples of the same time a day earlier',
    );
  });

  it('fills a long gap with the same time a day earlier', () => {
    const hour = (at: number, value: number) => ({ atMillis: at * 3_600_000, value });
    const day = Array.from({ length: 24 }, (_, at) => hour(at, at));
    const { values, repairs } = cleanSeries([...day, hour(24, 50), hour(30, 56)], options);
    expect(values.slice(24)).toEqual([50, 1, 2, 3, 4, 5, 56]);
    expect(repairs).toEqual({ ...untouched, filledFromDayBefore: 5 });
  });

  it('does not fill a gap of more than a day with its own filling', () => {
    const hour = (at: number, value: number) => ({ atMillis: at * 3_600_000, value });
    const day = Array.from({ length: 25 }, (_, at) => hour(at, at));
    expect(() => cleanSeries([...day, hour(60, 1)], options)).toThrow('line 26: 35 steps of 3600 s are missing');
    // A year that was mistyped must not cost a step for each minute until then.
    expect(() => cleanSeries([...day, hour(1e9, 1)], options)).toThrow('line 26');
  });

  it('takes the median distance for the step, or the stated one', () => {
    expect(cleanSeries(minutes(1, 2, undefined, 4, 5), options).stepSeconds).toBe(60);
    expect(cleanSeries([{ atMillis: 5, value: 1 }], { ...options, stepSeconds: 300 })).toMatchObject({
      stepSeconds: 300,
      values: [1],
    });
  });

  it('counts a sample for the nearest step', () => {
    const jittered = [0, 61_000, 119_000, 180_500].map((atMillis, value) => ({ atMillis, value }));
    expect(cleanSeries(jittered, { ...options, stepSeconds: 60 })).toMatchObject({
      values: [0, 1, 2, 3],
      repairs: untouched,
    });
  });

  it.each([
    ['no samples', [], 'the series has no samples'],
    ['one sample and no step', minutes(1), 'line 2: one timestamp tells no step'],
    ['bad samples alone', minutes(-1, 101), 'line 2: no value lies within 0 to 100'],
    ['a timestamp that is none', [{ atMillis: Number.NaN, value: 1, line: 4 }], 'line 4: timestamp NaN'],
    [
      'steps below a second',
      [1, 2, 3].map((atMillis) => ({ atMillis, value: 1 })),
      'line 2: the timestamps are 1 ms apart',
    ],
  ])('refuses %s', (_what, samples, message) => {
    expect(() => cleanSeries(samples, options)).toThrow(UnusableSeries);
    expect(() => cleanSeries(samples, options)).toThrow(message);
  });
});
