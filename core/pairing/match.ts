import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { MILLIS_PER_HOUR } from '../units.ts';
import type { Grid, PairingForecast } from './grid.ts';
import { comingSlots, onGrid } from './grid.ts';

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

/** A pool's need by slot of a grid; NaN where nothing is forecast. */
export interface NeedOnGrid {
  readonly median: Float64Array;
  readonly p95: Float64Array;
  readonly courses: readonly Float64Array[];
}

const NOTHING: NeedOnGrid = { median: new Float64Array(), p95: new Float64Array(), courses: [] };

/** A pool's need on a grid; without a forecast nothing of any slot. */
export function needOnGrid(forecast: PairingForecast | undefined, grid: Grid): NeedOnGrid {
  if (forecast === undefined) return NOTHING;
  return {
    median: onGrid(forecast.neededUnits['0.5'], forecast, grid),
    p95: onGrid(forecast.neededUnits['0.95'], forecast, grid),
    courses: (forecast.courses ?? []).map((course) => onGrid(course, forecast, grid)),
  };
}

function jointPeaks(lender: Float64Array, borrower: Float64Array, grid: Grid, unitRatio: number) {
  let [lenderPeak, lenderAt, borrowerPeak, borrowerAt, together] = [-1, 0, -1, 0, 0];
  for (let slot = 0; slot < grid.slots; slot += 1) {
    // A slot without a forecast counts as no need.
    const lenderNeed = (lender[slot] || 0) / unitRatio;
    const borrowerNeed = borrower[slot] || 0;
    if (lenderNeed > lenderPeak) [lenderPeak, lenderAt] = [lenderNeed, slot];
    if (borrowerNeed > borrowerPeak) [borrowerPeak, borrowerAt] = [borrowerNeed, slot];
    together = Math.max(together, lenderNeed + borrowerNeed);
  }
  if (lenderPeak <= 0 || borrowerPeak <= 0) return { peakReduction: 0, peaksApartHours: undefined };
  return {
    peakReduction: 1 - together / (lenderPeak + borrowerPeak),
    peaksApartHours: (Math.abs(lenderAt - borrowerAt) * grid.stepMillis) / MILLIS_PER_HOUR,
  };
}

function complementarity(grid: Grid, lender: NeedOnGrid, borrower: NeedOnGrid, unitRatio: number) {
  const atMedian = jointPeaks(lender.median, borrower.median, grid, unitRatio);
  const { peaksApartHours } = atMedian;
  const reductions: number[] = [];
  for (const [index, course] of lender.courses.entries()) {
    const other = borrower.courses[index];
    if (other !== undefined) reductions.push(jointPeaks(course, other, grid, unitRatio).peakReduction);
  }
  if (reductions.length === 0) {
    reductions.push(atMedian.peakReduction, jointPeaks(lender.p95, borrower.p95, grid, unitRatio).peakReduction);
  }
  return { peakReduction: reductions.reduce((sum, each) => sum + each, 0) / reductions.length, peaksApartHours };
}

interface Sides {
  readonly lender: Pool;
  readonly lenderNeed: NeedOnGrid;
  readonly borrower: Pool;
  readonly borrowerNeed: NeedOnGrid;
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

function matchOn(grid: Grid, { lender, lenderNeed, borrower, borrowerNeed, unitRatio }: Sides): Match {
  const [lenderOwn, borrowerOwn] = [lenderOwnUnits(lender), borrowerOwnUnits(borrower)];
  let [shortage, covered, shortageSlots, coveredSlots, lendableSlots] = [0, 0, 0, 0, 0];
  for (let slot = 0; slot < grid.slots; slot += 1) {
    // Without a forecast for a slot (NaN) nothing is known to be idle in it, or to be short.
    const idle = Math.max(0, lenderOwn - (lenderNeed.p95[slot] ?? Number.NaN)) || 0;
    const lendable = Math.floor(idle / unitRatio);
    const short = Math.max(0, (borrowerNeed.p95[slot] ?? Number.NaN) - borrowerOwn) || 0;
    if (lendable > 0) lendableSlots += 1;
    if (short === 0) continue;
    shortageSlots += 1;
    shortage += short;
    covered += Math.min(short, lendable);
    if (lendable >= short) coveredSlots += 1;
  }
  const slotCount = Math.max(1, grid.slots);
  const falls = shortageSlots > 0;
  return {
    coverage: falls ? covered / shortage : lendableSlots / slotCount,
    slotCoverage: falls ? coveredSlots / shortageSlots : lendableSlots / slotCount,
    shortageSlots,
    ...complementarity(grid, lenderNeed, borrowerNeed, unitRatio),
    everLendable: lendableSlots > 0,
  };
}

/** The needs of pools on the grids that they were asked for, each computed once; equal grids are one object. */
class NeedCache {
  readonly #forecasts: Readonly<Record<string, PairingForecast>>;
  readonly #now: EpochMillis;
  readonly #grids = new Map<string, Grid>();
  readonly #gridOf = new Map<string, Grid>();
  readonly #needs = new Map<Grid, Map<string, NeedOnGrid>>();

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

  needOf(poolId: string, grid: Grid): NeedOnGrid {
    const onSame = this.#needs.get(grid) ?? new Map<string, NeedOnGrid>();
    this.#needs.set(grid, onSame);
    const need = onSame.get(poolId) ?? needOnGrid(this.#forecasts[poolId], grid);
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
    return matchOn(grid, { lender, lenderNeed, borrower, borrowerNeed, unitRatio });
  };
}
