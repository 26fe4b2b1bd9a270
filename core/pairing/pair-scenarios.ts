import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import type { Grid, PairingForecast } from './grid.ts';
import { comingSlots, onGrid } from './grid.ts';
import { borrowerOwnUnits, lenderOwnUnits } from './match.ts';

/** One way in which the need of both pools may come, with what it would mean for lending. Units of the borrower's by slot. */
export interface Scenario {
  /** Probability; all of a pair's sum to 1. */
  readonly weight: number;
  /** What the borrower lacks. */
  readonly short: Float64Array;
  /** The slots in which it lacks anything. */
  readonly shortSlots: readonly number[];
  /** What the lender could give: whole units. */
  readonly lendable: Float64Array;
  /** Share of the slots in which it could give any. */
  readonly lendableShare: number;
  /** Units that the lender itself needs, of its own. */
  readonly lenderNeed: Float64Array;
}

export interface PairScenarios {
  readonly grid: Grid;
  /** Units of the lender's for one of the borrower's. */
  readonly unitRatio: number;
  readonly scenarios: readonly Scenario[];
}

/**
 * Places between the quantiles, with the probability that each stands for. A place is a multiple of the distance from the median to
 * P90 (or P10): the normal quantiles of 0.1, 0.3, 0.5, 0.7 and 0.85 divided by that of 0.9. The highest tenth is P95 itself: what
 * is committed for the most demand that is usual is short in no other.
 */
const PLACES = [
  { place: -1, weight: 0.2 },
  { place: -0.4092, weight: 0.2 },
  { place: 0, weight: 0.2 },
  { place: 0.4092, weight: 0.2 },
  { place: 0.8087, weight: 0.1 },
  { place: 'p95', weight: 0.1 },
] as const;

interface Course {
  readonly need: Float64Array;
  readonly weight: number;
}

/** Courses that need may take, by slot; their weights sum to 1. */
function coursesOf(forecast: PairingForecast | undefined, grid: Grid): Course[] {
  if (forecast === undefined) return [{ need: new Float64Array(grid.slots).fill(Number.NaN), weight: 1 }];
  const median = onGrid(forecast.neededUnits['0.5'], forecast, grid);
  const high = onGrid(forecast.neededUnits['0.9'], forecast, grid);
  const highest = onGrid(forecast.neededUnits['0.95'], forecast, grid);
  const { lowNeededUnits } = forecast;
  const low = lowNeededUnits === undefined ? undefined : onGrid(lowNeededUnits, forecast, grid);
  return PLACES.map(({ place, weight }) => {
    const need = new Float64Array(grid.slots);
    for (let slot = 0; slot < need.length; slot += 1) {
      const middle = median[slot] as number;
      const above = (high[slot] as number) - middle;
      const below = low === undefined ? above : middle - (low[slot] as number);
      // Need is in whole units: a part of one needs all of it.
      need[slot] =
        place === 'p95'
          ? Math.ceil(highest[slot] as number)
          : Math.max(0, Math.ceil(middle + place * (place < 0 ? below : above) - 1e-9));
    }
    return { need, weight };
  });
}

interface Sides {
  readonly lenderOwn: number;
  readonly borrowerOwn: number;
  readonly unitRatio: number;
}

/** Without a forecast for a slot (NaN) nothing is known to be idle in it. */
function lenderSide(lenderNeed: Float64Array, { lenderOwn, unitRatio }: Sides) {
  let slots = 0;
  const lendable = lenderNeed.map((units) => {
    const given = Math.floor(Math.max(0, lenderOwn - units) / unitRatio) || 0;
    if (given > 0) slots += 1;
    return given;
  });
  return { lenderNeed, lendable, lendableShare: lendable.length === 0 ? 0 : slots / lendable.length };
}

/** What is short, and where. */
export function shortOf(short: Float64Array): Pick<Scenario, 'short' | 'shortSlots'> {
  const shortSlots: number[] = [];
  for (let slot = 0; slot < short.length; slot += 1) if ((short[slot] as number) > 0) shortSlots.push(slot);
  return { short, shortSlots };
}

/** Without a forecast for a slot nothing is known to be short in it. */
function borrowerSide(need: Float64Array, { borrowerOwn }: Sides) {
  return shortOf(need.map((units) => Math.max(0, units - borrowerOwn) || 0));
}

/**
 * The ways in which the need of two pools may come.
 *
 * Where both pools have sample courses, course by course. Else six courses a pool, each of which stays at one place of its
 * quantiles, and every combination: the two pools are taken to err independently of each other, each pool alike over all slots.
 * The latter makes totals wider than they are; what recalibration then learns from.
 * @param now slots that have passed are left out
 */
export function pairScenarios(
  lender: Pool,
  borrower: Pool,
  forecasts: Readonly<Record<string, PairingForecast>>,
  now: EpochMillis,
  unitRatio: number,
): PairScenarios {
  const lends = forecasts[lender.spec.poolId];
  const borrows = forecasts[borrower.spec.poolId];
  const grid = comingSlots(borrows ?? lends, now);
  const courseCount = Math.min(lends?.courses?.length ?? 0, borrows?.courses?.length ?? 0);
  const sides = { lenderOwn: lenderOwnUnits(lender), borrowerOwn: borrowerOwnUnits(borrower), unitRatio };
  if (courseCount > 0 && lends !== undefined && borrows !== undefined) {
    const at = (forecast: PairingForecast, index: number) => onGrid(forecast.courses?.[index] ?? [], forecast, grid);
    const scenarios = Array.from({ length: courseCount }, (_, index) => ({
      ...lenderSide(at(lends, index), sides),
      ...borrowerSide(at(borrows, index), sides),
      weight: 1 / courseCount,
    }));
    return { grid, unitRatio, scenarios };
  }
  // Each side's courses once: their combinations share what was computed of them.
  const lent = coursesOf(lends, grid).map(({ need, weight }) => ({ side: lenderSide(need, sides), weight }));
  const borrowed = coursesOf(borrows, grid).map(({ need, weight }) => ({ side: borrowerSide(need, sides), weight }));
  const scenarios = lent.flatMap((one) =>
    borrowed.map((other) => ({ ...one.side, ...other.side, weight: one.weight * other.weight })),
  );
  return { grid, unitRatio, scenarios };
}

/** What a loan could serve in a slot of a scenario. */
export function servedAt({ short, lendable }: Scenario, slot: number): number {
  return Math.min(short[slot] ?? 0, lendable[slot] ?? 0);
}

/** Value below which a weight of the values lies: the smallest value whose weight, with all smaller ones, reaches the level. */
export function weightedQuantile(
  values: readonly { readonly value: number; readonly weight: number }[],
  level: number,
): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  let reached = 0;
  for (const { value, weight } of sorted) {
    reached += weight;
    if (reached >= level - 1e-9) return value;
  }
  return sorted.at(-1)?.value ?? 0;
}
