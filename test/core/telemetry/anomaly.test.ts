import { describe, expect, it } from '@jest/globals';
import { excessUnits, usualByForecast, usualByHistory } from '../../../core/telemetry/anomaly.ts';

const HOUR = 3_600_000;
const DAY_STEPS = 24;

/** Days of hourly demand: `base` units, and at noon ten times as much. */
function days(count: number, base: number) {
  const values = Array.from({ length: count * DAY_STEPS }, (_, step) => (step % DAY_STEPS === 12 ? 10 * base : base));
  return { stepSeconds: 3_600, startMillis: 0, values };
}

describe('usualByHistory', () => {
  const usual = usualByHistory(days(7, 2), DAY_STEPS, 4);
  const eighthDay = 7 * DAY_STEPS * HOUR;

  it('is the median of the same time of earlier days', () => {
    expect(usual(eighthDay + 3 * HOUR)).toEqual({ medianUnits: 2, upperUnits: expect.closeTo(2 + 4 * 0.1, 9) });
  });

  it('knows nothing without three earlier days', () => {
    expect(usualByHistory(days(2, 2), DAY_STEPS, 4)(2 * DAY_STEPS * HOUR)).toBeUndefined();
    expect(usualByHistory({ ...days(5, 2), values: [null, null] }, DAY_STEPS, 4)(eighthDay)).toBeUndefined();
  });

  it('scales with demand, and widens with the score and with what varies', () => {
    const at = eighthDay + 3 * HOUR;
    expect(usualByHistory(days(7, 200), DAY_STEPS, 4)(at)?.upperUnits).toBeCloseTo(240, 9);
    expect(usualByHistory(days(7, 2), DAY_STEPS, 8)(at)?.upperUnits).toBeCloseTo(2.8, 9);
    const varying = { ...days(7, 2), values: days(7, 2).values.map((value, step) => value + (step % 5)) };
    expect(usualByHistory(varying, DAY_STEPS, 4)(at)?.upperUnits).toBeGreaterThan(6);
  });
});

describe('usualByForecast', () => {
  it('is the 95 % interval of the slot, and nothing outside of the horizon', () => {
    const quantiles = { '0.5': [2, 3], '0.975': [4, 6] } as never;
    const usual = usualByForecast({ startMillis: HOUR, stepSeconds: 3_600, quantiles });
    expect(usual(2 * HOUR + 1)).toEqual({ medianUnits: 3, upperUnits: 6 });
    expect(usual(HOUR - 1)).toBeUndefined();
    expect(usual(3 * HOUR)).toBeUndefined();
  });
});

describe('excessUnits', () => {
  const usual = () => ({ medianUnits: 2, upperUnits: 4 });
  const samples = (...values: number[]) => values.map((demandUnits, atMillis) => ({ atMillis, demandUnits }));

  it('is the median above what is usual, when every sample is unusual', () => {
    expect(excessUnits(samples(7, 9, 8), usual)).toBe(6);
  });

  it('is nothing when a single sample is usual, or what is usual is not known', () => {
    expect(excessUnits(samples(7, 4, 8), usual)).toBeUndefined();
    expect(excessUnits(samples(7, 8), () => undefined)).toBeUndefined();
    expect(excessUnits([], usual)).toBeUndefined();
  });
});
