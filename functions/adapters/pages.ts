import type { QueryCommandInput, ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import { paginateQuery, paginateScan } from '@aws-sdk/lib-dynamodb';
import { documents } from './clients.ts';

type Item = Record<string, unknown>;

async function itemsOf(pages: AsyncIterable<{ readonly Items?: Item[] | undefined }>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const page of pages) found.push(...(page.Items ?? []));
  return found;
}

/** Every item that a query finds, however many pages they fill. */
export function queryAll(query: QueryCommandInput): Promise<Item[]> {
  return itemsOf(paginateQuery({ client: documents }, query));
}

/** Every item of a table or an index, however many pages they fill. */
export function scanAll(scan: ScanCommandInput): Promise<Item[]> {
  return itemsOf(paginateScan({ client: documents }, scan));
}
