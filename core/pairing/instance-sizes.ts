import type { PairCandidate } from './assess.ts';

/** How large a type is beside another, as declared, by both types in the order of their names. */
function declaredSizes(candidates: Iterable<PairCandidate>): Map<string, Map<string, number>> {
  const declared = new Map<string, Map<string, number>>();
  for (const { lender, borrower, unitRatio } of candidates) {
    const [lends, borrows] = [lender.spec.instanceType, borrower.spec.instanceType];
    if (lends === borrows) continue;
    const [first, second, size] = lends < borrows ? [lends, borrows, unitRatio] : [borrows, lends, 1 / unitRatio];
    const known = declared.get(first) ?? new Map<string, number>();
    declared.set(first, known.set(second, Math.min(known.get(second) ?? size, size)));
  }
  return declared;
}

/**
 * Sizes of instance types, so that pools of types that stand in for each other can be planned together: a unit of a type is
 * as many units of the first type by name among those it can stand in for, or that can stand in for it. A type of which nothing is
 * declared is not there: see `sizeOf`.
 *
 * Where declarations contradict each other, the smallest of the later type by name counts; `borrowedUnits` then gives less, never
 * more than either side has. The order of the candidates changes nothing.
 */
export function instanceSizes(candidates: Iterable<PairCandidate>): ReadonlyMap<string, number> {
  const links = new Map<string, [string, number][]>();
  const link = (from: string, to: string, factor: number) => {
    links.set(from, [...(links.get(from) ?? []), [to, factor]]);
  };
  for (const [first, others] of declaredSizes(candidates)) {
    for (const [second, size] of others) {
      link(first, second, size);
      link(second, first, 1 / size);
    }
  }
  const sizes = new Map<string, number>();
  for (const root of [...links.keys()].sort()) {
    if (sizes.has(root)) continue;
    sizes.set(root, 1);
    const open = [root];
    for (let type = open.pop(); type !== undefined; type = open.pop()) {
      for (const [other, factor] of (links.get(type) ?? []).sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (sizes.has(other)) continue;
        sizes.set(other, (sizes.get(type) ?? 1) * factor);
        open.push(other);
      }
    }
  }
  return sizes;
}

/** The size of a type's units; 1 where nothing is declared. */
export function sizeOf(sizes: ReadonlyMap<string, number>, instanceType: string): number {
  return sizes.get(instanceType) ?? 1;
}

/** Units of the borrower's that a flow in common units gives it. */
export function borrowedUnits(flow: number, candidate: PairCandidate, sizes: ReadonlyMap<string, number>): number {
  const { lender, borrower, unitRatio } = candidate;
  const fromLender = flow / sizeOf(sizes, lender.spec.instanceType) / unitRatio;
  return Math.min(fromLender, flow / sizeOf(sizes, borrower.spec.instanceType));
}
