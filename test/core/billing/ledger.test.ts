import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  assertBalanced,
  balanceOf,
  borrowedUnitPrice,
  pendingEntries,
  settlementEntries,
  usedAmount,
} from '../../../core/billing/ledger.ts';
import type { LoanId } from '../../../core/units.ts';
import { epochMillis, microUsd } from '../../../core/units.ts';
import { BORROWER, LENDER, NOW } from '../../support/fixtures.ts';

const parties = { loanId: 'ln-1' as LoanId, borrowerAccountId: BORROWER, lenderAccountId: LENDER };
const hourLater = epochMillis(NOW + 3_600_000);

describe('the ledger of one loan', () => {
  it('reserves the price of the term, then posts what was used and frees the rest', () => {
    const entries = [
      ...pendingEntries(parties, microUsd(100), NOW),
      ...settlementEntries(parties, microUsd(100), microUsd(30), hourLater),
    ];
    assertBalanced(entries);
    const of = (account: string) => balanceOf(entries.filter((entry) => entry.accountId === account));
    expect(of(BORROWER)).toEqual({ pendingMicroUsd: 0, postedMicroUsd: -30 });
    expect(of(LENDER)).toEqual({ pendingMicroUsd: 0, postedMicroUsd: 30 });
    expect(entries.map(({ entryId }) => entryId)).toEqual([
      'ln-1#pending',
      'ln-1#pending',
      'ln-1#voided',
      'ln-1#voided',
      'ln-1#posted',
      'ln-1#posted',
    ]);
  });

  it('posts nothing for a loan that was never used, and writes no negative zero', () => {
    const entries = settlementEntries(parties, microUsd(0), microUsd(0), hourLater);
    expect(entries.map(({ phase }) => phase)).toEqual(['voided', 'voided']);
    expect(entries.every(({ amountMicroUsd }) => Object.is(amountMicroUsd, 0))).toBe(true);
  });

  it('does not accept entries that do not balance', () => {
    expect(() => assertBalanced(pendingEntries(parties, microUsd(5), NOW).slice(1))).toThrow('sum to zero');
  });
});

describe('usedAmount', () => {
  const loan = { priceMicroUsdPerUnitHour: microUsd(60_000), lenderUnits: 2, activeAt: NOW, dueAt: hourLater };

  it('bills from active on, by the millisecond', () => {
    expect(usedAmount(loan, epochMillis(NOW + 1_800_000))).toBe(60_000);
  });

  it('bills nothing before active, and nothing after the term', () => {
    const { activeAt: _, ...neverActive } = loan;
    expect(usedAmount(neverActive, hourLater)).toBe(0);
    expect(usedAmount(loan, epochMillis(NOW - 5))).toBe(0);
    expect(usedAmount(loan, epochMillis(NOW + 7_200_000))).toBe(120_000);
  });
});

describe('borrowedUnitPrice', () => {
  it('passes a whole maximum exactly when price × units of the lender ÷ units of the borrower does', () => {
    const units = fc.integer({ min: 1, max: 500 });
    const micros = fc.nat({ max: 2_000_000 });
    fc.assert(
      fc.property(micros, units, units, micros, (price, lenderUnits, borrowed, most) => {
        const shown = borrowedUnitPrice(microUsd(price), lenderUnits, borrowed);
        expect(shown > most).toBe(price * lenderUnits > most * borrowed);
        expect(borrowedUnitPrice(microUsd(price), borrowed, borrowed)).toBe(price);
      }),
    );
  });
});
