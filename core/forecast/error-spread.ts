import { LEVELS, onSideOf, quantileOf } from './distribution.ts';

/** What was measured minus what was forecast: one row an origin, one column for each step after it. */
export type ErrorRows = readonly (readonly number[])[];

/** Steps next to each other err alike: their errors are pooled, this many buckets a season. */
const BUCKETS_PER_SPAN = 4;

interface Bucket {
  readonly size: number;
  readonly weight: number;
}

/** Never falling with the horizon: neighbours that do are averaged. Pool adjacent violators, Ayer et al. 1955. */
function nonDecreasing(buckets: readonly Bucket[]): number[] {
  const pools: { size: number; weight: number; count: number }[] = [];
  for (const { size, weight } of buckets) {
    pools.push({ size, weight, count: 1 });
    for (;;) {
      const last = pools.at(-1);
      const before = pools.at(-2);
      if (last === undefined || before === undefined || before.size <= last.size) break;
      pools.splice(-2, 2, {
        size: (before.size * before.weight + last.size * last.weight) / (before.weight + last.weight),
        weight: before.weight + last.weight,
        count: before.count + last.count,
      });
    }
  }
  return pools.flatMap(({ size, count }) => Array.from({ length: count }, () => size));
}

function sizesByBucket(rows: ErrorRows, bucketSteps: number): number[] {
  const sums: number[] = [];
  const counts: number[] = [];
  for (const row of rows) {
    for (const [step, error] of row.entries()) {
      const bucket = Math.floor(step / bucketSteps);
      sums[bucket] = (sums[bucket] ?? 0) + Math.abs(error);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  }
  return nonDecreasing(sums.map((sum, bucket) => ({ size: sum / (counts[bucket] ?? 1), weight: counts[bucket] ?? 1 })));
}

/**
 * How far from a point forecast the values come to lie, from the errors of a backtest: their size grows with the horizon, their
 * shape is taken to be the same at each.
 * @returns offsets from the point forecast, one row for each of `LEVELS`, one column a step; at the median none. undefined
 *   without an error
 */
export function errorSpread(rows: ErrorRows, horizonSteps: number, spanSteps: number): number[][] | undefined {
  const bucketSteps = Math.max(1, Math.round(spanSteps / BUCKETS_PER_SPAN));
  const sizes = sizesByBucket(rows, bucketSteps);
  const largest = sizes.at(-1);
  if (largest === undefined) return undefined;
  const sizeAt = (step: number): number => sizes[Math.floor(step / bucketSteps)] ?? largest;
  const shape = Float64Array.from(
    rows.flatMap((row) => row.map((error, step) => (sizeAt(step) > 0 ? error / sizeAt(step) : 0))),
  ).sort();
  return LEVELS.map((level) => {
    const offset = onSideOf(level, quantileOf(shape, level));
    return Array.from({ length: horizonSteps }, (_, step) => offset * sizeAt(step));
  });
}
