import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditEvent } from '../../core/audit/chain.ts';
import type { Membership } from '../../core/lending/pair-limits.ts';
import type { OrganisationUnit, UnitAbove } from '../../core/organisation.ts';
import { unitsAbove } from '../../core/organisation.ts';
import type { AccountId } from '../../core/units.ts';
import { readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import { now } from './clock.ts';
import { chainKey, wholeKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import { organisationKey, readMemberships } from './limit-store.ts';
import { logger } from './middleware.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAudited } from './transaction.ts';

/** The organisation as its operator stated it. */
export interface StatedOrganisation {
  readonly version: number;
  readonly units: readonly OrganisationUnit[];
  /** The account of the operator who stated it; absent: nobody has, or before this was kept. */
  readonly statedBy?: AccountId;
}

const WHOLE_KEY = wholeKey('UNITS');

/** The whole organisation; nobody has stated one: no units. */
export async function readOrganisation(table: string): Promise<StatedOrganisation> {
  const { Item } = await documents.send(new GetCommand({ TableName: table, Key: WHOLE_KEY, ConsistentRead: true }));
  const { version = 0, units = [], statedBy } = (Item ?? {}) as Partial<StatedOrganisation>;
  return { version, units, ...(statedBy === undefined ? {} : { statedBy }) };
}

/** That what is spread is what stands: somebody may state another organisation meanwhile. */
function stillStated(table: string, { version }: StatedOrganisation): ConditionedWrite {
  return {
    condition: `the organisation is at version ${version}`,
    write: {
      ConditionCheck: {
        TableName: table,
        Key: WHOLE_KEY,
        ConditionExpression: '#version = :version',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':version': version },
      },
    },
  };
}

/** Two that spread the same at once write it, and its record, once. */
function membershipWrite(
  table: string,
  account: AccountId,
  next: Membership,
  before: Membership | undefined,
): ConditionedWrite {
  return {
    condition: `the units above account ${account} are as they were read`,
    write: {
      Put: {
        TableName: table,
        Item: { ...organisationKey(account), ...next },
        ...(before === undefined
          ? { ConditionExpression: 'attribute_not_exists(accountId)' }
          : {
              ConditionExpression: 'unitsAbove = :before',
              ExpressionAttributeValues: { ':before': before.unitsAbove },
            }),
      },
    },
  };
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
 * @param more what else has to hold for each write
 * @returns the accounts that changed
 */
async function spread(
  accounts: readonly AccountId[],
  units: readonly OrganisationUnit[],
  statedBy: AccountId,
  tables: AuditTables,
  more: readonly ConditionedWrite[] = [],
): Promise<AccountId[]> {
  const wanted = unitsAbove(units);
  const stored = await readMemberships(tables.accountsTable, accounts);
  const changed: AccountId[] = [];
  await inLanes(accounts, async (account) => {
    const above = wanted.get(account) ?? [];
    const before = stored.get(account);
    if (sameUnits(above, before?.unitsAbove ?? [])) return;
    const audit: AuditEvent = {
      accountId: account,
      type: 'organisation.changed',
      at: now(),
      subject: `account ${account}`,
      actor: 'operator of the hub',
      detail: { units: above.map(({ name }) => name).join(' < ') || 'none', limits: JSON.stringify(above) },
    };
    const write = membershipWrite(tables.accountsTable, account, { unitsAbove: above, statedBy }, before);
    const items = await readAccountItems(tables.accountsTable, [chainKey(account)]);
    try {
      await commitAudited([write, ...more], audit, items.head(account), tables);
      changed.push(account);
    } catch (error) {
      if (!(error instanceof ConditionsFailed)) throw error;
      logger.warn('the units above an account changed meanwhile', { account, reason: error.message });
    }
  });
  return changed.sort();
}

/**
 * Brings accounts what a statement of the organisation that crashed has not brought them. Where nothing is missing nothing is written.
 * @param organisation as it was just read
 * @param operator the account of the hub's operator
 * @returns the accounts that changed
 */
export async function fulfilOrganisation(
  accounts: readonly AccountId[],
  organisation: StatedOrganisation,
  operator: AccountId,
  tables: AuditTables,
): Promise<AccountId[]> {
  // Nobody has ever stated one.
  if (organisation.version === 0) return [];
  const concerned = [...new Set([...accounts, ...unitsAbove(organisation.units).keys()])].sort();
  const check = stillStated(tables.accountsTable, organisation);
  return spread(concerned, organisation.units, organisation.statedBy ?? operator, tables, [check]);
}

/**
 * Replaces the organisation. The same again changes nothing. What a crash leaves undone reconciling brings, and the same again.
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
  const organisation = isSame ? before : { version: before.version + 1, units, statedBy: author.accountId };
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
  return { organisation, changed: await spread(accounts, units, author.accountId, tables) };
}
