/** Limits of pools and organisation units: counted from the loans themselves, at every node that a loan crosses. */
import { utcMonth } from '../../../core/calendar.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import type { OrganisationUnit } from '../../../core/organisation.ts';
import type { LoanDirection, UnitLimit } from '../../../core/unit-limits.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';
import { momentOf, secondsOf, unitsIn } from './loan-amounts.ts';

type Report = (invariant: Invariant, what: string) => void;

const SECONDS_PER_HOUR = 3_600;

/** A node of the organisation, and how it tells a loan that goes out of it from one that comes in. */
interface Node {
  readonly name: string;
  readonly limits: Readonly<Partial<Record<LoanDirection, UnitLimit>>>;
  readonly holds: (accountId: string, poolId: string) => boolean;
}

function nodesOf(units: readonly OrganisationUnit[]): Node[] {
  const accountsIn = ({ accounts = [], units: below = [] }: OrganisationUnit): string[] => [
    ...accounts,
    ...below.flatMap(accountsIn),
  ];
  return units.flatMap((unit) => {
    const inside = new Set(accountsIn(unit));
    const node = { name: `unit ${unit.name}`, limits: unit.limits ?? {}, holds: (id: string) => inside.has(id) };
    return [node, ...nodesOf(unit.units ?? [])];
  });
}

export class LimitChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #nodes: readonly Node[];

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
    const pools = world.plan.pools.flatMap(({ spec: { poolId, limits } }): Node[] =>
      limits === undefined ? [] : [{ name: poolId, limits, holds: (_account, pool) => pool === poolId }],
    );
    this.#nodes = [...pools, ...nodesOf(world.plan.organisation)];
  }

  /** Of a loan that is just reserved, or whose term has just become longer. */
  check(loan: Loan): void {
    const { lenderAccountId, lenderPoolId, borrowerAccountId, borrowerPoolId } = loan;
    if (lenderAccountId === undefined || lenderPoolId === undefined) return;
    for (const node of this.#nodes) {
      const lends = node.holds(lenderAccountId, lenderPoolId);
      const borrows = node.holds(borrowerAccountId, borrowerPoolId);
      if (lends !== borrows) this.#checkNode(node, lends ? 'lend' : 'borrow', loan);
    }
  }

  #crossing(node: Node, direction: LoanDirection): Loan[] {
    const all = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    return all.filter((loan) => {
      if (loan.lenderPoolId === undefined || momentOf(loan, 'reserved') === undefined) return false;
      const lends = node.holds(loan.lenderAccountId ?? '', loan.lenderPoolId);
      const borrows = node.holds(loan.borrowerAccountId, loan.borrowerPoolId);
      return lends !== borrows && lends === (direction === 'lend');
    });
  }

  #checkNode(node: Node, direction: LoanDirection, loan: Loan): void {
    const { maxUnits, maxUnitHoursPerMonth } = node.limits[direction] ?? {};
    if (maxUnits === undefined && maxUnitHoursPerMonth === undefined) return;
    const crossing = this.#crossing(node, direction);
    const fault = (what: string): void =>
      this.#report('limits', `${node.name}, ${direction}: ${what} with ${loan.loanId}`);
    const units = crossing
      .filter(({ endedAt }) => endedAt === undefined)
      .reduce((sum, each) => sum + unitsIn(direction, each), 0);
    if (units > (maxUnits ?? units)) fault(`${units} units of ${maxUnits}`);
    if (maxUnitHoursPerMonth === undefined) return;
    const month = utcMonth(momentOf(loan, 'reserved') ?? loan.requestedAt);
    const seconds = crossing
      .filter((each) => utcMonth(momentOf(each, 'reserved') ?? each.requestedAt) === month)
      .reduce((sum, each) => sum + unitsIn(direction, each) * secondsOf(each), 0);
    if (seconds > maxUnitHoursPerMonth * SECONDS_PER_HOUR) fault(`${seconds} unit-seconds, too many`);
  }

  /** What is counted is free again. */
  atRest(): void {
    for (const item of this.#world.tables.all('entangle-accounts')) {
      if (!String(item['item']).startsWith('LIMIT')) continue;
      const used = Number(item['lentUnits'] ?? 0) + Number(item['borrowedUnits'] ?? 0);
      const name = `${String(item['accountId'])} ${String(item['item'])}`;
      if (used !== 0) this.#report('limits', `${name} counts ${used} units though all loans have ended`);
    }
  }
}
