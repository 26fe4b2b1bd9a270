import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  anyBottleneck,
  bottleneckOf,
  historicalFrequency,
  pastCourses,
  reorderedCourses,
} from '../../../core/forecast/bottleneck.ts';
import { LEVELS, valueAt } from '../../../core/forecast/distribution.ts';

const wholeNumbers = (length: number) =>
  fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: length, maxLength: length });

describe('historicalFrequency', () => {
  it('is what counting every window finds', () => {
    const values = fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 11 }),
        (history, horizonSteps, threshold) => {
          const length = Math.min(horizonSteps, history.length);
          const windows = Array.from({ length: history.length - length + 1 }, (_, first) =>
            history.slice(first, first + length),
          );
          const reached = windows.filter((window) => Math.max(...window) >= threshold).length;
          expect(historicalFrequency(history, horizonSteps, threshold)).toBeCloseTo(reached / windows.length, 12);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('pastCourses', () => {
  const shape = fc.record({
    length: fc.integer({ min: 2, max: 300 }),
    spanSteps: fc.integer({ min: 1, max: 30 }),
    horizonSteps: fc.integer({ min: 1, max: 60 }),
  });

  it('are of the same moments for series of the same steps: those of a sum are the sums', () => {
    const pair = shape.chain(({ length, ...rest }) =>
      fc.record({ one: wholeNumbers(length), other: wholeNumbers(length), rest: fc.constant(rest) }),
    );
    fc.assert(
      fc.property(pair, ({ one, other, rest: { spanSteps, horizonSteps } }) => {
        fc.pre(spanSteps < one.length);
        const first = pastCourses(one, spanSteps, horizonSteps);
        const second = pastCourses(other, spanSteps, horizonSteps);
        const both = pastCourses(
          one.map((value, step) => value + (other[step] ?? Number.NaN)),
          spanSteps,
          horizonSteps,
        );
        expect(both.map((course) => [...course])).toEqual(
          first.map((course, row) => [...course].map((error, step) => error + (second[row]?.[step] ?? Number.NaN))),
        );
      }),
    );
  });

  it('are as long as the horizon, and without errors where a series repeats itself', () => {
    fc.assert(
      fc.property(shape, ({ length, spanSteps, horizonSteps }) => {
        fc.pre(spanSteps < length);
        const values = Array.from({ length }, (_, step) => step % spanSteps);
        const courses = pastCourses(values, spanSteps, horizonSteps);
        expect(courses.length).toBeGreaterThan(0);
        for (const course of courses) expect([...course]).toEqual(Array.from({ length: horizonSteps }, () => 0));
      }),
    );
  });
});

/** A distribution over some steps, and courses to order it by. */
const forecast = fc.integer({ min: 1, max: 8 }).chain((steps) =>
  fc.record({
    rows: fc
      .array(wholeNumbers(LEVELS.length), { minLength: steps, maxLength: steps })
      .map((columns) => columns.map((column) => column.sort((a, b) => a - b)))
      .map((columns) => LEVELS.map((_, level) => columns.map((column) => column[level] ?? Number.NaN))),
    templates: fc.array(wholeNumbers(steps), { minLength: 1, maxLength: 20 }),
  }),
);

describe('reorderedCourses', () => {
  it('have the values of the distribution and the order of the templates, at each step', () => {
    fc.assert(
      fc.property(forecast, ({ rows, templates }) => {
        const courses = reorderedCourses(rows, templates);
        expect(courses).toHaveLength(templates.length);
        for (const [step] of (rows[0] ?? []).entries()) {
          const column = rows.map((row) => row[step] ?? Number.NaN);
          const values = courses.map((course) => course[step] ?? Number.NaN);
          expect(values.toSorted((a, b) => a - b)).toEqual(
            templates.map((_, rank) => valueAt(column, (rank + 0.5) / templates.length)),
          );
          for (const [one, template] of templates.entries()) {
            for (const [other, higher] of templates.entries()) {
              if ((template[step] ?? 0) < (higher[step] ?? 0)) {
                expect(values[one]).toBeLessThanOrEqual(values[other] ?? Number.NaN);
              }
            }
          }
        }
      }),
    );
  });
});

describe('bottleneckOf', () => {
  it('is a probability, no less than that of any slot, and never rises with the threshold', () => {
    const thresholds = fc.tuple(fc.integer({ min: -1_500, max: 1_500 }), fc.integer({ min: 0, max: 500 }));
    fc.assert(
      fc.property(forecast, wholeNumbers(30), thresholds, ({ rows, templates }, values, [threshold, more]) => {
        const courses = reorderedCourses(rows, templates);
        const near = bottleneckOf(rows, courses, values, threshold);
        const far = bottleneckOf(rows, courses, values, threshold + more);
        expect(near.bySlot).toHaveLength(rows[0]?.length ?? Number.NaN);
        expect(near.probability).toBeGreaterThanOrEqual(Math.max(...near.bySlot));
        expect(near.probability).toBeLessThanOrEqual(1);
        expect(Math.min(...near.bySlot)).toBeGreaterThanOrEqual(0);
        expect(far.probability).toBeLessThanOrEqual(near.probability + 1e-12);
        expect(near.reachedByCourse).toEqual(courses.map((course) => Math.max(...course) >= threshold));
      }),
      { numRuns: 300 },
    );
  });
});

describe('anyBottleneck', () => {
  const several = fc
    .integer({ min: 1, max: 30 })
    .chain((courses) =>
      fc.array(fc.array(fc.boolean(), { minLength: courses, maxLength: courses }), { minLength: 1, maxLength: 5 }),
    );
  const bottleneck = (probability: number, reachedByCourse: readonly boolean[]) => ({
    thresholdUnits: 1,
    probability,
    bySlot: [],
    reachedByCourse,
  });

  it('is the share of courses with any bottleneck where each is as likely as its courses say', () => {
    fc.assert(
      fc.property(several, (reached) => {
        const courses = reached[0]?.length ?? Number.NaN;
        const any = reached[0]?.filter((_, course) => reached.some((each) => each[course] === true)).length;
        const given = reached.map((each) => bottleneck(each.filter(Boolean).length / courses, each));
        expect(anyBottleneck(given)).toBeCloseTo((any ?? Number.NaN) / courses, 9);
      }),
    );
  });

  it('lies between the likeliest and the sum, in any order', () => {
    const probabilities = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(several, probabilities, (reached, likely) => {
        const given = reached.map((each, index) => bottleneck(likely[index] ?? Number.NaN, each));
        const any = anyBottleneck(given);
        const each = given.map(({ probability }) => probability);
        expect(any).toBeGreaterThanOrEqual(Math.max(...each));
        expect(any).toBeLessThanOrEqual(
          Math.min(
            1,
            each.reduce((sum, one) => sum + one, 0),
          ) + 1e-12,
        );
        expect(anyBottleneck(given.toReversed())).toBeCloseTo(any, 12);
      }),
    );
  });
});
