import type { PairCandidate } from '../core/pairing/assess.ts';

/**
 * Sizes of instance types, so that pools of types that stand in for each other can be planned together: a unit of a type is
 * as many units of the first type by name among those it can stand in for, or that can stand in for it. 1 where nothing is
 * declared.
 *
 * Where declarations contradict each other, the first by name counts; `lentUnits` then gives less, never more than either side has.
 */
export function instanceSizes(candidates: readonly PairCandidate[]): ReadonlyMap<string, number> {
  const links = new Map<string, Map<string, number>>();
  const link = (from: string, to: string, factor: number) => {
    const known = links.get(from) ?? new Map<string, number>();
    links.set(from, known.set(to, known.get(to) ?? factor));
  };
  // Candidates come by borrower and lender id, so the first is the same whatever the order of the file.
  for (const { lender, borrower, unitRatio } of candidates) {
    if (lender.spec.instanceType === borrower.spec.instanceType) continue;
    link(lender.spec.instanceType, borrower.spec.instanceType, unitRatio);
    link(borrower.spec.instanceType, lender.spec.instanceType, 1 / unitRatio);
  }
  const sizes = new Map<string, number>();
  for (const root of [...links.keys()].sort()) {
    if (sizes.has(root)) continue;
    sizes.set(root, 1);
    const open = [root];
    for (let type = open.pop(); type !== undefined; type = open.pop()) {
      for (const [other, factor] of [...(links.get(type) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (sizes.has(other)) continue;
        sizes.set(other, (sizes.get(type) ?? 1) * factor);
        open.push(other);
      }
    }
  }
  return sizes;
}

/** The size of a pool's units. */
export function sizeOf(sizes: ReadonlyMap<string, number>, instanceType: string): number {
  return sizes.get(instanceType) ?? 1;
}

/** Units of the borrower's that a flow in common units gives it. */
export function lentUnits(flow: number, candidate: PairCandidate, sizes: ReadonlyMap<string, number>): number {
  const { lender, borrower, unitRatio } = candidate;
  const fromLender = flow / sizeOf(sizes, lender.spec.instanceType) / unitRatio;
  return Math.min(fromLender, flow / sizeOf(sizes, borrower.spec.instanceType));
}
