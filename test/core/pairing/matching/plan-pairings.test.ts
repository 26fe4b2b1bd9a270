import { describe, expect, it } from '@jest/globals';
import { planPairings } from '../../../../core/pairing/matching/plan-pairings.ts';
import { poolWith } from '../../../support/matching-fixtures.ts';

const pairsOf = ({ pairings }: ReturnType<typeof planPairings>) =>
  pairings.map(({ lenderId, borrowerId, unitSlots }) => [lenderId, borrowerId, unitSlots]);

describe('planPairings', () => {
  it.each([
    ['no pools', []],
    ['one pool', [poolWith('a', [3, -2])]],
    ['lenders only', [poolWith('a', [3]), poolWith('b', [2])]],
    ['borrowers only', [poolWith('a', [-3]), poolWith('b', [-2])]],
    ['pools without slots', [poolWith('a', []), poolWith('b', [])]],
    ['pools that want no partner', [poolWith('a', [3], 0), poolWith('b', [-3], 0)]],
  ])('plans nothing for %s', (_name, pools) => {
    expect(planPairings({ pools })).toMatchObject({ pairings: [], servedUnitSlots: 0, ended: [] });
  });

  it('pairs a pool with the one whose low hours are its peaks', () => {
    const plan = planPairings({
      pools: [poolWith('day', [-4, 3], 1), poolWith('noon', [2, -1], 1), poolWith('night', [5, -3], 1)],
    });
    expect(pairsOf(plan)).toEqual([
      ['night', 'day', 4],
      ['day', 'night', 3],
    ]);
    expect(plan.boundUnitSlots).toBe(7);
  });

  it('gives up the best single pair where two others serve more', () => {
    const pools = [
      poolWith('big', [10, 0], 1),
      poolWith('small', [6, 0], 1),
      poolWith('more', [-10, 0], 1),
      poolWith('less', [-9, 0], 1),
    ];
    expect(planPairings({ pools }).servedUnitSlots).toBe(16);
    const exact = [
      poolWith('a', [5, 4], 1),
      poolWith('b', [4, 0], 1),
      poolWith('x', [-5, 0], 1),
      poolWith('y', [-1, -4], 1),
    ];
    expect(planPairings({ pools: exact }).servedUnitSlots).toBe(9);
  });

  it('prefers what counts more, and refuses what counts nothing', () => {
    const pools = [poolWith('near', [3], 1), poolWith('far', [3], 1), poolWith('needy', [-3], 1)];
    const weight = (lender: string) => (lender === 'near' ? 1.25 : 1);
    expect(pairsOf(planPairings({ pools, weight }))).toEqual([['near', 'needy', 3]]);
    const gates = (lender: string) => (lender === 'near' ? 0 : 1);
    expect(pairsOf(planPairings({ pools, weight: gates }))).toEqual([['far', 'needy', 3]]);
  });

  it('keeps a pairing in force unless another one is worth the cost of the change', () => {
    const pools = [poolWith('old', [3], 1), poolWith('new', [4], 1), poolWith('needy', [-4], 1)];
    const previous = [{ lenderId: 'old', borrowerId: 'needy' }];
    const dear = planPairings({ pools, previous, switchingCost: 1 });
    expect(dear.pairings).toMatchObject([{ lenderId: 'old', kept: true }]);
    const cheap = planPairings({ pools, previous, switchingCost: 0.25 });
    expect(cheap.pairings).toMatchObject([{ lenderId: 'new', kept: false }]);
    expect(cheap.ended).toEqual(previous);
  });

  it('ends pairings of pools that have left, and of pairs that are refused by now', () => {
    const pools = [poolWith('a', [3]), poolWith('b', [-3])];
    const previous = [
      { lenderId: 'gone', borrowerId: 'b' },
      { lenderId: 'a', borrowerId: 'b' },
    ];
    const plan = planPairings({ pools, previous, weight: () => 0 });
    expect(plan.pairings).toEqual([]);
    expect(plan.ended).toEqual(previous);
  });

  it('deals a large bucket into hands and still serves nearly all', () => {
    const pools = Array.from({ length: 700 }, (_, index) => {
      const peak = index % 7;
      return poolWith(
        `p${index}`,
        Array.from({ length: 7 }, (_slot, slot) => (slot === peak ? -5 - (index % 3) : 1 + (slot % 2))),
      );
    });
    const plan = planPairings({ pools, effort: 0.2 });
    expect(plan.servedUnitSlots).toBeGreaterThan(0.6 * plan.boundUnitSlots);
  });

  it('says which pool cannot be planned and why', () => {
    const good = poolWith('good', [1, -1]);
    expect(() => planPairings({ pools: [good, poolWith('good', [1, 1])] })).toThrow('pool good is there twice');
    expect(() => planPairings({ pools: [good, poolWith('short', [1])] })).toThrow(
      'pool short: surplus has 1 slots, expected 2 as in the first pool',
    );
    const negative = { ...good, id: 'wrong', deficit: Float64Array.of(0, -1) };
    expect(() => planPairings({ pools: [good, negative] })).toThrow('pool wrong: deficit[1] is -1, expected 0 or more');
    const unclear = { ...good, id: 'unclear', surplus: Float64Array.of(Number.NaN, 0) };
    expect(() => planPairings({ pools: [good, unclear] })).toThrow('pool unclear: surplus[0] is NaN');
    expect(() => planPairings({ pools: [poolWith('half', [1], 1.5)] })).toThrow(
      'pool half: maxLenders is 1.5, expected a whole number from 0',
    );
  });
});
