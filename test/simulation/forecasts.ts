/** Forecasts as the real forecaster stores them, from the course of demand that the world knows. */
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import { bottleneckUnits } from '../../core/forecast/pool-forecast.ts';
import { unitsBelowThreshold } from '../../core/telemetry/demand.ts';
import type { PlannedPool, WorldPlan } from './world-plan.ts';
import { courseUnits } from './world-plan.ts';

const STEP_SECONDS = 900;
const STEP_MILLIS = STEP_SECONDS * 1_000;
const SLOTS = 64;
/** Forecast of the 95th percentile beside what the course will be: surges are not foreseen. */
const P95_FACTOR = 1.15;
const THRESHOLD_PERCENT = 80;

function likelihood(demand: number, threshold: number): number {
  return Math.min(0.99, Math.max(0, Math.round(((demand / threshold - 0.7) / 0.4) * 1_000) / 1_000));
}

export function forecastOf(pool: PlannedPool, now: number, plan: WorldPlan): PoolForecast {
  const startMillis = Math.floor(now / STEP_MILLIS) * STEP_MILLIS;
  const demand = Array.from({ length: SLOTS }, (_, slot) => {
    const elapsed = startMillis + slot * STEP_MILLIS - plan.startMillis;
    return elapsed >= plan.activeMillis
      ? 0.2
      : Math.max(courseUnits(pool, elapsed), courseUnits(pool, elapsed + STEP_MILLIS));
  });
  const need = (factor: number): number[] =>
    demand.map((units) => unitsBelowThreshold(units * factor, THRESHOLD_PERCENT));
  const thresholdUnits = bottleneckUnits(pool.ownedUnits, THRESHOLD_PERCENT);
  const bySlot = demand.map((units) => likelihood(units, thresholdUnits));
  const probability = Math.max(0, ...bySlot);
  return {
    poolId: pool.spec.poolId,
    startMillis,
    stepSeconds: STEP_SECONDS,
    neededUnits: { '0.5': need(1), '0.9': need(1.1), '0.95': need(P95_FACTOR) },
    bindingResource: 'cpu',
    bottlenecks: {
      cpu: { thresholdUnits, probability, ...(probability > 0 ? { bySlot } : {}) },
    },
    bottleneckProbability: probability,
    models: {},
    reasons: {},
  };
}
