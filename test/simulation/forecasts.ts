/** Forecasts as the real forecaster stores them, from the course of demand that the world knows. */
import type { QuantileLevel } from '../../core/forecast/forecast.ts';
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import { bottleneckUnits } from '../../core/forecast/pool-forecast.ts';
import { unitsBelowThreshold } from '../../core/telemetry/demand.ts';
import type { PlannedPool } from './pool-plan.ts';
import { courseUnits, foreseenUnits } from './pool-plan.ts';
import type { WorldPlan } from './world-plan.ts';

const STEP_SECONDS = 900;
const STEP_MILLIS = STEP_SECONDS * 1_000;
const SLOTS = 64;
/** Forecast of the 95th percentile beside what the course will be: most surges are not foreseen. */
const P95_FACTOR = 1.15;
const THRESHOLD_PERCENT = 80;
const HISTORY_STEPS = 600;
/** Share of what a slot's demand will be, at each level of its forecast. */
const LEVELS: Readonly<Record<QuantileLevel, number>> = {
  '0.025': 0.8,
  '0.1': 0.88,
  '0.25': 0.95,
  '0.5': 1,
  '0.75': 1.05,
  '0.9': 1.1,
  '0.95': P95_FACTOR,
  '0.975': 1.2,
};

function likelihood(demand: number, threshold: number): number {
  return Math.min(0.99, Math.max(0, Math.round(((demand / threshold - 0.7) / 0.4) * 1_000) / 1_000));
}

export function forecastOf(pool: PlannedPool, now: number, plan: WorldPlan): PoolForecast {
  const startMillis = Math.floor(now / STEP_MILLIS) * STEP_MILLIS;
  const demand = Array.from({ length: SLOTS }, (_, slot) => {
    const elapsed = startMillis + slot * STEP_MILLIS - plan.startMillis;
    if (elapsed >= plan.activeMillis) return 0.2;
    const course = Math.max(courseUnits(pool, elapsed), courseUnits(pool, elapsed + STEP_MILLIS));
    return course + foreseenUnits(pool, now - plan.startMillis, elapsed, elapsed + STEP_MILLIS);
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

/** The full forecast and the history of a pool, as `functions/forecast.ts` and `collect.ts` keep them. */
export function keptOf(pool: PlannedPool, now: number, plan: WorldPlan): { forecasts: object; history: object } {
  const { poolId, historyStepSeconds: stepSeconds } = pool.spec;
  const stepMillis = stepSeconds * 1_000;
  const startMillis = Math.floor(now / stepMillis) * stepMillis;
  const unitsAt = (slot: number): number =>
    Math.round(courseUnits(pool, startMillis + slot * stepMillis - plan.startMillis) * 1_000) / 1_000;
  const mean = Array.from({ length: SLOTS }, (_, slot) => {
    const from = startMillis + slot * stepMillis - plan.startMillis;
    return unitsAt(slot) + foreseenUnits(pool, now - plan.startMillis, from, from + stepMillis);
  });
  const quantiles = Object.fromEntries(
    Object.entries(LEVELS).map(([level, share]) => [level, mean.map((units) => units * share)]),
  );
  const of = { poolId, resource: 'cpu', stepSeconds };
  const thresholdUnits = bottleneckUnits(pool.ownedUnits, THRESHOLD_PERCENT);
  const cpu = { ...of, startMillis, mean, quantiles, bottleneck: { thresholdUnits, probability: 0 }, models: [] };
  const firstMillis = startMillis - HISTORY_STEPS * stepMillis;
  const values = Array.from({ length: HISTORY_STEPS }, (_, step) => unitsAt(step - HISTORY_STEPS));
  return {
    forecasts: { forecasts: { cpu: { ...cpu, reasons: [] } }, coverage: {} },
    history: { cpu: { ...of, startMillis: firstMillis, values } },
  };
}
