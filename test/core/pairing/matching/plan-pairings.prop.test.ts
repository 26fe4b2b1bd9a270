import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seedOf } from '../../../../core/forecast/random.ts';
import type { PairWeight } from '../../../../core/pairing/matching/market.ts';
import type { PairingsPlan } from '../../../../core/pairing/matching/plan-pairings.ts';
import { planPairings } from '../../../../core/pairing/matching/plan-pairings.ts';
import { poolWith, smallestCut, somePools } from '../../../support/matching-fixtures.ts';

const QUICK = { effort: 0.05 };
const RUNS = { numRuns: 60 };
const TINY = 1e-6;
/** Refuses about a third of the pairs. */
const gates: PairWeight = (lender, borrower) => (seedOf(`${lender} ${borrower}`) % 3 === 0 ? 0 : 1);

const countOf = ({ pairings }: PairingsPlan, role: 'lenderId' | 'borrowerId', id: string) =>
  pairings.filter((pairing) => pairing[role] === id).length;

describe('planPairings', () => {
  it('keeps the limits of both sides, and pairs nobody twice', () => {
    fc.assert(
      fc.property(somePools, (pools) => {
        const plan = planPairings({ pools, ...QUICK });
        for (const { id, maxLenders, maxBorrowers } of pools) {
          expect(countOf(plan, 'borrowerId', id)).toBeLessThanOrEqual(maxLenders);
          expect(countOf(plan, 'lenderId', id)).toBeLessThanOrEqual(maxBorrowers);
        }
        const pairs = plan.pairings.map(({ lenderId, borrowerId }) => `${lenderId} ${borrowerId}`);
        expect(new Set(pairs).size).toBe(pairs.length);
      }),
      RUNS,
    );
  });

  it('pairs only pools that may lend to each other', () => {
    fc.assert(
      fc.property(somePools, (pools) => {
        const { pairings } = planPairings({ pools, weight: gates, ...QUICK });
        for (const { lenderId, borrowerId } of pairings) {
          expect(gates(lenderId, borrowerId)).toBe(1);
          expect(lenderId).not.toBe(borrowerId);
        }
      }),
      RUNS,
    );
  });

  it('lends no more than there is, and no more than is lacking', () => {
    fc.assert(
      fc.property(somePools, (pools) => {
        const { pairings } = planPairings({ pools, ...QUICK });
        for (const { id, surplus, deficit } of pools) {
          surplus.forEach((units, slot) => {
            const lent = pairings.reduce((sum, each) => sum + (each.lenderId === id ? (each.units[slot] ?? 0) : 0), 0);
            const got = pairings.reduce((sum, each) => sum + (each.borrowerId === id ? (each.units[slot] ?? 0) : 0), 0);
            expect(lent).toBeLessThanOrEqual(units + TINY);
            expect(got).toBeLessThanOrEqual((deficit[slot] ?? 0) + TINY);
          });
        }
      }),
      RUNS,
    );
  });

  it('serves what is the maximum flow over its pairings, and never more than the bound', () => {
    fc.assert(
      fc.property(somePools, fc.boolean(), (pools, gated) => {
        const plan = planPairings({ pools, ...(gated ? { weight: gates } : {}), ...QUICK });
        const pairs = new Set(plan.pairings.map(({ lenderId, borrowerId }) => `${lenderId} ${borrowerId}`));
        const most = [0, 1, 2, 3].reduce((sum, slot) => {
          const unitsOf = (name: 'surplus' | 'deficit') => pools.map((pool) => pool[name][slot] ?? 0);
          const mayLend = (lender: number, borrower: number) =>
            pairs.has(`${pools[lender]?.id} ${pools[borrower]?.id}`);
          return sum + smallestCut(unitsOf('surplus'), unitsOf('deficit'), mayLend);
        }, 0);
        expect(plan.servedUnitSlots).toBeCloseTo(most, 6);
        expect(plan.servedUnitSlots).toBeLessThanOrEqual(plan.boundUnitSlots + TINY);
      }),
      RUNS,
    );
  });

  it('gives the same plan whatever the order of the pools and of the pairings in force', () => {
    fc.assert(
      fc.property(somePools, fc.integer(), (pools, salt) => {
        const shuffled = pools.toSorted((a, b) => seedOf(`${salt} ${a.id}`) - seedOf(`${salt} ${b.id}`));
        const previous = planPairings({ pools: pools.slice(1), ...QUICK }).pairings;
        const inForce = { switchingCost: 1, ...QUICK };
        const plan = planPairings({ pools, previous, ...inForce });
        expect(planPairings({ pools: shuffled, previous: previous.toReversed(), ...inForce }).pairings).toEqual(
          plan.pairings,
        );
      }),
      RUNS,
    );
  });

  it('has a bound that one more lender never lowers', () => {
    const balance = fc.array(fc.nat({ max: 6 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(somePools, balance, (pools, surplus) => {
        const more = [...pools, poolWith('pool-more', surplus)];
        const bound = planPairings({ pools, ...QUICK }).boundUnitSlots;
        expect(planPairings({ pools: more, ...QUICK }).boundUnitSlots).toBeGreaterThanOrEqual(bound - TINY);
      }),
      RUNS,
    );
  });

  it('changes nothing when the plan is made again and switching costs anything', () => {
    fc.assert(
      fc.property(somePools, (pools) => {
        const { pairings } = planPairings({ pools, ...QUICK });
        const again = planPairings({ pools, previous: pairings, switchingCost: 100, ...QUICK });
        expect(again.pairings.filter(({ kept }) => !kept)).toEqual([]);
        expect(again.ended).toEqual([]);
      }),
      RUNS,
    );
  });
});
