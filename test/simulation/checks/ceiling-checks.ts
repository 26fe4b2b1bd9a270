/** Ceilings of the groups themselves: what loans add to one, they have taken from another before. */
import type { Loan } from '../../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../../core/lending/loan-units.ts';
import type { Group } from '../aws/scaling-groups.ts';
import type { Invocation } from '../lambda.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';

type Report = (invariant: Invariant, what: string) => void;

/** By how much the ceilings of both groups differ for the sake of one loan. */
interface Moved {
  taken: number;
  given: number;
}

/** Sums of sizes that are not exact in binary may differ by this much. */
const ROUNDING = 1e-6;

interface MoveEvent {
  readonly step?: string;
  readonly loanId?: string;
  readonly snapshot?: { readonly loan: Loan };
}

export class CeilingChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #moved = new Map<string, Moved>();
  readonly #touched = new Map<string, string>();
  /** By how much loans have changed each group in all. */
  readonly #net = new Map<string, number>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onForeignChange(poolId: string, what: string): void {
    this.#touched.set(poolId, what);
  }

  /** Whether its owner has changed its group by itself. */
  isTouched(poolId: string): boolean {
    return this.#touched.has(poolId);
  }

  #loanOf(invocation: Invocation): Loan | undefined {
    const event = invocation.event as MoveEvent;
    const loanId = event.snapshot?.loan.loanId ?? event.loanId;
    if (loanId === undefined) return undefined;
    return this.#world.tables.get('entangle-loans', { loanId }) as unknown as Loan | undefined;
  }

  onMoved(invocation: Invocation, before: Group, after: Group): void {
    const id = `${before.accountId}/${before.region}/${before.name}`;
    const loan = this.#loanOf(invocation);
    if (loan === undefined) {
      this.#report('no-cross-account-access', `${invocation.label} moves ${id} for no loan`);
      return;
    }
    const delta = after.maxSize - before.maxSize;
    const moved = this.#moved.get(loan.loanId) ?? { taken: 0, given: 0 };
    this.#moved.set(loan.loanId, moved);
    this.#net.set(id, (this.#net.get(id) ?? 0) + delta);
    if (id === loan.lenderPoolId) moved.taken += delta;
    else if (id === loan.borrowerPoolId) moved.given += delta;
    else this.#report('no-cross-account-access', `${loan.loanId} moves ${id}, which is no party of it`);
    this.#checkUnits(loan, moved);
    if (delta < 0 && id === loan.lenderPoolId) this.#checkFloor(invocation, id, before, after);
    if (!this.#isForeign(loan)) this.#checkOrder(loan, moved);
    if (delta > 0 && id === loan.lenderPoolId) this.#checkDrained(loan);
    this.#checkSum();
  }

  /** A change by an owner in one of the groups makes the two sides of a loan differ. */
  #isForeign(loan: Loan): boolean {
    return this.#touched.has(loan.borrowerPoolId) || this.#touched.has(loan.lenderPoolId ?? '');
  }

  #checkUnits(loan: Loan, { taken, given }: Moved): void {
    if (this.#isForeign(loan)) return;
    if (given < 0 || given > loan.units)
      this.#report('conservation', `${loan.loanId} has given ${given} of ${loan.units}`);
    const lent = loan.lenderPoolId === undefined ? 0 : lenderUnitsOf(loan);
    if (taken > 0 || taken < -lent) this.#report('conservation', `${loan.loanId} has taken ${-taken} of ${lent}`);
  }

  #checkOrder(loan: Loan, { taken, given }: Moved): void {
    if (loan.kind === 'provisioned' || given === 0) return;
    if (-taken !== lenderUnitsOf(loan)) {
      this.#report(
        'conservation',
        `${loan.loanId} has given ${given} when ${-taken} of ${lenderUnitsOf(loan)} were taken`,
      );
    }
  }

  /** The lender gets its ceiling back when the borrower's surplus instances are gone. */
  #checkDrained({ loanId, borrowerPoolId }: Loan): void {
    const spec = this.#world.poolOf(borrowerPoolId)?.spec;
    if (spec === undefined || this.#touched.has(borrowerPoolId)) return;
    const group = this.#world.groups.get(spec.accountId, spec.region, spec.groupName);
    const running = group?.instances.length ?? 0;
    if (group === undefined || running <= group.maxSize) return;
    // Other loans of the borrower may be draining too: theirs are not this lender's.
    const all = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    const others = all
      .filter((loan) => loan.loanId !== loanId && loan.borrowerPoolId === borrowerPoolId)
      .filter(({ state }) => state === 'returning' || state === 'draining')
      .reduce((units, loan) => units + loan.units, 0);
    if (running > group.maxSize + others) {
      this.#report('conservation', `${loanId} is given back while ${running} of ${group.maxSize} instances run`);
    }
  }

  /** A take rests on what its run has seen last: not below what the lender wanted then, and its reserve. */
  #checkFloor(invocation: Invocation, id: string, before: Group, after: Group): void {
    const seen = invocation.seen.get(id);
    const reserve = this.#world.poolOf(id)?.spec.reserveUnits ?? 0;
    if (seen === undefined) this.#report('lender-floor', `${invocation.label} lowers ${id} without a look`);
    else if (seen.desired + reserve > after.maxSize) {
      this.#report(
        'lender-floor',
        `${id} wants ${seen.desired} and keeps ${reserve}, its ceiling goes to ${after.maxSize}`,
      );
    }
    if (!before.tagged && seen?.maxSize === before.maxSize) this.#world.engine.log(`${id} lost its tag meanwhile`);
  }

  /** Over all groups, as large as their instances are: loans add nothing. */
  #checkSum(): void {
    if (this.#touched.size > 0) return;
    let [owned, ceilings] = [0, 0];
    for (const { spec, ownedUnits, size } of this.#world.plan.pools) {
      const group = this.#world.groups.get(spec.accountId, spec.region, spec.groupName);
      owned += ownedUnits * size;
      ceilings += (group?.maxSize ?? 0) * size;
    }
    for (const [loanId, { given }] of this.#moved) {
      const loan = this.#world.tables.get('entangle-loans', { loanId }) as unknown as Loan | undefined;
      if (loan?.kind === 'provisioned') owned += given * (this.#world.poolOf(loan.borrowerPoolId)?.size ?? 1);
    }
    if (ceilings > owned + ROUNDING) this.#report('conservation', `ceilings add up to ${ceilings}, owned are ${owned}`);
  }

  atRest(): void {
    const foreign = new Set(this.#touched.keys());
    const loans = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    // What is foreign in one group shows in the groups that it lent to or borrowed from.
    for (const { borrowerPoolId, lenderPoolId } of loans) {
      if (lenderPoolId === undefined) continue;
      if (this.#touched.has(borrowerPoolId)) foreign.add(lenderPoolId);
      if (this.#touched.has(lenderPoolId)) foreign.add(borrowerPoolId);
    }
    for (const { spec, ownedUnits } of this.#world.plan.pools) {
      if (foreign.has(spec.poolId)) continue;
      const group = this.#world.groups.get(spec.accountId, spec.region, spec.groupName);
      if (group?.maxSize === ownedUnits) continue;
      this.#report('everything-back', `${spec.poolId} owns ${ownedUnits}, its ceiling is ${group?.maxSize ?? 'gone'}`);
    }
  }
}
