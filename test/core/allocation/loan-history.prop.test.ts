import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { PastLoan } from '../../../core/allocation/loan-history.ts';
import { fairShares, netBorrowed } from '../../../core/allocation/loan-history.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const DAY_SECONDS = 86_400;
const WINDOW = { windowSeconds: 90 * DAY_SECONDS, halfLifeSeconds: 30 * DAY_SECONDS };

function loan(rest: Partial<PastLoan> = {}): PastLoan {
  return { lenderAccountId: 'l', borrowerAccountId: 'b', key: 'm5', units: 2, fromMillis: NOW - HOUR, ...rest };
}

const account = fc.constantFrom('a', 'b', 'c', 'd');
const loans: fc.Arbitrary<PastLoan[]> = fc.array(
  fc
    .record({
      lenderAccountId: account,
      borrowerAccountId: account,
      key: fc.constantFrom('m5', 'c5'),
      units: fc.integer({ min: 1, max: 9 }),
      startHours: fc.integer({ min: 0, max: 3_000 }),
      hours: fc.integer({ min: 1, max: 200 }),
    })
    .map(({ startHours, hours, ...rest }) => {
      const fromMillis = NOW - startHours * HOUR;
      return { ...rest, fromMillis, untilMillis: fromMillis + hours * HOUR };
    }),
  { maxLength: 20 },
);

describe('netBorrowed', () => {
  it('counts unit-hours, half of them after a half-life', () => {
    const recent = netBorrowed([loan()], NOW, WINDOW);
    expect(recent.get('b')?.['m5']).toBeCloseTo(2, 2);
    const until = NOW - 30 * DAY_SECONDS * 1_000;
    const older = netBorrowed([loan({ fromMillis: until - HOUR, untilMillis: until })], NOW, WINDOW);
    expect(older.get('b')?.['m5']).toBeCloseTo(1, 2);
    expect(older.get('l')?.['m5']).toBeCloseTo(-1, 2);
  });

  it('leaves out what is before the window or after now', () => {
    const early = NOW - 91 * DAY_SECONDS * 1_000;
    expect(netBorrowed([loan({ fromMillis: early, untilMillis: early + HOUR })], NOW, WINDOW).size).toBe(0);
    expect(netBorrowed([loan({ fromMillis: NOW + 1 })], NOW, WINDOW).size).toBe(0);
    expect(() => netBorrowed([], NOW, { windowSeconds: 0, halfLifeSeconds: 1 })).toThrow('expected both above 0');
  });

  it('sums to nothing over all accounts, for each key', () => {
    fc.assert(
      fc.property(loans, (given) => {
        const net = netBorrowed(given, NOW, WINDOW);
        for (const key of ['m5', 'c5']) {
          expect([...net.values()].reduce((sum, amounts) => sum + (amounts[key] ?? 0), 0)).toBeCloseTo(0, 6);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('fairShares', () => {
  it('is the largest share of what was borrowed, below 0 for who has only lent', () => {
    const net = new Map([
      ['a', { m5: 30, c5: -5 }],
      ['b', { m5: 10, c5: 20 }],
      ['c', { m5: -40, c5: -15 }],
      ['d', {}],
    ]);
    expect(Object.fromEntries(fairShares(net))).toEqual({ a: 0.75, b: 1, c: -0.75, d: 0 });
    expect(fairShares(net, new Map([['a', 3]])).get('a')).toBe(0.25);
    expect(() => fairShares(net, new Map([['a', 0]]))).toThrow('weight of a: 0; expected above 0');
  });

  it('is at most 1, and falls when an account borrows less or lends more', () => {
    fc.assert(
      fc.property(loans, account, (given, lender) => {
        const shares = fairShares(netBorrowed(given, NOW, WINDOW));
        for (const share of shares.values()) expect(share).toBeLessThanOrEqual(1 + 1e-9);
        const more = [...given, loan({ lenderAccountId: lender, borrowerAccountId: 'new', units: 5 })];
        const before = shares.get(lender);
        if (before === undefined || before <= 0) return;
        expect(fairShares(netBorrowed(more, NOW, WINDOW)).get(lender)).toBeLessThanOrEqual(before + 1e-9);
      }),
      { numRuns: 200 },
    );
  });
});
