import { describe, expect, it } from '@jest/globals';
import { creditFactors, settledCredits, smallestHalfShare } from '../../../../core/pairing/matching/fairness.ts';

describe('smallestHalfShare', () => {
  it.each([
    [[5, 5, 5, 5], 0.5],
    [[0, 0, 0, 8], 0],
    [[1, 9, 3, 7], 0.2],
    [[4, 1, 5], 0.3],
  ])('of %j is %d', (benefits, share) => {
    expect(smallestHalfShare(benefits)).toBeCloseTo(share, 12);
  });

  it('is unknown when nobody benefits', () => {
    expect(smallestHalfShare([0, 0])).toBeUndefined();
    expect(smallestHalfShare([])).toBeUndefined();
  });
});

describe('credits', () => {
  it('go from who borrows to who lends, and none is made', () => {
    const lent = [
      { lenderId: 'a', borrowerId: 'b', unitSlots: 3 },
      { lenderId: 'c', borrowerId: 'a', unitSlots: 1 },
    ];
    const settled = settledCredits(new Map([['a', 10]]), lent);
    expect(Object.fromEntries(settled)).toEqual({ a: 12, b: -3, c: 1 });
  });

  it('make those count more who have more of them than others', () => {
    const factors = creditFactors(
      new Map([
        ['rich', 9],
        ['middle', 5],
        ['poor', 1],
      ]),
      0.5,
    );
    expect(Object.fromEntries(factors)).toEqual({ rich: 1.5, middle: 1, poor: 0.5 });
    expect([
      ...creditFactors(
        new Map([
          ['a', 2],
          ['b', 2],
        ]),
        0.5,
      ).values(),
    ]).toEqual([1, 1]);
    expect(() => creditFactors(new Map(), 1)).toThrow('strength is 1, expected 0 or more and below 1');
  });
});
