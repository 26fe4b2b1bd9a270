import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { LedgerEntry } from '../../../core/billing/ledger.ts';
import { assertCommit } from '../../../core/lending/commit.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { reclaim, settle } from '../../../core/lending/saga.ts';
import type { TermObservation } from '../../../core/lending/term.ts';
import { isDue, nearsItsEnd, renewal } from '../../../core/lending/term.ts';
import { epochMillis, invariant, microUsd, plusMillis, sumMicroUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, groupOf, LENDER, loanOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';
import { outlookOf } from '../../support/outlooks.ts';

const at = (seconds: number) => plusMillis(NOW, seconds * 1_000);
const borrowerPool = poolOf(BORROWER, { borrowedUnits: 2 });
const lenderPool = poolOf(LENDER, { lentUnits: 2 });
const loan = loanOf({
  state: 'active',
  activeAt: NOW,
  dueAt: at(1_200),
  termSeconds: 1_200,
  priceMicroUsdPerUnitHour: microUsd(50_001),
  lenderAccountId: LENDER,
  lenderPoolId: lenderPool.spec.poolId,
  recallNoticeSeconds: 120,
  history: [
    { state: 'reserved', at: NOW },
    { state: 'active', at: NOW },
  ],
});
const MONTH = '2026-11';

function usageOf(account: typeof BORROWER, changes: object = {}) {
  const seconds = { [MONTH]: 2 * 1_200 };
  const [lentUnits, borrowedUnits] = account === LENDER ? [2, 0] : [0, 2];
  return {
    accountId: account,
    lentUnits,
    borrowedUnits,
    lentUnitSeconds: account === LENDER ? seconds : {},
    borrowedUnitSeconds: account === LENDER ? {} : seconds,
    ...changes,
  };
}

function decide(changes: Partial<TermObservation> = {}) {
  return renewal({
    snapshot: { loan, borrowerPool, lenderPool, heads: {} },
    borrowerConsent: consentOf(BORROWER),
    lenderConsent: consentOf(LENDER),
    borrowerUsage: usageOf(BORROWER),
    lenderUsage: usageOf(LENDER),
    lenderGroup: groupOf({ maxSize: 8, desiredCapacity: 4 }),
    lenderPlan: planOf(lenderPool.spec.poolId, [5, 5, 5]),
    recovery: { recovered: false, reason: 'demand does not fit' },
    now: at(1_200),
    ...changes,
  });
}

describe('renewal', () => {
  it('is held to the limits as they stand now: a shorter stretch where they leave no room for the longer one', () => {
    const node = { kind: 'pool', poolId: lenderPool.spec.poolId } as const;
    const limit = { node, direction: 'lend', limit: {}, ownerAccountId: LENDER } as const;
    const limited = { snapshot: { loan: { ...loan, lenderLimits: [limit] }, borrowerPool, lenderPool, heads: {} } };
    const stated = (maxUnitHoursPerMonth: number) => {
      const usage = { units: 2, unitSeconds: 2 * 1_200 };
      return decide({ ...limited, limits: [{ ...limit, limit: { maxUnitHoursPerMonth }, usage }] });
    };
    expect(stated(1.5)).toMatchObject({ action: 'renew', addedSeconds: 1_200 });
    expect(stated(1)).toMatchObject({ action: 'renew', addedSeconds: 600 });
    expect(stated(0.8)).toEqual({
      action: 'end',
      reason: `the limit of pool ${lenderPool.spec.poolId} to lend leaves no room for a longer term`,
    });
  });

  it('adds a stretch of the length that was first agreed, in one commit', () => {
    const decided = decide();
    invariant(decided.action === 'renew', 'it is renewed');
    assertCommit(decided.commit);
    expect(decided.commit.loan).toMatchObject({
      state: 'active',
      termSeconds: 2_400,
      dueAt: at(2_400),
      renewals: [{ at: at(1_200), fromDueAt: at(1_200), addedSeconds: 1_200 }],
    });
    const { audit, consents, pairs, usage, events } = decided.commit;
    expect(audit).toMatchObject({ type: 'loan.renewed', detail: { addedSeconds: 1_200, dueAt: at(2_400) } });
    expect(consents.map(({ accountId }) => accountId).sort()).toEqual([BORROWER, LENDER]);
    expect(pairs).toHaveLength(1);
    expect(usage.map(({ units, unitSeconds, month }) => ({ units, unitSeconds, month }))).toEqual([
      { units: 0, unitSeconds: 2_400, month: MONTH },
      { units: 0, unitSeconds: 2_400, month: MONTH },
    ]);
    expect(events?.[0]?.detailType).toBe('Entangle Loan Renewed');
  });

  it('stays within the longest term of both consents, in all', () => {
    const until = (longestTermSeconds: number) => decide({ lenderConsent: consentOf(LENDER, { longestTermSeconds }) });
    expect(until(2_000)).toMatchObject({ action: 'renew', addedSeconds: 800 });
    expect(until(1_200)).toMatchObject({ action: 'end', reason: expect.stringContaining('longest') });
    const third = { ...loan, termSeconds: 2_400, renewals: [{ at: NOW, fromDueAt: NOW, addedSeconds: 1_200 }] };
    const snapshot = { loan: third, borrowerPool, lenderPool, heads: {} };
    const usage = { [MONTH]: 4_800 };
    expect(
      decide({
        snapshot,
        borrowerUsage: usageOf(BORROWER, { borrowedUnitSeconds: usage }),
        lenderUsage: usageOf(LENDER, { lentUnitSeconds: usage }),
      }),
    ).toMatchObject({ action: 'renew', addedSeconds: 1_200 });
  });

  const refused: readonly [string, Partial<TermObservation>, string][] = [
    ['is no longer needed', { recovery: { recovered: true, reason: 'demand fits' } }, 'no longer needed'],
    ['the borrower does not renew', { borrowerConsent: consentOf(BORROWER, { renewable: false }) }, 'not renewable'],
    ['the lender does not renew', { lenderConsent: consentOf(LENDER, { renewable: false }) }, 'not renewable'],
    ['a consent is revoked', { lenderConsent: consentOf(LENDER, {}, { status: 'revoked' }) }, 'does not cover'],
    [
      'the lender will need its units',
      { lenderPlan: planOf(lenderPool.spec.poolId, [5, 9, 9]), now: at(3_000) },
      'spare',
    ],
    [
      'its outlook says so, whatever the plan does',
      { lenderOutlook: outlookOf(lenderPool.spec.poolId, 9), now: at(800) },
      'spare',
    ],
    ['the forecast ends before', { lenderPlan: planOf(lenderPool.spec.poolId, []) }, 'spare'],
    ['the lender could not be read', { lenderGroup: undefined }, 'could not be read'],
    ['the lender took its tag off', { lenderGroup: groupOf({ maxSize: 8, lendingEnabled: false }) }, 'tagged'],
    [
      'the lender is short itself',
      { snapshot: { loan, borrowerPool, lenderPool: { ...lenderPool, borrowedUnits: 1 }, heads: {} } },
      'spare',
    ],
    [
      'the lender has recalled others',
      { snapshot: { loan, borrowerPool, lenderPool: { ...lenderPool, lendAgainAt: at(9_999) }, heads: {} } },
      'recalled',
    ],
  ];
  it.each(refused)('ends on time when %s', (_why, changes, reason) => {
    expect(decide(changes)).toMatchObject({ action: 'end', reason: expect.stringContaining(reason) });
  });

  it('takes a shorter stretch where a limit leaves no room for the longer one', () => {
    // Of 0.5 unit-hours a month 0.333 are used by this loan's term of half an hour, of two units.
    const { lend } = consentOf(LENDER).terms;
    invariant(lend !== undefined, 'it lends');
    const limited = (maxUnitHoursPerMonth: number) =>
      decide({ lenderConsent: consentOf(LENDER, { lend: { ...lend, maxUnitHoursPerMonth } }) });
    expect(limited(2 * (2_400 / 3_600))).toMatchObject({ action: 'renew', addedSeconds: 1_200 });
    expect(limited(2 * (1_800 / 3_600))).toMatchObject({ action: 'renew', addedSeconds: 600 });
    expect(limited(2 * (1_799 / 3_600))).toMatchObject({ action: 'end' });
  });

  it('costs, with any renewals and any end, what the time that was used costs', () => {
    const prices = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(prices, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 6_000 }), (price, times, used) => {
        let current: Loan = { ...loan, priceMicroUsdPerUnitHour: microUsd(price) };
        const ledger: LedgerEntry[] = [];
        const terms = { longestTermSeconds: 6_000 };
        const [borrow, lend] = [consentOf(BORROWER).terms.borrow, consentOf(LENDER).terms.lend];
        invariant(borrow !== undefined && lend !== undefined, 'they lend and borrow');
        for (let time = 0; time < times; time += 1) {
          const seconds = { [MONTH]: 2 * current.termSeconds };
          const decided = decide({
            snapshot: { loan: current, borrowerPool, lenderPool, heads: {} },
            borrowerConsent: consentOf(BORROWER, {
              ...terms,
              borrow: { ...borrow, maxPriceMicroUsdPerUnitHour: microUsd(1_000_000) },
            }),
            lenderConsent: consentOf(LENDER, { ...terms, lend: { ...lend, minPriceMicroUsdPerUnitHour: microUsd(0) } }),
            borrowerUsage: usageOf(BORROWER, { borrowedUnitSeconds: seconds }),
            lenderUsage: usageOf(LENDER, { lentUnitSeconds: seconds }),
            now: epochMillis(current.dueAt ?? 0),
          });
          invariant(decided.action === 'renew', 'it is renewed');
          current = decided.commit.loan;
          ledger.push(...decided.commit.ledger);
        }
        const ids = ledger.map(({ accountId, entryId }) => `${accountId} ${entryId}`);
        expect(new Set(ids).size).toBe(ids.length);
        const returning = { ...current, state: 'returning' as const };
        const back = reclaim({ loan: returning, borrowerPool, lenderPool, heads: {} }, undefined, at(used));
        const locked = { ...lenderPool, movingLoanId: current.loanId };
        const end = settle({ loan: back.loan, borrowerPool, lenderPool: locked, heads: {} }, at(used));
        const first = Math.floor((price * 2 * 1_200) / 3_600 + 0.5);
        const pendingOf = (account: typeof BORROWER) =>
          sumMicroUsd(
            [...ledger, ...end.ledger]
              .filter(({ accountId, phase }) => accountId === account && phase !== 'posted')
              .map(({ amountMicroUsd }) => amountMicroUsd),
          );
        // The term itself was reserved before.
        expect(Math.abs(pendingOf(LENDER)) - first).toBe(0);
        expect(pendingOf(BORROWER) + pendingOf(LENDER)).toBe(0);
        const billed = Math.floor((price * 2 * Math.min(used, current.termSeconds)) / 3_600 + 0.5);
        expect(end.loan.billedMicroUsd ?? 0).toBe(billed);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the end of a term', () => {
  it('is decided in its last tenth, of two minutes at most, and has come within the difference of clocks', () => {
    expect(nearsItsEnd(loan, at(1_079))).toBe(false);
    expect(nearsItsEnd(loan, at(1_080))).toBe(true);
    expect(nearsItsEnd({ ...loan, dueAt: at(86_400), termSeconds: 86_400 }, at(86_279))).toBe(false);
    expect(nearsItsEnd({ ...loan, dueAt: at(86_400), termSeconds: 86_400 }, at(86_280))).toBe(true);
    expect(isDue(loan, at(1_198))).toBe(false);
    expect(isDue(loan, at(1_199))).toBe(true);
    expect(nearsItsEnd(loan, at(1_199))).toBe(false);
  });
});
