/** Reserved capacity: it moves and is never lost, loans are of the right kind, and nothing of a loan is left in any account. */
import type { Loan } from '../../../core/lending/loan.ts';
import type { ShareInput } from '../aws/resource-shares.ts';
import type { Invocation } from '../lambda.ts';
import type { PlannedPool } from '../pool-plan.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';

type Report = (invariant: Invariant, what: string) => void;

interface MoveEvent {
  readonly loanId?: string;
  readonly snapshot?: { readonly loan: Loan };
}

function isPhysical({ spec: lender }: PlannedPool, { spec: borrower }: PlannedPool): boolean {
  return (
    lender.lendsAs === 'physical' &&
    lender.commitments.some(({ kind }) => kind === 'capacity-reservation') &&
    borrower.launchesIntoReservations === true &&
    lender.instanceType === borrower.instanceType &&
    lender.region === borrower.region &&
    lender.azIds.some((id) => borrower.azIds.includes(id))
  );
}

export class ReservationChecks {
  readonly #world: World;
  readonly #report: Report;
  /** Accounts whose owner has changed its reservations itself. */
  readonly #touched = new Set<string>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onForeignChange(accountId: string): void {
    this.#touched.add(accountId);
  }

  #loanOf({ event }: Invocation): Loan | undefined {
    const { snapshot, loanId } = event as MoveEvent;
    const id = snapshot?.loan.loanId ?? loanId;
    if (id === undefined) return undefined;
    return this.#world.tables.get('entangle-loans', { loanId: id }) as unknown as Loan | undefined;
  }

  /** Only the reservations of the lender are moved, for a loan of it. */
  onCall(invocation: Invocation, accountId: string, command: string): void {
    const loan = this.#loanOf(invocation);
    if (loan?.kind === 'physical' && loan.lenderAccountId === accountId) return;
    this.#report('no-cross-account-access', `${invocation.label} calls ${command} in ${accountId} for ${loan?.loanId}`);
  }

  onShare(invocation: Invocation, accountId: string, { principals }: ShareInput): void {
    const loan = this.#loanOf(invocation);
    const isParty = principals.length === 1 && principals[0] === loan?.borrowerAccountId;
    if (isParty && loan?.lenderAccountId === accountId) return;
    this.#report('no-cross-account-access', `${accountId} shares with ${principals.join(', ')} for ${loan?.loanId}`);
  }

  /** What an account has reserved in all is what its owner has reserved, and no more instances run in it. */
  onChanged(accountId: string, what: string): void {
    const { reservations, groups } = this.#world;
    const owned = reservations.ownedUnits(accountId);
    let total = 0;
    for (const { id, total: units, madeOf } of reservations.of(accountId)) {
      total += units;
      const used = madeOf === undefined ? 0 : groups.countIn(id);
      if (used > units) this.#report('reservations', `${used} instances run in ${id}, which has ${units}`);
    }
    if (total !== owned) {
      this.#report('reservations', `after ${what} ${accountId} has ${total} instances reserved, it owns ${owned}`);
    }
  }

  onLoanState(loan: Loan, invocation: Invocation | undefined): void {
    if (loan.state === 'reserved') this.#checkKind(loan);
    if (loan.state !== 'active' || loan.kind !== 'physical') return;
    const seen = invocation?.seenInUse.get(loan.loanId) ?? 0;
    if (seen >= loan.units) return;
    this.#report('reservations', `${loan.loanId} is active with ${seen} of ${loan.units} instances in what was lent`);
  }

  #checkKind({ loanId, kind, lenderPoolId, borrowerPoolId }: Loan): void {
    const [lender, borrower] = [this.#world.poolOf(lenderPoolId ?? ''), this.#world.poolOf(borrowerPoolId)];
    const right =
      lender === undefined || borrower === undefined
        ? 'provisioned'
        : isPhysical(lender, borrower)
          ? 'physical'
          : 'nominal';
    if (kind !== right) this.#report('reservations', `${loanId} is ${kind}, it should be ${right}`);
  }

  #restingAccount(accountId: string): void {
    const { reservations, plan } = this.#world;
    const found = reservations.of(accountId);
    this.onChanged(accountId, 'all loans');
    for (const { id, allocation } of found) {
      if ((allocation?.units ?? 0) > 0) this.#report('reservations', `${id} has ${allocation?.units} allocated still`);
    }
    if (this.#touched.has(accountId)) return;
    const planned = plan.pools.flatMap(({ spec, reservedUnits }) =>
      spec.accountId === accountId && reservedUnits !== undefined ? [reservedUnits] : [],
    );
    const text = (units: readonly number[]): string => [...units].sort((a, b) => a - b).join(', ');
    const [had, has] = [text(planned), text(found.map(({ total }) => total))];
    if (had !== has) this.#report('reservations', `${accountId} had reservations of ${had} instances, has ${has}`);
  }

  atRest(): void {
    const { plan, shares, groups } = this.#world;
    for (const { accountId } of plan.accounts) this.#restingAccount(accountId);
    for (const { arn, tags } of shares.open) {
      this.#report('reservations', `${arn} of ${tags['entangle:loan']} is shared still`);
    }
    for (const { spec, setUp } of plan.pools) {
      const isThere = groups.get(spec.accountId, spec.region, spec.groupName) !== undefined;
      const members = setUp.launchTarget === undefined ? [] : shares.membersOf(setUp.launchTarget);
      if (isThere && members.length > 0)
        this.#report('reservations', `${spec.poolId} launches into ${members[0]} still`);
    }
  }
}
