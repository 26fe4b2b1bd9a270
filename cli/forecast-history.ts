import type { RawSeries } from './forecast-csv.ts';

/** Two years of hours, ten weeks of five minutes: older steps say little, and would take time and memory without end. */
export const MAX_HISTORY_STEPS = 20_000;
/** The step of a series that has one timestamp only. */
export const ASSUMED_STEP_SECONDS = 3_600;

const MILLIS = 1_000;
/** A median this close to whole seconds, relative to itself, is taken for them: clocks are not exact. */
const JITTER = 0.01;

/** A series at a fixed step. */
export interface SeriesHistory {
  readonly stepSeconds: number;
  /** Of the first of `values`, in milliseconds since the epoch. */
  readonly startMillis: number;
  /** By step; null: missing. */
  readonly values: readonly (number | null)[];
  /** Rows that stood after a later one. */
  readonly unsortedRows: number;
  /** Rows replaced by another row in the same step. */
  readonly repeatedRows: number;
  /** Rows without a finite value. */
  readonly missingRows: number;
  readonly stepWasAssumed: boolean;
  /** Whether steps before the last `MAX_HISTORY_STEPS` were left out. */
  readonly wasCut: boolean;
}

/** The median distance of neighbouring timestamps, in milliseconds; undefined when there is one timestamp only. */
function medianDistance(sortedMillis: readonly number[]): number | undefined {
  const distances: number[] = [];
  for (let row = 1; row < sortedMillis.length; row += 1) {
    const distance = (sortedMillis[row] ?? 0) - (sortedMillis[row - 1] ?? 0);
    if (distance > 0) distances.push(distance);
  }
  const median = distances.sort((a, b) => a - b)[Math.floor((distances.length - 1) / 2)];
  if (median === undefined) return undefined;
  const wholeSeconds = Math.round(median / MILLIS) * MILLIS;
  return Math.abs(wholeSeconds - median) <= JITTER * median ? wholeSeconds : median;
}

/**
 * The rows of a series at the median step between them: sorted by time, each at the nearest step from the first, the last
 * finite one of several in a step. Steps without a finite value are missing. It begins and ends at the first and last row.
 */
export function seriesHistory(series: RawSeries): SeriesHistory {
  let unsortedRows = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (const atMillis of series.atMillis) {
    if (atMillis < latest) unsortedRows += 1;
    latest = Math.max(latest, atMillis);
  }
  const rows = series.atMillis.map((atMillis, row) => ({ atMillis, value: series.values[row] ?? null }));
  // The sort is stable: of two rows of one moment the later line stays the later one.
  if (unsortedRows > 0) rows.sort((a, b) => a.atMillis - b.atMillis);
  const detected = medianDistance(rows.map(({ atMillis }) => atMillis));
  const stepMillis = detected ?? ASSUMED_STEP_SECONDS * MILLIS;
  const firstMillis = rows[0]?.atMillis ?? 0;
  const stepOf = (atMillis: number) => Math.round((atMillis - firstMillis) / stepMillis);
  const steps = stepOf(latest) + 1;
  const cutSteps = Math.max(0, steps - MAX_HISTORY_STEPS);
  const values = Array.from({ length: steps - cutSteps }, (): number | null => null);
  let repeatedRows = 0;
  let missingRows = 0;
  let previousStep = -1;
  for (const { atMillis, value } of rows) {
    const step = stepOf(atMillis);
    if (step === previousStep) repeatedRows += 1;
    previousStep = step;
    if (value === null) missingRows += 1;
    else if (step >= cutSteps) values[step - cutSteps] = value;
  }
  return {
    stepSeconds: stepMillis / MILLIS,
    startMillis: firstMillis + cutSteps * stepMillis,
    values,
    unsortedRows,
    repeatedRows,
    missingRows,
    stepWasAssumed: detected === undefined,
    wasCut: cutSteps > 0,
  };
}
