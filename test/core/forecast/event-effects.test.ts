import { describe, expect, it } from '@jest/globals';
import { eventEffects } from '../../../core/forecast/event-effects.ts';
import { withEvents } from '../../../core/forecast/event-forecast.ts';
import type { BusinessEvent } from '../../../core/forecast/events.ts';
import { meanAbsoluteError, noise } from './simulated.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const STEPS = 24 * 70;
const HORIZON = 48;

/** Days with a peak at noon, quieter at weekends, growing by a third over ten weeks. */
function normalAt(step: number): number {
  const weekend = Math.floor(step / 24) % 7 >= 5 ? 0.6 : 1;
  return (100 + 50 * Math.sin((2 * Math.PI * (step - 6)) / 24)) * weekend * (1 + step / STEPS / 3);
}

const repeated = (value: number, times: number) => Array.from({ length: times }, () => value);

const dayEvent = (name: string, day: number, expectedFactor?: number): BusinessEvent => ({
  name,
  startMillis: START + day * DAY,
  endMillis: START + (day + 1) * DAY,
  ...(expectedFactor === undefined ? {} : { expectedFactor }),
});

function seriesOf(factorAt: (step: number) => number, seed = 3, spread = 0.03) {
  const random = noise(seed);
  const values = Array.from(
    { length: STEPS },
    (_, step) => normalAt(step) * factorAt(step) * Math.exp(spread * random()),
  );
  return { values, stepSeconds: 3_600, startMillis: START, seasons: [24, 168] };
}

/** 1.8 times the demand on days 16, 37 and 58, twice as much more of it in the evening as in the morning. */
const saleDays = [16, 37, 58];
const saleCourse = (step: number) => (step % 24 < 12 ? 1.6 : 2.2);
const saleFactor = (step: number) => (saleDays.includes(Math.floor(step / 24)) ? saleCourse(step) : 1);
const sales = [...saleDays, 70].map((day) => dayEvent('Sale', day));

describe('the effect of an event', () => {
  it('is found again from three past occurrences, with its course, within a tenth', () => {
    const { factors, deviations, reasons } = eventEffects(seriesOf(saleFactor), sales, HORIZON);
    const evening = factors.slice(14, 24);
    const morning = factors.slice(0, 10);
    expect(Math.min(...morning)).toBeGreaterThan(1.6 * 0.9);
    expect(Math.max(...morning)).toBeLessThan(1.6 * 1.1);
    expect(Math.min(...evening)).toBeGreaterThan(2.2 * 0.9);
    expect(Math.max(...evening)).toBeLessThan(2.2 * 1.1);
    expect(factors.slice(24)).toEqual(repeated(1, 24));
    expect(deviations.slice(24)).toEqual(repeated(0, 24));
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(/^Sale: (1\.9|2) × normal, from 3 past occurrences$/);
  });

  it('is taken out of the history, which else stays as it was', () => {
    const series = seriesOf(saleFactor);
    const { normalValues } = eventEffects(series, sales, HORIZON);
    for (const day of saleDays) {
      const steps = Array.from({ length: 24 }, (_, hour) => day * 24 + hour);
      const wanted = steps.map(normalAt);
      const left = meanAbsoluteError(
        steps.map((step) => normalValues[step] ?? Number.NaN),
        wanted,
      );
      expect(left).toBeLessThan(0.08 * (wanted.reduce((sum, value) => sum + value, 0) / 24));
    }
    const others = (values: readonly number[]) => values.filter((_, step) => saleFactor(step) === 1);
    expect(others(normalValues)).toEqual(others(series.values));
  });

  it('stays nearer to 1 the fewer times it was seen and the more the series moves by itself', () => {
    const meanFactor = (days: readonly number[], spread: number) => {
      const at = (step: number) => (days.includes(Math.floor(step / 24)) ? 3 : 1);
      const { factors } = eventEffects(
        seriesOf(at, 5, spread),
        [...days, 70].map((day) => dayEvent('Fair', day)),
        24,
      );
      return factors.reduce((sum, factor) => sum + factor, 0) / 24;
    };
    const often = meanFactor([9, 20, 30, 41, 52, 63], 0.03);
    const once = meanFactor([52], 0.03);
    const noisy = meanFactor([52], 3);
    expect(often).toBeGreaterThan(2.8);
    expect(often).toBeLessThan(3.1);
    expect(once).toBeLessThan(often);
    expect(once).toBeGreaterThan(2);
    expect(noisy).toBeLessThan(once);
  });

  it('that only the calendar knows is exactly what it says', () => {
    const { factors, deviations, reasons } = eventEffects(
      seriesOf(() => 1),
      [dayEvent('Launch', 70, 2)],
      HORIZON,
    );
    expect(factors).toEqual([...repeated(2, 24), ...repeated(1, 24)]);
    expect(deviations[0]).toBeGreaterThan(0.2);
    expect(reasons).toEqual(['Launch: 2 × normal, from the calendar']);
    const closed = eventEffects(
      seriesOf(() => 1),
      [dayEvent('Closed', 70, 0)],
      HORIZON,
    );
    expect(closed.factors.slice(0, 24)).toEqual(repeated(0, 24));
  });

  it('is corrected by how far the calendar was off before', () => {
    // The calendar always promises half of what comes.
    const at = (step: number) => (saleDays.includes(Math.floor(step / 24)) ? 2 : 1);
    const events = [...saleDays.map((day) => dayEvent('Promotion', day, 1)), dayEvent('Promotion', 70, 1.5)];
    const { factors, reasons } = eventEffects(seriesOf(at), events, 24);
    expect(factors[12]).toBeGreaterThan(2.2);
    expect(factors[12]).toBeLessThan(3.1);
    expect(reasons[0]).toMatch(/^Promotion: 2\.\d × normal, from 3 past occurrences and the calendar$/);
  });

  it('of two that overlap is told apart, and both count where both will be', () => {
    const halves = [10, 24, 38, 52].map((day) => dayEvent('Half', day));
    const doubles = [17, 31, 38, 59].map((day) => dayEvent('Double', day));
    const at = (step: number) => {
      const day = Math.floor(step / 24);
      return ([10, 24, 38, 52].includes(day) ? 0.5 : 1) * ([17, 31, 38, 59].includes(day) ? 2 : 1);
    };
    const coming = [dayEvent('Half', 70), dayEvent('Double', 70), dayEvent('Double', 71)];
    const { factors } = eventEffects(seriesOf(at), [...halves, ...doubles, ...coming], HORIZON);
    expect(factors[12]).toBeGreaterThan(0.9);
    expect(factors[12]).toBeLessThan(1.1);
    expect(factors[36]).toBeGreaterThan(1.8);
    expect(factors[36]).toBeLessThan(2.2);
  });

  it('of one that has begun goes on after the history', () => {
    const at = (step: number) => (step >= STEPS - 12 || saleFactor(step) > 1 ? 2 : 1);
    const running = { name: 'Sale', startMillis: START + (STEPS - 12) * HOUR, endMillis: START + (STEPS + 12) * HOUR };
    const series = seriesOf(at);
    const { factors, normalValues } = eventEffects(series, [...sales.slice(0, 3), running], HORIZON);
    expect(factors[11]).toBeGreaterThan(1.7);
    expect(factors[12]).toBe(1);
    expect(normalValues[STEPS - 1]).toBeLessThan((series.values[STEPS - 1] ?? 0) / 1.7);
  });

  it('is nothing for an event that was never seen, and for a series with a negative value', () => {
    const series = seriesOf(() => 1);
    const neutral = { factors: repeated(1, HORIZON), deviations: repeated(0, HORIZON), reasons: [] };
    expect(eventEffects(series, [dayEvent('New', 70), dayEvent('New', -3)], HORIZON)).toEqual({
      ...neutral,
      normalValues: series.values,
    });
    const negative = { ...series, values: series.values.map((value) => value - 150) };
    expect(eventEffects(negative, sales, HORIZON)).toEqual({ ...neutral, normalValues: negative.values });
  });

  it('of an event that cannot be is an error', () => {
    const backwards = { name: 'Sale', startMillis: START, endMillis: START };
    expect(() =>
      eventEffects(
        seriesOf(() => 1),
        [backwards],
        1,
      ),
    ).toThrow('event "Sale" ends no later than it starts');
    expect(() =>
      eventEffects(
        seriesOf(() => 1),
        [dayEvent('Sale', 1, 11)],
        1,
      ),
    ).toThrow('factor 11: expected a number from 0 to 10');
  });
});

describe('a forecast with events', () => {
  const normal = { '0.1': [80, 80, -1], '0.5': [100, 100, 0], '0.9': [130, 130, 1] };

  it('is multiplied, and wider by what is not known of the factor', () => {
    const {
      '0.1': low,
      '0.5': middle,
      '0.9': high,
    } = withEvents(normal, { factors: [1, 2, 1], deviations: [0, 0.2, 0] });
    expect([low[0], middle[0], high[0]]).toEqual([80, 100, 130]);
    expect([low[2], middle[2], high[2]]).toEqual([-1, 0, 1]);
    expect(middle[1]).toBe(200);
    const doubt = 1.281552 * 100 * 0.2;
    expect(high[1]).toBeCloseTo(2 * (100 + Math.hypot(30, doubt)), 6);
    expect(low[1]).toBeCloseTo(2 * (100 - Math.hypot(20, doubt)), 6);
  });

  it('does not fall below 0', () => {
    const { '0.1': low } = withEvents(normal, { factors: [3, 3, 3], deviations: [2, 2, 2] });
    expect(low).toEqual([0, 0, -3]);
  });
});
