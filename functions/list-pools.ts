import { partsOf } from '../core/pairing/parts.ts';
import type { PoolId } from '../core/units.ts';
import { poolsByBucket } from './adapters/account-store.ts';
import { readEnv } from './adapters/env.ts';
import { lambda } from './adapters/middleware.ts';
import { planInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE');

/**
 * The enrolled pools to plan for, and the buckets within which they can be compatible, or parts of those that have too many pools:
 * all of them, or the named pools and the whole parts that they are in.
 */
export const handler = lambda(planInputSchema, async ({ poolIds: named }) => {
  const wanted = named === undefined ? undefined : new Set(named);
  const isWanted = (poolId: PoolId): boolean => wanted === undefined || wanted.has(poolId);
  const parts = [...(await poolsByBucket(env.ENTANGLE_ACCOUNTS_TABLE))]
    .flatMap(([bucket, poolIds]) => partsOf(bucket, poolIds))
    .filter(({ poolIds }) => poolIds.some(isWanted))
    .sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
  return {
    buckets: parts,
    // All pools stand in the buckets already: the answer of a step has to stay below 256 KiB.
    ...(wanted === undefined ? {} : { poolIds: parts.flatMap(({ poolIds }) => poolIds.filter(isWanted)) }),
  };
});
