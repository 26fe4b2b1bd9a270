import type { NeedLevel, PoolForecast } from '../forecast/pool-forecast.ts';
import { forecastEndMillis } from '../forecast/pool-forecast.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { MILLIS_PER_HOUR, MILLIS_PER_SECOND } from '../units.ts';

/** How the forecasts of two pools go together. */
export interface Match {
  /** Share of the slots that matter which the lender covers. */
  readonly confidence: number;
  /** Share of the borrower's shortage, in units over all slots, that the lender covers. */
  readonly coverage: number;
  readonly expectedUnits: number;
  readonly shortageSlots: number;
  /** How much lower the peak of both together is than the sum of their peaks, 0 to 0.5. */
  readonly peakReduction: number;
  /** Hours between the two peaks, when both are forecast. */
  readonly peaksApartHours: number | undefined;
  /** Whether the lender has anything to lend in any slot. */
  readonly everLendable: boolean;
}

export type Matcher = (lender: Pool, borrower: Pool) => Match;

/** Slots of equal length that are still to come. */
interface Grid {
  readonly startMillis: number;
  readonly stepMillis: number;
  readonly slots: number;
}

/** A pool's need by slot of a grid; NaN where nothing is forecast. */
interface NeedOnGrid {
  readonly median: Float64Array;
  readonly p95: Float64Array;
}

/** The slots of a forecast that end after `now`. */
function comingSlots(forecast: PoolForecast | undefined, now: EpochMillis): Grid {
  if (forecast === undefined) return { startMillis: 0, stepMillis: 1, slots: 0 };
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const passed = Math.max(0, Math.floor((now - forecast.startMillis) / stepMillis));
  const startMillis = forecast.startMillis + passed * stepMillis;
  return { startMillis, stepMillis, slots: Math.max(0, (forecastEndMillis(forecast) - startMillis) / stepMillis) };
}

function needOnGrid(forecast: PoolForecast | undefined, grid: Grid): NeedOnGrid {
  const at = (level: NeedLevel) => {
    return Float64Array.from({ length: grid.slots }, (_, index) => {
      if (forecast === undefined) return Number.NaN;
      const fromStart = grid.startMillis + index * grid.stepMillis - forecast.startMillis;
      const slot = Math.floor(fromStart / (forecast.stepSeconds * MILLIS_PER_SECOND));
      return forecast.neededUnits[level][slot] ?? Number.NaN;
    });
  };
  return { median: at('0.5'), p95: at('0.95') };
}

function jointPeaks(lender: Float64Array, borrower: Float64Array, grid: Grid) {
  let [lenderPeak, lenderAt, borrowerPeak, borrowerAt, together] = [-1, 0, -1, 0, 0];
  for (let slot = 0; slot < grid.slots; slot += 1) {
    // A slot without a forecast counts as no need.
    const lenderNeed = lender[slot] || 0;
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

function matchOn(grid: Grid, lender: Pool, lenderNeed: NeedOnGrid, borrower: Pool, borrowerNeed: NeedOnGrid): Match {
  const lenderOwn = lender.ownedUnits - lender.lentUnits - lender.spec.reserveUnits;
  const borrowerOwn = borrower.ownedUnits - borrower.lentUnits;
  let [shortage, covered, shortageSlots, coveredSlots] = [0, 0, 0, 0];
  let [lendableTotal, lendableSlots] = [0, 0];
  for (let slot = 0; slot < grid.slots; slot += 1) {
    // Without a forecast for a slot (NaN) nothing is known to be idle in it, or to be short.
    const lendable = Math.max(0, lenderOwn - (lenderNeed.p95[slot] ?? Number.NaN)) || 0;
    const short = Math.max(0, (borrowerNeed.p95[slot] ?? Number.NaN) - borrowerOwn) || 0;
    lendableTotal += lendable;
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
    confidence: falls ? coveredSlots / shortageSlots : lendableSlots / slotCount,
    coverage: falls ? covered / shortage : lendableSlots / slotCount,
    expectedUnits: falls ? covered / shortageSlots : lendableTotal / slotCount,
    shortageSlots,
    ...jointPeaks(lenderNeed.median, borrowerNeed.median, grid),
    everLendable: lendableSlots > 0,
  };
}

/**
 * Matches pools on the slots of the borrower's forecast, or of the lender's when the borrower has none. Pools that were
 * forecast together share their slots, so that each need is put on a grid once, not once a pair.
 */
export function matcher(forecasts: Readonly<Record<string, PoolForecast>>, now: EpochMillis): Matcher {
  const known = new Map<string, NeedOnGrid>();
  const needOf = (pool: Pool, grid: Grid): NeedOnGrid => {
    const key = `${pool.spec.poolId} ${grid.startMillis} ${grid.stepMillis} ${grid.slots}`;
    const need = known.get(key) ?? needOnGrid(forecasts[pool.spec.poolId], grid);
    known.set(key, need);
    return need;
  };
  return (lender, borrower) => {
    const grid = comingSlots(forecasts[borrower.spec.poolId] ?? forecasts[lender.spec.poolId], now);
    return matchOn(grid, lender, needOf(lender, grid), borrower, needOf(borrower, grid));
  };
}
