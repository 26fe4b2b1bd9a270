/** The transactions of a loan and its return, with the same items and conditions on keys that nothing else uses. */

import type { DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ChainHead } from '../../core/audit/chain.ts';
import { GENESIS, link } from '../../core/audit/chain.ts';
import type { Consent } from '../../core/consent/consent.ts';
import { applyCommit } from '../../core/lending/apply.ts';
import type { LoanCommit, LoanSnapshot } from '../../core/lending/commit.ts';
import { drain } from '../../core/lending/drain.ts';
import type { Loan } from '../../core/lending/loan.ts';
import { isOpen } from '../../core/lending/loan.ts';
import { request } from '../../core/lending/request.ts';
import { activate, beginReturn, reclaim, recordGiven, recordTaken, reserve, settle } from '../../core/lending/saga.ts';
import type { GroupObservation, Pool } from '../../core/pool.ts';
import type { TrustEvidence } from '../../core/trust/evidence.ts';
import { evidenceFromLoan } from '../../core/trust/loan-evidence.ts';
import type { AccountId, LoanId, PoolId } from '../../core/units.ts';
import { invariant, poolIdParts } from '../../core/units.ts';
import { pairingIdFor, sha256Hex } from '../../functions/adapters/ids.ts';
import type { AccountKey } from '../../functions/adapters/keys.ts';
import {
  chainKey,
  consentKey,
  evidenceItem,
  pairingStateKey,
  poolKey,
  usageKey,
} from '../../functions/adapters/keys.ts';
import { notStoppedCheck } from '../../functions/adapters/stop-store.ts';
import { tableName } from '../../infra/names.ts';
import { writeUnitsOfTransaction } from './dynamodb-units.ts';

export interface LendingSide {
  readonly pool: Pool;
  readonly consent: Consent;
  readonly group: GroupObservation;
}

type Item = Record<string, unknown>;
export type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

export interface BareTransaction {
  readonly items: TransactItems;
  /** What AWS bills for it, from the sizes of its items. */
  readonly writeUnits: number;
}

/** What the steps of a loan write, from a loan that was really made: the same terms, moves and reasons under another id. */
function commitsLike(made: Loan, loanId: LoanId, borrower: LendingSide, lender: LendingSide): LoanCommit[] {
  const at = (state: Loan['state']) => made.history.find((entry) => entry.state === state)?.at ?? made.requestedAt;
  const { borrowerPoolId, borrowerAccountId, units, bindingResource, alarmName, alarmTransitionAt } = made;
  const parties = { loanId, borrowerPoolId, borrowerAccountId };
  const alarm = {
    units,
    bindingResource,
    ...(alarmName === undefined ? {} : { alarmName }),
    ...(alarmTransitionAt === undefined ? {} : { alarmTransitionAt }),
    startedBy: made.startedBy,
    inServiceBefore: made.inServiceBefore,
  };
  const [reason, ...reasons] = made.reasons;
  invariant(reason !== undefined, 'a loan that was made has its reason');
  const first = request({ ...parties, ...alarm, reason: reason.text }, at('requested'));
  let snapshot: LoanSnapshot = { loan: first.loan, borrowerPool: borrower.pool, lenderPool: lender.pool, heads: {} };
  const { priceMicroUsdPerUnitHour, termSeconds, shortestTermSeconds, returnReason = 'expired', moves } = made;
  const price = { priceMicroUsdPerUnitHour, termSeconds, shortestTermSeconds };
  const consents = { borrowerConsent: borrower.consent, borrowerGroup: borrower.group, lender };
  const steps: readonly (() => LoanCommit)[] = [
    () => reserve(snapshot, { units, ...price, ...consents, reasons }, at('reserved')),
    () => recordTaken(snapshot, at('taken')),
    () => recordGiven(snapshot, at('given')),
    () => activate(snapshot, at('active')),
    () => beginReturn(snapshot, returnReason, moves.takeBack, at('returning')),
    // Instances that have still to go are waited for without holding the borrower's pool.
    ...(made.history.some(({ state }) => state === 'draining') ? [() => drain(snapshot, at('draining'))] : []),
    () => reclaim(snapshot, moves.giveBack, at('reclaimed')),
    () => {
      const end = settle(snapshot, at('returned'));
      return { ...end, evidence: evidenceFromLoan(end.loan) };
    },
  ];
  const rest = steps.map((step) => {
    const commit = step();
    snapshot = applyCommit(snapshot, commit);
    return commit;
  });
  return [first, ...rest];
}

/** Partition that stands for an account's. */
const scratchAccount = (accountId: string): string => `bench-${accountId}`;
const scratchKey = <Key extends { readonly accountId: string }>(key: Key): Key => ({
  ...key,
  accountId: scratchAccount(key.accountId),
});

/** A piece of evidence, under the key of the account that stands for its own. */
function keptEvidence(evidence: TrustEvidence): Item {
  const { accountId, at, evidenceId } = evidence;
  return { ...evidence, accountId: scratchAccount(accountId), item: evidenceItem(at, evidenceId) };
}

function stateOfPair(lender: PoolId, borrower: PoolId): AccountKey {
  return pairingStateKey(poolIdParts(borrower).accountId, pairingIdFor(lender, borrower));
}

function loanItem(loan: Loan): Item {
  const lender = loan.lenderAccountId === undefined ? {} : { lenderAccountId: scratchAccount(loan.lenderAccountId) };
  const borrowerAccountId = scratchAccount(loan.borrowerAccountId);
  return { ...loan, borrowerAccountId, ...lender, ...(isOpen(loan) ? { openAccountId: borrowerAccountId } : {}) };
}

/** Writes like the store of loans does, into the same tables. */
export class ScratchBooks {
  readonly #documents: DynamoDBDocumentClient;
  readonly #borrower: LendingSide;
  readonly #lender: LendingSide;
  /** Items that the transactions change or check, by key. */
  readonly #standing = new Map<string, Item>();
  readonly #heads = new Map<string, ChainHead>();
  #serial = 0;

  private constructor(documents: DynamoDBDocumentClient, borrower: LendingSide, lender: LendingSide) {
    this.#documents = documents;
    this.#borrower = borrower;
    this.#lender = lender;
  }

  /** Copies the items that stand before a loan to keys of their own. */
  static async open(
    documents: DynamoDBDocumentClient,
    borrower: LendingSide,
    lender: LendingSide,
  ): Promise<ScratchBooks> {
    const books = new ScratchBooks(documents, borrower, lender);
    for (const { pool } of [borrower, lender]) {
      const { accountId, poolId } = pool.spec;
      for (const key of [poolKey(poolId), consentKey(accountId), usageKey(accountId), chainKey(accountId)]) {
        await books.#copy(key);
      }
    }
    await books.#copy(stateOfPair(lender.pool.spec.poolId, borrower.pool.spec.poolId));
    return books;
  }

  /** The transactions of one loan, in order. */
  transactionsLike(made: Loan): BareTransaction[] {
    this.#serial += 1;
    const loanId = `ln-${String(this.#serial).padStart(24, '0')}` as LoanId;
    const commits = commitsLike(made, loanId, this.#borrower, this.#lender);
    return commits.map((commit, index) => this.#transaction(commit, commits[index - 1]?.loan));
  }

  async #copy(key: { readonly accountId: string; readonly item: string }): Promise<void> {
    const TableName = tableName('accounts');
    const { Item: found } = await this.#documents.send(new GetCommand({ TableName, Key: key }));
    const item: Item = found ?? {};
    const { bucket: _index, ...kept } = item;
    const copy = { ...kept, ...scratchKey(key) };
    await this.#documents.send(new PutCommand({ TableName, Item: copy }));
    this.#standing.set(`${copy.accountId} ${key.item}`, copy);
  }

  #stands(key: { readonly accountId: string; readonly item: string }): Item {
    const item = this.#standing.get(`${key.accountId} ${key.item}`);
    invariant(item !== undefined, `${key.item} of ${key.accountId} was copied`);
    return item;
  }

  #transaction(commit: LoanCommit, before: Loan | undefined): BareTransaction {
    const loan = loanItem(commit.loan);
    const updated = [
      ...commit.pools.map((change) => scratchKey(poolKey(change.poolId))),
      ...commit.usage.map((change) => scratchKey(usageKey(change.accountId))),
      scratchKey(chainKey(commit.audit.accountId)),
    ];
    const consents = commit.consents.map((condition) => scratchKey(consentKey(condition.accountId)));
    const pairs = commit.pairs.map(({ lenderPoolId, borrowerPoolId }) =>
      scratchKey(stateOfPair(lenderPoolId, borrowerPoolId)),
    );
    const account = scratchAccount(commit.audit.accountId);
    const record = link(commit.audit, this.#heads.get(account) ?? GENESIS, sha256Hex);
    this.#heads.set(account, { seq: record.seq, hash: record.hash });
    const switches = (commit.notStopped ?? []).map((each) => scratchAccount(each) as AccountId);
    const entries = commit.ledger.map((entry) => ({ ...scratchKey(entry) }));
    const evidence = (commit.evidence ?? []).map(keptEvidence);
    const auditItem = { ...record, accountId: account };
    const items: TransactItems = [
      {
        Put: putOf(
          'loans',
          loan,
          commit.expectedVersion === undefined ? 'attribute_not_exists(loanId)' : 'attribute_exists(loanId)',
        ),
      },
      ...updated.map((key) => ({ Update: touch(key) })),
      ...consents.map((key) => ({ ConditionCheck: check(key, 'status') })),
      ...pairs.map((key) => ({ ConditionCheck: check(key, 'state') })),
      ...switches.map((each) => notStoppedCheck(tableName('accounts'), each).write),
      ...entries.map((entry) => ({ Put: putOf('ledger', entry, 'attribute_not_exists(entryId)') })),
      ...evidence.map((Item) => ({ Put: { TableName: tableName('accounts'), Item } })),
      { Put: putOf('audit', auditItem, 'attribute_not_exists(accountId)') },
    ];
    const touched = [...updated, ...consents, ...pairs].map((key) => this.#stands(key));
    // An account that was never stopped has no switch: what is not there is billed as the smallest item.
    const written = [loan, ...touched, ...switches.map(() => ({})), ...entries, ...evidence, auditItem];
    return { items, writeUnits: writeUnitsOfTransaction(written) + indexWrites(before, commit.loan) };
  }
}

function putOf(table: 'loans' | 'ledger' | 'audit', item: Item, condition: string) {
  return { TableName: tableName(table), Item: item, ConditionExpression: condition };
}

function touch(key: AccountKey) {
  return {
    TableName: tableName('accounts'),
    Key: key,
    UpdateExpression: 'ADD touched :one',
    ConditionExpression: 'attribute_exists(accountId) AND (attribute_not_exists(touched) OR touched >= :one)',
    ExpressionAttributeValues: { ':one': 1 },
  };
}

/** @param says which attribute says that it is active: a consent's `status`, a pairing's `state` */
function check(key: AccountKey, says: 'status' | 'state') {
  return {
    TableName: tableName('accounts'),
    Key: key,
    ConditionExpression: '#version >= :one AND #says = :active',
    ExpressionAttributeNames: { '#version': 'version', '#says': says },
    ExpressionAttributeValues: { ':one': 1, ':active': 'active' },
  };
}

/** Entries of the three keys-only indexes of the loans table that a change adds or removes: one unit each. */
function indexWrites(before: Loan | undefined, after: Loan): number {
  const entries = (loan: Loan | undefined) => [
    loan !== undefined,
    loan?.lenderAccountId !== undefined,
    loan !== undefined && isOpen(loan),
  ];
  const now = entries(after);
  return entries(before).filter((existed, index) => existed !== now[index]).length;
}
