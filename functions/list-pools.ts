import { planLists, planObjects } from '../core/pairing/plan-lists.ts';
import { poolsByBucket } from './adapters/account-store.ts';
import { readEnv } from './adapters/env.ts';
import { lambda } from './adapters/middleware.ts';
import { writePlanObjects } from './adapters/plan-store.ts';
import { planInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE', 'ENTANGLE_HISTORY_BUCKET');

/**
 * Writes the enrolled pools to plan for, and the buckets within which they can be compatible, to S3: all of them, or the named pools
 * and the whole parts that they are in. Answers where the lists are, for the Maps, which read their items from there themselves.
 */
export const handler = lambda(planInputSchema, async ({ plan, poolIds: named }) => {
  const lists = planLists(await poolsByBucket(env.ENTANGLE_ACCOUNTS_TABLE), named);
  const { objects, answer } = planObjects(plan, lists);
  await writePlanObjects(env.ENTANGLE_HISTORY_BUCKET, objects);
  return { storedIn: env.ENTANGLE_HISTORY_BUCKET, ...answer };
});
