// Series with more than 24 steps a day: means of an hour for the network, and its forecasts of hours back as steps.
import { onSideOf, quantileOf } from './distribution.ts';
import type { QuantileLevel } from './forecast.ts';
import { QUANTILE_LEVELS } from './forecast.ts';

const DAY_BLOCKS = 24;
/** Days of history that tell how steps differ within an hour. */
const PATTERN_DAYS = 7;

/** @returns the means of whole blocks that end with the last value; a rest at the beginning is left out */
export function blockMeans(values: readonly number[], blockSteps: number): number[] {
  const blocks = Math.floor(values.length / blockSteps);
  const first = values.length - blocks * blockSteps;
  return Array.from({ length: blocks }, (_, block) => {
    let mean = 0;
    for (let step = 0; step < blockSteps; step += 1) {
      mean += ((values[first + block * blockSteps + step] ?? 0) - mean) / (step + 1);
    }
    return mean;
  });
}

/**
 * Steps of blocks of which only the means are known: a line from the middle of each block to that of the next, moved so that
 * every block keeps its mean. Before the first middle and after the last it is level.
 */
export function interpolatedBlocks(means: readonly number[], blockSteps: number): number[] {
  return means.flatMap((mean, block) => {
    const before = means[block - 1] ?? mean;
    const after = means[block + 1] ?? mean;
    const steps = Array.from({ length: blockSteps }, (_, step) => {
      const place = (step + 0.5) / blockSteps - 0.5;
      return mean + (place < 0 ? (mean - before) * place : (after - mean) * place);
    });
    const excess = steps.reduce((sum, value) => sum + value, 0) / blockSteps - mean;
    return steps.map((value) => value - excess);
  });
}

/** How the steps of a series differ from what its hourly means say. */
export interface WithinBlocks {
  /** What each step of a day adds, on average; shrunk towards 0 as far as it may be chance. */
  readonly pattern: readonly number[];
  /** Quantiles of the rest: not above 0 below the median, not below 0 above it. */
  readonly spread: Readonly<Record<QuantileLevel, number>>;
}

/**
 * Learns from the last days.
 * @param values steps of a series of which at least a day is whole; the last one ends a block
 */
export function withinBlocks(values: readonly number[], blockSteps: number): WithinBlocks {
  const dayShape = DAY_BLOCKS * blockSteps;
  const days = Math.min(PATTERN_DAYS, Math.floor(values.length / dayShape));
  const recent = values.slice(values.length - days * dayShape);
  const line = interpolatedBlocks(blockMeans(recent, blockSteps), blockSteps);
  const errors = recent.map((value, step) => value - (line[step] ?? 0));
  let squaredMeans = 0;
  let variances = 0;
  const means = Array.from({ length: dayShape }, (_, place) => {
    const sameTime = Array.from({ length: days }, (_unused, day) => errors[day * dayShape + place] ?? 0);
    const mean = sameTime.reduce((sum, error) => sum + error, 0) / Math.max(1, days);
    squaredMeans += mean * mean;
    if (days > 1) variances += sameTime.reduce((sum, error) => sum + (error - mean) ** 2, 0) / (days - 1) / days;
    return mean;
  });
  // Empirical Bayes: the share of the means' variance that is more than noise averaged over the days.
  const real = days > 1 && squaredMeans > 0 ? Math.max(0, 1 - variances / squaredMeans) : 0;
  const pattern = means.map((mean) => mean * real);
  const rest = errors.map((error, step) => error - (pattern[step % dayShape] ?? 0)).sort((a, b) => a - b);
  const spread = Object.fromEntries(
    QUANTILE_LEVELS.map((level) => [level, onSideOf(Number(level), quantileOf(rest, Number(level)))]),
  ) as Record<QuantileLevel, number>;
  return { pattern, spread };
}

/**
 * Quantiles of steps from those of hours. The hours' uncertainty and the steps' own are taken to be independent: distances from
 * the median add as squares.
 * @param hourly quantiles of hours, not crossing; the first one begins where the history ends
 */
export function stepQuantiles(
  hourly: Readonly<Record<QuantileLevel, readonly number[]>>,
  blockSteps: number,
  within: WithinBlocks,
): Record<QuantileLevel, number[]> {
  const median = interpolatedBlocks(hourly['0.5'], blockSteps).map(
    (value, step) => value + (within.pattern[step % within.pattern.length] ?? 0),
  );
  return Object.fromEntries(
    QUANTILE_LEVELS.map((level) => {
      const sign = Number(level) < 0.5 ? -1 : 1;
      const atLevel = median.map((value, step) => {
        const block = Math.floor(step / blockSteps);
        const distance = (hourly[level][block] ?? 0) - (hourly['0.5'][block] ?? 0);
        return value + sign * Math.hypot(distance, within.spread[level]);
      });
      return [level, level === '0.5' ? median : atLevel];
    }),
  ) as Record<QuantileLevel, number[]>;
}
