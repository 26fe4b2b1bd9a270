import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { forecastLineJsonSchema } from '../../cli/forecast-line.ts';
import { runCli } from '../../cli/main.ts';
import { forecast } from '../../core/forecast/seasonal-naive.ts';
import { poolId } from '../../core/units.ts';
import { BORROWER } from '../support/fixtures.ts';
import { forecastFile, forecastOf, forecastText, HEADER, hours, linesOfOutput } from './forecast-command.ts';

const published = JSON.parse(readFileSync('docs/schemas/forecast.schema.json', 'utf8')) as Record<string, unknown>;
const fourDays = Array.from({ length: 96 }, (_, hour) => 10 + (hour % 24) + ((hour * 7) % 5));
const all = (line: { quantiles: Record<string, number[]> }) => Object.values(line.quantiles).flat();

describe('the forecast of a file', () => {
  it("is that of the product's forecaster", async () => {
    const line = await forecastOf(hours('web', fourDays), '--season', '24', '--threshold', '12');
    const product = forecast(
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
      bottleneck: { threshold: 12, probability: product.bottleneck.probability, bySlot: product.bottleneck.bySlot },
    });
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
    expect(schema.safeParse({ ...line, mean: ['1'] }).success).toBe(false);
    expect(schema.safeParse({ ...line, quantiles: {} }).success).toBe(false);
  });

  it('repeats the longest stated season that the history shows twice, else a day or a week', async () => {
    const names = async (...options: string[]) => (await forecastOf(hours('a', fourDays), ...options)).models[0]?.name;
    expect(await names()).toBe('seasonal-naive-24');
    expect(await names('--season', '12,48,49')).toBe('seasonal-naive-48');
    expect(await names('--season', '49')).toBe('last-value');
  });

  it('is a table for people: the first highest median, P50 and P90 then, and the risk', async () => {
    const rows = [...hours('steady', [5, 5, 5, 5]), ...hours('saw', [1, 9, 1, 9])];
    const { out, code } = await forecastFile(rows, '--horizon', '2', '--season', '2', '--threshold', '8');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['series', 'next peak', 'P50', 'P90', 'P(≥ 8)'],
      ['steady', '2026-03-01T04:00:00Z', '5', '5', '0.0 %'],
      ['saw', '2026-03-01T05:00:00Z', '9', '9', '100.0 %'],
      [''],
    ]);
  });

  it('comes from standard input as well, with quotes, a byte order mark, Windows line ends and columns in any order', async () => {
    const text =
      '\uFEFFvalue,"timestamp",x_sale,series_id\r\n4,2026-01-01,0,"a, ""b"""\r\n6,2026-01-02,1,"a, ""b"""\r\n';
    const ran = await forecastText(text, '--horizon', '1', '--json');
    expect(ran).toMatchObject({ code: 0, error: 'entangle: note: the columns x_sale are not used\n' });
    expect(linesOfOutput(ran)).toMatchObject([
      { seriesId: 'a, "b"', stepSeconds: 86_400, timestamps: ['2026-01-03T00:00:00.000Z'] },
    ]);
  });
});

describe('a series', () => {
  it.each([
    ['constant', [7, 7, 7, 7], 7],
    ['all zero', [0, 0, 0, 0], 0],
    ['negative and constant', [-7, -7, -7], -7],
    ['of one point', [7], 7],
    ['of two equal points', [7, 7], 7],
  ])('that is %s is forecast as such, without any width', async (_what, values, expected) => {
    const line = await forecastOf(hours('a', values));
    expect(new Set([...all(line), ...line.mean])).toEqual(new Set([expected]));
    expect(line.models).toEqual([{ name: 'last-value', weight: 1, backtestMase: null }]);
  });

  it('of two points is expected to change once more as it did', async () => {
    expect((await forecastOf(hours('a', [10, 12]))).mean).toEqual([14, 14, 14]);
  });

  it('of one point is taken to be hourly, and that is said', async () => {
    const ran = await forecastFile(hours('a', [1]), '--json', '--horizon', '1');
    expect(linesOfOutput(ran)[0]).toMatchObject({ stepSeconds: 3_600, timestamps: ['2026-03-01T01:00:00.000Z'] });
    expect(ran.error).toContain('1 series have one timestamp only: a step of 3600 s is assumed');
  });

  it('that was never negative is not forecast to be; one that was may be', async () => {
    const falling = [9, 6, 3, 0];
    expect(Math.min(...all(await forecastOf(hours('a', falling))))).toBe(0);
    const below = await forecastOf(hours('a', [6, 3, 0, -3]), '--threshold=-8');
    expect(below.mean).toEqual([-6, -9, -9]);
    expect(below.bottleneck?.bySlot).toEqual([1, 0, 0]);
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
    const bySlot = line.mean.map((_, slot) =>
      Object.values(line.quantiles).map((values) => values[slot] ?? Number.NaN),
    );
    for (const quantiles of bySlot) expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
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
    expect(Math.max(...linesOfOutput(ran).flatMap(all))).toBeLessThan(24);
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
    [['--horizon', '1', '--plot', 'x'], "Unknown option '--plot'"],
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
    expect(await runCli(['forecast', '--input=-', '--horizon=1', '--json'], {}, streams)).toBe(0);
    expect({ most, lines }).toEqual({ most: 1, lines: 40 });
    expect(progress).toContain('40 of 40 series');
  });

  it('prints the schema', async () => {
    const ran = await forecastText('', '--schema');
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toEqual(published);
  });

  it('runs from any folder by its executable, and ends with its exit code', () => {
    const run = (...argv: string[]) =>
      spawnSync(process.execPath, [resolve('bin/entangle.mjs'), 'forecast', ...argv], {
        cwd: tmpdir(),
        input: [HEADER, ...hours('a', [3, 3])].join('\n'),
        encoding: 'utf8',
      });
    const { status, stdout } = run('--input', '-', '--horizon', '1', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ seriesId: 'a', mean: [3] });
    expect(run('--input', '-').status).toBe(2);
  });
});
