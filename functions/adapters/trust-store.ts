import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TrustEvidence } from '../../core/trust/evidence.ts';
import { auditOfRecord, replacementOf } from '../../core/trust/record.ts';
import { HALF_LIFE_DAYS } from '../../core/trust/trust.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
import { documents } from './clients.ts';
import { evidenceItem } from './keys.ts';
import { queryAll } from './pages.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAudited } from './transaction.ts';

const MILLIS_PER_DAY = 86_400_000;
/** Evidence that is older counts less than half a percent: it stays stored, and is not read. */
const HALF_LIVES_READ = 8;

const keyOf = ({ accountId, at, evidenceId }: TrustEvidence) => ({ accountId, item: evidenceItem(at, evidenceId) });

/**
 * Keeps evidence under the account that it is about. What stands in its place already stays: a step that is repeated does not undo what
 * was recorded since.
 */
export async function writeEvidence(table: string, evidence: readonly TrustEvidence[]): Promise<void> {
  await Promise.all(evidence.map((each) => keep(table, each)));
}

async function keep(table: string, evidence: TrustEvidence): Promise<void> {
  try {
    await documents.send(
      new PutCommand({
        TableName: table,
        Item: { ...evidence, ...keyOf(evidence) },
        ConditionExpression: 'attribute_not_exists(accountId)',
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** What stands in the place of a piece of evidence: of the same account, moment and id. */
export async function evidenceInPlaceOf(table: string, evidence: TrustEvidence): Promise<TrustEvidence | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: keyOf(evidence), ConsistentRead: true }),
  );
  if (Item === undefined) return undefined;
  const { item: _sortKey, ...stored } = Item;
  return stored as unknown as TrustEvidence;
}

/** The write of a piece of evidence, on condition that what was read still stands in its place. */
export function evidenceWrite(
  table: string,
  evidence: TrustEvidence,
  stored: TrustEvidence | undefined,
): ConditionedWrite {
  const { subject } = evidence;
  return {
    condition: `what is recorded of ${subject} is ${stored?.kind ?? 'nothing'}`,
    write: {
      Put: {
        TableName: table,
        Item: { ...evidence, ...keyOf(evidence) },
        ...(stored === undefined
          ? { ConditionExpression: 'attribute_not_exists(accountId)' }
          : {
              ConditionExpression: '#kind = :kind',
              ExpressionAttributeNames: { '#kind': 'kind' },
              ExpressionAttributeValues: { ':kind': stored.kind },
            }),
      },
    },
  };
}

/** The write of what the end of a loan shows: with the end itself, which is written once, so that nothing can stand in its place. */
export function evidenceOfLoan(table: string, evidence: TrustEvidence): ConditionedWrite {
  return {
    condition: `${evidence.kind} is kept with the end of ${evidence.subject}`,
    write: { Put: { TableName: table, Item: { ...evidence, ...keyOf(evidence) } } },
  };
}

/**
 * Keeps evidence that somebody recorded, with a record in the chain of the account that it is about; said again, it is neither written
 * nor recorded anew.
 * @param operator account of the hub's operator, whose word stands
 * @throws ConditionsFailed when something else was recorded meanwhile, or the operator has decided
 */
export async function recordEvidence(
  evidence: TrustEvidence,
  operator: string,
  at: EpochMillis,
  tables: AuditTables,
): Promise<{ readonly recorded: boolean }> {
  const stored = await evidenceInPlaceOf(tables.accountsTable, evidence);
  const replacement = replacementOf(evidence, stored, operator);
  if (replacement === 'unchanged') return { recorded: false };
  if (replacement !== 'write') throw new ConditionsFailed([replacement.reason]);
  const writes = [evidenceWrite(tables.accountsTable, evidence, stored)];
  await commitAudited(writes, auditOfRecord(evidence, stored, at), undefined, tables);
  return { recorded: true };
}

/** The evidence of an account that still counts. */
export async function evidenceOf(table: string, account: AccountId, now: EpochMillis): Promise<TrustEvidence[]> {
  const since = epochMillis(Math.max(0, now - HALF_LIVES_READ * HALF_LIFE_DAYS * MILLIS_PER_DAY));
  const found = await queryAll({
    TableName: table,
    KeyConditionExpression: 'accountId = :account AND #item BETWEEN :since AND :end',
    ExpressionAttributeNames: { '#item': 'item' },
    // '~' comes after every digit and letter: all evidence, however clocks differ.
    ExpressionAttributeValues: { ':account': account, ':since': evidenceItem(since), ':end': 'EVIDENCE#~' },
    ConsistentRead: true,
  });
  return found.map(({ item: _sortKey, ...evidence }) => evidence as unknown as TrustEvidence);
}
