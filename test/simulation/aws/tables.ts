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

/** One write of a request, with the table and the key that it is about. */
interface Write {
  readonly kind: Kind;
  readonly input: WriteInput;
  readonly table: MemoryTable;
  readonly key: string;
}

interface Page {
  readonly Items: readonly Item[];
  readonly LastEvaluatedKey?: Item;
}

/** What is stored of an attribute: no `undefined`, nothing that DynamoDB cannot hold; nobody can change it afterwards. */
function storable(value: unknown, name: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${name}: DynamoDB does not hold ${value}`);
    return value;
  }
  if (Array.isArray(value)) return Object.freeze(value.map((each) => storable(each, name)));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return storableItem(value as Item);
  throw new TypeError(`${name}: DynamoDB does not hold it`);
}

/** @param before what was stored: what is in it and stays is not copied */
function storableItem(item: Item, before?: Item): Item {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(item)) {
    const each = item[name];
    if (each !== undefined) kept[name] = each === before?.[name] ? each : storable(each, name);
  }
  return Object.freeze(kept);
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
  /** By index: the keys of its items, by their primary key. */
  readonly #indexed = new Map<string, Map<string, Item>>();
  /** Of indexes that have not changed since they were read: their items in order. */
  readonly #sorted = new Map<string, readonly Item[]>();
  readonly #indexNames: readonly string[];

  constructor(definition: TableDefinition) {
    this.definition = definition;
    this.#indexNames = Object.keys(definition.indexes ?? {});
    for (const name of this.#indexNames) this.#indexed.set(name, new Map());
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
    const entries = this.#indexed.get(name);
    this.#sorted.delete(name);
    const item = this.items.get(key);
    const [partition, sort] = this.definition.indexes?.[name] ?? ['', ''];
    if (item?.[partition] === undefined || item[sort] === undefined) entries?.delete(key);
    else entries?.set(key, this.keysOf(item, name));
  }

  /** Names of the indexes that a write changes. */
  indexesChanged(before: Item | undefined, after: Item | undefined): readonly string[] {
    return this.#indexNames.filter((name) => {
      const [partition, sort] = this.definition.indexes?.[name] ?? ['', ''];
      return before?.[partition] !== after?.[partition] || before?.[sort] !== after?.[sort];
    });
  }

  /** All items of an index, in the order of its sort key. */
  inIndex(name: string): readonly Item[] {
    const known = this.#sorted.get(name);
    if (known !== undefined) return known;
    const entries = this.#indexed.get(name);
    const [, sort = ''] = this.definition.indexes?.[name] ?? [];
    if (entries === undefined) throw validation(`there is no index ${name}`);
    const keyed = Array.from(
      entries,
      ([key, item]) => [`${String(item[sort]).padStart(16, '0')}\n${key}`, item] as const,
    );
    const sorted = keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
    this.#sorted.set(name, sorted);
    return sorted;
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

  /** What is stored, as it is stored: nobody can change it. */
  get(table: string, key: Item): Item | undefined {
    const found = this.#table(table);
    return found.items.get(found.keyOf(key));
  }

  query(input: QueryInput): Page {
    const table = this.#table(input.TableName);
    const placeholders = placeholdersOf(input);
    const condition = input.KeyConditionExpression;
    const from = this.#lookedThrough(table, input);
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

  #lookedThrough(table: MemoryTable, input: QueryInput): readonly Item[] {
    if (input.IndexName !== undefined) return table.inIndex(input.IndexName);
    const partition = this.#partitionOf(table, input);
    return partition === undefined ? [...table.items.values()] : table.partition(partition);
  }

  #page(table: MemoryTable, input: QueryInput, found: readonly Item[]): Page {
    const start = input.ExclusiveStartKey;
    const startText = start === undefined ? undefined : table.keyOf(start);
    const first = startText === undefined ? 0 : found.findIndex((item) => table.keyOf(item) === startText) + 1;
    const length = Math.min(input.Limit ?? Number.POSITIVE_INFINITY, this.#surroundings.pageItems);
    const looked = found.slice(first, first + length);
    const last = looked.at(-1);
    const { FilterExpression: filter } = input;
    const Items = filter === undefined ? looked : looked.filter((item) => holds(filter, item, placeholdersOf(input)));
    return last === undefined || first + length >= found.length
      ? { Items }
      : { Items, LastEvaluatedKey: table.keysOf(last, input.IndexName) };
  }

  #after(kind: Kind, input: WriteInput, before: Item | undefined): Item | undefined {
    if (kind === 'Put') return storableItem(input.Item ?? {});
    if (kind === 'Delete') return undefined;
    if (kind === 'ConditionCheck') return before;
    const after = updated(input.UpdateExpression ?? '', before ?? { ...input.Key }, placeholdersOf(input));
    return storableItem(after, before);
  }

  #commit(writes: readonly Write[]): void {
    const changes: Change[] = [];
    for (const { kind, input, table, key } of writes) {
      if (kind === 'ConditionCheck') continue;
      const before = table.items.get(key);
      const after = this.#after(kind, input, before);
      table.write(key, after);
      changes.push({ table: input.TableName, before, after });
      for (const name of table.indexesChanged(before, after)) {
        this.#surroundings.later(() => table.index(name, key));
      }
    }
    this.#surroundings.onChanged(changes);
  }

  #writeOf(kind: Kind, input: WriteInput): Write {
    const table = this.#table(input.TableName);
    return { kind, input, table, key: table.keyOf(input.Item ?? input.Key ?? {}) };
  }

  #isMet({ input, table, key }: Write): boolean {
    const { ConditionExpression: condition } = input;
    return condition === undefined || holds(condition, table.items.get(key), placeholdersOf(input));
  }

  /** @throws ConditionalCheckFailedException */
  write(kind: Kind, input: WriteInput): void {
    const write = this.#writeOf(kind, input);
    if (!this.#isMet(write)) {
      throw new ConditionalCheckFailedException({ $metadata: {}, message: 'The conditional request failed' });
    }
    this.#commit([write]);
  }

  /** @throws TransactionCanceledException with the reason of each of its writes */
  transactWrite(items: readonly TransactInput[]): void {
    const writes = items.flatMap((item) =>
      (Object.entries(item) as [Kind, WriteInput][]).map(([kind, input]) => this.#writeOf(kind, input)),
    );
    if (writes.length > 100) throw validation('a transaction has 100 writes at most');
    const keys = new Set(writes.map(({ input, key }) => `${input.TableName}\n${key}`));
    if (keys.size < writes.length) {
      throw validation('Transaction request cannot include multiple operations on one item');
    }
    const met = writes.map((write) => this.#isMet(write));
    if (met.every(Boolean)) {
      this.#commit(writes);
      return;
    }
    throw new TransactionCanceledException({
      $metadata: {},
      message: 'Transaction cancelled',
      CancellationReasons: writes.map(({ input, table, key }, index) => {
        if (met[index]) return { Code: 'None' };
        const old = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? table.items.get(key) : undefined;
        return { Code: 'ConditionalCheckFailed', ...(old === undefined ? {} : { Item: marshall(old) }) };
      }),
    });
  }
}
