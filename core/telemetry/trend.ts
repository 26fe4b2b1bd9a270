import { medianOf } from '../forecast/statistics.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { DemandSample } from './history.ts';

/** A line through the last samples of a demand that single outliers do not carry away. */
export interface Trend {
  readonly slopeUnitsPerSecond: number;
  /** The time of the newest sample. */
  readonly atMillis: number;
  /** The line at that time, in units. */
  readonly levelUnits: number;
  /** Mann-Kendall statistic, standard normal where there is no trend: above 1.645 with a probability of 5 % by chance. */
  readonly score: number;
}

/** Fewer say nothing: of five that rise one after another one in 120 does by chance. */
const SAMPLES_MIN = 5;
/** One-sided 5 % quantile of the standard normal distribution. */
const RISING_SCORE = 1.645;

/**
 * The trend of demand by the Theil-Sen estimator: the median of the slopes between all pairs of samples (Sen 1968), and its
 * significance by the test of Mann (1945) and Kendall, without the correction for ties, which errs on the quiet side.
 * @param samples in any order; of one moment the last counts
 * @returns undefined with fewer than five different moments
 */
export function trendOf(samples: readonly DemandSample[]): Trend | undefined {
  const byTime = new Map(samples.map(({ atMillis, demandUnits }) => [atMillis, demandUnits]));
  const points = [...byTime].sort(([a], [b]) => a - b);
  const newest = points.at(-1);
  if (newest === undefined || points.length < SAMPLES_MIN) return undefined;
  const [atMillis] = newest;
  const slopes: number[] = [];
  let rises = 0;
  for (const [index, [laterMillis, later]] of points.entries()) {
    for (const [earlierMillis, earlier] of points.slice(0, index)) {
      slopes.push(((later - earlier) * MILLIS_PER_SECOND) / (laterMillis - earlierMillis));
      rises += Math.sign(later - earlier);
    }
  }
  const slope = medianOf(slopes);
  const levels = points.map(([at, value]) => value + (slope * (atMillis - at)) / MILLIS_PER_SECOND);
  const count = points.length;
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  return {
    slopeUnitsPerSecond: slope,
    atMillis,
    levelUnits: medianOf(levels),
    score: (rises - Math.sign(rises)) / deviation,
  };
}

/** Whether demand rises, and not by chance. */
export function isRising({ slopeUnitsPerSecond, score }: Trend): boolean {
  return slopeUnitsPerSecond > 0 && score >= RISING_SCORE;
}

/** Demand that a trend leads to at a moment, in units; never negative. */
export function demandAt({ slopeUnitsPerSecond, levelUnits, atMillis }: Trend, when: number): number {
  return Math.max(0, levelUnits + (slopeUnitsPerSecond * (when - atMillis)) / MILLIS_PER_SECOND);
}
