import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanSeries } from '../../core/telemetry/clean.ts';
import { installedTraces } from '../../story/traces.ts';
import { meanOf } from './measures.ts';
import type { SourceSeries } from './windows.ts';

const MILLIS_PER_HOUR = 3_600_000;

/** Cells of a comma-separated file, its quotes taken off; rows may differ in length. */
function readCells(path: string): string[][] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  }
  return text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',').map((cell) => cell.replaceAll('"', '').trim()));
}

/** @throws Error when the folder is not there or lacks a part */
export function checkDataFolder(folder: string): void {
  if (!existsSync(folder)) throw new Error(`--data ${folder}: no such folder`);
  const missing = ['m4-hourly', 'nab', 'azure-v1'].filter((part) => !existsSync(join(folder, part)));
  if (missing.length > 0) {
    throw new Error(
      `--data ${folder}: no folder ${missing.join(', ')} in it, expected m4-hourly, nab and azure-v1 (docs/forecasting.md says where they come from)`,
    );
  }
}

function finiteCells(path: string, cells: readonly string[]): number[] {
  const values = cells.filter((cell) => cell !== '' && cell !== 'NA').map(Number);
  if (values.every(Number.isFinite)) return values;
  throw new Error(`${path}: series ${cells[0] ?? ''} has a cell that is not a number`);
}

/** A series of the M4 competition with its official test values and Naive2 forecasts. */
export interface CompetitionSeries extends SourceSeries {
  readonly test: readonly number[];
  readonly naive2: readonly number[];
}

/** All hourly series of the M4 competition. */
export function readM4(folder: string): CompetitionSeries[] {
  const rowsOf = (name: string) => {
    const path = join(folder, 'm4-hourly', name);
    return readCells(path)
      .slice(1)
      .map(([id = '', ...cells]) => ({ id, values: finiteCells(path, cells) }));
  };
  const tests = rowsOf('Hourly-test.csv');
  const naive2 = rowsOf('Naive2-hourly.csv');
  return rowsOf('Hourly-train.csv').map(({ id, values }, row) => {
    const test = tests[row];
    if (test?.id !== id) throw new Error(`Hourly-test.csv: row ${row + 2} is ${test?.id ?? 'missing'}, expected ${id}`);
    return { id, values, startMillis: 0, test: test.values, naive2: naive2[row]?.values ?? [] };
  });
}

/** Hourly means of samples; an hour without samples repeats the one before it. */
function hourlyMeans(samples: readonly { readonly atMillis: number; readonly value: number }[]) {
  const byHour = new Map<number, number[]>();
  for (const { atMillis, value } of samples) {
    const hour = Math.floor(atMillis / MILLIS_PER_HOUR);
    const hours = byHour.get(hour) ?? [];
    if (hours.push(value) === 1) byHour.set(hour, hours);
  }
  const hours = [...byHour.keys()];
  const first = Math.min(...hours);
  const values: number[] = [];
  for (let hour = first; hour <= Math.max(...hours); hour += 1) {
    const inHour = byHour.get(hour);
    values.push(inHour === undefined ? (values.at(-1) ?? 0) : meanOf(inHour));
  }
  return { startMillis: first * MILLIS_PER_HOUR, values };
}

/** Hourly means of every series of the Numenta Anomaly Benchmark that is there. */
export function readNab(folder: string): SourceSeries[] {
  return readdirSync(join(folder, 'nab'))
    .filter((name) => name.endsWith('.csv'))
    .sort()
    .map((name) => {
      const samples = readCells(join(folder, 'nab', name))
        .slice(1)
        .map(([time = '', value = '']) => ({
          atMillis: Date.parse(`${time.replace(' ', 'T')}Z`),
          value: Number(value),
        }));
      return { id: `nab/${name.replace(/\.csv$/, '')}`, ...hourlyMeans(samples) };
    });
}

/** Columns of a file of the Azure VM trace V1, a series each; a missing value repeats the one before it. */
export function readAzureColumns(folder: string, name: string): SourceSeries[] {
  const [header = [], ...rows] = readCells(join(folder, 'azure-v1', `${name}.csv`));
  return header.map((column, index) => {
    let last = 0;
    const values = rows.map((row) => {
      const value = Number(row[index] || Number.NaN);
      if (Number.isFinite(value)) last = value;
      return last;
    });
    return { id: `azure-v1/${name}/${column}`, values, startMillis: 0 };
  });
}

const AGGREGATES = [
  { folder: 'alibaba2018', file: 'machine_usage_grouped_300_seconds.csv' },
  { folder: 'google2019', file: 'machine_usage_grouped_300_seconds_percent.csv' },
  { folder: 'azure_v2', file: 'machine_usage_grouped_300_seconds.csv' },
] as const;
/** Columns of percent; the others are sums and rates, which only have to be finite. */
const PERCENT = /percent|^net_(?:in|out)$/;
const BUILT_IN_STEP_SECONDS = 300;
const LONGEST_INTERPOLATED_STEPS = 6;
const STEPS_PER_HOUR = 12;

/** Every column of the Alibaba, Google and Azure V2 aggregates, cleaned by the product's own rules, in hourly means. */
export function readAggregates(root = installedTraces()): SourceSeries[] {
  return AGGREGATES.flatMap(({ folder, file }) => {
    const [header = [], ...rows] = readCells(join(root, folder, file));
    return header.map((column, index) => {
      const samples = rows.map((row, step) => ({
        atMillis: step * BUILT_IN_STEP_SECONDS * 1_000,
        value: Number(row[index] || Number.NaN),
      }));
      const { values } = cleanSeries(samples, {
        stepSeconds: BUILT_IN_STEP_SECONDS,
        minimum: 0,
        maximum: PERCENT.test(column) ? 100 : Number.MAX_VALUE,
        maxGapSteps: LONGEST_INTERPOLATED_STEPS,
      });
      const hours = Math.floor(values.length / STEPS_PER_HOUR);
      const hourly = Array.from({ length: hours }, (_, hour) =>
        meanOf(values.slice(hour * STEPS_PER_HOUR, (hour + 1) * STEPS_PER_HOUR)),
      );
      return { id: `${folder}/${column}`, values: hourly, startMillis: 0 };
    });
  });
}
