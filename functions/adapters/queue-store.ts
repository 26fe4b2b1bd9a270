import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { OrderRule } from '../../core/allocation/priority.ts';
import type { HeldUnits } from '../../core/lending/lender-finding.ts';
import type { Loan } from '../../core/lending/loan.ts';
import { heldBefore } from '../../core/lending/queue.ts';
import type { AccountId, LoanId, PoolId } from '../../core/units.ts';
import type { AccountItems } from './account-store.ts';
import { readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import { now } from './clock.ts';
import { queuedKey, queueKey, usageKey } from './keys.ts';
import { loansById } from './loan-store.ts';
import { queryAll } from './pages.ts';

/**
 * Who waits for which lender: an item for each lender's pool that a request may borrow from, under that pool. It only says where to look:
 * whether the request waits still, and for how much, its loan says. So an item that is left behind does no harm, and it is written
 * before the loan begins to wait:
 *
 *     items written ─ loan waits ─ served ─ items removed
 *                   ✗ crash: nobody waits            ✗ crash: nobody waits any more
 *
 * A count under the lender's account says whether looking into a queue is worth a query: how often it was entered, counted after the
 * item is written, and up to which entry it was found empty. Both only rise. So whoever has read the count and then finds the queue
 * empty knows that of every entry up to that count, whatever comes meanwhile:
 *
 *     emptier:  count = 7 ─────────────── queue empty ──────── empty up to 7
 *     a request:          item written ✗ (it is found) ✓ or: ── item written ─ count = 8: look
 */
export interface QueueTables {
  readonly accountsTable: string;
  readonly loansTable: string;
}

async function enter(table: string, loanId: LoanId, lender: PoolId): Promise<void> {
  await documents.send(new PutCommand({ TableName: table, Item: { ...queueKey(lender, loanId), loanId } }));
  await documents.send(
    new UpdateCommand({
      TableName: table,
      Key: queuedKey(lender),
      UpdateExpression: 'ADD entered :one',
      ExpressionAttributeValues: { ':one': 1 },
    }),
  );
}

/** Says under each lender's pool that a request may wait for it. */
export async function enterQueue(table: string, loanId: LoanId, lenders: readonly PoolId[]): Promise<void> {
  await Promise.all(lenders.map((lender) => enter(table, loanId, lender)));
}

function enteredOf(items: Pick<AccountItems, 'other'>, lender: PoolId): number {
  return Number(items.other(queuedKey(lender))?.['entered'] ?? 0);
}

/** Whether anybody may be in the queue of a lender's pool, by items that were read with its `queuedKey`. */
export function mayBeQueued(items: Pick<AccountItems, 'other'>, lender: PoolId): boolean {
  return enteredOf(items, lender) > Number(items.other(queuedKey(lender))?.['emptyUpTo'] ?? 0);
}

/** Says of a queue that was found empty that it was, up to the count that had been read before that. */
export async function noteEmpty(table: string, lender: PoolId, items: Pick<AccountItems, 'other'>): Promise<void> {
  try {
    await documents.send(
      new UpdateCommand({
        TableName: table,
        Key: queuedKey(lender),
        UpdateExpression: 'SET emptyUpTo = :entered',
        ConditionExpression: 'attribute_not_exists(emptyUpTo) OR emptyUpTo < :entered',
        ExpressionAttributeValues: { ':entered': enteredOf(items, lender) },
      }),
    );
  } catch (error) {
    // Somebody else has found it empty since.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

/** Removes what `enterQueue` wrote. */
export async function leaveQueue(table: string, loanId: LoanId, lenders: readonly PoolId[]): Promise<void> {
  await Promise.all(
    lenders.map((lender) => documents.send(new DeleteCommand({ TableName: table, Key: queueKey(lender, loanId) }))),
  );
}

/** The requests in the queue of a lender's pool, by their ids; also such as do not wait any more. */
export async function idsInQueue(table: string, lender: PoolId): Promise<LoanId[]> {
  const { accountId } = queueKey(lender);
  const found = await queryAll({
    TableName: table,
    KeyConditionExpression: 'accountId = :queue',
    ExpressionAttributeValues: { ':queue': accountId },
    ConsistentRead: true,
  });
  return found.map((item) => item['loanId'] as LoanId);
}

/** The requests in the queues of some lenders' pools, each once, in no order; also such as do not wait any more. */
export async function requestsInQueues(lenders: readonly PoolId[], tables: QueueTables): Promise<Loan[]> {
  const ids = await Promise.all(lenders.map((lender) => idsInQueue(tables.accountsTable, lender)));
  return loansById(tables.loansTable, [...new Set(ids.flat())]);
}

/** A request whose making was cut off is no reason to hold anything for it. */
const ASKING_MILLIS = 120_000;

/**
 * What requests that come before another are to have of a lender: those that wait for it, and those that have found it busy just now.
 * @param own the request that is looked at, which need not be written
 * @param queued what is in the lender's queue, where it has been read already
 * @returns undefined when nobody else asks
 */
export async function heldOf(
  lender: PoolId,
  own: Loan,
  order: readonly OrderRule[],
  tables: QueueTables,
  queued = requestsInQueues([lender], tables),
): Promise<HeldUnits | undefined> {
  const at = now();
  const others = (await queued).filter(
    ({ loanId, state, requestedAt }) =>
      loanId !== own.loanId && (state === 'waiting' || (state === 'requested' && at - requestedAt < ASKING_MILLIS)),
  );
  if (others.length === 0) return undefined;
  const accounts = [own, ...others].map(({ borrowerAccountId }) => borrowerAccountId);
  return heldBefore(own, others, { rules: order, now: at, usages: await usagesOf(tables.accountsTable, accounts) });
}

/** What accounts have lent and borrowed, which the order of requests looks at. */
export async function usagesOf(table: string, accounts: readonly AccountId[]) {
  const distinct = [...new Set(accounts)];
  const items = await readAccountItems(table, distinct.map(usageKey));
  return new Map(distinct.map((account) => [account, items.usage(account)] as const));
}
