import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { ChainHead } from '../../core/audit/chain.ts';
import type {
  ConsentCondition,
  LoanCommit,
  LoanSnapshot,
  PairCondition,
  PoolChange,
  UsageChange,
} from '../../core/lending/commit.ts';
import { assertCommit } from '../../core/lending/commit.ts';
import { nodeText } from '../../core/lending/limits.ts';
import type { Loan } from '../../core/lending/loan.ts';
import { isOpen } from '../../core/lending/loan.ts';
import type { LoanStore } from '../../core/ports.ts';
import { LimitReached, StaleSnapshot } from '../../core/ports.ts';
import type { AccountId, EpochMillis, LoanId } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';
import { batchGet, readAccountItems } from './account-store.ts';
import { documents } from './clients.ts';
import type { Env } from './env.ts';
import { pairingIdFor } from './ids.ts';
import { consentKey, pairingStateKey, poolKey, usageKey } from './keys.ts';
import { limitKey } from './limit-store.ts';
import { countLoan } from './metrics.ts';
import { queryAll } from './pages.ts';
import { outboxItem } from './pairing-events.ts';
import { snapshotKeys, snapshotOf } from './snapshot.ts';
import { notStoppedCheck } from './stop-store.ts';
import type { ConditionedWrite } from './transaction.ts';
import { ConditionsFailed, commitAuditedInAll } from './transaction.ts';
import { evidenceOfLoan } from './trust-store.ts';

export interface LoanTables {
  readonly accountsTable: string;
  readonly loansTable: string;
  readonly ledgerTable: string;
  readonly auditTable: string;
}

type Item = Record<string, unknown>;

/** Conditions whose failure means "no more room" rather than "out of date" start with this. */
const LIMIT = 'limit: ';

/**
 * The loan as it will be, on condition that it is as it was read:
 *
 *     this step:   read v3 ──────────────────── write v4 if v3  ✗ (it is v4 already: the same step, repeated)
 *     a repeat:             read v3 ─ write v4 ✓
 */
function loanWrite(table: string, loan: Loan, expectedVersion: number | undefined): ConditionedWrite {
  const isNew = expectedVersion === undefined;
  return {
    condition: isNew
      ? `loan ${loan.loanId} does not exist yet`
      : `loan ${loan.loanId} is at version ${expectedVersion}`,
    write: {
      Put: {
        TableName: table,
        Item: { ...loan, ...(isOpen(loan) ? { openAccountId: loan.borrowerAccountId } : {}) },
        ConditionExpression: isNew ? 'attribute_not_exists(loanId)' : '#version = :version',
        ...(isNew
          ? {}
          : {
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':version': expectedVersion },
            }),
      },
    },
  };
}

const MOVING_CONDITIONS = {
  acquire: ' AND attribute_not_exists(movingLoanId)',
  held: ' AND movingLoanId = :loan',
  release: ' AND movingLoanId = :loan',
  none: '',
} as const satisfies Record<PoolChange['moving'], string>;

/**
 * A pool's counters, on condition that nothing of the pool has changed and that the lock is as this step needs it.
 * The version covers the limits too: they were computed from the counters of that version.
 */
function poolWrite(table: string, change: PoolChange, loanId: LoanId): ConditionedWrite {
  const moved = change.moving === 'acquire' || change.moving === 'held';
  const sets = ['#version = #version + :one', ...(moved ? ['movingLoanId = :loan'] : [])];
  const counters = (['lentUnits', 'borrowedUnits', 'provisionedUnits'] as const).filter((name) => change[name]);
  for (const name of counters) sets.push(`${name} = ${name} + :${name}`);
  const stated = (
    ['coolDownUntil', 'aheadAgainAt', 'partnerCoolDowns', 'lendAgainAt', 'ceilingDriftUnits'] as const
  ).filter((name) => change[name] !== undefined);
  for (const name of stated) sets.push(`${name} = :${name}`);
  if (change.waiting === 'begin') sets.push('waitingLoanId = :loan');
  const removed = [
    ...(change.moving === 'release' ? ['movingLoanId'] : []),
    ...(change.waiting === 'end' ? ['waitingLoanId'] : []),
  ];
  const update = `SET ${sets.join(', ')}${removed.length === 0 ? '' : ` REMOVE ${removed.join(', ')}`}`;
  return {
    condition: `pool ${change.poolId} is at version ${change.expectedVersion}, to ${change.moving} its move`,
    write: {
      Update: {
        TableName: table,
        Key: poolKey(change.poolId),
        UpdateExpression: update,
        ConditionExpression: `#version = :version${MOVING_CONDITIONS[change.moving]}`,
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: {
          ':version': change.expectedVersion,
          ':one': 1,
          ...(change.moving === 'none' && change.waiting !== 'begin' ? {} : { ':loan': loanId }),
          ...Object.fromEntries(counters.map((name) => [`:${name}`, change[name]])),
          ...Object.fromEntries(stated.map((name) => [`:${name}`, change[name]])),
        },
      },
    },
  };
}

/** The consent is the version that was checked, and holds at this very moment: a revocation that came first wins. */
function consentCheck(table: string, condition: ConsentCondition, at: EpochMillis): ConditionedWrite {
  return {
    condition: `version ${condition.version} of the consent of ${condition.accountId} is current and valid`,
    write: {
      ConditionCheck: {
        TableName: table,
        Key: consentKey(condition.accountId),
        ConditionExpression:
          '#version = :version AND #status = :active AND (attribute_not_exists(#terms.validUntil) OR #terms.validUntil > :at)',
        ExpressionAttributeNames: { '#version': 'version', '#status': 'status', '#terms': 'terms' },
        ExpressionAttributeValues: { ':version': condition.version, ':active': 'active', ':at': at },
      },
    },
  };
}

/**
 * The pairing is active at this very moment. Its state stands in an item of its own, which new figures of a plan do not touch:
 *
 *     this loan:    chosen ──────────────── reserve if active  ✗ (the lender has ended it)
 *     the lender:           end the pairing ✓
 */
function pairCheck(table: string, { lenderPoolId, borrowerPoolId }: PairCondition): ConditionedWrite {
  return {
    condition: `the pairing of ${lenderPoolId} with ${borrowerPoolId} is active`,
    write: {
      ConditionCheck: {
        TableName: table,
        Key: pairingStateKey(poolIdParts(borrowerPoolId).accountId, pairingIdFor(lenderPoolId, borrowerPoolId)),
        ConditionExpression: '#state = :active',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':active': 'active' },
      },
    },
  };
}

/** What is used under a consent; a rise is conditional on the room that is left, whoever else uses it at the same time. */
function usageWrite(table: string, change: UsageChange): ConditionedWrite {
  const units = change.direction === 'lend' ? 'lentUnits' : 'borrowedUnits';
  const { unitsBeforeAtMost, unitSecondsBeforeAtMost, credit, node } = change;
  const what = node === undefined ? `the consent of ${change.accountId}` : `the limit of ${nodeText(node)}`;
  if ((unitsBeforeAtMost ?? 0) < 0 || (unitSecondsBeforeAtMost ?? 0) < 0) {
    throw new LimitReached([`${what} never covers ${change.units} units to ${change.direction}`]);
  }
  const limited = unitsBeforeAtMost !== undefined && unitSecondsBeforeAtMost !== undefined;
  return {
    condition: `${LIMIT}${what} has room for ${change.units} more units to ${change.direction}`,
    write: {
      Update: {
        TableName: table,
        Key: change.node === undefined ? usageKey(change.accountId) : limitKey(change.node),
        UpdateExpression: `ADD #units :units, #month :unitSeconds${credit === undefined ? '' : ', #credit :credit'}`,
        ...(limited
          ? {
              ConditionExpression:
                '(attribute_not_exists(#units) OR #units <= :unitsAtMost) AND (attribute_not_exists(#month) OR #month <= :unitSecondsAtMost)',
            }
          : {}),
        ExpressionAttributeNames: {
          '#units': units,
          '#month': `${change.direction}#${change.month}`,
          ...(credit === undefined ? {} : { '#credit': `credit#${credit.month}` }),
        },
        ExpressionAttributeValues: {
          ':units': change.units,
          ':unitSeconds': change.unitSeconds,
          ...(credit === undefined ? {} : { ':credit': credit.unitSeconds }),
          ...(limited ? { ':unitsAtMost': unitsBeforeAtMost, ':unitSecondsAtMost': unitSecondsBeforeAtMost } : {}),
        },
      },
    },
  };
}

function writesOf(commit: LoanCommit, tables: LoanTables): ConditionedWrite[] {
  const { accountsTable } = tables;
  return [
    loanWrite(tables.loansTable, commit.loan, commit.expectedVersion),
    ...(commit.rest === undefined ? [] : [loanWrite(tables.loansTable, commit.rest.loan, undefined)]),
    ...commit.pools.map((change) => poolWrite(accountsTable, change, commit.loan.loanId)),
    ...commit.consents.map((condition) => consentCheck(accountsTable, condition, commit.audit.at)),
    ...commit.pairs.map((condition) => pairCheck(accountsTable, condition)),
    ...(commit.notStopped ?? []).map((account) => notStoppedCheck(accountsTable, account)),
    ...commit.usage.map((change) => usageWrite(accountsTable, change)),
    ...(commit.events ?? []).map((event) => ({
      condition: `event ${event.detail.eventId} waits to be told`,
      write: { Put: { TableName: accountsTable, Item: outboxItem(commit.loan.borrowerAccountId, event) } },
    })),
    ...(commit.evidence ?? []).map((each) => evidenceOfLoan(accountsTable, each)),
    ...commit.ledger.map((entry) => ({
      condition: `entry ${entry.entryId} of ${entry.accountId} is not in the ledger yet`,
      write: {
        Put: {
          TableName: tables.ledgerTable,
          Item: { ...entry },
          ConditionExpression: 'attribute_not_exists(entryId)',
        },
      },
    })),
  ];
}

/** Environment variables of every function that writes loans. */
export const LOAN_TABLES = [
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_LOANS_TABLE',
  'ENTANGLE_LEDGER_TABLE',
  'ENTANGLE_AUDIT_TABLE',
] as const;

/** The store of loans that the environment names. */
export function loanStore(env: Env<(typeof LOAN_TABLES)[number]>): DynamoLoanStore {
  const tables = {
    accountsTable: env.ENTANGLE_ACCOUNTS_TABLE,
    loansTable: env.ENTANGLE_LOANS_TABLE,
    ledgerTable: env.ENTANGLE_LEDGER_TABLE,
    auditTable: env.ENTANGLE_AUDIT_TABLE,
  };
  return new DynamoLoanStore(tables, (loan) => countLoan(loan.state));
}

/** Loans in DynamoDB: one transaction for each step. */
export class DynamoLoanStore implements LoanStore {
  readonly #tables: LoanTables;
  readonly #onCommitted: (loan: Loan) => void;

  /** @param onCommitted told of every loan that was written, once it is written */
  constructor(tables: LoanTables, onCommitted: (loan: Loan) => void = () => {}) {
    this.#tables = tables;
    this.#onCommitted = onCommitted;
  }

  async commit(
    commit: LoanCommit,
    heads: Readonly<Record<string, ChainHead>>,
  ): Promise<Readonly<Record<string, ChainHead>>> {
    assertCommit(commit);
    const events = [commit.audit, ...(commit.rest === undefined ? [] : [commit.rest.audit])];
    try {
      const moved = await commitAuditedInAll(writesOf(commit, this.#tables), events, heads, this.#tables);
      this.#onCommitted(commit.loan);
      if (commit.rest !== undefined) this.#onCommitted(commit.rest.loan);
      return { ...heads, ...moved };
    } catch (error) {
      if (!(error instanceof ConditionsFailed)) throw error;
      const onlyLimits = error.conditions.every((condition) => condition.startsWith(LIMIT));
      throw onlyLimits ? new LimitReached([...error.conditions]) : new StaleSnapshot([...error.conditions]);
    }
  }

  async readSnapshot(loanId: LoanId): Promise<LoanSnapshot | undefined> {
    const { accountsTable, loansTable } = this.#tables;
    const answer = await documents.send(
      new GetCommand({ TableName: loansTable, Key: { loanId }, ConsistentRead: true }),
    );
    if (answer.Item === undefined) return undefined;
    const loan = loanOf(answer.Item);
    const snapshot = snapshotOf(loan, await readAccountItems(accountsTable, snapshotKeys(loan)));
    if (snapshot === undefined) {
      throw new Error(`loan ${loanId} is of pool ${loan.borrowerPoolId}, which is not enrolled`);
    }
    return snapshot;
  }
}

function loanOf(item: Item): Loan {
  const { openAccountId: _index, ...loan } = item;
  return loan as unknown as Loan;
}

/** Loans by their ids, oldest first; those that do not exist are left out. */
export async function loansById(table: string, ids: readonly string[]): Promise<Loan[]> {
  const items = await batchGet(
    table,
    ids.map((loanId) => ({ loanId })),
  );
  const loans = items.map(loanOf);
  return loans.sort((a, b) => a.requestedAt - b.requestedAt || (a.loanId < b.loanId ? -1 : 1));
}

const INDEX_KEYS = {
  open: 'openAccountId',
  'by-borrower': 'borrowerAccountId',
  'by-lender': 'lenderAccountId',
} as const;

/** Loans of an account by one of the indexes, oldest first. `open` holds the open loans of a borrower. */
export async function loansOf(table: string, index: keyof typeof INDEX_KEYS, account: AccountId): Promise<Loan[]> {
  const found = await queryAll({
    TableName: table,
    IndexName: index,
    KeyConditionExpression: '#account = :account',
    ExpressionAttributeNames: { '#account': INDEX_KEYS[index] },
    ExpressionAttributeValues: { ':account': account },
  });
  return loansById(
    table,
    found.map((item) => String(item['loanId'])),
  );
}
