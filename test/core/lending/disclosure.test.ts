import { describe, expect, it } from '@jest/globals';
import { loanFor } from '../../../core/lending/disclosure.ts';
import type { LoanState } from '../../../core/lending/loan.ts';
import { settle } from '../../../core/lending/saga.ts';
import { accountId, plusMillis, poolId } from '../../../core/units.ts';
import { BORROWER, LENDER, loanOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const OTHER = accountId('333333333333');
const moveTo = (toMaxSize: number) => ({ fromMaxSize: 9, toMaxSize, fromDesiredCapacity: 4, toDesiredCapacity: 4 });
const lent = loanOf({
  lenderAccountId: LENDER,
  lenderPoolId: poolId(LENDER, REGION, 'web'),
  borrowerConsentVersion: 3,
  lenderConsentVersion: 5,
  borrowerDataAccess: 'none',
  lenderDataAccess: 'none',
  moves: { take: moveTo(1), give: moveTo(2), takeBack: moveTo(3), giveBack: moveTo(4) },
  reasons: [
    { text: 'need', onlyFor: BORROWER },
    { text: 'headroom', onlyFor: LENDER },
    { text: 'passed over', onlyFor: OTHER },
    { text: 'confidence', fromMetrics: true },
    { text: 'same region' },
  ],
});

describe('loanFor', () => {
  it("shows the borrower its own moves, alarm and reasons, and nothing of the lender's", () => {
    const { moves, lenderConsentVersion: _version, lenderDataAccess: _access, ...rest } = lent;
    expect(loanFor(BORROWER, lent)).toEqual({
      ...rest,
      moves: { give: moves.give, takeBack: moves.takeBack },
      reasons: ['need', 'same region'],
    });
  });

  it('shows the lender the loan itself, its own moves and reasons', () => {
    const view = loanFor(LENDER, lent);
    expect(view).toMatchObject({ units: 2, lenderConsentVersion: 5, borrowerPoolId: lent.borrowerPoolId });
    expect(view.moves).toEqual({ take: lent.moves.take, giveBack: lent.moves.giveBack });
    expect(view.reasons).toEqual(['headroom', 'same region']);
    for (const field of ['inServiceBefore', 'startedBy', 'borrowerConsentVersion', 'bindingResource', 'alarmName']) {
      expect(view).not.toHaveProperty(field);
    }
  });

  it("shows what was derived from metrics to the party whose counterparty's consent lets it", () => {
    const lenderLets = { ...lent, lenderDataAccess: 'metrics-only' as const };
    expect(loanFor(BORROWER, lenderLets).reasons).toEqual(['need', 'confidence', 'same region']);
    expect(loanFor(LENDER, lenderLets).reasons).not.toContain('confidence');
    expect(loanFor(LENDER, lenderLets)).not.toHaveProperty('bindingResource');
    const borrowerLets = { ...lent, borrowerDataAccess: 'metrics-only' as const };
    expect(loanFor(LENDER, borrowerLets)).toMatchObject({
      bindingResource: 'cpu',
      alarmName: 'entangle/web/cpu',
      reasons: ['headroom', 'confidence', 'same region'],
    });
    expect(loanFor(BORROWER, borrowerLets).reasons).not.toContain('confidence');
  });

  it('is made for the parties of the loan only', () => {
    expect(() => loanFor(OTHER, lent)).toThrow('333333333333 is a party of loan');
    expect(() => loanFor(LENDER, loanOf())).toThrow('222222222222 is a party of loan');
  });
});

describe('the end of a loan whose making failed', () => {
  const endedAfter = (...states: LoanState[]) => {
    const history = [...states, 'returning', 'reclaimed'].map((state, index) => ({
      state: state as LoanState,
      at: plusMillis(NOW, index),
    }));
    const loan = { ...lent, version: history.length, state: 'reclaimed' as const, history };
    const snapshot = { loan, borrowerPool: poolOf(BORROWER), lenderPool: poolOf(LENDER), heads: {} };
    return settle(snapshot, NOW, 'ForeignChange: MaxSize is 77').loan;
  };

  it.each([
    [['reserved'], "stopped before the lender's ceiling was down: ForeignChange", LENDER],
    [['reserved', 'taken'], "stopped before the borrower's ceiling was up: ForeignChange", BORROWER],
    [['taken', 'given'], "stopped before the borrower's instances were in service: ForeignChange", BORROWER],
    [['given', 'active'], 'stopped after it had become active: ForeignChange', undefined],
  ] as const)(
    'after %j tells both what failed, and the figures to the account that they are of',
    (states, detail, owner) => {
      const ended = endedAfter(...states);
      expect(ended.endDetail).toBe(detail);
      for (const party of [BORROWER, LENDER]) {
        expect(JSON.stringify(loanFor(party, ended)).includes('MaxSize is 77')).toBe(party === owner);
      }
    },
  );

  it('keeps no message of a request that reserved nothing', () => {
    const loan = loanOf();
    const ended = settle({ loan, borrowerPool: poolOf(BORROWER), heads: {} }, NOW, 'PoolBusy: moved by ln-7').loan;
    expect(ended).toMatchObject({ endDetail: 'stopped before anything was reserved: PoolBusy', reasons: loan.reasons });
  });
});
