/** What pools and consents count is what their loans add up to, and the ledger balances. */
import type { LedgerEntry } from '../../../core/billing/ledger.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { isOpen } from '../../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../../core/lending/loan-units.ts';
import type { Pool } from '../../../core/pool.ts';
import type { Item } from '../aws/expressions.ts';
import type { Change } from '../aws/tables.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';

type Report = (invariant: Invariant, what: string) => void;

const hasBeen = (loan: Loan, state: string): boolean => loan.history.some((entry) => entry.state === state);
/** From its reservation until its end. */
const holds = (loan: Loan): boolean => hasBeen(loan, 'reserved') && loan.endedAt === undefined;
/** Until its ceiling is down. */
const holdsBorrower = (loan: Loan): boolean => holds(loan) && !hasBeen(loan, 'draining') && !hasBeen(loan, 'reclaimed');

function sum(loans: readonly Loan[], wanted: (loan: Loan) => boolean, units: (loan: Loan) => number): number {
  return loans.reduce((total, loan) => total + (wanted(loan) ? units(loan) : 0), 0);
}

export class CounterChecks {
  readonly #world: World;
  readonly #report: Report;

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  get #loans(): Loan[] {
    return [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
  }

  onChanged(changes: readonly Change[]): void {
    const ledger = changes.filter(({ table }) => table === 'entangle-ledger');
    if (ledger.length > 0) this.#checkLedger(ledger);
    const counted = changes.filter(({ table, after }) => table === 'entangle-accounts' && after !== undefined);
    const pools = counted.filter(({ after }) => String(after?.['item']).startsWith('POOL#'));
    const usages = counted.filter(({ after }) => after?.['item'] === 'USAGE');
    const touchesLoans = changes.some(({ table }) => table === 'entangle-loans');
    if (pools.length === 0 && usages.length === 0 && !touchesLoans) return;
    const open = this.#loans.filter(isOpen);
    for (const { after } of pools) this.#checkPool(after as unknown as Pool, open);
    for (const { after } of usages) this.#checkUsage(after as Item, open);
    if (touchesLoans) this.#checkStillCounted(changes, open);
  }

  /** A loan that changed without its counters leaves them wrong. */
  #checkStillCounted(changes: readonly Change[], open: readonly Loan[]): void {
    for (const { table, after } of changes) {
      if (table !== 'entangle-loans' || after === undefined) continue;
      const { borrowerPoolId, lenderPoolId } = after as unknown as Loan;
      for (const id of [borrowerPoolId, lenderPoolId]) {
        const pool = id === undefined ? undefined : this.#storedPool(id);
        if (pool !== undefined) this.#checkPool(pool, open);
      }
    }
  }

  #storedPool(id: string): Pool | undefined {
    const [accountId = '', region = '', name = ''] = id.split('/');
    const item = this.#world.tables.get('entangle-accounts', { accountId, item: `POOL#${region}#${name}` });
    return item as unknown as Pool | undefined;
  }

  #checkPool(pool: Pool, open: readonly Loan[]): void {
    const id = pool.spec.poolId;
    const borrows = (kind: Loan['kind']) => (loan: Loan) =>
      holdsBorrower(loan) && loan.borrowerPoolId === id && (loan.kind === 'provisioned') === (kind === 'provisioned');
    const expected = {
      lentUnits: sum(open, (loan) => holds(loan) && loan.lenderPoolId === id, lenderUnitsOf),
      borrowedUnits: sum(open, borrows('nominal'), ({ units }) => units),
      provisionedUnits: sum(open, borrows('provisioned'), ({ units }) => units),
    };
    for (const name of ['lentUnits', 'borrowedUnits', 'provisionedUnits'] as const) {
      if (pool[name] !== expected[name]) {
        this.#report('counters', `${id} counts ${pool[name]} ${name}, its loans add up to ${expected[name]}`);
      }
    }
    if (pool.provisionedUnits > pool.spec.provisioningLimitUnits) {
      this.#report('consents', `${id} has provisioned ${pool.provisionedUnits} units, beyond its limit`);
    }
    const { movingLoanId } = pool;
    if (movingLoanId !== undefined && !open.some(({ loanId }) => loanId === movingLoanId)) {
      this.#report('counters', `${id} is locked by ${movingLoanId}, which has ended`);
    }
  }

  #checkUsage(usage: Item, open: readonly Loan[]): void {
    const account = usage['accountId'];
    const lent = sum(open, (loan) => holds(loan) && loan.lenderAccountId === account, lenderUnitsOf);
    const borrowed = sum(
      open,
      (loan) => holds(loan) && loan.kind !== 'provisioned' && loan.borrowerAccountId === account,
      ({ units }) => units,
    );
    if ((usage['lentUnits'] ?? 0) !== lent) {
      this.#report('counters', `${String(account)} counts ${String(usage['lentUnits'])} units lent, not ${lent}`);
    }
    if ((usage['borrowedUnits'] ?? 0) !== borrowed) {
      this.#report('counters', `${String(account)} counts ${String(usage['borrowedUnits'])} borrowed, not ${borrowed}`);
    }
  }

  #checkLedger(changes: readonly Change[]): void {
    const entries = changes.flatMap(({ after }) => (after === undefined ? [] : [after as unknown as LedgerEntry]));
    if (changes.some(({ before }) => before !== undefined)) this.#report('ledger', 'an entry was altered or removed');
    const total = entries.reduce((all, { amountMicroUsd }) => all + amountMicroUsd, 0);
    if (total !== 0) this.#report('ledger', `the entries of one commit add up to ${total}`);
  }

  atRest(): void {
    for (const item of this.#world.tables.all('entangle-accounts')) {
      const name = String(item['item']);
      if (name.startsWith('POOL#')) this.#restingPool(item as unknown as Pool);
      if (name === 'USAGE') this.#restingUsage(item);
      if (name.startsWith('EVENT#')) this.#report('everything-back', `an event waits still: ${name}`);
    }
    const pending = new Map<string, number>();
    for (const entry of this.#world.tables.all('entangle-ledger')) {
      const { accountId, phase, amountMicroUsd } = entry as unknown as LedgerEntry;
      if (phase !== 'posted') pending.set(accountId, (pending.get(accountId) ?? 0) + amountMicroUsd);
    }
    for (const [account, amount] of pending) {
      if (amount !== 0) this.#report('ledger', `${account} has ${amount} pending though all loans have ended`);
    }
  }

  #restingPool(pool: Pool): void {
    const promised = pool.lentUnits + pool.borrowedUnits + pool.provisionedUnits;
    if (promised !== 0 || pool.movingLoanId !== undefined) {
      this.#report(
        'everything-back',
        `${pool.spec.poolId} is not free: ${promised} units, ${String(pool.movingLoanId)}`,
      );
    }
  }

  #restingUsage(usage: Item): void {
    const inUse = Number(usage['lentUnits'] ?? 0) + Number(usage['borrowedUnits'] ?? 0);
    if (inUse !== 0)
      this.#report('everything-back', `${String(usage['accountId'])} uses ${inUse} units of its consent`);
  }
}
