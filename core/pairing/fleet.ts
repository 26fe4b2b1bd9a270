import type { Pool } from '../pool.ts';
import type { EpochMillis, PoolId } from '../units.ts';
import type { PairCandidate, PairContext } from './assess.ts';
import { screenPair } from './assess.ts';
import type { GateRefusal } from './gates.ts';
import type { Grid, PairingForecast } from './grid.ts';
import { comingSlots, onGrid } from './grid.ts';
import { borrowerOwnUnits, lenderOwnUnits } from './match.ts';
import { PairGates } from './pair-gates.ts';

/** What pools could lend and what they lack, pool by pool: slot `t` of pool `i` is at `i × slots + t`. */
export interface FleetCurves {
  readonly grid: Grid;
  /** Whole units above P95 of a pool's own need and its reserve. */
  readonly surplus: Float64Array;
  /** Units of P95 of a pool's need above what it owns. */
  readonly deficit: Float64Array;
}

/**
 * The slots to come that any forecast covers, at the longest of their steps. A forecast that is older than the others ends before
 * them: where it says nothing, its pool has nothing to lend and lacks nothing, and the others' slots stay.
 *
 * No slots when no forecast has one that is still to come.
 */
export function commonGrid(forecasts: readonly PairingForecast[], now: EpochMillis): Grid {
  const grids = forecasts.map((forecast) => comingSlots(forecast, now)).filter(({ slots }) => slots > 0);
  if (grids.length === 0) return comingSlots(undefined, now);
  let [startMillis, endMillis, stepMillis] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const grid of grids) {
    startMillis = Math.min(startMillis, grid.startMillis);
    endMillis = Math.max(endMillis, grid.startMillis + grid.slots * grid.stepMillis);
    stepMillis = Math.max(stepMillis, grid.stepMillis);
  }
  return { startMillis, stepMillis, slots: Math.floor((endMillis - startMillis) / stepMillis) };
}

/** The curves of pools for matching; a pool without a forecast has nothing to lend and lacks nothing. */
export function fleetCurves(
  pools: readonly Pool[],
  forecasts: Readonly<Record<string, PairingForecast>>,
  now: EpochMillis,
): FleetCurves {
  const known = pools.flatMap(({ spec }) => forecasts[spec.poolId] ?? []);
  const grid = commonGrid(known, now);
  const surplus = new Float64Array(pools.length * grid.slots);
  const deficit = new Float64Array(pools.length * grid.slots);
  for (const [index, pool] of pools.entries()) {
    const forecast = forecasts[pool.spec.poolId];
    if (forecast === undefined) continue;
    const p95 = onGrid(forecast.neededUnits['0.95'], forecast, grid);
    const [lends, borrows] = [lenderOwnUnits(pool), borrowerOwnUnits(pool)];
    for (const [slot, need] of p95.entries()) {
      surplus[index * grid.slots + slot] = Math.floor(Math.max(0, lends - need)) || 0;
      deficit[index * grid.slots + slot] = Math.max(0, need - borrows) || 0;
    }
  }
  return { grid, surplus, deficit };
}

/** A pair that some gate refuses. */
export interface RefusedPair extends GateRefusal {
  readonly lenderPoolId: PoolId;
  readonly borrowerPoolId: PoolId;
}

export interface FleetPairs {
  /** Every pair that passes all gates, by borrower and then lender id. */
  readonly candidates: readonly PairCandidate[];
  /** In the same order, at most as many as asked for. */
  readonly refused: readonly RefusedPair[];
  /** All that were refused, by gate. */
  readonly refusedByGate: Readonly<Record<string, number>>;
}

export interface FleetPairOptions {
  /** How many refusals are listed; all are counted. Absent: all. */
  readonly maxRefused?: number;
  /** Only for pools that are forecast to be short (P95): no other can get anything from a plan. */
  readonly onlyShort?: boolean;
}

/**
 * Every ordered pair of pools through the gates. A pair that is neither a candidate nor listed as refused costs next to nothing where
 * many pools have equal facts and terms. The order of the input changes nothing.
 */
export function fleetPairs(pools: readonly Pool[], context: PairContext, options: FleetPairOptions = {}): FleetPairs {
  const { maxRefused = Number.POSITIVE_INFINITY, onlyShort = false } = options;
  const isShort = (pool: Pool) =>
    (context.forecasts[pool.spec.poolId]?.neededUnits['0.95'] ?? []).some((need) => need > borrowerOwnUnits(pool));
  const sorted = [...pools].sort((a, b) => (a.spec.poolId < b.spec.poolId ? -1 : 1));
  const candidates: PairCandidate[] = [];
  const refused: RefusedPair[] = [];
  const refusedByGate: Record<string, number> = {};
  const gates = new PairGates(sorted, context);
  const countRefused = (gate: string) => {
    refusedByGate[gate] = (refusedByGate[gate] ?? 0) + 1;
  };
  for (const [at, borrower] of sorted.entries()) {
    if (onlyShort && !isShort(borrower)) continue;
    for (const [place, lender] of sorted.entries()) {
      if (lender === borrower) continue;
      const isListed = refused.length < maxRefused;
      const { gate } = gates.answer(place, at);
      if (gate !== undefined && !isListed) {
        countRefused(gate);
        continue;
      }
      const screened = screenPair(lender, borrower, context);
      if (!('gate' in screened)) {
        candidates.push(screened);
        continue;
      }
      countRefused(screened.gate);
      if (!isListed) continue;
      refused.push({ lenderPoolId: lender.spec.poolId, borrowerPoolId: borrower.spec.poolId, ...screened });
    }
  }
  return { candidates, refused, refusedByGate };
}

/** Why a fleet has no pairings at all whatever its gates; undefined when it may have. */
export function emptyPlanReason(
  pools: readonly Pool[],
  forecasts: Readonly<Record<string, PairingForecast>>,
  now: EpochMillis,
): string | undefined {
  if (pools.length === 0) return 'the fleet is empty: there is nobody to pair';
  if (pools.length === 1) return 'the fleet has one pool: a pairing needs two';
  const accounts = new Set(pools.map(({ spec }) => spec.accountId));
  if (accounts.size === 1) return 'all pools belong to one account: it moves its own ceilings without lending';
  const { grid, surplus, deficit } = fleetCurves(pools, forecasts, now);
  if (grid.slots === 0) return 'no forecast has a slot that is still to come: nothing is known to be idle or short';
  const isAny = (curve: Float64Array) => curve.some((units) => units > 0);
  if (!isAny(surplus) && !isAny(deficit)) return 'no pool has anything to lend and none is short in any slot';
  if (!isAny(deficit)) return 'all pools are lenders: none is short in any slot';
  if (!isAny(surplus)) return 'all pools are borrowers: none has anything to lend in any slot';
  return undefined;
}
