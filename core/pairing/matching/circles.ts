import { seededRandom, seedOf } from '../../forecast/random.ts';
import type { Market, MatchingPool, PairWeight } from './market.ts';
import { marketOf, weightIn } from './market.ts';

export interface CirclePool extends Pick<MatchingPool, 'id' | 'surplus' | 'deficit'> {
  /** Members, itself among them, of a circle that it joins at most; absent: as many as `size` says. */
  readonly maxMembers?: number;
}

export interface PlanCirclesInput {
  readonly pools: readonly CirclePool[];
  /** Pools in a circle at most, 2 to 16. */
  readonly size: number;
  /** Members of a circle lend to each other both ways: neither direction may be 0. Other values do not matter here. */
  readonly weight?: PairWeight;
  /** Circles in force, by the ids of their pools; ids that are not among the pools are passed over. */
  readonly previous?: readonly (readonly string[])[];
  /** What it costs, in unit-slots, that a pool leaves the circle in which it is. Default 0. */
  readonly switchingCost?: number;
}

export interface Circle {
  /** In order. */
  readonly poolIds: readonly string[];
  /** `Σ over slots of min(Σ surplus, Σ deficit)` of its members. */
  readonly servedUnitSlots: number;
}

/** No circle has more members. */
export const CIRCLE_MEMBERS_MAX = 16;
const ROUNDS_A_POOL = 60;
const EXCHANGE_ROUNDS_MAX = 4;
const ROUNDING = 1e-9;

/** A circle being made, with the sums of its members' curves. */
interface Draft {
  readonly members: Set<number>;
  readonly surplus: Float64Array;
  readonly deficit: Float64Array;
  value: number;
  /** The circle in force that it goes on from; −1: none. */
  readonly origin: number;
}

/** Pools that are being parted. */
interface Parting {
  readonly market: Market;
  /** By pool: the members of its circle at most. */
  readonly most: Int32Array;
  /** By pool: the circle in force that it is in; −1: none. */
  readonly homeOf: Int32Array;
  readonly switchingCost: number;
}

function emptyDraft(slots: number, origin = -1): Draft {
  return { members: new Set(), surplus: new Float64Array(slots), deficit: new Float64Array(slots), value: 0, origin };
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

function mayBeTogether(market: Market, a: number, b: number): boolean {
  return market.weightOf === undefined || (weightIn(market, a, b) > 0 && weightIn(market, b, a) > 0);
}

function agrees(market: Market, { members }: Draft, pool: number, without: number): boolean {
  for (const member of members) if (member !== without && !mayBeTogether(market, member, pool)) return false;
  return true;
}

/** Whether nobody would be in a larger circle than it wants, with one pool more and one fewer; −1: none fewer. */
function hasRoom(most: Int32Array, { members }: Draft, joins: number, leaves: number): boolean {
  let [count, room] = [1, most[joins] as number];
  for (const member of members) {
    if (member === leaves) continue;
    count += 1;
    room = Math.min(room, most[member] as number);
  }
  return count <= room;
}

function volume({ slots, surplus, deficit }: Market, pool: number): number {
  let sum = 0;
  for (let at = pool * slots; at < (pool + 1) * slots; at += 1)
    sum += Math.max(surplus[at] as number, deficit[at] as number);
  return sum;
}

/** Those of a circle in force who may still be together: who is refused by most goes first, then who wants the smallest circle. */
function stillTogether({ market, most }: Parting, circle: readonly number[]): number[] {
  const members = [...circle];
  const goes = (costs: readonly number[]) => members.splice(costs.lastIndexOf(Math.max(...costs)), 1);
  for (;;) {
    const refusals = members.map(
      (pool) => members.filter((other) => other !== pool && !mayBeTogether(market, pool, other)).length,
    );
    if (!refusals.some((count) => count > 0)) break;
    goes(refusals);
  }
  const wants = () => members.map((pool) => -(most[pool] as number));
  while (members.length > -Math.max(...wants())) goes(wants());
  return members;
}

/** What is left of the circles in force. Sets the home of each member that stays. */
function standing(parting: Parting, previous: readonly (readonly string[])[]): Draft[] {
  const { market, homeOf } = parting;
  const indexOf = new Map(market.ids.map((id, index) => [id, index]));
  const drafts: Draft[] = [];
  for (const ids of previous) {
    const found = ids.flatMap((id) => indexOf.get(id) ?? []).filter((pool) => (homeOf[pool] as number) < 0);
    const members = stillTogether(
      parting,
      [...new Set(found)].sort((a, b) => a - b),
    );
    if (members.length < 2) continue;
    const draft = emptyDraft(market.slots, drafts.length);
    for (const pool of members) {
      change(market, draft, pool, 1);
      homeOf[pool] = draft.origin;
    }
    draft.value = valueWith(market, draft, -1, -1);
    drafts.push(draft);
  }
  return drafts;
}

/**
 * Who wants large circles first, then the largest pools, each into the circle that gains most by it; the emptiest of those that gain
 * alike. Circles in force stay as they are.
 */
function drafted(parting: Parting, size: number, previous: readonly (readonly string[])[]): Draft[] {
  const { market, most, homeOf } = parting;
  const drafts = standing(parting, previous);
  while (drafts.length < Math.ceil(market.count / size)) drafts.push(emptyDraft(market.slots));
  const order = Array.from({ length: market.count }, (_, pool) => ({ pool, volume: volume(market, pool) }))
    .filter(({ pool }) => (homeOf[pool] as number) < 0)
    .sort((a, b) => (most[b.pool] as number) - (most[a.pool] as number) || b.volume - a.volume || a.pool - b.pool);
  for (const { pool } of order) {
    const open = drafts
      .filter((draft) => hasRoom(most, draft, pool, -1))
      .map((draft) => ({ draft, gain: valueWith(market, draft, pool, -1) - draft.value }))
      .sort((a, b) => b.gain - a.gain || a.draft.members.size - b.draft.members.size);
    const best = open.find(({ draft }) => agrees(market, draft, pool, -1));
    const { draft, gain } = best ?? { draft: emptyDraft(market.slots), gain: 0 };
    if (best === undefined) drafts.push(draft);
    change(market, draft, pool, 1);
    draft.value += gain;
  }
  return drafts;
}

/**
 * Lets pools that exchanges have left alone join others, where nothing is lost by it: the next plan, which begins with the circles
 * in force, would do the same.
 * @returns whether any did
 */
function joinUp({ market, most }: Parting, drafts: readonly Draft[]): boolean {
  let joined = false;
  for (const alone of drafts) {
    const [pool] = alone.members;
    if (pool === undefined || alone.members.size > 1) continue;
    const [best] = drafts
      .filter((draft) => draft !== alone && draft.members.size > 0)
      .filter((draft) => hasRoom(most, draft, pool, -1) && agrees(market, draft, pool, -1))
      .map((draft) => ({ draft, gain: valueWith(market, draft, pool, -1) - draft.value - alone.value }))
      .filter(({ gain }) => gain >= -ROUNDING)
      .sort((a, b) => b.gain - a.gain || a.draft.members.size - b.draft.members.size);
    if (best === undefined) continue;
    change(market, alone, pool, -1);
    change(market, best.draft, pool, 1);
    best.draft.value += best.gain + alone.value;
    alone.value = 0;
    joined = true;
  }
  return joined;
}

/** What a pool's place in a circle costs. */
function costIn({ homeOf, switchingCost }: Parting, pool: number, { origin }: Draft): number {
  return pool < 0 || (homeOf[pool] as number) < 0 || homeOf[pool] === origin ? 0 : switchingCost;
}

/** Lets two pools change places, or one move into a circle with room, wherever that adds to the sum. */
function exchange(parting: Parting, drafts: readonly Draft[], size: number): void {
  const { market, most } = parting;
  const random = seededRandom(seedOf('circles'));
  const placeOf = new Int32Array(market.count);
  drafts.forEach(({ members }, at) => members.forEach((pool) => (placeOf[pool] = at)));
  for (let round = ROUNDS_A_POOL * market.count; round > 0; round -= 1) {
    const pool = Math.floor(random() * market.count);
    const from = drafts[placeOf[pool] as number] as Draft;
    const at = Math.floor(random() * drafts.length);
    const to = drafts[at] as Draft;
    const other = [...to.members][Math.floor(random() * size)] ?? -1;
    if (from === to || !hasRoom(most, to, pool, other)) continue;
    if (other >= 0 && !hasRoom(most, from, other, pool)) continue;
    const fromValue = valueWith(market, from, other, pool);
    const toValue = valueWith(market, to, pool, other);
    const costs = costIn(parting, pool, to) + costIn(parting, other, from);
    const costsNow = costIn(parting, pool, from) + costIn(parting, other, to);
    if (fromValue + toValue - costs <= from.value + to.value - costsNow + ROUNDING) continue;
    if (!agrees(market, to, pool, other) || (other >= 0 && !agrees(market, from, other, pool))) continue;
    change(market, from, pool, -1);
    change(market, to, pool, 1);
    if (other >= 0) {
      change(market, to, other, -1);
      change(market, from, other, 1);
      placeOf[other] = placeOf[pool] as number;
    }
    placeOf[pool] = at;
    from.value = fromValue;
    to.value = toValue;
  }
}

function checkLimits(pools: readonly CirclePool[]): void {
  for (const { id, maxMembers = 1 } of pools) {
    if (Number.isInteger(maxMembers) && maxMembers >= 1) continue;
    throw new RangeError(`pool ${id}: maxMembers is ${maxMembers}, expected a whole number from 1`);
  }
}

/**
 * Parts pools into circles whose members all lend to each other. The best parting is hard to find; this one is made greedily and
 * improved by exchanges. It starts from the circles in force, where there are any: a pool leaves its circle only for what adds more
 * than `switchingCost`. The order of the input changes nothing.
 * @throws RangeError for a size below 2 or above 16, or pools that `marketOf` refuses
 */
export function planCircles({ pools, size, weight, previous = [], switchingCost = 0 }: PlanCirclesInput): Circle[] {
  if (!Number.isInteger(size) || size < 2 || size > CIRCLE_MEMBERS_MAX) {
    throw new RangeError(`size is ${size}, expected a whole number from 2 to ${CIRCLE_MEMBERS_MAX}`);
  }
  checkLimits(pools);
  const market = marketOf(
    pools.map((pool) => ({ ...pool, maxLenders: size, maxBorrowers: size })),
    weight,
  );
  const limits = new Map(pools.map(({ id, maxMembers = size }) => [id, Math.min(maxMembers, size)]));
  const parting: Parting = {
    market,
    most: Int32Array.from(market.ids, (id) => limits.get(id) ?? size),
    homeOf: new Int32Array(market.count).fill(-1),
    switchingCost,
  };
  const inOrder = previous.map((ids) => ids.toSorted()).sort((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1));
  const drafts = drafted(parting, size, inOrder);
  for (let round = 0; round < EXCHANGE_ROUNDS_MAX && drafts.length > 1; round += 1) {
    exchange(parting, drafts, size);
    if (!joinUp(parting, drafts)) break;
  }
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
