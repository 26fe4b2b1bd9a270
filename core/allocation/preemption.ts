import type { Amounts } from './amounts.ts';
import { amountOf, positiveKeys } from './amounts.ts';
import type { QuotaTree } from './quota-tree.ts';

/** Whose holdings may be taken: `lower-or-newer-equal` also those of equal priority that were created later. */
export type TakePolicy = 'never' | 'lower' | 'lower-or-newer-equal' | 'any';

/** What a leaf may take for its demands. It is data of the leaf. */
export interface TakeRules {
  /** From itself. */
  readonly within: TakePolicy;
  /** From the other leaves of its tree that use more than they own. */
  readonly reclaim: TakePolicy;
  /** From them while the leaf itself borrows: only lower priorities, and none above `maxPriority`. */
  readonly whileBorrowing: { readonly policy: 'never' | 'lower'; readonly maxPriority?: number };
  /**
   * Of which keys the leaf must have enough itself to get back what is its own; absent: of the contested ones. With `requested` it gets nothing
   * back while it borrows anything else that it asks for.
   */
  readonly ownedOf?: 'contested' | 'requested';
}

/** Units that a leaf holds and that may be taken back as a whole. */
export interface Holding {
  readonly id: string;
  readonly nodeId: string;
  readonly units: Amounts;
  /** The higher, the later it is taken. */
  readonly priority: number;
  /** Seconds; absent: only now. */
  readonly sinceSeconds?: number;
  /** Seconds; absent: before all others. */
  readonly createdSeconds?: number;
  /** Already on its way back. */
  readonly returning?: boolean;
  /** Decides between equal ones; absent: the id. */
  readonly tie?: number;
}

/** Units that a leaf asks for and that do not fit. */
export interface Demand {
  readonly nodeId: string;
  readonly units: Amounts;
  readonly priority: number;
  readonly createdSeconds?: number;
  /** The keys that lack room; only holdings that use one of them can be taken. Absent: all that are asked for. */
  readonly contested?: readonly string[];
}

export type TakeReason =
  /** Taken from the leaf that asks. */
  | 'own'
  /** The leaf gets back what it, or a unit of the organisation above it, owns. */
  | 'reclaim'
  /** The leaf borrows itself, and what is taken has a lower priority. */
  | 'reclaim-while-borrowing'
  /** The side that asks has the smaller share. */
  | 'fair-share';

export interface Victim {
  readonly holding: Holding;
  readonly reason: TakeReason;
}

export function policyAllows(
  policy: TakePolicy,
  demand: Pick<Demand, 'priority' | 'createdSeconds'>,
  holding: Pick<Holding, 'priority' | 'createdSeconds'>,
): boolean {
  if (policy === 'never' || policy === 'any') return policy === 'any';
  if (holding.priority < demand.priority) return true;
  if (policy === 'lower' || holding.priority > demand.priority) return false;
  return (holding.createdSeconds ?? -Infinity) > (demand.createdSeconds ?? -Infinity);
}

/**
 * The order in which holdings are tried: what is returning anyway first, then other leaves' before the leaf's own, then lower priority, then
 * later ones, then `tie` and id. Total: 0 only for the same id.
 */
export function compareHoldings(a: Holding, b: Holding, ownNodeId: string): number {
  const returning = Number(b.returning ?? false) - Number(a.returning ?? false);
  if (returning !== 0) return returning;
  const own = Number(a.nodeId === ownNodeId) - Number(b.nodeId === ownNodeId);
  if (own !== 0) return own;
  if (a.priority !== b.priority) return a.priority - b.priority;
  const [since, other] = [a.sinceSeconds ?? Infinity, b.sinceSeconds ?? Infinity];
  if (since !== other) return since > other ? -1 : 1;
  const tie = (a.tie ?? 0) - (b.tie ?? 0);
  return tie !== 0 ? tie : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export function contestedKeys(demand: Demand): readonly string[] {
  return demand.contested ?? positiveKeys(demand.units);
}

export function usesContested(holding: Holding, contested: readonly string[]): boolean {
  return contested.some((key) => amountOf(holding.units, key) > 0);
}

/** Whether the node uses more than it has of a contested key. */
export function isOver(tree: QuotaTree, id: string, contested: readonly string[]): boolean {
  return contested.some((key) => tree.balanceUnits(id, key) < 0);
}

/** The nodes from a leaf to below the first one that it shares with another leaf, the leaf first; all of them in another tree. */
export function branchBelowShared(tree: QuotaTree, leaf: string, otherPath: ReadonlySet<string>): string[] {
  const path = tree.pathOf(leaf);
  const shared = path.findIndex((node) => otherPath.has(node));
  return shared < 0 ? path : path.slice(0, shared);
}
