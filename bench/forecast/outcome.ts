import { historicalFrequency } from '../../core/forecast/bottleneck.ts';
import type { PointErrors, SplQuantiles, ToldEvent } from './measures.ts';
import {
  absoluteError,
  coverage,
  meanOf,
  overallWeightedAverage,
  percentile,
  pinballLoss,
  seasonalNaivePoints,
  symmetricError,
} from './measures.ts';
import type { Subject } from './subject.ts';
import type { ForecastWindow, WindowSet } from './windows.ts';

/** Shares of the history that lie below the thresholds. */
export const THRESHOLD_SHARES = [0.9, 0.95, 0.99] as const;
/** Reaching a threshold that is this much higher, relative to it, is passing it: a plateau at the threshold is no event. */
const ABOVE = 1e-9;

/** A forecast of a window, with the CPU time it took. */
export interface TimedForecast {
  readonly window: ForecastWindow;
  readonly points: readonly number[];
  /** Absent: points only. */
  readonly quantiles?: SplQuantiles;
  /** For each of `THRESHOLD_SHARES`. Absent: none was told. */
  readonly probabilities?: readonly number[];
  readonly failed: readonly string[];
  readonly cpuMillis: number;
}

export function thresholdsOf({ values }: ForecastWindow): number[] {
  return THRESHOLD_SHARES.map((share) => {
    const threshold = percentile(values, share);
    return threshold + ABOVE * Math.max(1, Math.abs(threshold));
  });
}

/** @throws Error when a forecast has a step that is missing or not finite */
function checkWhole(who: string, { id, actual }: ForecastWindow, points: readonly number[]): void {
  if (points.length === actual.length && points.every(Number.isFinite)) return;
  throw new Error(`${who}: ${id}: ${points.filter(Number.isFinite).length} finite values, expected ${actual.length}`);
}

/** Forecasts every window, one after the other. CPU time is that of the whole process. */
export async function forecastWindows(
  subject: Subject,
  windows: readonly ForecastWindow[],
  signal: AbortSignal,
): Promise<TimedForecast[]> {
  const timed: TimedForecast[] = [];
  for (const window of windows) {
    signal.throwIfAborted();
    const { values, actual, stepSeconds, startMillis, seasons } = window;
    const before = process.cpuUsage();
    const forecast = await subject.forecast(
      { values, stepSeconds, startMillis, seasons },
      actual.length,
      thresholdsOf(window),
    );
    const { user, system } = process.cpuUsage(before);
    checkWhole(subject.name, window, forecast.points);
    for (const row of Object.values(forecast.quantiles)) checkWhole(subject.name, window, row);
    timed.push({ window, ...forecast, cpuMillis: (user + system) / 1_000 });
  }
  return timed;
}

/** Error of a window, divided by its scale. */
export function scaledError({ window, points }: Pick<TimedForecast, 'window' | 'points'>): number {
  return absoluteError(window.actual, points) / window.scale;
}

/** Error of repeating the last season, divided by the scale. */
export function naiveError(window: ForecastWindow): number {
  return scaledError({
    window,
    points: seasonalNaivePoints(window.values, window.seasons[0], window.actual.length),
  });
}

function errorsOf(forecasts: readonly Pick<TimedForecast, 'window' | 'points'>[]): PointErrors {
  return {
    smape: meanOf(forecasts.map(({ window, points }) => symmetricError(window.actual, points))),
    mase: meanOf(forecasts.map(scaledError)),
  };
}

/** What is told of events without a forecast: how often they were in the history's stretches of the same length. */
function frequencies({ values, actual }: ForecastWindow, thresholds: readonly number[]): number[] {
  return thresholds.map((threshold) => historicalFrequency(values, actual.length, threshold));
}

/** What history's frequency alone tells of events, and what came. */
export function frequencyEvents({ window }: Pick<TimedForecast, 'window'>): ToldEvent[] {
  return eventsOf(window, frequencies(window, thresholdsOf(window)));
}

/** What was told of events, and what came. */
export function toldEvents({ window, probabilities = [] }: TimedForecast): ToldEvent[] {
  return eventsOf(window, probabilities);
}

function eventsOf(window: ForecastWindow, probabilities: readonly number[]): ToldEvent[] {
  const thresholds = thresholdsOf(window);
  const highest = Math.max(...window.actual);
  return probabilities.map((probability, place) => ({
    probability,
    happened: highest >= (thresholds[place] ?? Number.NaN),
  }));
}

/** The measures of one forecaster on one set of windows. */
export interface Scores extends PointErrors {
  readonly n: number;
  /** Only where every window has an official Naive2 forecast. */
  readonly owa?: number;
  /** Mean scaled error, divided by that of seasonal naive. */
  readonly rel: number;
  /** Scaled pinball loss, and shares of actual values within the intervals. */
  readonly spl?: number;
  readonly coverage80?: number;
  readonly coverage95?: number;
  readonly cpuMillis: number;
}

/** The forecasts that have quantiles, if all of them do. */
function withQuantiles(forecasts: readonly TimedForecast[]) {
  const all = forecasts.flatMap(({ window, quantiles }) => (quantiles === undefined ? [] : [{ window, quantiles }]));
  return all.length === forecasts.length ? all : undefined;
}

/** @param forecasts at least one */
export function scoresOf(forecasts: readonly TimedForecast[]): Scores {
  const errors = errorsOf(forecasts);
  const naive2 = forecasts.flatMap(({ window }) =>
    window.naive2 === undefined ? [] : [{ window, points: window.naive2 }],
  );
  const spread = withQuantiles(forecasts);
  const covered = (low: keyof SplQuantiles, high: keyof SplQuantiles) =>
    meanOf((spread ?? []).map(({ window, quantiles }) => coverage(window.actual, quantiles[low], quantiles[high])));
  return {
    n: forecasts.length,
    ...errors,
    ...(naive2.length === forecasts.length ? { owa: overallWeightedAverage(errors, errorsOf(naive2)) } : {}),
    rel: errors.mase / meanOf(forecasts.map(({ window }) => naiveError(window))),
    ...(spread === undefined
      ? {}
      : {
          spl: meanOf(spread.map(({ window, quantiles }) => pinballLoss(window.actual, quantiles) / window.scale)),
          coverage80: covered('0.1', '0.9'),
          coverage95: covered('0.025', '0.975'),
        }),
    cpuMillis: meanOf(forecasts.map(({ cpuMillis }) => cpuMillis)),
  };
}

const WORST = 5;

/** The windows with the largest scaled errors, the worst first. */
export function worstOf(forecasts: readonly TimedForecast[]) {
  return forecasts
    .map((forecast) => ({ window: forecast.window, error: scaledError(forecast) }))
    .sort((a, b) => b.error - a.error)
    .slice(0, WORST);
}

/** Forecasts of a set's windows, in their order. */
export interface SetOutcome {
  readonly set: WindowSet;
  readonly forecasts: readonly TimedForecast[];
}
