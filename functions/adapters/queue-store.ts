import { DeleteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Loan } from '../../core/lending/loan.ts';
import type { AccountId, LoanId, PoolId } from '../../core/units.ts';
import { readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import { queueKey, usageKey } from './keys.ts';
import { loansById } from './loan-store.ts';

/**
 * Who waits for which lender: an item for each lender's pool that a request may borrow from, under that pool. It only says where to look:
 * whether the request waits still, and for how much, its loan says. So an item that is left behind does no harm, and it is written
 * before the loan begins to wait:
 *
 *     items written ─ loan waits ─ served ─ items removed
 *                   ✗ crash: nobody waits            ✗ crash: nobody waits any more
 */
export interface QueueTables {
  readonly accountsTable: string;
  readonly loansTable: string;
}

/** Says under each lender's pool that a request may wait for it. */
export async function enterQueue(table: string, loanId: LoanId, lenders: readonly PoolId[]): Promise<void> {
  await Promise.all(
    lenders.map((lender) =>
      documents.send(new PutCommand({ TableName: table, Item: { ...queueKey(lender, loanId), loanId } })),
    ),
  );
}

/** Removes what `enterQueue` wrote. */
export async function leaveQueue(table: string, loanId: LoanId, lenders: readonly PoolId[]): Promise<void> {
  await Promise.all(
    lenders.map((lender) => documents.send(new DeleteCommand({ TableName: table, Key: queueKey(lender, loanId) }))),
  );
}

async function idsInQueue(table: string, lender: PoolId): Promise<LoanId[]> {
  const ids: LoanId[] = [];
  const { accountId } = queueKey(lender);
  let start: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'accountId = :queue',
        ExpressionAttributeValues: { ':queue': accountId },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    ids.push(...(page.Items ?? []).map((item) => item['loanId'] as LoanId));
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return ids;
}

/** The requests in the queues of some lenders' pools, each once, in no order; also such as do not wait any more. */
export async function requestsInQueues(lenders: readonly PoolId[], tables: QueueTables): Promise<Loan[]> {
  const ids = await Promise.all(lenders.map((lender) => idsInQueue(tables.accountsTable, lender)));
  return loansById(tables.loansTable, [...new Set(ids.flat())]);
}

/** What accounts have lent and borrowed, which the order of requests looks at. */
export async function usagesOf(table: string, accounts: readonly AccountId[]) {
  const distinct = [...new Set(accounts)];
  const items = await readAccountItems(table, distinct.map(usageKey));
  return new Map(distinct.map((account) => [account, items.usage(account)] as const));
}
