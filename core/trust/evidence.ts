import type { AccountId, EpochMillis } from '../units.ts';

/** What trust is made of. */
export const TRUST_PARTS = ['payments', 'compliance', 'service'] as const;
export type TrustPart = (typeof TRUST_PARTS)[number];

/** What an account has done, good or bad, in a way that others may rely on. */
export interface TrustEvidence {
  /** The same id twice is one piece of evidence. */
  readonly evidenceId: string;
  /** Whom it is about. */
  readonly accountId: AccountId;
  readonly part: TrustPart;
  /** E.g. `loan-kept`, `recall-overdue`, `payment-settled`. */
  readonly kind: EvidenceKind;
  readonly at: EpochMillis;
  /** Whom it happened with; absent: nobody in particular, as in an audit. */
  readonly counterparty?: AccountId;
  /** The loan, bill or audit record that shows it. */
  readonly subject: string;
  /** The account that recorded it; absent: the hub saw it itself. */
  readonly recordedBy?: AccountId;
  /** What that account says of it, for the account that it is about. */
  readonly note?: string;
}

/** 1 = all good, 0 = all bad, and how much it counts: 1 is one loan that went as agreed. */
interface Valuation {
  readonly part: TrustPart;
  readonly quality: number;
  readonly weight: number;
}

/**
 * What each kind of evidence counts. What breaks a promise counts more than what keeps one, since promises are kept by default.
 */
export const EVIDENCE_KINDS = {
  /** A loan was paid when it was due. */
  'payment-settled': { part: 'payments', quality: 1, weight: 1 },
  /** Paid, but after it was due. */
  'payment-late': { part: 'payments', quality: 0.3, weight: 1 },
  /** Not paid. */
  'payment-defaulted': { part: 'payments', quality: 0, weight: 4 },
  /** A period was audited without a finding. */
  'audit-clean': { part: 'compliance', quality: 1, weight: 1 },
  'audit-finding-minor': { part: 'compliance', quality: 0, weight: 1 },
  'audit-finding-major': { part: 'compliance', quality: 0, weight: 4 },
  /** It asked for what belongs to another account. */
  'access-denied': { part: 'compliance', quality: 0, weight: 0.5 },
  /** Capacity was used outside the terms: longer, larger or for another application than agreed. */
  'terms-violated': { part: 'compliance', quality: 0, weight: 2 },
  /** As lender: the loan lasted as long as the borrower needed it, or its whole term. */
  'loan-kept': { part: 'service', quality: 1, weight: 1 },
  /** As lender: recalled before the term was over, with the notice that was promised. */
  'notice-kept': { part: 'service', quality: 0.6, weight: 1 },
  /** As lender: recalled with less notice than promised. */
  'notice-broken': { part: 'service', quality: 0, weight: 2 },
  /** As lender: what was reserved could not be taken from its group. */
  'offer-not-kept': { part: 'service', quality: 0, weight: 0.5 },
  /** As borrower: given back in time, at the end of the term or when it was recalled. */
  'recall-honoured': { part: 'service', quality: 1, weight: 1 },
  /** As borrower: given back too late. */
  'recall-overdue': { part: 'service', quality: 0, weight: 2 },
} as const satisfies Record<string, Valuation>;
export type EvidenceKind = keyof typeof EVIDENCE_KINDS;

/** What a piece of evidence counts. */
export function valuationOf(kind: EvidenceKind): Valuation {
  return EVIDENCE_KINDS[kind];
}

/** Evidence of a kind; its part follows from the kind. */
export function evidenceOf(kind: EvidenceKind, about: Omit<TrustEvidence, 'kind' | 'part'>): TrustEvidence {
  return { ...about, kind, part: valuationOf(kind).part };
}
