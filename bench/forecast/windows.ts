import { seasonalScale } from './measures.ts';

/** A history, what came after it, and how its errors are scaled. */
export interface ForecastWindow {
  /** File, series and origin, for people. */
  readonly id: string;
  /** Oldest first, all finite. */
  readonly values: readonly number[];
  /** What came after them: as many values as are forecast. */
  readonly actual: readonly number[];
  readonly stepSeconds: number;
  /** Start of the first value, in milliseconds since the epoch; 0 where the source does not tell. */
  readonly startMillis: number;
  /** Steps after which the series may repeat itself; the first is the season of the scale. */
  readonly seasons: readonly [number, ...number[]];
  /** Mean absolute seasonal change within the history. */
  readonly scale: number;
  /** The official Naive2 forecast, where there is one. */
  readonly naive2?: readonly number[];
}

/** Windows that are measured together. */
export interface WindowSet {
  /** As the command knows it. */
  readonly key: string;
  readonly name: string;
  /** Development sets have the goals; checks show whether what holds there holds elsewhere. */
  readonly role: 'development' | 'check';
  readonly windows: readonly ForecastWindow[];
}

/** A series as its file has it, gaps filled. */
export interface SourceSeries {
  readonly id: string;
  readonly values: readonly number[];
  readonly startMillis: number;
}

export interface Cutting {
  readonly stepSeconds: number;
  readonly seasons: readonly [number, ...number[]];
  readonly horizonSteps: number;
  /** Most steps of history. */
  readonly historySteps: number;
  readonly fewestHistorySteps: number;
  /** Steps between an origin and the one before it. */
  readonly apartSteps: number;
  /** How many origins are taken, and how many of the last ones are passed over first. */
  readonly origins: number;
  readonly skippedOrigins: number;
}

const HOURS_PER_DAY = 24;
const HOURS_PER_WEEK = 168;
const SMALLEST_SCALE = 1e-6;
const SECONDS_PER_HOUR = 3_600;

/** The day-ahead windows of hourly series: at most 14 days of history, at least two. */
export const HOURLY: Cutting = {
  stepSeconds: SECONDS_PER_HOUR,
  seasons: [HOURS_PER_DAY, HOURS_PER_WEEK],
  horizonSteps: HOURS_PER_DAY,
  historySteps: 14 * HOURS_PER_DAY,
  fewestHistorySteps: 2 * HOURS_PER_DAY,
  apartSteps: HOURS_PER_DAY,
  origins: 1,
  skippedOrigins: 0,
};

/** The windows of one series, the latest origin first. Those whose scale is as good as nothing are left out. */
export function cutWindows(series: SourceSeries, cutting: Cutting): ForecastWindow[] {
  const { horizonSteps, apartSteps, origins, skippedOrigins, stepSeconds, seasons } = cutting;
  const windows: ForecastWindow[] = [];
  for (let turn = skippedOrigins; turn < skippedOrigins + origins; turn += 1) {
    const origin = series.values.length - horizonSteps - turn * apartSteps;
    const from = Math.max(0, origin - cutting.historySteps);
    if (origin - from < cutting.fewestHistorySteps) break;
    const values = series.values.slice(from, origin);
    const scale = seasonalScale(values, seasons[0]);
    if (!(scale > SMALLEST_SCALE)) continue;
    windows.push({
      id: `${series.id}@${origin}`,
      values,
      actual: series.values.slice(origin, origin + horizonSteps),
      stepSeconds,
      startMillis: series.startMillis + from * stepSeconds * 1_000,
      seasons,
      scale,
    });
  }
  return windows;
}
