import type { Consent } from '../consent/consent.ts';
import type { AccountId, EpochMillis, PoolId } from '../units.ts';
import { isRefused, pause } from './lifecycle.ts';
import type { Pairing, PairingChange, PauseReason } from './pairing.ts';
import { preferencesOf } from './preferences.ts';

/** What between two plans gives reason to pause a pairing at once. The next plan takes it up again where the pair still holds. */

function paused(
  pairing: Pairing,
  reason: PauseReason,
  concerned: AccountId,
  actor: string,
  at: EpochMillis,
): PairingChange[] {
  const transition = pause(pairing, reason, concerned, actor, at);
  return isRefused(transition) ? [] : [transition];
}

/**
 * Pauses the active pairings in which a pool lends whose demand has left its forecast: what it was thought to have idle may be needed.
 * A borrower that drifts keeps its pairings: demand that nobody foresaw is what it has them for.
 * @param actor name of the function that saw it
 */
export function pausesForDrift(
  pairings: readonly Pairing[],
  drifted: ReadonlySet<PoolId>,
  actor: string,
  at: EpochMillis,
): PairingChange[] {
  return pairings.flatMap((pairing) => {
    const { lenderPoolId, lenderAccountId } = pairing;
    return drifted.has(lenderPoolId) ? paused(pairing, 'drift', lenderAccountId, actor, at) : [];
  });
}

/**
 * Pauses the active pairings of an account whose score has come to be below what its counterparty asks for.
 * @param pairings of the account, in any state
 */
export function pausesForTrust(
  account: { readonly accountId: AccountId; readonly trust: number },
  pairings: readonly Pairing[],
  consentOf: (counterparty: AccountId) => Consent | undefined,
  actor: string,
  at: EpochMillis,
): PairingChange[] {
  return pairings.flatMap((pairing) => {
    const { lenderAccountId, borrowerAccountId } = pairing;
    const other = lenderAccountId === account.accountId ? borrowerAccountId : lenderAccountId;
    const { trustFloor } = preferencesOf(consentOf(other)?.terms);
    return account.trust < trustFloor ? paused(pairing, 'trust-lost', account.accountId, actor, at) : [];
  });
}

/** Pauses the active pairings of a pool whose own scaling may raise its ceiling: no loan could be counted on. */
export function pausesForCeiling(
  pairings: readonly Pairing[],
  { poolId, accountId }: { readonly poolId: PoolId; readonly accountId: AccountId },
  actor: string,
  at: EpochMillis,
): PairingChange[] {
  return pairings.flatMap((pairing) => {
    const concerned = pairing.lenderPoolId === poolId || pairing.borrowerPoolId === poolId;
    return concerned ? paused(pairing, 'ceiling-not-fixed', accountId, actor, at) : [];
  });
}
