import type { RecallableLoan } from '../../../core/allocation/preemption-plan.ts';
import { preemptionPlan } from '../../../core/allocation/preemption-plan.ts';
import type { RankedRequest } from '../../../core/allocation/priority.ts';
import { DEFAULT_ORDER_RULES, orderRequests } from '../../../core/allocation/priority.ts';

/** A need that stays: served, recalled, and then asking again. */
export interface Need {
  readonly id: string;
  readonly tier: RankedRequest['tier'];
  readonly criticality?: RankedRequest['criticality'];
  readonly units: number;
}

interface Running {
  readonly need: Need;
  readonly sinceMillis: number;
  heldFor?: string;
}

const STEP_MILLIS = 60_000;

/**
 * One lender of so many units and needs that stay. Each step one thing happens: a loan that was recalled returns, or the first that
 * fits is served, or the first that does not has loans recalled.
 */
export class LoanMarket {
  readonly #units: number;
  readonly #running = new Map<string, Running>();
  readonly #waiting = new Map<string, RankedRequest>();
  readonly #needs: ReadonlyMap<string, Need>;
  #now = 1_700_000_000_000;
  recalls = 0;

  constructor(units: number, needs: readonly Need[]) {
    this.#units = units;
    this.#needs = new Map(needs.map((need) => [need.id, need]));
  }

  get runningIds(): string[] {
    return [...this.#running.keys()].sort();
  }

  ask(id: string): void {
    const { tier, criticality = 'medium', units } = this.#need(id);
    const request = { id, accountId: id, tier, criticality, requestedAtMillis: this.#now, deficitUnits: units };
    this.#waiting.set(id, request);
  }

  /** @param returnsFirst which of several recalled loans is back first @returns whether anything happened */
  step(returnsFirst: (ids: readonly string[]) => string | undefined = (ids) => ids[0]): boolean {
    this.#now += STEP_MILLIS;
    return this.#serve() || this.#recall() || this.#return(returnsFirst);
  }

  /** Steps until nothing happens any more. @returns how many; Infinity when it does not end */
  settle(limit = 1_000, returnsFirst?: (ids: readonly string[]) => string | undefined): number {
    for (let steps = 0; steps < limit; steps += 1) if (!this.step(returnsFirst)) return steps;
    return Infinity;
  }

  #need(id: string): Need {
    const need = this.#needs.get(id);
    if (need === undefined) throw new Error(`no need ${id}`);
    return need;
  }

  #ordered(): RankedRequest[] {
    return orderRequests([...this.#waiting.values()], DEFAULT_ORDER_RULES, this.#now);
  }

  /** Free units, less those that came back for another. */
  #freeUnits(): number {
    return this.#units - [...this.#running.values()].reduce((sum, { need }) => sum + need.units, 0);
  }

  #serve(): boolean {
    let free = this.#freeUnits();
    const recalling = new Set([...this.#running.values()].map(({ heldFor }) => heldFor));
    for (const request of this.#ordered()) {
      if (request.deficitUnits <= free) {
        this.#waiting.delete(request.id);
        this.#running.set(request.id, { need: this.#need(request.id), sinceMillis: this.#now });
        return true;
      }
      // What came back for who recalled it stays free for it, and so for nobody after it.
      if (recalling.has(request.id)) free = 0;
    }
    return false;
  }

  #loans(free: number): RecallableLoan[] {
    const running = [...this.#running.values()].map(({ need, sinceMillis, heldFor }) => ({
      id: need.id,
      borrowerAccountId: need.id,
      tier: need.tier,
      criticality: need.criticality ?? ('medium' as const),
      unitsForRequest: need.units,
      activeAtMillis: sinceMillis,
      ...(heldFor === undefined ? {} : { returning: true, heldFor }),
    }));
    const idle = { id: 'idle', borrowerAccountId: 'idle', tier: 5 as const, unitsForRequest: free, activeAtMillis: 0 };
    return free > 0 ? [...running, { ...idle, returning: true }] : running;
  }

  #recall(): boolean {
    for (const request of this.#ordered()) {
      const plan = preemptionPlan(request, this.#loans(this.#freeUnits()), { preemption: 'lower-tier' }, this.#now);
      if (plan.victims.length === 0) continue;
      for (const { id } of plan.victims) {
        const loan = this.#running.get(id);
        if (loan !== undefined) loan.heldFor = request.id;
        this.recalls += 1;
      }
      return true;
    }
    return false;
  }

  #return(returnsFirst: (ids: readonly string[]) => string | undefined): boolean {
    const returning = [...this.#running.values()].filter(({ heldFor }) => heldFor !== undefined);
    const id = returnsFirst(returning.map(({ need }) => need.id));
    if (id === undefined) return false;
    this.#running.delete(id);
    this.ask(id);
    return true;
  }
}
