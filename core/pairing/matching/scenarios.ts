import { seededRandom, seedOf } from '../../forecast/random.ts';

/** A pool with what it needed so far. */
export interface PoolHistory {
  readonly id: string;
  readonly ownedUnits: number;
  /** Units that the pool never lends. */
  readonly reserveUnits: number;
  /** Units needed, slot by slot, oldest first; as long for every pool. */
  readonly needUnits: Float64Array;
}

export interface ScenarioOptions {
  /** Slots of a week. */
  readonly weekSlots: number;
  /** Scenarios to draw; the curves have so many slots. */
  readonly scenarios: number;
}

export interface ScenarioCurves {
  readonly id: string;
  readonly surplus: Float64Array;
  readonly deficit: Float64Array;
}

/** What a week exceeds by of another week's need at this share is a surprise. */
const SURPRISE_SHARE = 0.95;

function shareOf(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  return below + ((sorted[Math.ceil(place)] as number) - below) * (place - Math.floor(place));
}

/** By how much pools exceeded, in one week, what would have sufficed in the week beside it: all surprises of the fleet, in units. */
function surprisesOf(pools: readonly PoolHistory[], weekSlots: number) {
  const units: number[] = [];
  let seen = 0;
  for (const { needUnits } of pools) {
    for (let end = needUnits.length; end >= 2 * weekSlots; end -= weekSlots) {
      const late = needUnits.subarray(end - weekSlots, end);
      const early = needUnits.subarray(end - 2 * weekSlots, end - weekSlots);
      for (const [known, met] of [
        [early, late],
        [late, early],
      ] as const) {
        const enough = shareOf(known, SURPRISE_SHARE);
        for (const need of met) if (need > enough) units.push(need - enough);
        seen += met.length;
      }
    }
  }
  return { units: Float64Array.from(units).sort(), share: seen === 0 ? 0 : units.length / seen };
}

/**
 * Which scenarios surprise a pool, and by how many units: as often as the fleet was, its surprises from small to large once
 * through. Drawn from the pool's id, so that the others' coming and going changes nothing.
 */
function drawnFor(id: string, surprises: ReturnType<typeof surprisesOf>, scenarios: number): Float64Array {
  const random = seededRandom(seedOf(id));
  const order = Array.from({ length: scenarios }, (_, scenario) => ({ scenario, at: random() })).sort(
    (a, b) => a.at - b.at,
  );
  const times = Math.round(surprises.share * scenarios);
  const offset = random();
  const drawn = new Float64Array(scenarios);
  order.slice(0, times).forEach(({ scenario }, turn) => {
    const place = Math.floor(((turn + offset) / times) * surprises.units.length);
    drawn[scenario] = surprises.units[place] ?? 0;
  });
  return drawn;
}

function checkHistories(pools: readonly PoolHistory[], { weekSlots, scenarios }: ScenarioOptions): void {
  for (const [name, value] of Object.entries({ weekSlots, scenarios })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`${name} is ${value}, expected a whole number from 1`);
  }
  const slots = pools[0]?.needUnits.length ?? 1;
  for (const { id, needUnits } of pools) {
    if (needUnits.length !== slots || slots === 0) {
      throw new RangeError(`pool ${id}: ${needUnits.length} slots of history, expected ${slots || 'at least 1'}`);
    }
    const wrong = needUnits.findIndex((need) => !(need >= 0 && need < Number.POSITIVE_INFINITY));
    if (wrong >= 0) throw new RangeError(`pool ${id}: needUnits[${wrong}] is ${needUnits[wrong]}, expected 0 or more`);
  }
}

/**
 * Surplus and deficit of each pool in scenarios to plan for, instead of one expected week: partners chosen by the mean curve, or by
 * the weeks seen, serve the weeks seen. A scenario is an hour of the history, the same for every pool, so that what pools
 * do together stays together. In some of them a pool is surprised: it lacks units on top of what it owns, as other pools of the
 * fleet did who had been as calm before. So every borrower gets lenders for what nobody foresaw, and those that have much to
 * lend at most hours are shared by many. A pool's surprises are drawn from its id.
 *
 * With less than two weeks of history nobody is surprised.
 * @param pools of one bucket: their units are the same
 * @throws RangeError for histories of different length or values below 0
 */
export function lendingScenarios(pools: readonly PoolHistory[], options: ScenarioOptions): ScenarioCurves[] {
  checkHistories(pools, options);
  const { weekSlots, scenarios } = options;
  const surprises = surprisesOf(pools, weekSlots);
  return pools.map(({ id, ownedUnits, reserveUnits, needUnits }) => {
    const surprised = drawnFor(id, surprises, scenarios);
    const surplus = new Float64Array(scenarios);
    const deficit = new Float64Array(scenarios);
    for (let scenario = 0; scenario < scenarios; scenario += 1) {
      const extra = surprised[scenario] as number;
      const need = needUnits[Math.floor(((scenario + 0.5) / scenarios) * needUnits.length)] as number;
      if (extra > 0) deficit[scenario] = extra;
      else if (need > ownedUnits) deficit[scenario] = need - ownedUnits;
      else surplus[scenario] = Math.max(0, ownedUnits - reserveUnits - need);
    }
    return { id, surplus, deficit };
  });
}
