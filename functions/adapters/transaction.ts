import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { AuditEvent, ChainHead } from '../../core/audit/chain.ts';
import { GENESIS, link } from '../../core/audit/chain.ts';
import { documents } from './clients.ts';
import { sha256Hex } from './ids.ts';
import { chainKey } from './keys.ts';

export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** One write of a transaction, and what a failure of its condition means. */
export interface ConditionedWrite {
  readonly write: TransactItem;
  /** For people: which condition this is. */
  readonly condition: string;
}

/** Thrown when conditions other than the audit chain's place failed; nothing was written. */
export class ConditionsFailed extends Error {
  override readonly name = 'ConditionsFailed';
  readonly conditions: readonly string[];
  constructor(conditions: readonly string[]) {
    super(`not written, because of: ${conditions.join('; ')}`);
    this.conditions = conditions;
  }
}

export interface AuditTables {
  readonly accountsTable: string;
  readonly auditTable: string;
}

/** The record and the head that it moves on. */
const AUDIT_WRITES = 2;

/**
 * The two writes that append to a chain. They fail together when another record was appended meanwhile:
 *
 *     this: head = 7 ─────────────────────── append 8 if head = 7   ✗ (head is 8)
 *     other:           append 8 if head = 7 ✓
 *
 * The head's old item comes back with the failure, so the next attempt needs no read.
 */
function auditWrites(event: AuditEvent, head: ChainHead, tables: AuditTables): TransactItem[] {
  const record = link(event, head, sha256Hex);
  const isFirst = head.seq === GENESIS.seq;
  return [
    {
      Put: {
        TableName: tables.auditTable,
        Item: record,
        ConditionExpression: 'attribute_not_exists(accountId)',
      },
    },
    {
      Update: {
        TableName: tables.accountsTable,
        Key: chainKey(event.accountId),
        UpdateExpression: 'SET seq = :seq, #hash = :hash',
        ConditionExpression: isFirst ? 'attribute_not_exists(seq)' : 'seq = :before AND #hash = :beforeHash',
        ExpressionAttributeNames: { '#hash': 'hash' },
        ExpressionAttributeValues: {
          ':seq': record.seq,
          ':hash': record.hash,
          ...(isFirst ? {} : { ':before': head.seq, ':beforeHash': head.hash }),
        },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
  ];
}

/** Enough for dozens of commits in one account at the same moment, within the time that a function has. */
const APPEND_ATTEMPTS = 30;
const FIRST_PAUSE_MILLIS = 10;
const LONGEST_PAUSE_MILLIS = 400;

/** Full jitter: those who collided do not collide again. */
async function pause(attempt: number): Promise<void> {
  const millis = Math.random() * Math.min(FIRST_PAUSE_MILLIS * 2 ** attempt, LONGEST_PAUSE_MILLIS);
  await new Promise((resolve) => setTimeout(resolve, millis));
}

/** The head that stands in the store, from the reason that DynamoDB gives; no item there means no record yet. */
function storedHead(item: Record<string, AttributeValue> | undefined): ChainHead {
  if (item === undefined || Object.keys(item).length === 0) return GENESIS;
  const { seq, hash } = unmarshall(item);
  return { seq: Number(seq), hash: String(hash) };
}

/** Where chains end, or are believed to end, by account. */
export type ChainHeads = Readonly<Record<string, ChainHead | undefined>>;

/**
 * Writes all of `writes` and one audit record in each of several chains, or nothing.
 * @param events one for each account at most
 * @param hints where their chains are believed to end; a wrong hint costs one more attempt
 * @returns the new heads of those chains
 * @throws ConditionsFailed with the conditions of `writes` that did not hold
 */
export async function commitAuditedInAll(
  writes: readonly ConditionedWrite[],
  events: readonly AuditEvent[],
  hints: ChainHeads,
  tables: AuditTables,
): Promise<Readonly<Record<string, ChainHead>>> {
  const heads = new Map(events.map(({ accountId }) => [accountId, hints[accountId] ?? GENESIS]));
  const headOf = ({ accountId }: AuditEvent): ChainHead => heads.get(accountId) ?? GENESIS;
  for (let attempt = 1; attempt <= APPEND_ATTEMPTS; attempt += 1) {
    const appended = events.flatMap((event) => auditWrites(event, headOf(event), tables));
    const TransactItems = [...writes.map(({ write }) => write), ...appended];
    try {
      await documents.send(new TransactWriteCommand({ TransactItems }));
      const linked = events.map((event) => link(event, headOf(event), sha256Hex));
      return Object.fromEntries(linked.map(({ accountId, seq, hash }) => [accountId, { seq, hash }]));
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      const failed = writes.filter((_write, index) => reasons[index]?.Code === 'ConditionalCheckFailed');
      if (failed.length > 0) throw new ConditionsFailed(failed.map(({ condition }) => condition));
      const codes = reasons.map((reason) => reason.Code ?? 'None').filter((code) => code !== 'None');
      const retryable = codes.every((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');
      if (!retryable) throw error;
      for (const [index, { accountId }] of events.entries()) {
        const headReason = reasons[writes.length + AUDIT_WRITES * (index + 1) - 1];
        if (headReason?.Code === 'ConditionalCheckFailed') heads.set(accountId, storedHead(headReason.Item));
      }
      await pause(attempt);
    }
  }
  const accounts = events.map(({ accountId }) => accountId).join(' or ');
  throw new ConditionsFailed([`the audit chain of ${accounts} changed ${APPEND_ATTEMPTS} times meanwhile`]);
}

/**
 * Writes all of `writes` and one audit record, or nothing.
 * @param hint where the chain of the event's account is believed to end; a wrong hint costs one more attempt
 * @returns the new head of that chain
 * @throws ConditionsFailed with the conditions of `writes` that did not hold
 */
export async function commitAudited(
  writes: readonly ConditionedWrite[],
  event: AuditEvent,
  hint: ChainHead | undefined,
  tables: AuditTables,
): Promise<ChainHead> {
  const heads = await commitAuditedInAll(writes, [event], { [event.accountId]: hint }, tables);
  return heads[event.accountId] ?? GENESIS;
}
