import type { PairCandidate } from './assess.ts';
import type { PlannedCircle } from './circle-plan.ts';
import { circlesOfBucket, lendInCircles } from './circle-plan.ts';
import { borrowerFactors } from './credits.ts';
import { fleetCurves } from './fleet.ts';
import { borrowedUnits, sizeOf } from './instance-sizes.ts';
import type { MatchingPool } from './matching/market.ts';
import { choosePairings } from './matching/plan-pairings.ts';
import { betterFirst } from './pair.ts';
import type { CircleId } from './pairing.ts';
import type { Scene } from './scene.ts';

/** Starting or ending a pairing costs as much as this share of what an average one serves. */
const SWITCHING_SHARE = 0.2;

/** A pair that the plan has, with the units of the borrower's by slot that a matching gave it; absent: it stands by, in case an alarm goes off. */
export interface Selected {
  readonly candidate: PairCandidate;
  readonly units?: Float64Array;
  /** The circle that both are in; absent: they are partners by themselves. */
  readonly circleId?: CircleId;
}

/** By the places of both pools. */
type WeightAt = (lender: number, borrower: number) => number;

/** In common units: see `instanceSizes`. */
function matchingPools({ pools, input, sizes, limits }: Scene): MatchingPool[] {
  const { grid, surplus, deficit } = fleetCurves(pools, input.forecasts, input.now);
  return pools.map((pool, place) => {
    const size = sizeOf(sizes, pool.spec.instanceType);
    const rowOf = (curves: Float64Array) => {
      const row = curves.subarray(place * grid.slots, (place + 1) * grid.slots);
      return size === 1 ? row : row.map((units) => units * size);
    };
    const { lenders: maxLenders, borrowers: maxBorrowers } = limits[place] ?? { lenders: 0, borrowers: 0 };
    return { id: pool.spec.poolId, surplus: rowOf(surplus), deficit: rowOf(deficit), maxLenders, maxBorrowers };
  });
}

/** What an average one of the open pairings serves, in weighted unit-slots. */
function averageWorth(scene: Scene): number {
  const worths = scene
    .open()
    .map(([lender, borrower, { expectedUnits }]) => {
      return scene.weight(lender, borrower) * expectedUnits.reduce((sum, units) => sum + units, 0);
    })
    .filter((worth) => worth > 0);
  return worths.reduce((sum, worth) => sum + worth, 0) / Math.max(1, worths.length);
}

/** What a unit-hour counts by who borrows it, for each pool: by the credits of its account. */
function creditFactorsOf({ pools, input }: Scene): Float64Array {
  const { consents, creditStrength = 0, now } = input;
  const accounts = new Set(pools.map(({ spec }) => spec.accountId));
  const usages = [...accounts].flatMap((account) => {
    const known = consents[account];
    return known === undefined ? [] : [[account, known.usage] as const];
  });
  const factors = borrowerFactors(new Map(usages), creditStrength, now);
  return Float64Array.from(pools, ({ spec }) => factors.get(spec.accountId) ?? 1);
}

/** A candidate with what flows by slot in common units; without: it stands by. */
function selectedOf(candidate: PairCandidate, flows: Float64Array | undefined, { sizes }: Scene): Selected {
  return flows === undefined
    ? { candidate }
    : { candidate, units: flows.map((flow) => borrowedUnits(flow, candidate, sizes)) };
}

/** The circle of each pool that is in one. Guests are in circles elsewhere. */
function circlesOf(scene: Scene, market: readonly MatchingPool[]): ReadonlyMap<string, PlannedCircle> {
  const isOwn = (_each: unknown, place: number) => !scene.isGuest(place);
  const { existing, pairingIdOf } = scene.input;
  const [pools, own] = [scene.pools.filter(isOwn), market.filter(isOwn)];
  return circlesOfBucket({ pools, market: own, facts: scene.context, existing, pairingIdOf });
}

/** The pairs of members of each circle, and what is left of all pools for partners outside of it. */
function inCircles(
  circles: Iterable<PlannedCircle>,
  scene: Scene,
  market: readonly MatchingPool[],
  weightAt: WeightAt,
): { readonly selected: readonly Selected[]; readonly left: readonly MatchingPool[] } {
  const links = [...new Set(circles)].flatMap(({ circleId, poolIds }) =>
    poolIds.flatMap((lenderId) =>
      poolIds.flatMap((borrowerId) => {
        const [lender, borrower] = [scene.placeOf(lenderId), scene.placeOf(borrowerId)];
        if (lender === undefined || borrower === undefined || lender === borrower) return [];
        const candidate = scene.candidate(lender, borrower);
        return candidate === undefined
          ? []
          : [{ candidate, circleId, lenderId, borrowerId, weight: weightAt(lender, borrower) }];
      }),
    ),
  );
  const { units, left } = lendInCircles(market, links);
  const selected = links.map((link) => {
    return { ...selectedOf(link.candidate, units.get(link), scene), circleId: link.circleId };
  });
  return { selected, left };
}

/** Who is to lend to whom where shortages are forecast; what is in force is only given up for what serves clearly more. */
function matched(scene: Scene, market: readonly MatchingPool[], weightAt: WeightAt): Selected[] {
  const pairings = choosePairings({
    pools: market,
    weightAt,
    previous: scene.open().map(([, , each]) => ({ lenderId: each.lenderPoolId, borrowerId: each.borrowerPoolId })),
    switchingCost: SWITCHING_SHARE * averageWorth(scene),
  });
  return pairings.flatMap(({ lender, borrower, units, unitSlots }) => {
    const candidate = scene.candidate(lender, borrower);
    return candidate === undefined ? [] : [selectedOf(candidate, unitSlots > 0 ? units : undefined, scene)];
  });
}

/** The places that pools have for partners, as lenders and as borrowers. */
class Places {
  readonly selected: Selected[] = [];
  readonly #scene: Scene;
  readonly #lends: Int32Array;
  readonly #borrows: Int32Array;
  readonly #keys = new Set<number>();

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#lends = new Int32Array(scene.pools.length);
    this.#borrows = new Int32Array(scene.pools.length);
  }

  hasLenderPlace(borrower: number): boolean {
    return (this.#borrows[borrower] as number) < (this.#scene.limits[borrower]?.lenders ?? 0);
  }

  fits(lender: number, borrower: number): boolean {
    return (
      this.hasLenderPlace(borrower) &&
      (this.#lends[lender] as number) < (this.#scene.limits[lender]?.borrowers ?? 0) &&
      !this.#keys.has(this.#key(lender, borrower))
    );
  }

  /** A pair of a circle takes no place. */
  take(lender: number, borrower: number, selected: Selected): void {
    if (selected.circleId === undefined) {
      this.#lends[lender] = (this.#lends[lender] as number) + 1;
      this.#borrows[borrower] = (this.#borrows[borrower] as number) + 1;
    }
    this.#keys.add(this.#key(lender, borrower));
    this.selected.push(selected);
  }

  /** Lets a pair stand by. @returns whether it does from now on */
  standBy(lender: number, borrower: number): boolean {
    if (!this.fits(lender, borrower)) return false;
    const candidate = this.#scene.candidate(lender, borrower);
    if (candidate === undefined) return false;
    this.take(lender, borrower, { candidate });
    return true;
  }

  #key(lender: number, borrower: number): number {
    return lender * this.#scene.pools.length + borrower;
  }
}

/** The pairs of circles and the matched pairs. */
function planned(scene: Scene, factors: Float64Array): readonly Selected[] {
  const { pools, sizes } = scene;
  const sizeAt = pools.map(({ spec }) => sizeOf(sizes, spec.instanceType));
  // What a unit of the borrower's counts, by common unit.
  const weightAt: WeightAt = (lender, borrower) => {
    return (scene.weight(lender, borrower) * (factors[borrower] as number)) / (sizeAt[borrower] as number);
  };
  const market = matchingPools(scene);
  const circles = circlesOf(scene, market);
  if (circles.size === 0) return matched(scene, market, weightAt);
  const { selected, left } = inCircles(circles.values(), scene, market, weightAt);
  const circleAt = pools.map(({ spec }) => circles.get(spec.poolId));
  const outside: WeightAt = (lender, borrower) => {
    const circle = circleAt[lender];
    return circle !== undefined && circle === circleAt[borrower] ? 0 : weightAt(lender, borrower);
  };
  return [...selected, ...matched(scene, left, outside)];
}

/**
 * The pairs of circles, the matched pairs, and beside them pairs that stand by: an alarm may go off where no shortage is forecast.
 * First those that are open already, then for each borrower in turn, those with most credits first, its best that has a place left.
 */
export function select(scene: Scene): readonly Selected[] {
  const places = new Places(scene);
  const factors = creditFactorsOf(scene);
  const placeOf = ({ spec }: PairCandidate['lender']) => scene.placeOf(spec.poolId) as number;
  for (const each of planned(scene, factors)) {
    places.take(placeOf(each.candidate.lender), placeOf(each.candidate.borrower), each);
  }
  const open = scene.open().flatMap(([lender, borrower]) => scene.candidate(lender, borrower) ?? []);
  for (const { lender, borrower } of open.sort(betterFirst(scene.context))) {
    places.standBy(placeOf(lender), placeOf(borrower));
  }
  let waiting = scene.screenings
    .map(({ lenders }, borrower) => ({ lenders, borrower }))
    .sort((a, b) => (factors[b.borrower] as number) - (factors[a.borrower] as number));
  while (waiting.length > 0) {
    waiting = waiting.filter(({ lenders, borrower }) => {
      return places.hasLenderPlace(borrower) && lenders.some((lender) => places.standBy(lender, borrower));
    });
  }
  return places.selected;
}
