import type { ConsentTerms, InstanceSubstitution } from '../consent/consent.ts';
import { DEFAULT_TRUST_FLOOR } from '../trust/trust.ts';

/** Partners of a pool when its account says nothing. */
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
  readonly maxPartners: number;
  readonly trustFloor: number;
  readonly substitutions: readonly InstanceSubstitution[];
  readonly otherRegions: 'refuse' | 'accept';
  readonly pairingAcceptance: 'standing' | 'explicit';
}

/** The preferences that terms state. */
export function preferencesOf(terms: ConsentTerms | undefined): Preferences {
  return {
    maxPartners: Math.min(terms?.maxPartners ?? DEFAULT_MAX_PARTNERS, PARTNERS_MAX),
    trustFloor: terms?.trustFloor ?? DEFAULT_TRUST_FLOOR,
    substitutions: terms?.borrow?.substitutions ?? [],
    otherRegions: terms?.otherRegions ?? 'refuse',
    pairingAcceptance: terms?.pairingAcceptance ?? 'standing',
  };
}
