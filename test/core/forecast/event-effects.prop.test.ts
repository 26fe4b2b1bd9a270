import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { eventEffects } from '../../../core/forecast/event-effects.ts';
import { withEvents } from '../../../core/forecast/event-forecast.ts';

const STEP_MILLIS = 3_600_000;
const HORIZON = 12;

const histories = fc
  .array(fc.integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 120 })
  .map((values) => ({ values, stepSeconds: 3_600, startMillis: 0, seasons: [12] }));

const events = fc.array(
  fc
    .record({
      name: fc.constantFrom('A', 'B', 'C'),
      fromStep: fc.integer({ min: -20, max: 140 }),
      quarters: fc.integer({ min: 1, max: 100 }),
      expectedFactor: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
    })
    .map(({ name, fromStep, quarters, expectedFactor }) => ({
      name,
      startMillis: fromStep * STEP_MILLIS,
      endMillis: fromStep * STEP_MILLIS + (quarters * STEP_MILLIS) / 4,
      ...(expectedFactor === undefined ? {} : { expectedFactor }),
    })),
  { maxLength: 12 },
);

describe('effects of events, for any history and calendar', () => {
  it('are bounded, and the history stays finite and not negative', () => {
    fc.assert(
      fc.property(histories, events, (history, calendar) => {
        const { normalValues, factors, deviations } = eventEffects(history, calendar, HORIZON);
        expect([normalValues.length, factors.length, deviations.length]).toEqual([
          history.values.length,
          HORIZON,
          HORIZON,
        ]);
        for (const factor of factors) expect(factor >= 0 && factor <= 10).toBe(true);
        for (const deviation of deviations) expect(deviation >= 0 && deviation < 10).toBe(true);
        for (const value of normalValues) expect(value >= 0 && value <= 600).toBe(true);
      }),
    );
  });

  it('are the same, to a millionth, for a series of another scale', () => {
    fc.assert(
      fc.property(histories, events, fc.integer({ min: -9, max: 9 }), (history, calendar, power) => {
        const scaled = { ...history, values: history.values.map((value) => value * 2 ** power) };
        const expected = eventEffects(history, calendar, HORIZON);
        const found = eventEffects(scaled, calendar, HORIZON);
        expect({ ...found, normalValues: [] }).toEqual({ ...expected, normalValues: [] });
        expect(found.normalValues).toEqual(expected.normalValues.map((value) => value * 2 ** power));
      }),
    );
  });

  it('are none without events', () => {
    fc.assert(
      fc.property(histories, (history) => {
        expect(eventEffects(history, [], HORIZON)).toEqual({
          normalValues: history.values,
          factors: Array.from({ length: HORIZON }, () => 1),
          deviations: Array.from({ length: HORIZON }, () => 0),
          reasons: [],
        });
      }),
    );
  });

  it('leave the order of the quantiles', () => {
    const step = fc.array(fc.integer({ min: -50, max: 500 }), { minLength: 5, maxLength: 5 });
    const factor = fc.record({
      factor: fc.double({ min: 0, max: 10, noNaN: true }),
      deviation: fc.double({ min: 0, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(step, factor), { minLength: 1 }), (steps) => {
        const sorted = steps.map(([values]) => [...values].sort((a, b) => a - b));
        const at = (place: number) => sorted.map((values) => values[place] ?? 0);
        const given = { '0.025': at(0), '0.1': at(1), '0.5': at(2), '0.75': at(3), '0.975': at(4) };
        const changed = withEvents(given, {
          factors: steps.map(([, each]) => each.factor),
          deviations: steps.map(([, each]) => each.deviation),
        });
        const rows = [changed['0.025'], changed['0.1'], changed['0.5'], changed['0.75'], changed['0.975']];
        for (const [place, row] of rows.slice(1).entries()) {
          for (const [index, value] of row.entries())
            expect(value).toBeGreaterThanOrEqual(rows[place]?.[index] ?? Number.NaN);
        }
      }),
    );
  });
});
