import type { QuantileLevel } from './forecast.ts';
import { QUANTILE_LEVELS } from './forecast.ts';

/** The levels of `QUANTILE_LEVELS` as numbers, lowest first. */
export const LEVELS: readonly number[] = QUANTILE_LEVELS.map(Number);

/** Place of the median among the levels. */
export const MEDIAN_LEVEL: number = QUANTILE_LEVELS.indexOf('0.5');

/** Values of a series at the steps after an origin: one row for each of `LEVELS`, one column a step. Rows do not cross. */
export type Distribution = readonly (readonly number[])[];

/** The rows by the name of their level. */
export function rowsByLevel<Row>(rows: readonly Row[]): Record<QuantileLevel, Row> {
  return Object.fromEntries(QUANTILE_LEVELS.map((level, place) => [level, rows[place]])) as Record<QuantileLevel, Row>;
}

/** The same rows, put in order where they cross. */
export function withoutCrossing(rows: Distribution): number[][] {
  const steps = rows[0]?.length ?? 0;
  const ordered = rows.map((row) => [...row]);
  for (let step = 0; step < steps; step += 1) {
    const crosses = ordered.some((row, level) => level > 0 && (row[step] ?? 0) < (ordered[level - 1]?.[step] ?? 0));
    if (!crosses) continue;
    const column = rows.map((row) => row[step] ?? 0).sort((a, b) => a - b);
    for (const [level, row] of ordered.entries()) row[step] = column[level] ?? 0;
  }
  return ordered;
}

/** The value at a probability in values sorted lowest first, interpolated between neighbours; 0 without values. */
export function quantileOf(sorted: ArrayLike<number>, probability: number): number {
  const place = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * An offset from the median that belongs to a level: none at the median itself, and where errors were one-sided, none beyond it
 * on the other side.
 */
export function onSideOf(level: number, offset: number): number {
  if (level === 0.5) return 0;
  return level < 0.5 ? Math.min(0, offset) : Math.max(0, offset);
}

/** Values at each level for one step. */
function columnAt(rows: Distribution, step: number): number[] {
  return rows.map((row) => row[step] ?? 0);
}

/**
 * Beyond the outermost levels a distribution is taken to thin out as an exponential does through the two outermost ones on that
 * side. Its mean excess, as a multiple of their distance.
 */
const LOWER_TAIL = 1 / Math.log((LEVELS[1] ?? 1) / (LEVELS[0] ?? 1));
const UPPER_TAIL = 1 / Math.log((1 - (LEVELS.at(-2) ?? 0)) / (1 - (LEVELS.at(-1) ?? 0)));
/** Probabilities nearer to 0 or 1 are not told apart. */
const EPSILON = 1e-9;

/** Where a probability lies: between two levels, or beyond the outermost ones. */
interface Place {
  /** The level above; the first or the last one for what lies beyond. */
  readonly level: number;
  /** Of the distance from the level below. In a tail: how many distances of its two outermost levels beyond the outer one. */
  readonly share: number;
}

function placeOf(probability: number): Place {
  const last = LEVELS.length - 1;
  const lowest = LEVELS[0] ?? 0;
  const highest = LEVELS[last] ?? 1;
  if (probability < lowest) return { level: 1, share: LOWER_TAIL * Math.log(Math.max(probability, EPSILON) / lowest) };
  if (probability > highest) {
    const beyond = -UPPER_TAIL * Math.log(Math.max(1 - probability, EPSILON) / (1 - highest));
    return { level: last, share: 1 + beyond };
  }
  let level = 1;
  while (level < last && (LEVELS[level] ?? 1) < probability) level += 1;
  const from = LEVELS[level - 1] ?? 0;
  return { level, share: (probability - from) / ((LEVELS[level] ?? 1) - from) };
}

function valueIn(column: readonly number[], { level, share }: Place): number {
  const below = column[level - 1] ?? 0;
  return below + share * ((column[level] ?? below) - below);
}

/**
 * The value of one step below which the distribution lies with a probability, interpolated between levels; beyond the outermost
 * ones along an exponential tail.
 */
export function valueAt(column: readonly number[], probability: number): number {
  return valueIn(column, placeOf(probability));
}

/** Values of one step at evenly spread probabilities: of `count` equally likely values, by rank, the smallest first. */
export function valuesByRank(count: number): (column: readonly number[], rank: number) => number {
  const places = Array.from({ length: count }, (_, rank) => placeOf((rank + 0.5) / count));
  return (column, rank) => {
    const place = places[rank];
    return place === undefined ? Number.NaN : valueIn(column, place);
  };
}

/** Share of a distribution that reaches a threshold. */
function shareAbove(column: readonly number[], threshold: number): number {
  const last = column.length - 1;
  const top = column[last] ?? 0;
  const bottom = column[0] ?? 0;
  if (threshold > top) {
    const scale = UPPER_TAIL * (top - (column[last - 1] ?? top));
    return scale > 0 ? (1 - (LEVELS[last] ?? 1)) * Math.exp((top - threshold) / scale) : 0;
  }
  if (threshold <= bottom) {
    const scale = LOWER_TAIL * ((column[1] ?? bottom) - bottom);
    return scale > 0 ? 1 - (LEVELS[0] ?? 0) * Math.exp((threshold - bottom) / scale) : 1;
  }
  let place = 1;
  while (place < last && (column[place] ?? 0) < threshold) place += 1;
  const from = column[place - 1] ?? 0;
  const to = column[place] ?? from;
  const share = to > from ? (threshold - from) / (to - from) : 1;
  const levelFrom = LEVELS[place - 1] ?? 0;
  return 1 - (levelFrom + share * ((LEVELS[place] ?? 1) - levelFrom));
}

/**
 * Probability that the value of one step reaches a threshold; the inverse of `valueAt`. What lies nearer to 0 or 1 than can be
 * told is 0 or 1.
 */
export function probabilityOfReaching(rows: Distribution, step: number, threshold: number): number {
  const share = shareAbove(columnAt(rows, step), threshold);
  if (share < EPSILON) return 0;
  return share > 1 - EPSILON ? 1 : share;
}

/**
 * Tukey's trimean of each step, (quartile + 2 × median + quartile) ÷ 4: a mean that single extremes do not carry away. The mean of
 * a distribution with bursts in it is mostly made of values that are rarely seen.
 * Source: Tukey 1977, Exploratory Data Analysis.
 */
export function trimeanOf(rows: Distribution): number[] {
  const [lower = [], median = [], upper = []] = (['0.25', '0.5', '0.75'] as const).map(
    (level) => rows[QUANTILE_LEVELS.indexOf(level)],
  );
  // Written as departures from the median, so that equal quartiles give the median to the last bit.
  return median.map((value, step) => value + ((lower[step] ?? value) - value + ((upper[step] ?? value) - value)) / 4);
}
