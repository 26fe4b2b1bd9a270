import type { AuditEvent, AuditRecord, ChainHead } from '../../core/audit/chain.ts';
import type { LedgerEntry } from '../../core/billing/ledger.ts';
import type { ConsentChange } from '../../core/consent/lifecycle.ts';
import type { BusinessEvent } from '../../core/forecast/events.ts';
import type { Pool } from '../../core/pool.ts';
import type { AccountId } from '../../core/units.ts';
import { bucketOf, consentKey, consentVersionKey, eventsKey, poolKey, refusalKey } from './keys.ts';
import { queryAll } from './pages.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAudited } from './transaction.ts';

/** What an account's own people change and read through the API: pools, consents, bills, audit. */

/**
 * Replaces the current consent and keeps the version for ever. Two changes at once: the second fails, because the version
 * that it replaces is no longer the current one.
 */
export async function writeConsent(
  change: ConsentChange,
  head: ChainHead | undefined,
  tables: AuditTables,
): Promise<void> {
  const { consent, audit } = change;
  const replaced = consent.version - 1;
  const current: ConditionedWrite = {
    condition: `version ${replaced} of the consent is the current one`,
    write: {
      Put: {
        TableName: tables.accountsTable,
        Item: { ...consent, ...consentKey(consent.accountId) },
        ConditionExpression: replaced === 0 ? 'attribute_not_exists(#version)' : '#version = :replaced',
        ExpressionAttributeNames: { '#version': 'version' },
        ...(replaced === 0 ? {} : { ExpressionAttributeValues: { ':replaced': replaced } }),
      },
    },
  };
  const kept: ConditionedWrite = {
    condition: `version ${consent.version} of the consent was not written before`,
    write: {
      Put: {
        TableName: tables.accountsTable,
        Item: { ...consent, ...consentVersionKey(consent.accountId, consent.version) },
        ConditionExpression: 'attribute_not_exists(accountId)',
      },
    },
  };
  await commitAudited([current, kept], audit, head, tables);
}

/**
 * Enrols a pool, or changes what is known of it; never while a loan is moving its ceiling.
 * @param events its business events, in an item of their own: a loan reads and writes the pool often, and never needs them.
 *   Absent: those that are stored stay
 */
export async function writePool(
  pool: Pool,
  events: readonly BusinessEvent[] | undefined,
  previousVersion: number | undefined,
  audit: AuditEvent,
  head: ChainHead | undefined,
  tables: AuditTables,
): Promise<void> {
  const { spec } = pool;
  const enrolled: ConditionedWrite = {
    condition: `pool ${spec.poolId} has not changed meanwhile, and no loan is moving it`,
    write: {
      Put: {
        TableName: tables.accountsTable,
        Item: { ...pool, ...poolKey(spec.poolId), bucket: bucketOf(spec.region, spec.instanceType) },
        ...(previousVersion === undefined
          ? { ConditionExpression: 'attribute_not_exists(accountId)' }
          : {
              ConditionExpression: '#version = :version AND attribute_not_exists(movingLoanId)',
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':version': previousVersion },
            }),
      },
    },
  };
  const calendar: ConditionedWrite = {
    condition: `the events of ${spec.poolId} can be replaced`,
    write: { Put: { TableName: tables.accountsTable, Item: { ...eventsKey(spec.poolId), events } } },
  };
  await commitAudited(events === undefined ? [enrolled] : [enrolled, calendar], audit, head, tables);
}

/** Records an attempt that was refused. @returns where the chain of its account ends then: at this record */
export async function recordRefusal(
  audit: AuditEvent,
  head: ChainHead | undefined,
  tables: AuditTables,
): Promise<ChainHead> {
  return commitAudited([], audit, head, tables);
}

/**
 * Records that a request was refused of which no loan can be made, once: whoever repeats the step finds it recorded.
 * @param audit its subject is the id that the loan would have
 */
export async function recordRefusalOnce(
  audit: AuditEvent,
  head: ChainHead | undefined,
  tables: AuditTables,
): Promise<void> {
  const { accountId, subject, at } = audit;
  const first: ConditionedWrite = {
    condition: `the refusal of ${subject} is not on record`,
    write: {
      Put: {
        TableName: tables.accountsTable,
        Item: { ...refusalKey(accountId, subject), at },
        ConditionExpression: 'attribute_not_exists(accountId)',
      },
    },
  };
  try {
    await commitAudited([first], audit, head, tables);
  } catch (error) {
    if (!(error instanceof ConditionsFailed) || !error.conditions.includes(first.condition)) throw error;
  }
}

function recordsOf(table: string, account: AccountId, after?: number): Promise<Record<string, unknown>[]> {
  return queryAll({
    TableName: table,
    KeyConditionExpression: after === undefined ? 'accountId = :account' : 'accountId = :account AND seq > :after',
    ExpressionAttributeValues: { ':account': account, ...(after === undefined ? {} : { ':after': after }) },
    ConsistentRead: true,
  });
}

/** All ledger entries of an account. */
export async function ledgerOf(table: string, account: AccountId): Promise<LedgerEntry[]> {
  return (await recordsOf(table, account)) as unknown as LedgerEntry[];
}

/** The audit records of an account after a sequence number, in order. */
export async function auditOf(table: string, account: AccountId, after: number): Promise<AuditRecord[]> {
  return (await recordsOf(table, account, after)) as unknown as AuditRecord[];
}
