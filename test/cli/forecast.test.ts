import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { forecastLineJsonSchema } from '../../cli/forecast-line.ts';
import { runCli } from '../../cli/main.ts';
import { createForecaster } from '../../core/forecast/forecaster.ts';
import { poolId } from '../../core/units.ts';
import { loadMembers, MODEL_NAMES } from '../../models/members.ts';
import { BORROWER } from '../support/fixtures.ts';
import { forecastFile, forecastOf, forecastText, HEADER, hours, linesOfOutput } from './forecast-command.ts';

const published = JSON.parse(readFileSync('docs/schemas/forecast.schema.json', 'utf8')) as Record<string, unknown>;
const fourDays = Array.from({ length: 96 }, (_, hour) => 10 + (hour % 24) + ((hour * 7) % 5));
const all = (line: { quantiles: Record<string, number[]> }) => Object.values(line.quantiles).flat();
const floorAlone = ['--models', 'seasonal-naive'];

describe('the forecast of a file', () => {
  it("is that of the product's forecaster", async () => {
    const line = await forecastOf(hours('web', fourDays), '--season', '24', '--threshold', '12');
    const { members } = await loadMembers(['arima', 'theta']);
    const product = await createForecaster(members).forecast(
      {
        poolId: poolId(BORROWER, 'eu-west-1', 'web'),
        resource: 'cpu',
        stepSeconds: 3_600,
        startMillis: Date.UTC(2026, 2, 1),
        values: fourDays,
      },
      { horizonSteps: 3, seasonSteps: [24], thresholdUnits: 12 },
    );
    const { '0.95': _, ...quantiles } = product.quantiles;
    expect(line).toEqual({
      seriesId: 'web',
      stepSeconds: 3_600,
      timestamps: ['2026-03-05T00:00:00.000Z', '2026-03-05T01:00:00.000Z', '2026-03-05T02:00:00.000Z'],
      mean: product.mean,
      quantiles,
      models: product.models,
      combination: product.combination,
      confidence: product.confidence,
      reasons: product.reasons,
      bottleneck: { threshold: 12, probability: product.bottleneck.probability, bySlot: product.bottleneck.bySlot },
    });
    expect(line.models.map(({ name }) => name).toSorted()).toEqual(['arima', 'seasonal-naive', 'theta']);
  });

  it('has the shape of the published schema', async () => {
    expect(published).toEqual(JSON.parse(forecastLineJsonSchema()));
    const schema = z.fromJSONSchema(published);
    const rows = [...hours('a', fourDays), ...hours('b', [-1, 2]), ...hours('c', [0])];
    for (const options of [[], ['--threshold', '20']]) {
      const lines = linesOfOutput(await forecastFile(rows, '--json', '--horizon', '30', ...options));
      expect(lines).toHaveLength(3);
      for (const line of lines) expect(schema.safeParse(line).error).toBeUndefined();
    }
    const [line] = linesOfOutput(await forecastFile(rows, '--json', '--horizon', '30'));
    const failed = { name: 'prophet', weight: 0, backtestMase: null, failed: 'took longer than its limit' };
    expect(schema.safeParse({ ...line, models: [failed] }).success).toBe(true);
    expect(schema.safeParse({ ...line, models: [{ ...failed, failed: 1 }] }).success).toBe(false);
    expect(schema.safeParse({ ...line, mean: ['1'] }).success).toBe(false);
    expect(schema.safeParse({ ...line, quantiles: {} }).success).toBe(false);
  });

  it('follows a column x_NAME that leads the values, also where that is known in advance', async () => {
    const steps = 240;
    const visits = Array.from({ length: steps + 6 }, (_, hour) => 50 + ((hour * hour * 7919) % 97));
    const rows = visits.map((each, hour) => {
      const value = hour < steps ? 10 + 2 * (visits[hour - 2] ?? 50) : '';
      return `${
        hours(
          'a',
          Array.from({ length: hour + 1 }, () => value),
        ).at(-1) ?? ''
      },${each}`;
    });
    const text = [`${HEADER},x_visits`, ...rows].join('\n');
    const [line] = linesOfOutput(await forecastText(text, '--horizon', '6', '--json', '--models', 'leading-indicator'));
    expect(line?.timestamps[0]).toBe('2026-03-11T00:00:00.000Z');
    expect(line?.models[0]).toMatchObject({ name: 'leading-indicator' });
    for (const [slot, median] of (line?.quantiles['0.5'] ?? []).entries()) {
      const error = median - (10 + 2 * (visits[steps + slot - 2] ?? 0));
      expect(Math.abs(error)).toBeLessThan(10);
    }
  });

  it('repeats a season that it was told of, else a day or a week', async () => {
    const days = Array.from({ length: 96 }, (_, hour) => hour % 24);
    const means = async (...options: string[]) => (await forecastOf(hours('a', days), ...floorAlone, ...options)).mean;
    expect(await means()).toEqual([0, 1, 2]);
    expect(await means('--season', '12,24')).toEqual([0, 1, 2]);
    expect((await forecastOf(hours('a', days), ...floorAlone, '--season', '49')).quantiles['0.5']).toEqual([
      23, 23, 23,
    ]);
  });

  it('is a table for people: the first highest median, P50 and P90 then, the risk, the confidence and the models', async () => {
    const rows = [...hours('steady', [5, 5, 5, 5]), ...hours('saw', [1, 9, 1, 9])];
    const { out, code } = await forecastFile(rows, '--horizon', '2', '--season', '2', '--threshold', '8');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['series', 'next peak', 'P50', 'P90', 'P(≥ 8)', 'confidence', 'models'],
      ['steady', '2026-03-01T04:00:00Z', '5', '5', '0.0 %', '7 %', 'seasonal-naive 100 %'],
      ['saw', '2026-03-01T05:00:00Z', '9', '9', '100.0 %', '7 %', 'seasonal-naive 100 %'],
      [''],
    ]);
  });

  it('comes from standard input as well, with quotes, a byte order mark, Windows line ends and columns in any order', async () => {
    const text =
      '\uFEFFvalue,"timestamp",x_sale,series_id\r\n4,2026-01-01,0,"a, ""b"""\r\n6,2026-01-02,1,"a, ""b"""\r\n';
    const ran = await forecastText(text, '--horizon', '1', '--json');
    const note = 'entangle: note: 1 series have columns x_NAME, which no model but leading-indicator uses\n';
    expect(ran).toMatchObject({ code: 0, error: note });
    expect(linesOfOutput(ran)).toMatchObject([
      { seriesId: 'a, "b"', stepSeconds: 86_400, timestamps: ['2026-01-03T00:00:00.000Z'] },
    ]);
  });
});

describe('a series', () => {
  it.each([
    ['constant', [7, 7, 7, 7], 7],
    ['long and constant', Array.from({ length: 100 }, () => 7), 7],
    ['all zero', Array.from({ length: 100 }, () => 0), 0],
    ['negative and constant', [-7, -7, -7], -7],
    ['of one point', [7], 7],
    ['of two equal points', [7, 7], 7],
  ])('that is %s is forecast as such, without any width', async (_what, values, expected) => {
    const line = await forecastOf(hours('a', values));
    expect(new Set(all(line))).toEqual(new Set([expected]));
    for (const mean of line.mean) expect(mean).toBeCloseTo(expected, 12);
    expect(line.models).toEqual([{ name: 'seasonal-naive', weight: 1, backtestMase: null }]);
  });

  it('of two points repeats the last, and may change once more as it did; little is made of it', async () => {
    const line = await forecastOf(hours('a', [10, 12]));
    expect(line.quantiles).toMatchObject({ '0.1': [12, 12, 12], '0.5': [12, 12, 12], '0.9': [14, 14, 14] });
    expect(line.confidence).toEqual({ level: expect.any(Number), backtestCoverage: null, drifted: false });
    expect(line.confidence.level).toBeLessThan(0.1);
  });

  it('of one point is taken to be hourly, and that is said', async () => {
    const ran = await forecastFile(hours('a', [1]), '--json', '--horizon', '1');
    expect(linesOfOutput(ran)[0]).toMatchObject({ stepSeconds: 3_600, timestamps: ['2026-03-01T01:00:00.000Z'] });
    expect(ran.error).toContain('1 series have one timestamp only: a step of 3600 s is assumed');
  });

  it('that was never negative is not forecast to be; one that was may be', async () => {
    const falling = Array.from({ length: 40 }, (_, hour) => 39 - hour);
    expect(Math.min(...all(await forecastOf(hours('a', falling))))).toBe(0);
    const below = falling.map((value) => value - 20);
    expect(Math.max(...all(await forecastOf(hours('a', below))))).toBeLessThan(-15);
  });

  it('with spikes, gaps, NaN and infinite values has finite quantiles that do not cross', async () => {
    const values = fourDays.map((value, hour) => (hour % 31 === 0 ? value * 1e6 : value));
    const rows = hours('a', values)
      .filter((_, hour) => hour < 50 || hour > 60)
      .map((row, index) =>
        index % 9 === 4 ? row.replace(/[^,]*$/, ['NaN', 'inf', '-Infinity', ''][index % 4] ?? '') : row,
      );
    const line = await forecastOf(rows);
    expect(line.timestamps[0]).toBe('2026-03-05T00:00:00.000Z');
    expect(all(line).every((value) => Number.isFinite(value))).toBe(true);
    const bySlot = line.mean.map((_, slot) => Object.values(line.quantiles).map((level) => level[slot] ?? Number.NaN));
    for (const quantiles of bySlot) expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
  });

  it('with one old spike is forecast in the range of its other values', async () => {
    const values = [...fourDays, ...fourDays].map((value, hour) => (hour === 77 ? 1e7 : value));
    const line = await forecastOf(hours('a', values));
    expect(Math.max(...line.quantiles['0.9'])).toBeLessThan(100);
    expect(Math.min(...line.quantiles['0.1'])).toBeGreaterThan(5);
  });

  it('with a spike in its last step is forecast from 0 on, wider, and finite', async () => {
    const values = fourDays.map((value, hour) => (hour === 95 ? 1e5 : value));
    const [calm, spiky] = [await forecastOf(hours('a', fourDays)), await forecastOf(hours('a', values))];
    const width = (line: typeof calm) => (line.quantiles['0.975'][0] ?? 0) - (line.quantiles['0.025'][0] ?? 0);
    expect(width(spiky)).toBeGreaterThan(width(calm));
    expect(Math.min(...all(spiky))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...all(spiky))).toBeLessThan(1e6);
  });

  it('with gaps equals one in which a short gap is a line and a long one repeats the season before', async () => {
    const filled = fourDays.map((value, hour) => {
      if (hour === 50) return ((fourDays[49] ?? 0) + (fourDays[51] ?? 0)) / 2;
      return hour >= 60 && hour < 66 ? (fourDays[hour - 24] ?? 0) : value;
    });
    const gaps = hours('a', fourDays).filter((_, hour) => hour !== 50 && !(hour >= 60 && hour < 66));
    expect(await forecastOf(gaps)).toEqual(await forecastOf(hours('a', filled)));
  });

  it.each([
    ['of fewer than 12 points', [3, 5, 4, 6, 3, 5, 4, 6, 3, 5, 4]],
    ['of fewer than 12 points, none of them repeated', [1, 2, 4, 8, 16]],
  ])('%s is forecast by seasonal naive alone, without a backtest', async (_what, values) => {
    const line = await forecastOf(hours('a', values));
    expect(line.models).toEqual([{ name: 'seasonal-naive', weight: 1, backtestMase: null }]);
    expect(line.confidence.backtestCoverage).toBeNull();
    expect(line.reasons).toContain('too little history to check the forecast against');
  });

  it('that is shorter than two seasons is forecast by a shorter one', async () => {
    const saw = Array.from({ length: 40 }, (_, hour) => hour % 4);
    const line = await forecastOf(hours('a', saw), ...floorAlone, '--season', '4,24');
    expect(line.quantiles['0.5']).toEqual([0, 1, 2]);
  });

  it('of the smallest numbers is forecast among them', async () => {
    const line = await forecastOf(
      hours(
        'a',
        fourDays.map((value) => value * 1e-300),
      ),
    );
    expect(Math.max(...all(line))).toBeLessThan(1e-297);
    expect(Math.min(...all(line))).toBeGreaterThan(1e-300);
  });

  it('of the largest numbers that count is forecast within the range of numbers', async () => {
    const line = await forecastOf(
      hours(
        'a',
        fourDays.map((value, hour) => (hour % 2 === 0 ? 1e300 : -1e300 / value)),
      ),
    );
    expect([...all(line), ...line.mean].every((value) => Number.isFinite(value))).toBe(true);
  });

  it('unsorted or with repeated rows equals the sorted one whose last rows count, and that is said', async () => {
    const rows = hours('a', [1, 5, 2, 8]);
    const ran = await forecastFile([...hours('a', [1, 4]), ...rows.slice(1).toReversed()], '--json', '--horizon', '3');
    expect(linesOfOutput(ran)).toEqual([await forecastOf(rows)]);
    expect(ran.error).toContain('2 rows stood after a later one and were sorted');
    expect(ran.error).toContain('1 rows fell into the step of another one, and the last counts');
  });

  it('longer than 20,000 steps is forecast from the last ones', async () => {
    const values = Array.from({ length: 20_050 }, (_, hour) => (hour < 50 ? 1e9 : hour % 24));
    const ran = await forecastFile(hours('a', values), '--json', '--horizon', '2', '--season', '24');
    expect(Math.max(...linesOfOutput(ran).flatMap(all))).toBeLessThan(30);
    expect(ran.error).toContain('1 series are longer than 20000 steps');
  });

  it('whose two rows are centuries apart needs no more memory than another', async () => {
    const rows = ['a,1700-01-01,1', 'a,1700-01-01T00:00:01Z,2', 'a,1700-01-01T00:00:02Z,2', 'a,2026-01-01,3'];
    expect((await forecastOf(rows)).timestamps[0]).toBe('2026-01-01T00:00:01.000Z');
  });

  it('without any finite value is left out, named, and fails the command; the others are forecast', async () => {
    const rows = [...hours('a', [1, 2]), ...hours('b', ['', 'nan']), ...hours('c', [3, 4])];
    const ran = await forecastFile(rows, '--json', '--horizon', '1');
    expect(ran.code).toBe(1);
    expect(linesOfOutput(ran).map(({ seriesId }) => seriesId)).toEqual(['a', 'c']);
    expect(ran.error).toContain('line 4: series "b" has no finite value: left out');
  });
});

describe('a wrong file', () => {
  const good = hours('a', [1, 2]);
  it.each([
    ['a word for a number', [...good, 'b,2026-03-01,many'], 'line 4: value "many": expected a number'],
    ['a local time', [...good, 'b,2026-03-01T00:00:00+02:00,1'], 'line 4: timestamp "2026-03-01T00:00:00+02:00"'],
    ['a day that is not', [...good, 'b,2026-02-30,1'], 'line 4: timestamp "2026-02-30": expected ISO 8601 in UTC'],
    ['a cell too many', [...good, 'b,2026-03-01,1,2'], 'line 4: 4 values: expected 3'],
    ['no name', [...good, ',2026-03-01,1'], 'line 4: no series_id'],
    ['interleaved series', [...good, ...hours('b', [1]), ...good], 'line 5: series "a" goes on after another one'],
    ['a header alone', [], 'no rows: expected the header series_id,timestamp,value'],
    ['a step of millennia', ['a,1000-01-01,1', 'a,2026-01-01,1'], 'ends after the year 9999'],
  ])('with %s is refused by its line before anything is printed', async (_what, rows, message) => {
    for (const form of [[], ['--json']]) {
      const { code, out, error } = await forecastFile(rows, '--horizon', '48', ...form);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(error).toMatch(/^entangle: FILE: (?:line \d+|no rows): /);
      expect(error).toContain(message);
      expect(error.trimEnd()).not.toContain('\n');
    }
  });

  it.each([
    ['', 'no rows'],
    ['series_id,timestamp\n', 'line 1: no column "value"'],
    ['series_id,timestamp,value,price\n', 'line 1: column "price": expected'],
    ['series_id,timestamp,value,value\n', 'line 1: column "value" twice'],
    [`${HEADER}\n${'x'.repeat(1_000_001)}`, 'line 2: longer than 1000000 characters'],
  ])('of another form is refused: %.40j', async (text, message) => {
    const { code, out, error } = await forecastText(text, '--horizon', '1');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toContain(`standard input: ${message}`);
  });
});

describe('the command', () => {
  it.each([
    [[], 'no horizon'],
    [['--horizon', '0'], '--horizon 0: expected a whole number of steps from 1 to 10000'],
    [['--horizon', '4.5'], '--horizon 4.5: expected'],
    [['--horizon', '10001'], '--horizon 10001: expected'],
    [['--horizon', '1', '--season', '24,'], '--season : expected'],
    [['--horizon', '1', '--threshold', 'high'], '--threshold high: expected a number'],
    [['--horizon', '1', '--plot', ''], '--plot: expected a file to write'],
    [['--horizon', '1', '--plot', 'none/x.html'], "no such file or directory, open 'none/x.html.part'"],
    [['--horizon', '1', '--models', 'arima,ets'], '--models: model "ets": expected one or more of arima, theta'],
    [['--horizon', '1', '--models', 'arima,'], '--models arima,: expected names of models'],
    [['--horizon', '1', '--events', 'none.csv'], "no such file or directory, open 'none.csv'"],
    [['--horizon', '1', '--colour'], "Unknown option '--colour'"],
    [['--horizon', '1', 'b.csv'], "Unexpected argument 'b.csv'"],
    [['--horizon', '1', '--input', 'none.csv'], 'ENOENT: no such file'],
  ])('refuses %j with exit code 2', async (argv, message) => {
    const { code, out, error } = await forecastFile(hours('a', [1]), ...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain(message);
  });

  it('writes a series only when the one before it was taken, and shows progress to who watches', async () => {
    let pending = 0;
    let most = 0;
    let lines = 0;
    let progress = '';
    const out = async () => {
      pending += 1;
      most = Math.max(most, pending);
      await Promise.resolve();
      pending -= 1;
      lines += 1;
    };
    const text = [HEADER, ...Array.from({ length: 40 }, (_, each) => hours(`s${each}`, [1, 2])).flat()].join('\n');
    const input = (async function* () {
      yield Buffer.from(text);
    })();
    const streams = { out, error: () => {}, input, progress: (shown: string) => void (progress += shown) };
    expect(await runCli(['forecast', '--input=-', '--horizon=1', '--json', '--models=theta'], {}, streams)).toBe(0);
    expect({ most, lines }).toEqual({ most: 1, lines: 40 });
    expect(progress).toContain('40 of 40 series');
  });

  it('prints the schema', async () => {
    const ran = await forecastText('', '--schema');
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toEqual(published);
  });

  it('runs from any folder by its executable, with all models when none is named, and ends with its exit code', () => {
    const twoWeeks = Array.from({ length: 336 }, (_, hour) => 40 + 9 * Math.sin(hour / 3.82) + ((hour * 7) % 11));
    const run = (...argv: string[]) =>
      spawnSync(process.execPath, [resolve('bin/entangle.mjs'), 'forecast', ...argv], {
        cwd: tmpdir(),
        input: [HEADER, ...hours('first', twoWeeks), ...hours('again', twoWeeks)].join('\n'),
        encoding: 'utf8',
      });
    const { status, stdout, stderr } = run('--input', '-', '--horizon', '4', '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [first, again] = linesOfOutput({ out: stdout });
    const names = first?.models.map(({ name }) => name);
    // A leading indicator needs a column x_NAME.
    const expected = [...MODEL_NAMES.filter((name) => name !== 'leading-indicator'), 'seasonal-naive'];
    expect(names?.toSorted()).toEqual(expected.toSorted());
    expect(first?.models.filter(({ failed, backtestMase }) => failed !== undefined || backtestMase === null)).toEqual(
      [],
    );
    expect({ ...again, seriesId: 'first' }).toEqual(first);
    expect(run('--input', '-').status).toBe(2);
  }, 60_000);
});
