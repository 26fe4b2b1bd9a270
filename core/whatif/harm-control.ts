/** How much the risk that lenders take may be raised above what the scenario says, and lowered. */
const MOST = 10;
const LEAST = 0.02;
/** How much it moves in an hour at most. */
const GAIN = 0.02;
/** How long what was seen counts. */
const MEMORY_SECONDS = 604_800;
const SECONDS_AN_HOUR = 3_600;

/**
 * Steers the risk of lending so that harm comes near a target: a fleet whose demand is easy to tell lends more, a hard one less.
 * Integral control of what has been observed, as adaptive conformal inference does with coverage (Gibbs & Candès 2021).
 */
export class HarmControl {
  readonly #target: number;
  readonly #keep: number;
  readonly #stepsBetween: number;
  #lent = 0;
  #harmed = 0;
  #factor = 1;

  /** @param target harm as a share of what is lent; 0: the factor stays 1 */
  constructor(target: number, stepSeconds: number) {
    this.#target = target;
    this.#keep = Math.exp(-stepSeconds / MEMORY_SECONDS);
    this.#stepsBetween = Math.max(1, Math.round(SECONDS_AN_HOUR / stepSeconds));
  }

  /** By what the risk of the scenario is to be multiplied. */
  get factor(): number {
    return this.#factor;
  }

  observe(step: number, lentUnits: number, harmedUnits: number): void {
    if (this.#target <= 0) return;
    this.#lent = this.#lent * this.#keep + lentUnits;
    this.#harmed = this.#harmed * this.#keep + harmedUnits;
    if (step % this.#stepsBetween !== 0 || this.#lent === 0) return;
    const off = (this.#target - this.#harmed / this.#lent) / this.#target;
    const moved = this.#factor * Math.exp(GAIN * Math.max(-1, Math.min(1, off)));
    this.#factor = Math.min(MOST, Math.max(LEAST, moved));
  }
}
