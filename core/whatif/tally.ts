import { harmedUnits } from '../lending/harm.ts';
import type { ReplayMarket } from './market.ts';

/** Smaller than any unit. */
const ROUNDING = 1e-9;

/** What a replay adds up over the measured steps; units × steps where nothing else is said. */
export interface ReplayTotals {
  readonly measuredSteps: number;
  /** Demand above what pools own. */
  readonly short: number;
  /** Of it, what loans served. */
  readonly served: number;
  /** What lenders had given up. */
  readonly lent: number;
  /** Demand of lenders that their loans left unserved. */
  readonly harmed: number;
  /** What pools own. */
  readonly owned: number;
  /** Demand served by what pools own, with and without lending. */
  readonly used: number;
  readonly usedWithout: number;
  /** The most that pooling everything could serve, and that loans could within the scenario's share and the units of consents. */
  readonly pooled: number;
  readonly withinLimits: number;
  /** Steps of pools: short, and short without any unit missing thanks to loans. */
  readonly shortPoolSteps: number;
  readonly rescuedPoolSteps: number;
}

/** Per pool: what loans served of its shortage and what it was short of, its demand lost by lending, what it lent and borrowed. */
export interface PoolTotals {
  readonly short: Float64Array;
  readonly served: Float64Array;
  /** Of `served`, units whose lender had paid for them anyway. */
  readonly servedPaid: Float64Array;
  readonly harmed: Float64Array;
  readonly lent: Float64Array;
  readonly borrowed: Float64Array;
}

/** Fleet totals of one day of the measured time, for charts. */
export interface DayTotals {
  readonly atMillis: number;
  short: number;
  served: number;
  lent: number;
  harmed: number;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const SECONDS_A_DAY = 86_400;

/** Units that a pool may have lent at most. */
function mostLent(market: ReplayMarket, place: number): number {
  const { lend, ownedUnits } = market.pool(place);
  if (lend === undefined) return 0;
  const share = Math.min(market.scenario.maxLentPercent / 100, lend.maxShare);
  return Math.min(share * ownedUnits, lend.maxUnits);
}

/** Units that a pool may have borrowed at most. */
function mostBorrowed(market: ReplayMarket, place: number): number {
  const { borrow, ownedUnits } = market.pool(place);
  return borrow === undefined ? 0 : Math.min(borrow.maxShare * ownedUnits, borrow.maxUnits);
}

/** Adds up what happens at each step, once its demand is known. */
export class Tally {
  readonly totals: ReplayTotals;
  readonly pools: PoolTotals;
  readonly days: DayTotals[] = [];
  readonly #sums: Mutable<ReplayTotals>;
  readonly #from: number;
  readonly #harmedNow: Float64Array;

  constructor(pools: number, firstMeasured: number) {
    this.#from = firstMeasured;
    this.#sums = {
      measuredSteps: 0,
      short: 0,
      served: 0,
      lent: 0,
      harmed: 0,
      owned: 0,
      used: 0,
      usedWithout: 0,
      pooled: 0,
      withinLimits: 0,
      shortPoolSteps: 0,
      rescuedPoolSteps: 0,
    };
    this.totals = this.#sums;
    const zeros = () => new Float64Array(pools);
    this.#harmedNow = zeros();
    this.pools = {
      short: zeros(),
      served: zeros(),
      servedPaid: zeros(),
      harmed: zeros(),
      lent: zeros(),
      borrowed: zeros(),
    };
  }

  /** @returns units that each lender misses at the step, until the next one */
  count(market: ReplayMarket, step: number): Float64Array {
    const isMeasured = step >= this.#from;
    let [lentNow, harmedNow, shortNow, servedNow, idleNow, lendableNow, borrowableNow] = [0, 0, 0, 0, 0, 0, 0];
    for (let place = 0; place < market.participants.pools.length; place += 1) {
      const { ownedUnits } = market.pool(place);
      const demand = market.traces.demand[place]?.[step] as number;
      const short = Math.max(0, demand - ownedUnits);
      const lent = market.book.lent[place] as number;
      const borrowed = market.book.borrowed[place] as number;
      const harmed = harmedUnits(demand, lent, ownedUnits);
      const served = Math.min(short, borrowed);
      this.#harmedNow[place] = harmed;
      lentNow += lent;
      harmedNow += harmed;
      if (!isMeasured) continue;
      shortNow += short;
      servedNow += served;
      const idle = Math.max(0, ownedUnits - demand);
      idleNow += idle;
      lendableNow += Math.min(idle, mostLent(market, place));
      borrowableNow += Math.min(short, mostBorrowed(market, place));
      this.#countPool(place, { short, served, harmed, lent, borrowed });
      this.#sums.owned += ownedUnits;
      this.#sums.usedWithout += Math.min(demand, ownedUnits);
      // What is borrowed and used is used of what the lender owns.
      this.#sums.used += Math.min(demand, ownedUnits) - harmed + served;
    }
    if (isMeasured) {
      const withinLimits = Math.min(lendableNow, borrowableNow);
      this.#countStep({ lentNow, harmedNow, shortNow, servedNow, idleNow, withinLimits }, market, step);
    }
    return this.#harmedNow;
  }

  #countPool(
    place: number,
    now: { short: number; served: number; harmed: number; lent: number; borrowed: number },
  ): void {
    const { pools } = this;
    for (const key of ['short', 'served', 'harmed', 'lent', 'borrowed'] as const) {
      pools[key][place] = (pools[key][place] as number) + now[key];
    }
    if (now.short <= 0) return;
    this.#sums.shortPoolSteps += 1;
    if (now.served >= now.short - ROUNDING) this.#sums.rescuedPoolSteps += 1;
  }

  #countStep(
    now: Record<'lentNow' | 'harmedNow' | 'shortNow' | 'servedNow' | 'idleNow' | 'withinLimits', number>,
    market: ReplayMarket,
    step: number,
  ): void {
    const sums = this.#sums;
    sums.measuredSteps += 1;
    sums.short += now.shortNow;
    sums.served += now.servedNow;
    sums.lent += now.lentNow;
    sums.harmed += now.harmedNow;
    sums.pooled += Math.min(now.shortNow, now.idleNow);
    sums.withinLimits += now.withinLimits;
    const stepsADay = Math.max(1, Math.round(SECONDS_A_DAY / market.traces.stepSeconds));
    if ((step - this.#from) % stepsADay === 0) {
      this.days.push({ atMillis: market.atMillis(step), short: 0, served: 0, lent: 0, harmed: 0 });
    }
    const day = this.days.at(-1);
    if (day === undefined) return;
    day.short += now.shortNow;
    day.served += now.servedNow;
    day.lent += now.lentNow;
    day.harmed += now.harmedNow;
  }

  /** Shares what a borrower was served out among the loans that it runs on: how much of it the lenders had paid for. */
  countPaid(market: ReplayMarket, step: number): void {
    if (step < this.#from) return;
    for (const loan of market.book.running) {
      const { borrower, lender, units, activeStep } = loan;
      const has = market.book.borrowed[borrower] as number;
      const { paidShare } = market.pool(lender);
      if (activeStep > step || has <= 0 || paidShare === 0) continue;
      if (!market.pool(borrower).launchesIntoReservations) continue;
      const demand = market.traces.demand[borrower]?.[step] as number;
      const short = Math.max(0, demand - market.pool(borrower).ownedUnits);
      const used = (Math.min(short, has) * units) / has;
      this.pools.servedPaid[borrower] = (this.pools.servedPaid[borrower] as number) + used * paidShare;
    }
  }
}
