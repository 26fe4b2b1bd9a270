import { describe, expect, it } from '@jest/globals';
import { driftOf, updateCoverage } from '../../../core/forecast/coverage.ts';
import type { Forecast } from '../../../core/forecast/forecast.ts';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';

const { poolId } = specOf(BORROWER);
const STEP_MILLIS = 300_000;

/** For each of 20 slots the values −10 to 10: the 80 % interval is −8 to 8, the 95 % interval −9.5 to 9.5. */
function forecastFrom(startMillis: number): Forecast {
  const slots = Array.from({ length: 20 }, () => 0);
  return {
    poolId,
    resource: 'cpu',
    stepSeconds: 300,
    startMillis,
    quantiles: Object.fromEntries(
      QUANTILE_LEVELS.map((level) => [level, slots.map(() => 20 * Number(level) - 10)]),
    ) as unknown as Forecast['quantiles'],
    mean: slots,
    bottleneck: { thresholdUnits: 1, probability: 0, bySlot: slots, reachedByCourse: [] },
    models: [],
    combination: 'median',
    confidence: { level: 1, backtestCoverage: null, drifted: false },
    reasons: [],
  };
}

const measured = (startMillis: number, values: readonly (number | null)[]) => ({
  startMillis,
  stepSeconds: 300,
  values,
});

describe('updateCoverage', () => {
  it('is the share of slots inside each interval', () => {
    const coverage = updateCoverage(undefined, forecastFrom(0), measured(0, [0, 9, 9.8, -9]), 100);
    expect(coverage).toEqual({ level80: 0.25, level95: 0.75, slots: 4, untilMillis: 4 * STEP_MILLIS });
  });

  it('counts each slot once, whatever was forecast for it before', () => {
    const values = [0, 9, 9.8, -9];
    const once = updateCoverage(undefined, forecastFrom(0), measured(0, values), 100);
    expect(updateCoverage(once, forecastFrom(0), measured(0, values), 100)).toEqual(once);
    const next = updateCoverage(once, forecastFrom(2 * STEP_MILLIS), measured(0, [...values, 0]), 100);
    expect(next).toMatchObject({ slots: 5, untilMillis: 5 * STEP_MILLIS });
    expect(next?.level80).toBeCloseTo(0.4, 10);
  });

  it('forgets old slots: after its memory, recent ones decide', () => {
    const inside = updateCoverage(
      undefined,
      forecastFrom(0),
      measured(
        0,
        Array.from({ length: 20 }, () => 0),
      ),
      5,
    );
    expect(inside?.level80).toBe(1);
    const later = 20 * STEP_MILLIS;
    const outside = Array.from({ length: 20 }, () => 50);
    const forgot = updateCoverage(inside, forecastFrom(later), measured(later, outside), 5);
    expect(forgot?.level95).toBeLessThan(0.05);
  });

  it('compares only what was measured, at the same step', () => {
    expect(updateCoverage(undefined, forecastFrom(0), measured(0, [null, null]), 100)).toBeUndefined();
    expect(updateCoverage(undefined, forecastFrom(0), measured(-4 * STEP_MILLIS, [1, 1, 1, 1]), 100)).toBeUndefined();
    const hourly = { ...measured(0, [0, 0]), stepSeconds: 3_600 };
    expect(updateCoverage(undefined, forecastFrom(0), hourly, 100)).toBeUndefined();
    expect(updateCoverage(undefined, forecastFrom(0), measured(-STEP_MILLIS, [50, null, 9]), 100)).toEqual({
      level80: 0,
      level95: 1,
      slots: 1,
      untilMillis: 2 * STEP_MILLIS,
    });
  });
});

describe('driftOf', () => {
  const drift = (values: readonly (number | null)[]) => driftOf(forecastFrom(0), measured(0, values));

  it('is seen when most of the last slots left the 95 % interval', () => {
    expect(drift([0, 0, 50, 50, 50, 50])).toEqual({ drifted: true, outsideSlots: 4, comparedSlots: 6 });
    expect(drift([0, 0, 0, 50, 50, 50]).drifted).toBe(false);
  });

  it('is not told from a few slots', () => {
    expect(drift([50, 50, 50, 50, 50])).toEqual({ drifted: false, outsideSlots: 5, comparedSlots: 5 });
    expect(drift([50, null, 50, null, 50, 50, 50]).drifted).toBe(false);
  });

  it('looks at the last twelve slots only', () => {
    const recovered = [...Array.from({ length: 8 }, () => 50), ...Array.from({ length: 12 }, () => 0)];
    expect(drift(recovered)).toEqual({ drifted: false, outsideSlots: 0, comparedSlots: 12 });
  });
});
