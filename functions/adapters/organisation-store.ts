import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditEvent } from '../../core/audit/chain.ts';
import type { OrganisationUnit, UnitAbove } from '../../core/organisation.ts';
import { unitsAbove } from '../../core/organisation.ts';
import type { AccountId } from '../../core/units.ts';
import { readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import { now } from './clock.ts';
import { chainKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import { organisationKey, readMemberships } from './limit-store.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { commitAudited } from './transaction.ts';

/** The organisation as its operator stated it. */
export interface StatedOrganisation {
  readonly version: number;
  readonly units: readonly OrganisationUnit[];
}

const WHOLE_KEY = { accountId: 'ORGANISATION', item: 'UNITS' };

/** The whole organisation; nobody has stated one: no units. */
export async function readOrganisation(table: string): Promise<StatedOrganisation> {
  const { Item } = await documents.send(new GetCommand({ TableName: table, Key: WHOLE_KEY, ConsistentRead: true }));
  const { version = 0, units = [] } = (Item ?? {}) as Partial<StatedOrganisation>;
  return { version, units };
}

function wholeWrite(table: string, next: StatedOrganisation): ConditionedWrite {
  const isFirst = next.version === 1;
  return {
    condition: `the organisation is at version ${next.version - 1}`,
    write: {
      Put: {
        TableName: table,
        Item: { ...WHOLE_KEY, ...next },
        ConditionExpression: isFirst ? 'attribute_not_exists(#version)' : '#version = :version',
        ExpressionAttributeNames: { '#version': 'version' },
        ...(isFirst ? {} : { ExpressionAttributeValues: { ':version': next.version - 1 } }),
      },
    },
  };
}

function sameUnits(a: readonly UnitAbove[], b: readonly UnitAbove[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Brings each account what is above it, with a record in its chain where that changes. Running it again changes nothing more.
 * @returns the accounts that changed
 */
async function spread(
  accounts: readonly AccountId[],
  units: readonly OrganisationUnit[],
  author: { readonly accountId: AccountId },
  tables: AuditTables,
): Promise<AccountId[]> {
  const wanted = unitsAbove(units);
  const stored = await readMemberships(tables.accountsTable, accounts);
  const changed: AccountId[] = [];
  await inLanes(accounts, async (account) => {
    const above = wanted.get(account) ?? [];
    if (sameUnits(above, stored.get(account)?.unitsAbove ?? [])) return;
    const audit: AuditEvent = {
      accountId: account,
      type: 'organisation.changed',
      at: now(),
      subject: `account ${account}`,
      actor: 'operator of the hub',
      detail: { units: above.map(({ name }) => name).join(' < ') || 'none', limits: JSON.stringify(above) },
    };
    const write: ConditionedWrite = {
      condition: `the units above account ${account} can be written`,
      write: {
        Put: {
          TableName: tables.accountsTable,
          Item: { ...organisationKey(account), unitsAbove: above, statedBy: author.accountId },
        },
      },
    };
    const items = await readAccountItems(tables.accountsTable, [chainKey(account)]);
    await commitAudited([write], audit, items.head(account), tables);
    changed.push(account);
  });
  return changed.sort();
}

/**
 * Replaces the organisation. The same again changes nothing; after a crash it brings what is missing.
 * @returns the accounts whose units or limits changed
 * @throws ConditionsFailed when somebody else has replaced it meanwhile
 */
export async function replaceOrganisation(
  units: readonly OrganisationUnit[],
  author: { readonly accountId: AccountId; readonly actor: string },
  tables: AuditTables,
): Promise<{ readonly organisation: StatedOrganisation; readonly changed: readonly AccountId[] }> {
  const before = await readOrganisation(tables.accountsTable);
  const isSame = JSON.stringify(before.units) === JSON.stringify(units);
  const organisation = isSame ? before : { version: before.version + 1, units };
  if (!isSame) {
    const { accountId, actor } = author;
    const { version } = organisation;
    const audit = {
      accountId,
      type: 'organisation.stated',
      at: now(),
      subject: `organisation ${version}`,
      actor,
      detail: { version, accounts: unitsAbove(units).size },
    };
    const items = await readAccountItems(tables.accountsTable, [chainKey(accountId)]);
    await commitAudited([wholeWrite(tables.accountsTable, organisation)], audit, items.head(accountId), tables);
  }
  const accounts = [...new Set([...unitsAbove(before.units).keys(), ...unitsAbove(units).keys()])].sort();
  return { organisation, changed: await spread(accounts, units, author, tables) };
}
