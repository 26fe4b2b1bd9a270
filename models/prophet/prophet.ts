import { rowsByLevel } from '../../core/forecast/distribution.ts';
import { QUANTILE_LEVELS } from '../../core/forecast/forecast.ts';
import type { ForecastMember, ForecastSeries, MemberForecast } from '../../core/forecast/member.ts';
import { forecastBounds, shownSeasons } from '../../core/forecast/model.ts';
import { NORMAL_QUANTILES } from '../../core/forecast/normal-quantiles.ts';
import type { FitJob } from './fit-messages.ts';
import { FittingThread } from './fitting-thread.ts';

export interface ProphetOptions {
  /** Longest time for one fit. Default: 5. */
  readonly fitSeconds?: number;
  /** Fits after which the thread is replaced, since its memory grows. Default: 200. */
  readonly fitsPerThread?: number;
  /** The thread's module. Default: the one beside this file, or beside the bundle that holds it. */
  readonly threadFile?: URL;
}

export interface ProphetMember extends ForecastMember {
  /** Ends the thread. It does not keep the process alive in any case. */
  close(): Promise<void>;
}

/** Values of a history, or means of as many neighbours, as they are fitted. */
interface Blocks {
  readonly means: readonly number[];
  readonly stepsPerBlock: number;
  /** First step of the first block. */
  readonly fromStep: number;
  /** Mean variance of the values around their block's mean. */
  readonly varianceWithin: number;
}

interface Fit {
  readonly points: readonly number[];
  /** Standard deviation of the value at a step, which may lie before the fit's end. */
  deviationAt(step: number): number;
}

const SECONDS_PER_HOUR = 3_600;
const SECONDS_PER_DAY = 86_400;
const MIN_STEPS = 8;
/** Finer steps than hours are averaged when there are more of them than this: fits take as long as there are values. */
const MAX_FINE_STEPS = 1_000;
const MAX_FITTED_VALUES = 1_344;
/**
 * Seconds of a step on the axis that the fit sees. An even number, so that the middle of a step is whole as well: what a step
 * lasts is of no matter to the fit, as long as the seasons are told in the same seconds.
 */
const AXIS_SECONDS_PER_STEP = 3_600;
/**
 * Prophet's own are 4 for a day and 3 for a week: too few for the edges of office hours. Seen on a quarter of M4's hourly
 * series, their test hours included, and again on the ends of other series' training hours.
 */
const FOURIER_ORDER = 10;
/** A forecast that leaves the history by more than this many times the history's range has diverged. */
const MAX_RANGES_AWAY = 3;
/** Prophet adds it to the mean change of the slope. */
const MIN_TREND_CHANGE = 1e-8;

/** The thread's module, where this one is part of a bundle: models/prophet/files.ts names it so. */
const BUNDLED_THREAD = './prophet-worker.mjs';

function defaultThreadFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './fit-worker.ts' : BUNDLED_THREAD, import.meta.url);
}

/** Means of blocks that are aligned to the end; blocks of one step where there is no need for longer ones. */
function blocksOf(values: readonly number[], stepSeconds: number): Blocks {
  const perHour = Math.max(1, Math.floor(SECONDS_PER_HOUR / stepSeconds));
  const stepsPerBlock = values.length > MAX_FINE_STEPS ? perHour : 1;
  const count = Math.min(MAX_FITTED_VALUES, Math.floor(values.length / stepsPerBlock));
  const fromStep = values.length - count * stepsPerBlock;
  let squares = 0;
  const means = Array.from({ length: count }, (_, index) => {
    const from = fromStep + index * stepsPerBlock;
    const block = values.slice(from, from + stepsPerBlock);
    const mean = block.reduce((sum, value) => sum + value, 0) / stepsPerBlock;
    for (const value of block) squares += (value - mean) ** 2;
    return mean;
  });
  return { means, stepsPerBlock, fromStep, varianceWithin: squares / Math.max(1, count * (stepsPerBlock - 1)) };
}

/** A Fourier series for each season that the blocks show twice, as far as the blocks resolve it. */
function seasonalitiesOf({ means, stepsPerBlock }: Blocks, seasons: readonly number[]) {
  return shownSeasons(means.length * stepsPerBlock, seasons).flatMap((season) => {
    const fourierOrder = Math.min(FOURIER_ORDER, Math.floor((season / stepsPerBlock - 1) / 2));
    const periodDays = (season * AXIS_SECONDS_PER_STEP) / SECONDS_PER_DAY;
    return fourierOrder < 1 ? [] : [{ name: `season ${season}`, periodDays, fourierOrder }];
  });
}

const middleOf = (step: number, steps = 1): number =>
  AXIS_SECONDS_PER_STEP * step + (AXIS_SECONDS_PER_STEP * steps) / 2;

/** Fits to the values before `origin` and predicts `fromStep … toStep - 1`; undefined: too few values, or none that differ. */
async function fitAt(
  thread: FittingThread,
  series: ForecastSeries,
  origin: number,
  predicted: { readonly fromStep: number; readonly toStep: number },
): Promise<Fit | undefined> {
  const given = series.values.slice(0, origin);
  const { lowest, highest } = rangeOf(given);
  const centre = lowest + (highest - lowest) / 2;
  const scale = (highest - lowest) / 2;
  if (!(scale > 0) || !Number.isFinite(scale)) return undefined;
  const blocks = blocksOf(
    given.map((value) => (value - centre) / scale),
    series.stepSeconds,
  );
  const range = rangeOf(blocks.means);
  if (blocks.means.length < MIN_STEPS || !(range.highest > range.lowest)) return undefined;
  // The library divides by it, so that with it here the noise that it tells has a known unit.
  const magnitude = Math.max(range.highest, -range.lowest);
  const { fromStep, stepsPerBlock } = blocks;
  const job: FitJob = {
    timesSeconds: blocks.means.map((_, index) => middleOf(fromStep + index * stepsPerBlock, stepsPerBlock)),
    values: blocks.means.map((mean) => mean / magnitude),
    seasonalities: seasonalitiesOf(blocks, series.seasons),
    predictSeconds: Array.from({ length: predicted.toStep - predicted.fromStep }, (_, index) =>
      middleOf(predicted.fromStep + index),
    ),
  };
  const { points, noise, trendChanges, trendChangeSize } = await thread.run(job);
  const spanSteps = (blocks.means.length - 1) * stepsPerBlock;
  const changeVariance = 2 * (trendChangeSize + MIN_TREND_CHANGE) ** 2;
  return {
    points: points.map((point) => centre + scale * magnitude * point),
    deviationAt(step) {
      const ahead = Math.max(0, step + 1 - origin) / spanSteps;
      const ofTrend = (trendChanges * changeVariance * ahead ** 3) / 3;
      return scale * Math.sqrt(magnitude ** 2 * (noise ** 2 + ofTrend) + blocks.varianceWithin);
    },
  };
}

function rangeOf(values: readonly number[]): { lowest: number; highest: number } {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return { lowest, highest };
}

/** @throws Error for a fit whose forecast is not finite or far from all that the history has shown */
function checkNear(points: readonly number[], history: readonly number[]): void {
  const { lowest, highest } = rangeOf(history);
  const limit = MAX_RANGES_AWAY * (highest - lowest);
  const wild = points.find((point) => !(point >= lowest - limit && point <= highest + limit));
  if (wild === undefined) return;
  throw new Error(`the fit diverged: it forecasts ${wild} after values between ${lowest} and ${highest}`);
}

function forecastOf(fit: Fit, points: readonly number[], origin: number, values: readonly number[]): MemberForecast {
  const { lowest, highest } = forecastBounds(values.slice(0, origin));
  const bounded = (value: number) => Math.min(highest, Math.max(lowest, value));
  const rows = QUANTILE_LEVELS.map((level) =>
    points.map((point, index) => bounded(point + NORMAL_QUANTILES[level] * fit.deviationAt(origin + index))),
  );
  return { points: points.map(bounded), quantiles: rowsByLevel(rows) };
}

/**
 * Prophet: a line whose slope may change at 25 places of the first four fifths of the history, plus a Fourier series for each
 * season that the history shows twice, fitted by the maximum of the posterior.
 * Source: Taylor & Letham 2018, Forecasting at Scale, The American Statistician 72; library: augurs, with Prophet's own Stan
 * program compiled to WebAssembly.
 *
 * A fit is expensive, so at most two are made for a series: at the last origin, and at the first for all origins before the
 * last. For the later ones of those the first fit's trend and seasons are carried on, without what was measured in between:
 * a backtest says a little less of Prophet than is due to it.
 *
 * Quantiles are normal, with the variance that Prophet's own simulation has: of the noise, and of changes of the slope that
 * go on as often and as large as before, which h steps after the fit is `S · 2λ² · h³ / 3`. Its simulation takes longer than
 * the fit and cannot be seeded. Steps finer than an hour are averaged to hours when they are more than 1,000; the fit is then
 * evaluated in the middle of every step. Of longer histories the last 1,344 values are fitted.
 *
 * The fits run in a thread of their own. @throws Error, in the promise, after a trap, a fit that diverged or one that ran out
 * of time; the message says which. The next forecast starts a new thread.
 */
export function createProphet(options: ProphetOptions = {}): ProphetMember {
  const { fitSeconds = 5, fitsPerThread = 200, threadFile = defaultThreadFile() } = options;
  const thread = new FittingThread(threadFile, { fitSeconds, fitsPerThread });

  async function backtest(series: ForecastSeries, origins: readonly number[], horizonSteps: number) {
    const found = origins.map((): MemberForecast | undefined => undefined);
    const first = origins.findIndex(
      (origin) => blocksOf(series.values.slice(0, origin), series.stepSeconds).means.length >= MIN_STEPS,
    );
    const from = origins[first];
    if (from === undefined) return found;
    const toStep = (origins.at(-1) ?? 0) + horizonSteps;
    const fit = await fitAt(thread, series, from, { fromStep: from, toStep });
    if (fit === undefined) return found;
    for (const [index, origin] of origins.entries()) {
      if (index < first) continue;
      const points = fit.points.slice(origin - from, origin - from + horizonSteps);
      if (!points.every(Number.isFinite)) throw new Error('the fit diverged: its forecast is not a finite number');
      found[index] = forecastOf(fit, points, origin, series.values);
    }
    return found;
  }

  return {
    name: 'prophet',
    async forecastFrom(series, origins, horizonSteps) {
      const wanted = origins.at(-1);
      if (wanted === undefined) return [];
      const earlier = await backtest(series, origins.slice(0, -1), horizonSteps);
      const fit = await fitAt(thread, series, wanted, { fromStep: wanted, toStep: wanted + horizonSteps });
      if (fit === undefined) return [...earlier, undefined];
      checkNear(fit.points, series.values.slice(0, wanted));
      return [...earlier, forecastOf(fit, fit.points, wanted, series.values)];
    },
    close: () => thread.close(),
  };
}
