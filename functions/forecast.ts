import type { Forecast } from '../core/forecast/forecast.ts';
import { bottleneckUnits, poolForecast } from '../core/forecast/pool-forecast.ts';
import { forecast } from '../core/forecast/seasonal-naive.ts';
import type { PoolSpec } from '../core/pool.ts';
import type { ResourceType } from '../core/units.ts';
import { RESOURCE_TYPES } from '../core/units.ts';
import { readAccountItems, writeForecast } from './adapters/account-store.ts';
import { readEnv } from './adapters/env.ts';
import { readHistory } from './adapters/history-store.ts';
import { poolKey } from './adapters/keys.ts';
import { lambda } from './adapters/middleware.ts';
import { poolInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE', 'ENTANGLE_HISTORY_BUCKET');

const HORIZON_SECONDS = 172_800;
const HORIZON_SEASONS = 2;

/** Two days ahead; of a pool whose season is not a day, two of its shortest seasons. */
function horizonSteps(spec: PoolSpec): number {
  const season = spec.seasonSteps[0];
  return season === undefined ? Math.ceil(HORIZON_SECONDS / spec.historyStepSeconds) : HORIZON_SEASONS * season;
}

/** Forecasts one pool: each resource type that has a history, then the units that the pool needs over all of them. */
export const handler = lambda(poolInputSchema, async ({ poolId }) => {
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [poolKey(poolId)]);
  const pool = items.pool(poolId);
  if (pool === undefined) throw new Error(`pool ${poolId} is not enrolled`);
  const history = await readHistory(env.ENTANGLE_HISTORY_BUCKET, poolId);
  const forecasts: Partial<Record<ResourceType, Forecast>> = {};
  for (const type of RESOURCE_TYPES) {
    const known = history[type];
    const metric = pool.spec.resources[type];
    if (known === undefined || metric === undefined || known.values.every((value) => value === null)) continue;
    forecasts[type] = forecast(known, {
      horizonSteps: horizonSteps(pool.spec),
      seasonSteps: pool.spec.seasonSteps,
      thresholdUnits: bottleneckUnits(pool.ownedUnits, metric.thresholdPercent),
    });
  }
  const needed = poolForecast(forecasts, pool.spec);
  await writeForecast(env.ENTANGLE_ACCOUNTS_TABLE, poolId, needed);
  return { poolId, bindingResource: needed.bindingResource, bottlenecks: needed.bottlenecks };
});
