import { describe, expect, it } from '@jest/globals';
import {
  borrowsOn,
  compareShares,
  reportedShare,
  shareOf,
  weightedShare,
} from '../../../core/allocation/fair-share.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';

const tree = QuotaTree.of([
  { id: 'root', ownedUnits: {} },
  { id: 'a', parentId: 'root', ownedUnits: { cpu: 4, gpu: 1 }, usedUnits: { cpu: 6, gpu: 2 } },
  { id: 'b', parentId: 'root', ownedUnits: { cpu: 16, gpu: 3 }, usedUnits: { cpu: 1, gpu: 0 }, weight: 2 },
  { id: 'c', parentId: 'root', ownedUnits: {}, usedUnits: { cpu: 1 }, weight: 0 },
  { id: 'd', parentId: 'root', ownedUnits: { cpu: 0 }, usedUnits: { cpu: 1 }, weight: 0 },
]);

describe('shareOf', () => {
  it('is the largest share over the resources of what could be borrowed', () => {
    // cpu: 2 of 20, gpu: 1 of 4.
    expect(shareOf(tree, 'a')).toEqual({ ratio: 250, weight: 1, dominant: 'gpu', borrowing: true });
    expect(shareOf(tree, 'b')).toEqual({ ratio: 0, weight: 2, borrowing: false });
    expect(shareOf(tree, 'root')).toEqual({ ratio: 0, weight: 1, borrowing: false });
  });

  it('adds what is asked for', () => {
    // cpu: 1 + 20 − 16 = 5 of 20, half as much with a weight of 2.
    const share = shareOf(tree, 'b', { cpu: 20 });
    expect(share).toMatchObject({ ratio: 250, dominant: 'cpu' });
    expect(weightedShare(share)).toBe(125);
  });

  it('leaves out a node of which nothing is declared', () => {
    expect(shareOf(tree, 'c')).toEqual({ ratio: 0, weight: 0, borrowing: false });
  });

  it('sums the kinds of one resource', () => {
    const kinds = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      {
        id: 'a',
        parentId: 'root',
        ownedUnits: { 'm5/units': 1, 'c5/units': 1 },
        usedUnits: { 'm5/units': 3, 'c5/units': 2 },
      },
      { id: 'b', parentId: 'root', ownedUnits: { 'm5/units': 5, 'c5/units': 3 } },
    ]);
    expect(shareOf(kinds, 'a')).toMatchObject({ ratio: 300, dominant: 'units' });
  });

  it('is above 0 and below every other of an unlimited amount, and borrowing where nothing could be borrowed', () => {
    const wide = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: { cpu: 0 }, usedUnits: { cpu: 9 } },
      { id: 'b', parentId: 'root', ownedUnits: { cpu: Infinity } },
      { id: 'other', ownedUnits: {} },
      { id: 'e', parentId: 'other', ownedUnits: { cpu: 0 }, usedUnits: { cpu: 1 } },
    ]);
    expect(reportedShare(shareOf(wide, 'a'))).toBe(1);
    expect(compareShares(shareOf(wide, 'a'), shareOf(tree, 'a'))).toBeLessThan(0);
    expect(shareOf(wide, 'e')).toEqual({ ratio: 0, weight: 1, borrowing: true });
  });
});

describe('compareShares', () => {
  it('puts a weight of 0 above all, and then goes by the ratio', () => {
    const [a, d] = [shareOf(tree, 'a'), shareOf(tree, 'd')];
    expect(weightedShare(d)).toBe(Infinity);
    expect(compareShares(a, d)).toBeLessThan(0);
    expect(compareShares(d, a)).toBeGreaterThan(0);
    expect(compareShares(d, { ...d, ratio: d.ratio / 2 })).toBeGreaterThan(0);
    expect(compareShares(a, a)).toBe(0);
  });

  it('is told rounded up', () => {
    expect(reportedShare({ ratio: 100, weight: 3 })).toBe(34);
    expect(reportedShare({ ratio: 0, weight: 0 })).toBe(0);
  });
});

describe('borrowsOn', () => {
  it('looks at the keys that are asked for', () => {
    expect(borrowsOn(tree, 'a', { cpu: 1 })).toBe(true);
    expect(borrowsOn(tree, 'b', { cpu: 1 })).toBe(false);
    expect(borrowsOn(tree, 'a', { cpu: 0 })).toBe(false);
  });
});
