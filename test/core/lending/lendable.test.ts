import { describe, expect, it } from '@jest/globals';
import { lendableUnits } from '../../../core/lending/lendable.ts';
import { groupOf, LENDER, NOW, planOf, poolOf } from '../../support/fixtures.ts';

const pool = poolOf(LENDER);
const plan = planOf(pool.spec.poolId, [3, 6, 2]);
const base = { pool, group: groupOf({ desiredCapacity: 4 }), plan, now: NOW, termSeconds: 3_600 };

describe('lendableUnits', () => {
  it('lends what is above desired and forecast, less the reserve', () => {
    expect(lendableUnits(base)).toEqual({
      units: 5,
      parts: { ceiling: 10, desired: 4, forecastUnits: 3, reserve: 1, floor: 5 },
      basis: { by: 'plan', madeAt: NOW },
      reason: 'ceiling 10, desired 4, P95 of forecast need 3, reserve 1: 5 lendable for 3600 s',
    });
    // A longer term meets the second hour's need of 6.
    expect(lendableUnits({ ...base, termSeconds: 3_601 })).toMatchObject({ units: 3, parts: { floor: 7 } });
  });

  it('lends nothing when nothing is forecast for all of the term', () => {
    expect(lendableUnits({ ...base, plan: undefined })).toMatchObject({
      units: 0,
      reason: 'there is no forecast of its demand',
    });
    const tooLong = lendableUnits({ ...base, termSeconds: 3 * 3_600 + 1 });
    expect(tooLong.units).toBe(0);
    expect(tooLong.reason).toContain('its forecast covers');
  });

  it('is never negative', () => {
    expect(lendableUnits({ ...base, group: groupOf({ desiredCapacity: 10 }) }).units).toBe(0);
  });

  it('lends neither a ceiling that somebody raised, nor one that is about to go down for another loan', () => {
    expect(lendableUnits({ ...base, group: groupOf({ maxSize: 50 }) }).units).toBe(5);
    // Reserved for another loan, but not taken yet: the observed ceiling is still 10.
    expect(lendableUnits({ ...base, pool: poolOf(LENDER, { lentUnits: 3 }) }).units).toBe(2);
    expect(lendableUnits({ ...base, group: groupOf({ maxSize: 7 }) }).units).toBe(2);
  });

  it('lends nothing while it has itself borrowed or provisioned', () => {
    const short = poolOf(LENDER, { borrowedUnits: 1 });
    expect(lendableUnits({ ...base, pool: short, group: groupOf({ maxSize: 11 }) }).units).toBe(0);
    expect(lendableUnits({ ...base, pool: poolOf(LENDER, { provisionedUnits: 1 }) })).toMatchObject({
      units: 0,
      reason: 'it has itself borrowed 0 and provisioned 1 units',
    });
  });
});
