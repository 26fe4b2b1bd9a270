import { describe, expect, it } from '@jest/globals';
import { borrowHeight, climb, exceedsMax, fitsNow, limitingNode } from '../../../core/allocation/fits.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';

const units = (amount: number) => ({ units: amount });

function made(): QuotaTree {
  return QuotaTree.of([
    { id: 'root', ownedUnits: {} },
    { id: 'shop', parentId: 'root', ownedUnits: {}, borrowLimitUnits: units(4) },
    { id: 'web', parentId: 'shop', ownedUnits: units(2), usedUnits: units(1) },
    { id: 'cart', parentId: 'shop', ownedUnits: units(3) },
    { id: 'lab', parentId: 'root', ownedUnits: units(6), lendLimitUnits: units(5) },
    { id: 'alone', ownedUnits: units(2), borrowLimitUnits: units(9) },
  ]);
}

describe('fits', () => {
  it('tells what fits now from what never can', () => {
    const tree = made();
    expect(fitsNow(tree, 'web', units(8))).toBe(true);
    expect(fitsNow(tree, 'web', units(9))).toBe(false);
    expect(exceedsMax(tree, 'web', units(9))).toBe(false);
    expect(exceedsMax(tree, 'web', units(10))).toBe(true);
  });

  it('lets a root borrow nothing, whatever its limit says', () => {
    expect(fitsNow(made(), 'alone', units(2))).toBe(true);
    expect(exceedsMax(made(), 'alone', units(3))).toBe(true);
  });

  it('asks for each key', () => {
    expect(fitsNow(made(), 'web', { units: 1, gpu: 1 })).toBe(false);
    expect(fitsNow(made(), 'web', { units: 1, gpu: 0 })).toBe(true);
  });

  it('says from how far away a request borrows', () => {
    const tree = made();
    expect(borrowHeight(tree, 'web', units(1))).toBe(0);
    expect(borrowHeight(tree, 'web', units(4))).toBe(1);
    expect(borrowHeight(tree, 'web', units(5))).toBe(2);
    expect(borrowHeight(tree, 'alone', units(3))).toBe(0);
  });

  it('climbs with what is not kept on the way', () => {
    const tree = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: units(5), lendLimitUnits: units(2), usedUnits: units(1) },
    ]);
    expect(climb(tree, 'a', 'units', 6)).toEqual([
      { id: 'a', units: 6 },
      { id: 'root', units: 4 },
    ]);
  });

  it('names the node that says no, and which of its rules', () => {
    const tree = made();
    expect(limitingNode(tree, 'web', units(8))).toBeUndefined();
    expect(limitingNode(tree, 'web', units(9))).toEqual({
      id: 'shop',
      key: 'units',
      requestedUnits: 9,
      availableUnits: 8,
      limit: 'borrow-limit',
    });
    tree.use('lab', units(4));
    // The root has 10, of which 1 + 3 are in use there: lab keeps 1 of its 6 and uses that first.
    expect(limitingNode(tree, 'web', units(8))).toMatchObject({ id: 'root', limit: 'owned', availableUnits: 6 });
    tree.use('lab', units(-4));
    tree.use('cart', units(3));
    expect(limitingNode(tree, 'cart', units(6))).toMatchObject({
      id: 'shop',
      limit: 'borrow-limit',
      availableUnits: 5,
    });
  });

  it('says when there is idle capacity that may not be lent', () => {
    const tree = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'rich', parentId: 'root', ownedUnits: units(9), lendLimitUnits: units(1) },
      { id: 'poor', parentId: 'root', ownedUnits: units(0) },
    ]);
    expect(limitingNode(tree, 'poor', units(2))).toMatchObject({ id: 'root', limit: 'lend-limit', availableUnits: 1 });
  });
});
