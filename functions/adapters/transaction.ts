import type { AttributeValue, CancellationReason } from '@aws-sdk/client-dynamodb';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { AuditEvent, ChainHead } from '../../core/audit/chain.ts';
import { GENESIS, link } from '../../core/audit/chain.ts';
import { documents } from './clients.ts';
import { now } from './clock.ts';
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

/** What is appended to one chain, in order. */
interface Append {
  readonly accountId: AuditEvent['accountId'];
  readonly events: readonly AuditEvent[];
}

/** The writes that append to a chain, and where it ends then. */
interface Appended {
  /** One for each record; the last one moves the head on. */
  readonly writes: readonly TransactItem[];
  readonly head: ChainHead;
}

/** Several events of one account follow one another in its chain, as they are given. */
function appendsOf(events: readonly AuditEvent[]): Append[] {
  const accounts = [...new Set(events.map(({ accountId }) => accountId))];
  return accounts.map((accountId) => ({ accountId, events: events.filter((event) => event.accountId === accountId) }));
}

/**
 * The writes that append to a chain. They fail together when another record was appended meanwhile:
 *
 *     this: head = 7 ─────────────────────── append 8 if head = 7   ✗ (head is 8)
 *     other:           append 8 if head = 7 ✓
 *
 * The head's old item comes back with the failure, so the next attempt needs no read.
 */
function auditWrites({ accountId, events }: Append, head: ChainHead, tables: AuditTables): Appended {
  const records = [];
  let end = head;
  for (const event of events) {
    const record = link(event, end, sha256Hex);
    records.push(record);
    end = { seq: record.seq, hash: record.hash };
  }
  const isFirst = head.seq === GENESIS.seq;
  const puts = records.map((record) => ({
    Put: { TableName: tables.auditTable, Item: record, ConditionExpression: 'attribute_not_exists(accountId)' },
  }));
  const move = {
    Update: {
      TableName: tables.accountsTable,
      Key: chainKey(accountId),
      UpdateExpression: 'SET seq = :seq, #hash = :hash',
      ConditionExpression: isFirst ? 'attribute_not_exists(seq)' : 'seq = :before AND #hash = :beforeHash',
      ExpressionAttributeNames: { '#hash': 'hash' },
      ExpressionAttributeValues: {
        ':seq': end.seq,
        ':hash': end.hash,
        ...(isFirst ? {} : { ':before': head.seq, ':beforeHash': head.hash }),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    },
  };
  return { writes: [...puts, move], head: end };
}

/** Enough for dozens of commits in one account at the same moment, within the time that a function has. */
const APPEND_ATTEMPTS = 60;
const FIRST_PAUSE_MILLIS = 10;
const LONGEST_PAUSE_MILLIS = 400;

/** So many may take their turn within the longest pause: each turn takes as long as an attempt does. */
const TURNS_IN_A_PAUSE = 20;
/** Before the time that a function has is over: what is not written by then is tried again by the workflow. */
const APPEND_MILLIS_MAX = 20_000;

/**
 * Full jitter: those who collided do not collide again. Appends to one chain follow one another, so the longest pause grows with the
 * time that one takes: pauses that are short beside it would only make the same collisions again.
 */
async function pause(pauses: number, attemptMillis: number): Promise<void> {
  const longest = LONGEST_PAUSE_MILLIS + TURNS_IN_A_PAUSE * attemptMillis;
  const millis = Math.random() * Math.min(FIRST_PAUSE_MILLIS * 2 ** pauses, longest);
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

/** The heads that stand in the store where others have appended meanwhile. */
function movedHeads(
  appends: readonly Append[],
  reasons: readonly CancellationReason[],
  writesBefore: number,
): Map<string, ChainHead> {
  const moved = new Map<string, ChainHead>();
  let last = writesBefore - 1;
  for (const { accountId, events } of appends) {
    last += events.length + 1;
    const reason = reasons[last];
    if (reason?.Code === 'ConditionalCheckFailed') moved.set(accountId, storedHead(reason.Item));
  }
  return moved;
}

/**
 * Writes all of `writes` and the audit records of `events`, each in the chain of its account, or nothing.
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
  const appends = appendsOf(events);
  const heads = new Map(appends.map(({ accountId }) => [String(accountId), hints[accountId] ?? GENESIS]));
  const startedAt = now();
  let [pauses, isFresh] = [0, false];
  for (let attempt = 1; attempt <= APPEND_ATTEMPTS && now() - startedAt < APPEND_MILLIS_MAX; attempt += 1) {
    const attemptedAt = now();
    const appended = appends.map((each) => auditWrites(each, heads.get(each.accountId) ?? GENESIS, tables));
    const TransactItems = [...writes.map(({ write }) => write), ...appended.flatMap((each) => each.writes)];
    try {
      await documents.send(new TransactWriteCommand({ TransactItems }));
      return Object.fromEntries(appends.map(({ accountId }, index) => [accountId, appended[index]?.head ?? GENESIS]));
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      const failed = writes.filter((_write, index) => reasons[index]?.Code === 'ConditionalCheckFailed');
      if (failed.length > 0) throw new ConditionsFailed(failed.map(({ condition }) => condition));
      const codes = reasons.map((reason) => reason.Code ?? 'None').filter((code) => code !== 'None');
      const retryable = codes.every((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict');
      if (!retryable) throw error;
      const moved = movedHeads(appends, reasons, writes.length);
      for (const [account, head] of moved) heads.set(account, head);
      // A head is worth most at the moment it is learnt: after a pause others have moved it on. So the attempt after a pause finds
      // out where the chain ends, and the next one follows at once.
      isFresh = moved.size > 0 && !isFresh;
      if (isFresh) continue;
      pauses += 1;
      await pause(pauses, now() - attemptedAt);
    }
  }
  const accounts = appends.map(({ accountId }) => accountId).join(' or ');
  throw new ConditionsFailed([`the audit chain of ${accounts} changed again and again meanwhile`]);
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
