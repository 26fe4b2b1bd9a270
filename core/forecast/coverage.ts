import type { DemandHistory } from '../telemetry/history.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { Forecast, QuantileLevel } from './forecast.ts';

/** How often demand lay inside the intervals that had been forecast for it. */
export interface ForecastCoverage {
  /** Share, 0 to 1, of the slots whose demand lay inside the 80 % interval; recent slots count more. */
  readonly level80: number;
  /** The same for the 95 % interval. */
  readonly level95: number;
  /** Slots compared so far. */
  readonly slots: number;
  /** End of the last slot that was compared, in milliseconds since the epoch: each counts once. */
  readonly untilMillis: number;
}

interface Compared {
  readonly inside80: boolean;
  readonly inside95: boolean;
  readonly endMillis: number;
}

/** The part of a history that a comparison needs. */
export type MeasuredDemand = Pick<DemandHistory, 'startMillis' | 'stepSeconds' | 'values'>;

function within(forecast: Forecast, slot: number, value: number, lower: QuantileLevel, upper: QuantileLevel): boolean {
  const lowest = forecast.quantiles[lower][slot] ?? Number.NaN;
  const highest = forecast.quantiles[upper][slot] ?? Number.NaN;
  return value >= lowest && value <= highest;
}

/** Each slot that was both forecast and measured, oldest first; none when the two have different steps. */
function comparedSlots(forecast: Forecast, measured: MeasuredDemand, fromMillis: number): Compared[] {
  if (forecast.stepSeconds !== measured.stepSeconds) return [];
  const stepMillis = measured.stepSeconds * MILLIS_PER_SECOND;
  const compared: Compared[] = [];
  for (const [slot] of forecast.mean.entries()) {
    const startMillis = forecast.startMillis + slot * stepMillis;
    const value = measured.values[Math.round((startMillis - measured.startMillis) / stepMillis)];
    if (value === undefined || value === null || startMillis < fromMillis) continue;
    compared.push({
      inside80: within(forecast, slot, value, '0.1', '0.9'),
      inside95: within(forecast, slot, value, '0.025', '0.975'),
      endMillis: startMillis + stepMillis,
    });
  }
  return compared;
}

/**
 * Coverage with the slots that were measured since: their mean at first, later an exponentially weighted mean over about
 * `memorySlots` slots. Comparing the same slots again changes nothing.
 * @param forecast what had been forecast before the slots were measured
 * @returns undefined while no forecast slot has been measured
 */
export function updateCoverage(
  previous: ForecastCoverage | undefined,
  forecast: Forecast,
  history: MeasuredDemand,
  memorySlots: number,
): ForecastCoverage | undefined {
  let coverage = previous;
  const from = previous?.untilMillis ?? Number.NEGATIVE_INFINITY;
  for (const { inside80, inside95, endMillis } of comparedSlots(forecast, history, from)) {
    const slots = (coverage?.slots ?? 0) + 1;
    const share = Math.max(1 / slots, 1 / Math.max(1, memorySlots));
    const mixed = (before: number, inside: boolean): number => before + share * ((inside ? 1 : 0) - before);
    coverage = {
      level80: mixed(coverage?.level80 ?? 0, inside80),
      level95: mixed(coverage?.level95 ?? 0, inside95),
      slots,
      untilMillis: endMillis,
    };
  }
  return coverage;
}

export interface Drift {
  /** Demand has left the forecast: most of the last slots lie outside its 95 % interval. */
  readonly drifted: boolean;
  readonly outsideSlots: number;
  readonly comparedSlots: number;
}

/** Fewer slots since the forecast was made say too little. */
const MIN_SLOTS = 6;
/** Slots of measured demand that `driftOf` looks back over. */
export const DRIFT_SLOTS = 12;

/** Whether demand has left its forecast: more than half of the last 12 slots, of at least 6, outside of the 95 % interval. */
export function driftOf(forecast: Forecast, measured: MeasuredDemand): Drift {
  const last = comparedSlots(forecast, measured, Number.NEGATIVE_INFINITY).slice(-DRIFT_SLOTS);
  const outside = last.filter(({ inside95 }) => !inside95).length;
  return {
    drifted: last.length >= MIN_SLOTS && 2 * outside > last.length,
    outsideSlots: outside,
    comparedSlots: last.length,
  };
}
