import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../core/forecast/random.ts';
import { readAzureColumns } from '../forecast/sources.ts';
import type { Demand } from './fleet.ts';
import { sameSize } from './sets.ts';

const STEP_SECONDS = 300;
const STEPS_AN_HOUR = 12;
const MOST_PERCENT = 100;
const MILLIS_A_DAY = 86_400_000;
const MILLIS_A_STEP = 300_000;
/** Shapes with nearly the same height that one is drawn from. */
const ALIKE = 40;
/** Series shorter than this are left out: two weeks less what is lost at the ends. */
const LEAST_STEPS = 3_700;

interface Shape {
  /** Highest reading of the hour, as a multiple of its mean. */
  readonly height: number;
  /** By step, as a multiple of the mean of the hour. */
  readonly steps: readonly number[];
}

/** The hours of the VMs with a period, which were measured every five minutes. */
function measuredShapes(folder: string): Shape[] {
  const highest = readAzureColumns(folder, 'periodic78_max_hourly');
  const shapes = readAzureColumns(folder, 'periodic78_avg_5min').flatMap(({ values }, column) =>
    Array.from({ length: Math.floor(values.length / STEPS_AN_HOUR) }, (_, hour): Shape[] => {
      const steps = values.slice(hour * STEPS_AN_HOUR, (hour + 1) * STEPS_AN_HOUR);
      const mean = steps.reduce((sum, units) => sum + units, 0) / STEPS_AN_HOUR;
      if (mean <= 0) return [];
      return [{ height: (highest[column]?.values[hour] ?? 0) / mean, steps: steps.map((units) => units / mean) }];
    }).flat(),
  );
  return shapes.sort((a, b) => a.height - b.height);
}

/** Place of the first shape that is as high. */
function placeOf(shapes: readonly Shape[], height: number): number {
  let [low, high] = [0, shapes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shapes[middle]?.height ?? 0) < height) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The random VMs with five-minute values in the shapes of hours that were measured: each hour keeps its own mean and takes the course
 * of an hour of another VM with the same ratio of highest reading to mean.
 */
export function shapedVms(folder: string, seed: number): Demand {
  const shapes = measuredShapes(folder);
  const highest = readAzureColumns(folder, 'random100_max_hourly');
  const demand = readAzureColumns(folder, 'random100_avg_hourly').map(({ values }, at) => {
    const random = seededRandom(seed * 1_000 + at);
    const made = new Float64Array(values.length * STEPS_AN_HOUR);
    for (const [hour, mean] of values.entries()) {
      const place = placeOf(shapes, mean > 0 ? (highest[at]?.values[hour] ?? 0) / mean : 1);
      const drawn = Math.max(0, Math.min(shapes.length - 1, place + Math.floor((random() - 0.5) * ALIKE)));
      for (const [step, ratio] of (shapes[drawn]?.steps ?? []).entries()) {
        made[hour * STEPS_AN_HOUR + step] = Math.min(MOST_PERCENT, mean * ratio);
      }
    }
    return made;
  });
  return { stepSeconds: STEP_SECONDS, demand };
}

/** Two weeks of EC2, RDS and load balancers from the Numenta benchmark, made of one size, laid beside each other by time of day. */
export function cloudWatchSeries(folder: string): Demand {
  const names = readdirSync(join(folder, 'nab'))
    .filter((name) => /^(?:ec2_(?!request)|rds_|elb_|grok_|iio_).*\.csv$/.test(name))
    .sort();
  const series = names.map((name) => {
    const rows = readFileSync(join(folder, 'nab', name), 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    const samples = rows.map((row) => {
      const [time = '', value = ''] = row.split(',');
      return { at: Date.parse(`${time.replace(' ', 'T')}Z`), units: Number(value) };
    });
    const start = Math.ceil((samples[0]?.at ?? 0) / MILLIS_A_DAY) * MILLIS_A_DAY;
    const steps = Math.max(0, Math.floor(((samples.at(-1)?.at ?? 0) - start) / MILLIS_A_STEP) + 1);
    let [next, units] = [0, samples[0]?.units ?? 0];
    return Float64Array.from({ length: steps }, (_, step) => {
      while ((samples[next]?.at ?? Number.POSITIVE_INFINITY) <= start + step * MILLIS_A_STEP) {
        units = samples[next]?.units ?? units;
        next += 1;
      }
      return units;
    });
  });
  const long = series.filter(({ length }) => length >= LEAST_STEPS);
  const steps = Math.min(...long.map(({ length }) => length));
  return sameSize({ stepSeconds: STEP_SECONDS, demand: long.map((values) => values.subarray(0, steps)) });
}
