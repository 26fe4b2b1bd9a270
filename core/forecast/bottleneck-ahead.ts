import type { ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, RESOURCE_TYPES } from '../units.ts';
import type { NeedLevel, PoolBottleneck, PoolForecast } from './pool-forecast.ts';

/** The bottleneck that is most likely within some time of a pool's forecast. */
export interface BottleneckAhead {
  readonly resource: ResourceType;
  /** Demand in units that counts as a bottleneck. */
  readonly thresholdUnits: number;
  /** Probability that demand reaches it at least once within that time. */
  readonly probability: number;
  /** Start of the likeliest slot within that time, in milliseconds since the epoch. */
  readonly slotMillis: number;
}

/** Keeps logarithms of what is left finite. */
const ALMOST_CERTAIN = 1 - 1e-6;

/** Slots of a forecast from `first` to before `end`. */
export interface Slots {
  readonly first: number;
  readonly end: number;
}

function slotsBetween(forecast: PoolForecast, fromMillis: number, toMillis: number): Slots {
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const total = forecast.neededUnits['0.5'].length;
  return {
    first: Math.max(0, Math.floor((fromMillis - forecast.startMillis) / stepMillis)),
    end: Math.min(total, Math.ceil((toMillis - forecast.startMillis) / stepMillis)),
  };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/**
 * Probability that a bottleneck occurs at least once within some slots. Slots next to each other err together, so that they
 * count for fewer than they are; for how few is told by the horizon as a whole, whose probability is known from whole courses.
 * Never below the likeliest of the slots, never above the whole horizon unless that is.
 * Source: Leadbetter 1983, Extremes and local dependence in stationary sequences, Z. Wahrscheinlichkeitstheorie 65 (the
 * extremal index).
 */
export function probabilityWithin({ probability, bySlot = [] }: PoolBottleneck, { first, end }: Slots): number {
  const within = bySlot.slice(first, end);
  const likeliest = Math.max(0, ...within);
  if (likeliest === 0 || likeliest >= probability) return likeliest;
  const top = Math.min(probability, ALMOST_CERTAIN);
  const none = (slots: readonly number[]): number => sumOf(slots.map((each) => Math.log1p(-Math.min(each, top))));
  const index = Math.min(1, Math.log1p(-top) / none(bySlot));
  return Math.max(likeliest, Math.min(probability, -Math.expm1(index * none(within))));
}

function likeliestSlot(bySlot: readonly number[], { first, end }: Slots): number {
  let best = first;
  for (let slot = first; slot < end; slot += 1) if ((bySlot[slot] ?? 0) > (bySlot[best] ?? 0)) best = slot;
  return best;
}

/**
 * The resource type most likely to reach its bottleneck between two moments; the pool as a whole is at least as likely to.
 * @returns undefined when the forecast says nothing of that time, or nothing is likely at all
 */
export function bottleneckAhead(
  forecast: PoolForecast,
  fromMillis: number,
  toMillis: number,
): BottleneckAhead | undefined {
  const slots = slotsBetween(forecast, fromMillis, toMillis);
  let ahead: BottleneckAhead | undefined;
  for (const resource of RESOURCE_TYPES) {
    const bottleneck = forecast.bottlenecks[resource];
    if (bottleneck === undefined) continue;
    const probability = probabilityWithin(bottleneck, slots);
    if (probability <= (ahead?.probability ?? 0)) continue;
    const slot = likeliestSlot(bottleneck.bySlot ?? [], slots);
    const slotMillis = forecast.startMillis + slot * forecast.stepSeconds * MILLIS_PER_SECOND;
    ahead = { resource, thresholdUnits: bottleneck.thresholdUnits, probability, slotMillis };
  }
  return ahead;
}

/** The most that is needed in some time, and when. */
export interface NeedPeak {
  readonly neededUnits: number;
  /** Start and end of the slot, in milliseconds since the epoch; of several alike the last. */
  readonly startMillis: number;
  readonly endMillis: number;
}

/**
 * The largest need at a level from one moment on: within `toMillis`, and beyond it for as long as need stays above
 * `aboveUnits`, to `atMostMillis`. So a need that begins within the time looked ahead is met up to its peak.
 * @returns undefined when the forecast says nothing of that time
 */
export function peakNeed(
  forecast: PoolForecast,
  level: NeedLevel,
  time: { readonly fromMillis: number; readonly toMillis: number; readonly atMostMillis: number },
  aboveUnits: number,
): NeedPeak | undefined {
  const needed = forecast.neededUnits[level];
  const { first, end } = slotsBetween(forecast, time.fromMillis, time.toMillis);
  const last = slotsBetween(forecast, time.fromMillis, Math.max(time.toMillis, time.atMostMillis)).end;
  let peak: number | undefined;
  for (let slot = first; slot < last; slot += 1) {
    const units = needed[slot] ?? 0;
    if (slot >= end && units <= aboveUnits) break;
    if (peak === undefined || units >= (needed[peak] ?? 0)) peak = slot;
  }
  if (peak === undefined) return undefined;
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const startMillis = forecast.startMillis + peak * stepMillis;
  return { neededUnits: needed[peak] ?? 0, startMillis, endMillis: startMillis + stepMillis };
}
