/** DynamoDB in memory: conditions, updates, transactions, pages, and indexes that are a little behind. */
import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Item, Placeholders } from './expressions.ts';
import { holds, updated } from './expressions.ts';

export interface TableDefinition {
  readonly partitionKey: string;
  readonly sortKey?: string;
  /** Partition and sort key of each index; all of them hold keys only. */
  readonly indexes?: Readonly<Record<string, readonly [string, string]>>;
}

/** As infra/constructs/hub-tables.ts makes them. */
export const HUB_TABLES: Readonly<Record<string, TableDefinition>> = {
  'entangle-accounts': {
    partitionKey: 'accountId',
    sortKey: 'item',
    indexes: { 'pools-by-bucket': ['bucket', 'item'] },
  },
  'entangle-loans': {
    partitionKey: 'loanId',
    indexes: {
      'by-borrower': ['borrowerAccountId', 'requestedAt'],
      'by-lender': ['lenderAccountId', 'requestedAt'],
      open: ['openAccountId', 'loanId'],
    },
  },
  'entangle-ledger': { partitionKey: 'accountId', sortKey: 'entryId' },
  'entangle-audit': { partitionKey: 'accountId', sortKey: 'seq' },
};

/** One item before and after a write. */
export interface Change {
  readonly table: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/** What writes have in common, as the document client takes them. */
interface WriteInput {
  readonly TableName: string;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly ReturnValuesOnConditionCheckFailure?: string;
}
type Kind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';
export type TransactInput = Readonly<Partial<Record<Kind, WriteInput>>>;

export interface QueryInput {
  readonly TableName: string;
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly ExclusiveStartKey?: Item;
  readonly Limit?: number;
  readonly ScanIndexForward?: boolean;
}

interface Page {
  readonly Items: Item[];
  readonly LastEvaluatedKey?: Item;
}

/** What is stored of a value: no `undefined`, nothing that DynamoDB cannot hold; nobody can change it afterwards. */
function storable(value: unknown, path: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${path}: DynamoDB does not hold ${value}`);
    return value;
  }
  if (Array.isArray(value)) return Object.freeze(value.map((each, index) => storable(each, `${path}[${index}]`)));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const kept: Record<string, unknown> = {};
    for (const [name, each] of Object.entries(value)) {
      if (each !== undefined) kept[name] = storable(each, `${path}.${name}`);
    }
    return Object.freeze(kept);
  }
  throw new TypeError(`${path}: DynamoDB does not hold it`);
}

function placeholdersOf(input: WriteInput | QueryInput): Placeholders {
  return { names: input.ExpressionAttributeNames, values: input.ExpressionAttributeValues };
}

function validation(message: string): DynamoDBServiceException {
  return new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', $metadata: {}, message });
}

class MemoryTable {
  readonly definition: TableDefinition;
  readonly items = new Map<string, Item>();
  readonly #partitions = new Map<string, string[]>();
  /** By index and partition: keys of items with what they are sorted by. */
  readonly indexed = new Map<string, Map<string, Item>>();

  constructor(definition: TableDefinition) {
    this.definition = definition;
    for (const name of Object.keys(definition.indexes ?? {})) this.indexed.set(name, new Map());
  }

  keyOf(item: Item): string {
    const { partitionKey, sortKey } = this.definition;
    const partition = item[partitionKey];
    const sort = sortKey === undefined ? '' : item[sortKey];
    if (typeof partition !== 'string' || (typeof sort !== 'string' && typeof sort !== 'number'))
      throw validation(`the key of ${JSON.stringify(item)}`);
    return `${partition}\n${typeof sort === 'number' ? String(sort).padStart(16, '0') : sort}`;
  }

  /** The primary key and the keys of an index, as a page ends with them. */
  keysOf(item: Item, index?: string): Item {
    const { partitionKey, sortKey, indexes = {} } = this.definition;
    const names = [partitionKey, ...(sortKey === undefined ? [] : [sortKey]), ...(indexes[index ?? ''] ?? [])];
    return Object.fromEntries([...new Set(names)].map((name) => [name, item[name]]));
  }

  partition(name: string): readonly Item[] {
    const found: Item[] = [];
    for (const key of this.#partitions.get(name) ?? []) {
      const item = this.items.get(key);
      if (item !== undefined) found.push(item);
    }
    return found;
  }

  write(key: string, item: Item | undefined): void {
    const partition = key.slice(0, key.indexOf('\n'));
    const keys = this.#partitions.get(partition) ?? [];
    const known = this.items.has(key);
    if (item === undefined) {
      this.items.delete(key);
      if (known) keys.splice(keys.indexOf(key), 1);
      return;
    }
    this.items.set(key, item);
    if (known) return;
    let at = keys.length;
    while (at > 0 && (keys[at - 1] ?? '') > key) at -= 1;
    keys.splice(at, 0, key);
    this.#partitions.set(partition, keys);
  }

  /** Brings an index up to date with one item. */
  index(name: string, key: string): void {
    const entries = this.indexed.get(name);
    const item = this.items.get(key);
    const [partition, sort] = this.definition.indexes?.[name] ?? ['', ''];
    if (item?.[partition] === undefined || item[sort] === undefined) entries?.delete(key);
    else entries?.set(key, this.keysOf(item, name));
  }

  isIndexChanged(name: string, before: Item | undefined, after: Item | undefined): boolean {
    return (this.definition.indexes?.[name] ?? []).some((key) => before?.[key] !== after?.[key]);
  }
}

/** Where indexes get the delay from with which they follow, and pages their length. */
interface Surroundings {
  readonly later: (run: () => void) => void;
  readonly pageItems: number;
  readonly onChanged: (changes: readonly Change[]) => void;
}

export class Tables {
  readonly #tables = new Map<string, MemoryTable>();
  readonly #surroundings: Surroundings;

  constructor(definitions: Readonly<Record<string, TableDefinition>>, surroundings: Surroundings) {
    this.#surroundings = surroundings;
    for (const [name, definition] of Object.entries(definitions)) this.#tables.set(name, new MemoryTable(definition));
  }

  #table(name: string): MemoryTable {
    const table = this.#tables.get(name);
    if (table === undefined) throw validation(`there is no table ${name}`);
    return table;
  }

  /** All items of a table, for the checks. */
  all(name: string): IterableIterator<Item> {
    return this.#table(name).items.values();
  }

  partition(name: string, key: string): readonly Item[] {
    return this.#table(name).partition(key);
  }

  get(table: string, key: Item): Item | undefined {
    const found = this.#table(table);
    const item = found.items.get(found.keyOf(key));
    return item === undefined ? undefined : { ...item };
  }

  query(input: QueryInput): Page {
    const table = this.#table(input.TableName);
    const placeholders = placeholdersOf(input);
    const condition = input.KeyConditionExpression;
    const all = input.IndexName === undefined ? [...table.items.values()] : this.#indexed(table, input.IndexName);
    const partition = this.#partitionOf(table, input);
    const from = input.IndexName === undefined && partition !== undefined ? table.partition(partition) : all;
    const found = condition === undefined ? from : from.filter((item) => holds(condition, item, placeholders));
    return this.#page(table, input, input.ScanIndexForward === false ? [...found].reverse() : found);
  }

  /** The partition of a query by primary key: its condition begins with it in every query that is made. */
  #partitionOf({ definition }: MemoryTable, input: QueryInput): string | undefined {
    const match = /^\s*([#\w]+)\s*=\s*(:\w+)/.exec(input.KeyConditionExpression ?? '');
    const [, name = '', value = ''] = match ?? [];
    if ((input.ExpressionAttributeNames?.[name] ?? name) !== definition.partitionKey) return undefined;
    return String(input.ExpressionAttributeValues?.[value]);
  }

  #indexed(table: MemoryTable, index: string): Item[] {
    const entries = table.indexed.get(index);
    const [, sort = ''] = table.definition.indexes?.[index] ?? [];
    if (entries === undefined) throw validation(`there is no index ${index}`);
    const textOf = (item: Item): string => `${String(item[sort]).padStart(16, '0')}\n${table.keyOf(item)}`;
    return [...entries.values()].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
  }

  #page(table: MemoryTable, input: QueryInput, found: readonly Item[]): Page {
    const start = input.ExclusiveStartKey;
    const startText = start === undefined ? undefined : table.keyOf(start);
    const first = startText === undefined ? 0 : found.findIndex((item) => table.keyOf(item) === startText) + 1;
    const length = Math.min(input.Limit ?? Number.POSITIVE_INFINITY, this.#surroundings.pageItems);
    const looked = found.slice(first, first + length);
    const last = looked.at(-1);
    const { FilterExpression: filter } = input;
    const Items = (
      filter === undefined ? looked : looked.filter((item) => holds(filter, item, placeholdersOf(input)))
    ).map((item) => ({ ...item }));
    return last === undefined || first + length >= found.length
      ? { Items }
      : { Items, LastEvaluatedKey: table.keysOf(last, input.IndexName) };
  }

  #after(kind: Kind, input: WriteInput, before: Item | undefined): Item | undefined {
    if (kind === 'Put') return storable(input.Item, input.TableName) as Item;
    if (kind === 'Delete') return undefined;
    if (kind === 'ConditionCheck') return before;
    const values = storable(input.ExpressionAttributeValues ?? {}, 'ExpressionAttributeValues') as Item;
    const placeholders = { names: input.ExpressionAttributeNames, values };
    return storable(updated(input.UpdateExpression ?? '', before ?? { ...input.Key }, placeholders), 'item') as Item;
  }

  #commit(writes: readonly (readonly [Kind, WriteInput])[]): void {
    const changes: Change[] = [];
    for (const [kind, input] of writes) {
      if (kind === 'ConditionCheck') continue;
      const table = this.#table(input.TableName);
      const key = table.keyOf(input.Item ?? input.Key ?? {});
      const before = table.items.get(key);
      const after = this.#after(kind, input, before);
      table.write(key, after);
      changes.push({ table: input.TableName, before, after });
      for (const name of Object.keys(table.definition.indexes ?? {})) {
        if (table.isIndexChanged(name, before, after)) this.#surroundings.later(() => table.index(name, key));
      }
    }
    this.#surroundings.onChanged(changes);
  }

  #current(input: WriteInput): Item | undefined {
    const table = this.#table(input.TableName);
    return table.items.get(table.keyOf(input.Item ?? input.Key ?? {}));
  }

  #isMet(input: WriteInput): boolean {
    const { ConditionExpression: condition } = input;
    return condition === undefined || holds(condition, this.#current(input), placeholdersOf(input));
  }

  /** @throws ConditionalCheckFailedException */
  write(kind: Kind, input: WriteInput): void {
    if (!this.#isMet(input)) {
      throw new ConditionalCheckFailedException({ $metadata: {}, message: 'The conditional request failed' });
    }
    this.#commit([[kind, input]]);
  }

  /** @throws TransactionCanceledException with the reason of each of its writes */
  transactWrite(items: readonly TransactInput[]): void {
    const writes = items.flatMap((item) => Object.entries(item) as [Kind, WriteInput][]);
    if (writes.length > 100) throw validation('a transaction has 100 writes at most');
    const keys = writes.map(
      ([, input]) => `${input.TableName}\n${this.#table(input.TableName).keyOf(input.Item ?? input.Key ?? {})}`,
    );
    if (new Set(keys).size < keys.length) {
      throw validation('Transaction request cannot include multiple operations on one item');
    }
    const met = writes.map(([, input]) => this.#isMet(input));
    if (met.every(Boolean)) {
      this.#commit(writes);
      return;
    }
    throw new TransactionCanceledException({
      $metadata: {},
      message: 'Transaction cancelled',
      CancellationReasons: writes.map(([, input], index) => {
        if (met[index]) return { Code: 'None' };
        const old = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? this.#current(input) : undefined;
        return { Code: 'ConditionalCheckFailed', ...(old === undefined ? {} : { Item: marshall(old) }) };
      }),
    });
  }
}
