import { MILLIS_PER_SECOND } from '../core/units.ts';
import type { RawSeries } from './forecast-csv.ts';

/** Two years of hours, ten weeks of five minutes: older steps say little, and would take time and memory without end. */
export const MAX_HISTORY_STEPS = 20_000;
/** Steps after the history's end of which other series may be known: as many as can be forecast. */
export const MAX_HORIZON_STEPS = 10_000;
/** The step of a series that has one timestamp only. */
export const ASSUMED_STEP_SECONDS = 3_600;

/** A median this close to whole seconds, relative to itself, is taken for them: clocks are not exact. */
const JITTER = 0.01;

/** A series at a fixed step. */
export interface SeriesHistory {
  readonly stepSeconds: number;
  /** Of the first of `values`, in milliseconds since the epoch. */
  readonly startMillis: number;
  /** By step; null: missing. */
  readonly values: readonly (number | null)[];
  /** By name and step; they may go on after the values, where they are known in advance. null: missing. */
  readonly regressors: Readonly<Record<string, readonly (number | null)[]>>;
  /** Steps after the values at which a regressor is known. */
  readonly stepsKnownAhead: number;
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
  const wholeSeconds = Math.round(median / MILLIS_PER_SECOND) * MILLIS_PER_SECOND;
  return Math.abs(wholeSeconds - median) <= JITTER * median ? wholeSeconds : median;
}

interface Row {
  readonly atMillis: number;
  /** Its place in the file's order. */
  readonly place: number;
}

/** The rows of a series by time. The sort is stable: of two rows of one moment the later line stays the later one. */
function sortedRows({ atMillis }: RawSeries): { rows: Row[]; unsortedRows: number } {
  let unsortedRows = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (const moment of atMillis) {
    if (moment < latest) unsortedRows += 1;
    latest = Math.max(latest, moment);
  }
  const rows = atMillis.map((moment, place) => ({ atMillis: moment, place }));
  if (unsortedRows > 0) rows.sort((a, b) => a.atMillis - b.atMillis);
  return { rows, unsortedRows };
}

/**
 * How many of the sorted rows are history. Those after them have no value while another series is known there: they lie ahead.
 * In a series that has no other rows, all are history.
 */
function historyRows(rows: readonly Row[], { onlyRegressors }: RawSeries): number {
  const last = rows.findLastIndex(({ place }) => onlyRegressors[place] !== true);
  return last < 0 ? rows.length : last + 1;
}

/** The last finite value of each step, from `fromStep` on; null where there is none. */
function valuesAtSteps(
  values: readonly (number | null)[],
  rows: readonly Row[],
  stepOf: (row: Row) => number,
  [fromStep, toStep]: readonly [number, number],
): (number | null)[] {
  const atSteps = Array.from({ length: toStep - fromStep }, (): number | null => null);
  for (const row of rows) {
    const value = values[row.place] ?? null;
    const step = stepOf(row);
    if (value !== null && step >= fromStep && step < toStep) atSteps[step - fromStep] = value;
  }
  return atSteps;
}

/**
 * The rows of a series at the median step between them: sorted by time, each at the nearest step from the first, the last
 * finite one of several in a step. Steps without a finite value are missing. The values begin and end at the first and the last
 * row of the history.
 */
export function seriesHistory(series: RawSeries): SeriesHistory {
  const { rows, unsortedRows } = sortedRows(series);
  const detected = medianDistance(rows.map(({ atMillis }) => atMillis));
  const stepMillis = detected ?? ASSUMED_STEP_SECONDS * MILLIS_PER_SECOND;
  const firstMillis = rows[0]?.atMillis ?? 0;
  const stepOf = (row: Row | undefined) => Math.round(((row?.atMillis ?? firstMillis) - firstMillis) / stepMillis);
  const known = historyRows(rows, series);
  const toStep = stepOf(rows[known - 1]) + 1;
  const fromStep = Math.max(0, toStep - MAX_HISTORY_STEPS);
  const stepsKnownAhead = Math.min(MAX_HORIZON_STEPS, Math.max(0, stepOf(rows.at(-1)) + 1 - toStep));
  const steps = rows.map(stepOf);
  return {
    stepSeconds: stepMillis / MILLIS_PER_SECOND,
    startMillis: firstMillis + fromStep * stepMillis,
    values: valuesAtSteps(series.values, rows.slice(0, known), stepOf, [fromStep, toStep]),
    regressors: Object.fromEntries(
      Object.entries(series.regressors).map(([name, values]) => [
        name,
        valuesAtSteps(values, rows, stepOf, [fromStep, toStep + stepsKnownAhead]),
      ]),
    ),
    stepsKnownAhead,
    unsortedRows,
    repeatedRows: steps.filter((step, index) => index > 0 && step === steps[index - 1]).length,
    missingRows: rows.slice(0, known).filter(({ place }) => series.values[place] === null).length,
    stepWasAssumed: detected === undefined,
    wasCut: fromStep > 0,
  };
}
