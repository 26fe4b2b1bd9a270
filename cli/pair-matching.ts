import type { PairCandidate } from '../core/pairing/assess.ts';
import { borrowedUnits } from '../core/pairing/instance-sizes.ts';
import type { Circle } from '../core/pairing/matching/circles.ts';
import { planCircles } from '../core/pairing/matching/circles.ts';
import type { MatchingPool, PairWeight } from '../core/pairing/matching/market.ts';
import type { PairedPools } from '../core/pairing/matching/plan-pairings.ts';
import { planPairings } from '../core/pairing/matching/plan-pairings.ts';
import { rounded } from '../core/pairing/score.ts';
import type { Candidates } from './pair-candidates.ts';

/** A pairing of the plan. */
export interface PlannedPair {
  readonly candidate: PairCandidate;
  /** Units of the borrower's by slot when both pools do as P95 of their forecasts says. */
  readonly unitsBySlot: readonly number[];
  /** Whether it was in force before. */
  readonly kept: boolean;
}

export interface FleetMatching {
  /** By borrower, then by lender. */
  readonly pairings: readonly PlannedPair[];
  readonly servedUnitSlots: number;
  readonly boundUnitSlots: number;
  readonly circles: readonly Circle[];
  /** Common units served, by borrower id. */
  readonly servedOf: ReadonlyMap<string, number>;
}

export interface FleetMatchingInput {
  readonly market: ReadonlyMap<string, MatchingPool>;
  readonly candidates: Candidates;
  readonly sizes: ReadonlyMap<string, number>;
  /** Pools in a circle at most; undefined: no circles. */
  readonly circleSize: number | undefined;
  /** Pairings in force that are candidates still. */
  readonly standing: readonly PairedPools[];
  /** Of starting or ending a pairing, in weighted unit-slots. */
  readonly switchingCost: number;
}

/** Plans each group of pools that candidates join by itself. */
export function matchFleet(input: FleetMatchingInput): FleetMatching {
  const { market, candidates, sizes, circleSize, switchingCost } = input;
  const standingOf = new Map<string, PairedPools[]>();
  for (const pair of input.standing) {
    const others = standingOf.get(pair.borrowerId);
    if (others === undefined) standingOf.set(pair.borrowerId, [pair]);
    else others.push(pair);
  }
  const pairings: PlannedPair[] = [];
  const circles: Circle[] = [];
  const servedOf = new Map<string, number>();
  const weight: PairWeight = (lenderId, borrowerId) => candidates.weight(lenderId, borrowerId);
  let [servedUnitSlots, boundUnitSlots] = [0, 0];
  for (const group of candidates.groups()) {
    const pools = group.flatMap((id) => market.get(id) ?? []);
    const previous = group.flatMap((id) => standingOf.get(id) ?? []);
    const plan = planPairings({ pools, weight, previous, switchingCost });
    servedUnitSlots += plan.servedUnitSlots;
    boundUnitSlots += plan.boundUnitSlots;
    for (const { lenderId, borrowerId, units, unitSlots, kept } of plan.pairings) {
      const candidate = candidates.get(lenderId, borrowerId);
      if (candidate === undefined || (rounded(unitSlots) === 0 && !kept)) continue;
      const unitsBySlot = Array.from(units, (flow) => rounded(borrowedUnits(flow, candidate, sizes)));
      pairings.push({ candidate, unitsBySlot, kept });
      servedOf.set(borrowerId, (servedOf.get(borrowerId) ?? 0) + unitSlots);
    }
    if (circleSize !== undefined) circles.push(...planCircles({ pools, size: circleSize, weight }));
  }
  const order = ({ candidate }: PlannedPair) => `${candidate.borrower.spec.poolId}\n${candidate.lender.spec.poolId}`;
  return {
    pairings: pairings.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
    servedUnitSlots,
    boundUnitSlots,
    circles: circles
      .filter(({ poolIds, servedUnitSlots: served }) => poolIds.length > 1 && rounded(served) > 0)
      .sort((a, b) => ((a.poolIds[0] ?? '') < (b.poolIds[0] ?? '') ? -1 : 1)),
    servedOf,
  };
}
