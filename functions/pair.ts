import type { PoolForecast } from '../core/forecast/pool-forecast.ts';
import { pairPools } from '../core/pairing/pair.ts';
import { poolIdParts } from '../core/units.ts';
import { readAccountItems, writePlan } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { consentKey, forecastKey, poolKey, usageKey } from './adapters/keys.ts';
import { lambda } from './adapters/middleware.ts';
import { bucketInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE');
const MAX_PARTNERS = 3;

/** Pairs the pools of one bucket and writes each pool's plan: its forecast, its partners with their reasons, and the refused ones with theirs. */
export const handler = lambda(bucketInputSchema, async ({ bucket, poolIds }) => {
  const accounts = [...new Set(poolIds.map((id) => poolIdParts(id).accountId))];
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    ...poolIds.flatMap((id) => [poolKey(id), forecastKey(id)]),
    ...accounts.flatMap((account) => [consentKey(account), usageKey(account)]),
  ]);
  const forecasts: Record<string, PoolForecast> = {};
  for (const id of poolIds) {
    const forecast = items.forecast(id);
    if (forecast !== undefined) forecasts[id] = forecast;
  }
  const plans = pairPools({
    pools: poolIds.flatMap((id) => items.pool(id) ?? []),
    forecasts,
    consents: Object.fromEntries(
      accounts.map((account) => {
        const consent = items.consent(account);
        return [account, { usage: items.usage(account), ...(consent === undefined ? {} : { consent }) }];
      }),
    ),
    now: now(),
    maxPartners: MAX_PARTNERS,
  });
  for (const plan of plans) await writePlan(env.ENTANGLE_ACCOUNTS_TABLE, plan);
  return {
    bucket,
    pools: plans.length,
    pairings: plans.reduce((sum, plan) => sum + plan.partners.length, 0),
    refused: plans.reduce((sum, plan) => sum + plan.refused.length, 0),
  };
});
