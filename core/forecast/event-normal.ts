import { shownSeasons } from './model.ts';
import { medianOf } from './statistics.ts';

/** Steps `from … to - 1` of a series. */
export interface StepSpan {
  readonly from: number;
  readonly to: number;
}

/** Sums of the values before each step, and before the end. */
export type Sums = Float64Array;

/** What a series does on days without events. */
export interface NormalDays {
  /** What is normal at a step, by the same time of other weeks or days; undefined: too few of them are known. */
  at(step: number): number | undefined;
  /**
   * What was measured over a span, as a multiple of what is normal there at the level of the days around it.
   * @param measured sums of the values
   * @returns undefined where too little is known, or nothing is normal
   */
  multipleOver(span: StepSpan, measured: Sums): number | undefined;
}

/** Stands for the season where there is none. */
export const UNSEASONAL_SPAN_STEPS = 24;
/** Seasons to either side from which a step's normal value is taken. */
const MAX_SEASONS_AWAY = 6;
/** Values of which a median says what is normal. */
const MIN_VALUES = 3;
/** How far the days around an event may lie above or below what was normal at other times. */
const MAX_LEVEL_CHANGE = 4;

export function sumsOf(values: ArrayLike<number>): Sums {
  const sums = new Float64Array(values.length + 1);
  for (let step = 0; step < values.length; step += 1) sums[step + 1] = (sums[step] ?? 0) + (values[step] ?? 0);
  return sums;
}

/** The values at the same time of the seasons to either side, without those of events. */
function sameTime(
  values: readonly number[],
  isEvent: ArrayLike<number>,
  step: number,
  period: number,
  reach: number,
): number[] {
  const found: number[] = [];
  for (let away = 1; away <= reach; away += 1) {
    const before = values[step - away * period];
    if (before !== undefined && isEvent[step - away * period] === 0) found.push(before);
    const after = values[step + away * period];
    if (after !== undefined && isEvent[step + away * period] === 0) found.push(after);
  }
  return found;
}

/**
 * Normal days of a series: the median at the same time of up to six seasons before and after, of the longest season of which
 * three such values are known; without one, of the steps around.
 * @param seasons steps after which the series may repeat itself
 * @param isEvent not 0 for steps that say nothing of normal days
 */
export function normalDays(
  values: readonly number[],
  seasons: readonly number[],
  isEvent: ArrayLike<number>,
): NormalDays {
  const periods = shownSeasons(values.length, seasons).reverse();
  const span = periods.at(-1) ?? UNSEASONAL_SPAN_STEPS;
  const normal = values.map((_, step) => {
    for (const period of periods) {
      const found = sameTime(values, isEvent, step, period, MAX_SEASONS_AWAY);
      if (found.length >= MIN_VALUES) return medianOf(found);
    }
    const near = sameTime(values, isEvent, step, 1, UNSEASONAL_SPAN_STEPS);
    return near.length >= MIN_VALUES ? medianOf(near) : undefined;
  });
  const normalSums = sumsOf(normal.map((value) => value ?? 0));
  const unknownSums = sumsOf(normal.map((value) => (value === undefined ? 1 : 0)));
  const isQuiet = (step: number) => isEvent[step] === 0 && normal[step] !== undefined;
  const quietSums = sumsOf(values.map((value, step) => (isQuiet(step) ? value : 0)));
  const quietNormalSums = sumsOf(normal.map((value = 0, step) => (isQuiet(step) ? value : 0)));
  const over = (sums: Sums, from: number, to: number): number =>
    (sums[Math.min(values.length, to)] ?? 0) - (sums[Math.max(0, from)] ?? 0);

  /** How far above normal the days before and after a span were. */
  function levelAround({ from, to }: StepSpan): number {
    const around = (sums: Sums) => over(sums, from - span, Math.max(0, from)) + over(sums, to, to + span);
    const level = around(quietSums) / around(quietNormalSums);
    if (!(level > 0) || !Number.isFinite(level)) return 1;
    return Math.min(MAX_LEVEL_CHANGE, Math.max(1 / MAX_LEVEL_CHANGE, level));
  }

  return {
    at: (step) => normal[step],
    multipleOver({ from, to }, measured) {
      if (from < 0 || to > values.length || over(unknownSums, from, to) > 0) return undefined;
      const expected = over(normalSums, from, to) * levelAround({ from, to });
      const multiple = over(measured, from, to) / expected;
      return expected > 0 && Number.isFinite(multiple) ? multiple : undefined;
    },
  };
}
