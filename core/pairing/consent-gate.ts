import type { Consent } from '../consent/consent.ts';
import type { Refusal, RefusalCode } from '../consent/covers.ts';
import { pairRefusals } from '../consent/covers.ts';
import type { Pool, PoolSpec } from '../pool.ts';
import { RAISES_OWN_CEILING } from '../pool.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import { microUsd } from '../units.ts';
import type { AcceptedDifferences, Gate, GateRefusal } from './gates.ts';
import { gateRefusal, timesUnitRatio, unitRatioOf } from './gates.ts';
import { latencyMillis } from './latency.ts';
import { preferencesOf } from './preferences.ts';
import { windowsOverlap, windowsText } from './windows.ts';

/** What is known of the accounts that pairs are looked for among. */
export interface AccountFacts {
  consentOf(account: AccountId): Consent | undefined;
  /** Trust score, 0 to 1; undefined: not looked at. */
  trustOf(account: AccountId): number | undefined;
  readonly now: EpochMillis;
}

const GATES: Readonly<Partial<Record<RefusalCode, Gate>>> = {
  'region-not-allowed': 'residency',
  'tenancy-required': 'security',
  'encryption-required': 'security',
  'isolation-required': 'security',
  'latency-too-long': 'latency',
  'trust-too-low': 'trust',
  'price-too-low': 'price',
  'price-too-high': 'price',
  'recall-notice-too-short': 'terms',
};

function refusalOf(direction: 'lend' | 'borrow', { code, field, detail }: Refusal): GateRefusal {
  const gate = GATES[code] ?? 'consent';
  return direction === 'lend'
    ? {
        gate,
        field: `lender.${field}`,
        detail: `the lender's consent does not cover it (${code})`,
        lenderDetail: detail,
      }
    : { gate, field: `borrower.${field}`, detail };
}

/** What neither consent forbids, but what the two of them never have in common. */
function nothingInCommon(lender: Consent, borrower: Consent): GateRefusal | undefined {
  const [lent, borrowed] = [lender.terms, borrower.terms];
  if (!windowsOverlap(lent.windows, borrowed.windows)) {
    const own = `no moment suits both consents; the borrower's windows: ${windowsText(borrowed.windows)}`;
    const lenderDetail = `no moment suits both consents; the lender's windows: ${windowsText(lent.windows)}`;
    return { gate: 'windows', field: 'windows', detail: own, lenderDetail };
  }
  const shortest = Math.max(lent.shortestTermSeconds, borrowed.shortestTermSeconds);
  const longest = Math.min(lent.longestTermSeconds, borrowed.longestTermSeconds);
  if (shortest <= longest) return undefined;
  const accepts = (terms: typeof lent) => `${terms.shortestTermSeconds} to ${terms.longestTermSeconds} s`;
  return {
    gate: 'terms',
    field: 'shortestTermSeconds',
    detail: `no term suits both consents; the borrower's accepts ${accepts(borrowed)}`,
    lenderDetail: `no term suits both consents; the lender's accepts ${accepts(lent)}`,
  };
}

/** A pool whose own scaling may raise its ceiling is paired with nobody: no loan could be counted on. */
function ceilingRefusal(lender: Pool, borrower: Pool): GateRefusal | undefined {
  const refusal = (side: 'lender' | 'borrower', { spec }: Pool): GateRefusal => ({
    gate: 'ceiling-not-fixed',
    field: `${side}.raisesOwnCeiling`,
    detail: `${spec.poolId}: ${RAISES_OWN_CEILING}`,
  });
  if (lender.raisesOwnCeiling === true) return refusal('lender', lender);
  return borrower.raisesOwnCeiling === true ? refusal('borrower', borrower) : undefined;
}

/**
 * Why the two consents could never cover a loan between the pools; undefined when they could. The lender's is asked first. What the
 * borrower reads of it is a code: `lenderDetail` has the values.
 */
export function consentRefusal(lender: Pool, borrower: Pool, facts: AccountFacts): GateRefusal | undefined {
  const ceiling = ceilingRefusal(lender, borrower);
  if (ceiling !== undefined) return ceiling;
  const lenderConsent = facts.consentOf(lender.spec.accountId);
  const borrowerConsent = facts.consentOf(borrower.spec.accountId);
  const lendTerms = lenderConsent?.terms.lend;
  const { substitutions } = preferencesOf(borrowerConsent?.terms);
  const price = lendTerms?.minPriceMicroUsdPerUnitHour ?? microUsd(0);
  // The borrower pays for all of the lender's units that stand in for one of its own.
  const borrowed = microUsd(timesUnitRatio(price, unitRatioOf(lender.spec, borrower.spec, substitutions) ?? 1));
  const shared = {
    application: borrower.spec.application,
    recallNoticeSeconds: lendTerms?.recallNoticeSeconds ?? 0,
    latencyMillis: latencyMillis(lender.spec, borrower.spec),
    now: facts.now,
  };
  const side = (direction: 'lend' | 'borrow', own: Pool, other: Pool, consent: Consent | undefined) => {
    const counterpartyTrust = facts.trustOf(other.spec.accountId);
    const [refused] = pairRefusals(consent, {
      ...shared,
      ...(counterpartyTrust === undefined ? {} : { counterpartyTrust }),
      direction,
      priceMicroUsdPerUnitHour: direction === 'lend' ? price : borrowed,
      accountId: own.spec.accountId,
      groupName: own.spec.groupName,
      pool: own.spec,
      counterparty: other.spec.accountId,
      counterpartyPool: other.spec,
    });
    return refused === undefined ? undefined : refusalOf(direction, refused);
  };
  const refused = side('lend', lender, borrower, lenderConsent) ?? side('borrow', borrower, lender, borrowerConsent);
  if (refused !== undefined || lenderConsent === undefined || borrowerConsent === undefined) return refused;
  return nothingInCommon(lenderConsent, borrowerConsent);
}

/** What the consents of two accounts let be different between their pools. */
function acceptedDifferences(lender: Consent | undefined, borrower: Consent | undefined): AcceptedDifferences {
  const [lends, borrows] = [preferencesOf(lender?.terms), preferencesOf(borrower?.terms)];
  return {
    substitutions: borrows.substitutions,
    otherRegions: lends.otherRegions === 'accept' && borrows.otherRegions === 'accept',
  };
}

/**
 * Units of the lender's that stand in for one of the borrower's, or the first fact about the pools for which they cannot. What both
 * consents accept to be different is no such fact. Pairs are planned and loans are made by this same answer.
 */
export function standInRatio(
  lender: PoolSpec,
  borrower: PoolSpec,
  consents: { readonly lender?: Consent | undefined; readonly borrower?: Consent | undefined },
): { readonly unitRatio: number } | GateRefusal {
  const accepted = acceptedDifferences(consents.lender, consents.borrower);
  const refusal = gateRefusal(lender, borrower, accepted);
  return refusal ?? { unitRatio: unitRatioOf(lender, borrower, accepted.substitutions) ?? 1 };
}
