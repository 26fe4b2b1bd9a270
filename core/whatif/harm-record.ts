import { fleetPrior, fleetRate, keptShare, ownPrior, riskFactor } from '../lending/harm.ts';

/**
 * What lending has cost each lender of a replay so far, and by what its risk is multiplied for it (core/lending/harm.ts): all lenders at
 * each step, in typed arrays.
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
    this.#keep = keptShare(stepSeconds);
    this.#lent = new Float64Array(ownedUnits.length);
    this.#harmed = new Float64Array(ownedUnits.length);
    this.#prior = Float64Array.from(ownedUnits, (units) => ownPrior(units, stepSeconds));
    this.#fleetPrior = fleetPrior(
      ownedUnits.reduce((sum, units) => sum + units, 0),
      stepSeconds,
    );
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
    this.#rateOfAll = fleetRate(this.#target, this.#lentByAll, this.#harmedByAll, this.#fleetPrior);
  }

  /** By what the risk of the scenario is to be multiplied for a lender. */
  factor(place: number): number {
    if (this.#target <= 0) return 1;
    const [lent, harmed] = [this.#lent[place] as number, this.#harmed[place] as number];
    return riskFactor(this.#target, lent, harmed, this.#prior[place] as number, this.#rateOfAll);
  }
}
