import { describe, expect, it } from '@jest/globals';
import type { QuotaNode } from '../../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';

const units = (amount: number) => ({ units: amount });

/** Two organisation units under a root: `shop` lends at most 4, `lab` borrows at most 3. */
const NODES: readonly QuotaNode[] = [
  { id: 'root', ownedUnits: {} },
  { id: 'shop', parentId: 'root', ownedUnits: units(2), lendLimitUnits: units(4) },
  { id: 'web', parentId: 'shop', ownedUnits: units(5), usedUnits: units(1) },
  { id: 'cart', parentId: 'shop', ownedUnits: units(3), lendLimitUnits: units(1), usedUnits: units(0) },
  { id: 'lab', parentId: 'root', ownedUnits: {}, borrowLimitUnits: units(3) },
  { id: 'batch', parentId: 'lab', ownedUnits: units(2), usedUnits: units(2) },
];

describe('QuotaTree', () => {
  const tree = QuotaTree.of(NODES);

  it('sums up what is owned and lent, and keeps what may not be lent', () => {
    // shop: 2 of its own, 5 of web, 1 of the 3 of cart.
    expect(tree.totalUnits('shop', 'units')).toBe(8);
    expect(tree.lentUnits('shop', 'units')).toBe(4);
    expect(tree.keptUnits('shop', 'units')).toBe(4);
    expect(tree.keptUnits('cart', 'units')).toBe(2);
    expect(tree.totalUnits('root', 'units')).toBe(6);
  });

  it('says what is available: to the borrower within its limit, to the owner what it keeps besides', () => {
    // batch: of the 4 that shop lends only the 3 that lab may borrow.
    expect(tree.availableUnits('batch', 'units')).toBe(3);
    // web: 4 kept by shop, of which it uses 1, and the 4 that shop lends, which nobody uses.
    expect(tree.availableUnits('web', 'units')).toBe(7);
    expect(tree.availableUnits('cart', 'units')).toBe(9);
  });

  it('says what could be available at most', () => {
    expect(tree.potentialUnits('batch', 'units')).toBe(5);
    expect(tree.potentialUnits('cart', 'units')).toBe(12);
    expect(tree.potentialUnits('root', 'units')).toBe(6);
  });

  it('lets usage climb past what is kept only', () => {
    const used = tree.clone();
    used.use('cart', units(3));
    expect(used.usedUnits('shop', 'units')).toBe(2);
    used.use('web', units(4));
    expect(used.usedUnits('shop', 'units')).toBe(6);
    expect(used.usedUnits('root', 'units')).toBe(4);
    used.use('web', units(-5));
    expect(used.usedUnits('shop', 'units')).toBe(1);
    expect(used.usedUnits('root', 'units')).toBe(2);
  });

  it('leaves the tree that was copied as it was', () => {
    tree.clone().use('web', units(2));
    expect(tree.usedUnits('web', 'units')).toBe(1);
  });

  it('counts what is borrowed, of a root never', () => {
    const used = tree.clone();
    used.use('batch', units(3));
    expect(used.borrowedUnits('batch', 'units')).toBe(3);
    expect(used.borrowedUnits('lab', 'units')).toBe(3);
    expect(used.borrowedUnits('root', 'units')).toBe(0);
    expect(used.violations()).toEqual([]);
  });

  it('names each node where the invariant is broken', () => {
    const used = tree.clone();
    used.use('batch', units(4));
    expect(used.violations()).toEqual([{ id: 'lab', key: 'units', balanceUnits: -4, leastUnits: -3 }]);
    used.use('batch', units(1));
    expect(used.violations().map(({ id }) => id)).toEqual(['root', 'lab']);
  });

  it('takes overuse elsewhere from whoever lends, and shows no room below 0', () => {
    const used = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: units(5), lendLimitUnits: units(2), usedUnits: units(4) },
      { id: 'b', parentId: 'root', ownedUnits: units(1), usedUnits: units(5) },
    ]);
    // 3 can be lent at the root, 1 of a's own use and 5 of b's have climbed there: 3 too many, more than the 0 that a keeps idle.
    expect(used.availableUnits('root', 'units')).toBe(-3);
    expect(used.availableUnits('a', 'units')).toBe(0);
    expect(used.availableUnits('b', 'units')).toBe(0);
  });

  it('knows unlimited amounts', () => {
    const wide = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'cloud', parentId: 'root', ownedUnits: units(Infinity), lendLimitUnits: units(7), usedUnits: units(100) },
      { id: 'open', parentId: 'root', ownedUnits: units(Infinity) },
      { id: 'poor', parentId: 'root', ownedUnits: {}, borrowLimitUnits: units(9) },
    ]);
    expect(wide.keptUnits('cloud', 'units')).toBe(Infinity);
    expect(wide.keptUnits('open', 'units')).toBe(0);
    expect(wide.availableUnits('cloud', 'units')).toBe(Infinity);
    expect(wide.availableUnits('poor', 'units')).toBe(9);
    expect(wide.violations()).toEqual([]);
  });

  it('keeps keys apart', () => {
    const families = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: { 'm5/units': 4, 'c5/units': 1 } },
      { id: 'b', parentId: 'root', ownedUnits: { 'm5/units': 0 }, usedUnits: { 'm5/units': 3 } },
    ]);
    expect(families.keys()).toEqual(['c5/units', 'm5/units']);
    expect(families.availableUnits('b', 'm5/units')).toBe(1);
    expect(families.availableUnits('b', 'c5/units')).toBe(1);
    expect(families.availableUnits('b', 'r5/units')).toBe(0);
  });

  it('refuses what is no forest of amounts', () => {
    const root = { id: 'root', ownedUnits: {} };
    const cases: readonly [string, readonly QuotaNode[], RegExp][] = [
      ['a duplicate', [root, root], /^node "root" is there twice/],
      ['a strange parent', [{ ...root, parentId: 'x' }], /its parent "x" is not there/],
      [
        'a cycle',
        [root, { ...root, id: 'a', parentId: 'b' }, { ...root, id: 'b', parentId: 'a' }],
        /"a" is its own ancestor/,
      ],
      ['an amount below 0', [{ ...root, ownedUnits: units(-1) }], /ownedUnits.units: -1; expected 0 or more/],
      ['a limit that is no number', [{ ...root, lendLimitUnits: units(NaN) }], /lendLimitUnits.units: NaN/],
      ['a weight below 0', [{ ...root, weight: -1 }], /weight: -1/],
      [
        'usage of a node with children',
        [
          { ...root, usedUnits: units(1) },
          { ...root, id: 'a', parentId: 'root' },
        ],
        /has children/,
      ],
      ['unlimited usage', [{ ...root, usedUnits: units(Infinity) }], /usage would be Infinity/],
    ];
    for (const [, nodes, message] of cases) expect(() => QuotaTree.of(nodes)).toThrow(message);
    expect(() => tree.clone().use('web', units(-2))).toThrow(/usage would be -1/);
    expect(() => tree.availableUnits('nobody', 'units')).toThrow('node "nobody" is not in the tree');
  });
});
