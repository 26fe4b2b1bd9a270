import type { PairCandidate } from '../core/pairing/assess.ts';
import { unitHourWeight } from '../core/pairing/assess.ts';
import { sizeOf } from '../core/pairing/instance-sizes.ts';

interface Weighed {
  readonly candidate: PairCandidate;
  readonly weight: number;
}

/** Pairs that pass every gate, by borrower id and then by lender id, with what a common unit between them counts. */
export class Candidates {
  readonly #byBorrower = new Map<string, Map<string, Weighed>>();

  /** @param factors what a unit counts by the pool that borrows it; a pool that is not there counts 1 */
  constructor(
    candidates: readonly PairCandidate[],
    sizes: ReadonlyMap<string, number>,
    factors: ReadonlyMap<string, number>,
  ) {
    for (const candidate of candidates) {
      const { poolId, instanceType } = candidate.borrower.spec;
      const lenders = this.#byBorrower.get(poolId) ?? new Map<string, Weighed>();
      // The weight is that of a unit of the borrower's; the plan counts in common units.
      const weight = (unitHourWeight(candidate) * (factors.get(poolId) ?? 1)) / sizeOf(sizes, instanceType);
      lenders.set(candidate.lender.spec.poolId, { candidate, weight });
      this.#byBorrower.set(poolId, lenders);
    }
  }

  /** 0 where a gate refuses the pair. */
  weight(lenderId: string, borrowerId: string): number {
    return this.#byBorrower.get(borrowerId)?.get(lenderId)?.weight ?? 0;
  }

  get(lenderId: string, borrowerId: string): PairCandidate | undefined {
    return this.#byBorrower.get(borrowerId)?.get(lenderId)?.candidate;
  }

  /** Groups of pool ids such that no candidate joins two of them: each can be planned by itself. */
  groups(): string[][] {
    const parent = new Map<string, string>();
    const rootOf = (id: string): string => {
      let root = id;
      for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
      if (root !== id) parent.set(id, root);
      return root;
    };
    const ids = new Set<string>();
    for (const [borrowerId, lenders] of this.#byBorrower) {
      ids.add(borrowerId);
      for (const lenderId of lenders.keys()) {
        ids.add(lenderId);
        const [a, b] = [rootOf(borrowerId), rootOf(lenderId)];
        if (a !== b) parent.set(a, b);
      }
    }
    const groups = new Map<string, string[]>();
    for (const id of [...ids].sort()) {
      const group = groups.get(rootOf(id)) ?? [];
      group.push(id);
      groups.set(rootOf(id), group);
    }
    return [...groups.values()];
  }
}
