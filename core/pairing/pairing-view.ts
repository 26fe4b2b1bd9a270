import type { ConsentTerms } from '../consent/consent.ts';
import type { UnitLimit } from '../unit-limits.ts';
import type { AccountId } from '../units.ts';
import { invariant } from '../units.ts';
import type { Acceptance, Pairing, PairingStop } from './pairing.ts';

/** A pairing as one of its parties may see it. */
export type PairingView = Omit<
  Pairing,
  'acceptances' | 'stops' | 'limits' | 'expectedUnits' | 'confidence' | 'savingMicroUsd' | 'metricReasons'
> &
  Partial<Pick<Pairing, 'expectedUnits' | 'confidence' | 'savingMicroUsd'>> & {
    /** Of the other party: that it has accepted and when, not under which version of its consent nor by whom. */
    readonly acceptances: readonly (Pick<Acceptance, 'accountId' | 'at'> & Partial<Acceptance>)[];
    /** The party's own. */
    readonly limit?: UnitLimit;
    /** Of the other party: that it has stopped the pairing, and whether it recalls; not why, nor by whom. */
    readonly stops?: readonly (Omit<PairingStop, 'actor' | 'reason'> & Partial<PairingStop>)[];
  };

/**
 * The pairing as an account that is a party to it may see it: what was derived from the metrics of both only where the other's
 * consent has `dataAccess: 'metrics-only'`.
 * @throws InvariantViolation when the account is no party of the pairing
 */
export function pairingFor(
  account: AccountId,
  pairing: Pairing,
  counterpartyDataAccess: ConsentTerms['dataAccess'],
): PairingView {
  const isParty = account === pairing.lenderAccountId || account === pairing.borrowerAccountId;
  invariant(isParty, `${account} is a party of pairing ${pairing.pairingId}`);
  const { expectedUnits, confidence, savingMicroUsd, metricReasons, stops: allStops, limits = [], ...stated } = pairing;
  const stops = allStops?.map((stop) => {
    const { accountId, at, recall } = stop;
    return accountId === account ? stop : { accountId, at, recall };
  });
  const own = limits.find(({ accountId }) => accountId === account);
  const { accountId: _account, ...limit } = own ?? { accountId: account };
  const open = {
    ...stated,
    ...(own === undefined ? {} : { limit }),
    ...(stops === undefined ? {} : { stops }),
  };
  const acceptances = pairing.acceptances.map((acceptance) =>
    acceptance.accountId === account ? acceptance : { accountId: acceptance.accountId, at: acceptance.at },
  );
  if (counterpartyDataAccess !== 'metrics-only') return { ...open, acceptances };
  const reasons = [...metricReasons, ...pairing.reasons];
  return { ...open, acceptances, expectedUnits, confidence, savingMicroUsd, reasons };
}
