import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { MILLIS_PER_HOUR } from '../units.ts';
import type { Grid, PairingForecast } from './grid.ts';
import { comingSlots } from './grid.ts';
import type { NeedCurve } from './pool-need.ts';
import { PoolNeed } from './pool-need.ts';

/** How the forecasts of two pools go together, at their quantiles: quick enough for every pair of a bucket. */
export interface Match {
  /** Share of the borrower's shortage (P95), in units over all slots, that the lender's headroom (P95) covers. */
  readonly coverage: number;
  /** Share of the slots that matter which the lender covers in full. */
  readonly slotCoverage: number;
  readonly shortageSlots: number;
  /**
   * How much lower the peak of both together is than the sum of their peaks, 0 to 0.5: the mean of the reductions at P50 and at
   * P95, or over the sample courses where both pools have them.
   */
  readonly peakReduction: number;
  /** Hours between the two median peaks, when both are forecast. */
  readonly peaksApartHours: number | undefined;
  /** Whether the lender has anything to lend in any slot. */
  readonly everLendable: boolean;
}

/** @param unitRatio units of the lender's that stand in for one of the borrower's */
export type Matcher = (lender: Pool, borrower: Pool, unitRatio?: number) => Match;

/** Two pools on a grid. */
export interface Sides {
  readonly grid: Grid;
  readonly lender: Pool;
  readonly lenderNeed: PoolNeed;
  readonly borrower: Pool;
  readonly borrowerNeed: PoolNeed;
  readonly unitRatio: number;
}

/** Units that a lender owns beyond its reserve and what it has lent, before its own need. */
export function lenderOwnUnits(lender: Pool): number {
  return lender.ownedUnits - lender.lentUnits - lender.spec.reserveUnits;
}

/** Units that a borrower can serve its need with before it borrows. */
export function borrowerOwnUnits(borrower: Pool): number {
  return borrower.ownedUnits - borrower.lentUnits;
}

type Together = (lender: NeedCurve, borrower: NeedCurve, unitRatio: number) => number;

/** The most that two pools need in one slot; one without a forecast counts as no need. */
function peakTogether(lender: NeedCurve, borrower: NeedCurve, unitRatio: number): number {
  const [lends, borrows] = [lender.units, borrower.units];
  let most = 0;
  for (let slot = 0; slot < lends.length; slot += 1) {
    const together = ((lends[slot] as number) || 0) / unitRatio + ((borrows[slot] as number) || 0);
    if (together > most) most = together;
  }
  return most;
}

/** What they need in the slots of either's peak: no more than in the worst of all slots. */
function peakTogetherAtLeast(lender: NeedCurve, borrower: NeedCurve, unitRatio: number): number {
  return Math.max(
    lender.peakUnits / unitRatio + ((borrower.units[lender.peakSlot] as number) || 0),
    ((lender.units[borrower.peakSlot] as number) || 0) / unitRatio + borrower.peakUnits,
  );
}

function reductionOf(lender: NeedCurve, borrower: NeedCurve, unitRatio: number, together: Together): number {
  const apart = lender.peakUnits / unitRatio + borrower.peakUnits;
  if (lender.peakUnits <= 0 || borrower.peakUnits <= 0) return 0;
  return 1 - together(lender, borrower, unitRatio) / apart;
}

function peakReduction({ lenderNeed, borrowerNeed, unitRatio }: Sides, together: Together): number {
  const courses = Math.min(lenderNeed.courses.length, borrowerNeed.courses.length);
  if (courses === 0) {
    const atMedian = reductionOf(lenderNeed.median, borrowerNeed.median, unitRatio, together);
    return (atMedian + reductionOf(lenderNeed.p95, borrowerNeed.p95, unitRatio, together)) / 2;
  }
  let sum = 0;
  for (let at = 0; at < courses; at += 1) {
    const [lender, borrower] = [lenderNeed.courses[at] as NeedCurve, borrowerNeed.courses[at] as NeedCurve];
    sum += reductionOf(lender, borrower, unitRatio, together);
  }
  return sum / courses;
}

function peaksApartHours({ lenderNeed, borrowerNeed, grid }: Sides): number | undefined {
  const [lender, borrower] = [lenderNeed.median, borrowerNeed.median];
  if (lender.peakUnits <= 0 || borrower.peakUnits <= 0) return undefined;
  return (Math.abs(lender.peakSlot - borrower.peakSlot) * grid.stepMillis) / MILLIS_PER_HOUR;
}

function coverageOf({ lender, lenderNeed, borrower, borrowerNeed, unitRatio, grid }: Sides) {
  const own = lenderOwnUnits(lender);
  const { slots, units, totalUnits } = borrowerNeed.shortage(borrowerOwnUnits(borrower));
  if (slots.length === 0) {
    const share = lenderNeed.lendableSlots(own, unitRatio) / Math.max(1, grid.slots);
    return { coverage: share, slotCoverage: share, shortageSlots: 0 };
  }
  let [covered, coveredSlots] = [0, 0];
  for (let at = 0; at < slots.length; at += 1) {
    const short = units[at] as number;
    const lendable = lenderNeed.lendableAt(slots[at] as number, own, unitRatio);
    covered += lendable < short ? lendable : short;
    if (lendable >= short) coveredSlots += 1;
  }
  return {
    coverage: covered / totalUnits,
    slotCoverage: coveredSlots / slots.length,
    shortageSlots: slots.length,
  };
}

/** How two pools go together on a grid. */
export function matchOn(sides: Sides): Match {
  return {
    ...coverageOf(sides),
    peakReduction: peakReduction(sides, peakTogether),
    peaksApartHours: peaksApartHours(sides),
    everLendable: sides.lenderNeed.everLendable(lenderOwnUnits(sides.lender), sides.unitRatio),
  };
}

/** No less than `matchOn` says, in a small part of its time: most pairs need not be looked at more closely. */
export function matchAtMost(sides: Sides): Pick<Match, 'coverage' | 'peakReduction'> {
  return { coverage: coverageOf(sides).coverage, peakReduction: peakReduction(sides, peakTogetherAtLeast) };
}

/** The needs of pools on the grids that they were asked for, each computed once; equal grids are one object. */
class NeedCache {
  readonly #forecasts: Readonly<Record<string, PairingForecast>>;
  readonly #now: EpochMillis;
  readonly #grids = new Map<string, Grid>();
  readonly #gridOf = new Map<string, Grid>();
  readonly #needs = new Map<Grid, Map<string, PoolNeed>>();

  constructor(forecasts: Readonly<Record<string, PairingForecast>>, now: EpochMillis) {
    this.#forecasts = forecasts;
    this.#now = now;
  }

  gridOf(poolId: string): Grid {
    const known = this.#gridOf.get(poolId);
    if (known !== undefined) return known;
    const computed = comingSlots(this.#forecasts[poolId], this.#now);
    const key = `${computed.startMillis} ${computed.stepMillis} ${computed.slots}`;
    const grid = this.#grids.get(key) ?? computed;
    this.#grids.set(key, grid);
    this.#gridOf.set(poolId, grid);
    return grid;
  }

  needOf(poolId: string, grid: Grid): PoolNeed {
    const onSame = this.#needs.get(grid) ?? new Map<string, PoolNeed>();
    this.#needs.set(grid, onSame);
    const need = onSame.get(poolId) ?? new PoolNeed(this.#forecasts[poolId], grid);
    onSame.set(poolId, need);
    return need;
  }
}

/**
 * Matches pools on the slots of the borrower's forecast, or of the lender's when the borrower has none. Pools that were
 * forecast together share their slots, so that each need is put on a grid once, not once a pair.
 */
export function matcher(forecasts: Readonly<Record<string, PairingForecast>>, now: EpochMillis): Matcher {
  const cache = new NeedCache(forecasts, now);
  return (lender, borrower, unitRatio = 1) => {
    const [lends, borrows] = [lender.spec.poolId, borrower.spec.poolId];
    const grid = cache.gridOf(forecasts[borrows] === undefined ? lends : borrows);
    const [lenderNeed, borrowerNeed] = [cache.needOf(lends, grid), cache.needOf(borrows, grid)];
    return matchOn({ grid, lender, lenderNeed, borrower, borrowerNeed, unitRatio });
  };
}
