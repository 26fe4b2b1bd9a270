/** What a party of a pairing allows at most of it: stated when it accepts, or later. The other party does not read it. */
import type { UnitLimit } from '../unit-limits.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import type { Party, Transition } from './lifecycle.ts';
import { entered, refused } from './lifecycle.ts';
import type { Pairing, PairingChange, PairingEvent, PairingLimit } from './pairing.ts';

function withLimit(pairing: Pairing, accountId: AccountId, limit: UnitLimit | undefined): Pairing {
  const { limits = [], ...rest } = pairing;
  const others = limits.filter((each) => each.accountId !== accountId);
  const stated: readonly PairingLimit[] = limit === undefined ? others : [...others, { ...limit, accountId }];
  return stated.length === 0 ? rest : { ...rest, limits: stated };
}

function limitDetail(limit: UnitLimit | undefined): Record<string, number | null> {
  return { maxUnits: limit?.maxUnits ?? null, maxUnitHoursPerMonth: limit?.maxUnitHoursPerMonth ?? null };
}

/** A change of a pairing by a party that states its limit along with it. */
export function alsoLimited(change: PairingChange, accountId: AccountId, limit: UnitLimit): PairingChange {
  const detail = { ...change.audit.detail, ...limitDetail(limit) };
  return { ...change, pairing: withLimit(change.pairing, accountId, limit), audit: { ...change.audit, detail } };
}

const EVENTS = {
  proposed: 'Entangle Pairing Proposed',
  'accepted-by-one': 'Entangle Pairing Accepted',
  active: 'Entangle Pairing Active',
  paused: 'Entangle Pairing Paused',
  ended: 'Entangle Pairing Ended',
} as const satisfies Record<Pairing['state'], PairingEvent['detailType']>;

/**
 * States what one party allows at most from now on, or that it states no limit any more. Loans that are open go on; what was counted
 * for a limit goes on counting.
 */
export function stateLimit(
  pairing: Pairing,
  { accountId, actor }: Omit<Party, 'consent'>,
  limit: UnitLimit | undefined,
  at: EpochMillis,
): Transition {
  if (accountId !== pairing.lenderAccountId && accountId !== pairing.borrowerAccountId) {
    return refused('not-a-party', `account ${accountId} is no party of pairing ${pairing.pairingId}`);
  }
  if (pairing.state === 'ended') {
    return refused('wrong-state', `pairing ${pairing.pairingId} has ended: there is nothing to limit`);
  }
  const next = { ...withLimit(pairing, accountId, limit), version: pairing.version + 1 };
  const record = { accountId, type: 'pairing.limited', actor, at };
  const change = entered(pairing, next, EVENTS[pairing.state], record);
  return { ...change, audit: { ...change.audit, detail: { ...change.audit.detail, ...limitDetail(limit) } } };
}
