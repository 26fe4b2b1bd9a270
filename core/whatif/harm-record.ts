/** How far the risk may be raised above what the scenario says, where lenders have shown that it does no harm. */
const MOST = 20;
/** However much harm was done: without any loan nothing would be learned again. */
const LEAST = 0.1;
/** How long what was seen counts. */
const MEMORY_SECONDS = 28 * 86_400;
/** A lender counts as the fleet does until it has lent all that it owns for so long; the fleet, as on target for so long. */
const OWN_PRIOR_SECONDS = 86_400;
const FLEET_PRIOR_SECONDS = 7_200;

/**
 * What lending has cost each lender so far, and the risk that it may take for it: less after harm, more once it has lent for long
 * without. One that has lent little is judged by all of them together (empirical Bayes: Efron & Morris 1975), so that risks begin
 * where the scenario says and rise with evidence only.
 */
export class HarmRecord {
  readonly #target: number;
  readonly #keep: number;
  readonly #lent: Float64Array;
  readonly #harmed: Float64Array;
  readonly #prior: Float64Array;
  readonly #fleetPrior: number;
  #lentByAll = 0;
  #harmedByAll = 0;
  #rateOfAll: number;

  /**
   * @param target harm as a share of what is lent; 0: the factor stays 1
   * @param ownedUnits by lender
   */
  constructor(target: number, stepSeconds: number, ownedUnits: readonly number[]) {
    this.#target = target;
    this.#keep = Math.exp(-stepSeconds / MEMORY_SECONDS);
    this.#lent = new Float64Array(ownedUnits.length);
    this.#harmed = new Float64Array(ownedUnits.length);
    this.#prior = Float64Array.from(ownedUnits, (units) => (units * OWN_PRIOR_SECONDS) / stepSeconds);
    this.#fleetPrior = ownedUnits.reduce((sum, units) => sum + units, 0) * (FLEET_PRIOR_SECONDS / stepSeconds);
    this.#rateOfAll = target;
  }

  /** Takes in units of a step, by lender: each lender once a step. */
  observe(lent: ArrayLike<number>, harmed: ArrayLike<number>): void {
    if (this.#target <= 0) return;
    let [lentNow, harmedNow] = [0, 0];
    for (let place = 0; place < this.#lent.length; place += 1) {
      const [gone, missed] = [lent[place] as number, harmed[place] as number];
      this.#lent[place] = (this.#lent[place] as number) * this.#keep + gone;
      this.#harmed[place] = (this.#harmed[place] as number) * this.#keep + missed;
      lentNow += gone;
      harmedNow += missed;
    }
    this.#lentByAll = this.#lentByAll * this.#keep + lentNow;
    this.#harmedByAll = this.#harmedByAll * this.#keep + harmedNow;
    const all = this.#lentByAll + this.#fleetPrior;
    if (all > 0) this.#rateOfAll = (this.#harmedByAll + this.#target * this.#fleetPrior) / all;
  }

  /** By what the risk of the scenario is to be multiplied for a lender. */
  factor(place: number): number {
    if (this.#target <= 0) return 1;
    const prior = this.#prior[place] as number;
    const lent = (this.#lent[place] as number) + prior;
    if (lent <= 0) return 1;
    const rate = ((this.#harmed[place] as number) + prior * this.#rateOfAll) / lent;
    const raised = rate > 0 ? Math.min(MOST, this.#target / rate) : MOST;
    // Where all together are above the target, those that are not are careful too.
    return Math.max(LEAST, raised * Math.min(1, this.#target / this.#rateOfAll));
  }
}
