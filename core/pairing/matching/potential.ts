import type { RandomSource } from '../../forecast/random.ts';
import type { Market } from './market.ts';
import { weightIn } from './market.ts';
import { NOTHING } from './network.ts';

/** Partners are drawn as the best of so many at most. */
const MOST_DRAWN = 6;

/**
 * What could flow between some lenders and some borrowers were each pair alone, in weighted unit-slots, and promising partners
 * drawn from it: the best of a few drawn at random, by amount or by fit (`amount² ÷ what the partner has in all`). A list of the
 * largest partners would not do: everybody lists the same few, and they have room for a few only.
 */
export class Potential {
  readonly lenders: readonly number[];
  readonly borrowers: readonly number[];
  readonly #lenderAt: ReadonlyMap<number, number>;
  readonly #borrowerAt: ReadonlyMap<number, number>;
  /** Borrower by borrower. */
  readonly #amounts: Float64Array;
  readonly #lenderTotals: Float64Array;
  readonly #borrowerTotals: Float64Array;

  constructor(market: Market, lenders: readonly number[], borrowers: readonly number[]) {
    this.lenders = lenders;
    this.borrowers = borrowers;
    this.#lenderAt = new Map(lenders.map((pool, at) => [pool, at]));
    this.#borrowerAt = new Map(borrowers.map((pool, at) => [pool, at]));
    this.#amounts = new Float64Array(lenders.length * borrowers.length);
    this.#lenderTotals = totals(market.surplus, market.slots, lenders);
    this.#borrowerTotals = totals(market.deficit, market.slots, borrowers);
    borrowers.forEach((borrower, row) => this.#rate(market, borrower, row * lenders.length));
  }

  #rate(market: Market, borrower: number, row: number): void {
    const { slots, surplus, deficit } = market;
    const lacking: number[] = [];
    for (let slot = 0; slot < slots; slot += 1) {
      if ((deficit[borrower * slots + slot] as number) > NOTHING) lacking.push(slot);
    }
    for (let at = 0; at < this.lenders.length; at += 1) {
      const lender = this.lenders[at] as number;
      const weight = weightIn(market, lender, borrower);
      if (weight <= 0) continue;
      let sum = 0;
      for (const slot of lacking) {
        const have = surplus[lender * slots + slot] as number;
        const lack = deficit[borrower * slots + slot] as number;
        sum += have < lack ? have : lack;
      }
      this.#amounts[row + at] = weight * sum;
    }
  }

  /** A promising lender for a borrower; undefined: none that could lend it anything was drawn. */
  drawLender(borrower: number, random: RandomSource): number | undefined {
    const row = this.#borrowerAt.get(borrower);
    if (row === undefined) return undefined;
    const from = row * this.lenders.length;
    return this.#draw(this.lenders, this.#lenderTotals, random, (at) => this.#amounts[from + at] as number);
  }

  /** A promising borrower for a lender. */
  drawBorrower(lender: number, random: RandomSource): number | undefined {
    const column = this.#lenderAt.get(lender);
    if (column === undefined) return undefined;
    const width = this.lenders.length;
    return this.#draw(
      this.borrowers,
      this.#borrowerTotals,
      random,
      (at) => this.#amounts[at * width + column] as number,
    );
  }

  #draw(
    pools: readonly number[],
    totalOf: Float64Array,
    random: RandomSource,
    amountOf: (at: number) => number,
  ): number | undefined {
    const byFit = random() < 0.5;
    let found: number | undefined;
    let most = 0;
    for (let drawn = 1 + Math.floor(random() * MOST_DRAWN); drawn > 0; drawn -= 1) {
      const at = Math.floor(random() * pools.length);
      const amount = amountOf(at);
      const value = byFit ? (amount * amount) / (totalOf[at] as number) : amount;
      if (value > most) {
        most = value;
        found = pools[at];
      }
    }
    return found;
  }
}

function totals(curves: Float64Array, slots: number, pools: readonly number[]): Float64Array {
  return Float64Array.from(pools, (pool) => {
    let sum = 0;
    for (let slot = 0; slot < slots; slot += 1) sum += curves[pool * slots + slot] as number;
    return sum;
  });
}
