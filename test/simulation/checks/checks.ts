/** What must always hold, looked at after every change of what is stored or of a group. */

import type { Loan } from '../../../core/lending/loan.ts';
import type { Group } from '../aws/scaling-groups.ts';
import type { Change } from '../aws/tables.ts';
import type { Invocation, Outcome } from '../lambda.ts';
import { machineKindOf } from '../workflow/executions.ts';
import type { World } from '../world.ts';
import { AuditChecks } from './audit-checks.ts';
import { CeilingChecks } from './ceiling-checks.ts';
import { CounterChecks } from './counter-checks.ts';
import { LoanChecks } from './loan-checks.ts';
import { RenewalChecks } from './renewal-checks.ts';
import { ReservationChecks } from './reservation-checks.ts';
import { RuleChecks } from './rule-checks.ts';
import { WatchChecks } from './watch-checks.ts';

/** Names of what docs/architecture.md lists, and of what must hold at the end. */
export type Invariant =
  | 'conservation'
  | 'lender-floor'
  | 'consents'
  | 'ledger'
  | 'audit'
  | 'every-loan-ends'
  | 'no-cross-account-access'
  | 'active-from-in-service'
  | 'counters'
  | 'reservations'
  | 'limits'
  | 'kill-switch'
  | 'priorities'
  | 'queue'
  | 'notice'
  | 'foreign-changes'
  | 'renewals'
  | 'watch'
  | 'everything-back';

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

/** Who may start each workflow, as infra/constructs/function-permissions.ts grants it; the scheduler starts returns. */
export const STARTERS: Readonly<Record<string, readonly string[]>> = {
  borrow: ['on-alarm', 'reconcile', 'look-ahead', 'serve-queue', 'api'],
  return: ['on-recovery', 'assess', 'look-ahead', 'reconcile', 'api', 'serve-queue'],
  plan: ['look-ahead'],
};

export class Checks {
  readonly #world: World;
  readonly ceilings: CeilingChecks;
  readonly #audit: AuditChecks;
  readonly #counters: CounterChecks;
  readonly #loans: LoanChecks;
  readonly reservations: ReservationChecks;
  readonly #rules: RuleChecks;
  readonly #renewals: RenewalChecks;
  readonly #watch: WatchChecks;
  #violation: Violation | undefined;

  constructor(world: World) {
    this.#world = world;
    this.ceilings = new CeilingChecks(world, (invariant, what) => this.violated(invariant, what));
    this.#audit = new AuditChecks(world, (invariant, what) => this.violated(invariant, what));
    this.#counters = new CounterChecks(world, (invariant, what) => this.violated(invariant, what));
    this.#loans = new LoanChecks(world, (invariant, what) => this.violated(invariant, what));
    this.reservations = new ReservationChecks(world, (invariant, what) => this.violated(invariant, what));
    this.#rules = new RuleChecks(world, (invariant, what) => this.violated(invariant, what));
    this.#renewals = new RenewalChecks(
      world,
      (invariant, what) => this.violated(invariant, what),
      (poolId, from, to) => this.#loans.needOver(poolId, from, to),
    );
    this.#watch = new WatchChecks(world, (invariant, what) => this.violated(invariant, what));
  }

  /** The first that was found. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  violated(invariant: Invariant, what: string): void {
    this.#violation ??= { invariant, what };
    this.#world.engine.log(`VIOLATED ${invariant}: ${what}`);
  }

  onChanged(changes: readonly Change[]): void {
    const invocation = this.#world.acting;
    this.#audit.onChanged(changes, invocation);
    this.#loans.onChanged(changes, invocation);
    this.#counters.onChanged(changes);
    this.#rules.onChanged(changes);
    this.#renewals.onChanged(changes);
  }

  /** A loan has entered a state. */
  onLoanState(loan: Loan, invocation: Invocation | undefined): void {
    this.reservations.onLoanState(loan, invocation);
    this.#rules.onLoanState(loan);
    this.#watch.onLoanState(loan);
  }

  /** An account was told that its request is cancelled. */
  onCancelled(loanId: string): void {
    this.#rules.onCancelled(loanId);
  }

  /** The hub makes instances go that their owner keeps. */
  onForced(invocation: Invocation, group: Group): void {
    this.#rules.onForced(invocation, group);
  }

  onMoved(invocation: Invocation, before: Group, after: Group): void {
    this.ceilings.onMoved(invocation, before, after);
  }

  onForeignChange(poolId: string, what: string): void {
    this.ceilings.onForeignChange(poolId, what);
  }

  isTouched(poolId: string): boolean {
    return this.ceilings.isTouched(poolId);
  }

  onStart(invocation: Invocation, arn: string): void {
    const kind = machineKindOf(arn);
    if (STARTERS[kind]?.includes(invocation.functionName) !== true) {
      this.violated('no-cross-account-access', `${invocation.label} starts ${kind}`);
    }
  }

  onEnded(invocation: Invocation, outcome: Outcome): void {
    this.#audit.onEnded(invocation, outcome);
    this.#watch.onEnded(invocation, outcome);
    if (!outcome.ok || invocation.functionName !== 'reconcile') return;
    // What reconciling starts comes to nothing while a function fails.
    if (this.#world.hasOutage) return;
    this.#loans.onReconciled();
    this.#rules.onReconciled();
  }

  /** What must hold once all is quiet. */
  atRest(): void {
    this.#loans.atRest();
    this.#counters.atRest();
    this.#audit.atRest();
    this.ceilings.atRest();
    this.reservations.atRest();
    this.#rules.atRest();
    this.#watch.atRest();
  }
}
