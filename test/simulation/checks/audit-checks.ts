/** Each change of state and each refusal has one record, in a chain that nobody can alter. */
import type { AuditRecord, ChainHead } from '../../../core/audit/chain.ts';
import { canonicalJson, GENESIS } from '../../../core/audit/chain.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { LOAN_STATES } from '../../../core/lending/loan.ts';
import { sha256Hex } from '../../support/memory-store.ts';
import type { Change } from '../aws/tables.ts';
import type { Invocation, Outcome } from '../lambda.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';

type Report = (invariant: Invariant, what: string) => void;

const LOAN_TYPES: ReadonlySet<string> = new Set(LOAN_STATES.map((state) => `loan.${state}`));

/** Whether an item of the accounts table is a right of somebody, and what its records are called. */
function rightOf(change: Change): { readonly type: string; readonly records: number } | undefined {
  const item = String(change.after?.['item'] ?? change.before?.['item']);
  if (item === 'CONSENT') return { type: 'consent.', records: 1 };
  if (item.startsWith('PAIRSTATE#')) return { type: 'pairing.', records: 2 };
  return undefined;
}

export class AuditChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #heads = new Map<string, ChainHead>();
  readonly #written = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #byInvocation = new Map<Invocation, AuditRecord[]>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onChanged(changes: readonly Change[], invocation: Invocation | undefined): void {
    const records: AuditRecord[] = [];
    for (const change of changes) {
      if (change.table === 'entangle-audit') {
        if (change.before !== undefined) this.#report('audit', 'a record was altered or removed');
        if (change.after !== undefined) records.push(change.after as unknown as AuditRecord);
      }
    }
    const loanIds = new Set(changes.map(({ after }) => after?.['loanId']));
    for (const record of records) this.#append(record, loanIds);
    if (invocation !== undefined && records.length > 0) {
      this.#byInvocation.set(invocation, [...(this.#byInvocation.get(invocation) ?? []), ...records]);
    }
    for (const change of changes) this.#answersFor(change, records);
  }

  #append(record: AuditRecord, loanIds: ReadonlySet<unknown>): void {
    const { accountId, seq, previousHash, hash, ...rest } = record;
    const head = this.#heads.get(accountId) ?? GENESIS;
    const { hash: _hash, ...body } = record;
    if (seq !== head.seq + 1 || previousHash !== head.hash || sha256Hex(canonicalJson(body)) !== hash) {
      this.#report('audit', `record ${seq} of ${accountId} does not follow ${head.seq}`);
    }
    this.#heads.set(accountId, { seq, hash });
    if (!LOAN_TYPES.has(rest.type)) return;
    this.#refused.add(`${rest.subject} ${rest.type}`);
    // A request of a pool that is not enrolled is recorded each time that it comes: there is no loan that it could be known by.
    if (rest.type === 'loan.refused' && !loanIds.has(rest.subject)) return;
    const key = `${rest.subject} ${rest.type}`;
    if (this.#written.has(key)) this.#report('audit', `${rest.type} of ${rest.subject} is recorded twice`);
    this.#written.add(key);
  }

  #answersFor(change: Change, records: readonly AuditRecord[]): void {
    if (change.table === 'entangle-loans' && change.after !== undefined) {
      const loan = change.after as unknown as Loan;
      const own = records.filter(({ subject }) => subject === loan.loanId);
      const isNewState = (change.before as unknown as Loan | undefined)?.state !== loan.state;
      const right = own.length === 1 && (!isNewState || own[0]?.type === `loan.${loan.state}`);
      if (!right) this.#report('audit', `${loan.loanId} became ${loan.state} with ${own.length} records`);
    }
    if (change.table !== 'entangle-accounts') return;
    const right = rightOf(change);
    const found = right === undefined ? 0 : records.filter(({ type }) => type.startsWith(right.type)).length;
    if (right !== undefined && found !== right.records) {
      this.#report('audit', `${String(change.after?.['item'])} changed with ${found} records, not ${right.records}`);
    }
  }

  #countOf(invocation: Invocation, type: string): number {
    return (this.#byInvocation.get(invocation) ?? []).filter((record) => record.type === type).length;
  }

  onEnded(invocation: Invocation, outcome: Outcome): void {
    if (outcome.ok && invocation.functionName === 'api') {
      const { statusCode } = outcome.result as { readonly statusCode: number };
      const denied = this.#countOf(invocation, 'access.denied');
      // One that failed inside after it was recorded is another attempt than the one that follows it.
      if (statusCode === 403 ? denied !== 1 : statusCode < 400 && denied > 0) {
        this.#report('audit', `${invocation.label} answered ${statusCode} with ${denied} records of a denied access`);
      }
    }
    if (outcome.ok && invocation.functionName === 'assess') {
      const { loanId } = invocation.event as { readonly loanId: string };
      const { outcome: answer } = outcome.result as { readonly outcome: string };
      if (answer === 'refused' && !this.#refused.has(`${loanId} loan.refused`)) {
        this.#report('audit', `the refusal of ${loanId} is not on record`);
      }
    }
    this.#byInvocation.delete(invocation);
  }

  atRest(): void {
    for (const [account, { seq, hash }] of this.#heads) {
      const stored = this.#world.tables.get('entangle-accounts', { accountId: account, item: 'CHAIN' });
      if (stored?.['seq'] !== seq || stored['hash'] !== hash) {
        this.#report('audit', `the head of the chain of ${account} is not its last record, ${seq}`);
      }
    }
  }
}
