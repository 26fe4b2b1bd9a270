import type { PoolForecast } from '../forecast/pool-forecast.ts';
import { forecastEndMillis } from '../forecast/pool-forecast.ts';
import type { EpochMillis } from '../units.ts';
import { MILLIS_PER_HOUR, MILLIS_PER_SECOND } from '../units.ts';

/** A forecast, with what makes the outlook of a pairing finer where it is known. */
export type PairingForecast = PoolForecast & {
  /** P10 of need by slot; absent: as far below the median as P90 is above it. */
  readonly lowNeededUnits?: readonly number[];
  /** Courses that need may take, each as likely as any other, drawn for this pool alone: units by slot. */
  readonly courses?: readonly (readonly number[])[];
};

/** Slots of equal length that are still to come. */
export interface Grid {
  readonly startMillis: number;
  readonly stepMillis: number;
  readonly slots: number;
}

/** The slots of a forecast that end after `now`; none without a forecast. */
export function comingSlots(forecast: PoolForecast | undefined, now: EpochMillis): Grid {
  if (forecast === undefined) return { startMillis: 0, stepMillis: 1, slots: 0 };
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const passed = Math.max(0, Math.floor((now - forecast.startMillis) / stepMillis));
  const startMillis = forecast.startMillis + passed * stepMillis;
  return { startMillis, stepMillis, slots: Math.max(0, (forecastEndMillis(forecast) - startMillis) / stepMillis) };
}

export function slotHours(grid: Grid): number {
  return grid.stepMillis / MILLIS_PER_HOUR;
}

/**
 * Values of a forecast by slot of a grid: the largest of the forecast's slots that overlap it; NaN where it says nothing of a part.
 */
export function onGrid(values: readonly number[], forecast: PoolForecast, grid: Grid): Float64Array {
  const stepMillis = forecast.stepSeconds * MILLIS_PER_SECOND;
  const behind = (grid.startMillis - forecast.startMillis) / stepMillis;
  if (stepMillis === grid.stepMillis && Number.isInteger(behind) && behind >= 0) {
    const own = new Float64Array(grid.slots);
    for (let slot = 0; slot < grid.slots; slot += 1) own[slot] = values[behind + slot] ?? Number.NaN;
    return own;
  }
  return Float64Array.from({ length: grid.slots }, (_, slot) => {
    const fromStart = grid.startMillis + slot * grid.stepMillis - forecast.startMillis;
    const first = Math.floor(fromStart / stepMillis);
    const last = Math.ceil((fromStart + grid.stepMillis) / stepMillis) - 1;
    let largest = Number.NEGATIVE_INFINITY;
    for (let index = first; index <= last; index += 1) {
      const value = values[index] ?? Number.NaN;
      if (Number.isNaN(value)) return Number.NaN;
      largest = Math.max(largest, value);
    }
    return largest;
  });
}
