import type { Consent } from '../consent/consent.ts';
import type { Loan } from './loan.ts';

/**
 * What a lender promises for a loan: the notice, and how long it leaves the loan alone. They stand on the loan, so that a new version
 * of the consent changes neither. A lender may promise more than the shortest term that both agreed on, never less.
 */
export function promisesOf(
  lenderConsent: Consent,
  shortestTermSeconds: number,
): Pick<Loan, 'recallNoticeSeconds' | 'recallableFromSeconds'> {
  const { recallNoticeSeconds = 0, recallableFromSeconds = 0 } = lenderConsent.terms.lend ?? {};
  return {
    recallNoticeSeconds,
    recallableFromSeconds: Math.max(recallableFromSeconds, shortestTermSeconds),
  };
}
