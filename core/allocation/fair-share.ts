import type { Amounts } from './amounts.ts';
import { amountOf, resourceOf } from './amounts.ts';
import type { QuotaTree } from './quota-tree.ts';

/** Shares are told in thousandths of what may be borrowed. */
const WHOLE = 1_000;
/** Of an unlimited potential any borrowing is a share above 0, and one below every other. */
const SHARE_OF_UNLIMITED = 1e-300;

/** How much of what its parent could give a node borrows. */
export interface Share {
  /** In thousandths of what could be borrowed, before weighting; of the resource in which it is largest. */
  readonly ratio: number;
  readonly weight: number;
  /** The resource in which the share is largest; absent when the share is 0. */
  readonly dominant?: string;
  /** Whether any key is used beyond what the node has, even one of which the parent could give nothing. */
  readonly borrowing: boolean;
}

interface Borrowed {
  units: number;
  potentialUnits: number;
}

/**
 * The dominant resource share of a node (Ghodsi et al., NSDI '11; with weights as in Kueue's KEP-1714): for each resource, Σ over its
 * keys of max(0, usage + request − total), divided by the parent's potential summed over the same keys; of these the largest. A
 * root's is 0. A key that nothing below the node declares is left out.
 */
export function shareOf(tree: QuotaTree, id: string, request: Amounts = {}): Share {
  const weight = tree.weightOf(id);
  const parent = tree.parentOf(id);
  if (parent === undefined) return { ratio: 0, weight, borrowing: false };
  const byResource = new Map<string, Borrowed>();
  let borrowing = false;
  for (const key of tree.keys()) {
    const over = tree.declaresBelow(id, key) ? Math.max(0, amountOf(request, key) - tree.balanceUnits(id, key)) : 0;
    borrowing ||= over > 0;
    const sum = byResource.get(resourceOf(key)) ?? { units: 0, potentialUnits: 0 };
    sum.units += over;
    sum.potentialUnits += tree.potentialUnits(parent, key);
    byResource.set(resourceOf(key), sum);
  }
  let ratio = 0;
  let dominant: string | undefined;
  for (const resource of [...byResource.keys()].sort()) {
    const here = ratioOf(byResource.get(resource) ?? { units: 0, potentialUnits: 0 });
    if (here <= ratio) continue;
    ratio = here;
    dominant = resource;
  }
  return { ratio, weight, borrowing, ...(dominant === undefined ? {} : { dominant }) };
}

function ratioOf({ units, potentialUnits }: Borrowed): number {
  if (units === 0 || potentialUnits === 0) return 0;
  return potentialUnits === Infinity ? units * SHARE_OF_UNLIMITED : (units * WHOLE) / potentialUnits;
}

/** The share divided by its weight: `Infinity` with a weight of 0, unless the ratio is 0. */
export function weightedShare({ ratio, weight }: Pick<Share, 'ratio' | 'weight'>): number {
  return ratio === 0 ? 0 : ratio / weight;
}

/** The weighted share as people are told it: thousandths, rounded up. */
export function reportedShare(share: Pick<Share, 'ratio' | 'weight'>): number {
  return Math.ceil(weightedShare(share));
}

/** Below 0 when the first share is the smaller one. Of two infinite shares the ratios decide. */
export function compareShares(a: Share, b: Share): number {
  const [first, second] = [weightedShare(a), weightedShare(b)];
  return first === Infinity && second === Infinity ? a.ratio - b.ratio : first < second ? -1 : first > second ? 1 : 0;
}

/** Whether the node uses more than it has of a key of which something is asked for. */
export function borrowsOn(tree: QuotaTree, id: string, request: Amounts): boolean {
  return tree
    .keys()
    .some((key) => amountOf(request, key) > 0 && tree.declaresBelow(id, key) && tree.balanceUnits(id, key) < 0);
}
