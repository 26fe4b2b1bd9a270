import type { QuotaTree } from './quota-tree.ts';

/** The nodes whose limits one loan counts against. */
export interface Crossings {
  /** Nodes that the capacity leaves: the lender's, up to below the first node that both are under. */
  readonly lending: readonly string[];
  /** Nodes that it comes into: the borrower's, likewise. */
  readonly borrowing: readonly string[];
}

/**
 * Where a loan between two named nodes crosses the border of a subtree. Inside a node that both are under nothing is lent or borrowed by it.
 *
 * With a counter of what has left and one of what has come in at each node, and both kept within its lend and borrow limit, the
 * invariant of `QuotaTree` holds: the balance of a node is what it has, less its own use, less at most what came in. The
 * counters say more than the invariant: that counts what a subtree borrows less what it lends, they count both in full.
 */
export function crossings(tree: QuotaTree, lenderId: string, borrowerId: string): Crossings {
  const lenderPath = tree.pathOf(lenderId);
  const borrowerPath = tree.pathOf(borrowerId);
  const below = (path: readonly string[], other: readonly string[]): string[] => {
    const shared = path.findIndex((node) => other.includes(node));
    return shared < 0 ? [...path] : path.slice(0, shared);
  };
  return { lending: below(lenderPath, borrowerPath), borrowing: below(borrowerPath, lenderPath) };
}
