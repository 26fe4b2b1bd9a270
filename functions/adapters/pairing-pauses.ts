import type { ChainHead } from '../../core/audit/chain.ts';
import { pausesForTrust } from '../../core/pairing/interruptions.ts';
import type { PairingChange } from '../../core/pairing/pairing.ts';
import { trustOf } from '../../core/trust/trust.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { pairingsOf, readAccountItems } from './account-store.ts';
import { consentKey } from './keys.ts';
import { logger } from './middleware.ts';
import type { EventRoute } from './pairing-events.ts';
import { publishPairingEvents } from './pairing-events.ts';
import { writePairing } from './pairing-store.ts';
import type { AuditTables } from './transaction.ts';
import { ConditionsFailed } from './transaction.ts';
import { evidenceOf } from './trust-store.ts';

/**
 * Writes pauses and tells of them. A pairing that somebody else has changed meanwhile stays as they left it.
 * @returns how many are paused now
 */
export async function writePauses(
  changes: readonly PairingChange[],
  tables: AuditTables,
  route: EventRoute,
): Promise<number> {
  const written: PairingChange[] = [];
  const heads = new Map<string, ChainHead>();
  try {
    for (const change of changes) {
      try {
        const moved = await writePairing(change, Object.fromEntries(heads), tables);
        for (const [account, head] of Object.entries(moved)) heads.set(account, head);
        written.push(change);
      } catch (error) {
        if (!(error instanceof ConditionsFailed)) throw error;
        const { pairingId } = change.pairing;
        logger.warn('a pairing changed while it was paused', { pairingId, reason: error.message });
      }
    }
  } finally {
    await publishPairingEvents(written, route);
  }
  return written.length;
}

/**
 * Pauses the pairings of an account of which something bad has just been recorded, where its counterparties ask for more trust than it
 * has now. Loans that are open go on.
 */
export async function pauseUntrusted(
  account: AccountId,
  actor: string,
  at: EpochMillis,
  tables: AuditTables,
  route: EventRoute,
): Promise<number> {
  const { accountsTable } = tables;
  const active = (await pairingsOf(accountsTable, account)).filter(({ state }) => state === 'active');
  if (active.length === 0) return 0;
  const others = active.flatMap(({ lenderAccountId, borrowerAccountId }) => [lenderAccountId, borrowerAccountId]);
  const items = await readAccountItems(accountsTable, others.map(consentKey));
  const { score } = trustOf(await evidenceOf(accountsTable, account, at), at);
  const changes = pausesForTrust(
    { accountId: account, trust: score },
    active,
    (other) => items.consent(other),
    actor,
    at,
  );
  return writePauses(changes, tables, route);
}
