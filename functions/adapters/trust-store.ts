import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { TrustEvidence } from '../../core/trust/evidence.ts';
import { HALF_LIFE_DAYS } from '../../core/trust/trust.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
import { documents } from './clients.ts';
import { evidenceItem } from './keys.ts';

const MILLIS_PER_DAY = 86_400_000;
/** Evidence that is older counts less than half a percent: it stays stored, and is not read. */
const HALF_LIVES_READ = 8;

/** Keeps evidence under the account that it is about. Written again, it is the same item. */
export async function writeEvidence(table: string, evidence: readonly TrustEvidence[]): Promise<void> {
  for (const each of evidence) {
    const { accountId, at, evidenceId } = each;
    await documents.send(
      new PutCommand({ TableName: table, Item: { ...each, accountId, item: evidenceItem(at, evidenceId) } }),
    );
  }
}

/** The evidence of an account that still counts. */
export async function evidenceOf(table: string, account: AccountId, now: EpochMillis): Promise<TrustEvidence[]> {
  const since = epochMillis(Math.max(0, now - HALF_LIVES_READ * HALF_LIFE_DAYS * MILLIS_PER_DAY));
  const found: TrustEvidence[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'accountId = :account AND #item BETWEEN :since AND :end',
        ExpressionAttributeNames: { '#item': 'item' },
        // '~' comes after every digit and letter: all evidence, however clocks differ.
        ExpressionAttributeValues: { ':account': account, ':since': evidenceItem(since), ':end': 'EVIDENCE#~' },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    for (const { item: _sortKey, ...evidence } of page.Items ?? []) found.push(evidence as unknown as TrustEvidence);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return found;
}
