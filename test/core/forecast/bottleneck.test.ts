import { describe, expect, it } from '@jest/globals';
import {
  anyBottleneck,
  bottleneckOf,
  historicalFrequency,
  pastCourses,
  reorderedCourses,
} from '../../../core/forecast/bottleneck.ts';
import { LEVELS } from '../../../core/forecast/distribution.ts';
import { seededRandom } from '../../../core/forecast/random.ts';

const rowsOf = (courses: readonly Float64Array[]): number[][] => courses.map((course) => [...course]);

describe('pastCourses', () => {
  const values = [1, 2, 4, 7, 11, 16];

  it('are what repeating the last value got wrong', () => {
    expect(rowsOf(pastCourses(values, 1, 1))).toEqual([[1], [2], [3], [4], [5]]);
  });

  it('repeat only what was known at the beginning of each course', () => {
    expect(rowsOf(pastCourses(values, 1, 2))).toEqual([
      [2, 5],
      [3, 7],
      [4, 9],
    ]);
  });

  it('repeat the newest season, over and over', () => {
    // From step 4 on: the two values before it, and again. The errors are 11 − 4, 16 − 7, 22 − 4.
    expect(rowsOf(pastCourses([...values, 22], 2, 3))).toEqual([[7, 9, 18]]);
  });

  it('go on within a history too short for a whole course', () => {
    const [longer, shorter] = rowsOf(pastCourses([5, 6, 8], 1, 4));
    expect(longer?.slice(0, 2)).toEqual([1, 3]);
    expect(shorter?.slice(0, 1)).toEqual([2]);
    for (const error of [...(longer?.slice(2) ?? []), ...(shorter?.slice(1) ?? [])]) expect([1, 2]).toContain(error);
    expect([longer, shorter].map((course) => course?.length)).toEqual([4, 4]);
  });

  it('are spread evenly over a long history, 240 at most', () => {
    const squares = Array.from({ length: 5_000 }, (_, step) => step * step);
    // The square of a step less that of the one before tells the step.
    const moments = pastCourses(squares, 1, 1).map((course) => ((course[0] ?? Number.NaN) + 1) / 2);
    expect(moments.length).toBeLessThanOrEqual(240);
    expect(moments.length).toBeGreaterThan(200);
    const distances = moments.slice(1).map((moment, index) => moment - (moments[index] ?? Number.NaN));
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...distances)).toBeLessThanOrEqual(21);
    expect(moments[0]).toBe(1);
    expect(moments.at(-1)).toBeGreaterThanOrEqual(4_978);
  });

  it('are courses of a single value, too', () => {
    const courses = pastCourses([7], 1, 4);
    expect(courses).toHaveLength(1);
    expect(courses[0]).toHaveLength(4);
    expect(courses[0]?.every(Number.isFinite)).toBe(true);
  });
});

describe('historicalFrequency', () => {
  it.each([
    ['half of the windows', [0, 0, 0, 9, 0, 0, 0], 2, 0.5 * (4 / 6)],
    ['each window that a reach lies in', [9, 0, 0, 0, 0], 2, 0.25],
    ['every window', [9, 9, 9], 1, 1],
    ['no window', [0, 0, 0], 2, 0],
    ['the only window of a short history', [0, 9], 48, 1],
    ['values that just reach it', [5, 0], 1, 0.5],
    ['nothing', [], 3, 0],
  ])('counts %s', (_, values, horizonSteps, share) => {
    expect(historicalFrequency(values, horizonSteps, 5)).toBeCloseTo(share, 12);
  });
});

/** Even from 0 to 100 at each step: a tenth reach 90. */
const rows = LEVELS.map((level) => Array.from({ length: 6 }, () => 100 * level));
const never = Array.from({ length: 50 }, () => 0);
const always = Array.from({ length: 50 }, () => 1_000);

/** The share of courses that reach a threshold, without what history says. */
function shareOf(templates: readonly Float64Array[], threshold: number): number {
  const courses = reorderedCourses(rows, templates);
  const low = bottleneckOf(rows, courses, never, threshold).probability;
  const high = bottleneckOf(rows, courses, always, threshold).probability;
  const saidByHistory = high - low;
  return low / (1 - saidByHistory);
}

describe('bottleneckOf', () => {
  const alike = Array.from({ length: 200 }, (_, course) => new Float64Array(6).fill(course));
  const random = seededRandom(81);
  const apart = Array.from({ length: 2_000 }, () => Float64Array.from({ length: 6 }, () => random()));

  it('is as likely as one slot where all slots go together', () => {
    expect(shareOf(alike, 90)).toBeCloseTo(0.1, 9);
    expect(shareOf(alike, 75)).toBeCloseTo(0.25, 9);
  });

  it('is as likely as any of the slots where each goes by itself', () => {
    expect(Math.abs(shareOf(apart, 90) - (1 - 0.9 ** 6))).toBeLessThan(0.03);
    expect(Math.abs(shareOf(apart, 97.5) - (1 - 0.975 ** 6))).toBeLessThan(0.02);
  });

  it('is no less likely than its likeliest slot, however few the courses', () => {
    expect(shareOf(alike.slice(0, 1), 90)).toBeCloseTo(0.1, 9);
  });

  it('lets history have a say, a smaller one', () => {
    const courses = reorderedCourses(rows, alike);
    const low = bottleneckOf(rows, courses, never, 90).probability;
    const high = bottleneckOf(rows, courses, always, 90).probability;
    expect(high - low).toBeGreaterThan(0.05);
    expect(high - low).toBeLessThan(0.5);
  });

  it('tells each slot, and for each course whether it reaches the threshold', () => {
    const rising = LEVELS.map((level) => [100 * level, 100 * level + 50]);
    const courses = reorderedCourses(rising, [Float64Array.of(0, 0), Float64Array.of(1, 1)]);
    const { bySlot, reachedByCourse, thresholdUnits } = bottleneckOf(rising, courses, always, 100);
    expect(thresholdUnits).toBe(100);
    expect(bySlot[1]).toBeCloseTo(0.5, 9);
    expect(bySlot[0]).toBeLessThan(0.025);
    expect(reachedByCourse).toEqual([false, true]);
  });

  it('is certain of what is certain, and impossible of more', () => {
    const certain = LEVELS.map(() => [5, 5]);
    const courses = reorderedCourses(certain, alike.slice(0, 10));
    const at = (threshold: number) => bottleneckOf(certain, courses, [5, 5, 5], threshold);
    expect(at(5)).toMatchObject({ probability: 1, bySlot: [1, 1], reachedByCourse: courses.map(() => true) });
    expect(at(6)).toMatchObject({ probability: 0, bySlot: [0, 0], reachedByCourse: courses.map(() => false) });
  });
});

describe('anyBottleneck', () => {
  const reaching = (probability: number, ...reached: readonly number[]) => ({
    thresholdUnits: 1,
    probability,
    bySlot: [],
    reachedByCourse: Array.from({ length: 10 }, (_, course) => reached.includes(course)),
  });

  it('is nothing of nothing, and the one of one', () => {
    expect(anyBottleneck([])).toBe(0);
    expect(anyBottleneck([reaching(0.3, 1)])).toBe(0.3);
  });

  it('is the likeliest where they coincide, or the others come only with it', () => {
    expect(anyBottleneck([reaching(0.2, 1, 2), reaching(0.2, 1, 2)])).toBeCloseTo(0.2, 12);
    expect(anyBottleneck([reaching(0.1, 2), reaching(0.3, 1, 2, 3), reaching(0.2, 1, 3)])).toBeCloseTo(0.3, 12);
  });

  it('is the sum where they exclude each other, 1 at most', () => {
    expect(anyBottleneck([reaching(0.2, 1, 2), reaching(0.1, 3), reaching(0.3, 5, 6, 7)])).toBeCloseTo(0.6, 12);
    expect(anyBottleneck([reaching(0.7, 1, 2), reaching(0.6, 3, 4)])).toBe(1);
  });

  it('is in between where they partly do', () => {
    expect(anyBottleneck([reaching(0.2, 1, 2), reaching(0.2, 2, 3)])).toBeCloseTo(0.3, 12);
  });

  it('is the likeliest where no course tells', () => {
    expect(anyBottleneck([reaching(0.2), reaching(0.1)])).toBe(0.2);
    expect(anyBottleneck([{ ...reaching(0.2), reachedByCourse: [] }, reaching(0.3, 1)])).toBe(0.3);
  });
});
