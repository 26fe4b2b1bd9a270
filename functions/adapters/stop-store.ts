import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ChainHead } from '../../core/audit/chain.ts';
import type { AccountStops, Resumption, Stop, StopChange } from '../../core/lending/stops.ts';
import { STOPPED_BY } from '../../core/lending/stops.ts';
import type { AccountId } from '../../core/units.ts';
import type { AccountItems } from './account-store.ts';
import { batchGet, readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import type { ItemKey } from './keys.ts';
import { wholeKey } from './keys.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { commitAudited } from './transaction.ts';

/** The kill switch in the accounts table: an item of each account that was ever stopped, and one of the organisation. */

const SWITCH_ITEM = 'SWITCH';
const switchKey = (accountId: AccountId) => ({ accountId, item: SWITCH_ITEM });
const ORGANISATION_KEY = wholeKey(SWITCH_ITEM);
const NAMES = Object.fromEntries(STOPPED_BY.map((by) => [`#${by}`, by]));
const NOT_STOPPED = STOPPED_BY.map((by) => `attribute_not_exists(#${by})`).join(' AND ');

/** The stop of the whole organisation, and the stops of some accounts. */
export interface Stops {
  /** What reaches each account's own item a moment later. */
  readonly organisation: Stop | undefined;
  of(account: AccountId): AccountStops;
}

function stopsIn(item: Record<string, unknown> | undefined): AccountStops {
  return Object.fromEntries(
    STOPPED_BY.flatMap((by) => (item?.[by] === undefined ? [] : [[by, item[by] as Stop] as const])),
  );
}

/** What has to be read for `stopsAmong`. */
export function stopKeys(accounts: readonly AccountId[]): ItemKey[] {
  return [ORGANISATION_KEY, ...accounts.map(switchKey)];
}

/** The switches among items that were read; an account that was never stopped has none. */
export function stopsAmong(items: Pick<AccountItems, 'other'>): Stops {
  const organisation = items.other(ORGANISATION_KEY)?.['stop'] as Stop | undefined;
  return {
    organisation,
    of: (account) => ({
      ...stopsIn(items.other(switchKey(account))),
      ...(organisation === undefined ? {} : { organisation }),
    }),
  };
}

/** Reads switches, consistently. */
export async function readStops(table: string, accounts: readonly AccountId[]): Promise<Stops> {
  return stopsAmong(await readAccountItems(table, stopKeys(accounts)));
}

/** What stands in the items of accounts themselves, whatever the organisation's says. */
export async function storedStops(
  table: string,
  accounts: readonly AccountId[],
): Promise<ReadonlyMap<AccountId, AccountStops>> {
  const items = await batchGet(table, [...new Set(accounts)].map(switchKey));
  return new Map(items.map((item) => [item['accountId'] as AccountId, stopsIn(item)]));
}

/** The switch of the whole organisation: on, or lifted by somebody, or never touched. */
export interface OrganisationSwitch {
  readonly stop?: Stop;
  readonly lifted?: Resumption;
}

/** The organisation's switch as it stands now. */
export async function organisationSwitch(table: string): Promise<OrganisationSwitch> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: ORGANISATION_KEY, ConsistentRead: true }),
  );
  const { stop, lifted } = (Item ?? {}) as OrganisationSwitch;
  return { ...(stop === undefined ? {} : { stop }), ...(lifted === undefined ? {} : { lifted }) };
}

/** Stops all accounts, or lifts that: `choose` sees it from now on. Each account's own item follows, by `writeStop`. */
export async function writeOrganisationSwitch(table: string, next: OrganisationSwitch): Promise<void> {
  await documents.send(new PutCommand({ TableName: table, Item: { ...ORGANISATION_KEY, ...next } }));
}

/**
 * Writes a change of one account's switch with its audit record.
 * @param standing what was read before the change; somebody else's change meanwhile fails this one
 * @throws ConditionsFailed when the switch has changed meanwhile
 */
export async function writeStop(
  change: StopChange,
  standing: Stop | undefined,
  head: ChainHead | undefined,
  tables: AuditTables,
): Promise<void> {
  const { accountId, by, stop } = change;
  const write: ConditionedWrite = {
    condition: `the switch of account ${accountId} is as it was read`,
    write: {
      Update: {
        TableName: tables.accountsTable,
        Key: switchKey(accountId),
        UpdateExpression: stop === undefined ? 'REMOVE #by' : 'SET #by = :stop',
        ConditionExpression: standing === undefined ? 'attribute_not_exists(#by)' : '#by.stopId = :standing',
        ExpressionAttributeNames: { '#by': by },
        ...(stop === undefined && standing === undefined
          ? {}
          : {
              ExpressionAttributeValues: {
                ...(stop === undefined ? {} : { ':stop': stop }),
                ...(standing === undefined ? {} : { ':standing': standing.stopId }),
              },
            }),
      },
    },
  };
  await commitAudited([write], change.audit, head, tables);
}

/**
 * The account is not stopped at this very moment:
 *
 *     this loan:     chosen ──────────────── reserve if not stopped  ✗
 *     the operator:          stop the account ✓
 */
export function notStoppedCheck(table: string, account: AccountId): ConditionedWrite {
  return {
    condition: `account ${account} is not stopped`,
    write: {
      ConditionCheck: {
        TableName: table,
        Key: switchKey(account),
        ConditionExpression: NOT_STOPPED,
        ExpressionAttributeNames: NAMES,
      },
    },
  };
}
