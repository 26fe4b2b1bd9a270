import type { PoolId, ResourceType } from '../units.ts';
import { invariant, MILLIS_PER_SECOND } from '../units.ts';

/** Demand of one resource type of a pool, in units (fully used instances), at a fixed step. */
export interface DemandHistory {
  readonly poolId: PoolId;
  readonly resource: ResourceType;
  readonly stepSeconds: number;
  /** Start of the first step, in milliseconds since the epoch; a multiple of the step. */
  readonly startMillis: number;
  /** null: nothing is known of that step. */
  readonly values: readonly (number | null)[];
}

/** One measured demand. */
export interface DemandSample {
  readonly atMillis: number;
  /** Units (fully used instances). */
  readonly demandUnits: number;
}

/** End of the last step, in milliseconds since the epoch: where a forecast begins. */
export function historyEndMillis(history: DemandHistory): number {
  return history.startMillis + history.values.length * history.stepSeconds * MILLIS_PER_SECOND;
}

/** A pool's history before anything was measured. */
export function emptyHistory(poolId: PoolId, resource: ResourceType, stepSeconds: number): DemandHistory {
  return { poolId, resource, stepSeconds, startMillis: 0, values: [] };
}

/**
 * A history with fresh samples in it, cut to its last `maxSteps` steps. Each sample counts for the step in which it lies;
 * of several in one step the last given counts, and a fresh sample replaces what was known. Merging the same samples
 * again changes nothing. Samples that are not a finite number from 0 are left out.
 */
export function mergeSamples(
  history: DemandHistory,
  samples: readonly DemandSample[],
  maxSteps: number,
): DemandHistory {
  invariant(Number.isSafeInteger(maxSteps) && maxSteps > 0, 'a history keeps a positive whole number of steps');
  const stepMillis = history.stepSeconds * MILLIS_PER_SECOND;
  const byStep = new Map<number, number | null>();
  const first = Math.floor(history.startMillis / stepMillis);
  for (const [index, value] of history.values.entries()) byStep.set(first + index, value);
  for (const { atMillis, demandUnits } of samples) {
    if (!Number.isFinite(atMillis) || !Number.isFinite(demandUnits) || demandUnits < 0) continue;
    byStep.set(Math.floor(atMillis / stepMillis), demandUnits);
  }
  if (byStep.size === 0) return history;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const step of byStep.keys()) {
    lowest = Math.min(lowest, step);
    highest = Math.max(highest, step);
  }
  lowest = Math.max(lowest, highest - maxSteps + 1);
  const values = Array.from({ length: highest - lowest + 1 }, (_, index) => byStep.get(lowest + index) ?? null);
  return { ...history, startMillis: lowest * stepMillis, values };
}
