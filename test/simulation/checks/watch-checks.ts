/** Requests by the course of demand: each is on record as a request or with its refusal, before its time is over, and is kept until then. */
import type { Loan } from '../../../core/lending/loan.ts';
import type { PoolId } from '../../../core/units.ts';
import type { Invocation, Outcome } from '../lambda.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';
import { CLOCK_MILLIS } from './clock-slack.ts';

type Report = (invariant: Invariant, what: string) => void;

interface WatchEvent {
  readonly loanId: string;
  readonly poolId: PoolId;
  readonly watchNeed?: { readonly kind: 'trend' | 'anomaly'; readonly neededUnits: number };
}

export class WatchChecks {
  readonly #world: World;
  readonly #report: Report;
  /** What assessing has answered, by loan. */
  readonly #answered = new Set<string>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  #loan(loanId: string): Loan | undefined {
    return this.#world.tables.get('entangle-loans', { loanId }) as unknown as Loan | undefined;
  }

  /** A start was assessed: what it came to is stored, and says why. */
  onEnded({ functionName, event, label }: Invocation, outcome: Outcome): void {
    if (functionName !== 'assess' || !outcome.ok) return;
    const { loanId, poolId, watchNeed } = event as WatchEvent;
    if (watchNeed === undefined) return;
    const { outcome: answer, detail } = outcome.result as { readonly outcome: string; readonly detail?: string };
    const loan = this.#loan(loanId);
    const watched = this.#world.poolOf(poolId)?.spec.watch?.[watchNeed.kind];
    if (watched === undefined)
      this.#report('watch', `${label} asks by ${watchNeed.kind}, which ${poolId} does not watch`);
    if (answer === 'refused' && (detail ?? '') === '') this.#report('watch', `${loanId} is refused for no reason`);
    if (answer === 'refused' && loan !== undefined && loan.endDetail === undefined && loan.reasons.length === 0) {
      this.#report('watch', `${loanId} was refused, and does not say why`);
    }
    // A group or pool that is gone has no loan: audit-checks.ts looks for the record of that refusal.
    if (answer !== 'refused' && loan === undefined) this.#report('watch', `${loanId} is ${answer}, and is nowhere`);
    this.#answered.add(loanId);
  }

  onLoanState(loan: Loan): void {
    const { loanId, watchNeed, state, units, returnReason } = loan;
    if (watchNeed === undefined) return;
    const { now } = this.#world.engine;
    // A later part of it is asked for by what is measured then.
    const isFirst = (loan.request?.part ?? 1) === 1;
    if (state === 'requested' && isFirst && now > watchNeed.beforeMillis + CLOCK_MILLIS) {
      this.#report('watch', `${loanId} is asked for when what was watched is over`);
    }
    if (state === 'requested' && units > watchNeed.neededUnits) {
      this.#report('watch', `${loanId} asks for ${units} units, needed are ${watchNeed.neededUnits} in all`);
    }
    if (state === 'returning' && returnReason === 'recovered' && now < watchNeed.beforeMillis - CLOCK_MILLIS) {
      this.#report('watch', `${loanId} goes back as recovered before what it was made for`);
    }
  }

  /** Of each request that was watched and is stored, the assessment was heard of or its workflow has ended it. */
  atRest(): void {
    for (const loan of this.#world.tables.all('entangle-loans') as unknown as Iterable<Loan>) {
      if (loan.watchNeed === undefined || this.#answered.has(loan.loanId) || loan.endedAt !== undefined) continue;
      this.#report('watch', `${loan.loanId} was asked for by what was watched, and nothing became of it`);
    }
  }
}
