import { poolsByBucket } from './adapters/account-store.ts';
import { readEnv } from './adapters/env.ts';
import { lambda } from './adapters/middleware.ts';
import { noInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE');

/** The enrolled pools to plan for, and the buckets within which they can be compatible. */
export const handler = lambda(noInputSchema, async () => {
  const buckets = [...(await poolsByBucket(env.ENTANGLE_ACCOUNTS_TABLE))].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    pools: buckets.flatMap(([, poolIds]) => poolIds.map((poolId) => ({ poolId }))),
    buckets: buckets.map(([bucket, poolIds]) => ({ bucket, poolIds })),
  };
});
