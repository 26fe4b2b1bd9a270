import type { ForecastCoverage } from '../core/forecast/coverage.ts';
import { updateCoverage } from '../core/forecast/coverage.ts';
import type { Forecast } from '../core/forecast/forecast.ts';
import type { ForecastRequest } from '../core/forecast/forecaster.ts';
import { createForecaster } from '../core/forecast/forecaster.ts';
import { bottleneckUnits, poolForecast } from '../core/forecast/pool-forecast.ts';
import type { PoolSpec } from '../core/pool.ts';
import type { DemandHistory } from '../core/telemetry/history.ts';
import { valuesAtStepsOf } from '../core/telemetry/history.ts';
import type { ResourceType } from '../core/units.ts';
import { RESOURCE_TYPES } from '../core/units.ts';
import { loadMembers } from '../models/members.ts';
import { withinSeconds } from '../models/time-limit.ts';
import { readAccountItems, writeForecast } from './adapters/account-store.ts';
import { readEnv } from './adapters/env.ts';
import type { StoredForecasts } from './adapters/forecast-store.ts';
import { readForecasts, writeForecasts } from './adapters/forecast-store.ts';
import type { PoolHistory } from './adapters/history-store.ts';
import { readHistory } from './adapters/history-store.ts';
import { eventsKey, poolKey } from './adapters/keys.ts';
import { countFailedModel } from './adapters/metrics.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { poolInputSchema } from './adapters/schemas.ts';

const env = readEnv('ENTANGLE_ACCOUNTS_TABLE', 'ENTANGLE_HISTORY_BUCKET');

/** A resource type is forecast by all models at once; four of them in turn stay below the function's own limit. */
const MODEL_SECONDS = 45;

// Libraries and weights are loaded once for each execution environment, before its first event.
const { members } = await loadMembers();
const forecaster = createForecaster(members, { withinTime: withinSeconds(MODEL_SECONDS) });

const SECONDS_PER_DAY = 86_400;
const HORIZON_SECONDS = 2 * SECONDS_PER_DAY;
const HORIZON_SEASONS = 2;

/** Two days ahead; of a pool whose season is not a day, two of its shortest seasons. */
function horizonSteps(spec: PoolSpec): number {
  const season = spec.seasonSteps[0];
  return season === undefined ? Math.ceil(HORIZON_SECONDS / spec.historyStepSeconds) : HORIZON_SEASONS * season;
}

/** Coverage is remembered over about so many of the pool's shortest seasons. */
const COVERAGE_SEASONS = 7;

function coverageSlots(spec: PoolSpec): number {
  return COVERAGE_SEASONS * (spec.seasonSteps[0] ?? Math.ceil(SECONDS_PER_DAY / spec.historyStepSeconds));
}

/** How earlier forecasts turned out, with what has been measured since the last one; undefined when nothing has been. */
function coverageOf(before: StoredForecasts, known: DemandHistory, spec: PoolSpec): ForecastCoverage | undefined {
  const { [known.resource]: earlier } = before.forecasts;
  const { [known.resource]: held } = before.coverage;
  return earlier === undefined ? held : updateCoverage(held, earlier, known, coverageSlots(spec));
}

/** The application's metrics at the steps of a history. */
function regressorsOf(known: DemandHistory, { regressors = {} }: PoolHistory): Pick<ForecastRequest, 'regressors'> {
  const names = Object.entries(regressors);
  if (names.length === 0) return {};
  return { regressors: Object.fromEntries(names.map(([name, series]) => [name, valuesAtStepsOf(known, series)])) };
}

function countFailures({ poolId, resource, models }: Forecast): void {
  for (const { name, failed } of models) {
    if (failed === undefined) continue;
    logger.warn('a model left the forecast', { poolId, resource, model: name, reason: failed });
    countFailedModel(name);
  }
}

/** Forecasts one pool: each resource type that has a history, then the units that the pool needs over all of them. */
export const handler = lambda(poolInputSchema, async ({ poolId }) => {
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [poolKey(poolId), eventsKey(poolId)]);
  const pool = items.pool(poolId);
  if (pool === undefined) throw new Error(`pool ${poolId} is not enrolled`);
  const [history, before] = await Promise.all([
    readHistory(env.ENTANGLE_HISTORY_BUCKET, poolId),
    readForecasts(env.ENTANGLE_HISTORY_BUCKET, poolId),
  ]);
  const events = items.events(poolId);
  const forecasts: Partial<Record<ResourceType, Forecast>> = {};
  const coverages: Partial<Record<ResourceType, ForecastCoverage>> = {};
  for (const type of RESOURCE_TYPES) {
    const known = history[type];
    const metric = pool.spec.resources[type];
    if (known === undefined || metric === undefined || known.values.every((value) => value === null)) continue;
    const coverage = coverageOf(before, known, pool.spec);
    const request: ForecastRequest = {
      horizonSteps: horizonSteps(pool.spec),
      seasonSteps: pool.spec.seasonSteps,
      thresholdUnits: bottleneckUnits(pool.ownedUnits, metric.thresholdPercent),
      ...regressorsOf(known, history),
      ...(events.length === 0 ? {} : { events }),
      ...(coverage === undefined ? {} : { coverage }),
    };
    const { bottleneckAt: _, ...made } = await forecaster.forecast(known, request);
    countFailures(made);
    if (coverage !== undefined) coverages[type] = coverage;
    forecasts[type] = made;
  }
  const needed = poolForecast(forecasts, pool.spec, coverages);
  await writeForecasts(env.ENTANGLE_HISTORY_BUCKET, poolId, { forecasts, coverage: coverages });
  await writeForecast(env.ENTANGLE_ACCOUNTS_TABLE, poolId, needed);
  return { poolId, bindingResource: needed.bindingResource };
});
