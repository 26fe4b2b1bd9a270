import { quantileOf } from '../forecast/distribution.ts';
import { meanOf } from '../forecast/statistics.ts';

/** Demand of pools on one grid of steps. */
export interface Traces {
  readonly poolIds: readonly string[];
  readonly startMillis: number;
  readonly stepSeconds: number;
  readonly steps: number;
  /** By pool, then by step: units, finite and not negative. */
  readonly demand: readonly Float64Array[];
}

/** The first step that is measured; those before it are learned from. */
export function firstMeasuredStep({ steps, stepSeconds }: Traces, trainingSeconds: number): number {
  return Math.min(Math.floor(steps / 2), Math.max(1, Math.floor(trainingSeconds / stepSeconds)));
}

/** The value below which a share of the values lies, between neighbours in proportion. */
export function percentileOf(values: Float64Array, percent: number): number {
  return quantileOf(Float64Array.from(values).sort(), percent / 100);
}

/** Means of so many steps at a time, from one step to before another; what is left over at the end is left out. */
export function meansOf(values: Float64Array, from: number, until: number, steps: number): Float64Array {
  const count = Math.max(0, Math.floor((until - from) / steps));
  return Float64Array.from({ length: count }, (_, at) =>
    meanOf(values.subarray(from + at * steps, from + (at + 1) * steps)),
  );
}
