import type { AccountId, EpochMillis } from '../units.ts';
import type { Party, Transition } from './lifecycle.ts';
import { consentProblem, entered, refused, withoutPause } from './lifecycle.ts';
import type { Pairing, PairingStop } from './pairing.ts';

/** The kill switch of a pairing: either party stops it by itself, and each lifts its own stop only. */

function isParty({ lenderAccountId, borrowerAccountId }: Pairing, account: AccountId): boolean {
  return account === lenderAccountId || account === borrowerAccountId;
}

/** Stops an active or a paused pairing: no new loan is made of it until who stopped it resumes it. */
export function stopPairing(pairing: Pairing, stop: PairingStop): Transition {
  const { accountId, actor, at, reason, recall } = stop;
  if (!isParty(pairing, accountId)) {
    return refused('not-a-party', `account ${accountId} is no party of pairing ${pairing.pairingId}`);
  }
  if (pairing.state !== 'active' && pairing.state !== 'paused') {
    const detail = `pairing ${pairing.pairingId} is ${pairing.state}: no loan is made of it, there is nothing to stop`;
    return refused('wrong-state', detail);
  }
  const others = (pairing.stops ?? []).filter((each) => each.accountId !== accountId);
  const next: Pairing = {
    ...pairing,
    version: pairing.version + 1,
    state: 'paused',
    pausedFor: 'stopped',
    pausedAt: at,
    stops: [...others, stop],
  };
  const record = { accountId, type: 'pairing.stopped', actor, at };
  const change = entered(pairing, next, 'Entangle Pairing Paused', record);
  // The counterparty learns that its loans are recalled, not the words of the reason.
  const counterpartAudit = { ...change.counterpartAudit, detail: { ...change.counterpartAudit.detail, recall } };
  return {
    ...change,
    audit: { ...change.audit, detail: { ...change.audit.detail, why: reason, recall } },
    counterpartAudit,
  };
}

/**
 * Lifts the stop of one party. The pairing is active again when the other has not stopped it too and both consents are valid; else it
 * stays paused.
 */
export function liftPairingStop(
  pairing: Pairing,
  party: Omit<Party, 'consent'>,
  parties: readonly Party[],
  why: string,
  at: EpochMillis,
): Transition {
  const { accountId, actor } = party;
  const stops = pairing.stops ?? [];
  if (!stops.some((stop) => stop.accountId === accountId)) {
    return refused('wrong-state', `account ${accountId} has not stopped pairing ${pairing.pairingId}`);
  }
  if (pairing.state === 'ended') return refused('wrong-state', `pairing ${pairing.pairingId} has ended`);
  const { stops: _all, ...rest } = pairing;
  const left = stops.filter((stop) => stop.accountId !== accountId);
  const kept: Pairing = left.length === 0 ? rest : { ...rest, stops: left };
  const problem = parties.map((each) => consentProblem(pairing, each, at)).find((each) => each !== undefined);
  const isFree = left.length === 0 && pairing.state === 'paused';
  const version = pairing.version + 1;
  const active: Pairing = { ...withoutPause(kept), version, state: 'active', activeAt: at };
  const paused: Pairing = { ...kept, version, pausedFor: 'consent-revoked' };
  const waiting = isFree ? paused : { ...kept, version };
  const isActive = isFree && problem === undefined;
  const record = { accountId, type: 'pairing.resumed', actor, at };
  const detailType = isActive ? 'Entangle Pairing Active' : 'Entangle Pairing Paused';
  const change = entered(pairing, isActive ? active : waiting, detailType, record);
  return { ...change, audit: { ...change.audit, detail: { ...change.audit.detail, why } } };
}
