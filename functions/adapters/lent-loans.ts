import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Loan } from '../../core/lending/loan.ts';
import { isOpen } from '../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../core/lending/loan-units.ts';
import type { Pool } from '../../core/pool.ts';
import { documents } from './clients.ts';
import { loansById } from './loan-store.ts';

/** Loans that are read at a time, the newest first: those that hold units are among the last that were made. */
const PAGE_LOANS = 50;

/**
 * The open loans that hold units of a pool. Read from the newest back, only until all units that the pool has lent are found:
 * a long history costs nothing.
 */
export async function lentLoansOf(table: string, pool: Pick<Pool, 'spec' | 'lentUnits'>): Promise<Loan[]> {
  const found: Loan[] = [];
  let missing = pool.lentUnits;
  let start: Record<string, unknown> | undefined;
  while (missing > 0) {
    const page = await documents.send(
      new QueryCommand({
        TableName: table,
        IndexName: 'by-lender',
        KeyConditionExpression: 'lenderAccountId = :account',
        ExpressionAttributeValues: { ':account': pool.spec.accountId },
        ScanIndexForward: false,
        Limit: PAGE_LOANS,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    const loans = await loansById(
      table,
      (page.Items ?? []).map((item) => String(item['loanId'])),
    );
    for (const loan of loans) {
      if (loan.lenderPoolId !== pool.spec.poolId || !isOpen(loan)) continue;
      found.push(loan);
      missing -= lenderUnitsOf(loan);
    }
    start = page.LastEvaluatedKey;
    if (start === undefined) break;
  }
  return found;
}
