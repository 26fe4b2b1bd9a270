import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditRecord, ChainFault, ChainHead } from '../../core/audit/chain.ts';
import { GENESIS, verifyChain } from '../../core/audit/chain.ts';
import type { MonthSpan } from '../../core/trust/audit-month.ts';
import { monthBefore, verdictOf } from '../../core/trust/audit-month.ts';
import type { AccountId, EpochMillis } from '../../core/units.ts';
import { readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import { auditOf } from './governance-store.ts';
import { sha256Hex } from './ids.ts';
import { auditedKey, chainKey } from './keys.ts';
import type { AuditTables, ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAudited } from './transaction.ts';
import { evidenceInPlaceOf, evidenceWrite } from './trust-store.ts';

/** Up to where an account's chain has been audited. */
interface Audited extends ChainHead {
  /** `YYYY-MM`: the last month of which there is a verdict, or nothing to say. */
  readonly month: string;
}

/** The chain of an account is broken. It says nothing of the account: the hub keeps the chain. */
class ChainBroken extends Error {
  override readonly name = 'ChainBroken';
  constructor(account: AccountId, faults: readonly ChainFault[]) {
    super(`the audit chain of ${account}: ${faults.map(({ kind, seq }) => `record ${seq} ${kind}`).join(', ')}`);
  }
}

async function auditedOf(table: string, account: AccountId): Promise<Audited | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: auditedKey(account), ConsistentRead: true }),
  );
  return Item === undefined ? undefined : (Item as unknown as Audited);
}

function auditedWrite(table: string, account: AccountId, next: Audited, before: Audited | undefined): ConditionedWrite {
  return {
    condition: `the month ${next.month} of ${account} has not been audited yet`,
    write: {
      Put: {
        TableName: table,
        Item: { ...auditedKey(account), ...next },
        ...(before === undefined
          ? { ConditionExpression: 'attribute_not_exists(accountId)' }
          : {
              ConditionExpression: '#month = :before',
              ExpressionAttributeNames: { '#month': 'month' },
              ExpressionAttributeValues: { ':before': before.month },
            }),
      },
    },
  };
}

async function writeVerdict(
  account: AccountId,
  records: readonly AuditRecord[],
  span: MonthSpan,
  before: Audited | undefined,
  at: EpochMillis,
  tables: AuditTables,
): Promise<void> {
  const { accountsTable } = tables;
  const later = records.findIndex((record) => record.at >= span.to);
  const upTo = (later < 0 ? records : records.slice(0, later)).at(-1) ?? before ?? GENESIS;
  const verdict = verdictOf(account, records, span);
  const stored = verdict === undefined ? undefined : await evidenceInPlaceOf(accountsTable, verdict);
  const audited = { month: span.month, seq: upTo.seq, hash: upTo.hash };
  const writes = [auditedWrite(accountsTable, account, audited, before)];
  if (upTo.seq === (before?.seq ?? GENESIS.seq)) {
    // Nothing had happened: that there was nothing to audit is no change of anybody's right.
    await documents.send(new TransactWriteCommand({ TransactItems: writes.map(({ write }) => write) }));
    return;
  }
  // What the operator has recorded of the month stays.
  const given = stored === undefined ? verdict : undefined;
  if (given !== undefined) writes.push(evidenceWrite(accountsTable, given, undefined));
  const audit = {
    accountId: account,
    type: 'trust.audited',
    at,
    subject: span.month,
    actor: 'reconcile',
    detail: { upToSeq: upTo.seq, verdict: given?.kind ?? null },
  };
  await commitAudited(writes, audit, records.at(-1), tables);
}

/**
 * Audits the last month of an account once it is over: verifies the chain from where it was verified last, and keeps what it shows of the
 * account. Again for the same month it reads one item and does nothing.
 * @returns whether it audited
 * @throws ChainBroken when a record is altered, missing or out of its place
 */
export async function auditLastMonth(account: AccountId, at: EpochMillis, tables: AuditTables): Promise<boolean> {
  const span = monthBefore(at);
  const before = await auditedOf(tables.accountsTable, account);
  if (before !== undefined && before.month >= span.month) return false;
  const head = (await readAccountItems(tables.accountsTable, [chainKey(account)])).head(account) ?? GENESIS;
  const all = await auditOf(tables.auditTable, account, before?.seq ?? GENESIS.seq);
  // What was appended since the head was read is not covered by it.
  const records = all.filter(({ seq }) => seq <= head.seq);
  const faults = verifyChain(records, head, sha256Hex, before);
  if (faults.length > 0) throw new ChainBroken(account, faults);
  try {
    await writeVerdict(account, records, span, before, at, tables);
  } catch (error) {
    // Another run has audited it, or the operator has just recorded a verdict: the next run sees it.
    if (!(error instanceof ConditionsFailed || error instanceof TransactionCanceledException)) throw error;
    return false;
  }
  return true;
}
