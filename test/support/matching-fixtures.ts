import * as fc from 'fast-check';
import type { MatchingPool } from '../../core/pairing/matching/market.ts';

/** A pool with a balance for each slot: above 0 it can lend so much, below 0 it lacks so much. */
export function poolWith(id: string, balance: readonly number[], partners = 3): MatchingPool {
  return {
    id,
    surplus: Float64Array.from(balance, (units) => Math.max(0, units)),
    deficit: Float64Array.from(balance, (units) => Math.max(0, -units)),
    maxLenders: partners,
    maxBorrowers: partners,
  };
}

const SLOTS = 4;

/** Pools with whole balances in four slots and one to three partners. */
export const somePools: fc.Arbitrary<MatchingPool[]> = fc
  .array(
    fc.tuple(
      fc.array(fc.integer({ min: -6, max: 6 }), { minLength: SLOTS, maxLength: SLOTS }),
      fc.integer({ min: 1, max: 3 }),
    ),
    { maxLength: 9 },
  )
  .map((pools) => pools.map(([balance, partners], index) => poolWith(`pool-${index}`, balance, partners)));

/** The most that can flow in a slot, by the smallest cut over sets of lenders: for tiny instances. */
export function smallestCut(
  surplus: readonly number[],
  deficit: readonly number[],
  mayLend: (lender: number, borrower: number) => boolean,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let kept = 0; kept < 2 ** surplus.length; kept += 1) {
    const isKept = (lender: number) => (kept & (1 << lender)) !== 0;
    const cutLenders = surplus.reduce((sum, units, lender) => (isKept(lender) ? sum : sum + units), 0);
    const cutBorrowers = deficit.reduce((sum, units, borrower) => {
      const reached = surplus.some((_units, lender) => isKept(lender) && mayLend(lender, borrower));
      return reached ? sum + units : sum;
    }, 0);
    least = Math.min(least, cutLenders + cutBorrowers);
  }
  return least;
}
