import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadBuiltInTraces, loadTraceFolder, traceWindow } from '../../story/traces.ts';

const STEP_SECONDS = 900;
const STEPS_PER_DAY = 96;
const START_SECONDS = 1_700_000_000 - (1_700_000_000 % STEP_SECONDS);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'entangle-traces-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Row = readonly (string | number)[];

/** Two days of quarter hours. */
function rows(columns: number, steps = 2 * STEPS_PER_DAY): Row[] {
  return Array.from({ length: steps }, (_, step) => [
    START_SECONDS + step * STEP_SECONDS,
    ...Array.from({ length: columns }, (_, column) => 20 + column + (step % STEPS_PER_DAY) / 4),
  ]);
}

function write(name: string, header: string, content: readonly Row[]): void {
  writeFileSync(join(folder, name), `${header}\n${content.map((row) => row.join(',')).join('\n')}\n`);
}

function writeThree(): void {
  write('a.csv', 'timestamp,value', rows(1));
  write('b.csv', 'timestamp,cpu,memory', rows(2));
  write('c.csv', 'timestamp,cpu,memory,network,storage', rows(4));
}

describe('loadTraceFolder', () => {
  it('reads an account from each file, in the order of their names', () => {
    writeThree();
    const traces = loadTraceFolder(folder);
    expect(traces.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(traces.map(({ utilisation }) => Object.keys(utilisation).toSorted())).toEqual([
      ['cpu'],
      ['cpu', 'memory'],
      ['cpu', 'memory', 'network', 'storage'],
    ]);
    expect(traces[0]?.stepSeconds).toBe(STEP_SECONDS);
    expect(traces[1]?.utilisation.cpu.slice(0, 2)).toEqual([20, 20.25]);
    expect(traces[1]?.cleaning).toEqual([]);
  });

  it('takes ISO 8601 and milliseconds for the same moments as seconds', () => {
    writeThree();
    write(
      'a.csv',
      'timestamp,value',
      rows(1).map(([at, value]) => [new Date(Number(at) * 1_000).toISOString(), value ?? 0]),
    );
    write(
      'b.csv',
      'timestamp,value',
      rows(1).map(([at, value]) => [Number(at) * 1_000, value ?? 0]),
    );
    const [iso, millis, seconds] = loadTraceFolder(folder);
    expect(iso?.utilisation.cpu).toEqual(seconds?.utilisation.cpu);
    expect(millis?.utilisation.cpu).toEqual(seconds?.utilisation.cpu);
  });

  it('cleans unsorted rows, repeated times, gaps, −1 and 101, and says so', () => {
    writeThree();
    const clean = rows(1);
    const dirty = clean.flatMap((row, step): Row[] => {
      if (step === 10) return [[row[0] ?? 0, -1]];
      if (step === 20) return [[row[0] ?? 0, 101]];
      if (step === 30) return [];
      if (step === 40) return [[row[0] ?? 0, 99], row];
      if (step === 50) return [[row[0] ?? 0, '']];
      return [row];
    });
    const [first = [], second = [], ...rest] = dirty;
    write('a.csv', 'timestamp,value', [second, first, ...rest]);
    const [trace] = loadTraceFolder(folder);
    expect(trace?.utilisation.cpu).toHaveLength(clean.length);
    for (const [step, value] of (trace?.utilisation.cpu ?? []).entries()) {
      expect(value).toBeCloseTo(Number(clean[step]?.[1]), 6);
    }
    expect(trace?.cleaning).toEqual([
      'cpu: 1 samples sorted by time',
      'cpu: 1 samples replaced by a later line for the same time',
      'cpu: 3 samples outside of 0–100 % left out',
      'cpu: 4 samples missing, interpolated',
    ]);
  });

  it('cuts all accounts to the shortest', () => {
    writeThree();
    write('a.csv', 'timestamp,value', rows(1, 2 * STEPS_PER_DAY - 8));
    expect(loadTraceFolder(folder).map(({ steps, utilisation }) => [steps, utilisation.cpu.length])).toEqual(
      Array.from({ length: 3 }, () => [2 * STEPS_PER_DAY - 8, 2 * STEPS_PER_DAY - 8]),
    );
  });

  it.each([
    ['timestamp,value', [[START_SECONDS, 'high']], /a\.csv:2: value "high" is not a number/],
    ['timestamp,value', [['yesterday', 5]], /a\.csv:2: timestamp "yesterday", expected ISO 8601/],
    ['timestamp,value', [[START_SECONDS, 5], [START_SECONDS + 900]], /a\.csv:3: 1 values, expected 2/],
    ['time,value', [[START_SECONDS, 5]], /a\.csv:1: header "time,value", expected/],
    ['timestamp,memory', [[START_SECONDS, 5]], /a\.csv:1: header "timestamp,memory", expected/],
    ['timestamp,cpu,cpu', [[START_SECONDS, 5, 5]], /a\.csv:1: a resource type has two columns/],
    ['timestamp,value', [[START_SECONDS, 5]], /a\.csv.*cpu: /],
  ] satisfies [string, Row[], RegExp][])('refuses %s %j with file and line', (header, content, message) => {
    writeThree();
    write('a.csv', header, content);
    expect(() => loadTraceFolder(folder)).toThrow(message);
  });

  it('refuses a long gap that nothing can fill, with its line', () => {
    writeThree();
    write(
      'a.csv',
      'timestamp,value',
      rows(1).filter((_, step) => step < 20 || step > 40),
    );
    expect(() => loadTraceFolder(folder)).toThrow(/a\.csv:22: cpu: 21 steps of 900 s are missing/);
  });

  it('refuses traces that are too short for a day of history', () => {
    writeThree();
    write('b.csv', 'timestamp,value', rows(1, STEPS_PER_DAY));
    expect(() => loadTraceFolder(folder)).toThrow(/b\.csv: 96 samples every 900 s, expected at least 144/);
  });

  it('refuses different steps', () => {
    writeThree();
    write(
      'c.csv',
      'timestamp,value',
      rows(1, 6 * STEPS_PER_DAY).map(([at, value], step) => [Number(at) - step * 600, value ?? 0]),
    );
    expect(() => loadTraceFolder(folder)).toThrow(/c\.csv: a sample every 300 s, but .*a\.csv has one every 900 s/);
  });

  it('refuses too few and too many files, and a folder that is not there', () => {
    writeThree();
    rmSync(join(folder, 'c.csv'));
    expect(() => loadTraceFolder(folder)).toThrow('2 files *.csv, expected 3 to 8');
    for (let index = 0; index < 9; index += 1) write(`t${index}.csv`, 'timestamp,value', rows(1));
    expect(() => loadTraceFolder(folder)).toThrow('11 files *.csv, expected 3 to 8');
    expect(() => loadTraceFolder(join(folder, 'none'))).toThrow('no such folder');
  });
});

describe('loadBuiltInTraces', () => {
  function writeBuiltIn(name: string, file: string, header: string, values: (step: number) => Row): void {
    mkdirSync(join(folder, name));
    write(
      join(name, file),
      header,
      Array.from({ length: 1_300 }, (_, step) => values(step)),
    );
  }

  it('reads three traces of equal length and turns sums without capacity into percent of their history’s peak', () => {
    writeBuiltIn(
      'alibaba2018',
      'machine_usage_grouped_300_seconds.csv',
      'cpu_util_percent,mem_util_percent,net_in,net_out,disk_io_percent',
      (step) => [30, 80, 1, 40, step === 7 ? 101 : 5],
    );
    writeBuiltIn(
      'google2019',
      'machine_usage_grouped_300_seconds_percent.csv',
      'cpu_util_percent,mem_util_percent',
      () => [45, 30],
    );
    writeBuiltIn('azure_v2', 'machine_usage_grouped_300_seconds.csv', 'cpu_usage,assigned_mem', (step) => [
      step === 100 ? 8_000_000 : 6_000_000,
      1_900_000,
    ]);
    const traces = loadBuiltInTraces(folder);
    expect(traces.map(({ name, steps }) => [name, steps])).toEqual([
      ['alibaba', 1_224],
      ['google', 1_224],
      ['azure', 1_224],
    ]);
    const [alibaba, , azure] = traces;
    expect(alibaba?.utilisation.storage?.[7]).toBe(5);
    expect(alibaba?.cleaning).toContain('storage: 1 samples outside of 0–100 % left out');
    expect(azure?.utilisation.cpu[100]).toBeCloseTo(80, 6);
    expect(azure?.utilisation.cpu[0]).toBeCloseTo(60, 6);
  });
});

describe('traceWindow', () => {
  it('replays the last twelve hours', () => {
    expect(traceWindow(1_224, 300)).toEqual({ historySteps: 1_080, replaySteps: 144 });
    expect(traceWindow(192, 900)).toEqual({ historySteps: 144, replaySteps: 48 });
  });
});
