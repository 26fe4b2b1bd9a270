import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { comingBackUnits, loansToRecall, needAhead, needOnAlarm } from '../../../core/lending/lender-need.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import type { LoanId } from '../../../core/units.ts';
import { plusMillis } from '../../../core/units.ts';
import { groupOf, LENDER, loanOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';

const pool = poolOf(LENDER, { lentUnits: 6 });
const { poolId } = pool.spec;
const group = groupOf({ maxSize: 4, desiredCapacity: 4 });
const now = plusMillis(NOW, 1_000_000);

function lent(index: number, units: number, changes: Partial<Loan> = {}): Loan {
  return loanOf({
    loanId: `ln-${String(index).padStart(24, '0')}` as LoanId,
    state: 'active',
    activeAt: plusMillis(NOW, index * 1_000),
    dueAt: plusMillis(NOW, 9_000_000),
    lenderAccountId: LENDER,
    lenderPoolId: poolId,
    units,
    recallNoticeSeconds: 120,
    recallableFromSeconds: 600,
    ...changes,
  });
}

const idsOf = (loans: readonly Loan[]) => loans.map(({ loanId }) => Number(loanId.slice(3)));

describe('loansToRecall', () => {
  it('takes the latest first, and none that could be left out', () => {
    const loans = [lent(1, 2), lent(2, 4), lent(3, 1)];
    expect(idsOf(loansToRecall(loans, 1))).toEqual([3]);
    expect(idsOf(loansToRecall(loans, 2))).toEqual([2]);
    expect(idsOf(loansToRecall(loans, 5))).toEqual([3, 2]);
    expect(idsOf(loansToRecall(loans, 6))).toEqual([2, 1]);
    expect(idsOf(loansToRecall(loans, 99))).toEqual([3, 2, 1]);
    expect(loansToRecall(loans, 0)).toEqual([]);
  });

  it('covers any need that can be covered, without a superfluous loan', () => {
    const loans = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 });
    fc.assert(
      fc.property(loans, fc.integer({ min: 1, max: 40 }), (sizes, units) => {
        const all = sizes.map((size, index) => lent(index, size));
        const chosen = loansToRecall(all, units);
        const sum = (some: readonly Loan[]) => some.reduce((total, loan) => total + loan.units, 0);
        expect(sum(chosen)).toBeGreaterThanOrEqual(Math.min(units, sum(all)));
        const spared = chosen.filter((loan) => sum(chosen) - loan.units >= units);
        expect(spared).toEqual([]);
      }),
    );
  });
});

describe('needOnAlarm', () => {
  // Four instances at 100 % need 5 units at a threshold of 80 %, five need 7 (6.25).
  const seen = { pool, group, metrics: { cpu: 100 }, now };

  it('recalls what the pool is short of, at any time', () => {
    const need = needOnAlarm({ ...seen, lentLoans: [lent(1, 2), lent(999, 3)] });
    expect(idsOf(need.recall)).toEqual([999]);
    expect(need.inTimeUnits).toBe(3);
  });

  it('counts what is on its way already', () => {
    const back = lent(1, 2, {
      state: 'draining',
      recall: { by: 'lender-alarm', reason: '', askedAt: NOW, firmAt: now },
    });
    expect(comingBackUnits([back, lent(2, 3)], poolId)).toBe(2);
    const need = needOnAlarm({ ...seen, lentLoans: [back, lent(2, 3)] });
    expect(need).toMatchObject({ recall: [], inTimeUnits: 2 });
  });

  it('still lets it borrow what the notice brings too late', () => {
    const need = needOnAlarm({ ...seen, lentLoans: [lent(1, 2, { recallNoticeSeconds: 3_600 })] });
    expect(idsOf(need.recall)).toEqual([1]);
    expect(need.inTimeUnits).toBe(0);
  });

  it('recalls nothing that its own ceiling covers, and nothing of other pools', () => {
    expect(needOnAlarm({ ...seen, metrics: { cpu: 79 }, lentLoans: [lent(1, 2)] }).recall).toEqual([]);
    const other = lent(1, 2, { lenderPoolId: poolOf(LENDER, {}, { groupName: 'other' }).spec.poolId });
    expect(needOnAlarm({ ...seen, lentLoans: [other] })).toMatchObject({ recall: [], inTimeUnits: 0 });
  });
});

describe('needAhead', () => {
  const hours = (first: number, later: number) => planOf(poolId, [first, later, later, later]);

  it('recalls when the forecast needs more than the ceiling within notice and start-up', () => {
    // The second hour begins 2,600 s from now.
    const distant = { recallNoticeSeconds: 2_299 };
    const near = { recallNoticeSeconds: 2_301 };
    expect(needAhead({ pool, plan: hours(3, 6), lentLoans: [lent(1, 2, distant)], now }).recall).toEqual([]);
    expect(idsOf(needAhead({ pool, plan: hours(3, 6), lentLoans: [lent(1, 2, near)], now }).recall)).toEqual([1]);
    expect(needAhead({ pool, plan: hours(3, 4), lentLoans: [lent(1, 2, near)], now }).recall).toEqual([]);
  });

  it('leaves a loan alone for as long as was promised', () => {
    const young = lent(1, 2, { recallableFromSeconds: 1_000 });
    expect(needAhead({ pool, plan: hours(9, 9), lentLoans: [young], now }).recall).toEqual([]);
    expect(needAhead({ pool, lentLoans: [young], now })).toMatchObject({ recall: [], inTimeUnits: 0 });
  });
});
