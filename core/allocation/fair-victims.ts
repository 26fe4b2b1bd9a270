import { negated } from './amounts.ts';
import { compareShares, shareOf } from './fair-share.ts';
import { fitsNow } from './fits.ts';
import { Offers } from './offers.ts';
import type { Demand, Holding, TakeRules, Victim } from './preemption.ts';
import { branchBelowShared, contestedKeys, isOver, policyAllows, usesContested } from './preemption.ts';
import { putBackUnneeded } from './put-back.ts';
import type { QuotaTree } from './quota-tree.ts';

/**
 * When it is fair to take: `final-share-at-most`: the side that asks has at most the share that the other has left afterwards;
 * `initial-share-below`: less than the other has before.
 */
export type FairStrategy = 'final-share-at-most' | 'initial-share-below';

export interface FairRules {
  /** One or two, the first tried first. */
  readonly strategies: readonly FairStrategy[];
  /** `while-fair`: nobody is put back who makes it unfair to have taken the others. `while-it-fits`: whoever there is room for. */
  readonly putBack: 'while-fair' | 'while-it-fits';
}

export const FAIR_RULES: FairRules = {
  strategies: ['final-share-at-most', 'initial-share-below'],
  putBack: 'while-fair',
};

interface Search {
  /** With what is asked for in use, and without what has been taken. */
  readonly world: QuotaTree;
  readonly demand: Demand;
  readonly taken: Victim[];
  readonly onPath: ReadonlySet<string>;
}

function fits({ world, demand }: Search): boolean {
  world.use(demand.nodeId, negated(demand.units));
  const fitsWithout = fitsNow(world, demand.nodeId, demand.units);
  world.use(demand.nodeId, demand.units);
  return fitsWithout;
}

function take(search: Search, victim: Victim): void {
  search.world.use(victim.holding.nodeId, negated(victim.holding.units));
  search.taken.push(victim);
}

/** The two children of the lowest node that both leaves are below: whose shares are compared. */
function sides({ world, demand, onPath }: Search, leaf: string): { readonly own: string; readonly other: string } {
  const other = branchBelowShared(world, leaf, onPath).at(-1) ?? leaf;
  const own = branchBelowShared(world, demand.nodeId, new Set(world.pathOf(leaf))).at(-1) ?? demand.nodeId;
  return { own, other };
}

function isFair(search: Search, strategy: FairStrategy, holding: Holding): boolean {
  const { world } = search;
  const { own, other } = sides(search, holding.nodeId);
  const ownShare = shareOf(world, own);
  if (strategy === 'initial-share-below') return compareShares(ownShare, shareOf(world, other)) < 0;
  world.use(holding.nodeId, negated(holding.units));
  const afterwards = shareOf(world, other);
  world.use(holding.nodeId, holding.units);
  return compareShares(ownShare, afterwards) <= 0;
}

/** The first strategy: leaf after leaf, each of its holdings in turn. @returns what it rejected; undefined once it fits */
function firstRound(search: Search, candidates: readonly Holding[], strategy: FairStrategy): Holding[] | undefined {
  const { world, demand } = search;
  const offers = new Offers(world, demand.nodeId, candidates);
  const withinOwned = !isOver(world, demand.nodeId, contestedKeys(demand));
  const rejected: Holding[] = [];
  for (let leaf = offers.next(); leaf !== undefined; leaf = offers.next()) {
    const own = leaf === demand.nodeId;
    for (let holding = offers.take(leaf); holding !== undefined; holding = offers.take(leaf)) {
      if (!own && !withinOwned && !isFair(search, strategy, holding)) {
        rejected.push(holding);
        continue;
      }
      take(search, { holding, reason: own ? 'own' : withinOwned ? 'reclaim' : 'fair-share' });
      if (fits(search)) return undefined;
      // What was taken changes the shares: another leaf may have the largest now.
      break;
    }
  }
  return rejected;
}

/** A second strategy on what the first rejected, at most one of each leaf. @returns whether it fits */
function secondRound(search: Search, candidates: readonly Holding[], strategy: FairStrategy): boolean {
  const offers = new Offers(search.world, search.demand.nodeId, candidates);
  for (let leaf = offers.next(); leaf !== undefined; leaf = offers.next()) {
    const holding = offers.first(leaf);
    if (holding !== undefined && isFair(search, strategy, holding)) {
      take(search, { holding, reason: 'fair-share' });
      if (fits(search)) return true;
    }
    offers.drop(leaf);
  }
  return false;
}

/**
 * Whether taking just these is fair from the beginning: the leaf's own first, for they make its share smaller. Putting back one of its
 * own after others were taken for it would make its share larger again, and the two could take from each other without end.
 */
function isFairThroughout(
  tree: QuotaTree,
  demand: Demand,
  strategies: readonly FairStrategy[],
  victims: readonly Victim[],
): boolean {
  const world = tree.clone();
  world.use(demand.nodeId, demand.units);
  const search: Search = { world, demand, taken: [], onPath: new Set(world.pathOf(demand.nodeId)) };
  const ownFirst = victims.toSorted((a, b) => Number(b.reason === 'own') - Number(a.reason === 'own'));
  for (const victim of ownFirst) {
    if (victim.reason === 'fair-share' && !strategies.some((each) => isFair(search, each, victim.holding)))
      return false;
    take(search, victim);
  }
  return true;
}

function candidatesOf(tree: QuotaTree, demand: Demand, rules: TakeRules, holdings: readonly Holding[]): Holding[] {
  const contested = contestedKeys(demand);
  const onPath = new Set(tree.pathOf(demand.nodeId));
  return holdings.filter((holding) => {
    if (!usesContested(holding, contested)) return false;
    if (holding.nodeId === demand.nodeId) return policyAllows(rules.within, demand, holding);
    const sameTree = onPath.has(tree.pathOf(holding.nodeId).at(-1) ?? '');
    return sameTree && isOver(tree, holding.nodeId, contested) && policyAllows(rules.reclaim, demand, holding);
  });
}

/**
 * Which holdings are taken so that a demand fits, by shares (Kueue's fair sharing). What is asked for counts as used from the beginning.
 *
 * A leaf that stays within what it owns, of what is contested, takes from those that borrow without a test of shares. Otherwise a
 * holding is taken when the strategies find it fair; with two of them the second is tried on what the first rejected.
 * `whileBorrowing` of the rules plays no part: together with shares it would let two leaves take from each other in turn.
 *
 * No victims when the demand cannot be made to fit.
 */
export function fairVictims(
  tree: QuotaTree,
  demand: Demand,
  rules: TakeRules,
  holdings: readonly Holding[],
  { strategies, putBack }: FairRules = FAIR_RULES,
): Victim[] {
  const [first = 'final-share-at-most', second] = strategies;
  const world = tree.clone();
  world.use(demand.nodeId, demand.units);
  const search: Search = { world, demand, taken: [], onPath: new Set(world.pathOf(demand.nodeId)) };
  const rejected = firstRound(search, candidatesOf(tree, demand, rules, holdings), first);
  if (rejected !== undefined && (second === undefined || !secondRound(search, rejected, second))) return [];
  return putBackUnneeded(
    world,
    search.taken,
    (remaining) =>
      fits(search) && (putBack === 'while-it-fits' || isFairThroughout(tree, demand, strategies, remaining)),
  );
}
