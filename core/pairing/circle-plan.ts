import type { Pool } from '../pool.ts';
import type { PoolId } from '../units.ts';
import type { AccountFacts } from './consent-gate.ts';
import { consentRefusal, standInRatio } from './consent-gate.ts';
import { CIRCLE_MEMBERS_MAX, planCircles } from './matching/circles.ts';
import type { MatchingPool } from './matching/market.ts';
import type { Arc } from './matching/max-flow.ts';
import { maximise } from './matching/max-flow.ts';
import { NOTHING } from './matching/network.ts';
import type { CircleId, Pairing, PairingId } from './pairing.ts';
import { isOpenPairing } from './pairing.ts';
import { preferencesOf } from './preferences.ts';

/** That a pool leaves its circle costs as much as this share of what an average member of the circles in force is served. */
const SWITCHING_SHARE = 0.5;

/** Pools of as many accounts that all lend to each other. */
export interface PlannedCircle {
  readonly circleId: CircleId;
  /** In order; at least two. */
  readonly poolIds: readonly PoolId[];
}

export interface BucketCirclesInput {
  readonly pools: readonly Pool[];
  /** What each of the pools could lend and what it lacks, by slot. */
  readonly market: readonly MatchingPool[];
  readonly facts: AccountFacts;
  /** All that are stored for the pools: the open ones say which circles are in force. */
  readonly existing: readonly Pairing[];
  readonly pairingIdOf: (lender: PoolId, borrower: PoolId) => PairingId;
}

/** Whether nothing but a lack of headroom speaks against a loan: that comes and goes, and ends no membership. */
function mayEverLend(lender: Pool, borrower: Pool, facts: AccountFacts): boolean {
  const consents = {
    lender: facts.consentOf(lender.spec.accountId),
    borrower: facts.consentOf(borrower.spec.accountId),
  };
  if ('gate' in standInRatio(lender.spec, borrower.spec, consents)) return false;
  return consentRefusal(lender, borrower, facts) === undefined;
}

function circlesInForce(existing: readonly Pairing[]): Map<CircleId, Set<PoolId>> {
  const found = new Map<CircleId, Set<PoolId>>();
  for (const pairing of existing) {
    const { circleId, lenderPoolId, borrowerPoolId } = pairing;
    if (circleId === undefined || !isOpenPairing(pairing)) continue;
    const members = found.get(circleId) ?? new Set();
    found.set(circleId, members.add(lenderPoolId).add(borrowerPoolId));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Unit-slots that an average member of the circles is served within its circle. */
function servedByMember(circles: readonly ReadonlySet<string>[], market: readonly MatchingPool[]): number {
  const slots = market[0]?.surplus.length ?? 0;
  let [served, count] = [0, 0];
  for (const circle of circles) {
    const members = market.filter(({ id }) => circle.has(id));
    count += members.length;
    for (let slot = 0; slot < slots; slot += 1) {
      let [surplus, deficit] = [0, 0];
      for (const member of members) {
        surplus += member.surplus[slot] as number;
        deficit += member.deficit[slot] as number;
      }
      served += Math.min(surplus, deficit);
    }
  }
  return served / Math.max(1, count);
}

/** An id that no other circle has: of the first two members, or of the next ones where that is taken. */
function newCircleId(
  poolIds: readonly PoolId[],
  taken: ReadonlySet<CircleId>,
  pairingIdOf: BucketCirclesInput['pairingIdOf'],
): CircleId {
  const ids = poolIds.flatMap((a) => poolIds.filter((b) => b !== a).map((b) => pairingIdOf(a, b)));
  const circleIds = ids.map((id) => id.replace(/^pr-/, 'ci-') as CircleId);
  return (circleIds.find((id) => !taken.has(id)) ?? circleIds[0]) as CircleId;
}

/** A circle keeps the id of the circle in force with which it has most members in common, at least two. */
function named(
  circles: readonly (readonly PoolId[])[],
  inForce: ReadonlyMap<CircleId, ReadonlySet<PoolId>>,
  pairingIdOf: BucketCirclesInput['pairingIdOf'],
): PlannedCircle[] {
  const idBefore = new Map([...inForce].flatMap(([circleId, members]) => [...members].map((id) => [id, circleId])));
  const claims = circles.flatMap((poolIds, place) => {
    const shared = new Map<CircleId, number>();
    for (const poolId of poolIds) {
      const circleId = idBefore.get(poolId);
      if (circleId !== undefined) shared.set(circleId, (shared.get(circleId) ?? 0) + 1);
    }
    return [...shared].filter(([, count]) => count >= 2).map(([circleId, count]) => ({ place, circleId, count }));
  });
  const given = new Map<number, CircleId>();
  const taken = new Set<CircleId>();
  for (const { place, circleId } of claims.sort((a, b) => b.count - a.count || a.place - b.place)) {
    if (given.has(place) || taken.has(circleId)) continue;
    given.set(place, circleId);
    taken.add(circleId);
  }
  for (const circleId of inForce.keys()) taken.add(circleId);
  return circles.map((poolIds, place) => {
    const circleId = given.get(place) ?? newCircleId(poolIds, taken, pairingIdOf);
    taken.add(circleId);
    return { circleId, poolIds };
  });
}

/**
 * Puts the pools whose accounts have agreed to circles (`maxCircleAccounts`) into circles, so that they serve each other as much as
 * they can. Of two members, each may lend to the other as all gates but headroom say, so they are of as many accounts; there are at
 * most as many of them as each one's consent says. Members of a circle in force stay together unless another circle serves
 * clearly more. The order of the input changes nothing.
 * @returns the circle of each pool that is in one
 */
export function circlesOfBucket(input: BucketCirclesInput): ReadonlyMap<string, PlannedCircle> {
  const { pools, market, facts, existing, pairingIdOf } = input;
  const mostOf = ({ spec }: Pool) => preferencesOf(facts.consentOf(spec.accountId)?.terms).maxCircleAccounts;
  const willing = new Map(pools.filter((pool) => mostOf(pool) >= 2).map((pool) => [pool.spec.poolId as string, pool]));
  if (willing.size < 2) return new Map();
  const known = new Map<string, boolean>();
  const weight = (lenderId: string, borrowerId: string): number => {
    const key = `${lenderId}\n${borrowerId}`;
    const [lender, borrower] = [willing.get(lenderId), willing.get(borrowerId)];
    const may =
      known.get(key) ?? (lender !== undefined && borrower !== undefined && mayEverLend(lender, borrower, facts));
    known.set(key, may);
    return may ? 1 : 0;
  };
  const inForce = circlesInForce(existing);
  const planned = planCircles({
    pools: market.flatMap(({ id, surplus, deficit }) => {
      const pool = willing.get(id);
      return pool === undefined ? [] : [{ id, surplus, deficit, maxMembers: mostOf(pool) }];
    }),
    size: CIRCLE_MEMBERS_MAX,
    weight,
    previous: [...inForce.values()].map((members) => [...members]),
    switchingCost: SWITCHING_SHARE * servedByMember([...inForce.values()], market),
  });
  const circles = planned.filter(({ poolIds }) => poolIds.length > 1).map(({ poolIds }) => poolIds as PoolId[]);
  return new Map(
    named(circles, inForce, pairingIdOf).flatMap((circle) => circle.poolIds.map((poolId) => [poolId, circle] as const)),
  );
}

/** A member of a circle that may lend to another one now. */
export interface CircleLink {
  readonly lenderId: string;
  readonly borrowerId: string;
  /** What a unit-slot counts: where units are short, those go first that count more. */
  readonly weight: number;
}

export interface LentInCircles<Link extends CircleLink> {
  /** Units by slot; absent: none in any. */
  readonly units: ReadonlyMap<Link, Float64Array>;
  /** All pools with what is left to lend and still lacking. */
  readonly left: readonly MatchingPool[];
}

/**
 * What flows within circles, slot by slot: as many units as can, and of flows of as many units, one that fills the links in the order
 * of their weights. What is left is for partners outside the circle.
 */
export function lendInCircles<Link extends CircleLink>(
  pools: readonly MatchingPool[],
  links: readonly Link[],
): LentInCircles<Link> {
  if (links.length === 0) return { units: new Map(), left: pools };
  const indexOf = new Map(pools.map(({ id }, index) => [id, index]));
  const text = ({ lenderId, borrowerId }: Link) => `${borrowerId}\n${lenderId}`;
  const inOrder = links
    .toSorted((a, b) => b.weight - a.weight || (text(a) < text(b) ? -1 : 1))
    .flatMap((link) => {
      const [lender, borrower] = [indexOf.get(link.lenderId), indexOf.get(link.borrowerId)];
      return lender === undefined || borrower === undefined ? [] : [{ link, lender, borrower }];
    });
  const left = pools.map((pool) => ({ ...pool, surplus: pool.surplus.slice(), deficit: pool.deficit.slice() }));
  const slots = pools[0]?.surplus.length ?? 0;
  const units = new Map<Link, Float64Array>();
  for (let slot = 0; slot < slots; slot += 1) {
    const idle = Float64Array.from(left, ({ surplus }) => surplus[slot] as number);
    const unmet = Float64Array.from(left, ({ deficit }) => deficit[slot] as number);
    const able = inOrder.filter(({ lender, borrower }) => {
      return (idle[lender] as number) > NOTHING && (unmet[borrower] as number) > NOTHING;
    });
    const arcs = able.map(({ lender, borrower }): Arc => {
      const flow = Math.min(idle[lender] as number, unmet[borrower] as number);
      idle[lender] = (idle[lender] as number) - flow;
      unmet[borrower] = (unmet[borrower] as number) - flow;
      return { lender, borrower, flow };
    });
    maximise({ arcs, idle, unmet });
    for (const [place, { link }] of able.entries()) {
      const flow = arcs[place]?.flow ?? 0;
      if (flow <= NOTHING) continue;
      const curve = units.get(link) ?? new Float64Array(slots);
      curve[slot] = flow;
      units.set(link, curve);
    }
    left.forEach(({ surplus, deficit }, index) => {
      surplus[slot] = Math.max(0, idle[index] as number);
      deficit[slot] = Math.max(0, unmet[index] as number);
    });
  }
  return { units, left };
}
