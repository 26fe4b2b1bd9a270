import type { MeasuredPool, Predictions } from '../core/pairing/verdicts.ts';
import { isJudgeable, judged, sinceOnly, verdictOf } from '../core/pairing/verdicts.ts';
import type { PoolId } from '../core/units.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { readHistory } from './adapters/history-store.ts';
import { poolKey } from './adapters/keys.ts';
import { inLanes } from './adapters/lanes.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { readPredictions, readReliability, writeReliability } from './adapters/reliability-store.ts';
import { bucketInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE', 'ENTANGLE_HISTORY_BUCKET');

/** What was measured of every pool of the predictions since the plan; a pool that is enrolled no more is left out. */
async function measured({ pairs, from, until }: Predictions): Promise<Map<PoolId, MeasuredPool>> {
  const poolIds = [...new Set(pairs.flatMap(({ lenderPoolId, borrowerPoolId }) => [lenderPoolId, borrowerPoolId]))];
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, poolIds.map(poolKey));
  const found = new Map<PoolId, MeasuredPool>();
  await inLanes(poolIds, async (id) => {
    const spec = items.pool(id)?.spec;
    if (spec === undefined) return;
    // Weeks are stored; of thousands of pools, only what is judged by is kept in memory.
    found.set(id, sinceOnly({ spec, history: await readHistory(env.ENTANGLE_HISTORY_BUCKET, id) }, from, until));
  });
  return found;
}

/**
 * Judges what an earlier plan expected of the pairings of one bucket on its first day, by what was measured on that day: once, when
 * the day has passed. Run again, or by two plans at once, it counts nothing twice.
 */
export const handler = lambda(bucketInputSchema, async ({ bucket }) => {
  const before = await readReliability(env.ENTANGLE_ACCOUNTS_TABLE, bucket);
  const { pending } = before;
  if (pending === undefined || !isJudgeable(before, now())) return { bucket, verdicts: 0 };
  const kept = await readPredictions(env.ENTANGLE_HISTORY_BUCKET, bucket);
  // Another plan has put its own there and lost the race for the item: nobody knows which is which, and neither is judged.
  const predictions = kept?.from === pending.from ? kept : { ...pending, pairs: [] };
  const pools = await measured(predictions);
  const verdicts = predictions.pairs.flatMap((pair) => {
    const [lender, borrower] = [pools.get(pair.lenderPoolId), pools.get(pair.borrowerPoolId)];
    return lender === undefined || borrower === undefined ? [] : (verdictOf(pair, lender, borrower) ?? []);
  });
  const after = judged(before, verdicts, pending.until);
  const isWritten = await writeReliability(env.ENTANGLE_ACCOUNTS_TABLE, bucket, after);
  if (!isWritten) logger.info('another run has judged the same day', { bucket });
  return { bucket, verdicts: isWritten ? verdicts.length : 0 };
});
