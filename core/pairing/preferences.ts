import type { ConsentTerms, InstanceSubstitution } from '../consent/consent.ts';
import { DEFAULT_TRUST_FLOOR } from '../trust/trust.ts';
import { CIRCLE_MEMBERS_MAX } from './matching/circles.ts';

/** Lenders of a pool when its account says nothing. */
export const DEFAULT_MAX_PARTNERS = 3;
/** No account is paired with more: what a borrower asks one after the other takes time. */
export const PARTNERS_MAX = 10;

/**
 * What a customer prefers in pairings, with what holds where it says nothing.
 *
 * Preferences are terms of the consent: made by the account's own identity, versioned and audited with it. Enrolling a pool states
 * facts and grants nothing, so no preference stands there.
 */
export interface Preferences {
  /** Lenders of each of its pools at most. */
  readonly maxPartners: number;
  /** Borrowers of each of its pools at most; infinite where the consent states no `maxPartners`. */
  readonly maxBorrowers: number;
  /** Accounts of a circle at most; 0: the account is in none. */
  readonly maxCircleAccounts: number;
  readonly trustFloor: number;
  readonly substitutions: readonly InstanceSubstitution[];
  readonly otherRegions: 'refuse' | 'accept';
  readonly pairingAcceptance: 'standing' | 'explicit';
}

/** The preferences that terms state. */
export function preferencesOf(terms: ConsentTerms | undefined): Preferences {
  return {
    maxPartners: Math.min(terms?.maxPartners ?? DEFAULT_MAX_PARTNERS, PARTNERS_MAX),
    // Nobody knows which borrower will need a large lender: a limit that its account did not ask for costs the most.
    maxBorrowers: terms?.maxPartners ?? Number.POSITIVE_INFINITY,
    maxCircleAccounts: Math.min(terms?.maxCircleAccounts ?? 0, CIRCLE_MEMBERS_MAX),
    trustFloor: terms?.trustFloor ?? DEFAULT_TRUST_FLOOR,
    substitutions: terms?.borrow?.substitutions ?? [],
    otherRegions: terms?.otherRegions ?? 'refuse',
    pairingAcceptance: terms?.pairingAcceptance ?? 'standing',
  };
}
