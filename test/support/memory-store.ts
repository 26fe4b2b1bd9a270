import { hash } from 'node:crypto';
import type { AuditEvent, AuditRecord, ChainHead } from '../../core/audit/chain.ts';
import { GENESIS, link } from '../../core/audit/chain.ts';
import type { LedgerEntry } from '../../core/billing/ledger.ts';
import type { Consent, ConsentUsage } from '../../core/consent/consent.ts';
import { emptyUsage } from '../../core/consent/covers.ts';
import { applyPoolChange } from '../../core/lending/apply.ts';
import type { LoanCommit, LoanSnapshot, PoolChange, UsageChange } from '../../core/lending/commit.ts';
import { assertCommit } from '../../core/lending/commit.ts';
import { nodeText } from '../../core/lending/limits.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { Pool } from '../../core/pool.ts';
import type { LoanStore } from '../../core/ports.ts';
import { LimitReached, StaleSnapshot } from '../../core/ports.ts';
import type { AccountId, LoanId, PoolId } from '../../core/units.ts';
import { invariant } from '../../core/units.ts';

export function sha256Hex(text: string): string {
  return hash('sha256', text);
}

/** Every condition of a commit as the tables check it, over maps. One commit at a time: nothing in it waits. */
export class MemoryStore implements LoanStore {
  readonly loans = new Map<LoanId, Loan>();
  readonly pools = new Map<PoolId, Pool>();
  /** The current version of each account's consent. */
  readonly consents = new Map<AccountId, Consent>();
  /** `<lender's pool> <borrower's pool>` of pairs whose pairing is not active; all others are. */
  readonly inactivePairs = new Set<string>();
  /** Accounts that are stopped. */
  readonly stopped = new Set<AccountId>();
  readonly usages = new Map<AccountId, ConsentUsage>();
  /** What is used of limits beside the consents', by what each is of. */
  readonly limitUsages = new Map<string, ConsentUsage>();
  readonly ledger = new Map<string, LedgerEntry>();
  readonly audit = new Map<AccountId, AuditRecord[]>();
  readonly heads = new Map<AccountId, ChainHead>();

  putPool(pool: Pool): void {
    this.pools.set(pool.spec.poolId, pool);
  }

  putConsent(consent: Consent): void {
    this.consents.set(consent.accountId, consent);
  }

  usageOf(account: AccountId): ConsentUsage {
    return this.usages.get(account) ?? emptyUsage(account);
  }

  poolOf(id: PoolId): Pool {
    const pool = this.pools.get(id);
    invariant(pool !== undefined, `${id} is in the store`);
    return pool;
  }

  async readSnapshot(loanId: LoanId): Promise<LoanSnapshot | undefined> {
    return this.snapshot(loanId);
  }

  /** `readSnapshot` without waiting. */
  snapshot(loanId: LoanId): LoanSnapshot | undefined {
    const loan = this.loans.get(loanId);
    if (loan === undefined) return undefined;
    const accounts = [loan.borrowerAccountId, ...(loan.lenderAccountId === undefined ? [] : [loan.lenderAccountId])];
    return {
      loan,
      borrowerPool: this.poolOf(loan.borrowerPoolId),
      ...(loan.lenderPoolId === undefined ? {} : { lenderPool: this.poolOf(loan.lenderPoolId) }),
      heads: Object.fromEntries(accounts.map((account) => [account, this.heads.get(account) ?? GENESIS])),
    };
  }

  async commit(commit: LoanCommit, heads: Readonly<Record<string, ChainHead>>): Promise<Record<string, ChainHead>> {
    return this.commitNow(commit, heads);
  }

  /** `commit` without waiting. */
  commitNow(commit: LoanCommit, heads: Readonly<Record<string, ChainHead>>): Record<string, ChainHead> {
    assertCommit(commit);
    const stale = this.#staleConditions(commit);
    const limits = commit.usage.flatMap((change) => this.#limitsPassed(change));
    if (stale.length > 0) throw new StaleSnapshot([...stale, ...limits]);
    if (limits.length > 0) throw new LimitReached(limits);
    for (const change of commit.pools) {
      this.putPool(applyPoolChange(this.poolOf(change.poolId), change, commit.loan.loanId));
    }
    for (const change of commit.usage) this.#applyUsage(change);
    for (const entry of commit.ledger) this.ledger.set(`${entry.accountId} ${entry.entryId}`, entry);
    this.loans.set(commit.loan.loanId, commit.loan);
    const moved = this.#append(commit.audit);
    if (commit.rest === undefined) return { ...heads, ...moved };
    this.loans.set(commit.rest.loan.loanId, commit.rest.loan);
    return { ...heads, ...moved, ...this.#append(commit.rest.audit) };
  }

  #append(event: AuditEvent): Record<string, ChainHead> {
    const { accountId } = event;
    const record = link(event, this.heads.get(accountId) ?? GENESIS, sha256Hex);
    const head = { seq: record.seq, hash: record.hash };
    this.audit.set(accountId, [...(this.audit.get(accountId) ?? []), record]);
    this.heads.set(accountId, head);
    return { [accountId]: head };
  }

  #staleConditions(commit: LoanCommit): string[] {
    const { loan, expectedVersion } = commit;
    const conflicts: string[] = [];
    const stored = this.loans.get(loan.loanId);
    if (stored?.version !== expectedVersion) {
      conflicts.push(
        `loan ${loan.loanId}: version ${stored?.version ?? 'none'}, expected ${expectedVersion ?? 'none'}`,
      );
    }
    const { rest } = commit;
    if (rest !== undefined && this.loans.has(rest.loan.loanId)) {
      conflicts.push(`loan ${rest.loan.loanId}: is there already`);
    }
    for (const change of commit.pools) conflicts.push(...this.#poolConflicts(change, loan.loanId));
    for (const { accountId, version } of commit.consents) {
      const consent = this.consents.get(accountId);
      const { at } = commit.audit;
      const ended = consent?.terms.validUntil !== undefined && at >= consent.terms.validUntil;
      if (consent?.version !== version || consent.status !== 'active' || ended) {
        conflicts.push(`consent of ${accountId}: version ${version} is not the valid one`);
      }
    }
    for (const { lenderPoolId, borrowerPoolId } of commit.pairs) {
      if (this.inactivePairs.has(`${lenderPoolId} ${borrowerPoolId}`)) {
        conflicts.push(`the pairing of ${lenderPoolId} with ${borrowerPoolId} is not active`);
      }
    }
    for (const account of commit.notStopped ?? []) {
      if (this.stopped.has(account)) conflicts.push(`account ${account} is not stopped`);
    }
    for (const entry of commit.ledger) {
      if (this.ledger.has(`${entry.accountId} ${entry.entryId}`)) {
        conflicts.push(`ledger of ${entry.accountId}: ${entry.entryId} is there already`);
      }
    }
    return conflicts;
  }

  #poolConflicts(change: PoolChange, loanId: LoanId): string[] {
    const pool = this.pools.get(change.poolId);
    if (pool === undefined) return [`pool ${change.poolId}: not enrolled`];
    const conflicts: string[] = [];
    if (pool.version !== change.expectedVersion) {
      conflicts.push(`pool ${change.poolId}: version ${pool.version}, expected ${change.expectedVersion}`);
    }
    const holder = pool.movingLoanId;
    if (change.moving === 'acquire' && holder !== undefined) {
      conflicts.push(`pool ${change.poolId}: is being moved by ${holder}`);
    }
    if ((change.moving === 'release' || change.moving === 'held') && holder !== loanId) {
      conflicts.push(`pool ${change.poolId}: is not being moved by ${loanId}`);
    }
    return conflicts;
  }

  #usageFor({ accountId, node }: UsageChange): ConsentUsage {
    return node === undefined
      ? this.usageOf(accountId)
      : (this.limitUsages.get(nodeText(node)) ?? emptyUsage(accountId));
  }

  #used(change: UsageChange): { units: number; unitSeconds: number } {
    const usage = this.#usageFor(change);
    return change.direction === 'lend'
      ? { units: usage.lentUnits, unitSeconds: usage.lentUnitSeconds[change.month] ?? 0 }
      : { units: usage.borrowedUnits, unitSeconds: usage.borrowedUnitSeconds[change.month] ?? 0 };
  }

  #limitsPassed(change: UsageChange): string[] {
    const { units, unitSeconds } = this.#used(change);
    const passed: string[] = [];
    if (change.unitsBeforeAtMost !== undefined && units > change.unitsBeforeAtMost) {
      passed.push(
        `usage of ${change.accountId}: ${units} units to ${change.direction}, at most ${change.unitsBeforeAtMost}`,
      );
    }
    if (change.unitSecondsBeforeAtMost !== undefined && unitSeconds > change.unitSecondsBeforeAtMost) {
      passed.push(
        `usage of ${change.accountId}: ${unitSeconds} unit-seconds in ${change.month}, at most ${change.unitSecondsBeforeAtMost}`,
      );
    }
    return passed;
  }

  #applyUsage(change: UsageChange): void {
    const { credit } = change;
    const before = this.#usageFor(change);
    const credits = { ...before.creditUnitSeconds };
    if (credit !== undefined) credits[credit.month] = (credits[credit.month] ?? 0) + credit.unitSeconds;
    const usage = credit === undefined ? before : { ...before, creditUnitSeconds: credits };
    const used = this.#used(change);
    const units = used.units + change.units;
    const unitSeconds = used.unitSeconds + change.unitSeconds;
    invariant(units >= 0 && unitSeconds >= 0, `usage of ${change.accountId} is never negative`);
    const after =
      change.direction === 'lend'
        ? { ...usage, lentUnits: units, lentUnitSeconds: { ...usage.lentUnitSeconds, [change.month]: unitSeconds } }
        : {
            ...usage,
            borrowedUnits: units,
            borrowedUnitSeconds: { ...usage.borrowedUnitSeconds, [change.month]: unitSeconds },
          };
    if (change.node === undefined) this.usages.set(change.accountId, after);
    else this.limitUsages.set(nodeText(change.node), after);
  }
}
