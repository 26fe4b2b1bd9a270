import type { FileHandle } from 'node:fs/promises';
import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import type { Forecaster } from '../core/forecast/forecaster.ts';
import { createForecaster } from '../core/forecast/forecaster.ts';
import { MILLIS_PER_SECOND } from '../core/units.ts';
import type { LoadedMembers } from '../models/members.ts';
import { loadMembers } from '../models/members.ts';
import { withinSeconds } from '../models/time-limit.ts';
import type { RawSeries } from './forecast-csv.ts';
import { InputError } from './forecast-csv.ts';
import { readEvents } from './forecast-events.ts';
import type { SeriesHistory } from './forecast-history.ts';
import { seriesHistory } from './forecast-history.ts';
import type { ForecastLine } from './forecast-line.ts';
import { forecastLine, forecastLineJsonSchema } from './forecast-line.ts';
import { ForecastNotes, REGRESSOR_MODEL } from './forecast-notes.ts';
import type { ForecastOptions } from './forecast-options.ts';
import { forecastOptions, parseForecast } from './forecast-options.ts';
import { ForecastPage } from './forecast-page.ts';
import { ProgressBar } from './forecast-progress.ts';
import { openInput, seriesOf } from './forecast-source.ts';
import { tableHead, tableRow } from './forecast-table.ts';
import { STANDARD_INPUT } from './offline-options.ts';
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

/** Series that are forecast at a time: while one waits for a model in another thread, the next computes on this one. */
const SERIES_AT_A_TIME = 3;
/** For one model and one series, all fits of its backtest included. */
const MODEL_SECONDS = 60;
const LAST_YEAR_END_MILLIS = Date.UTC(10_000, 0);

/** A series of the file; no line: nothing in it to forecast from. */
interface Forecasted {
  readonly series: RawSeries;
  readonly history: SeriesHistory;
  readonly line: ForecastLine | undefined;
}

/** When a series begins and when its forecast ends. @throws InputError when that is out of the calendar */
function spanOf(series: RawSeries, horizonSteps: number): TimeWindow {
  const { startMillis, stepSeconds, values } = seriesHistory(series);
  const endMillis = startMillis + (values.length + horizonSteps) * stepSeconds * MILLIS_PER_SECOND;
  if (endMillis < LAST_YEAR_END_MILLIS) return { startMillis, endMillis };
  throw new InputError(
    `line ${series.firstLine}: series "${series.seriesId}" has a step of ${stepSeconds} s, and its forecast ends after the year 9999: expected a shorter step or horizon`,
  );
}

interface Checked {
  /** Series in the file. */
  readonly total: number;
  /** From the first step of any to the last forecast slot of any. */
  readonly window: TimeWindow;
}

/** Reads all of a file and forgets it. @throws InputError at what is wrong */
async function checked(file: FileHandle, { horizonSteps }: ForecastOptions, progress: ProgressBar): Promise<Checked> {
  let total = 0;
  let startMillis = Number.POSITIVE_INFINITY;
  let endMillis = Number.NEGATIVE_INFINITY;
  for await (const series of seriesOf(file)) {
    const span = spanOf(series, horizonSteps);
    startMillis = Math.min(startMillis, span.startMillis);
    endMillis = Math.max(endMillis, span.endMillis);
    total += 1;
    progress.count(total, 'series checked');
  }
  return { total, window: { startMillis, endMillis } };
}

/** The results of a few items at a time, in the order of the items. */
async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  atATime: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const pending: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // It is waited for in its turn; until then, that it failed is no news.
    result.catch(() => undefined);
    pending.push(result);
    const first = pending.length < atATime ? undefined : pending.shift();
    if (first !== undefined) yield await first;
  }
  for (const result of pending) yield await result;
}

async function forecastOne(
  series: RawSeries,
  forecaster: Forecaster,
  options: ForecastOptions,
  events: readonly BusinessEvent[],
): Promise<Forecasted> {
  const history = seriesHistory(series);
  const isKnown = history.values.some((value) => value !== null);
  const line = isKnown ? await forecastLine(forecaster, series.seriesId, history, { ...options, events }) : undefined;
  return { series, history, line };
}

/** What becomes of the forecasts of a file: output, page, notes, progress. */
class Report {
  readonly #options: ForecastOptions;
  readonly #streams: ForecastStreams;
  readonly #progress: ProgressBar;
  readonly #page: ForecastPage | undefined;
  readonly #events: readonly BusinessEvent[];
  readonly #notes: ForecastNotes;
  #done = 0;
  leftOut = 0;

  constructor(
    options: ForecastOptions,
    streams: ForecastStreams,
    progress: ProgressBar,
    page: ForecastPage | undefined,
    events: readonly BusinessEvent[],
  ) {
    this.#options = options;
    this.#notes = new ForecastNotes(options.models?.includes(REGRESSOR_MODEL) ?? true);
    this.#streams = streams;
    this.#progress = progress;
    this.#page = page;
    this.#events = events;
  }

  async add({ series, history, line }: Forecasted): Promise<void> {
    this.#done += 1;
    this.#notes.addHistory(history);
    if (line === undefined) {
      this.leftOut += 1;
      this.#progress.clear();
      this.#streams.error(
        `entangle: line ${series.firstLine}: series "${series.seriesId}" has no finite value: left out\n`,
      );
    } else {
      this.#notes.addFailures(line);
      this.#progress.clear();
      await this.#streams.out(this.#options.json ? `${JSON.stringify(line)}\n` : tableRow(line));
      await this.#page?.add(line, history, this.#events);
    }
    this.#progress.show(this.#done);
  }

  async end(): Promise<void> {
    this.#progress.clear();
    const ofPage = await this.#page?.end();
    for (const note of [...this.#notes.lines(), ...(ofPage === undefined ? [] : [ofPage])]) this.#streams.error(note);
  }
}

async function forecastAll(
  file: FileHandle,
  options: ForecastOptions,
  streams: ForecastStreams,
  { members }: LoadedMembers,
): Promise<boolean> {
  const progress = new ProgressBar(streams.progress, () => performance.now() / MILLIS_PER_SECOND);
  const { total, window } = await checked(file, options, progress);
  const events = await readEvents(options.eventFiles, window);
  const { plotFile, horizonSteps, threshold, json } = options;
  const page = plotFile === undefined ? undefined : await ForecastPage.begin(plotFile, total, horizonSteps);
  try {
    const report = new Report(options, streams, progress, page, events);
    const forecaster = createForecaster(members, { withinTime: withinSeconds(MODEL_SECONDS) });
    if (!json) await streams.out(tableHead(threshold));
    progress.start(total);
    const work = (series: RawSeries) => forecastOne(series, forecaster, options, events);
    for await (const forecasted of inOrder(seriesOf(file), SERIES_AT_A_TIME, work)) await report.add(forecasted);
    await report.end();
    return report.leftOut === 0;
  } catch (error) {
    await page?.giveUp();
    throw error;
  }
}

async function loadNamed(names: readonly string[] | undefined): Promise<LoadedMembers> {
  try {
    return await loadMembers(names);
  } catch (error) {
    throw new UsageError(`--models: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Forecasts every series of a file. Holds a few series at a time, and the names of those before them.
 * @returns false when a series was left out
 * @throws UsageError when the command is wrong, or a file cannot be read or written
 * @throws InputError when a row is wrong; nothing has been written then
 */
export async function runForecast(argv: readonly string[], streams: ForecastStreams): Promise<boolean> {
  const values = parseForecast(argv);
  if (values.help || values.schema) {
    await streams.out(values.help ? helpText('forecast') : forecastLineJsonSchema());
    return true;
  }
  const options = forecastOptions(values);
  const loaded = await loadNamed(options.models);
  try {
    const file = await openInput(options.input, streams.input);
    try {
      return await forecastAll(file, options, streams, loaded);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${options.input === STANDARD_INPUT ? 'standard input' : options.input}: ${error.message}`);
    } finally {
      await file.close();
    }
  } finally {
    await loaded.close();
  }
}
