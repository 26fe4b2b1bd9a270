import { describe, expect, it } from '@jest/globals';
import { assertCommit } from '../../../core/lending/commit.ts';
import { coolingPair, lenderCoolDown } from '../../../core/lending/cool-down.ts';
import { drain, firmAtOf } from '../../../core/lending/drain.ts';
import type { Loan, RecallBy } from '../../../core/lending/loan.ts';
import { LOAN_STATES, RECALLERS } from '../../../core/lending/loan.ts';
import { isRecallRefused, recall } from '../../../core/lending/recall.ts';
import { beginReturn, reclaim, settle } from '../../../core/lending/saga.ts';
import { evidenceFromLoan } from '../../../core/trust/loan-evidence.ts';
import { epochMillis, invariant, plusMillis, poolId } from '../../../core/units.ts';
import { BORROWER, LENDER, loanOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const at = (seconds: number) => plusMillis(NOW, seconds * 1_000);

const active = loanOf({
  state: 'active',
  activeAt: NOW,
  dueAt: at(3_600),
  lenderAccountId: LENDER,
  lenderPoolId: poolId(LENDER, REGION, 'web'),
  recallNoticeSeconds: 120,
  recallableFromSeconds: 900,
});
const borrowerPool = poolOf(BORROWER, { borrowedUnits: 2 });
const lenderPool = poolOf(LENDER, { lentUnits: 2 }, { coolDownSeconds: 700 });

function snapshotOf(loan: Loan, lenderLocked = false) {
  const locked = { ...lenderPool, movingLoanId: loan.loanId };
  return { loan, borrowerPool, lenderPool: lenderLocked ? locked : lenderPool, heads: {} };
}

function recalled(by: RecallBy, seconds: number, loan: Loan = active) {
  const commit = recall(snapshotOf(loan), { by, reason: 'asked', lenderDetail: 'it needs 7 units' }, at(seconds));
  invariant(!isRecallRefused(commit), 'it is recalled');
  assertCommit(commit);
  return commit;
}

describe('recall', () => {
  it('promises the notice on the loan, but not beyond the end of its term', () => {
    const { loan } = recalled('lender-alarm', 600);
    expect(loan).toMatchObject({
      state: 'recalled',
      recall: { by: 'lender-alarm', askedAt: at(600), firmAt: at(720) },
    });
    expect(recalled('lender-alarm', 3_550).loan.recall?.firmAt).toBe(at(3_600));
    const { recallNoticeSeconds: _notice, ...unpromised } = active;
    expect(recalled('kill-switch', 600, unpromised).loan.recall?.firmAt).toBe(at(600));
  });

  it('tells both parties, the figures of the lender only to the lender', () => {
    const { loan, audit, events = [] } = recalled('lender-alarm', 600);
    expect(loan.reasons).toEqual([
      { text: 'recalled: asked' },
      { text: 'recalled: it needs 7 units', onlyFor: LENDER },
    ]);
    expect(audit).toMatchObject({ type: 'loan.recalled', accountId: BORROWER, subject: loan.loanId });
    expect(JSON.stringify([audit, events])).not.toContain('7 units');
    expect(events).toEqual([
      expect.objectContaining({
        detailType: 'Entangle Loan Recalled',
        detail: expect.objectContaining({ lenderAccountId: LENDER, borrowerAccountId: BORROWER, recall: loan.recall }),
      }),
    ]);
  });

  it.each(RECALLERS)('by %s before the loan is left alone for as long as was promised', (by) => {
    const early = recall(snapshotOf(active), { by, reason: 'asked' }, at(899));
    const waits = by === 'lender-forecast' || by === 'lender-operator';
    expect(isRecallRefused(early) ? early.refused : early.loan.state).toBe(waits ? 'early' : 'recalled');
    expect(recalled(by, 900).loan.state).toBe('recalled');
  });

  it.each(LOAN_STATES.filter((state) => state !== 'active'))('leaves a loan that is %s as it is', (state) => {
    const result = recall(snapshotOf({ ...active, state }), { by: 'kill-switch', reason: 'asked' }, at(1_000));
    const making = ['waiting', 'requested', 'reserved', 'taken', 'given'].includes(state);
    expect(result).toMatchObject({ refused: making ? 'not-active' : 'over' });
  });

  it('leaves a loan whose term is over to its end', () => {
    expect(recall(snapshotOf(active), { by: 'lender-alarm', reason: 'asked' }, at(3_600))).toMatchObject({
      refused: 'over',
    });
  });

  it('stays the reason of the return, whatever else asks for it', () => {
    const { loan } = recalled('lender-alarm', 600);
    const begun = beginReturn(snapshotOf(loan), 'expired', undefined, at(601));
    expect(begun.loan).toMatchObject({ state: 'returning', returnReason: 'recalled' });
  });
});

describe('a loan that drains', () => {
  const { loan } = recalled('lender-operator', 1_000);
  const move = { fromMaxSize: 12, toMaxSize: 10, fromDesiredCapacity: 12, toDesiredCapacity: 10 };
  const returning = beginReturn(snapshotOf(loan), 'recalled', move, at(1_001)).loan;

  it('frees the pool of its borrower, which may ask anybody but that lender', () => {
    const commit = drain(snapshotOf(returning), at(1_002));
    assertCommit(commit);
    expect(commit.loan.state).toBe('draining');
    expect(commit.pools).toEqual([
      {
        accountId: BORROWER,
        poolId: borrowerPool.spec.poolId,
        expectedVersion: 1,
        moving: 'release',
        borrowedUnits: -2,
        coolDownUntil: at(1_002),
        // From the end of the notice, the longer of both pools' cool-downs.
        partnerCoolDowns: { [lenderPool.spec.poolId]: at(1_120 + 700) },
      },
    ]);
  });

  it('is counted off once, and locks its lender only when its instances are gone', () => {
    const draining = drain(snapshotOf(returning), at(1_002)).loan;
    const gone = reclaim(snapshotOf(draining), undefined, at(1_050));
    assertCommit(gone);
    expect(gone.pools).toEqual([expect.objectContaining({ accountId: LENDER, moving: 'acquire' })]);
    const end = settle(snapshotOf(gone.loan, true), at(1_051));
    assertCommit(end);
    expect(end.loan.history.map(({ state }) => state)).toEqual([
      'active',
      'recalled',
      'returning',
      'draining',
      'reclaimed',
      'returned',
    ]);
    expect(end.pools[0]).toMatchObject({ lentUnits: -2, lendAgainAt: at(1_120 + 700) });
  });

  it('has to be gone at the end of the notice, of its own term, or at once', () => {
    const ending = (reason: Loan['returnReason']): Loan => {
      const begun = beginReturn(snapshotOf(active), reason ?? 'repair', undefined, at(1_000));
      return begun.loan;
    };
    expect(firmAtOf(active)).toBeUndefined();
    expect(firmAtOf(returning)).toBe(at(1_120));
    expect(firmAtOf(ending('recovered'))).toBe(at(3_600));
    expect(firmAtOf(ending('requested-by-owner'))).toBe(at(3_600));
    expect(firmAtOf(ending('expired'))).toBe(at(1_000));
    expect(firmAtOf(ending('revoked'))).toBe(at(1_000));
  });
});

describe('cooling down after a recall', () => {
  it('holds for the pair, and for a lender that needs its units, until it is over', () => {
    expect(coolingPair(borrowerPool, lenderPool, NOW)).toBeUndefined();
    const paired = { ...borrowerPool, partnerCoolDowns: { [lenderPool.spec.poolId]: at(60) } };
    expect(coolingPair(paired, lenderPool, at(59))).toContain('cools down');
    expect(coolingPair(paired, lenderPool, at(60))).toBeUndefined();
    expect(coolingPair(paired, poolOf(LENDER, {}, { groupName: 'other' }), at(59))).toBeUndefined();
    expect(coolingPair(borrowerPool, { ...lenderPool, lendAgainAt: at(60) }, at(59))).toContain('lends none');
  });

  it('is the lender’s only where it asked for itself', () => {
    const made = { reason: 'asked', askedAt: NOW, firmAt: at(120) };
    expect(lenderCoolDown({ ...made, by: 'higher-tier' }, lenderPool, NOW)).toEqual({});
    expect(lenderCoolDown({ ...made, by: 'lender-forecast' }, lenderPool, NOW)).toEqual({ lendAgainAt: at(820) });
    expect(lenderCoolDown(undefined, lenderPool, NOW)).toEqual({});
  });
});

describe('what a recalled loan shows', () => {
  function kindsOf(loan: Loan, backSeconds: number): string[] {
    const history = [
      ...loan.history,
      { state: 'returning' as const, at: at(1_001) },
      { state: 'reclaimed' as const, at: at(backSeconds) },
      { state: 'returned' as const, at: at(backSeconds) },
    ];
    const end = {
      ...loan,
      state: 'returned' as const,
      returnReason: 'recalled' as const,
      history,
      endedAt: at(backSeconds),
    };
    return evidenceFromLoan(end).map(
      ({ kind, accountId }) => `${accountId === LENDER ? 'lender' : 'borrower'} ${kind}`,
    );
  }

  it('of the lender: that it kept its notice, where it was the one that asked', () => {
    expect(kindsOf(recalled('lender-operator', 1_000).loan, 1_100)).toEqual([
      'lender notice-kept',
      'borrower recall-honoured',
    ]);
    expect(kindsOf(recalled('higher-tier', 1_000).loan, 1_100)).toEqual(['borrower recall-honoured']);
    const { loan } = recalled('lender-operator', 1_000);
    const hasty = { ...loan, recall: { ...loan.recall, by: 'lender-operator', firmAt: at(1_060) } as Loan['recall'] };
    expect(kindsOf(hasty as Loan, 1_100)).toContain('lender notice-broken');
  });

  it('of the borrower: that it was late, counted from the end of the notice', () => {
    const { loan } = recalled('lender-operator', 1_000);
    expect(kindsOf(loan, 1_120 + 900)).toContain('borrower recall-honoured');
    expect(kindsOf(loan, 1_120 + 901)).toContain('borrower recall-overdue');
    expect(epochMillis(loan.recall?.firmAt ?? 0)).toBe(at(1_120));
  });
});
