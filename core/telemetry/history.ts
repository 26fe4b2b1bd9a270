import type { PoolId, ResourceType } from '../units.ts';
import { invariant, MILLIS_PER_SECOND } from '../units.ts';

/** Values at a fixed step. */
export interface StepSeries {
  readonly stepSeconds: number;
  /** Start of the first step, in milliseconds since the epoch; a multiple of the step. */
  readonly startMillis: number;
  /** null: nothing is known of that step. */
  readonly values: readonly (number | null)[];
}

/** Demand of one resource type of a pool, in units (fully used instances), at a fixed step. */
export interface DemandHistory extends StepSeries {
  readonly poolId: PoolId;
  readonly resource: ResourceType;
}

/** One measured demand. */
export interface DemandSample {
  readonly atMillis: number;
  /** Units (fully used instances). */
  readonly demandUnits: number;
}

/** End of the last step, in milliseconds since the epoch: where a forecast begins. */
export function historyEndMillis(history: StepSeries): number {
  return history.startMillis + history.values.length * history.stepSeconds * MILLIS_PER_SECOND;
}

/** A pool's history before anything was measured. */
export function emptyHistory(poolId: PoolId, resource: ResourceType, stepSeconds: number): DemandHistory {
  return { poolId, resource, stepSeconds, startMillis: 0, values: [] };
}

/**
 * A series with fresh samples in it, cut to its last `maxSteps` steps. Each sample counts for the step in which it lies; of
 * several in one step the last given counts, and a fresh sample replaces what was known. Merging the same samples again changes
 * nothing. Samples that are not finite are left out.
 */
export function mergeValues<Series extends StepSeries>(
  series: Series,
  samples: readonly { readonly atMillis: number; readonly value: number }[],
  maxSteps: number,
): Series {
  invariant(Number.isSafeInteger(maxSteps) && maxSteps > 0, 'a history keeps a positive whole number of steps');
  const stepMillis = series.stepSeconds * MILLIS_PER_SECOND;
  const first = Math.floor(series.startMillis / stepMillis);
  const isKnown = series.values.length > 0;
  let lowest = isKnown ? first : Number.POSITIVE_INFINITY;
  let highest = isKnown ? first + series.values.length - 1 : Number.NEGATIVE_INFINITY;
  const usable = samples.filter(({ atMillis, value }) => Number.isFinite(atMillis) && Number.isFinite(value));
  for (const { atMillis } of usable) {
    const step = Math.floor(atMillis / stepMillis);
    lowest = Math.min(lowest, step);
    highest = Math.max(highest, step);
  }
  if (lowest > highest) return series;
  lowest = Math.max(lowest, highest - maxSteps + 1);
  const values: (number | null)[] = [];
  for (let step = lowest; step <= highest; step += 1) values.push(series.values[step - first] ?? null);
  for (const { atMillis, value } of usable) {
    const step = Math.floor(atMillis / stepMillis);
    if (step >= lowest) values[step - lowest] = value;
  }
  return { ...series, startMillis: lowest * stepMillis, values };
}

/** A demand history with fresh samples in it, as `mergeValues` does it. Samples below 0 are left out. */
export function mergeSamples(
  history: DemandHistory,
  samples: readonly DemandSample[],
  maxSteps: number,
): DemandHistory {
  const usable = samples.filter(({ demandUnits }) => demandUnits >= 0);
  return mergeValues(
    history,
    usable.map(({ atMillis, demandUnits }) => ({ atMillis, value: demandUnits })),
    maxSteps,
  );
}

/** A series at the steps of another one; null where it knows nothing, or has another step. */
export function valuesAtStepsOf(history: StepSeries, series: StepSeries): (number | null)[] {
  if (series.stepSeconds !== history.stepSeconds) return history.values.map(() => null);
  const offset = Math.round((history.startMillis - series.startMillis) / (history.stepSeconds * MILLIS_PER_SECOND));
  return history.values.map((_, step) => series.values[step + offset] ?? null);
}
