import type { PairContext } from '../core/pairing/assess.ts';
import type { FleetCurves, FleetPairs } from '../core/pairing/fleet.ts';
import { emptyPlanReason, fleetCurves, fleetPairs } from '../core/pairing/fleet.ts';
import { slotHours } from '../core/pairing/grid.ts';
import { instanceSizes, sizeOf } from '../core/pairing/instance-sizes.ts';
import type { Circle } from '../core/pairing/matching/circles.ts';
import { creditFactors, smallestHalfShare } from '../core/pairing/matching/fairness.ts';
import type { MatchingPool } from '../core/pairing/matching/market.ts';
import type { PairedPools } from '../core/pairing/matching/plan-pairings.ts';
import { pairContext } from '../core/pairing/pair.ts';
import { DEFAULT_MAX_PARTNERS, PARTNERS_MAX } from '../core/pairing/preferences.ts';
import { rounded } from '../core/pairing/score.ts';
import type { Pool } from '../core/pool.ts';
import { Candidates } from './pair-candidates.ts';
import type { Fleet } from './pair-input.ts';
import type { FleetMatching, FleetMatchingInput, PlannedPair } from './pair-matching.ts';
import { matchFleet } from './pair-matching.ts';
import { pairKey, standingCandidates, switchingCostOf } from './pair-previous.ts';

/** Refusals that are listed; all are counted. */
const MOST_REFUSED = 10_000;
const NO_PARTNERS: PartnerLimit = { lenders: 0, borrowers: 0 };

/** Partners of a pool at most. */
export interface PartnerLimit {
  readonly lenders: number;
  readonly borrowers: number;
}

/** How a plan differs from the pairings in force. */
export interface Churn {
  /** Pairings that were in force. */
  readonly previous: number;
  readonly kept: number;
  readonly started: number;
  readonly ended: readonly PairedPools[];
  /** What starting or ending one cost, in common unit-hours. */
  readonly switchingCostUnitHours: number;
}

/** How the benefit is spread, and how much there is of it. */
export interface Spread {
  /** Of those pools that are short and have a candidate; undefined when nobody is served. */
  readonly smallestHalfShare: number | undefined;
  readonly servedUnitSlots: number;
}

/** Who should be paired with whom in a fleet. Unit-slots are of common units: see `instanceSizes`. */
export interface FleetPlan {
  readonly fleet: Fleet;
  readonly context: PairContext;
  /** By id; the curves are in this order. */
  readonly pools: readonly Pool[];
  readonly curves: FleetCurves;
  readonly pairs: FleetPairs;
  /** By pool id. */
  readonly limits: ReadonlyMap<string, PartnerLimit>;
  /** By borrower, then by lender. */
  readonly pairings: readonly PlannedPair[];
  /** What unlimited partners could serve: exact. */
  readonly boundUnitSlots: number;
  /** What the fleet lacks in all. */
  readonly shortUnitSlots: number;
  readonly spread: Spread;
  /** What it would be if credits did not count; undefined where none are stated. */
  readonly spreadWithoutCredits: Spread | undefined;
  /** Undefined where the file does not say what is in force. */
  readonly churn: Churn | undefined;
  /** Of at least two pools that serve each other; undefined when not asked for. */
  readonly circles: readonly Circle[] | undefined;
  /** Why there are no pairings; undefined when there are. */
  readonly emptyReason: string | undefined;
}

export interface FleetPlanOptions {
  /** Lenders of a borrower at most, and where its consent says nothing as many; undefined: what the file says, else 3. */
  readonly partners: number | undefined;
  /** Borrowers of a lender at most; undefined: any number. A consent may say less. */
  readonly borrowers: number | undefined;
  /** Pools in a circle at most, 2 to 16; undefined: no circles. */
  readonly circles: number | undefined;
}

function limitOf(pool: Pool, context: PairContext, fleet: Fleet, options: FleetPlanOptions): PartnerLimit {
  const stated = context.consentOf(pool.spec.accountId)?.terms.maxPartners;
  const partners = options.partners ?? fleet.maxPartners;
  const lenders = Math.min(stated ?? partners ?? DEFAULT_MAX_PARTNERS, partners ?? PARTNERS_MAX, PARTNERS_MAX);
  // Which borrower will need a large steady lender nobody knows: it is there for all unless its account wants it otherwise.
  const any = Number.POSITIVE_INFINITY;
  return { lenders, borrowers: Math.min(stated ?? any, options.borrowers ?? any) };
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

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** Ids of the pools that are short and have a candidate. */
function needyPools({ candidates }: FleetPairs, market: ReadonlyMap<string, MatchingPool>): string[] {
  const reachable = new Set(candidates.map(({ borrower }) => borrower.spec.poolId as string));
  return [...reachable].filter((id) => market.get(id)?.deficit.some((units) => units > 0));
}

function spreadOf({ servedOf, servedUnitSlots }: FleetMatching, needy: readonly string[]): Spread {
  return {
    smallestHalfShare: smallestHalfShare(needy.map((id) => servedOf.get(id) ?? 0)),
    servedUnitSlots: rounded(servedUnitSlots),
  };
}

const orderOf = ({ borrowerId, lenderId }: PairedPools) => `${borrowerId}\n${lenderId}`;

function churnOf({ pairings }: FleetMatching, previous: readonly PairedPools[], unitHours: number): Churn {
  const planned = new Set(
    pairings.map(({ candidate: { lender, borrower } }) =>
      pairKey({ lenderId: lender.spec.poolId, borrowerId: borrower.spec.poolId }),
    ),
  );
  const kept = pairings.filter((pairing) => pairing.kept).length;
  const ended = previous.filter((pair) => !planned.has(pairKey(pair)));
  const started = pairings.length - kept;
  return { previous: previous.length, kept, started, ended, switchingCostUnitHours: rounded(unitHours) };
}

/** Plans the pairings of a fleet. The order of its pools changes nothing. */
export function planFleet(fleet: Fleet, options: FleetPlanOptions): FleetPlan {
  const { input, credits, creditStrength } = fleet;
  const previous = (fleet.previous ?? []).toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const pools = [...input.pools].sort((a, b) => (a.spec.poolId < b.spec.poolId ? -1 : 1));
  const context = pairContext(input);
  const curves = fleetCurves(pools, input.forecasts, input.now);
  // Members of a circle lend to each other, so pairs count even where the borrower is not short.
  const pairs = fleetPairs(pools, context, { maxRefused: MOST_REFUSED, onlyShort: options.circles === undefined });
  const poolById = new Map(pools.map((pool) => [pool.spec.poolId as string, pool]));
  const all = [...pairs.candidates, ...standingCandidates(previous, pairs.candidates, poolById, context)];
  const sizes = instanceSizes(all);
  const limits = new Map(pools.map((pool) => [pool.spec.poolId as string, limitOf(pool, context, fleet, options)]));
  const market = matchingPools(pools, curves, sizes, limits);
  const matchedBy = (factors: ReadonlyMap<string, number>, circleSize: number | undefined) => {
    const candidates = new Candidates(all, sizes, factors);
    const standing = previous.filter(({ lenderId, borrowerId }) => candidates.weight(lenderId, borrowerId) > 0);
    const hours = slotHours(curves.grid);
    const cost = switchingCostOf(standing, market, candidates, fleet.switchingCostUnitHours, hours);
    const matching: FleetMatchingInput = {
      market,
      candidates,
      sizes,
      circleSize,
      standing,
      switchingCost: cost.weightedUnitSlots,
    };
    return { ...matchFleet(matching), unitHours: cost.unitHours };
  };
  const found = matchedBy(credits === undefined ? new Map() : creditFactors(credits, creditStrength), options.circles);
  const needy = needyPools(pairs, market);
  const isEmpty = found.pairings.length === 0;
  return {
    fleet,
    context,
    pools,
    curves,
    pairs,
    limits,
    pairings: found.pairings,
    boundUnitSlots: rounded(found.boundUnitSlots),
    shortUnitSlots: rounded([...market.values()].reduce((total, { deficit }) => total + sum(deficit), 0)),
    spread: spreadOf(found, needy),
    spreadWithoutCredits: credits === undefined ? undefined : spreadOf(matchedBy(new Map(), undefined), needy),
    churn: fleet.previous === undefined ? undefined : churnOf(found, previous, found.unitHours),
    circles: options.circles === undefined ? undefined : found.circles,
    emptyReason: isEmpty ? (emptyPlanReason(pools, input.forecasts, input.now) ?? refusedReason(pairs)) : undefined,
  };
}
