import type { Consent } from '../consent/consent.ts';
import { invalidity } from '../consent/covers.ts';
import type { AccountId, EpochMillis, PoolId } from '../units.ts';
import { invariant } from '../units.ts';
import type {
  Acceptance,
  CircleId,
  EndReason,
  Pairing,
  PairingChange,
  PairingEvent,
  PairingFigures,
  PairingId,
  PauseReason,
  TransitionRefusal,
} from './pairing.ts';
import { preferencesOf } from './preferences.ts';

/** Who acts on a pairing, and under which consent. */
export interface Party {
  readonly accountId: AccountId;
  /** ARN of the principal, or the name of the function. */
  readonly actor: string;
  readonly consent: Consent | undefined;
}

/** A pair as a plan has it. */
export interface PlannedPair extends PairingFigures {
  readonly pairingId: PairingId;
  readonly lenderPoolId: PoolId;
  readonly lenderAccountId: AccountId;
  readonly borrowerPoolId: PoolId;
  readonly borrowerAccountId: AccountId;
  /** The circle that both pools are in. */
  readonly circleId?: CircleId;
}

export type Transition = PairingChange | TransitionRefusal;

export function isRefused(transition: Transition): transition is TransitionRefusal {
  return 'refused' in transition;
}

export function refused(code: TransitionRefusal['code'], reason: string): TransitionRefusal {
  return { refused: true, code, reason };
}

/** A pairing in its next state with everything that is written along with it. */
export function entered(
  before: Pairing | undefined,
  pairing: Pairing,
  detailType: PairingEvent['detailType'],
  record: { readonly accountId: AccountId; readonly type: string; readonly actor: string; readonly at: EpochMillis },
): PairingChange {
  const { pairingId, state, lenderPoolId, lenderAccountId, borrowerPoolId, borrowerAccountId } = pairing;
  const reason = pairing.endReason ?? pairing.pausedFor;
  const parties = { lenderPoolId, lenderAccountId, borrowerPoolId, borrowerAccountId };
  const circle = pairing.circleId === undefined ? {} : { circleId: pairing.circleId };
  const { version } = pairing;
  const detail = { state, lenderPoolId, borrowerPoolId, reason: reason ?? null, version, ...circle };
  const audit = { ...record, subject: pairingId, detail };
  return {
    pairing,
    ...(before === undefined ? {} : { expectedVersion: before.version }),
    audit,
    counterpartAudit: {
      ...audit,
      accountId: record.accountId === lenderAccountId ? borrowerAccountId : lenderAccountId,
      // The other party learns which account acted, not which of its principals.
      actor: record.actor.startsWith('arn:') ? `account ${record.accountId}` : record.actor,
    },
    event: {
      detailType,
      at: record.at,
      detail: {
        eventId: `${pairingId}#${version}`,
        pairingId,
        version,
        state,
        ...parties,
        ...circle,
        ...(reason === undefined ? {} : { reason }),
      },
    },
  };
}

/** A pairing without what belongs to the states that it leaves. */
export function withoutPause(pairing: Pairing): Pairing {
  const { pausedFor: _reason, pausedAt: _at, ...rest } = pairing;
  return rest;
}

/**
 * Proposes a pair. One that ended before is proposed anew, its version going on; one that is open is refused.
 * @param actor name of the function that plans
 */
export function propose(
  planned: PlannedPair,
  previous: Pairing | undefined,
  actor: string,
  at: EpochMillis,
): Transition {
  invariant(planned.lenderAccountId !== planned.borrowerAccountId, 'a pairing is between two accounts');
  if (previous !== undefined && previous.state !== 'ended') {
    return refused('already-open', `pairing ${previous.pairingId} is ${previous.state}: it is not proposed twice`);
  }
  const pairing: Pairing = {
    ...planned,
    version: (previous?.version ?? 0) + 1,
    state: 'proposed',
    // A stop outlives the pairing: proposed anew, it is still on.
    ...(previous?.stops === undefined ? {} : { stops: previous.stops }),
    acceptances: [],
    proposedAt: at,
    plannedAt: at,
    plansWithout: 0,
  };
  const record = { accountId: planned.borrowerAccountId, type: 'pairing.proposed', actor, at };
  return entered(previous, pairing, 'Entangle Pairing Proposed', record);
}

function sideOf(pairing: Pairing, account: AccountId): 'lend' | 'borrow' | undefined {
  if (account === pairing.lenderAccountId) return 'lend';
  return account === pairing.borrowerAccountId ? 'borrow' : undefined;
}

/** Why a side cannot agree to a pairing now; undefined when it can. */
export function consentProblem(pairing: Pairing, { accountId, consent }: Party, at: EpochMillis): string | undefined {
  const invalid = invalidity(consent, at);
  if (invalid !== undefined) return `the consent of ${accountId} is not valid: ${invalid.detail}`;
  const side = sideOf(pairing, accountId);
  if (side !== undefined && consent?.terms[side] === undefined) return `the consent of ${accountId} does not ${side}`;
  return undefined;
}

/** With both agreements a pairing is active, unless a party has stopped it. */
function acceptedState(
  { stops }: Pairing,
  byBoth: boolean,
  at: EpochMillis,
): Pick<Pairing, 'state' | 'activeAt' | 'pausedFor' | 'pausedAt'> {
  if (!byBoth) return { state: 'accepted-by-one' };
  const isStopped = stops !== undefined && stops.length > 0;
  return isStopped ? { state: 'paused', pausedFor: 'stopped', pausedAt: at } : { state: 'active', activeAt: at };
}

/**
 * One side agrees: explicitly by a principal of its own, or because its consent accepts pairings by itself (`standing`). With
 * the agreement of both the pairing is active. One record stands in the chain of the side that agreed.
 */
export function accept(pairing: Pairing, party: Party, by: Acceptance['by'], at: EpochMillis): Transition {
  const { accountId, actor, consent } = party;
  if (sideOf(pairing, accountId) === undefined) {
    return refused('not-a-party', `account ${accountId} is no party of pairing ${pairing.pairingId}`);
  }
  if (pairing.state !== 'proposed' && pairing.state !== 'accepted-by-one') {
    return refused('wrong-state', `pairing ${pairing.pairingId} is ${pairing.state}: there is nothing to accept`);
  }
  if (pairing.acceptances.some((acceptance) => acceptance.accountId === accountId)) {
    return refused('already-accepted', `account ${accountId} has accepted pairing ${pairing.pairingId} already`);
  }
  const problem = consentProblem(pairing, party, at);
  if (problem !== undefined || consent === undefined) return refused('consent', problem ?? 'there is no consent');
  if (by === 'standing' && preferencesOf(consent.terms).pairingAcceptance !== 'standing') {
    return refused('consent', `the consent of ${accountId} accepts pairings one by one, not by itself`);
  }
  const acceptance: Acceptance = { accountId, consentVersion: consent.version, by, actor, at };
  const acceptances = [...pairing.acceptances, acceptance];
  const isActive = acceptances.length === 2;
  const next: Pairing = {
    ...pairing,
    version: pairing.version + 1,
    acceptances,
    ...acceptedState(pairing, isActive, at),
  };
  const detailType = next.state === 'active' ? 'Entangle Pairing Active' : 'Entangle Pairing Accepted';
  const change = entered(pairing, next, detailType, { accountId, type: 'pairing.accepted', actor, at });
  const { detail } = change.audit;
  return { ...change, audit: { ...change.audit, detail: { ...detail, by, consentVersion: consent.version } } };
}

/**
 * Suspends an active pairing: no new loan is made of it. Loans that are open go on, except where a revoked consent recalls them.
 * @param concerned whose chain the record stands in: whose consent or trust it is about
 */
export function pause(
  pairing: Pairing,
  reason: PauseReason,
  concerned: AccountId,
  actor: string,
  at: EpochMillis,
): Transition {
  if (sideOf(pairing, concerned) === undefined) {
    return refused('not-a-party', `account ${concerned} is no party of pairing ${pairing.pairingId}`);
  }
  if (pairing.state !== 'active') {
    return refused('wrong-state', `pairing ${pairing.pairingId} is ${pairing.state}: only an active one is paused`);
  }
  const next: Pairing = {
    ...pairing,
    version: pairing.version + 1,
    state: 'paused',
    pausedFor: reason,
    pausedAt: at,
  };
  return entered(pairing, next, 'Entangle Pairing Paused', {
    accountId: concerned,
    type: 'pairing.paused',
    actor,
    at,
  });
}

/** Takes a paused pairing up again, once what it was paused for is over. Both consents must be valid. */
export function resume(pairing: Pairing, parties: readonly Party[], actor: string, at: EpochMillis): Transition {
  if (pairing.state !== 'paused') {
    return refused('wrong-state', `pairing ${pairing.pairingId} is ${pairing.state}: only a paused one is resumed`);
  }
  const [stop] = pairing.stops ?? [];
  if (stop !== undefined) {
    return refused('wrong-state', `account ${stop.accountId} has stopped pairing ${pairing.pairingId}`);
  }
  for (const accountId of [pairing.lenderAccountId, pairing.borrowerAccountId]) {
    const consent = parties.find((party) => party.accountId === accountId)?.consent;
    const problem = consentProblem(pairing, { accountId, actor, consent }, at);
    if (problem !== undefined) return refused('consent', problem);
  }
  const next: Pairing = { ...withoutPause(pairing), version: pairing.version + 1, state: 'active', activeAt: at };
  const record = { accountId: pairing.borrowerAccountId, type: 'pairing.resumed', actor, at };
  return entered(pairing, next, 'Entangle Pairing Active', record);
}

/** Ends a pairing for good. Either party may at any time: a proposal is then `declined`. */
export function end(
  pairing: Pairing,
  reason: EndReason,
  concerned: AccountId,
  actor: string,
  at: EpochMillis,
): Transition {
  if (sideOf(pairing, concerned) === undefined) {
    return refused('not-a-party', `account ${concerned} is no party of pairing ${pairing.pairingId}`);
  }
  if (pairing.state === 'ended') {
    return refused('wrong-state', `pairing ${pairing.pairingId} has ended already (${pairing.endReason ?? 'unknown'})`);
  }
  const next: Pairing = {
    ...withoutPause(pairing),
    version: pairing.version + 1,
    state: 'ended',
    endReason: reason,
    endedAt: at,
  };
  return entered(pairing, next, 'Entangle Pairing Ended', { accountId: concerned, type: 'pairing.ended', actor, at });
}

/** What a party asks for by itself: a proposal is declined, anything else is ended. */
export function leave(pairing: Pairing, party: Omit<Party, 'consent'>, at: EpochMillis): Transition {
  const wasAgreed = pairing.state === 'active' || pairing.state === 'paused';
  return end(pairing, wasAgreed ? 'ended-by-party' : 'declined', party.accountId, party.actor, at);
}
