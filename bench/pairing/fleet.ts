import type { RandomSource } from '../../core/forecast/random.ts';
import { seededRandom } from '../../core/forecast/random.ts';
import type { MatchingPool } from '../../core/pairing/matching/market.ts';
import { readAzureColumns } from '../forecast/sources.ts';
import { quantile } from '../report.ts';

export const DAY_HOURS = 24;
export const WEEK_HOURS = 7 * DAY_HOURS;

/** CPU of VMs in percent, hour by hour; a unit is a percent of a VM. */
export type Traces = readonly (readonly number[])[];

/** The 178 VMs of the Azure trace V1, over the hours that all of them have. */
export function readTraces(folder: string): Traces {
  const series = ['periodic78_avg_hourly', 'random100_avg_hourly'].flatMap((name) => readAzureColumns(folder, name));
  const hours = Math.min(...series.map(({ values }) => values.length));
  return series.map(({ values }) => values.slice(0, hours));
}

/** What a pool owns: a quantile of what it needs, `odcr` the 95th, `half` the 62nd (as Reserved Instances) for every other pool. */
export type Commitment = 'odcr' | 'half';

export interface FleetOptions {
  readonly count: number;
  readonly seed: number;
  readonly commitment: Commitment;
  /** Slots of the curves, from the start of the week. */
  readonly slots: number;
  readonly maxLenders: number;
  readonly maxBorrowers: number;
}

const ODCR_SHARE = 0.95;
const RI_SHARE = 0.62;

function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The mean of each hour of the week, from some hour on. */
function meanWeek(values: readonly number[], fromHour: number): number[] {
  return Array.from({ length: WEEK_HOURS }, (_, hour) => {
    const first = (hour + fromHour) % WEEK_HOURS;
    const same = values.filter((_value, at) => at % WEEK_HOURS === first);
    return same.reduce((sum, value) => sum + value, 0) / same.length;
  });
}

/**
 * Pools made from real VMs: the mean week of a VM drawn at random, moved by whole hours as in another time zone, its size log-normal
 * (σ = 1). What a pool owns is a quantile of its week.
 */
export function madeFleet(traces: Traces, options: FleetOptions): MatchingPool[] {
  const { count, seed, commitment, slots, maxLenders, maxBorrowers } = options;
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const trace = traces[Math.floor(random() * traces.length)] ?? [];
    const size = Math.exp(normal(random));
    const week = meanWeek(trace, Math.floor(random() * DAY_HOURS)).map((need) => need * size);
    const owned = quantile(week, commitment === 'half' && index % 2 === 0 ? RI_SHARE : ODCR_SHARE);
    const hours = week.slice(0, slots);
    return {
      id: `pool-${String(index).padStart(5, '0')}`,
      surplus: Float64Array.from(hours, (need) => Math.max(0, owned - need)),
      deficit: Float64Array.from(hours, (need) => Math.max(0, need - owned)),
      maxLenders,
      maxBorrowers,
    };
  });
}

/** Sizes of buckets that fall as 1, 1/2, 1/3 … and add up to a total. */
export function bucketSizes(total: number, buckets: number): number[] {
  const parts = Array.from({ length: buckets }, (_, index) => 1 / (index + 1));
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const [, ...others] = parts.map((part) => Math.floor((total * part) / whole));
  return [total - others.reduce((sum, size) => sum + size, 0), ...others];
}

/** CPU seconds that something took, with what it returned. */
export function timed<T>(work: () => T): { readonly result: T; readonly cpuSeconds: number } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuSeconds: (user + system) / 1e6 };
}
