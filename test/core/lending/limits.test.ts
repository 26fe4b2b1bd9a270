import { describe, expect, it } from '@jest/globals';
import type { CountedLimit } from '../../../core/lending/limits.ts';
import {
  limitObjections,
  releasedLimits,
  renewalObjection,
  renewedLimits,
  reservedLimits,
  withLoan,
} from '../../../core/lending/limits.ts';
import { plusMillis } from '../../../core/units.ts';
import { BORROWER, LENDER, loanOf, NOW, specOf } from '../../support/fixtures.ts';

const { poolId } = specOf(LENDER);
const LIMIT: CountedLimit = {
  node: { kind: 'pool', poolId },
  direction: 'lend',
  limit: { maxUnits: 5, maxUnitHoursPerMonth: 10 },
  ownerAccountId: LENDER,
  usage: { units: 2, unitSeconds: 7_200 },
};
const LOAN = { units: 2, lenderUnits: 3, termSeconds: 3_600 };
const { usage: _usage, ...APPLIED } = LIMIT;

describe('a limit', () => {
  it('lets what is just within it be lent, in the units of its own side', () => {
    expect(limitObjections([LIMIT], LOAN)).toEqual([]);
    expect(limitObjections([{ ...LIMIT, direction: 'borrow' }], { ...LOAN, units: 3 })).toEqual([]);
  });

  it('refuses more, naming node, field and both values to who stated it alone', () => {
    expect(limitObjections([LIMIT], { ...LOAN, lenderUnits: 4 })).toEqual([
      {
        text: `the limit of pool ${poolId} to lend is reached`,
        details: [
          {
            text: `pool ${poolId}, limits.lend.maxUnits: 5 units are allowed at a time, 2 are in use and 4 are wanted`,
            onlyFor: LENDER,
          },
        ],
      },
    ]);
    const [byHours] = limitObjections([LIMIT], { ...LOAN, termSeconds: 10_000 });
    expect(byHours?.details[0]?.text).toBe(
      `pool ${poolId}, limits.lend.maxUnitHoursPerMonth: 10 unit-hours are allowed, 2 are used and 8.33 are wanted`,
    );
  });

  it('counts a part that is promised before the next one is looked at', () => {
    const [after] = withLoan([LIMIT], [APPLIED], LOAN);
    expect(after?.usage).toEqual({ units: 5, unitSeconds: 18_000 });
    expect(withLoan([LIMIT], [{ ...APPLIED, direction: 'borrow' }], LOAN)).toEqual([LIMIT]);
  });
});

describe('what is counted of a loan', () => {
  const made = loanOf({
    ...LOAN,
    state: 'active',
    lenderAccountId: LENDER,
    lenderPoolId: poolId,
    activeAt: NOW,
    lenderLimits: [APPLIED],
    borrowerLimits: [{ ...APPLIED, direction: 'borrow', limit: { maxUnits: 9 }, ownerAccountId: BORROWER }],
    history: [{ state: 'reserved', at: NOW }],
  });

  it('rises when it is reserved, conditional on the room that is left', () => {
    expect(reservedLimits(made, made, NOW)).toMatchObject([
      { direction: 'lend', units: 3, unitSeconds: 10_800, unitsBeforeAtMost: 2, unitSecondsBeforeAtMost: 25_200 },
      { direction: 'borrow', units: 2, unitSeconds: 7_200, unitsBeforeAtMost: 7 },
    ]);
  });

  it('rises by time alone when it is renewed, within the limits as they stand then', () => {
    const stated = [{ ...APPLIED, limit: { maxUnits: 4, maxUnitHoursPerMonth: 2 } }];
    expect(renewedLimits(made, 600, stated)).toMatchObject([
      { units: 0, unitSeconds: 1_800, unitsBeforeAtMost: 4, unitSecondsBeforeAtMost: 5_400 },
      { units: 0, unitSeconds: 1_200, unitsBeforeAtMost: Number.MAX_SAFE_INTEGER },
    ]);
  });

  it.each([
    ['the unit-hours are used up', { maxUnitHoursPerMonth: 3.4 }, { units: 3, unitSeconds: 10_800 }, true],
    ['the unit-hours suffice', { maxUnitHoursPerMonth: 3.5 }, { units: 3, unitSeconds: 10_800 }, false],
    ['fewer units are allowed by now', { maxUnits: 2 }, { units: 3, unitSeconds: 10_800 }, true],
    ['its own units are all that is allowed', { maxUnits: 3 }, { units: 3, unitSeconds: 10_800 }, false],
  ])('keeps a loan from being renewed: %s', (_when, limit, usage, isBarred) => {
    const objection = renewalObjection(made, [{ ...APPLIED, limit, usage }], 600);
    expect(objection).toBe(
      isBarred ? `the limit of pool ${poolId} to lend leaves no room for a longer term` : undefined,
    );
  });

  it('is not held against what was stated after it was made', () => {
    const node = { kind: 'organisation-unit', name: 'shops' } as const;
    const later = { ...APPLIED, node, limit: { maxUnits: 0 }, usage: { units: 9, unitSeconds: 9 } };
    expect(renewalObjection(made, [later], 600)).toBeUndefined();
  });

  it('falls by all units and by the time that was not used', () => {
    const released = releasedLimits(made, plusMillis(NOW, 1_000_000));
    expect(released).toMatchObject([
      { units: -3, unitSeconds: -7_800 },
      { units: -2, unitSeconds: -5_200 },
    ]);
    for (const change of released) expect(change).not.toHaveProperty('unitsBeforeAtMost');
  });
});
