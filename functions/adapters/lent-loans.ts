import { paginateQuery } from '@aws-sdk/lib-dynamodb';
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
  if (missing <= 0) return found;
  const query = {
    TableName: table,
    IndexName: 'by-lender',
    KeyConditionExpression: 'lenderAccountId = :account',
    ExpressionAttributeValues: { ':account': pool.spec.accountId },
    ScanIndexForward: false,
  };
  for await (const page of paginateQuery({ client: documents, pageSize: PAGE_LOANS }, query)) {
    const ids = (page.Items ?? []).map((item) => String(item['loanId']));
    for (const loan of await loansById(table, ids)) {
      if (loan.lenderPoolId !== pool.spec.poolId || !isOpen(loan)) continue;
      found.push(loan);
      missing -= lenderUnitsOf(loan);
    }
    if (missing <= 0) break;
  }
  return found;
}
