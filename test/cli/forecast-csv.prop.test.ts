import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { linesOf, readSeries } from '../../cli/forecast-csv.ts';
import { forecastFile, forecastOf, HEADER, hours, linesOfOutput } from './forecast-command.ts';

describe('reading series', () => {
  it('holds one at a time: of the lines, only one past its end has been asked for', async () => {
    const rowsEach = 4;
    const count = 3_000;
    let asked = 0;
    async function* lines(): AsyncGenerator<string> {
      asked += 1;
      yield HEADER;
      for (let each = 0; each < count; each += 1) {
        for (const row of hours(`s${each}`, [1, 2, 3, 4])) {
          asked += 1;
          yield row;
        }
      }
    }
    let found = 0;
    for await (const { seriesId, values } of readSeries(lines())) {
      expect(seriesId).toBe(`s${found}`);
      expect(values).toHaveLength(rowsEach);
      found += 1;
      expect(asked).toBe(Math.min(1 + found * rowsEach + 1, 1 + count * rowsEach));
    }
    expect(found).toBe(count);
  });

  it('cuts a text into the same lines wherever its pieces end', async () => {
    const text = fc
      .array(fc.constantFrom('a', ',', '\r\n', '\n', '"', 'é'), { maxLength: 40 })
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(40), { maxLength: 6 }), async (whole, cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        async function* pieces(): AsyncGenerator<string> {
          for (const [index, place] of places.entries()) yield whole.slice(places[index - 1] ?? 0, place);
        }
        const expected = whole.split('\n').map((line) => line.replace(/\r$/, ''));
        if (expected.at(-1) === '' && !whole.endsWith('\r')) expected.pop();
        const found: string[] = [];
        for await (const line of linesOf(pieces())) found.push(line.replace(/\r$/, ''));
        expect(found).toEqual(expected);
      }),
    );
  });
});

describe('the forecast of any series', () => {
  const values = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
      { weight: 1, arbitrary: fc.double() },
      { weight: 1, arbitrary: fc.constantFrom('', 'NaN', '-inf', '1e999', '-0', '0') },
    ),
    { minLength: 1, maxLength: 40 },
  );

  it('is finite, in order, begins one step after the last row, and comes in the order of the file; or the series is left out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 4 }), async (series) => {
        const rows = series.flatMap((each, index) => hours(`s${index}`, each));
        const ran = await forecastFile(rows, '--json', '--horizon', '5', '--season', '3,7', '--threshold', '100');
        const known = series.flatMap((each, index) =>
          each.some((value) => value !== '' && Math.abs(Number(value)) <= 1e300) ? [`s${index}`] : [],
        );
        const lines = linesOfOutput(ran);
        expect(ran.code).toBe(known.length === series.length ? 0 : 1);
        expect(lines.map(({ seriesId }) => seriesId)).toEqual(known);
        for (const { seriesId, timestamps, mean, quantiles, bottleneck } of lines) {
          const steps = series[Number(seriesId.slice(1))]?.length ?? 0;
          expect(timestamps[0]).toBe(new Date(Date.UTC(2026, 2, 1, steps)).toISOString());
          for (const slot of mean.keys()) {
            const levels = Object.values(quantiles).map((level) => level[slot] ?? Number.NaN);
            expect([...levels, mean[slot]].every((value) => Number.isFinite(value))).toBe(true);
            expect(levels).toEqual(levels.toSorted((a, b) => a - b));
            expect(bottleneck?.bySlot[slot]).toBeLessThanOrEqual(bottleneck?.probability ?? 0);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('moves with the series when that has negative values', async () => {
    const below = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(below, fc.integer({ min: 1, max: 1_000 }), async (series, lower) => {
        const shifted = await forecastOf(
          hours(
            'a',
            [-1, ...series].map((value) => value - lower),
          ),
        );
        const unshifted = await forecastOf(hours('a', [-1, ...series]));
        for (const [slot, value] of unshifted.quantiles['0.9'].entries()) {
          expect(shifted.quantiles['0.9'][slot]).toBeCloseTo(value - lower, 6);
        }
      }),
      { numRuns: 40 },
    );
  });
});
