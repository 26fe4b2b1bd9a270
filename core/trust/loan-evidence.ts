import type { AuditEvent } from '../audit/chain.ts';
import { firmAtOf } from '../lending/drain.ts';
import type { Loan, LoanState, RecallBy } from '../lending/loan.ts';
import type { AccountId, EpochMillis, LoanId } from '../units.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { EvidenceKind, TrustEvidence } from './evidence.ts';
import { evidenceOf } from './evidence.ts';

/** How long a loan may take to be back after its return began: instances drain in that time. */
export const RETURN_GRACE_SECONDS = 900;

/** What a loan itself does not say about its end. */
export interface LoanEnding {
  /** Who revoked the consent that ended it; absent: not known, so nobody is held to it. */
  readonly revokedBy?: AccountId;
  readonly revokedAt?: EpochMillis;
  /** Notice that the lender's consent promised when the loan was reserved. */
  readonly promisedNoticeSeconds?: number;
  /** What became of the bill; absent: settled by being posted in the ledger, which is all that the hub knows of money. */
  readonly payment?: 'settled' | 'late' | 'defaulted';
}

function enteredAt(loan: Loan, state: LoanState): EpochMillis | undefined {
  return loan.history.find((entry) => entry.state === state)?.at;
}

/** How a lender that withdrew its consent kept the notice that it had promised. */
function recallKind(loan: Loan, { revokedBy, revokedAt, promisedNoticeSeconds }: LoanEnding): EvidenceKind | undefined {
  if (revokedBy === undefined) return undefined;
  if (revokedBy !== loan.lenderAccountId) return 'loan-kept';
  const began = enteredAt(loan, 'returning');
  if (began === undefined || revokedAt === undefined) return undefined;
  const promised = (promisedNoticeSeconds ?? 0) * MILLIS_PER_SECOND;
  const untilDue = Math.max(0, (loan.dueAt ?? began) - revokedAt);
  return began - revokedAt >= Math.min(promised, untilDue) ? 'notice-kept' : 'notice-broken';
}

/** A higher need, whoever stopped lending, and whoever changed a group are not the lender, or not known to be. */
function isLendersDoing(by: RecallBy): boolean {
  return by !== 'higher-tier' && by !== 'kill-switch' && by !== 'foreign-change';
}

/**
 * How a lender that asked for its units kept the notice on the loan; nothing where somebody else asked: a higher need, or who stopped
 * lending.
 */
function noticeKind({ recall, recallNoticeSeconds = 0, dueAt }: Loan): EvidenceKind | undefined {
  if (recall === undefined || !isLendersDoing(recall.by)) return undefined;
  const untilDue = Math.max(0, (dueAt ?? recall.firmAt) - recall.askedAt);
  const promised = Math.min(recallNoticeSeconds * MILLIS_PER_SECOND, untilDue);
  return recall.firmAt - recall.askedAt >= promised ? 'notice-kept' : 'notice-broken';
}

/** How the lender kept the loan up; undefined when its end says nothing of the lender. */
function lenderKind(loan: Loan, ending: LoanEnding): EvidenceKind | undefined {
  switch (loan.returnReason) {
    case 'expired':
    case 'recovered':
    case 'requested-by-owner':
      return 'loan-kept';
    case 'recalled':
      return noticeKind(loan);
    case 'revoked':
      return recallKind(loan, ending);
    default:
      return undefined;
  }
}

/**
 * How the borrower gave the loan back; nothing when it never had it or what held it up was no doing of its own. It is held to the
 * moment when it was asked, and where it has time until a later one, as a notice gives it, to that; not to the end of the term: a
 * return that the hub begins late is not the borrower's.
 *
 * Late beyond the term it has also used capacity for longer than was agreed. That it used more than was agreed cannot be told: the
 * hub moves ceilings, and instances above one are the account's own doing, not the lender's capacity.
 */
function borrowerKinds(loan: Loan): EvidenceKind[] {
  const { returnReason, dueAt } = loan;
  if (returnReason === undefined || returnReason === 'repair' || returnReason === 'step-failed') return [];
  const [began, back] = [enteredAt(loan, 'returning'), enteredAt(loan, 'reclaimed')];
  if (began === undefined || back === undefined) return [];
  const grace = RETURN_GRACE_SECONDS * MILLIS_PER_SECOND;
  const asked = Math.max(began, firmAtOf(loan) ?? began);
  if (back - asked <= grace) return ['recall-honoured'];
  return back - (dueAt ?? back) > grace ? ['recall-overdue', 'terms-violated'] : ['recall-overdue'];
}

/** The id of what is known of a loan's payment: one for all outcomes, so that the later word takes the place of the earlier one. */
export function paymentEvidenceId(loanId: LoanId): string {
  return `${loanId}#payment`;
}

const PAYMENT_KINDS = {
  settled: 'payment-settled',
  late: 'payment-late',
  defaulted: 'payment-defaulted',
} as const satisfies Record<NonNullable<LoanEnding['payment']>, EvidenceKind>;

/**
 * What an ended loan shows of its lender and its borrower; nothing while it is open, and nothing of a loan without a lender.
 *
 * Of a loan that was never active only this counts: what a lender had reserved could not be taken from its group.
 */
export function evidenceFromLoan(loan: Loan, ending: LoanEnding = {}): TrustEvidence[] {
  const { loanId, lenderAccountId, borrowerAccountId, endedAt } = loan;
  if (endedAt === undefined || lenderAccountId === undefined) return [];
  const evidence = (
    kind: EvidenceKind,
    accountId: AccountId,
    counterparty: AccountId,
    evidenceId = `${loanId}#${kind}`,
  ) => evidenceOf(kind, { evidenceId, accountId, counterparty, at: endedAt, subject: loanId });
  if (loan.state !== 'returned') {
    const last = loan.history.findLast(({ state }) => !['returning', 'reclaimed', loan.state].includes(state))?.state;
    return last === 'reserved' ? [evidence('offer-not-kept', lenderAccountId, borrowerAccountId)] : [];
  }
  const found: TrustEvidence[] = [];
  const lender = lenderKind(loan, ending);
  if (lender !== undefined) found.push(evidence(lender, lenderAccountId, borrowerAccountId));
  for (const kind of borrowerKinds(loan)) found.push(evidence(kind, borrowerAccountId, lenderAccountId));
  if ((loan.billedMicroUsd ?? 0) > 0) {
    const kind = PAYMENT_KINDS[ending.payment ?? 'settled'];
    found.push(evidence(kind, borrowerAccountId, lenderAccountId, paymentEvidenceId(loanId)));
  }
  return found;
}

/** What an audit record shows of the account in whose chain it stands. */
export function evidenceFromAudit(record: AuditEvent & { readonly seq: number }): TrustEvidence[] {
  if (record.type !== 'access.denied') return [];
  const { accountId, at, seq } = record;
  const evidenceId = `${accountId}#${seq}`;
  return [evidenceOf('access-denied', { evidenceId, accountId, at, subject: `audit record ${seq}` })];
}
