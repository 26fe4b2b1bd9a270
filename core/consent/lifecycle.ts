import type { AuditEvent } from '../audit/chain.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import type { Consent, ConsentTerms } from './consent.ts';

/** A new version of a consent and the audit record that goes with it. */
export interface ConsentChange {
  readonly consent: Consent;
  readonly audit: AuditEvent;
}

interface Author {
  readonly accountId: AccountId;
  /** ARN of the principal. */
  readonly madeBy: string;
  readonly at: EpochMillis;
}

function change(
  previous: Consent | undefined,
  status: Consent['status'],
  terms: ConsentTerms,
  author: Author,
): ConsentChange {
  const { accountId, madeBy, at } = author;
  const consent: Consent = { accountId, version: (previous?.version ?? 0) + 1, status, terms, madeBy, madeAt: at };
  const audit: AuditEvent = {
    accountId,
    type: status === 'active' ? 'consent.given' : 'consent.revoked',
    at,
    subject: `consent ${consent.version}`,
    actor: madeBy,
    detail: { version: consent.version, lend: terms.lend !== undefined, borrow: terms.borrow !== undefined },
  };
  return { consent, audit };
}

/** An account agrees to terms; they replace whatever it agreed to before, for loans from now on. */
export function giveConsent(previous: Consent | undefined, terms: ConsentTerms, author: Author): ConsentChange {
  return change(previous, 'active', terms, author);
}

/** An account withdraws its consent; loans made under it are recalled. */
export function revokeConsent(previous: Consent, author: Author): ConsentChange {
  return change(previous, 'revoked', previous.terms, author);
}
