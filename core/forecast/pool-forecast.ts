import type { PoolSpec } from '../pool.ts';
import { unitsBelowThreshold } from '../telemetry/demand.ts';
import type { PoolId, ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, RESOURCE_TYPES } from '../units.ts';
import { anyBottleneck } from './bottleneck.ts';
import type { ForecastCoverage } from './coverage.ts';
import type { Forecast, ForecastModel } from './forecast.ts';

/** Levels at which the need of a pool is kept. */
export const NEED_LEVELS = ['0.5', '0.9', '0.95'] as const;
export type NeedLevel = (typeof NEED_LEVELS)[number];

/** So that a plan with its partners stays far below the 400 KB of one DynamoDB item. */
const MAX_SLOTS = 600;

/** Units that a pool will need, over all of its resource types: compact enough to be stored in one item. */
export interface PoolForecast {
  readonly poolId: PoolId;
  /** Start of the first slot, in milliseconds since the epoch. */
  readonly startMillis: number;
  readonly stepSeconds: number;
  /**
   * Whole units by level and slot: the largest need over the resource types at that level of each. Never below the level of
   * the largest need itself when the types peak together, a little below it when they err independently.
   */
  readonly neededUnits: Readonly<Record<NeedLevel, readonly number[]>>;
  /** The resource type with the largest need at the median over the horizon. */
  readonly bindingResource: ResourceType;
  readonly bottlenecks: Readonly<Partial<Record<ResourceType, PoolBottleneck>>>;
  /** Probability that any resource type reaches its bottleneck within the horizon. */
  readonly bottleneckProbability: number;
  readonly models: Readonly<Partial<Record<ResourceType, readonly ForecastModel[]>>>;
  /** What shaped the forecast of each resource type, in sentences for people. */
  readonly reasons: Readonly<Partial<Record<ResourceType, readonly string[]>>>;
  /** How often demand lay inside earlier forecasts; a resource type without one has not been measured since its first. */
  readonly coverage?: Readonly<Partial<Record<ResourceType, ForecastCoverage>>>;
}

/** The risk that demand of one resource type reaches what the pool can serve without an alarm. */
export interface PoolBottleneck {
  /** Demand in units. */
  readonly thresholdUnits: number;
  /** Probability of reaching it at least once within the horizon. */
  readonly probability: number;
  /** For each slot of the pool's forecast the probability, to three decimals; absent: none is above 0. */
  readonly bySlot?: readonly number[];
}

/** Demand in units at which the alarm of a resource type fires when `units` run. */
export function bottleneckUnits(units: number, thresholdPercent: number): number {
  return (units * thresholdPercent) / 100;
}

interface Measured {
  readonly resource: ResourceType;
  readonly thresholdPercent: number;
  readonly forecast: Forecast;
}

function largestOver(values: readonly number[], mergedSlots: number): number[] {
  const merged: number[] = [];
  for (const [index, value] of values.entries()) {
    const slot = Math.floor(index / mergedSlots);
    merged[slot] = Math.max(merged[slot] ?? 0, value);
  }
  return merged;
}

/** The slots in which every resource type is forecast. */
function commonSlots(measured: readonly Measured[], stepSeconds: number): { startMillis: number; slots: number } {
  const stepMillis = stepSeconds * MILLIS_PER_SECOND;
  const starts = measured.map(({ forecast }) => forecast.startMillis);
  const ends = measured.map(({ forecast }) => forecast.startMillis + forecast.mean.length * stepMillis);
  const startMillis = Math.max(...starts);
  return { startMillis, slots: Math.floor((Math.min(...ends) - startMillis) / stepMillis) };
}

function needBySlot(measured: readonly Measured[], level: NeedLevel, startMillis: number, slots: number): number[] {
  return Array.from({ length: slots }, (_, slot) => {
    let needed = 0;
    for (const { forecast, thresholdPercent } of measured) {
      const skipped = Math.floor((startMillis - forecast.startMillis) / (forecast.stepSeconds * MILLIS_PER_SECOND));
      const demand = forecast.quantiles[level][skipped + slot] ?? 0;
      needed = Math.max(needed, unitsBelowThreshold(demand, thresholdPercent));
    }
    return needed;
  });
}

const PROBABILITY_STEPS = 1_000;

function poolBottleneck(
  { forecast }: Measured,
  startMillis: number,
  slots: number,
  mergedSlots: number,
): PoolBottleneck {
  const { thresholdUnits, probability, bySlot } = forecast.bottleneck;
  const skipped = Math.floor((startMillis - forecast.startMillis) / (forecast.stepSeconds * MILLIS_PER_SECOND));
  const common = largestOver(bySlot.slice(skipped, skipped + slots), mergedSlots);
  const rounded = common.map((value) => Math.round(value * PROBABILITY_STEPS) / PROBABILITY_STEPS);
  const risk = { thresholdUnits, probability };
  return rounded.some((value) => value > 0) ? { ...risk, bySlot: rounded } : risk;
}

function bindingOver(measured: readonly [Measured, ...Measured[]]): ResourceType {
  let binding = measured[0].resource;
  let largest = -1;
  for (const { resource, thresholdPercent, forecast } of measured) {
    const peak = Math.max(...forecast.quantiles['0.5']) / thresholdPercent;
    if (peak > largest) {
      largest = peak;
      binding = resource;
    }
  }
  return binding;
}

/**
 * What a pool needs, from the forecasts of its resource types. Types that the pool does not measure are left out. More than 600
 * slots are merged, each merged slot keeping the largest need and the largest probability in it.
 * @param coverage of earlier forecasts, by resource type
 * @throws RangeError when no forecast is of a measured type, when their steps differ, or when they have no slot in common
 */
export function poolForecast(
  forecasts: Readonly<Partial<Record<ResourceType, Forecast>>>,
  spec: Pick<PoolSpec, 'poolId' | 'resources'>,
  coverage: PoolForecast['coverage'] = {},
): PoolForecast {
  const measured = RESOURCE_TYPES.flatMap((resource): Measured[] => {
    const forecast = forecasts[resource];
    const metric = spec.resources[resource];
    if (forecast === undefined || metric === undefined) return [];
    return [{ resource, thresholdPercent: metric.thresholdPercent, forecast }];
  });
  const [first, ...others] = measured;
  if (first === undefined)
    throw new RangeError(`forecasts of ${spec.poolId}: expected at least one measured resource type`);
  const { stepSeconds } = first.forecast;
  const differing = others.find(({ forecast }) => forecast.stepSeconds !== stepSeconds);
  if (differing !== undefined) {
    throw new RangeError(
      `forecast of ${differing.resource} in ${spec.poolId} has a step of ${differing.forecast.stepSeconds} s: expected ${stepSeconds} s as of ${first.resource}`,
    );
  }
  const { startMillis, slots } = commonSlots(measured, stepSeconds);
  if (slots < 1)
    throw new RangeError(`forecasts of ${spec.poolId} have no slot in common: expected overlapping horizons`);
  const mergedSlots = Math.ceil(slots / MAX_SLOTS);
  const at = (level: NeedLevel) => largestOver(needBySlot(measured, level, startMillis, slots), mergedSlots);
  return {
    poolId: spec.poolId,
    startMillis,
    stepSeconds: stepSeconds * mergedSlots,
    neededUnits: { '0.5': at('0.5'), '0.9': at('0.9'), '0.95': at('0.95') },
    bindingResource: bindingOver([first, ...others]),
    bottlenecks: Object.fromEntries(
      measured.map((each) => [each.resource, poolBottleneck(each, startMillis, slots, mergedSlots)]),
    ),
    bottleneckProbability: anyBottleneck(measured.map(({ forecast }) => forecast.bottleneck)),
    models: Object.fromEntries(measured.map(({ resource, forecast }) => [resource, forecast.models])),
    reasons: Object.fromEntries(measured.map(({ resource, forecast }) => [resource, forecast.reasons])),
    ...(Object.keys(coverage).length === 0 ? {} : { coverage }),
  };
}

/** End of the last slot, in milliseconds since the epoch. */
export function forecastEndMillis(forecast: PoolForecast): number {
  return forecast.startMillis + forecast.neededUnits['0.5'].length * forecast.stepSeconds * MILLIS_PER_SECOND;
}

/** The largest need at a level between two moments; undefined unless the forecast covers all of that time. */
export function neededUnitsOver(
  forecast: PoolForecast,
  level: NeedLevel,
  fromMillis: number,
  toMillis: number,
): number | undefined {
  if (fromMillis < forecast.startMillis || toMillis > forecastEndMillis(forecast) || toMillis < fromMillis)
    return undefined;
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const needed = forecast.neededUnits[level];
  const firstSlot = Math.floor((fromMillis - forecast.startMillis) / stepMillis);
  const endSlot = Math.max(firstSlot + 1, Math.ceil((toMillis - forecast.startMillis) / stepMillis));
  const within = needed.slice(firstSlot, endSlot);
  return within.length === 0 ? undefined : Math.max(...within);
}
