import { describe, expect, it } from '@jest/globals';
import type { ForeignObservation } from '../../../core/lending/foreign-change.ts';
import { foreignChange } from '../../../core/lending/foreign-change.ts';
import { recordRepair } from '../../../core/lending/repair.ts';
import type { LoanId } from '../../../core/units.ts';
import { epochMillis, plusMillis, poolId } from '../../../core/units.ts';
import { BORROWER, groupOf, LENDER, loanOf, NOW, poolOf, REGION } from '../../support/fixtures.ts';

const web = (account: typeof LENDER) => poolId(account, REGION, 'web');
const idOf = (digit: number): LoanId => `ln-00000000000000000000000${digit}` as LoanId;

const loan = loanOf({
  state: 'active',
  activeAt: NOW,
  lenderAccountId: LENDER,
  lenderPoolId: web(LENDER),
  borrowerPoolId: web(BORROWER),
});
const later = { ...loan, loanId: idOf(2), activeAt: plusMillis(NOW, 60_000) };
const borrower = poolOf(BORROWER, { borrowedUnits: 2, ceilingDriftUnits: 0 });
const lender = poolOf(LENDER, { lentUnits: 2, ceilingDriftUnits: 0 });

function found(changes: Partial<ForeignObservation> = {}) {
  return foreignChange({
    pool: borrower,
    group: groupOf({ maxSize: 12 }),
    raisesOwnCeiling: false,
    openLoans: [loan],
    ...changes,
  });
}
const onLender = (changes: Partial<ForeignObservation> = {}) =>
  found({ pool: lender, group: groupOf({ maxSize: 8 }), ...changes });

describe('foreignChange', () => {
  it('finds nothing in groups that are as their loans have left them', () => {
    expect(found().action).toBe('none');
    expect(onLender().action).toBe('none');
    // The owner had changed MaxSize before the loan.
    const drifted = { ...borrower, ceilingDriftUnits: -3 };
    expect(found({ pool: drifted, group: groupOf({ maxSize: 9 }) }).action).toBe('none');
  });

  it('says nothing while a loan moves the pool, or of a pool whose ceiling before its loans is not known', () => {
    const group = groupOf({ maxSize: 3 });
    expect(found({ group, pool: { ...borrower, movingLoanId: loan.loanId } }).action).toBe('none');
    const { ceilingDriftUnits: _, ...unknown } = borrower;
    expect(found({ group, pool: unknown }).action).toBe('none');
  });

  it('ends what a borrower can use no longer: a deployment has reset its MaxSize', () => {
    expect(found({ group: groupOf({ maxSize: 10 }) })).toMatchObject({
      action: 'end',
      kind: 'ceiling-lowered',
      loans: [loan],
      reason: `MaxSize of ${web(BORROWER)} was lowered by somebody else: what it borrowed cannot be used`,
    });
    const two = { pool: { ...borrower, borrowedUnits: 4 }, openLoans: [loan, later] };
    expect(found({ ...two, group: groupOf({ maxSize: 12 }) })).toMatchObject({ loans: [later] });
    expect(found({ ...two, group: groupOf({ maxSize: 11 }) })).toMatchObject({ loans: [later, loan] });
    // Below what it owns itself: not more than all that it borrowed.
    expect(found({ ...two, group: groupOf({ maxSize: 1 }) })).toMatchObject({ loans: [later, loan] });
  });

  it('ends what a lender has taken back, and nothing twice', () => {
    const two = { pool: { ...lender, lentUnits: 4 }, openLoans: [loan, later] };
    expect(onLender({ ...two, group: groupOf({ maxSize: 8 }) })).toMatchObject({
      action: 'end',
      kind: 'ceiling-raised',
      loans: [later],
    });
    const asked = { ...later, state: 'recalled' as const };
    expect(onLender({ ...two, openLoans: [loan, asked], group: groupOf({ maxSize: 8 }) }).action).toBe('none');
    expect(onLender({ ...two, openLoans: [loan, asked], group: groupOf({ maxSize: 9 }) })).toMatchObject({
      loans: [loan],
    });
  });

  it('takes into the books what leaves the loans whole', () => {
    expect(found({ group: groupOf({ maxSize: 15 }) })).toMatchObject({
      action: 'repair',
      kind: 'ceiling-raised',
      ceilingDriftUnits: 3,
      loans: [loan],
    });
    expect(onLender({ group: groupOf({ maxSize: 6 }) })).toMatchObject({
      action: 'repair',
      kind: 'ceiling-lowered',
      ceilingDriftUnits: -2,
    });
    const repaired = { ...lender, ceilingDriftUnits: -2 };
    expect(onLender({ pool: repaired, group: groupOf({ maxSize: 6 }) }).action).toBe('none');
  });

  it('ends all loans of a group that is gone, untagged, or raises its own ceiling', () => {
    const openLoans = [loan, later];
    expect(found({ openLoans, group: undefined })).toMatchObject({ kind: 'group-deleted', loans: openLoans });
    const untagged = groupOf({ maxSize: 8, lendingEnabled: false });
    expect(onLender({ openLoans, group: untagged })).toMatchObject({ action: 'end', kind: 'untagged' });
    expect(onLender({ openLoans, raisesOwnCeiling: true })).toMatchObject({ action: 'end', kind: 'ceiling-not-fixed' });
    const leaving = [{ ...loan, state: 'returning' as const }];
    expect(found({ openLoans: leaving, group: undefined }).action).toBe('none');
  });

  it('tells each loan once of a MinSize that reaches into what was borrowed', () => {
    const group = groupOf({ maxSize: 12, minSize: 11 });
    const change = found({ group });
    expect(change).toMatchObject({ action: 'repair', kind: 'floor-raised', loans: [loan] });
    expect(change).not.toHaveProperty('ceilingDriftUnits');
    const told = { ...loan, reasons: [{ text: change.reason }] };
    expect(found({ group, openLoans: [told] }).action).toBe('none');
    expect(found({ group: groupOf({ maxSize: 12, minSize: 10 }) }).action).toBe('none');
  });
});

describe('recordRepair', () => {
  it('keeps the loan active, tells both parties without figures, and changes the books once', () => {
    const change = found({ group: groupOf({ maxSize: 15 }) });
    if (change.action !== 'repair') throw new Error(`a repair was expected, got ${change.action}`);
    const at = epochMillis(NOW + 1);
    const commit = recordRepair({ loan, borrowerPool: borrower, heads: {} }, change, borrower, true, at);
    expect(commit).toMatchObject({
      expectedVersion: 1,
      loan: { state: 'active', version: 2, history: loan.history },
      pools: [{ poolId: web(BORROWER), expectedVersion: 1, moving: 'none', ceilingDriftUnits: 3 }],
      audit: { type: 'loan.repaired', detail: { foreignChange: 'ceiling-raised', reason: change.reason } },
      events: [{ detailType: 'Entangle Loan Repaired', detail: { reason: change.reason } }],
    });
    expect(commit.loan.reasons).toEqual([
      { text: change.reason },
      { text: 'MaxSize is 15, its loans left it at 12', onlyFor: BORROWER },
    ]);
    expect(recordRepair({ loan, borrowerPool: borrower, heads: {} }, change, borrower, false, at).pools).toEqual([]);
  });
});
