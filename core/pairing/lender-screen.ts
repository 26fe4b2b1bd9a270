import type { Pool } from '../pool.ts';
import type { PairContext } from './assess.ts';
import { pairScore, unitHourWeight } from './assess.ts';
import type { Gate } from './gates.ts';
import type { Grid } from './grid.ts';
import { comingSlots } from './grid.ts';
import type { Sides } from './match.ts';
import { borrowerOwnUnits, lenderOwnUnits, matchAtMost, matchOn } from './match.ts';
import { PairGates } from './pair-gates.ts';
import { PoolNeed } from './pool-need.ts';

/** Who may lend to one borrower; pools by their places in the order of ids. */
export interface LenderScreening {
  /** Best first. */
  readonly lenders: readonly number[];
  /** The first few that are refused. */
  readonly refused: readonly number[];
  readonly refusedByGate: Readonly<Partial<Record<Gate, number>>>;
  /** What a unit-hour from each lender counts in matching, 0 where a gate refuses; undefined: the borrower is never short. */
  readonly weights: Float32Array | undefined;
}

export interface LenderScreenOptions {
  /** Lenders that are wanted of each borrower, the best. */
  readonly most: number;
  /** Refused lenders that are wanted of each borrower. */
  readonly mostRefused: number;
  /** Whether a lender is there for those only that keep it. */
  isGuest(lender: number): boolean;
  /** Whether a lender is wanted even if it is not among the best. */
  keeps(lender: number, borrower: number): boolean;
  /** Whether a pair that passes the gates is not to be offered now. */
  rests(lender: number, borrower: number): boolean;
}

interface Rated {
  readonly lender: number;
  readonly rank: number;
  readonly slotCoverage: number;
  readonly trust: number;
}

/** Best first: by score and price, then by trust, then by name. */
function betterRated(a: Rated, b: Rated): number {
  return b.rank - a.rank || b.slotCoverage - a.slotCoverage || b.trust - a.trust || a.lender - b.lender;
}

/**
 * The best of those that are able, when no rank is above its bound: only those whose bound reaches the rank of the last one that is
 * wanted are rated.
 */
function bestOf(
  able: readonly number[],
  boundOf: Float64Array,
  rate: (lender: number) => Rated,
  most: number,
): readonly number[] {
  if (most === 0) return [];
  if (able.length <= most) {
    return able
      .map(rate)
      .sort(betterRated)
      .map(({ lender }) => lender);
  }
  const bound = (lender: number) => boundOf[lender] as number;
  const highest = Float64Array.from(able, bound).sort()[able.length - most] as number;
  const rated = able.filter((lender) => bound(lender) >= highest).map(rate);
  const least = Float64Array.from(rated, ({ rank }) => rank).sort()[rated.length - most] as number;
  for (const lender of able) if (bound(lender) < highest && bound(lender) >= least) rated.push(rate(lender));
  return rated
    .sort(betterRated)
    .slice(0, most)
    .map(({ lender }) => lender);
}

/**
 * All lenders of one borrower after the other, in a small part of the time that screenPair takes for each pair, and without keeping
 * anything of a pair: gates by classes of equal pools, and whole matches only of those lenders that may be among the best.
 */
export class LenderScreen {
  readonly #pools: readonly Pool[];
  readonly #context: PairContext;
  readonly #options: LenderScreenOptions;
  readonly #gates: PairGates;
  #grid: Grid = { startMillis: 0, stepMillis: 1, slots: 0 };
  /** By place, on the grid. */
  #needs: readonly PoolNeed[] = [];
  readonly #substitutes = new Map<string, { lender: number; borrower: number; unitRatio: number }>();

  /** @param pools in the order of their ids */
  constructor(pools: readonly Pool[], context: PairContext, options: LenderScreenOptions) {
    this.#pools = pools;
    this.#context = context;
    this.#options = options;
    this.#gates = new PairGates(pools, context);
  }

  /** Every pool once, in the order in which looking at them takes least: same slots, then same facts, after one another. */
  borrowers(): number[] {
    const { forecasts, now } = this.#context;
    const order = this.#pools.map(({ spec }, place) => {
      return { place, grid: comingSlots(forecasts[spec.poolId], now), kind: this.#gates.borrowerClass(place) };
    });
    order.sort(
      (a, b) =>
        a.grid.startMillis - b.grid.startMillis ||
        a.grid.stepMillis - b.grid.stepMillis ||
        a.grid.slots - b.grid.slots ||
        a.kind - b.kind ||
        a.place - b.place,
    );
    return order.map(({ place }) => place);
  }

  /**
   * Types that stand in for each other, as pairs that pass the gates: one for each two types and ratio, among those screened so far.
   */
  get substitutes(): readonly { readonly lender: number; readonly borrower: number; readonly unitRatio: number }[] {
    return [...this.#substitutes.values()];
  }

  /** @param borrower the place of its pool */
  screen(borrower: number): LenderScreening {
    const { mostRefused, most } = this.#options;
    this.#lookAt(borrower);
    const bounds = new Float64Array(this.#pools.length);
    const shortSlots = this.#needs[borrower]?.shortage(borrowerOwnUnits(this.#pool(borrower))).slots.length ?? 0;
    const weights = shortSlots > 0 ? new Float32Array(this.#pools.length) : undefined;
    const able: number[] = [];
    const refused: number[] = [];
    const refusedByGate: Partial<Record<Gate, number>> = {};
    for (let lender = 0; lender < this.#pools.length; lender += 1) {
      if (lender === borrower) continue;
      if (this.#options.isGuest(lender) && !this.#options.keeps(lender, borrower)) continue;
      const gate = this.#refusal(lender, borrower);
      if (gate !== undefined) {
        refusedByGate[gate] = (refusedByGate[gate] ?? 0) + 1;
        if (refused.length < mostRefused) refused.push(lender);
      } else if (!this.#options.rests(lender, borrower)) {
        able.push(lender);
        this.#noteTypes(lender, borrower);
        bounds[lender] = this.#rankAtMost(lender, borrower, weights);
      }
    }
    const lenders = bestOf(able, bounds, (lender) => this.#rate(lender, borrower), most);
    return { lenders: this.#withKept(lenders, able, borrower), refused, refusedByGate, weights };
  }

  /** Puts the needs of all pools on the slots of a borrower's forecast, if they are not on them yet. */
  #lookAt(borrower: number): void {
    const { forecasts, now } = this.#context;
    const grid = comingSlots(forecasts[this.#pool(borrower).spec.poolId], now);
    const { startMillis, stepMillis, slots } = this.#grid;
    const isSame = startMillis === grid.startMillis && stepMillis === grid.stepMillis && slots === grid.slots;
    if (isSame && this.#needs.length > 0) return;
    this.#grid = grid;
    this.#needs = this.#pools.map(({ spec }) => new PoolNeed(forecasts[spec.poolId], grid));
  }

  #refusal(lender: number, borrower: number): Gate | undefined {
    const { gate, unitRatio } = this.#gates.answer(lender, borrower);
    if (gate !== undefined) return gate;
    const lends = this.#pool(lender);
    const isLendable = this.#isForecast(borrower)
      ? this.#needs[lender]?.everLendable(lenderOwnUnits(lends), unitRatio)
      : this.#context.match(lends, this.#pool(borrower), unitRatio).everLendable;
    return isLendable === true ? undefined : 'headroom';
  }

  #sides(lender: number, borrower: number, unitRatio: number): Sides {
    return {
      grid: this.#grid,
      lender: this.#pool(lender),
      lenderNeed: this.#needs[lender] as PoolNeed,
      borrower: this.#pool(borrower),
      borrowerNeed: this.#needs[borrower] as PoolNeed,
      unitRatio,
    };
  }

  #rankAtMost(lender: number, borrower: number, weights: Float32Array | undefined): number {
    // On the lender's own slots: nothing is known before they are looked at.
    if (!this.#isForecast(borrower)) return Number.POSITIVE_INFINITY;
    const [lends, borrows] = [this.#pool(lender), this.#pool(borrower)];
    const { unitRatio } = this.#gates.answer(lender, borrower);
    const match = matchAtMost(this.#sides(lender, borrower, unitRatio));
    const score = pairScore(lends, borrows, unitRatio, match, this.#context);
    if (weights !== undefined) weights[lender] = unitHourWeight({ lender: lends, borrower: borrows, score });
    return score.rank;
  }

  #rate(lender: number, borrower: number): Rated {
    const [lends, borrows] = [this.#pool(lender), this.#pool(borrower)];
    const { unitRatio } = this.#gates.answer(lender, borrower);
    const match = this.#isForecast(borrower)
      ? matchOn(this.#sides(lender, borrower, unitRatio))
      : this.#context.match(lends, borrows, unitRatio);
    const { rank } = pairScore(lends, borrows, unitRatio, match, this.#context);
    const trust = this.#context.trustOf(lends.spec.accountId) ?? 0;
    return { lender, rank, slotCoverage: match.slotCoverage, trust };
  }

  #noteTypes(lender: number, borrower: number): void {
    const [from, to] = [this.#pool(borrower).spec.instanceType, this.#pool(lender).spec.instanceType];
    if (from === to) return;
    const { unitRatio } = this.#gates.answer(lender, borrower);
    const key = `${from} ${to} ${unitRatio}`;
    if (!this.#substitutes.has(key)) this.#substitutes.set(key, { lender, borrower, unitRatio });
  }

  #withKept(best: readonly number[], able: readonly number[], borrower: number): readonly number[] {
    if (able.length <= best.length) return best;
    const among = new Set(best);
    const kept = able.filter((lender) => !among.has(lender) && this.#options.keeps(lender, borrower));
    if (kept.length === 0) return best;
    const rated = kept.map((lender) => this.#rate(lender, borrower)).sort(betterRated);
    return [...best, ...rated.map(({ lender }) => lender)];
  }

  #isForecast(pool: number): boolean {
    return this.#context.forecasts[this.#pool(pool).spec.poolId] !== undefined;
  }

  #pool(place: number): Pool {
    return this.#pools[place] as Pool;
  }
}
