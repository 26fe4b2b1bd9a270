import type { PairCandidate, PairContext } from '../core/pairing/assess.ts';
import { unitHourWeight } from '../core/pairing/assess.ts';
import type { FleetCurves, FleetPairs } from '../core/pairing/fleet.ts';
import { emptyPlanReason, fleetCurves, fleetPairs } from '../core/pairing/fleet.ts';
import type { Circle } from '../core/pairing/matching/circles.ts';
import { planCircles } from '../core/pairing/matching/circles.ts';
import { smallestHalfShare } from '../core/pairing/matching/fairness.ts';
import type { MatchingPool, PairWeight } from '../core/pairing/matching/market.ts';
import { planPairings } from '../core/pairing/matching/plan-pairings.ts';
import type { PairingInput } from '../core/pairing/pair.ts';
import { pairContext } from '../core/pairing/pair.ts';
import { DEFAULT_MAX_PARTNERS, PARTNERS_MAX } from '../core/pairing/preferences.ts';
import { rounded } from '../core/pairing/score.ts';
import type { Pool } from '../core/pool.ts';
import { instanceSizes, lentUnits, sizeOf } from './pair-sizes.ts';

/** Refusals that are listed; all are counted. */
const MOST_REFUSED = 10_000;
const NO_PARTNERS: PartnerLimit = { lenders: 0, borrowers: 0 };

/** Partners of a pool at most. */
export interface PartnerLimit {
  readonly lenders: number;
  readonly borrowers: number;
}

/** A pairing of the plan. */
export interface PlannedPair {
  readonly candidate: PairCandidate;
  /** Units of the borrower's by slot when both pools do as P95 of their forecasts says. */
  readonly unitsBySlot: readonly number[];
}

/** Who should be paired with whom in a fleet. Unit-slots are of common units: see `instanceSizes`. */
export interface FleetPlan {
  readonly input: PairingInput;
  readonly context: PairContext;
  /** By id; the curves are in this order. */
  readonly pools: readonly Pool[];
  readonly curves: FleetCurves;
  readonly pairs: FleetPairs;
  /** By pool id. */
  readonly limits: ReadonlyMap<string, PartnerLimit>;
  /** By borrower, then by lender. */
  readonly pairings: readonly PlannedPair[];
  readonly servedUnitSlots: number;
  /** What unlimited partners could serve: exact. */
  readonly boundUnitSlots: number;
  /** What the fleet lacks in all. */
  readonly shortUnitSlots: number;
  /** Of those pools that are short and have a candidate; undefined when nobody is served. */
  readonly smallestHalfShare: number | undefined;
  /** Of at least two pools that serve each other; undefined when not asked for. */
  readonly circles: readonly Circle[] | undefined;
  /** Why there are no pairings; undefined when there are. */
  readonly emptyReason: string | undefined;
}

export interface FleetPlanOptions {
  /** Partners of a pool at most, and where its consent says nothing as many; undefined: 3, or what a consent says. */
  readonly partners: number | undefined;
  /** Whether a lender may have any number of borrowers where its consent does not say how many. */
  readonly sharedLenders: boolean;
  /** Pools in a circle at most, 2 to 16; undefined: no circles. */
  readonly circles: number | undefined;
}

function limitOf(pool: Pool, context: PairContext, { partners, sharedLenders }: FleetPlanOptions): PartnerLimit {
  const stated = context.consentOf(pool.spec.accountId)?.terms.maxPartners;
  const limit = Math.min(stated ?? partners ?? DEFAULT_MAX_PARTNERS, partners ?? PARTNERS_MAX, PARTNERS_MAX);
  return { lenders: limit, borrowers: sharedLenders ? (stated ?? Number.POSITIVE_INFINITY) : limit };
}

interface Weighed {
  readonly candidate: PairCandidate;
  readonly weight: number;
}

/** Candidates by borrower id, then by lender id. */
class Candidates {
  readonly #byBorrower = new Map<string, Map<string, Weighed>>();

  constructor(candidates: readonly PairCandidate[], sizes: ReadonlyMap<string, number>) {
    for (const candidate of candidates) {
      const { poolId, instanceType } = candidate.borrower.spec;
      const lenders = this.#byBorrower.get(poolId) ?? new Map<string, Weighed>();
      // The weight is that of a unit of the borrower's; the plan counts in common units.
      const weight = unitHourWeight(candidate) / sizeOf(sizes, instanceType);
      lenders.set(candidate.lender.spec.poolId, { candidate, weight });
      this.#byBorrower.set(poolId, lenders);
    }
  }

  weight(lenderId: string, borrowerId: string): number {
    return this.#byBorrower.get(borrowerId)?.get(lenderId)?.weight ?? 0;
  }

  get(lenderId: string, borrowerId: string): PairCandidate | undefined {
    return this.#byBorrower.get(borrowerId)?.get(lenderId)?.candidate;
  }

  /** Groups of pool ids such that no candidate joins two of them: each can be planned by itself. */
  groups(): string[][] {
    const parent = new Map<string, string>();
    const rootOf = (id: string): string => {
      let root = id;
      for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
      if (root !== id) parent.set(id, root);
      return root;
    };
    const ids = new Set<string>();
    for (const [borrowerId, lenders] of this.#byBorrower) {
      ids.add(borrowerId);
      for (const lenderId of lenders.keys()) {
        ids.add(lenderId);
        const [a, b] = [rootOf(borrowerId), rootOf(lenderId)];
        if (a !== b) parent.set(a, b);
      }
    }
    const groups = new Map<string, string[]>();
    for (const id of [...ids].sort()) {
      const group = groups.get(rootOf(id)) ?? [];
      group.push(id);
      groups.set(rootOf(id), group);
    }
    return [...groups.values()];
  }
}

function matchingPools(
  pools: readonly Pool[],
  { grid, surplus, deficit }: FleetCurves,
  sizes: ReadonlyMap<string, number>,
  limits: ReadonlyMap<string, PartnerLimit>,
): ReadonlyMap<string, MatchingPool> {
  const rowOf = (curve: Float64Array, index: number, size: number) =>
    curve.slice(index * grid.slots, (index + 1) * grid.slots).map((units) => units * size);
  const entries = pools.map(({ spec }, index): [string, MatchingPool] => {
    const size = sizeOf(sizes, spec.instanceType);
    const limit = limits.get(spec.poolId) ?? NO_PARTNERS;
    const curves = { surplus: rowOf(surplus, index, size), deficit: rowOf(deficit, index, size) };
    return [spec.poolId, { id: spec.poolId, ...curves, maxLenders: limit.lenders, maxBorrowers: limit.borrowers }];
  });
  return new Map(entries);
}

/** Why a fleet in which some are short and some idle has no pairing all the same. */
function refusedReason({ candidates, refusedByGate }: FleetPairs): string {
  if (candidates.length > 0) return 'no lender has anything to lend in the slots in which a borrower is short';
  const gates = Object.entries(refusedByGate)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([gate, count]) => `${gate} ${count}`);
  return `every pair is refused (by gate: ${gates.join(', ')})`;
}

interface Matched {
  readonly pairings: readonly PlannedPair[];
  readonly servedUnitSlots: number;
  readonly boundUnitSlots: number;
  readonly circles: readonly Circle[];
  /** Common units served, by borrower id. */
  readonly servedOf: ReadonlyMap<string, number>;
}

function matched(
  market: ReadonlyMap<string, MatchingPool>,
  candidates: Candidates,
  sizes: ReadonlyMap<string, number>,
  circleSize: number | undefined,
): Matched {
  const pairings: PlannedPair[] = [];
  const circles: Circle[] = [];
  const servedOf = new Map<string, number>();
  const weight: PairWeight = (lenderId, borrowerId) => candidates.weight(lenderId, borrowerId);
  let [servedUnitSlots, boundUnitSlots] = [0, 0];
  for (const group of candidates.groups()) {
    const pools = group.flatMap((id) => market.get(id) ?? []);
    const plan = planPairings({ pools, weight });
    servedUnitSlots += plan.servedUnitSlots;
    boundUnitSlots += plan.boundUnitSlots;
    for (const { lenderId, borrowerId, units, unitSlots } of plan.pairings) {
      const candidate = candidates.get(lenderId, borrowerId);
      if (candidate === undefined || rounded(unitSlots) === 0) continue;
      const unitsBySlot = Array.from(units, (flow) => rounded(lentUnits(flow, candidate, sizes)));
      pairings.push({ candidate, unitsBySlot });
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

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** Plans the pairings of a fleet. The order of its pools changes nothing. */
export function planFleet(input: PairingInput, options: FleetPlanOptions): FleetPlan {
  const pools = [...input.pools].sort((a, b) => (a.spec.poolId < b.spec.poolId ? -1 : 1));
  const context = pairContext(input);
  const curves = fleetCurves(pools, input.forecasts, input.now);
  // Members of a circle lend to each other, so pairs count even where the borrower is not short.
  const pairs = fleetPairs(pools, context, { maxRefused: MOST_REFUSED, onlyShort: options.circles === undefined });
  const sizes = instanceSizes(pairs.candidates);
  const limits = new Map(pools.map((pool) => [pool.spec.poolId as string, limitOf(pool, context, options)]));
  const market = matchingPools(pools, curves, sizes, limits);
  const found = matched(market, new Candidates(pairs.candidates, sizes), sizes, options.circles);
  const { pairings, servedUnitSlots, boundUnitSlots, servedOf } = found;
  const lacking = new Set(
    [...market.values()].filter(({ deficit }) => deficit.some((units) => units > 0)).map(({ id }) => id),
  );
  const reachable = new Set(pairs.candidates.map(({ borrower }) => borrower.spec.poolId as string));
  const benefits = [...reachable].filter((id) => lacking.has(id)).map((id) => servedOf.get(id) ?? 0);
  const isEmpty = pairings.length === 0;
  return {
    input,
    context,
    pools,
    curves,
    pairs,
    limits,
    pairings,
    servedUnitSlots: rounded(servedUnitSlots),
    boundUnitSlots: rounded(boundUnitSlots),
    shortUnitSlots: rounded([...market.values()].reduce((total, { deficit }) => total + sum(deficit), 0)),
    smallestHalfShare: smallestHalfShare(benefits),
    circles: options.circles === undefined ? undefined : found.circles,
    emptyReason: isEmpty ? (emptyPlanReason(pools, input.forecasts, input.now) ?? refusedReason(pairs)) : undefined,
  };
}
