import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { ChainHead } from '../../core/audit/chain.ts';
import type { Pairing, PairingChange } from '../../core/pairing/pairing.ts';
import { documents } from './clients.ts';
import { pairingKey } from './keys.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAudited } from './transaction.ts';

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

/**
 * Writes a change of a pairing with its audit record, or nothing of it.
 * @param head where the chain of the account concerned is believed to end
 * @throws ConditionsFailed when the pairing has changed meanwhile
 */
export async function writePairing(
  change: PairingChange,
  head: ChainHead | undefined,
  tables: AuditTables,
): Promise<ChainHead> {
  const writes = pairingWrites(tables.accountsTable, change.pairing, change.expectedVersion);
  return commitAudited(writes, change.audit, head, tables);
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
