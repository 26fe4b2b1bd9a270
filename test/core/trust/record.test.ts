import { describe, expect, it } from '@jest/globals';
import type { TrustEvidence } from '../../../core/trust/evidence.ts';
import type { EvidenceRecord, Recorder } from '../../../core/trust/record.ts';
import { auditOfRecord, evidenceOfRecord, replacementOf } from '../../../core/trust/record.ts';
import { accountId, epochMillis, invariant, microUsd } from '../../../core/units.ts';
import { BORROWER, LENDER, loanOf, NOW } from '../../support/fixtures.ts';

const HUB = accountId('999999999999');
const endedAt = epochMillis(NOW - 86_400_000);
const LOAN = loanOf({ state: 'returned', lenderAccountId: LENDER, endedAt, billedMicroUsd: microUsd(5_000) });
const lender: Recorder = { accountId: LENDER, isOperator: false };
const operator: Recorder = { accountId: HUB, isOperator: true };
const late: EvidenceRecord = { accountId: BORROWER, kind: 'payment-late', subject: LOAN.loanId };
const audited: EvidenceRecord = { accountId: BORROWER, kind: 'audit-finding-major', subject: '2026-10' };

function evidence(record: EvidenceRecord, recorder: Recorder): TrustEvidence {
  const made = evidenceOfRecord(record, LOAN, recorder, NOW);
  invariant(!('refused' in made), 'it is recorded');
  return made;
}

describe('what is recorded of an account', () => {
  it('is what the lender says of the payment of its loan, in the place of what the hub assumed', () => {
    expect(evidence({ ...late, note: 'nine days' }, lender)).toEqual({
      evidenceId: `${LOAN.loanId}#payment`,
      accountId: BORROWER,
      counterparty: LENDER,
      part: 'payments',
      kind: 'payment-late',
      at: endedAt,
      subject: LOAN.loanId,
      recordedBy: LENDER,
      note: 'nine days',
    });
    expect(evidence({ ...late, kind: 'payment-defaulted' }, lender).evidenceId).toBe(`${LOAN.loanId}#payment`);
  });

  it('is what the operator says of a month, one verdict for each, counted from its end', () => {
    const found = evidence(audited, operator);
    expect(found).toMatchObject({ evidenceId: 'audit#2026-10', part: 'compliance', recordedBy: HUB });
    expect(new Date(found.at).toISOString()).toBe('2026-11-01T00:00:00.000Z');
    expect(evidence({ ...audited, kind: 'audit-clean' }, operator).evidenceId).toBe(found.evidenceId);
  });

  it.each<[string, EvidenceRecord, Recorder, string, typeof LOAN | undefined]>([
    ['by an account about itself', { ...late, accountId: LENDER }, lender, 'conflict', LOAN],
    ['by the operator about itself', { ...audited, accountId: HUB }, operator, 'conflict', LOAN],
    ['by the borrower of the loan', { ...late, accountId: LENDER }, { ...lender, accountId: BORROWER }, 'denied', LOAN],
    ['by somebody who did not lend', late, { ...lender, accountId: accountId('444444444444') }, 'denied', LOAN],
    ['of another account than the borrower', { ...late, accountId: HUB }, lender, 'denied', LOAN],
    ['of an audit by anybody but the operator', audited, lender, 'denied', undefined],
    ['of a loan that is open', late, lender, 'conflict', loanOf({ state: 'active', lenderAccountId: LENDER })],
    ['of a bill of nothing', late, lender, 'conflict', { ...LOAN, billedMicroUsd: microUsd(0) }],
    ['of a subject that is no month', { ...audited, subject: '2026-13' }, operator, 'invalid', undefined],
    ['of a month to come', { ...audited, subject: '2026-12' }, operator, 'conflict', undefined],
  ])('is nothing %s', (_what, record, recorder, refused, loan) => {
    expect(evidenceOfRecord(record, loan, recorder, NOW)).toMatchObject({ refused });
  });
});

describe('what takes the place of what was recorded', () => {
  const settled = evidence({ ...late, kind: 'payment-settled' }, lender);

  it('is another kind, not the same again', () => {
    const { recordedBy: _hub, ...assumed } = settled;
    expect(replacementOf(evidence(late, lender), undefined, HUB)).toBe('write');
    expect(replacementOf(evidence(late, lender), assumed, HUB)).toBe('write');
    expect(replacementOf(settled, evidence(late, lender), HUB)).toBe('write');
    expect(replacementOf(evidence({ ...late, note: 'again' }, lender), evidence(late, lender), HUB)).toBe('unchanged');
  });

  it('is never a lender’s word against the operator’s', () => {
    const decided = evidence({ ...late, kind: 'payment-settled' }, operator);
    expect(replacementOf(evidence(late, lender), decided, HUB)).toMatchObject({ refused: 'conflict' });
    expect(replacementOf(decided, evidence(late, lender), HUB)).toBe('write');
  });

  it('stands in the chain of whom it is about, with the account that said so', () => {
    expect(auditOfRecord(evidence(late, lender), settled, NOW)).toEqual({
      accountId: BORROWER,
      type: 'trust.recorded',
      at: NOW,
      subject: LOAN.loanId,
      actor: `account ${LENDER}`,
      detail: { kind: 'payment-late', replaces: 'payment-settled', note: null },
    });
  });
});
