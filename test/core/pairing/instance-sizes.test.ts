import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { PairCandidate } from '../../../core/pairing/assess.ts';
import { borrowedUnits, instanceSizes, sizeOf } from '../../../core/pairing/instance-sizes.ts';
import { BORROWER, LENDER, poolOf } from '../../support/fixtures.ts';

/** @param unitRatio units of `to` (the lender's) that stand in for one of `from` */
function candidateOf(from: string, to: string, unitRatio: number): PairCandidate {
  const coverage = { coverage: 1, slotCoverage: 1, shortageSlots: 1, peakReduction: 0 };
  return {
    lender: poolOf(LENDER, {}, { instanceType: to }),
    borrower: poolOf(BORROWER, {}, { instanceType: from }),
    unitRatio,
    match: { ...coverage, peaksApartHours: undefined, everLendable: true },
    score: { score: 1, parts: { complementarity: 1, proximity: 1, trust: 1 }, priceFactor: 1, rank: 1 },
  };
}

describe('instanceSizes', () => {
  it('counts in units of the first type by name, over several declarations too', () => {
    const sizes = instanceSizes([candidateOf('c.xlarge', 'b.large', 2), candidateOf('b.large', 'a.small', 4)]);
    expect(Object.fromEntries(sizes)).toEqual({ 'a.small': 1, 'b.large': 4, 'c.xlarge': 8 });
    expect(sizeOf(sizes, 'd.other')).toBe(1);
  });

  it('knows no size where all are of one type', () => {
    expect(instanceSizes([candidateOf('a.large', 'a.large', 1)]).size).toBe(0);
  });

  it('takes the smallest where declarations contradict each other, in whatever order they come', () => {
    const said = [
      candidateOf('b.large', 'a.large', 3),
      candidateOf('b.large', 'a.large', 2),
      // Half of a `b.large` for one `a.large` says 2 too; a third says 3.
      candidateOf('a.large', 'b.large', 1 / 3),
      candidateOf('c.large', 'b.large', 1.5),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(said, { minLength: said.length }), (candidates) => {
        expect(Object.fromEntries(instanceSizes(candidates))).toEqual({ 'a.large': 1, 'b.large': 2, 'c.large': 3 });
      }),
    );
  });
});

describe('borrowedUnits', () => {
  it('is what the lender can stand in for, and no more than the plan gives the borrower', () => {
    const candidate = candidateOf('b.large', 'a.large', 2);
    expect(borrowedUnits(6, candidate, instanceSizes([candidate]))).toBe(3);
    const contradicted = candidateOf('b.large', 'a.large', 4);
    expect(borrowedUnits(6, contradicted, instanceSizes([candidate, contradicted]))).toBe(1.5);
  });
});
