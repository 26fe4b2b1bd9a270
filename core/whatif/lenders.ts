import { followedRisk } from '../lending/harm.ts';
import type { ReplayMarket } from './market.ts';
import { LOAN_LEAD, RECALL_LEAD } from './market.ts';

/** Less is no offer. */
export const LEAST_UNITS = 1e-6;

/**
 * Units above what a lender needs and keeps, as the hub counts them when it lends: its ceiling less the larger of what runs and
 * what is forecast, less its reserve. `lendableUnits` in core/lending says the same of a pool and a group.
 */
export function headroomUnits(at: {
  readonly ceiling: number;
  readonly running: number;
  readonly forecast: number;
  readonly reserve: number;
}): number {
  return Math.max(0, at.ceiling - (Math.max(at.running, at.forecast) + at.reserve));
}

function riskOf({ scenario, record }: ReplayMarket, place: number, share: number): number {
  return followedRisk(scenario.lendRisk * share, record.factor(place));
}

/**
 * Recalls, of each lender, what it may need before a later recall could bring it back: newest loans first. Where it is short
 * already the age of a loan does not matter.
 * @returns how many loans were recalled
 */
export function recallLoans(market: ReplayMarket, step: number): number {
  const { book, times, scenario } = market;
  let recalled = 0;
  for (let place = 0; place < book.lent.length; place += 1) {
    const lent = (book.lent[place] as number) - (book.returning[place] as number);
    if (lent <= LEAST_UNITS) continue;
    const pool = market.pool(place);
    const own = pool.ownedUnits - lent;
    const last = market.lastDemand(place, step);
    const risk = riskOf(market, place, scenario.recallRiskShare);
    const forecast = market.outlooks[place]?.unitsAt(step, RECALL_LEAD, risk) ?? 0;
    let missing = market.asked(Math.min(lent, Math.max(last, forecast) - own));
    if (missing <= LEAST_UNITS) continue;
    const backStep = step + market.recallSteps(pool);
    for (const loan of book.ofLender(place).toReversed()) {
      if (missing <= LEAST_UNITS) break;
      if (last <= own && step < loan.activeStep + times.recallableFromSteps && times.recallableFromSteps > 0) continue;
      const units = Math.min(missing, loan.units);
      book.giveBack(loan, units, step, backStep);
      missing -= units;
      recalled += 1;
    }
  }
  book.tidy();
  return recalled;
}

/** By pool: units that it can lend from now for the shortest loan. A pool that is short itself, or has borrowed, lends nothing. */
export function offers(market: ReplayMarket, step: number): Float64Array {
  const { book, scenario, stepsAbove, isOpen } = market;
  const found = new Float64Array(book.lent.length);
  for (let place = 0; place < found.length; place += 1) {
    const pool = market.pool(place);
    if (pool.lend === undefined || isOpen[place] === 0 || (stepsAbove[place] as number) > 0) continue;
    if ((book.borrowed[place] as number) + (book.starting[place] as number) > 0) continue;
    const room = market.lendRoom(place);
    const at = {
      ceiling: pool.ownedUnits - (book.lent[place] as number),
      running: market.runningUnits(place, step),
      reserve: Math.max((scenario.floorPercent / 100) * pool.ownedUnits, pool.reserveUnits),
    };
    // The forecast is asked only where there is something to lend without it.
    if (Math.min(room, headroomUnits({ ...at, forecast: 0 })) <= LEAST_UNITS) continue;
    const risk = riskOf(market, place, 1);
    const forecast = market.outlooks[place]?.unitsAt(step, LOAN_LEAD, risk) ?? Number.POSITIVE_INFINITY;
    const headroom = market.lendable(headroomUnits({ ...at, forecast }));
    found[place] = Math.max(0, market.lendable(Math.min(market.lendRoom(place, headroom), headroom)));
  }
  return found;
}
