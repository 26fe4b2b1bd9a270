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

  it('puts nobody in a larger circle than it wants', () => {
    const limits = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(somePools, limits, (pools, most) => {
        const limited = pools.map((pool, index) => ({ ...pool, maxMembers: most[index] ?? 1 }));
        const circles = planCircles({ pools: limited, size: 4 });
        expect(circles.flatMap(({ poolIds }) => poolIds).toSorted()).toEqual(pools.map(({ id }) => id));
        for (const { id, maxMembers } of limited) {
          const own = circles.find(({ poolIds }) => poolIds.includes(id));
          expect(own?.poolIds.length).toBeLessThanOrEqual(maxMembers);
        }
        expect(planCircles({ pools: limited.toReversed(), size: 4 })).toEqual(circles);
      }),
      { numRuns: 50 },
    );
  });

  it('starts from the circles in force: what is good stays, whoever is refused goes', () => {
    fc.assert(
      fc.property(somePools, sizes, fc.nat({ max: 8 }), (pools, size, out) => {
        const before = planCircles({ pools, size });
        const previous = before.map(({ poolIds }) => poolIds);
        const served = before.reduce((sum, { servedUnitSlots }) => sum + servedUnitSlots, 0);
        const dear = planCircles({ pools, size, previous: previous.toReversed(), switchingCost: served + 1 });
        const together = (circles: typeof before) => circles.filter(({ poolIds }) => poolIds.length > 1);
        expect(together(dear).map(({ poolIds }) => poolIds)).toEqual(
          expect.arrayContaining(
            together(before)
              .filter(({ poolIds }) => poolIds.length === size)
              .map(({ poolIds }) => poolIds),
          ),
        );
        const refused = `pool-${out}`;
        const weight: PairWeight = (lender, borrower) => (lender === refused || borrower === refused ? 0 : 1);
        const after = planCircles({ pools, size, previous, weight, switchingCost: served + 1 });
        expect(after.every(({ poolIds }) => poolIds.length === 1 || !poolIds.includes(refused))).toBe(true);
        for (const { poolIds } of before) {
          const stay = poolIds.filter((id) => id !== refused);
          const own = after.find((circle) => circle.poolIds.includes(stay[0] ?? ''));
          expect(stay.length < 2 || stay.every((id) => own?.poolIds.includes(id))).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('leaves a circle only for what adds more than it costs', () => {
    const pools = [poolWith('a', [4, -4]), poolWith('b', [4, -4]), poolWith('c', [-4, 4]), poolWith('d', [-4, 4])];
    const previous = [
      ['a', 'b'],
      ['c', 'd'],
    ];
    const served = (switchingCost: number) =>
      planCircles({ pools, size: 2, previous, switchingCost }).map(({ servedUnitSlots }) => servedUnitSlots);
    // Two pools change places: 16 unit-slots more.
    expect(served(7.9)).toEqual([8, 8]);
    expect(served(8)).toEqual([0, 0]);
  });

  it('refuses a size that is no circle', () => {
    expect(() => planCircles({ pools: [], size: 1 })).toThrow('size is 1, expected a whole number from 2 to 16');
    expect(() => planCircles({ pools: [], size: 17 })).toThrow('size is 17');
    expect(() => planCircles({ pools: [{ ...poolWith('a', [1]), maxMembers: 0 }], size: 2 })).toThrow(
      'pool a: maxMembers is 0, expected a whole number from 1',
    );
  });
});
