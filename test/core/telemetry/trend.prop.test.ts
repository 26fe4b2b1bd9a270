import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { demandAt, isRising, trendOf } from '../../../core/telemetry/trend.ts';

const demand = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 5, maxLength: 20 });
const MINUTE = 60_000;

function trend(values: readonly number[], startMillis = 0) {
  const found = trendOf(values.map((demandUnits, step) => ({ atMillis: startMillis + step * MINUTE, demandUnits })));
  if (found === undefined) throw new Error('there are samples enough');
  return found;
}

describe('a trend', () => {
  it('scales with the demand and says the same of it', () => {
    fc.assert(
      fc.property(demand, fc.constantFrom(0.25, 2, 64), fc.integer({ min: 0, max: 60 }), (values, scale, minutes) => {
        const [own, scaled] = [trend(values), trend(values.map((value) => value * scale))];
        expect(scaled.slopeUnitsPerSecond).toBeCloseTo(own.slopeUnitsPerSecond * scale, 9);
        expect(scaled.score).toBe(own.score);
        expect(isRising(scaled)).toBe(isRising(own));
        const when = minutes * MINUTE;
        expect(demandAt(scaled, when)).toBeCloseTo(demandAt(own, when) * scale, 6);
      }),
    );
  });

  it('does not depend on when it is, nor on the order of the samples', () => {
    fc.assert(
      fc.property(demand, fc.integer({ min: 0, max: 1_000_000 }), (values, start) => {
        const [own, later] = [trend(values), trend(values, start * MINUTE)];
        expect(later.slopeUnitsPerSecond).toBeCloseTo(own.slopeUnitsPerSecond, 9);
        expect(later.levelUnits).toBeCloseTo(own.levelUnits, 9);
        const reversed = values.map((demandUnits, step) => ({ atMillis: step * MINUTE, demandUnits })).reverse();
        expect(trendOf(reversed)).toEqual(own);
      }),
    );
  });

  it('of what rises from sample to sample rises', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 1_000 }), { minLength: 5, maxLength: 20 }), (values) => {
        expect(isRising(trend(values.sort((a, b) => a - b)))).toBe(true);
      }),
    );
  });
});
