import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RawSeries } from './forecast-csv.ts';
import { InputError, linesOf, readSeries } from './forecast-csv.ts';
import type { SeriesHistory } from './forecast-history.ts';
import { ASSUMED_STEP_SECONDS, MAX_HISTORY_STEPS, seriesHistory } from './forecast-history.ts';
import type { LineOptions } from './forecast-line.ts';
import { forecastLine, forecastLineJsonSchema } from './forecast-line.ts';
import { tableHead, tableRow } from './forecast-table.ts';
import { helpText, UsageError } from './usage.ts';

/** What a command reads and writes. */
export interface ForecastStreams {
  /** The next text is written when the one before it was taken. */
  readonly out: (text: string) => void | Promise<void>;
  readonly error: (text: string) => void;
  /** Standard input. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Where progress is shown; absent when nobody watches. */
  readonly progress?: (text: string) => void;
}

interface ForecastOptions extends LineOptions {
  readonly input: string;
  readonly json: boolean;
}

const STANDARD_INPUT = '-';
/** To the end of the line, on a terminal. */
const CLEAR_LINE = '\u001B[K';
const MAX_HORIZON_STEPS = 10_000;
const LAST_YEAR_END_MILLIS = Date.UTC(10_000, 0);

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        schema: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        input: { type: 'string' },
        horizon: { type: 'string' },
        season: { type: 'string' },
        threshold: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function stepsOf(option: string, text: string, most: number): number {
  const steps = /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
  if (steps < 1 || steps > most) {
    throw new UsageError(`${option} ${text}: expected a whole number of steps from 1 to ${most}`);
  }
  return steps;
}

function optionsOf(values: ReturnType<typeof parse>): ForecastOptions {
  const { input, horizon, season, threshold } = values;
  if (input === undefined || input === '') throw new UsageError('no input: give --input FILE.csv, or --input - ');
  if (horizon === undefined) throw new UsageError('no horizon: give --horizon STEPS, such as --horizon 48');
  const limit = threshold === undefined || threshold.trim() === '' ? Number.NaN : Number(threshold);
  if (threshold !== undefined && !Number.isFinite(limit)) {
    throw new UsageError(`--threshold ${threshold}: expected a number`);
  }
  return {
    input,
    json: values.json,
    horizonSteps: stepsOf('--horizon', horizon, MAX_HORIZON_STEPS),
    seasonSteps: season?.split(',').map((steps) => stepsOf('--season', steps, MAX_HISTORY_STEPS)),
    threshold: threshold === undefined ? undefined : limit,
  };
}

/** A file that can be read twice: itself, or a copy on disk of what comes through a pipe, without a name. */
async function opened(input: string, standardInput: AsyncIterable<Uint8Array> | undefined): Promise<FileHandle> {
  try {
    const isPipe = input === STANDARD_INPUT || !(await stat(input)).isFile();
    if (!isPipe) return await open(input);
    const source = input === STANDARD_INPUT ? (standardInput ?? []) : createReadStream(input);
    const folder = await mkdtemp(join(tmpdir(), 'entangle-forecast-'));
    try {
      const copy = await open(join(folder, 'input.csv'), 'wx+', 0o600);
      for await (const piece of source) await copy.write(piece);
      return copy;
    } finally {
      await rm(folder, { recursive: true });
    }
  } catch (error) {
    throw new UsageError(`--input ${input}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function seriesOf(file: FileHandle, onRegressors: (names: readonly string[]) => void = () => {}) {
  const pieces = file.createReadStream({ start: 0, autoClose: false, encoding: 'utf8' }) as AsyncIterable<string>;
  return readSeries(linesOf(pieces), onRegressors);
}

/** What was done to the series of a file, so that it can be told in a line each at the end. */
class Notes {
  readonly #counts = new Map<string, number>();

  add(what: string, count: number): void {
    if (count > 0) this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  addHistory(history: SeriesHistory): void {
    this.add('rows stood after a later one and were sorted', history.unsortedRows);
    this.add('rows fell into the step of another one, and the last counts', history.repeatedRows);
    this.add('rows have no finite value and count as missing', history.missingRows);
    this.add(`series have one timestamp only: a step of ${ASSUMED_STEP_SECONDS} s is assumed`, +history.stepWasAssumed);
    this.add(`series are longer than ${MAX_HISTORY_STEPS} steps: older ones are not used`, +history.wasCut);
  }

  lines(): string[] {
    return [...this.#counts].map(([what, count]) => `entangle: note: ${count} ${what}\n`);
  }
}

function checkEnd(series: RawSeries, history: SeriesHistory, horizonSteps: number): void {
  const endMillis = history.startMillis + (history.values.length + horizonSteps) * history.stepSeconds * 1_000;
  if (endMillis < LAST_YEAR_END_MILLIS) return;
  throw new InputError(
    `line ${series.firstLine}: series "${series.seriesId}" has a step of ${history.stepSeconds} s, and its forecast ends after the year 9999: expected a shorter step or horizon`,
  );
}

/** Reads all of a file and forgets it. @returns how many series it holds @throws InputError at what is wrong */
async function checked(file: FileHandle, options: ForecastOptions, streams: ForecastStreams): Promise<number> {
  let count = 0;
  const onRegressors = (names: readonly string[]) =>
    streams.error(`entangle: note: the columns ${names.join(', ')} are not used\n`);
  for await (const series of seriesOf(file, onRegressors)) {
    checkEnd(series, seriesHistory(series), options.horizonSteps);
    count += 1;
    streams.progress?.(`\r${count} series checked`);
  }
  return count;
}

async function forecastAll(file: FileHandle, options: ForecastOptions, streams: ForecastStreams): Promise<boolean> {
  const total = await checked(file, options, streams);
  const notes = new Notes();
  let done = 0;
  let leftOut = 0;
  if (!options.json) await streams.out(tableHead(options.threshold));
  for await (const series of seriesOf(file)) {
    const history = seriesHistory(series);
    notes.addHistory(history);
    done += 1;
    streams.progress?.(`\r${CLEAR_LINE}${done} of ${total} series`);
    if (history.values.every((value) => value === null)) {
      leftOut += 1;
      streams.progress?.(`\r${CLEAR_LINE}`);
      streams.error(`entangle: line ${series.firstLine}: series "${series.seriesId}" has no finite value: left out\n`);
      continue;
    }
    const line = forecastLine(series.seriesId, history, options);
    await streams.out(options.json ? `${JSON.stringify(line)}\n` : tableRow(line));
  }
  streams.progress?.(`\r${CLEAR_LINE}`);
  for (const note of notes.lines()) streams.error(note);
  return leftOut === 0;
}

/**
 * Forecasts every series of a file. Holds one series at a time, and the names of those before it.
 * @returns false when a series was left out
 * @throws UsageError when the command is wrong or the file cannot be read
 * @throws InputError when a row is wrong; nothing has been written then
 */
export async function runForecast(argv: readonly string[], streams: ForecastStreams): Promise<boolean> {
  const values = parse(argv);
  if (values.help || values.schema) {
    await streams.out(values.help ? helpText('forecast') : forecastLineJsonSchema());
    return true;
  }
  const options = optionsOf(values);
  const file = await opened(options.input, streams.input);
  try {
    return await forecastAll(file, options, streams);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${options.input === STANDARD_INPUT ? 'standard input' : options.input}: ${error.message}`);
  } finally {
    await file.close();
  }
}
