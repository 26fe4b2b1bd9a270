/** The forecasts that a lender's units may have been lent by. */
import type { PoolForecast } from '../../../core/forecast/pool-forecast.ts';
import type { Outlook } from '../../../core/lending/outlook.ts';

/** Of each kind the one that stands, and the one before: a choice may have read that. */
const KEPT = 2;
/** Clocks differ, and steps are repeated: so long before a loan is reserved its lender may have been chosen. */
const CHOSEN_BEFORE_MILLIS = 600_000;

function newestFirst<Value>(before: readonly Value[] | undefined, added: Value): readonly Value[] {
  return [added, ...(before ?? [])].slice(0, KEPT);
}

/** The largest need of a plan between two moments. */
function plannedNeed({ startMillis, stepSeconds, neededUnits }: PoolForecast, from: number, to: number): number {
  const step = stepSeconds * 1_000;
  const first = Math.max(0, Math.floor((from - startMillis) / step));
  // The last slot is left out where clocks may disagree on whether it is touched.
  const end = Math.max(first + 1, Math.floor((to - startMillis) / step));
  return Math.max(0, ...neededUnits['0.95'].slice(first, end));
}

export class LenderForecasts {
  readonly #plans = new Map<string, readonly PoolForecast[]>();
  readonly #outlooks = new Map<string, readonly Outlook[]>();

  onPlan(poolId: string, forecast: PoolForecast): void {
    this.#plans.set(poolId, newestFirst(this.#plans.get(poolId), forecast));
  }

  onOutlook(outlook: Outlook): void {
    this.#outlooks.set(outlook.poolId, newestFirst(this.#outlooks.get(outlook.poolId), outlook));
  }

  /** The least that a lender is to keep from one moment to another, by the forecasts that may have been read. */
  needOver(poolId: string, from: number, to: number): number {
    const plans = this.#plans.get(poolId) ?? [];
    const outlooks = this.#outlooks.get(poolId) ?? [];
    const fresh = outlooks.filter(({ freshUntil }) => freshUntil > from - CHOSEN_BEFORE_MILLIS);
    const byOutlook = fresh.map(({ loan, recall }) => {
      const own = Math.max(loan.neededUnits, recall.neededUnits);
      const later = plans.map((plan) => plannedNeed(plan, Math.max(from, loan.untilMillis), to));
      // It was chosen a while before, for a term that ended as much earlier.
      const isCovered = loan.untilMillis >= to - CHOSEN_BEFORE_MILLIS;
      return isCovered ? own : Math.max(own, Math.min(...later));
    });
    const isCertain = fresh.some(
      ({ madeAt, freshUntil }) => madeAt < from - CHOSEN_BEFORE_MILLIS && freshUntil > from + CHOSEN_BEFORE_MILLIS,
    );
    const byPlan = isCertain ? [] : plans.map((plan) => plannedNeed(plan, from, to));
    return Math.min(...byOutlook, ...byPlan);
  }
}
