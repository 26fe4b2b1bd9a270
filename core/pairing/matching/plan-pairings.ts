import { seededRandom, seedOf } from '../../forecast/random.ts';
import { openBestAssignment, openBestLinks } from './best-links.ts';
import { unlimitedBound } from './bound.ts';
import { exchangeLinks } from './exchange.ts';
import type { Market, MatchingPool, PairWeight } from './market.ts';
import { marketOf, weightIn } from './market.ts';
import { maximise } from './max-flow.ts';
import type { Link, LinkCost } from './network.ts';
import { Network, NOTHING } from './network.ts';
import { Potential } from './potential.ts';

/** Pools among which partners are looked for at a time. */
const HAND = 320;
/** Times that a bucket of more pools is dealt into hands. */
const DEALS = 2;
/** Partners that each pool gets by assignment, before links are opened one by one. */
const ASSIGNMENTS = 2;
/** Exchanges tried for each pool, and at least in a hand. */
const ROUNDS_A_POOL = 8;
const LEAST_ROUNDS = 3_000;

/** A lender that a borrower may turn to. */
export interface PairedPools {
  readonly lenderId: string;
  readonly borrowerId: string;
}

interface SearchInput {
  readonly pools: readonly MatchingPool[];
  /** The pairings in force. */
  readonly previous?: readonly PairedPools[];
  /** What ending a pairing in force costs, and starting one, in weighted unit-slots; only counted beside `previous`. Default 0. */
  readonly switchingCost?: number;
  /** How much longer than usual to look for exchanges. Default 1. */
  readonly effort?: number;
}

export interface PlanPairingsInput extends SearchInput {
  /** Undefined: every pair of two pools counts 1. */
  readonly weight?: PairWeight;
}

export interface PlannedPairing extends PairedPools {
  /** Units that the lender lends in each slot when every pool does as its curves say. */
  readonly units: Float64Array;
  /** Sum of `units`. */
  readonly unitSlots: number;
  /** Whether it was in force before. */
  readonly kept: boolean;
}

/** The places of both pools in the order of ids. */
interface PlannedPlaces {
  readonly lender: number;
  readonly borrower: number;
}

export interface PairingsPlan {
  /** By borrower, then by lender. */
  readonly pairings: readonly PlannedPairing[];
  /** Unit-slots that the pairings serve; exact for these pairings. */
  readonly servedUnitSlots: number;
  /** Unit-slots that could be served with unlimited partners; exact. */
  readonly boundUnitSlots: number;
  /** Pairings in force that the plan ends. */
  readonly ended: readonly PairedPools[];
}

const keyOf = (lender: number, borrower: number, { count }: Market) => lender * count + borrower;

/** Pairings in force whose pools are still there and may still lend to each other. */
function standingLinks(market: Market, previous: readonly PairedPools[]): Set<number> {
  const indexOf = new Map(market.ids.map((id, index) => [id, index]));
  const standing = previous.flatMap(({ lenderId, borrowerId }) => {
    const lender = indexOf.get(lenderId);
    const borrower = indexOf.get(borrowerId);
    if (lender === undefined || borrower === undefined || weightIn(market, lender, borrower) <= 0) return [];
    return [keyOf(lender, borrower, market)];
  });
  return new Set(standing.sort((a, b) => a - b));
}

/** Opens what is in force, the most useful first where limits have become smaller. */
function openStanding(network: Network, standing: ReadonlySet<number>): void {
  const { market } = network;
  const links = [...standing].map((key) => ({ lender: Math.floor(key / market.count), borrower: key % market.count }));
  const rated = links.map((link) => ({ ...link, gain: network.gain(link.lender, link.borrower) }));
  for (const { lender, borrower } of rated.sort((a, b) => b.gain - a.gain)) {
    if (network.fits(lender, borrower)) network.open(lender, borrower);
  }
}

/** Deals the pools into hands of equal size; the same pools are dealt the same way in whatever order they come. */
function handsOf({ ids, count }: Market, deal: number): number[][] {
  const hands = Math.max(1, Math.ceil(count / HAND));
  const dealt = ids
    .map((id, pool) => ({ pool, at: hands === 1 ? 0 : seedOf(`${deal} ${id}`) }))
    .sort((a, b) => a.at - b.at || a.pool - b.pool);
  return Array.from({ length: hands }, (_, hand) =>
    dealt.filter((_card, place) => place % hands === hand).map(({ pool }) => pool),
  );
}

function hasAny(curves: Float64Array, slots: number, pool: number): boolean {
  for (let slot = 0; slot < slots; slot += 1) if ((curves[pool * slots + slot] as number) > NOTHING) return true;
  return false;
}

function search(network: Network, effort: number): void {
  const { market } = network;
  const deals = market.count > HAND ? DEALS : 1;
  for (let deal = 0; deal < deals; deal += 1) {
    handsOf(market, deal).forEach((hand, place) => {
      const able = hand.filter((pool) => hasAny(market.surplus, market.slots, pool));
      const needy = hand.filter((pool) => hasAny(market.deficit, market.slots, pool));
      const assignments = deal === 0 ? ASSIGNMENTS : 0;
      for (let round = 0; round < assignments; round += 1) openBestAssignment(network, able, needy);
      openBestLinks(network, able, needy);
      const usual = Math.max(LEAST_ROUNDS, ROUNDS_A_POOL * hand.length) / deals;
      const random = seededRandom(seedOf(`exchange ${deal} ${place}`));
      exchangeLinks(network, {
        potential: new Potential(market, able, needy),
        rounds: Math.round(usual * effort),
        random,
      });
    });
  }
}

/** Raises what flows over the links to the most that can, slot by slot. */
function maximiseFlows({ market }: Network, links: readonly Link[]): void {
  const { count, slots, surplus, deficit } = market;
  const idle = new Float64Array(count);
  const unmet = new Float64Array(count);
  for (let slot = 0; slot < slots; slot += 1) {
    for (let pool = 0; pool < count; pool += 1) {
      idle[pool] = surplus[pool * slots + slot] as number;
      unmet[pool] = deficit[pool * slots + slot] as number;
    }
    const open = links.filter(
      ({ lender, borrower }) => (idle[lender] as number) > NOTHING && (unmet[borrower] as number) > NOTHING,
    );
    const arcs = open.map((link) => ({
      lender: link.lender,
      borrower: link.borrower,
      flow: link.flow[slot] as number,
    }));
    for (const { lender, borrower, flow } of arcs) {
      idle[lender] = (idle[lender] as number) - flow;
      unmet[borrower] = (unmet[borrower] as number) - flow;
    }
    maximise({ arcs, idle, unmet });
    open.forEach((link, at) => {
      link.flow[slot] = arcs[at]?.flow ?? 0;
    });
  }
}

interface Searched {
  readonly market: Market;
  readonly links: readonly Link[];
  readonly standing: ReadonlySet<number>;
}

function searched(market: Market, { previous = [], switchingCost = 0, effort = 1 }: SearchInput): Searched {
  const standing = standingLinks(market, previous);
  const costOf: LinkCost | undefined =
    previous.length === 0 || switchingCost === 0
      ? undefined
      : (lender, borrower) => (standing.has(keyOf(lender, borrower, market)) ? -switchingCost : switchingCost);
  const network = new Network(market, costOf);
  openStanding(network, standing);
  search(network, effort);
  const links = network.links();
  maximiseFlows(network, links);
  return { market, links, standing };
}

function plannedLink({ market, standing }: Searched, { lender, borrower, flow }: Link): PlannedPairing & PlannedPlaces {
  return {
    lender,
    borrower,
    lenderId: market.ids[lender] as string,
    borrowerId: market.ids[borrower] as string,
    units: flow,
    unitSlots: flow.reduce((sum, units) => sum + units, 0),
    kept: standing.has(keyOf(lender, borrower, market)),
  };
}

/**
 * What `planPairings` plans, without the bound: counting what unlimited partners could serve takes more time and memory in a large
 * bucket than the plan itself. Weights are by the places of both pools in the order of their ids.
 *
 * @throws RangeError for a pool that is there twice, curves of different length, values or limits below 0
 */
export function choosePairings(
  input: SearchInput & { readonly weightAt: (lender: number, borrower: number) => number },
): (PlannedPairing & PlannedPlaces)[] {
  const found = searched({ ...marketOf(input.pools), weightOf: input.weightAt }, input);
  return found.links.map((link) => plannedLink(found, link));
}

/**
 * Who should be paired with whom in a bucket of compatible pools: for each borrower the lenders that it may turn to, at most
 * `maxLenders`, and for each lender at most `maxBorrowers`, so that the unit-slots served are many: `Σ weight × units`, less
 * `switchingCost` for each pairing that starts or ends. Near the optimum, not always at it (docs/pairing.md); the order of the
 * input changes nothing. Within the pairings chosen, what is served is exact: a maximum flow in each slot.
 *
 * @throws RangeError for a pool that is there twice, curves of different length, values or limits below 0
 */
export function planPairings(input: PlanPairingsInput): PairingsPlan {
  const { pools, weight, previous = [] } = input;
  const found = searched(marketOf(pools, weight), input);
  const pairings = found.links.map((link) => {
    const { lender: _lender, borrower: _borrower, ...planned } = plannedLink(found, link);
    return planned;
  });
  const planned = new Set(pairings.map(({ lenderId, borrowerId }) => `${lenderId}\n${borrowerId}`));
  return {
    pairings,
    servedUnitSlots: pairings.reduce((sum, { unitSlots }) => sum + unitSlots, 0),
    boundUnitSlots: unlimitedBound(found.market),
    ended: previous.filter(({ lenderId, borrowerId }) => !planned.has(`${lenderId}\n${borrowerId}`)),
  };
}
