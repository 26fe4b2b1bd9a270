import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seedOf } from '../../../../core/forecast/random.ts';
import { unlimitedBound } from '../../../../core/pairing/matching/bound.ts';
import type { MatchingPool, PairWeight } from '../../../../core/pairing/matching/market.ts';
import { marketOf } from '../../../../core/pairing/matching/market.ts';
import { poolWith, smallestCut } from '../../../support/matching-fixtures.ts';

const units = fc.array(fc.nat({ max: 5 }), { minLength: 3, maxLength: 3 });
/** Pools that may have units to lend and lack some in the same slot. */
const pools = fc.array(fc.tuple(units, units), { maxLength: 6 }).map((curves) =>
  curves.map(([surplus, deficit], index): MatchingPool => {
    return { ...poolWith(`p${index}`, []), surplus: Float64Array.from(surplus), deficit: Float64Array.from(deficit) };
  }),
);

function boundByCuts(fleet: readonly MatchingPool[], weight: PairWeight): number {
  const mayLend = (lender: number, borrower: number) =>
    lender !== borrower && weight(fleet[lender]?.id ?? '', fleet[borrower]?.id ?? '') > 0;
  return [0, 1, 2].reduce((sum, slot) => {
    const unitsOf = (name: 'surplus' | 'deficit') => fleet.map((pool) => pool[name][slot] ?? 0);
    return sum + smallestCut(unitsOf('surplus'), unitsOf('deficit'), mayLend);
  }, 0);
}

describe('unlimitedBound', () => {
  it('is the smallest cut where everybody may lend to everybody else', () => {
    fc.assert(
      fc.property(pools, (fleet) =>
        expect(unlimitedBound(marketOf(fleet))).toBeCloseTo(
          boundByCuts(fleet, () => 1),
          9,
        ),
      ),
    );
  });

  it('is the smallest cut where gates refuse pairs', () => {
    fc.assert(
      fc.property(pools, fc.integer(), (fleet, salt) => {
        const gates: PairWeight = (lender, borrower) => seedOf(`${salt} ${lender} ${borrower}`) % 2;
        expect(unlimitedBound(marketOf(fleet, gates))).toBeCloseTo(boundByCuts(fleet, gates), 9);
      }),
    );
  });
});
