import type { AuditEvent } from '../audit/chain.ts';
import type { Loan } from '../lending/loan.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import { monthEvidence, monthSpanOf } from './audit-month.ts';
import type { EvidenceKind, TrustEvidence } from './evidence.ts';
import { evidenceOf } from './evidence.ts';
import { paymentEvidenceId } from './loan-evidence.ts';

/** What the lender of a loan says of its borrower: what became of the bill, and use that the hub cannot see. */
export const LOAN_RECORD_KINDS = [
  'payment-settled',
  'payment-late',
  'payment-defaulted',
  'terms-violated',
] as const satisfies readonly EvidenceKind[];
/** What the operator of the hub says of an account's month. */
export const AUDIT_RECORD_KINDS = [
  'audit-clean',
  'audit-finding-minor',
  'audit-finding-major',
] as const satisfies readonly EvidenceKind[];
export const RECORD_KINDS = [...LOAN_RECORD_KINDS, ...AUDIT_RECORD_KINDS] as const;

/** Evidence that somebody saw who is not the hub. */
export interface EvidenceRecord {
  /** Whom it is about. */
  readonly accountId: AccountId;
  readonly kind: (typeof RECORD_KINDS)[number];
  /** The id of the loan, or the month of the audit, `YYYY-MM`. */
  readonly subject: string;
  readonly note?: string;
}

/** Who records it: an account by itself, or as the operator of the hub. */
export interface Recorder {
  readonly accountId: AccountId;
  readonly isOperator: boolean;
}

/** Why evidence is not recorded. `denied`: it asks for what is another account's. */
export interface RecordRefusal {
  readonly refused: 'denied' | 'conflict' | 'invalid';
  readonly reason: string;
}

export function isRecordKindOfLoan(kind: EvidenceRecord['kind']): boolean {
  return (LOAN_RECORD_KINDS as readonly string[]).includes(kind);
}

/** The evidence that a lender, or the operator for it, has of a loan that ended. */
function evidenceOfLoan(
  { accountId, kind, note }: EvidenceRecord,
  loan: Loan | undefined,
  recorder: Recorder,
): TrustEvidence | RecordRefusal {
  const { loanId, borrowerAccountId, lenderAccountId, endedAt, billedMicroUsd } = loan ?? {};
  const mayRecord = recorder.isOperator || recorder.accountId === lenderAccountId;
  if (loanId === undefined || lenderAccountId === undefined || !mayRecord || borrowerAccountId !== accountId) {
    return { refused: 'denied', reason: `account ${recorder.accountId} has lent nothing to ${accountId} by that loan` };
  }
  if (endedAt === undefined) return { refused: 'conflict', reason: `loan ${loanId} has not ended: nothing is due yet` };
  const isPayment = kind !== 'terms-violated';
  if (isPayment && (billedMicroUsd ?? 0) === 0) {
    return { refused: 'conflict', reason: `loan ${loanId} was billed nothing: there is no payment to record` };
  }
  return evidenceOf(kind, {
    evidenceId: isPayment ? paymentEvidenceId(loanId) : `${loanId}#${kind}`,
    accountId,
    counterparty: lenderAccountId,
    at: endedAt,
    subject: loanId,
    recordedBy: recorder.accountId,
    ...(note === undefined ? {} : { note }),
  });
}

function evidenceOfMonth(record: EvidenceRecord, recorder: Recorder, now: EpochMillis): TrustEvidence | RecordRefusal {
  if (!recorder.isOperator)
    return { refused: 'denied', reason: 'only the operator of the hub records what an audit found' };
  const span = monthSpanOf(record.subject);
  if (span === undefined) {
    return {
      refused: 'invalid',
      reason: `subject ${record.subject}: expected the month of the audit, such as 2026-10`,
    };
  }
  if (span.from > now) return { refused: 'conflict', reason: `the month ${span.month} has not begun` };
  const { note } = record;
  const recorded = { recordedBy: recorder.accountId, ...(note === undefined ? {} : { note }) };
  return monthEvidence(record.kind, record.accountId, span, recorded);
}

/**
 * The evidence that a record is, or why it is none. A lender may say what became of a loan that it made; the operator of the hub also
 * what an audit found; nobody says anything of itself.
 * @param loan that the subject names, when it names one
 */
export function evidenceOfRecord(
  record: EvidenceRecord,
  loan: Loan | undefined,
  recorder: Recorder,
  now: EpochMillis,
): TrustEvidence | RecordRefusal {
  if (record.accountId === recorder.accountId) {
    return { refused: 'conflict', reason: `account ${recorder.accountId} records nothing about itself` };
  }
  return isRecordKindOfLoan(record.kind)
    ? evidenceOfLoan(record, loan, recorder)
    : evidenceOfMonth(record, recorder, now);
}

export type Replacement = 'write' | 'unchanged' | RecordRefusal;

/**
 * What evidence does to what stands in its place: the same kind again changes nothing; another kind takes its place, unless the operator
 * has decided it and the recorder is not the operator.
 */
export function replacementOf(next: TrustEvidence, stored: TrustEvidence | undefined, operator: string): Replacement {
  if (stored === undefined) return 'write';
  // What the hub assumed and what an account confirms is the same, and need not be written again.
  if (stored.kind === next.kind) return 'unchanged';
  if (stored.recordedBy !== operator || next.recordedBy === operator) return 'write';
  return { refused: 'conflict', reason: `the operator of the hub has recorded ${stored.kind} for ${stored.subject}` };
}

/** The record of it in the chain of the account that it is about; it names the account that recorded it, none of its principals. */
export function auditOfRecord(evidence: TrustEvidence, stored: TrustEvidence | undefined, at: EpochMillis): AuditEvent {
  const { accountId, kind, subject, recordedBy, note } = evidence;
  return {
    accountId,
    type: 'trust.recorded',
    at,
    subject,
    actor: `account ${recordedBy ?? 'unknown'}`,
    detail: { kind, replaces: stored?.kind ?? null, note: note ?? null },
  };
}
