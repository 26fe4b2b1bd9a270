import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seedOf } from '../../../../core/forecast/random.ts';
import { planCircles } from '../../../../core/pairing/matching/circles.ts';
import type { PairWeight } from '../../../../core/pairing/matching/market.ts';
import { poolWith, somePools } from '../../../support/matching-fixtures.ts';

const sizes = fc.integer({ min: 2, max: 4 });

describe('planCircles', () => {
  it('parts the pools, none twice, in circles of the size at most, and says what they serve', () => {
    fc.assert(
      fc.property(somePools, sizes, (pools, size) => {
        const circles = planCircles({ pools, size });
        expect(circles.flatMap(({ poolIds }) => poolIds).toSorted()).toEqual(pools.map(({ id }) => id));
        for (const { poolIds, servedUnitSlots } of circles) {
          expect(poolIds.length).toBeLessThanOrEqual(size);
          const members = pools.filter(({ id }) => poolIds.includes(id));
          const sumOf = (name: 'surplus' | 'deficit', slot: number) =>
            members.reduce((sum, pool) => sum + (pool[name][slot] ?? 0), 0);
          const served = [0, 1, 2, 3].map((slot) => Math.min(sumOf('surplus', slot), sumOf('deficit', slot)));
          expect(servedUnitSlots).toBeCloseTo(
            served.reduce((a, b) => a + b, 0),
            9,
          );
        }
      }),
      { numRuns: 50 },
    );
  });

  it('puts nobody together whom a gate keeps apart, and is the same in any order', () => {
    fc.assert(
      fc.property(somePools, sizes, fc.integer(), (pools, size, salt) => {
        const weight: PairWeight = (lender, borrower) => (seedOf(`${salt} ${lender} ${borrower}`) % 4 === 0 ? 0 : 1);
        const circles = planCircles({ pools, size, weight });
        for (const { poolIds } of circles) {
          const pairs = poolIds.flatMap((a) => poolIds.filter((b) => b !== a).map((b) => weight(a, b)));
          expect(pairs.every((counts) => counts > 0)).toBe(true);
        }
        expect(planCircles({ pools: pools.toReversed(), size, weight })).toEqual(circles);
      }),
      { numRuns: 50 },
    );
  });

  it('brings together those whose peaks differ', () => {
    const pools = [poolWith('a', [4, -4]), poolWith('b', [4, -4]), poolWith('c', [-4, 4]), poolWith('d', [-4, 4])];
    expect(planCircles({ pools, size: 2 }).map(({ servedUnitSlots }) => servedUnitSlots)).toEqual([8, 8]);
  });

  it('refuses a size that is no circle', () => {
    expect(() => planCircles({ pools: [], size: 1 })).toThrow('size is 1, expected a whole number from 2 to 16');
    expect(() => planCircles({ pools: [], size: 17 })).toThrow('size is 17');
  });
});
