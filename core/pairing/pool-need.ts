import type { Grid, PairingForecast } from './grid.ts';
import { onGrid } from './grid.ts';

/** Need by slot of a grid, NaN where nothing is forecast, with its highest slot; without any need 0 units in the first slot. */
export interface NeedCurve {
  readonly units: Float64Array;
  readonly peakUnits: number;
  readonly peakSlot: number;
}

function curveOf(units: Float64Array): NeedCurve {
  let [peakUnits, peakSlot] = [0, 0];
  for (let slot = 0; slot < units.length; slot += 1) {
    const need = units[slot] as number;
    if (need > peakUnits) {
      peakUnits = need;
      peakSlot = slot;
    }
  }
  return { units, peakUnits, peakSlot };
}

/** Where a pool is short, and by how many units. */
export interface Shortage {
  readonly slots: Int32Array;
  readonly units: Float64Array;
  readonly totalUnits: number;
}

const NOTHING = new Float64Array();

/** A pool's need on a grid, with what does not depend on the other pool of a pair: computed once, not once a pair. */
export class PoolNeed {
  readonly median: NeedCurve;
  readonly p95: NeedCurve;
  /** Sample courses, where there are any. */
  readonly courses: readonly NeedCurve[];
  /** P95 in the slot with the least of it; infinite where nothing is forecast. */
  readonly leastUnits: number;
  #shortage: (Shortage & { readonly own: number }) | undefined;
  #lendable: { readonly own: number; readonly unitRatio: number; readonly slots: number } | undefined;

  /** @param forecast without one nothing is known of any slot */
  constructor(forecast: PairingForecast | undefined, grid: Grid) {
    const at = (values: readonly number[]) => curveOf(onGrid(values, forecast as PairingForecast, grid));
    this.median = forecast === undefined ? curveOf(NOTHING) : at(forecast.neededUnits['0.5']);
    this.p95 = forecast === undefined ? curveOf(NOTHING) : at(forecast.neededUnits['0.95']);
    this.courses = (forecast?.courses ?? []).map(at);
    this.leastUnits = this.p95.units.reduce((least, need) => (need < least ? need : least), Number.POSITIVE_INFINITY);
  }

  /** What the need (P95) is above what the pool has of its own. */
  shortage(own: number): Shortage {
    if (this.#shortage?.own === own) return this.#shortage;
    const slots: number[] = [];
    const units: number[] = [];
    let totalUnits = 0;
    for (let slot = 0; slot < this.p95.units.length; slot += 1) {
      const short = (this.p95.units[slot] as number) - own;
      // Without a forecast for a slot (NaN) nothing is known to be short in it.
      if (!(short > 0)) continue;
      slots.push(slot);
      units.push(short);
      totalUnits += short;
    }
    this.#shortage = { own, slots: Int32Array.from(slots), units: Float64Array.from(units), totalUnits };
    return this.#shortage;
  }

  /** Units of the borrower's that can be lent in a slot, whole. */
  lendableAt(slot: number, own: number, unitRatio: number): number {
    // Without a forecast for the slot nothing is known to be idle in it.
    return Math.floor((Math.max(0, own - (this.p95.units[slot] ?? Number.NaN)) || 0) / unitRatio);
  }

  /** Slots in which anything can be lent. */
  lendableSlots(own: number, unitRatio: number): number {
    const known = this.#lendable;
    if (known !== undefined && known.own === own && known.unitRatio === unitRatio) return known.slots;
    let slots = 0;
    for (let slot = 0; slot < this.p95.units.length; slot += 1) {
      if (this.lendableAt(slot, own, unitRatio) > 0) slots += 1;
    }
    this.#lendable = { own, unitRatio, slots };
    return slots;
  }

  /** Whether anything can be lent in any slot. */
  everLendable(own: number, unitRatio: number): boolean {
    return Math.floor(Math.max(0, own - this.leastUnits) / unitRatio) > 0;
  }
}
