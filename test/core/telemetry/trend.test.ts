import { describe, expect, it } from '@jest/globals';
import type { DemandSample } from '../../../core/telemetry/history.ts';
import { demandAt, isRising, trendOf } from '../../../core/telemetry/trend.ts';

const MINUTE = 60_000;
const samplesOf = (values: readonly number[]): DemandSample[] =>
  values.map((demandUnits, minute) => ({ atMillis: minute * MINUTE, demandUnits }));

function trend(values: readonly number[]) {
  const found = trendOf(samplesOf(values));
  if (found === undefined) throw new Error('there are samples enough');
  return found;
}

describe('trendOf', () => {
  it('finds the slope and the level of a line, and where it leads', () => {
    const line = trend([1, 3, 5, 7, 9, 11]);
    expect(line.slopeUnitsPerSecond).toBeCloseTo(2 / 60, 12);
    expect(line.levelUnits).toBeCloseTo(11, 12);
    expect(demandAt(line, 8 * MINUTE)).toBeCloseTo(17, 12);
    expect(isRising(line)).toBe(true);
  });

  it('is not carried away by single outliers', () => {
    const line = trend([1, 2, 3, 400, 5, 6, 0, 8, 9, 10]);
    expect(line.slopeUnitsPerSecond).toBeCloseTo(1 / 60, 3);
    expect(demandAt(line, 9 * MINUTE)).toBeCloseTo(10, 1);
  });

  it('does not take noise, a level or a fall for a rise', () => {
    expect(isRising(trend([5, 4, 6, 5, 4, 6, 5, 5, 4, 6]))).toBe(false);
    expect(isRising(trend([5, 5, 5, 5, 5]))).toBe(false);
    const falling = trend([9, 7, 5, 3, 1]);
    expect(isRising(falling)).toBe(false);
    expect(demandAt(falling, 30 * MINUTE)).toBe(0);
  });

  it('says nothing of fewer than five moments', () => {
    expect(trendOf(samplesOf([1, 2, 3, 4]))).toBeUndefined();
    expect(trendOf(Array.from({ length: 9 }, () => ({ atMillis: 0, demandUnits: 1 })))).toBeUndefined();
  });
});
