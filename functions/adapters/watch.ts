import type { Loan } from '../../core/lending/loan.ts';
import type { WatchAction } from '../../core/lending/watch.ts';
import { notWatched, watch } from '../../core/lending/watch.ts';
import type { Pool } from '../../core/pool.ts';
import type { Usual } from '../../core/telemetry/anomaly.ts';
import { usualByForecast, usualByHistory } from '../../core/telemetry/anomaly.ts';
import type { EpochMillis, ResourceType } from '../../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND, RESOURCE_TYPES } from '../../core/units.ts';
import { demandSamples } from './demand.ts';
import { readForecasts } from './forecast-store.ts';
import { readHistory } from './history-store.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { readMetrics } from './telemetry.ts';

/** Metrics arrive late: so many periods more are read than are needed. */
const LATE_PERIODS = 3;

/** What is usual of each resource type: by the newest forecast where it covers this time, else by earlier seasons. */
async function usualOf({ spec }: Pool, at: EpochMillis, bucket: string): Promise<Partial<Record<ResourceType, Usual>>> {
  const rule = spec.watch?.anomaly;
  if (rule === undefined) return {};
  const { forecasts } = await readForecasts(bucket, spec.poolId);
  const usual: Partial<Record<ResourceType, Usual>> = {};
  for (const resource of RESOURCE_TYPES) {
    const forecast = forecasts[resource];
    const byForecast = forecast === undefined ? undefined : usualByForecast(forecast);
    if (byForecast?.(at) !== undefined) usual[resource] = byForecast;
  }
  const missing = RESOURCE_TYPES.filter((type) => spec.resources[type] !== undefined && usual[type] === undefined);
  const [season] = spec.seasonSteps;
  if (missing.length === 0 || season === undefined) return usual;
  const histories = await readHistory(bucket, spec.poolId);
  for (const resource of missing) {
    const history = histories[resource];
    if (history !== undefined) usual[resource] = usualByHistory(history, season, rule.score);
  }
  return usual;
}

/**
 * Looks at what a pool's demand is doing just now: its metrics in one call a page, at the resolution of its alarms. A pool that is not
 * to be watched costs no call.
 * @param openLoans loans of the pool's account as a borrower
 * @param bucket where forecasts and histories are
 */
export async function watchPool(
  pool: Pool,
  openLoans: readonly Loan[],
  at: EpochMillis,
  bucket: string,
  role: RoleInLinkedAccount,
): Promise<WatchAction> {
  const reason = notWatched(pool, openLoans, at);
  if (reason !== undefined) return { action: 'none', reason };
  const { spec } = pool;
  const count = Math.max(spec.watch?.trend?.samples ?? 0, spec.watch?.anomaly?.samples ?? 0) + LATE_PERIODS;
  const from = epochMillis(at - count * spec.alarmPeriodSeconds * MILLIS_PER_SECOND);
  const [series, usual] = await Promise.all([
    readMetrics(spec, from, epochMillis(at + MILLIS_PER_SECOND), spec.alarmPeriodSeconds, role),
    usualOf(pool, at, bucket),
  ]);
  const samples = Object.fromEntries(RESOURCE_TYPES.map((type) => [type, demandSamples(series, type, spec)]));
  return watch({ pool, samples, usual, now: at }, openLoans);
}
