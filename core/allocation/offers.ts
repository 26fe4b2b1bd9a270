import type { Share } from './fair-share.ts';
import { compareShares, shareOf } from './fair-share.ts';
import type { Holding } from './preemption.ts';
import { compareHoldings } from './preemption.ts';
import type { QuotaTree } from './quota-tree.ts';

/**
 * In which order leaves are asked for their holdings: from the root down into the child with the largest share each time, so the
 * subtree that borrows most gives first. Looks at the tree as it is whenever it is asked.
 */
export class Offers {
  readonly #tree: QuotaTree;
  readonly #ownNode: string;
  readonly #onPath: ReadonlySet<string>;
  readonly #holdings = new Map<string, Holding[]>();
  readonly #dropped = new Set<string>();
  readonly #root: string;

  /** @param holdings the candidates, in any order */
  constructor(tree: QuotaTree, ownNode: string, holdings: readonly Holding[]) {
    this.#tree = tree;
    this.#ownNode = ownNode;
    const path = tree.pathOf(ownNode);
    this.#onPath = new Set(path);
    this.#root = path.at(-1) ?? ownNode;
    for (const holding of holdings.toSorted((a, b) => compareHoldings(a, b, ownNode))) {
      const ofNode = this.#holdings.get(holding.nodeId);
      if (ofNode === undefined) this.#holdings.set(holding.nodeId, [holding]);
      else ofNode.push(holding);
    }
  }

  /** The leaf that is asked next; undefined when nobody is left. */
  next(): string | undefined {
    while (!this.#dropped.has(this.#root)) {
      const leaf = this.#descend(this.#root);
      if (leaf !== undefined) return leaf;
    }
    return undefined;
  }

  /** What a leaf would give first. */
  first(leaf: string): Holding | undefined {
    return this.#holdings.get(leaf)?.[0];
  }

  /** The same, and it is not offered again. */
  take(leaf: string): Holding | undefined {
    return this.#holdings.get(leaf)?.shift();
  }

  /** Leaves a leaf out from now on. */
  drop(leaf: string): void {
    this.#dropped.add(leaf);
  }

  #descend(node: string): string | undefined {
    const children = this.#tree.childrenOf(node);
    if (children.length === 0) {
      if (this.first(node) === undefined) this.#dropped.add(node);
      return this.#dropped.has(node) ? undefined : node;
    }
    let best: { readonly id: string; readonly share: Share } | undefined;
    for (const id of children) {
      if (this.#isOut(id)) continue;
      const share = shareOf(this.#tree, id);
      if (!share.borrowing && !this.#onPath.has(id)) this.#dropped.add(id);
      else if (best === undefined || this.#goesBefore(id, share, best)) best = { id, share };
    }
    if (best === undefined) {
      this.#dropped.add(node);
      return undefined;
    }
    return this.#descend(best.id);
  }

  #isOut(id: string): boolean {
    if (!this.#dropped.has(id) && this.#isLeaf(id) && this.first(id) === undefined) this.#dropped.add(id);
    return this.#dropped.has(id);
  }

  #isLeaf(id: string): boolean {
    return this.#tree.heightOf(id) === 0;
  }

  /** The larger share first; of equal ones a node with children, then whose first holding comes first. */
  #goesBefore(id: string, share: Share, best: { readonly id: string; readonly share: Share }): boolean {
    const difference = compareShares(share, best.share);
    if (difference !== 0) return difference > 0;
    if (this.#isLeaf(id) !== this.#isLeaf(best.id)) return this.#isLeaf(best.id);
    const [mine, other] = [this.first(id), this.first(best.id)];
    return mine !== undefined && other !== undefined && compareHoldings(mine, other, this.#ownNode) < 0;
  }
}
