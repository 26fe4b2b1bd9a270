import type { Amounts } from './amounts.ts';
import { amountOf, positiveKeys } from './amounts.ts';
import type { QuotaTree } from './quota-tree.ts';

/** Whether the request may be used now, on top of what is used. */
export function fitsNow(tree: QuotaTree, id: string, request: Amounts): boolean {
  return positiveKeys(request).every((key) => amountOf(request, key) <= tree.availableUnits(id, key));
}

/** Whether the request is more than could ever be used there: neither waiting nor recalling helps. */
export function exceedsMax(tree: QuotaTree, id: string, request: Amounts): boolean {
  return positiveKeys(request).some((key) => amountOf(request, key) > tree.potentialUnits(id, key));
}

/** A node on the way up, with what of a request reaches it. */
export interface Climb {
  readonly id: string;
  readonly units: number;
}

/** What of a request reaches the leaf and each of its ancestors: what is kept and idle on the way is used first. */
export function climb(tree: QuotaTree, id: string, key: string, units: number): Climb[] {
  let left = units;
  return tree.pathOf(id).map((node) => {
    const reaching = left;
    left = Math.max(0, left - tree.localUnits(node, key));
    return { id: node, units: reaching };
  });
}

/**
 * From how far away a request would borrow: 0 when its own node has enough for it, else the height of the lowest ancestor whose total
 * covers its usage and the part of the request that reaches it, or the root's. Of several keys the largest.
 */
export function borrowHeight(tree: QuotaTree, id: string, request: Amounts): number {
  const heights = positiveKeys(request).map((key) => {
    const path = climb(tree, id, key, amountOf(request, key));
    const holds = path.find(({ id: node, units }) => units <= tree.balanceUnits(node, key));
    const highest = holds ?? path.at(-1);
    return highest === undefined || path.length === 1 ? 0 : tree.heightOf(highest.id);
  });
  return Math.max(0, ...heights);
}

/** Who says no to a request, and by which rule. */
export interface Limiting {
  readonly id: string;
  readonly key: string;
  readonly requestedUnits: number;
  /** What the node lets the leaf that asked use now. */
  readonly availableUnits: number;
  /** `lend-limit`: there is idle capacity elsewhere that may not be lent. `owned`: all that may be lent is in use. */
  readonly limit: 'borrow-limit' | 'lend-limit' | 'owned';
}

/** The lowest node that keeps a request from fitting; undefined when it fits. For a reason that can be shown. */
export function limitingNode(tree: QuotaTree, id: string, request: Amounts): Limiting | undefined {
  for (const key of positiveKeys(request)) {
    const requestedUnits = amountOf(request, key);
    if (requestedUnits <= tree.availableUnits(id, key)) continue;
    let localUnits = 0;
    for (const node of tree.pathOf(id)) {
      const isRoot = tree.parentOf(node) === undefined;
      const roomUnits = tree.balanceUnits(node, key) + tree.borrowLimitUnits(node, key);
      const availableUnits = Math.max(0, localUnits + roomUnits);
      localUnits += tree.localUnits(node, key);
      if (requestedUnits <= availableUnits && !isRoot) continue;
      const limit = isRoot ? limitAtRoot(tree, node, key) : 'borrow-limit';
      return { id: node, key, requestedUnits, availableUnits, limit };
    }
  }
  return undefined;
}

function limitAtRoot(tree: QuotaTree, root: string, key: string): 'lend-limit' | 'owned' {
  const open = [...tree.childrenOf(root)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (tree.localUnits(node, key) > 0) return 'lend-limit';
    open.push(...tree.childrenOf(node));
  }
  return 'owned';
}
