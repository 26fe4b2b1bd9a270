import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConsentUsage } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { settle } from '../../../core/lending/saga.ts';
import { planBucket } from '../../../core/pairing/bucket.ts';
import { borrowerFactors, creditsOf } from '../../../core/pairing/credits.ts';
import { settledCredits } from '../../../core/pairing/matching/fairness.ts';
import type { AccountId } from '../../../core/units.ts';
import { epochMillis, plusMillis, poolId } from '../../../core/units.ts';
import { bucketAccount, bucketOf } from '../../support/bucket-story.ts';
import { consentOf, loanOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const DAY = 86_400_000;

interface EndedLoan {
  readonly lender: number;
  readonly borrower: number;
  readonly units: number;
  readonly lenderUnits: number;
  readonly usedSeconds: number | undefined;
}

/** A loan of at most an hour whose instances are back; `usedSeconds` undefined: it never was active. */
function reclaimed({ lender, borrower, units, lenderUnits, usedSeconds }: EndedLoan): Loan {
  const [lends, borrows] = [bucketAccount(lender), bucketAccount(borrower)];
  const back = plusMillis(NOW, (usedSeconds ?? 0) * 1_000);
  return loanOf({
    state: 'reclaimed',
    units,
    lenderUnits,
    lenderAccountId: lends,
    lenderPoolId: poolId(lends, REGION, 'web'),
    borrowerAccountId: borrows,
    borrowerPoolId: poolId(borrows, REGION, 'web'),
    ...(usedSeconds === undefined ? {} : { activeAt: NOW }),
    history: [
      { state: 'reserved', at: NOW },
      { state: 'reclaimed', at: back },
    ],
  });
}

/** What the store holds of usage once all loans are settled. */
function usagesAfter(loans: readonly EndedLoan[]): Map<AccountId, ConsentUsage> {
  const usages = new Map<AccountId, ConsentUsage>();
  for (const ended of loans) {
    const loan = reclaimed(ended);
    const [lenderPool, borrowerPool] = [poolOf(bucketAccount(ended.lender)), poolOf(bucketAccount(ended.borrower))];
    const { usage } = settle({ loan, lenderPool, borrowerPool, heads: {} }, plusMillis(NOW, DAY));
    for (const { accountId, credit } of usage) {
      const before = usages.get(accountId) ?? emptyUsage(accountId);
      const credits = { ...before.creditUnitSeconds };
      if (credit !== undefined) credits[credit.month] = (credits[credit.month] ?? 0) + credit.unitSeconds;
      usages.set(accountId, { ...before, creditUnitSeconds: credits });
    }
  }
  return usages;
}

const loans = fc.array(
  fc
    .record({
      lender: fc.nat({ max: 3 }),
      other: fc.integer({ min: 1, max: 3 }),
      units: fc.integer({ min: 1, max: 9 }),
      lenderUnits: fc.integer({ min: 1, max: 9 }),
      usedSeconds: fc.option(fc.nat({ max: 7_200 }), { nil: undefined }),
    })
    .map(({ other, ...rest }): EndedLoan => ({ ...rest, borrower: (rest.lender + other) % 4 })),
  { maxLength: 20 },
);

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe('credits', () => {
  it("sum to zero over any loans, at any time, and are the lender's unit-hours of each", () => {
    fc.assert(
      fc.property(loans, fc.nat({ max: 400 }), (all, days) => {
        const usages = usagesAfter(all);
        const at = (now: number) =>
          new Map([...usages].map(([id, usage]) => [id, creditsOf(usage, epochMillis(now)).balanceUnitHours]));
        const later = at(NOW + days * DAY);
        expect(sum(later.values())).toBeCloseTo(0, 9);
        const lent = all.map(({ lender, borrower, lenderUnits, usedSeconds = 0 }) => ({
          lenderId: bucketAccount(lender) as string,
          borrowerId: bucketAccount(borrower) as string,
          unitSlots: (lenderUnits * Math.min(usedSeconds, 3_600)) / 3_600,
        }));
        const expected = settledCredits(new Map(), lent);
        for (const [id, balance] of at(NOW)) expect(balance).toBeCloseTo(expected.get(id) ?? Number.NaN, 9);
      }),
      { numRuns: 100 },
    );
  });

  it('count in full in their month, half as much thirty days after it', () => {
    const usage = { ...emptyUsage(bucketAccount(0)), creditUnitSeconds: { '2026-11': 36_000, '2026-10': -3_600 } };
    const monthEnd = Date.UTC(2026, 11, 1);
    const balanceAt = (millis: number) => creditsOf(usage, epochMillis(millis)).balanceUnitHours;
    expect(balanceAt(Date.UTC(2026, 10, 1))).toBeCloseTo(10 - 1, 12);
    expect(balanceAt(monthEnd)).toBeCloseTo(10 - 0.5, 12);
    expect(balanceAt(monthEnd + 30 * DAY)).toBeCloseTo(5 - 0.25, 12);
  });

  it('weigh nothing with a strength of 0, little when they are small, and never more than the strength', () => {
    const balances = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(balances, fc.double({ min: 0, max: 0.9, noNaN: true }), (all, strength) => {
        const usages = new Map(
          all.map((unitSeconds, index) => {
            const account = bucketAccount(index);
            return [account, { ...emptyUsage(account), creditUnitSeconds: { '2026-11': unitSeconds } }] as const;
          }),
        );
        const factors = borrowerFactors(usages, strength, NOW);
        for (const factor of factors.values()) expect(Math.abs(factor - 1)).toBeLessThanOrEqual(strength + 1e-12);
        expect(borrowerFactors(new Map([...usages].toReversed()), strength, NOW)).toEqual(factors);
        expect(new Set(borrowerFactors(usages, 0, NOW).values())).toEqual(new Set([1]));
      }),
      { numRuns: 100 },
    );
    const hour = new Map([
      [bucketAccount(0), { ...emptyUsage(bucketAccount(0)), creditUnitSeconds: { '2026-11': 3_600 } }],
      [bucketAccount(1), emptyUsage(bucketAccount(1))],
    ]);
    expect(borrowerFactors(hour, 0.5, NOW).get(bucketAccount(0))).toBeCloseTo(1 + (0.5 * 0.5) / 24, 12);
  });
});

describe('a contested lender', () => {
  // The first two are short of three units in the same slots, in which only the third has any: three.
  const short = [2, 13, 2, 2];
  const needs = [short, short, [9, 6, 9, 9]];
  const consents = { 2: consentOf(bucketAccount(2), { maxPartners: 1 }) };
  const credited = (unitHours: readonly number[]) =>
    Object.fromEntries(
      unitHours.map((hours, index) => {
        const usage = emptyUsage(bucketAccount(index));
        return [index, { ...usage, creditUnitSeconds: { '2026-11': hours * 3_600 } }];
      }),
    );
  const borrowersWith = (unitHours: readonly number[], creditStrength: number) =>
    planBucket(bucketOf({ needs, consents, usages: credited(unitHours), creditStrength }))
      .plans.filter(({ partners }) => partners.some(({ lenderAccountId }) => lenderAccountId === bucketAccount(2)))
      .map(({ poolId: id }) => id.slice(0, 12));

  it('goes to the borrower with more credits', () => {
    expect(borrowersWith([100, -100, 0], 0.5)).toEqual([bucketAccount(0)]);
    expect(borrowersWith([-100, 100, 0], 0.5)).toEqual([bucketAccount(1)]);
  });

  it('stands by for the borrower with more credits, where nobody is short', () => {
    const calm = { needs: [[2], [2], [2]], consents };
    const standingBy = (unitHours: readonly number[]) =>
      planBucket(bucketOf({ ...calm, usages: credited(unitHours), creditStrength: 0.5 }))
        .plans.filter(({ partners }) => partners.some(({ lenderAccountId }) => lenderAccountId === bucketAccount(2)))
        .map(({ poolId: id }) => id.slice(0, 12));
    expect(standingBy([100, -100, 0])).toEqual([bucketAccount(0)]);
    expect(standingBy([-100, 100, 0])).toEqual([bucketAccount(1)]);
  });

  it('is planned as if there were no credits when they are off', () => {
    const off = planBucket(bucketOf({ needs, consents, usages: credited([-100, 100, 0]), creditStrength: 0 }));
    expect(off).toEqual(planBucket(bucketOf({ needs, consents })));
  });
});
