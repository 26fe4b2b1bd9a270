import type { PoolSpec } from '../pool.ts';
import { regionLatency } from './region-latency.ts';

/** Round trip within an Availability Zone, in milliseconds: an upper bound of what AWS states ("single-digit", usually below 1). */
const SAME_ZONE_MILLIS = 1;
/** Round trip between Availability Zones of a region, in milliseconds: AWS states "single-digit"; 2 is typical. */
const SAME_REGION_MILLIS = 2;
/** Round trip to a region of which nothing is known, in milliseconds: no pair of commercial regions is much farther apart. */
export const UNKNOWN_REGION_MILLIS = 400;

type Place = Pick<PoolSpec, 'region' | 'azIds'>;

/** Whether two pools share an Availability Zone. By id: zone names differ between accounts. */
export function sharedZone(a: Place, b: Place): string | undefined {
  return a.azIds.find((azId) => b.azIds.includes(azId));
}

/** Assumed network latency between two pools, in milliseconds: by place, not measured between the pools themselves. */
export function latencyMillis(a: Place, b: Place): number {
  if (a.region !== b.region) return regionLatency(a.region, b.region)?.millis ?? UNKNOWN_REGION_MILLIS;
  return sharedZone(a, b) === undefined ? SAME_REGION_MILLIS : SAME_ZONE_MILLIS;
}
