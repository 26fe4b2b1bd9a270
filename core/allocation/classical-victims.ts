import { amountOf, negated, positiveKeys } from './amounts.ts';
import { fitsNow } from './fits.ts';
import type { Demand, Holding, TakeRules, Victim } from './preemption.ts';
import {
  branchBelowShared,
  compareHoldings,
  contestedKeys,
  isOver,
  policyAllows,
  usesContested,
} from './preemption.ts';
import { putBackUnneeded } from './put-back.ts';
import type { QuotaTree } from './quota-tree.ts';

interface Candidate extends Victim {
  /** Nodes that must still be over what they have when it is taken; none for a holding of the leaf itself. */
  readonly branch: readonly string[];
  readonly advantage: boolean;
}

interface Reach {
  readonly branch: readonly string[];
  /** The first node that the leaf and the one that asks are both under. */
  readonly shared: string;
}

interface Attempt {
  readonly borrowing: boolean;
  readonly candidates: readonly Candidate[];
}

/** The keys of which the leaf must have enough itself where it is not to borrow. */
function ownedKeys(demand: Demand, { ownedOf = 'contested' }: TakeRules): readonly string[] {
  return ownedOf === 'contested' ? contestedKeys(demand) : positiveKeys(demand.units);
}

/** How high on the way up the demand is covered by what a node has itself: from there on it has the advantage. */
function advantageFrom(tree: QuotaTree, demand: Demand, keys: readonly string[]): ReadonlySet<string> {
  const path = tree.pathOf(demand.nodeId);
  const left = new Map(keys.map((key) => [key, amountOf(demand.units, key)]));
  const above = new Set<string>();
  let covered = false;
  for (const node of path) {
    if (covered) above.add(node);
    covered ||= [...left].every(([key, units]) => units <= tree.balanceUnits(node, key));
    for (const [key, units] of left) left.set(key, Math.max(0, units - tree.localUnits(node, key)));
  }
  return above;
}

function mayTakeWhileBorrowing(rules: TakeRules, demand: Demand, holding: Holding): boolean {
  const { policy, maxPriority = Infinity } = rules.whileBorrowing;
  return policy !== 'never' && holding.priority < demand.priority && holding.priority <= maxPriority;
}

/** How a leaf's holdings are reached, the same for all of them; undefined when it uses no more than it has, or is of another tree. */
function reach(tree: QuotaTree, leaf: string, demand: Demand, onPath: ReadonlySet<string>): Reach | undefined {
  const branch = branchBelowShared(tree, leaf, onPath);
  const shared = tree.parentOf(branch.at(-1) ?? leaf);
  if (shared === undefined) return undefined;
  return branch.every((node) => isOver(tree, node, contestedKeys(demand))) ? { branch, shared } : undefined;
}

function candidatesOf(tree: QuotaTree, demand: Demand, rules: TakeRules, holdings: readonly Holding[]): Candidate[] {
  const contested = contestedKeys(demand);
  const onPath = new Set(tree.pathOf(demand.nodeId));
  const advantageAt = advantageFrom(tree, demand, ownedKeys(demand, rules));
  const reached = new Map<string, Reach | undefined>();
  const candidateOf = (holding: Holding): Candidate | undefined => {
    if (!usesContested(holding, contested)) return undefined;
    if (holding.nodeId === demand.nodeId) {
      const allowed = policyAllows(rules.within, demand, holding);
      return allowed ? { holding, reason: 'own', branch: [], advantage: false } : undefined;
    }
    if (!policyAllows(rules.reclaim, demand, holding)) return undefined;
    if (!reached.has(holding.nodeId)) reached.set(holding.nodeId, reach(tree, holding.nodeId, demand, onPath));
    const way = reached.get(holding.nodeId);
    if (way === undefined) return undefined;
    const advantage = advantageAt.has(way.shared);
    const alsoBorrowing = !advantage && mayTakeWhileBorrowing(rules, demand, holding);
    const reason = alsoBorrowing ? 'reclaim-while-borrowing' : 'reclaim';
    return { holding, reason, branch: way.branch, advantage };
  };
  return holdings
    .map(candidateOf)
    .filter((candidate) => candidate !== undefined)
    .sort((a, b) => compareHoldings(a.holding, b.holding, demand.nodeId));
}

/** With the advantage first, then without it, then the leaf's own; before them those that are returning anyway, in the same order. */
function inTurn(candidates: readonly Candidate[]): Candidate[] {
  const rank = ({ holding, reason, advantage }: Candidate): number =>
    (holding.returning === true ? 0 : 3) + (advantage ? 0 : reason === 'own' ? 2 : 1);
  return candidates.toSorted((a, b) => rank(a) - rank(b));
}

function attemptsOf(tree: QuotaTree, demand: Demand, rules: TakeRules, candidates: readonly Candidate[]): Attempt[] {
  const mayBorrow = ({ reason, advantage }: Candidate) => reason !== 'reclaim' || advantage;
  const without: Attempt = { borrowing: false, candidates };
  const borrowing: Attempt = { borrowing: true, candidates: candidates.filter(mayBorrow) };
  const never = rules.whileBorrowing.policy === 'never';
  const below = contestedKeys(demand).every((key) => tree.balanceUnits(demand.nodeId, key) > 0);
  if (candidates.every(({ reason }) => reason === 'own') || (never && !below)) return [borrowing];
  return never && !candidates.some(({ advantage }) => advantage) ? [without, borrowing] : [borrowing, without];
}

/** Whether the demand fits, and the leaf does not borrow any of these keys for it. */
function fitsFor(tree: QuotaTree, demand: Demand, ownedOnly: readonly string[]): boolean {
  const within = ownedOnly.every((key) => amountOf(demand.units, key) <= tree.balanceUnits(demand.nodeId, key));
  return within && fitsNow(tree, demand.nodeId, demand.units);
}

function attempt(tree: QuotaTree, demand: Demand, rules: TakeRules, { borrowing, candidates }: Attempt): Victim[] {
  const world = tree.clone();
  const contested = contestedKeys(demand);
  const ownedOnly = borrowing ? [] : ownedKeys(demand, rules);
  const taken: Victim[] = [];
  for (const { holding, reason, branch } of candidates) {
    if (!branch.every((node) => isOver(world, node, contested))) continue;
    world.use(holding.nodeId, negated(holding.units));
    taken.push({ holding, reason });
    if (!fitsFor(world, demand, ownedOnly)) continue;
    return putBackUnneeded(world, taken, () => fitsFor(world, demand, ownedOnly));
  }
  return [];
}

/**
 * Which holdings are taken so that a demand fits, by priority and by who owns what (Kueue's classical preemption).
 *
 * Candidates elsewhere are holdings of leaves that use more than they have, reached through nodes that do too. Once the leaf that
 * asks, or a node above it, has enough for the demand of its own, holdings met further up are taken with advantage: the leaf gets
 * back what is its own. Without advantage they are taken only so that the leaf ends up not borrowing, or, where the rules let
 * it and the priority is lower, also while it borrows.
 *
 * No victims when the demand cannot be made to fit. Nobody is taken who is not needed: all but the last are put back where it still fits.
 */
export function classicalVictims(
  tree: QuotaTree,
  demand: Demand,
  rules: TakeRules,
  holdings: readonly Holding[],
): Victim[] {
  const candidates = inTurn(candidatesOf(tree, demand, rules, holdings));
  for (const each of attemptsOf(tree, demand, rules, candidates)) {
    const victims = attempt(tree, demand, rules, each);
    if (victims.length > 0) return victims;
  }
  return [];
}
