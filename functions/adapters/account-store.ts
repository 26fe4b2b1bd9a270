import { BatchGetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ChainHead } from '../../core/audit/chain.ts';
import type { Consent, ConsentUsage } from '../../core/consent/consent.ts';
import { emptyUsage } from '../../core/consent/covers.ts';
import type { BusinessEvent } from '../../core/forecast/events.ts';
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import type { Outlook } from '../../core/lending/outlook.ts';
import type { Pairing, PairingId } from '../../core/pairing/pairing.ts';
import type { PoolPlan } from '../../core/pairing/plan.ts';
import type { Pool } from '../../core/pool.ts';
import type { AccountId, PoolId } from '../../core/units.ts';
import { poolId, poolIdParts } from '../../core/units.ts';
import { documents } from './clients.ts';
import type { ItemKey } from './keys.ts';
import {
  chainKey,
  consentKey,
  eventsKey,
  forecastKey,
  outlookKey,
  pairingKey,
  planKey,
  poolKey,
  usageKey,
} from './keys.ts';
import { queryAll, scanAll } from './pages.ts';

/** DynamoDB's limit for one BatchGetItem. */
const BATCH_GET_ITEMS = 100;

type Item = Record<string, unknown>;
const keyText = (key: Item): string => `${String(key['accountId'])} ${String(key['item'])}`;

/** What was read of the accounts table in one go; absent items are `undefined`. */
export interface AccountItems {
  pool(id: PoolId): Pool | undefined;
  plan(id: PoolId): PoolPlan | undefined;
  /** The newest outlook of a pool, however old it is. */
  outlook(id: PoolId): Outlook | undefined;
  forecast(id: PoolId): PoolForecast | undefined;
  /** Business events of a pool; none were stated: empty. */
  events(id: PoolId): readonly BusinessEvent[];
  consent(account: AccountId): Consent | undefined;
  usage(account: AccountId): ConsentUsage;
  head(account: AccountId): ChainHead | undefined;
  /** @param account one of its parties: the one under whose key it was read */
  pairing(account: AccountId, id: PairingId): Pairing | undefined;
  /** Any other item that was read, as it is stored. */
  other(key: ItemKey): Readonly<Record<string, unknown>> | undefined;
}

/** What was stored, without the attributes that only the table needs. Only this module's counterparts write these items. */
function stored(item: Item | undefined): unknown {
  if (item === undefined) return undefined;
  const { item: _sortKey, bucket: _bucket, ...value } = item;
  return value;
}

/** A pairing without the party that it stands under here. */
function pairingOf(item: Item | undefined): Pairing | undefined {
  if (item === undefined) return undefined;
  const { item: _sortKey, accountId: _party, ...pairing } = item;
  return pairing as unknown as Pairing;
}

/** Unit-seconds are kept as one attribute for each month and direction, so that a write can be conditional on one month. */
function usageOf(account: AccountId, item: Item | undefined): ConsentUsage {
  if (item === undefined) return emptyUsage(account);
  const months = (prefix: string): Record<string, number> =>
    Object.fromEntries(
      Object.entries(item)
        .filter(([name]) => name.startsWith(`${prefix}#`))
        .map(([name, value]) => [name.slice(prefix.length + 1), Number(value)]),
    );
  return {
    accountId: account,
    lentUnits: Number(item['lentUnits'] ?? 0),
    borrowedUnits: Number(item['borrowedUnits'] ?? 0),
    lentUnitSeconds: months('lend'),
    borrowedUnitSeconds: months('borrow'),
    creditUnitSeconds: months('credit'),
  };
}

/** Items of a table by their keys, consistently, in no order: what a busy table leaves unprocessed is asked for again. */
export async function batchGet(table: string, keys: readonly object[]): Promise<Item[]> {
  const found: Item[] = [];
  for (let start = 0; start < keys.length; start += BATCH_GET_ITEMS) {
    let wanted: Item[] = keys.slice(start, start + BATCH_GET_ITEMS).map((key) => ({ ...key }));
    while (wanted.length > 0) {
      const answer = await documents.send(
        new BatchGetCommand({ RequestItems: { [table]: { Keys: wanted, ConsistentRead: true } } }),
      );
      found.push(...(answer.Responses?.[table] ?? []));
      wanted = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return found;
}

/** Reads any items of the accounts table, consistently, in as few calls as DynamoDB allows. */
export async function readAccountItems(table: string, keys: readonly ItemKey[]): Promise<AccountItems> {
  const distinct = [...new Map(keys.map((key) => [keyText({ ...key }), key])).values()];
  const items = new Map((await batchGet(table, distinct)).map((item) => [keyText(item), item]));
  const at = (key: ItemKey): Item | undefined => items.get(keyText({ ...key }));
  return {
    pool: (id) => stored(at(poolKey(id))) as Pool | undefined,
    plan: (id) => stored(at(planKey(id))) as PoolPlan | undefined,
    outlook: (id) => (stored(at(outlookKey(id))) as { outlook: Outlook } | undefined)?.outlook,
    forecast: (id) => (stored(at(forecastKey(id))) as { forecast: PoolForecast } | undefined)?.forecast,
    events: (id) => (stored(at(eventsKey(id))) as { events: readonly BusinessEvent[] } | undefined)?.events ?? [],
    consent: (account) => stored(at(consentKey(account))) as Consent | undefined,
    usage: (account) => usageOf(account, at(usageKey(account))),
    head: (account) => stored(at(chainKey(account))) as ChainHead | undefined,
    pairing: (account, id) => pairingOf(at(pairingKey(account, id))),
    other: at,
  };
}

/** Every item that starts with a prefix in one account's partition. */
export function queryAccount(table: string, account: AccountId, prefix: string): Promise<Item[]> {
  return queryAll({
    TableName: table,
    KeyConditionExpression: 'accountId = :account AND begins_with(#item, :prefix)',
    ExpressionAttributeNames: { '#item': 'item' },
    ExpressionAttributeValues: { ':account': account, ':prefix': prefix },
    ConsistentRead: true,
  });
}

/** The pools of one account. */
export async function poolsOf(table: string, account: AccountId): Promise<Pool[]> {
  return (await queryAccount(table, account, 'POOL#')).map((item) => stored(item) as Pool);
}

/** The pairings of one account, on whichever side, ended ones too. */
export async function pairingsOf(table: string, account: AccountId): Promise<Pairing[]> {
  return (await queryAccount(table, account, 'PAIRING#')).flatMap((item) => pairingOf(item) ?? []);
}

/** Every enrolled pool by bucket, from the sparse index that holds pools only. */
export async function poolsByBucket(table: string): Promise<Map<string, PoolId[]>> {
  const buckets = new Map<string, PoolId[]>();
  for (const item of await scanAll({ TableName: table, IndexName: 'pools-by-bucket' })) {
    const bucket = String(item['bucket']);
    const [, region = '', ...group] = String(item['item']).split('#');
    const id = poolId(String(item['accountId']) as AccountId, region, group.join('#'));
    const others = buckets.get(bucket);
    if (others === undefined) buckets.set(bucket, [id]);
    else others.push(id);
  }
  return buckets;
}

/** Pools by the account that they are of. */
export function poolsByAccount(ids: readonly PoolId[]): Map<AccountId, PoolId[]> {
  return Map.groupBy(ids, (id) => poolIdParts(id).accountId);
}

/** Replaces the forecast of a pool: only the newest one counts. */
export async function writeForecast(table: string, id: PoolId, forecast: PoolForecast): Promise<void> {
  await documents.send(new PutCommand({ TableName: table, Item: { ...forecastKey(id), forecast } }));
}

/** Replaces the outlook of a pool: it is worth nothing once there is a newer one. */
export async function writeOutlook(table: string, outlook: Outlook): Promise<void> {
  await documents.send(new PutCommand({ TableName: table, Item: { ...outlookKey(outlook.poolId), outlook } }));
}

/** Replaces the plan of a pool. */
export async function writePlan(table: string, plan: PoolPlan): Promise<void> {
  await documents.send(new PutCommand({ TableName: table, Item: { ...planKey(plan.poolId), ...plan } }));
}
