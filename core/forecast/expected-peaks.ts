import type { ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, RESOURCE_TYPES } from '../units.ts';
import type { PoolForecast } from './pool-forecast.ts';

/** A slot in which a pool is expected to need more than around it. */
export interface ExpectedPeak {
  /** Start and end of the slot, in milliseconds since the epoch. */
  readonly startMillis: number;
  readonly endMillis: number;
  /** Units needed at the median and at P90. */
  readonly neededUnits: { readonly '0.5': number; readonly '0.9': number };
  /** Probability of a bottleneck of the likeliest resource type in the slot. */
  readonly probability: number;
  /** The type that is likeliest to reach its bottleneck in the slot; where none is likely, the one that needs the most. */
  readonly resource: ResourceType;
}

/** Peaks are at least so large a share of the forecast apart: a forecast spans two seasons. */
const APART_SHARE = 0.25;

function peakAt(forecast: PoolForecast, slot: number): ExpectedPeak {
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const startMillis = forecast.startMillis + slot * stepMillis;
  let resource = forecast.bindingResource;
  let probability = 0;
  for (const type of RESOURCE_TYPES) {
    const risk = forecast.bottlenecks[type]?.bySlot?.[slot] ?? 0;
    if (risk <= probability) continue;
    probability = risk;
    resource = type;
  }
  const at = (level: '0.5' | '0.9') => forecast.neededUnits[level][slot] ?? 0;
  const neededUnits = { '0.5': at('0.5'), '0.9': at('0.9') };
  return { startMillis, endMillis: startMillis + stepMillis, neededUnits, probability, resource };
}

/**
 * The slots in which the most is needed at P90, the earliest first; of slots that need alike the one with the higher median, then
 * the earlier. A forecast that is the same in every slot has one.
 */
export function expectedPeaks(forecast: PoolForecast, atMost: number): ExpectedPeak[] {
  const { '0.5': median, '0.9': high } = forecast.neededUnits;
  const apart = Math.max(1, Math.floor(high.length * APART_SHARE));
  const lowest = Math.min(...high);
  const largestFirst = high
    .map((_, slot) => slot)
    .sort((a, b) => (high[b] ?? 0) - (high[a] ?? 0) || (median[b] ?? 0) - (median[a] ?? 0) || a - b);
  const peaks: number[] = [];
  for (const slot of largestFirst) {
    if (peaks.length >= atMost) break;
    if (peaks.length > 0 && high[slot] === lowest) break;
    if (peaks.every((peak) => Math.abs(peak - slot) >= apart)) peaks.push(slot);
  }
  return peaks.sort((a, b) => a - b).map((slot) => peakAt(forecast, slot));
}
