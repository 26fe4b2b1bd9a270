/** A pool as the matching sees it: what it could lend and what it lacks, slot by slot, in units. */
export interface MatchingPool {
  readonly id: string;
  /** Units that the pool could lend: owned − need at the lender's quantile − reserve, at least 0. */
  readonly surplus: Float64Array;
  /** Units that the pool lacks: need at the borrower's quantile − owned, at least 0. */
  readonly deficit: Float64Array;
  /** Lenders that the pool may turn to as a borrower, at most. */
  readonly maxLenders: number;
  /** Borrowers that may turn to the pool as a lender, at most. */
  readonly maxBorrowers: number;
}

/**
 * What a unit-slot lent from one pool to another counts: 1 as it is, more for one that is near or cheap, 0 where a gate refuses
 * the pair.
 */
export type PairWeight = (lenderId: string, borrowerId: string) => number;

/** Pools in the order of their ids. Curves are one after the other: slot `t` of pool `i` is at `i × slots + t`. */
export interface Market {
  readonly ids: readonly string[];
  readonly count: number;
  readonly slots: number;
  readonly surplus: Float64Array;
  readonly deficit: Float64Array;
  readonly maxLenders: Int32Array;
  readonly maxBorrowers: Int32Array;
  /** By index; undefined: every pair of two pools counts 1. */
  readonly weightOf: ((lender: number, borrower: number) => number) | undefined;
}

function checkCurve(id: string, name: string, curve: Float64Array, slots: number): void {
  if (curve.length !== slots) {
    throw new RangeError(`pool ${id}: ${name} has ${curve.length} slots, expected ${slots} as in the first pool`);
  }
  const wrong = curve.findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (wrong >= 0) throw new RangeError(`pool ${id}: ${name}[${wrong}] is ${curve[wrong]}, expected 0 or more`);
}

function checkLimit(id: string, name: string, limit: number): void {
  if (limit === Number.POSITIVE_INFINITY || (Number.isInteger(limit) && limit >= 0)) return;
  throw new RangeError(`pool ${id}: ${name} is ${limit}, expected a whole number from 0`);
}

function checkPools(pools: readonly MatchingPool[]): void {
  const slots = pools[0]?.surplus.length ?? 0;
  pools.forEach(({ id, surplus, deficit, maxLenders, maxBorrowers }, index) => {
    if (id === pools[index - 1]?.id) throw new RangeError(`pool ${id} is there twice`);
    checkCurve(id, 'surplus', surplus, slots);
    checkCurve(id, 'deficit', deficit, slots);
    checkLimit(id, 'maxLenders', maxLenders);
    checkLimit(id, 'maxBorrowers', maxBorrowers);
  });
}

/**
 * The pools of a bucket as arrays. The order in which they are given changes nothing.
 * @throws RangeError for a pool that is there twice, curves of different length, values or limits below 0
 */
export function marketOf(pools: readonly MatchingPool[], weight?: PairWeight): Market {
  const sorted = [...pools].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  checkPools(sorted);
  const count = sorted.length;
  const slots = sorted[0]?.surplus.length ?? 0;
  const surplus = new Float64Array(count * slots);
  const deficit = new Float64Array(count * slots);
  sorted.forEach((pool, index) => {
    surplus.set(pool.surplus, index * slots);
    deficit.set(pool.deficit, index * slots);
  });
  const ids = sorted.map(({ id }) => id);
  const most = (limit: number) => Math.min(limit, count);
  return {
    ids,
    count,
    slots,
    surplus,
    deficit,
    maxLenders: Int32Array.from(sorted, ({ maxLenders }) => most(maxLenders)),
    maxBorrowers: Int32Array.from(sorted, ({ maxBorrowers }) => most(maxBorrowers)),
    weightOf: weight && ((lender, borrower) => weight(ids[lender] as string, ids[borrower] as string)),
  };
}

/** What a unit-slot counts between two pools; a pool does not lend to itself. */
export function weightIn({ weightOf }: Market, lender: number, borrower: number): number {
  if (lender === borrower) return 0;
  return weightOf === undefined ? 1 : weightOf(lender, borrower);
}
