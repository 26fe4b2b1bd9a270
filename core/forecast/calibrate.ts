import { mediansOf } from './combine.ts';
import type { ForecastCoverage } from './coverage.ts';
import type { Distribution } from './distribution.ts';
import { LEVELS, quantileOf, withoutCrossing } from './distribution.ts';
import type { QuantileLevel } from './forecast.ts';
import { QUANTILE_LEVELS } from './forecast.ts';

/** By how much the distance of each level from the median is multiplied; the median's factor is 1. */
export type WidthFactors = readonly number[];

/** A distribution after one origin, and the values that followed it. */
export interface Judged {
  readonly rows: Distribution;
  readonly actuals: readonly number[];
}

/** Half of the levels lie below the median, half above; each pair is calibrated together. */
const PAIRED_WITH_UPPER = new Map([
  [0.025, 0.975],
  [0.1, 0.9],
  [0.25, 0.75],
]);
/** In widths that are next to nothing, a distance leaves the range of numbers. */
const FARTHEST = 1e6;
const MIN_FACTOR = 0.5;
const MAX_FACTOR = 3;
/** Spans of a backtest after which its own coverage counts as much as the expectation that the members are right. */
const PRIOR_SPANS = 4;

/** How far each value lies from the median, in distances of a level on its side from the median. */
function distances(judged: readonly Judged[], upperLevel: number): number[] {
  const upper = LEVELS.indexOf(upperLevel);
  const lower = LEVELS.findIndex((level) => (PAIRED_WITH_UPPER.get(level) ?? 1 - level) === upperLevel && level < 0.5);
  return judged.flatMap(({ rows, actuals }) => {
    const medians = mediansOf(rows);
    return actuals.flatMap((actual, step) => {
      const median = medians[step] ?? 0;
      const edge = rows[actual >= median ? upper : lower]?.[step] ?? median;
      const width = Math.abs(edge - median);
      if (width > 0) return [Math.min(FARTHEST, Math.abs(actual - median) / width)];
      return actual === median ? [0] : [];
    });
  });
}

/** Where 0.95 lies between 0.9 and 0.975, in standard deviations of a normal distribution. */
const BETWEEN_SHARE = (1.6449 - 1.2816) / (1.96 - 1.2816);
/** Independent errors that a season of a backtest is worth, next to each other alike as they are. */
const ERRORS_PER_SPAN = 2;
const NORMAL_QUANTILES = new Map([
  [0.75, 0.6745],
  [0.9, 1.2816],
  [0.975, 1.96],
]);

/**
 * How much wider an interval has to be when its width was learned from few errors: Student's quantile over the normal one, by
 * its Cornish-Fisher expansion.
 * Source: Abramowitz & Stegun 1964, 26.7.5.
 */
function studentFactor(upperLevel: number, degreesOfFreedom: number): number {
  const z = NORMAL_QUANTILES.get(upperLevel) ?? 1.96;
  const first = (z * z + 1) / (4 * degreesOfFreedom);
  const second = (5 * z ** 4 + 16 * z * z + 3) / (96 * degreesOfFreedom ** 2);
  return 1 + first + second;
}

/**
 * Factors that would have made the intervals of a backtest cover as much as they say, drawn towards 1 while the backtest is
 * short: split conformal prediction of the scaled distance from the median.
 * Source: Romano, Patterson & Candès 2019, Conformalized quantile regression, NeurIPS 32, in multiplicative form, so that a
 * wide forecast is widened more than a narrow one.
 * @param judgedSpans length of the history that the backtest covers, in seasons
 */
export function widthFactors(judged: readonly Judged[], judgedSpans: number): WidthFactors {
  const trust = judgedSpans / (judgedSpans + PRIOR_SPANS);
  const factorAt = (upperLevel: number): number => {
    const sorted = Float64Array.from(distances(judged, upperLevel)).sort();
    if (sorted.length === 0) return 1;
    const covering = quantileOf(sorted, 2 * upperLevel - 1);
    const learned = Math.max(MIN_FACTOR, Math.min(MAX_FACTOR, covering)) ** trust;
    return learned * studentFactor(upperLevel, Math.max(1, ERRORS_PER_SPAN * judgedSpans));
  };
  const byUpper = new Map([0.75, 0.9, 0.975].map((level) => [level, factorAt(level)]));
  const [near, far] = [byUpper.get(0.9) ?? 1, byUpper.get(0.975) ?? 1];
  const between = near * (far / near) ** BETWEEN_SHARE;
  return LEVELS.map((level) => {
    if (level === 0.5) return 1;
    return byUpper.get(PAIRED_WITH_UPPER.get(level) ?? level) ?? between;
  });
}

/** A distribution with the distance of each level from the median multiplied. Levels that come to cross are put in order. */
export function widened(rows: Distribution, factors: WidthFactors): number[][] {
  const medians = mediansOf(rows);
  return withoutCrossing(
    rows.map((row, level) =>
      row.map((value, step) => {
        const median = medians[step] ?? value;
        return median + (value - median) * (factors[level] ?? 1);
      }),
    ),
  );
}

/** Share of values that lay between two levels; 0 without values. */
export function shareWithin(judged: readonly Judged[], lower: QuantileLevel, upper: QuantileLevel): number {
  const low = QUANTILE_LEVELS.indexOf(lower);
  const high = QUANTILE_LEVELS.indexOf(upper);
  let within = 0;
  let count = 0;
  for (const { rows, actuals } of judged) {
    for (const [step, actual] of actuals.entries()) {
      count += 1;
      if (actual >= (rows[low]?.[step] ?? 0) && actual <= (rows[high]?.[step] ?? 0)) within += 1;
    }
  }
  return within / Math.max(1, count);
}

/** Slots of tracked coverage that count as much as the expectation that the intervals are right. */
const PRIOR_SLOTS = 200;
/** Half-width of the interval that covers a share of a normal distribution, in standard deviations. */
const NORMAL_WIDTH_80 = 1.2816;
const NORMAL_WIDTH_95 = 1.96;
/** Coverage beyond these says that intervals are far off, not by how much. */
const MIN_COVERAGE = 0.3;
const MAX_COVERAGE = 0.995;

/** Half-width of the central interval of a normal distribution: Winitzki's approximation of the inverse error function, 2008. */
function normalWidth(share: number): number {
  const covered = Math.max(MIN_COVERAGE, Math.min(MAX_COVERAGE, share));
  const a = 0.147;
  const log = Math.log(1 - covered * covered);
  const half = 2 / (Math.PI * a) + log / 2;
  return Math.SQRT2 * Math.sqrt(Math.sqrt(half * half - log / a) - half);
}

/**
 * Factors corrected by how earlier forecasts of the same series turned out: intervals that covered less than they said are
 * widened to what a normal distribution would have needed, the more the longer coverage was tracked.
 */
export function coverageFactors(factors: WidthFactors, coverage: ForecastCoverage): WidthFactors {
  const trust = coverage.slots / (coverage.slots + PRIOR_SLOTS);
  const inner = (NORMAL_WIDTH_80 / normalWidth(coverage.level80)) ** trust;
  const outer = (NORMAL_WIDTH_95 / normalWidth(coverage.level95)) ** trust;
  return factors.map((factor, place) => {
    const level = LEVELS[place] ?? 0.5;
    if (level === 0.5) return factor;
    const bounded = level < 0.1 || level > 0.9 ? Math.max(inner, outer) : inner;
    return factor * Math.max(MIN_FACTOR, Math.min(MAX_FACTOR, bounded));
  });
}
