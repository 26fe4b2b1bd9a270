import { describe, expect, it } from '@jest/globals';
import {
  accountId,
  capacityCost,
  epochMillis,
  InvariantViolation,
  microUsd,
  plusMillis,
  poolId,
  poolIdParts,
  sumMicroUsd,
} from '../../core/units.ts';

describe('ids', () => {
  it('takes twelve digits for an account id and nothing else', () => {
    expect(accountId('012345678901')).toBe('012345678901');
    for (const wrong of ['', '12345678901', '1234567890123', '12345678901a', ' 123456789012']) {
      expect(() => accountId(wrong)).toThrow('expected 12 digits');
    }
  });

  it('takes a pool id apart into what it was made of, also when the group name has slashes', () => {
    const id = poolId(accountId('012345678901'), 'eu-west-1', 'web/blue');
    expect(poolIdParts(id)).toEqual({ accountId: '012345678901', region: 'eu-west-1', groupName: 'web/blue' });
    for (const wrong of ['', '012345678901', '012345678901/eu-west-1', 'x/eu-west-1/web']) {
      expect(() => poolIdParts(wrong)).toThrow(RangeError);
    }
  });
});

describe('whole numbers', () => {
  it('refuses fractions, NaN and what a double cannot count', () => {
    for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => microUsd(wrong)).toThrow(InvariantViolation);
      expect(() => epochMillis(wrong)).toThrow(InvariantViolation);
    }
  });

  it('notices a sum or a moment that leaves the safe range', () => {
    const most = microUsd(Number.MAX_SAFE_INTEGER);
    expect(() => sumMicroUsd([most, microUsd(1)])).toThrow(InvariantViolation);
    expect(sumMicroUsd([most, microUsd(-1)])).toBe(Number.MAX_SAFE_INTEGER - 1);
    expect(() => plusMillis(epochMillis(Number.MAX_SAFE_INTEGER), 1)).toThrow(InvariantViolation);
  });
});

describe('capacityCost', () => {
  it.each([
    // price a unit-hour, units, milliseconds, micro-dollars
    [96_000, 2, 3_600_000, 192_000],
    [96_000, 2, 1_800_000, 96_000],
    [1, 1, 1_799_999, 0],
    [1, 1, 1_800_000, 1],
    [33_333, 3, 1_800_000, 50_000],
    [96_000, 0, 3_600_000, 0],
  ])('%i micro-dollars × %i units × %i ms = %i', (price, units, millis, cost) => {
    expect(capacityCost(microUsd(price), units, millis)).toBe(cost);
  });

  it('refuses a negative factor and a cost that cannot be counted', () => {
    expect(() => capacityCost(microUsd(-1), 1, 1)).toThrow(InvariantViolation);
    expect(() => capacityCost(microUsd(2 ** 52), 4, 3_600_000)).toThrow(InvariantViolation);
  });
});
