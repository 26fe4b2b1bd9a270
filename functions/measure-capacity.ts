import type { PoolId } from '../core/units.ts';
import { poolsByBucket } from './adapters/account-store.ts';
import { readCapacities } from './adapters/capacities.ts';
import { readEnv } from './adapters/env.ts';
import { recordCapacity } from './adapters/metrics.ts';
import { lambda } from './adapters/middleware.ts';
import { noInputSchema } from './adapters/schemas.ts';

const env = readEnv(
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_LOANS_TABLE',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  'ENTANGLE_PRIORITY_RULES',
);
const tables = {
  accountsTable: env.ENTANGLE_ACCOUNTS_TABLE,
  loansTable: env.ENTANGLE_LOANS_TABLE,
  rules: env.ENTANGLE_PRIORITY_RULES,
};
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };

/** Pools whose items are held in memory at a time: a plan is the largest of them, some kilobytes. */
const POOLS_AT_ONCE = 500;

/** What every pool lends, borrows and could, as metrics. Pools of one bucket are partners of each other, so they are read together. */
export const handler = lambda(noInputSchema, async () => {
  let measured = 0;
  const buckets = [...(await poolsByBucket(env.ENTANGLE_ACCOUNTS_TABLE)).values()];
  for (const bucket of buckets) {
    for (let first = 0; first < bucket.length; first += POOLS_AT_ONCE) {
      const some: PoolId[] = bucket.slice(first, first + POOLS_AT_ONCE);
      for (const capacity of await readCapacities(tables, some, role)) {
        recordCapacity(capacity);
        measured += 1;
      }
    }
  }
  return { measured };
});
