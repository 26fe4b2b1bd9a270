import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CRITICALITIES, DEFAULT_ORDER_RULES, SLA_TIERS } from '../../../core/allocation/priority.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import type { Ranking } from '../../../core/lending/queue.ts';
import { fillOf, heldBefore, minimumUnitsOf, ranked, standingOf } from '../../../core/lending/queue.ts';
import type { LoanId } from '../../../core/units.ts';
import { accountId, epochMillis, poolId } from '../../../core/units.ts';
import { BORROWER, loanOf, NOW, poolOf, REGION, requestOf } from '../../support/fixtures.ts';

const asked = fc.record({
  tier: fc.constantFrom(...SLA_TIERS),
  criticality: fc.constantFrom(...CRITICALITIES),
  agoSeconds: fc.integer({ min: 0, max: 7_200 }),
  units: fc.integer({ min: 1, max: 9 }),
  credit: fc.integer({ min: -50, max: 50 }),
});
type Asked = typeof asked extends fc.Arbitrary<infer Value> ? Value : never;

const idAt = (index: number): LoanId => `ln-${String(index).padStart(24, '0')}` as LoanId;
const accountAt = (index: number) => accountId(String(300_000_000_000 + index));

function waitingLoan(one: Asked, index: number): Loan {
  const account = accountAt(index);
  const since = epochMillis(NOW - one.agoSeconds * 1_000);
  return loanOf({
    loanId: idAt(index),
    state: 'waiting',
    borrowerAccountId: account,
    borrowerPoolId: poolId(account, REGION, 'web'),
    units: one.units,
    requestedAt: since,
    waiting: { since, until: epochMillis(NOW + 3_600_000), lenderPoolIds: [] },
    request: requestOf(idAt(index), poolOf(account), one.units, { slaTier: one.tier, criticality: one.criticality }),
  });
}

function rankingOf(all: readonly Asked[]): Ranking {
  const usages = new Map(
    all.map(({ credit }, index) => {
      const account = accountAt(index);
      return [account, { ...emptyUsage(account), creditUnitSeconds: { '2026-11': credit * 3_600 } }] as const;
    }),
  );
  return { rules: DEFAULT_ORDER_RULES, now: NOW, usages };
}

describe('contenders for one lender', () => {
  it('yield to exactly those that come before them, and a higher tier to no lower one', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 6 }), (all) => {
        const loans = all.map(waitingLoan);
        const ranking = rankingOf(all);
        const order = ranked(loans, ranking);
        let before = 0;
        for (const { id, tier, deficitUnits } of order) {
          const own = loans.find(({ loanId }) => loanId === id);
          if (own === undefined) throw new Error(`${id} is no loan`);
          const held = heldBefore(own, loans, ranking);
          expect(held.units).toBe(before);
          expect(held.reasons).toHaveLength(order.findIndex((each) => each.id === id));
          const after = order.slice(order.findIndex((each) => each.id === id) + 1);
          expect(after.every((each) => each.tier >= tier)).toBe(true);
          before += deficitUnits;
        }
      }),
    );
  });

  it('are in the same order however they are listed, and one of them yields to nobody', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 6 }), (all) => {
        const loans = all.map(waitingLoan);
        const ranking = rankingOf(all);
        const ids = (list: readonly Loan[]) => ranked(list, ranking).map(({ id }) => id);
        expect(ids(loans.toReversed())).toEqual(ids(loans));
        expect(loans.filter((loan) => heldBefore(loan, loans, ranking).units === 0)).toHaveLength(1);
      }),
    );
  });

  it('say who was before whom without a figure of another account', () => {
    const [high, low] = [
      { tier: 1, criticality: 'low', agoSeconds: 10, units: 777, credit: 555 },
      { tier: 4, criticality: 'low', agoSeconds: 4_000, units: 2, credit: 3 },
    ] as const;
    const loans = [high, low].map(waitingLoan);
    const [first, second] = loans;
    if (first === undefined || second === undefined) throw new Error('two loans');
    const { reasons } = heldBefore(second, loans, rankingOf([high, low]));
    expect(reasons).toEqual([`${first.loanId} is before ${second.loanId}: its SLA tier is higher`]);
  });

  it('of the same pool do not wait for each other', () => {
    const one: Asked = { tier: 1, criticality: 'low', agoSeconds: 10, units: 3, credit: 0 };
    const first = waitingLoan(one, 0);
    const part = { ...waitingLoan({ ...one, tier: 5 }, 1), borrowerPoolId: first.borrowerPoolId };
    expect(heldBefore(part, [first], rankingOf([one, one]))).toEqual({ units: 0, reasons: [] });
  });
});

describe('what is missing of a need', () => {
  it('is never more than was asked for, and with what was brought never more than the whole', () => {
    const brought = fc.record({
      wanted: fc.integer({ min: 1, max: 20 }),
      part: fc.integer({ min: 1, max: 20 }),
      borrowed: fc.integer({ min: 0, max: 25 }),
    });
    fc.assert(
      fc.property(brought, ({ wanted, part, borrowed }) => {
        const before = poolOf(BORROWER);
        const loan = loanOf({ units: Math.min(part, wanted), request: requestOf(idAt(0), before, wanted) });
        const { missingUnits, filledUnits } = standingOf(loan, { ...before, borrowedUnits: borrowed });
        expect(missingUnits).toBeLessThanOrEqual(loan.units);
        expect(Math.max(0, missingUnits) + filledUnits).toBeLessThanOrEqual(wanted);
        expect(filledUnits).toBe(Math.min(wanted, borrowed));
      }),
    );
  });

  it('has a minimum of at least one unit and at most all', () => {
    const fill = fc.record(
      { minimumUnits: fc.integer({ min: 1, max: 30 }), minimumSharePercent: fc.integer({ min: 1, max: 100 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.option(fill, { nil: undefined }), fc.integer({ min: 1, max: 30 }), (stated, wanted) => {
        const least = minimumUnitsOf(stated, wanted);
        expect(least).toBeGreaterThanOrEqual(1);
        expect(least).toBeLessThanOrEqual(wanted);
        if (stated === undefined) expect(least).toBe(wanted);
        if (stated?.minimumSharePercent !== undefined) {
          expect(least * 100).toBeGreaterThanOrEqual(Math.min(wanted, 30) * stated.minimumSharePercent);
        }
      }),
    );
  });
});

describe('what parts come to', () => {
  const request = requestOf(idAt(1), poolOf(BORROWER), 4, { minimumUnits: 3 });
  const part = (state: Loan['state'], units: number, wasActive: boolean): Loan => ({
    ...loanOf({ state, units, request }),
    ...(wasActive ? { activeAt: NOW } : {}),
  });

  it.each([
    ['all are active', [part('active', 2, true), part('active', 2, true)], 'enough'],
    ['one is refused and the other is the minimum', [part('active', 3, true), part('refused', 1, false)], 'enough'],
    [
      'one is refused and the other is too little',
      [part('active', 2, true), part('refused', 2, false)],
      'below-minimum',
    ],
    ['one failed', [part('compensated', 2, false), part('active', 2, true)], 'below-minimum'],
    ['one still waits', [part('active', 2, true), part('waiting', 2, false)], 'open'],
    ['one was used and has gone back', [part('returned', 2, true), part('active', 2, true)], 'enough'],
  ] as const)('when %s', (_name, parts, expected) => {
    expect(fillOf(parts)).toBe(expected);
  });
});
