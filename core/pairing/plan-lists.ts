import type { PoolId } from '../units.ts';
import type { BucketPart } from './parts.ts';
import { partsOf } from './parts.ts';

/** What one plan goes through: each of the pools by itself, then each of the parts. */
export interface PlanLists {
  readonly pools: readonly { readonly poolId: PoolId }[];
  /** Buckets, or parts of those that have too many pools, in the order of their names. */
  readonly parts: readonly BucketPart[];
}

/** A JSON array that is stored as an object of its own, and how many items it has. */
interface StoredList {
  readonly key: string;
  readonly count: number;
}

/** The lists of a plan as objects. */
export interface PlanObjects {
  readonly objects: readonly { readonly key: string; readonly items: readonly unknown[] }[];
  /** What the plan is told of them: as long for 100,000 pools as for one. */
  readonly answer: {
    /** Items: `{ poolId }`. */
    readonly pools: StoredList;
    /** Items: `{ bucket, poolsKey }`, a part each; the ids of its pools are in an object of their own. */
    readonly buckets: StoredList;
  };
}

/**
 * The pools to plan for, and the parts within which they can be compatible: all of them, or the named pools and the whole parts that
 * they are in.
 * @param byBucket every enrolled pool, by its bucket
 * @param named absent: all pools; names that are not enrolled are left out
 */
export function planLists(byBucket: ReadonlyMap<string, readonly PoolId[]>, named?: readonly PoolId[]): PlanLists {
  const wanted = named === undefined ? undefined : new Set(named);
  const isWanted = (poolId: PoolId): boolean => wanted === undefined || wanted.has(poolId);
  const parts = [...byBucket]
    .flatMap(([bucket, poolIds]) => partsOf(bucket, poolIds))
    .filter(({ poolIds }) => poolIds.some(isWanted))
    .sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
  const pools = parts.flatMap(({ poolIds }) => poolIds.filter(isWanted).map((poolId) => ({ poolId })));
  return { pools, parts };
}

/**
 * The objects that hold the lists, under `plans/<plan>/`; those of the parts come first.
 *
 * The pools of a part are not in its item: 2,000 ids of up to 266 characters are 540 KB, and what an execution is given has to stay
 * below 256 KiB.
 * @param plan name of the execution
 */
export function planObjects(plan: string, { pools, parts }: PlanLists): PlanObjects {
  const folder = `plans/${encodeURIComponent(plan)}`;
  const keyOf = (bucket: string) => `${folder}/buckets/${bucket.split('#').map(encodeURIComponent).join('/')}.json`;
  const [poolsKey, bucketsKey] = [`${folder}/pools.json`, `${folder}/buckets.json`];
  return {
    objects: [
      ...parts.map(({ bucket, poolIds }) => ({ key: keyOf(bucket), items: poolIds })),
      { key: poolsKey, items: pools },
      { key: bucketsKey, items: parts.map(({ bucket }) => ({ bucket, poolsKey: keyOf(bucket) })) },
    ],
    answer: {
      pools: { key: poolsKey, count: pools.length },
      buckets: { key: bucketsKey, count: parts.length },
    },
  };
}
