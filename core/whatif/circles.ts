import { planCircles } from '../pairing/matching/circles.ts';
import type { ReplayMarket } from './market.ts';
import { meansOf } from './traces.ts';

const SECONDS_AN_HOUR = 3_600;

/**
 * The circle of each pool from a step on, planned as the hub plans circles, from the hours before: what each pool could have lent
 * and what it lacked. A pool in no circle is in one of its own.
 */
export function plannedCircles(market: ReplayMarket, step: number): Int32Array {
  const { traces, scenario, times, participants } = market;
  const inHour = Math.max(1, Math.round(SECONDS_AN_HOUR / traces.stepSeconds));
  const from = Math.max(0, step - times.planFromSteps);
  const pools = participants.pools.map((pool, place) => {
    const hours = meansOf(traces.demand[place] as Float64Array, from, step, inHour);
    const kept = (1 - scenario.floorPercent / 100) * pool.ownedUnits;
    const most = (scenario.maxLentPercent / 100) * pool.ownedUnits;
    return {
      id: pool.poolId,
      surplus: hours.map((units) => (pool.lend === undefined ? 0 : Math.max(0, Math.min(most, kept - units)))),
      deficit: hours.map((units) => (pool.borrow === undefined ? 0 : Math.max(0, units - pool.ownedUnits))),
    };
  });
  const placeOf = new Map(participants.pools.map(({ poolId }, place) => [poolId, place]));
  const weight = (lenderId: string, borrowerId: string) =>
    participants.mayLend(placeOf.get(lenderId) ?? 0, placeOf.get(borrowerId) ?? 0) ? 1 : 0;
  const circleOf = Int32Array.from(pools, (_, place) => pools.length + place);
  for (const [circle, { poolIds }] of planCircles({ pools, size: scenario.circleSize, weight }).entries()) {
    for (const id of poolIds) circleOf[placeOf.get(id) ?? 0] = circle;
  }
  return circleOf;
}
