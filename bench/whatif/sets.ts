import { createReadStream } from 'node:fs';
import { linesOf } from '../../cli/forecast-csv.ts';
import { readTraces } from '../../cli/simulate-traces.ts';
import { seededRandom } from '../../core/forecast/random.ts';
import { percentileOf } from '../../core/whatif/traces.ts';
import { readAzureColumns, readM4 } from '../forecast/sources.ts';
import type { Demand } from './fleet.ts';

const STEP_SECONDS = 300;
const STEPS_AN_HOUR = 12;
const SECONDS_AN_HOUR = 3_600;
/** Standard deviation of a five-minute value around the course of its hour. */
const NOISE = 0.075;
/** Size of a pool where all are made alike. */
const COMMON_P95_UNITS = 20;
const M4_SERIES = 60;
const M4_HOURS = 700;

/** Five-minute values between hourly means, with noise that a seed determines. */
function fiveMinutes(hourly: readonly number[], seed: number, deviation = NOISE): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: hourly.length * STEPS_AN_HOUR }, (_, step) => {
    const hour = Math.floor(step / STEPS_AN_HOUR);
    const part = ((step % STEPS_AN_HOUR) + 0.5) / STEPS_AN_HOUR;
    const now = hourly[hour] ?? 0;
    const next = hourly[hour + 1] ?? now;
    // The sum of three draws from a unit interval has a standard deviation of a half.
    const noise = 2 * deviation * (random() + random() + random() - 1.5);
    return Math.max(0, (now * (1 - part) + next * part) * (1 + noise));
  });
}

function cut(series: readonly Float64Array[]): Float64Array[] {
  const steps = Math.min(...series.map(({ length }) => length));
  return series.map((values) => values.subarray(0, steps));
}

/** The random VMs of the Azure trace V1, five-minute values made from hourly means. */
export function randomVms(folder: string, seed: number, deviation = NOISE): Demand {
  const columns = readAzureColumns(folder, 'random100_avg_hourly');
  return {
    stepSeconds: STEP_SECONDS,
    demand: cut(columns.map(({ values }, at) => fiveMinutes(values, seed * 1_000 + at, deviation))),
  };
}

/** The same as they were measured, hour by hour. */
export function hourlyVms(folder: string): Demand {
  const columns = readAzureColumns(folder, 'random100_avg_hourly');
  return { stepSeconds: SECONDS_AN_HOUR, demand: cut(columns.map(({ values }) => Float64Array.from(values))) };
}

/** The VMs with a detected period, five-minute values as they were measured. */
export function periodicVms(folder: string): Demand {
  const columns = readAzureColumns(folder, 'periodic78_avg_5min');
  return { stepSeconds: STEP_SECONDS, demand: cut(columns.map(({ values }) => Float64Array.from(values))) };
}

/** Series of the M4 competition, hourly, as demand in five-minute steps. */
export function competitionSeries(folder: string, seed: number): Demand {
  const series = readM4(folder)
    .filter(({ values }) => values.length >= M4_HOURS)
    .slice(0, M4_SERIES)
    .map(({ values }, at) => fiveMinutes(values.slice(0, M4_HOURS), seed * 1_000 + at));
  return sameSize({ stepSeconds: STEP_SECONDS, demand: cut(series) });
}

/** Pools of one size: each scaled so that the 95th percentile of its first half is the same. */
export function sameSize({ stepSeconds, demand }: Demand): Demand {
  const scaled = demand.map((values) => {
    const size = percentileOf(values.slice(0, values.length >> 1), 95);
    return size > 0 ? values.map((units) => (units * COMMON_P95_UNITS) / size) : values;
  });
  return { stepSeconds, demand: scaled };
}

/** Every second pool, from the first or the second on. */
export function half({ stepSeconds, demand }: Demand, first: 0 | 1): Demand {
  return { stepSeconds, demand: demand.filter((_, at) => at % 2 === first) };
}

/** Traces of one's own, in the format of `entangle simulate`. */
export async function ownTraces(file: string): Promise<Demand> {
  const text = createReadStream(file, { encoding: 'utf8' });
  const { traces } = await readTraces(linesOf(text as AsyncIterable<string>), (name) => name);
  return { stepSeconds: traces.stepSeconds, demand: traces.demand };
}
