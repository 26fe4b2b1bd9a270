import type { PoolId } from '../core/units.ts';
import { poolsByBucket } from './adapters/account-store.ts';
import { readEnv } from './adapters/env.ts';
import { lambda } from './adapters/middleware.ts';
import { planInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE');

/**
 * The enrolled pools to plan for, and the buckets within which they can be compatible: all of them, or the named pools and the
 * whole buckets that they are in.
 */
export const handler = lambda(planInputSchema, async ({ poolIds: wanted }) => {
  const isWanted = (poolId: PoolId): boolean => wanted === undefined || wanted.includes(poolId);
  const buckets = [...(await poolsByBucket(env.ENTANGLE_ACCOUNTS_TABLE))]
    .filter(([, poolIds]) => poolIds.some(isWanted))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    pools: buckets.flatMap(([, poolIds]) => poolIds.filter(isWanted).map((poolId) => ({ poolId }))),
    buckets: buckets.map(([bucket, poolIds]) => ({ bucket, poolIds })),
  };
});
