import { seededRandom, seedOf } from '../../forecast/random.ts';
import type { Market, MatchingPool, PairWeight } from './market.ts';
import { marketOf, weightIn } from './market.ts';

export type CirclePool = Pick<MatchingPool, 'id' | 'surplus' | 'deficit'>;

export interface PlanCirclesInput {
  readonly pools: readonly CirclePool[];
  /** Pools in a circle at most, 2 to 16. */
  readonly size: number;
  /** Members of a circle lend to each other both ways: neither direction may be 0. Other values do not matter here. */
  readonly weight?: PairWeight;
}

export interface Circle {
  /** In order. */
  readonly poolIds: readonly string[];
  /** `Σ over slots of min(Σ surplus, Σ deficit)` of its members. */
  readonly servedUnitSlots: number;
}

const MOST_MEMBERS = 16;
const ROUNDS_A_POOL = 60;
const ROUNDING = 1e-9;

/** A circle being made, with the sums of its members' curves. */
interface Draft {
  readonly members: Set<number>;
  readonly surplus: Float64Array;
  readonly deficit: Float64Array;
  value: number;
}

function emptyDraft(slots: number): Draft {
  return { members: new Set(), surplus: new Float64Array(slots), deficit: new Float64Array(slots), value: 0 };
}

/** What a circle would be worth with one pool more and one fewer; −1: no such pool. */
function valueWith({ slots, surplus, deficit }: Market, draft: Draft, joins: number, leaves: number): number {
  let value = 0;
  for (let slot = 0; slot < slots; slot += 1) {
    let lendable = draft.surplus[slot] as number;
    let lacking = draft.deficit[slot] as number;
    if (joins >= 0) {
      lendable += surplus[joins * slots + slot] as number;
      lacking += deficit[joins * slots + slot] as number;
    }
    if (leaves >= 0) {
      lendable -= surplus[leaves * slots + slot] as number;
      lacking -= deficit[leaves * slots + slot] as number;
    }
    value += lendable < lacking ? lendable : lacking;
  }
  return Math.max(0, value);
}

function change({ slots, surplus, deficit }: Market, draft: Draft, pool: number, sign: 1 | -1): void {
  for (let slot = 0; slot < slots; slot += 1) {
    draft.surplus[slot] = (draft.surplus[slot] as number) + sign * (surplus[pool * slots + slot] as number);
    draft.deficit[slot] = (draft.deficit[slot] as number) + sign * (deficit[pool * slots + slot] as number);
  }
  if (sign === 1) draft.members.add(pool);
  else draft.members.delete(pool);
}

function agrees(market: Market, { members }: Draft, pool: number, without: number): boolean {
  if (market.weightOf === undefined) return true;
  for (const member of members) {
    if (member === without) continue;
    if (weightIn(market, member, pool) <= 0 || weightIn(market, pool, member) <= 0) return false;
  }
  return true;
}

function volume({ slots, surplus, deficit }: Market, pool: number): number {
  let sum = 0;
  for (let at = pool * slots; at < (pool + 1) * slots; at += 1)
    sum += Math.max(surplus[at] as number, deficit[at] as number);
  return sum;
}

/** The largest pools first, each into the circle that gains most by it; the emptiest of those that gain alike. */
function drafted(market: Market, size: number): Draft[] {
  const drafts = Array.from({ length: Math.ceil(market.count / size) }, () => emptyDraft(market.slots));
  const order = Array.from({ length: market.count }, (_, pool) => ({ pool, volume: volume(market, pool) }));
  for (const { pool } of order.sort((a, b) => b.volume - a.volume || a.pool - b.pool)) {
    let best: { draft: Draft; gain: number } | undefined;
    for (const draft of drafts) {
      if (draft.members.size >= size || !agrees(market, draft, pool, -1)) continue;
      const gain = valueWith(market, draft, pool, -1) - draft.value;
      const ahead = best === undefined ? 1 : gain - best.gain || best.draft.members.size - draft.members.size;
      if (ahead > 0) best = { draft, gain };
    }
    const { draft, gain } = best ?? { draft: emptyDraft(market.slots), gain: 0 };
    if (best === undefined) drafts.push(draft);
    change(market, draft, pool, 1);
    draft.value += gain;
  }
  return drafts;
}

/** Lets two pools change places, or one move into a circle with room, wherever that adds to the sum. */
function exchange(market: Market, drafts: readonly Draft[], size: number): void {
  const random = seededRandom(seedOf('circles'));
  const home = new Int32Array(market.count);
  drafts.forEach(({ members }, at) => members.forEach((pool) => (home[pool] = at)));
  for (let round = ROUNDS_A_POOL * market.count; round > 0; round -= 1) {
    const pool = Math.floor(random() * market.count);
    const from = drafts[home[pool] as number] as Draft;
    const at = Math.floor(random() * drafts.length);
    const to = drafts[at] as Draft;
    const place = Math.floor(random() * size);
    const other = [...to.members][place] ?? -1;
    if (from === to || (other < 0 && to.members.size >= size)) continue;
    if (!agrees(market, to, pool, other) || (other >= 0 && !agrees(market, from, other, pool))) continue;
    const fromValue = valueWith(market, from, other, pool);
    const toValue = valueWith(market, to, pool, other);
    if (fromValue + toValue <= from.value + to.value + ROUNDING) continue;
    change(market, from, pool, -1);
    change(market, to, pool, 1);
    if (other >= 0) {
      change(market, to, other, -1);
      change(market, from, other, 1);
      home[other] = home[pool] as number;
    }
    home[pool] = at;
    from.value = fromValue;
    to.value = toValue;
  }
}

/**
 * Parts pools into circles whose members all lend to each other. The best parting is hard to find; this one is made greedily and
 * improved by exchanges. The order of the input changes nothing.
 * @throws RangeError for a size below 2 or above 16, or pools that `marketOf` refuses
 */
export function planCircles({ pools, size, weight }: PlanCirclesInput): Circle[] {
  if (!Number.isInteger(size) || size < 2 || size > MOST_MEMBERS) {
    throw new RangeError(`size is ${size}, expected a whole number from 2 to ${MOST_MEMBERS}`);
  }
  const market = marketOf(
    pools.map((pool) => ({ ...pool, maxLenders: size, maxBorrowers: size })),
    weight,
  );
  const drafts = drafted(market, size);
  if (drafts.length > 1) exchange(market, drafts, size);
  return drafts
    .filter(({ members }) => members.size > 0)
    .map((draft) => {
      const members = [...draft.members].sort((a, b) => a - b);
      return {
        poolIds: members.map((pool) => market.ids[pool] as string),
        servedUnitSlots: valueWith(market, draft, -1, -1),
      };
    })
    .sort((a, b) => ((a.poolIds[0] as string) < (b.poolIds[0] as string) ? -1 : 1));
}
