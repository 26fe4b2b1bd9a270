import { quantileOf } from '../forecast/distribution.ts';
import { ShortTermForecast } from '../forecast/short-term.ts';

/** What is expected of one pool's demand, at each step anew. A lead is the place of one of the leads that it was made with. */
export interface PoolOutlook {
  /** Takes in the demand before a step. */
  observe(step: number): void;
  /** Units that the highest demand over the lead passes with at most this probability. */
  unitsAt(step: number, lead: number, probability: number): number;
  /** Probability that the highest demand over the lead passes so many units. */
  probabilityAbove(step: number, lead: number, units: number): number;
}

const SECONDS_A_DAY = 86_400;
const DAYS_KEPT = 28;
/** Minutes on either side of a time of day that its quantile is taken from. */
const SMOOTHED_SECONDS = 900;

/** A quantile of each time of day over the last four weeks, made anew each day; for comparison. */
class ProfileOutlook implements PoolOutlook {
  readonly #values: Float64Array;
  readonly #stepsADay: number;
  readonly #around: number;
  readonly #quantile: number;
  readonly #leads: readonly number[];
  readonly #profile: Float64Array;

  constructor(values: Float64Array, stepSeconds: number, quantile: number, leads: readonly number[]) {
    this.#values = values;
    this.#stepsADay = Math.max(1, Math.round(SECONDS_A_DAY / stepSeconds));
    this.#around = Math.round(SMOOTHED_SECONDS / stepSeconds);
    this.#quantile = quantile;
    this.#leads = leads;
    this.#profile = new Float64Array(this.#stepsADay).fill(Number.POSITIVE_INFINITY);
  }

  observe(step: number): void {
    if (step < this.#stepsADay || step % this.#stepsADay !== 0) return;
    const days = Math.min(DAYS_KEPT, step / this.#stepsADay);
    const together = Math.max(1, this.#around);
    for (let slot = 0; slot < this.#stepsADay; slot += together) {
      const seen: number[] = [];
      for (let day = 1; day <= days; day += 1) {
        for (let near = -this.#around; near <= this.#around; near += 1) {
          const at = step - day * this.#stepsADay + slot + near;
          if (at >= 0 && at < step) seen.push(this.#values[at] as number);
        }
      }
      // Neighbours are smoothed over the same time of day.
      this.#profile.fill(quantileOf(Float64Array.from(seen).sort(), this.#quantile), slot, slot + together);
    }
  }

  unitsAt(step: number, lead: number): number {
    let highest = step > 0 ? (this.#values[step - 1] as number) : Number.POSITIVE_INFINITY;
    for (let ahead = 0; ahead < (this.#leads[lead] ?? 0); ahead += 1) {
      highest = Math.max(highest, this.#profile[(step + ahead) % this.#stepsADay] as number);
    }
    return highest;
  }

  probabilityAbove(step: number, lead: number, units: number): number {
    return this.unitsAt(step, lead) > units ? 1 - this.#quantile : 0;
  }
}

/** Knows what comes: what the same rules could do with a perfect forecast. */
class PerfectOutlook implements PoolOutlook {
  readonly #values: Float64Array;
  readonly #leads: readonly number[];

  constructor(values: Float64Array, leads: readonly number[]) {
    this.#values = values;
    this.#leads = leads;
  }

  observe(): void {
    // There is nothing to learn.
  }

  unitsAt(step: number, lead: number): number {
    let highest = 0;
    const until = Math.min(this.#values.length, step + (this.#leads[lead] ?? 0));
    for (let at = step; at < until; at += 1) highest = Math.max(highest, this.#values[at] as number);
    return highest;
  }

  probabilityAbove(step: number, lead: number, units: number): number {
    return this.unitsAt(step, lead) > units ? 1 : 0;
  }
}

export interface OutlookOptions {
  readonly forecast: 'short-term' | 'profile' | 'perfect';
  readonly profileQuantile: number;
  readonly stepSeconds: number;
  readonly ownedUnits: number;
  /** In steps, from the step itself. */
  readonly leads: readonly number[];
}

/** The outlook of one pool. */
export function outlookFor(values: Float64Array, options: OutlookOptions): PoolOutlook {
  const { forecast, stepSeconds, ownedUnits, leads, profileQuantile } = options;
  switch (forecast) {
    case 'short-term':
      return new ShortTermForecast(values, stepSeconds, ownedUnits, leads);
    case 'profile':
      return new ProfileOutlook(values, stepSeconds, profileQuantile, leads);
    case 'perfect':
      return new PerfectOutlook(values, leads);
  }
}
