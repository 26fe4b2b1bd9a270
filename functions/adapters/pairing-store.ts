import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { ChainHead } from '../../core/audit/chain.ts';
import type { Pairing, PairingChange } from '../../core/pairing/pairing.ts';
import { documents } from './clients.ts';
import { pairingKey, pairingStateKey } from './keys.ts';
import { outboxItem } from './pairing-events.ts';
import type { AuditTables, ChainHeads, ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAuditedInAll } from './transaction.ts';

/**
 * A pairing under both of its accounts, on condition that it is as it was read:
 *
 *     a plan:    read v3 ─────────────────── pause v4 if v3  ✗ (its party has ended it meanwhile)
 *     a party:            read v3 ─ end v4 ✓
 *
 * Both copies are always written together, so that they never differ.
 */
function pairingWrites(table: string, pairing: Pairing, expectedVersion: number | undefined): ConditionedWrite[] {
  const { pairingId, lenderAccountId, borrowerAccountId } = pairing;
  const isNew = expectedVersion === undefined;
  const condition = isNew
    ? `pairing ${pairingId} does not exist yet`
    : `pairing ${pairingId} is at version ${expectedVersion}`;
  return [lenderAccountId, borrowerAccountId].map((account) => ({
    condition,
    write: {
      Put: {
        TableName: table,
        Item: { ...pairing, ...pairingKey(account, pairingId) },
        ConditionExpression: isNew ? 'attribute_not_exists(accountId)' : '#version = :version',
        ...(isNew
          ? {}
          : {
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':version': expectedVersion },
            }),
      },
    },
  }));
}

/** What goes with each change of state: the state that loans are conditional on, and the event that is to be told. */
function stateWrites(table: string, { pairing, audit, event }: PairingChange): ConditionedWrite[] {
  const { pairingId, borrowerAccountId, state, version } = pairing;
  return [
    {
      condition: `the state of pairing ${pairingId} can be written`,
      write: { Put: { TableName: table, Item: { ...pairingStateKey(borrowerAccountId, pairingId), state, version } } },
    },
    {
      condition: `event ${event.detail.eventId} can be kept`,
      write: { Put: { TableName: table, Item: outboxItem(audit.accountId, event) } },
    },
  ];
}

/**
 * Writes a change of a pairing with a record in the chains of both accounts and the event that tells of it, or nothing of it.
 * @param heads where the chains of both accounts are believed to end
 * @returns where they end then
 * @throws ConditionsFailed when the pairing has changed meanwhile
 */
export async function writePairing(
  change: PairingChange,
  heads: ChainHeads,
  tables: AuditTables,
): Promise<Readonly<Record<string, ChainHead>>> {
  const { accountsTable } = tables;
  const writes = [
    ...pairingWrites(accountsTable, change.pairing, change.expectedVersion),
    ...stateWrites(accountsTable, change),
  ];
  return commitAuditedInAll(writes, [change.audit, change.counterpartAudit], heads, tables);
}

/**
 * Writes new figures of a pairing. Nobody's right changes by them, so they leave no audit record.
 * @throws ConditionsFailed when the pairing has changed meanwhile
 */
export async function refreshPairing(table: string, pairing: Pairing, expectedVersion: number): Promise<void> {
  const writes = pairingWrites(table, pairing, expectedVersion);
  try {
    await documents.send(new TransactWriteCommand({ TransactItems: writes.map(({ write }) => write) }));
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    throw new ConditionsFailed([...new Set(writes.map(({ condition }) => condition))]);
  }
}
