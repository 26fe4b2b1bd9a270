import { describe, expect, it } from '@jest/globals';
import { assertCommit } from '../../../core/lending/commit.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { enter } from '../../../core/lending/saga.ts';
import type { LoanEnding } from '../../../core/trust/loan-evidence.ts';
import { evidenceFromAudit, evidenceFromLoan, RETURN_GRACE_SECONDS } from '../../../core/trust/loan-evidence.ts';
import type { LoanId } from '../../../core/units.ts';
import { epochMillis, microUsd } from '../../../core/units.ts';
import { BORROWER, LENDER, loanOf, NOW } from '../../support/fixtures.ts';

const at = (seconds: number) => epochMillis(NOW + seconds * 1_000);

/** Active from second 100 on, due an hour later; given back `took` seconds after the return began. */
function returned(returnReason: NonNullable<Loan['returnReason']>, began: number, took: number): Loan {
  return loanOf({
    state: 'returned',
    lenderAccountId: LENDER,
    returnReason,
    activeAt: at(100),
    dueAt: at(3_700),
    endedAt: at(began + took + 10),
    billedMicroUsd: microUsd(5_000),
    history: [
      { state: 'requested', at: at(0) },
      { state: 'reserved', at: at(10) },
      { state: 'taken', at: at(20) },
      { state: 'given', at: at(30) },
      { state: 'active', at: at(100) },
      { state: 'returning', at: at(began) },
      { state: 'reclaimed', at: at(began + took) },
      { state: 'returned', at: at(began + took + 10) },
    ],
  });
}

function kinds(loan: Loan, ending?: LoanEnding): string[] {
  return evidenceFromLoan(loan, ending).map(
    ({ kind, accountId }) => `${accountId === LENDER ? 'lender' : 'borrower'} ${kind}`,
  );
}

describe('evidenceFromLoan', () => {
  it.each(['expired', 'recovered', 'requested-by-owner'] as const)(
    'sees both sides keep a loan that ends: %s',
    (reason) => {
      expect(kinds(returned(reason, 3_700, 60))).toEqual([
        'lender loan-kept',
        'borrower recall-honoured',
        'borrower payment-settled',
      ]);
    },
  );

  it('holds a late return against the borrower', () => {
    expect(kinds(returned('expired', 3_700, RETURN_GRACE_SECONDS))).toContain('borrower recall-honoured');
    expect(kinds(returned('expired', 3_700, RETURN_GRACE_SECONDS + 1))).toContain('borrower recall-overdue');
  });

  it('sees use beyond the terms only in what is back after the term and the grace', () => {
    const late = RETURN_GRACE_SECONDS + 1;
    expect(kinds(returned('requested-by-owner', 600, late))).not.toContain('borrower terms-violated');
    expect(kinds(returned('requested-by-owner', 3_600, late + 100))).toContain('borrower terms-violated');
    expect(kinds(returned('expired', 3_700, late))).toContain('borrower terms-violated');
    expect(kinds(returned('repair', 3_700, late))).not.toContain('borrower terms-violated');
  });

  it('does not hold it against the borrower that the hub began the return late', () => {
    expect(kinds(returned('expired', 9_000, 60))).toEqual([
      'lender loan-kept',
      'borrower recall-honoured',
      'borrower payment-settled',
    ]);
  });

  it.each([
    ['notice-kept', { revokedBy: LENDER, revokedAt: at(500), promisedNoticeSeconds: 120 }],
    ['notice-broken', { revokedBy: LENDER, revokedAt: at(550), promisedNoticeSeconds: 120 }],
    ['loan-kept', { revokedBy: BORROWER, revokedAt: at(620), promisedNoticeSeconds: 120 }],
  ])('judges a recall by who made it and its notice: %s', (kind, ending) => {
    expect(kinds(returned('revoked', 620, 60), ending)).toContain(`lender ${kind}`);
  });

  it('asks for no more notice than the term had left', () => {
    const ending = { revokedBy: LENDER, revokedAt: at(3_690), promisedNoticeSeconds: 120 };
    expect(kinds(returned('revoked', 3_700, 60), ending)).toContain('lender notice-kept');
  });

  it('holds nobody to a recall of which it is not known whose it was, nor to a repair', () => {
    expect(kinds(returned('revoked', 620, 60))).toEqual(['borrower recall-honoured', 'borrower payment-settled']);
    expect(kinds(returned('repair', 620, 9_000))).toEqual(['borrower payment-settled']);
  });

  it('says what became of the bill, and nothing where there was none', () => {
    expect(kinds(returned('expired', 3_700, 60), { payment: 'defaulted' })).toContain('borrower payment-defaulted');
    const free = { ...returned('expired', 3_700, 60), billedMicroUsd: microUsd(0) };
    expect(kinds(free)).not.toContain('borrower payment-settled');
  });

  it('holds it against a lender that what was reserved could not be taken, not that a borrower failed', () => {
    const failed = (last: 'reserved' | 'taken') =>
      loanOf({
        state: last === 'reserved' ? 'failed' : 'compensated',
        lenderAccountId: LENDER,
        returnReason: 'step-failed',
        endedAt: at(50),
        history: [
          { state: 'requested', at: at(0) },
          { state: 'reserved', at: at(10) },
          ...(last === 'taken' ? [{ state: 'taken' as const, at: at(20) }] : []),
          { state: 'returning', at: at(30) },
          { state: 'reclaimed', at: at(40) },
          { state: last === 'reserved' ? 'failed' : 'compensated', at: at(50) },
        ],
      });
    expect(kinds(failed('reserved'))).toEqual(['lender offer-not-kept']);
    expect(kinds(failed('taken'))).toEqual([]);
  });

  it('says nothing of open loans and of those without a lender', () => {
    expect(evidenceFromLoan(loanOf({ state: 'active', lenderAccountId: LENDER }))).toEqual([]);
    const { lenderAccountId: _lender, ...provisioned } = returned('expired', 3_700, 60);
    expect(evidenceFromLoan(provisioned)).toEqual([]);
  });

  it('gives the same ids for the same loan, and one for each piece', () => {
    const loan = returned('expired', 3_700, 60);
    const ids = evidenceFromLoan(loan).map(({ evidenceId }) => evidenceId);
    expect(evidenceFromLoan(loan).map(({ evidenceId }) => evidenceId)).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
    const defaulted = evidenceFromLoan(loan, { payment: 'defaulted' }).map(({ evidenceId }) => evidenceId);
    expect(defaulted).toEqual(ids);
  });
});

describe('the commit that ends a loan', () => {
  const loan = returned('expired', 3_700, 60);
  const end = enter({ ...loan, state: 'reclaimed', version: 7 }, 'returned', at(3_770), { endedAt: at(3_770) });

  it('keeps what that end shows', () => {
    const evidence = evidenceFromLoan(end.loan);
    expect(evidence).toHaveLength(3);
    expect(() => assertCommit({ ...end, evidence })).not.toThrow();
  });

  it('keeps nothing of another loan, nor of another moment', () => {
    const otherLoan = evidenceFromLoan({ ...end.loan, loanId: 'ln-000000000000000000000002' as LoanId });
    const otherMoment = evidenceFromLoan({ ...end.loan, endedAt: at(3_771) });
    for (const evidence of [otherLoan, otherMoment]) {
      expect(() => assertCommit({ ...end, evidence })).toThrow('the evidence of the end of its own loan');
    }
  });
});

describe('evidenceFromAudit', () => {
  const record = { accountId: BORROWER, at: NOW, subject: 'loan x', actor: 'arn', detail: {}, seq: 7 };

  it('holds denied access against the account, and nothing else', () => {
    expect(evidenceFromAudit({ ...record, type: 'access.denied' })).toMatchObject([
      { kind: 'access-denied', part: 'compliance', accountId: BORROWER, evidenceId: `${BORROWER}#7` },
    ]);
    expect(evidenceFromAudit({ ...record, type: 'loan.reserved' })).toEqual([]);
  });
});
