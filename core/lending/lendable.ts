import type { PoolForecast } from '../forecast/pool-forecast.ts';
import type { GroupObservation, Pool } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { ForecastBasis, Outlook } from './outlook.ts';
import { lenderForecast } from './outlook.ts';

/** What a pool can lend, with the numbers that it comes from. All in units. */
export interface Lendable {
  readonly units: number;
  readonly parts: {
    /** Own capacity that is not lent yet: the observed ceiling, or the expected one where somebody has raised it. */
    readonly ceiling: number;
    readonly desired: number;
    /** Largest need over the term, by a fresh outlook as far as it looks and at P95 of the plan after that; undefined when no forecast covers it. */
    readonly forecastUnits: number | undefined;
    readonly reserve: number;
    /** What the ceiling must not go below: the larger of desired and forecast, and the reserve. */
    readonly floor: number;
  };
  /** The forecast that it comes from; absent: none covers the term. */
  readonly basis?: ForecastBasis;
  readonly reason: string;
}

/**
 * Units that a pool can lend from now for a term: idle headroom only, and only when it is forecast to stay idle.
 *
 * A ceiling that somebody raised above what the pool owns lends nothing of the rise. A pool that has itself borrowed or
 * provisioned lends nothing: it is short, and pools that lend to each other in a circle could wait for each other on the
 * way back for ever, each holding the pool that the next one has to move.
 * @param at.group read after `at.pool`: then a change in between fails the condition of the reservation
 */
export function lendableUnits(at: {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly plan?: PoolForecast | undefined;
  readonly outlook?: Outlook | undefined;
  readonly now: EpochMillis;
  readonly termSeconds: number;
}): Lendable {
  const { pool, group, now, termSeconds } = at;
  const ceiling = Math.min(group.maxSize, ceilingUnits(pool));
  const desired = group.desiredCapacity;
  const reserve = pool.spec.reserveUnits;
  const forecast = lenderForecast(at, plusMillis(now, termSeconds * MILLIS_PER_SECOND));
  const forecastUnits = typeof forecast === 'string' ? undefined : forecast.units;
  const floor = Math.max(desired, forecastUnits ?? 0) + reserve;
  const parts = { ceiling, desired, forecastUnits, reserve, floor };
  const { borrowedUnits, provisionedUnits } = pool;
  if (borrowedUnits + provisionedUnits > 0) {
    const reason = `it has itself borrowed ${borrowedUnits} and provisioned ${provisionedUnits} units`;
    return { units: 0, parts, reason };
  }
  if (typeof forecast === 'string') return { units: 0, parts, reason: forecast };
  const units = Math.max(0, ceiling - floor);
  const reason = `ceiling ${ceiling}, desired ${desired}, ${forecast.text}, reserve ${reserve}: ${units} lendable for ${termSeconds} s`;
  return { units, parts, basis: forecast.basis, reason };
}
