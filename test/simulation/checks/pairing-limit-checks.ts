/** Limits that a party has stated of a pairing: they come and go, so each loan is held against what was in force when it was chosen. */
import { utcMonth } from '../../../core/calendar.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import type { Pairing } from '../../../core/pairing/pairing.ts';
import type { LoanDirection, UnitLimit } from '../../../core/unit-limits.ts';
import { pairingIdFor } from '../../../functions/adapters/ids.ts';
import { pairingKey } from '../../../functions/adapters/keys.ts';
import type { Change } from '../aws/tables.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';
import { momentOf, secondsOf, unitsIn } from './loan-amounts.ts';

type Report = (invariant: Invariant, what: string) => void;

/** So long before it is reserved, repeats and slow calls included, a loan may have been chosen. */
const CHOSEN_MILLIS = 600_000;
const SECONDS_PER_HOUR = 3_600;

/** What one party allowed from a moment on; no limit: all of it. */
interface Statement {
  readonly at: number;
  readonly limit: UnitLimit | undefined;
}

const most = (values: readonly (number | undefined)[]): number =>
  Math.max(...values.map((value) => value ?? Number.POSITIVE_INFINITY));

export class PairingLimitChecks {
  readonly #world: World;
  readonly #report: Report;
  /** By pairing and party, oldest first. */
  readonly #stated = new Map<string, Statement[]>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onChanged(changes: readonly Change[]): void {
    for (const { table, before, after } of changes) {
      if (table !== 'entangle-accounts' || !String(after?.['item']).startsWith('PAIRING#')) continue;
      const [was, is] = [before, after].map((item) => item as unknown as (Pairing & { accountId: string }) | undefined);
      if (is === undefined) continue;
      // Each party has the pairing under its own account: there its own limit is read.
      const { accountId, pairingId } = is;
      const [had, has] = [was, is].map((pairing) => pairing?.limits?.find((limit) => limit.accountId === accountId));
      if (JSON.stringify(had) === JSON.stringify(has)) continue;
      const key = `${pairingId} ${accountId}`;
      this.#stated.set(key, [...(this.#stated.get(key) ?? []), { at: this.#world.engine.now, limit: has }]);
    }
  }

  /** Of a loan that is just reserved, or whose term has just become longer. */
  check(loan: Loan): void {
    const { lenderPoolId, lenderAccountId, borrowerPoolId, borrowerAccountId } = loan;
    if (lenderPoolId === undefined || lenderAccountId === undefined) return;
    const pairingId = pairingIdFor(lenderPoolId, borrowerPoolId);
    this.#checkSide(loan, `${pairingId} ${lenderAccountId}`, 'lend');
    this.#checkSide(loan, `${pairingId} ${borrowerAccountId}`, 'borrow');
  }

  /** Loans of the same pairing that count surely: chosen when the limit, as it is stated without a gap, was read already. */
  #counted(loan: Loan, stated: readonly Statement[]): Loan[] {
    const gap = stated.findLastIndex(({ limit }) => limit === undefined);
    const since = (stated[gap + 1]?.at ?? Number.POSITIVE_INFINITY) + CHOSEN_MILLIS;
    const all = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    return all.filter(({ lenderPoolId, borrowerPoolId, ...each }) => {
      const isSame = lenderPoolId === loan.lenderPoolId && borrowerPoolId === loan.borrowerPoolId;
      return isSame && (momentOf({ lenderPoolId, borrowerPoolId, ...each } as Loan, 'reserved') ?? 0) >= since;
    });
  }

  #checkSide(loan: Loan, key: string, direction: LoanDirection): void {
    const stated = this.#stated.get(key) ?? [];
    const chosenAfter = (loan.renewals?.at(-1)?.at ?? momentOf(loan, 'reserved') ?? 0) - CHOSEN_MILLIS;
    const before = stated.findLast(({ at }) => at < chosenAfter);
    const inForce = [before, ...stated.filter(({ at }) => at >= chosenAfter)].map((each) => each?.limit);
    const maxUnits = most(inForce.map((limit) => limit?.maxUnits));
    const maxHours = most(inForce.map((limit) => limit?.maxUnitHoursPerMonth));
    if (!Number.isFinite(Math.min(maxUnits, maxHours))) return;
    const counted = this.#counted(loan, stated);
    const fault = (what: string): void => this.#report('limits', `pairing ${key}: ${what} with ${loan.loanId}`);
    const units = counted
      .filter(({ endedAt }) => endedAt === undefined)
      .reduce((sum, each) => sum + unitsIn(direction, each), 0);
    if (units > maxUnits) fault(`${units} units of ${maxUnits}`);
    const monthOf = (each: Loan): string => utcMonth(momentOf(each, 'reserved') ?? each.requestedAt);
    const seconds = counted
      .filter((each) => monthOf(each) === monthOf(loan))
      .reduce((sum, each) => sum + unitsIn(direction, each) * secondsOf(each), 0);
    if (seconds > maxHours * SECONDS_PER_HOUR) fault(`${seconds} unit-seconds of ${maxHours} hours`);
  }

  /** What a limit is stated of stands the same under both accounts. */
  atRest(): void {
    for (const item of this.#world.tables.all('entangle-accounts')) {
      if (!String(item['item']).startsWith('PAIRING#')) continue;
      const { pairingId, lenderAccountId, borrowerAccountId, limits } = item as unknown as Pairing;
      const other = item['accountId'] === lenderAccountId ? borrowerAccountId : lenderAccountId;
      const theirs = this.#world.tables.get('entangle-accounts', { ...pairingKey(other, pairingId) });
      if (JSON.stringify(theirs?.['limits']) !== JSON.stringify(limits)) {
        this.#report('limits', `${pairingId} has other limits under ${other} than under ${String(item['accountId'])}`);
      }
    }
  }
}
