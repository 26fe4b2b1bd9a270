import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { availableByKep, balanceByKep, holdsByKep, referenceWorld } from '../../../bench/allocation/reference.ts';
import { crossings } from '../../../core/allocation/crossings.ts';
import { exceedsMax, fitsNow, limitingNode } from '../../../core/allocation/fits.ts';
import type { QuotaNode } from '../../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';
import { filled, KEY, leavesOf, nodes, wants } from './worlds.ts';

const RUNS = { numRuns: 400 };
const MOST_UNITS = 100;

describe('the invariant of KEP-79', () => {
  it('holds after any sequence of borrows that fit, and of returns', () => {
    fc.assert(
      fc.property(nodes, wants, fc.array(fc.nat({ max: 7 })), (given, each, returned) => {
        const { tree, holdings } = filled(given, each);
        expect(tree.violations()).toEqual([]);
        for (const index of new Set(returned)) {
          const holding = holdings[index];
          if (holding !== undefined) tree.use(holding.nodeId, { [KEY]: -(holding.units[KEY] ?? 0) });
          expect(tree.violations()).toEqual([]);
        }
      }),
      RUNS,
    );
  });

  it('is what available says: one unit more would break it', () => {
    fc.assert(
      fc.property(nodes, wants, (given, each) => {
        const { tree, nodes: used } = filled(given, each);
        const world = referenceWorld(used, KEY);
        for (const leaf of leavesOf(given)) {
          expect(tree.availableUnits(leaf, KEY)).toBe(availableByKep(world, leaf, MOST_UNITS));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is told as the KEP writes it, in a tree that is overused too', () => {
    fc.assert(
      fc.property(nodes, wants, (given, each) => {
        const leaves = leavesOf(given);
        const used = given.map((node) => {
          const of = each.filter(({ leaf }) => leaves[leaf % leaves.length] === node.id);
          const usedUnits = { [KEY]: of.reduce((sum, { units }) => sum + units, 0) };
          return leaves.includes(node.id) ? { ...node, usedUnits } : node;
        });
        const tree = QuotaTree.of(used);
        const world = referenceWorld(used, KEY);
        for (const { id } of given) expect(tree.balanceUnits(id, KEY)).toBe(balanceByKep(world, id));
        expect(tree.violations().length === 0).toBe(holdsByKep(world));
      }),
      RUNS,
    );
  });
});

describe('available', () => {
  it('never exceeds potential, and equals it when nothing is used', () => {
    fc.assert(
      fc.property(nodes, wants, (given, each) => {
        const { tree } = filled(given, each);
        const empty = QuotaTree.of(given);
        for (const { id } of given) {
          expect(tree.availableUnits(id, KEY)).toBeLessThanOrEqual(tree.potentialUnits(id, KEY));
          expect(empty.availableUnits(id, KEY)).toBe(empty.potentialUnits(id, KEY));
        }
      }),
      RUNS,
    );
  });

  it('does not depend on the order of the nodes', () => {
    const shuffled = nodes.chain((each) =>
      fc.tuple(fc.constant(each), fc.shuffledSubarray([...each], { minLength: each.length })),
    );
    fc.assert(
      fc.property(shuffled, ([given, other]) => {
        const [tree, same] = [QuotaTree.of(given), QuotaTree.of(other)];
        for (const { id } of given) expect(same.availableUnits(id, KEY)).toBe(tree.availableUnits(id, KEY));
      }),
      { numRuns: 100 },
    );
  });

  it('is what a limiting node is named for', () => {
    fc.assert(
      fc.property(nodes, wants, fc.nat({ max: 8 }), fc.integer({ min: 1, max: 20 }), (given, each, at, units) => {
        const { tree } = filled(given, each);
        const leaves = leavesOf(given);
        const leaf = leaves[at % leaves.length] ?? 'root';
        const limiting = limitingNode(tree, leaf, { [KEY]: units });
        expect(limiting === undefined).toBe(fitsNow(tree, leaf, { [KEY]: units }));
        if (limiting !== undefined) expect(limiting.availableUnits).toBeLessThan(units);
        if (exceedsMax(tree, leaf, { [KEY]: units })) expect(limiting).toBeDefined();
      }),
      RUNS,
    );
  });
});

describe('loans between named leaves', () => {
  const loans = fc.array(
    fc.record({ from: fc.nat({ max: 8 }), to: fc.nat({ max: 8 }), units: fc.integer({ min: 1, max: 4 }) }),
    {
      maxLength: 10,
    },
  );

  /** Lends what the counters of both sides let, and what the lender has idle. */
  function lendAll(given: readonly QuotaNode[], each: readonly { from: number; to: number; units: number }[]) {
    const tree = QuotaTree.of(given);
    const leaves = leavesOf(given);
    const byId = new Map(given.map((node) => [node.id, node]));
    const [out, into] = [new Map<string, number>(), new Map<string, number>()];
    for (const { from, to, units } of each) {
      const [lender = '', borrower = ''] = [leaves[from % leaves.length], leaves[to % leaves.length]];
      const crossed = crossings(tree, lender, borrower);
      const isFree = (counts: ReadonlyMap<string, number>, id: string, most: number) =>
        (counts.get(id) ?? 0) + units <= most;
      const idle = (byId.get(lender)?.ownedUnits[KEY] ?? 0) - (out.get(lender) ?? 0);
      const mayLend = crossed.lending.every((id) => isFree(out, id, byId.get(id)?.lendLimitUnits?.[KEY] ?? Infinity));
      const mayBorrow = crossed.borrowing.every((id) =>
        isFree(into, id, byId.get(id)?.borrowLimitUnits?.[KEY] ?? Infinity),
      );
      if (lender === borrower || idle < units || !mayLend || !mayBorrow) continue;
      for (const id of crossed.lending) out.set(id, (out.get(id) ?? 0) + units);
      for (const id of crossed.borrowing) into.set(id, (into.get(id) ?? 0) + units);
    }
    // Every leaf uses all that it has, what it borrowed included.
    for (const leaf of leaves) {
      const has = (byId.get(leaf)?.ownedUnits[KEY] ?? 0) - (out.get(leaf) ?? 0) + (into.get(leaf) ?? 0);
      tree.use(leaf, { [KEY]: has });
    }
    return { tree, into };
  }

  it('keep the invariant when each border counts what passes it', () => {
    fc.assert(
      fc.property(nodes, loans, (given, each) => {
        expect(lendAll(given, each).tree.violations()).toEqual([]);
      }),
      RUNS,
    );
  });

  it('cross the nodes below the first that both are under', () => {
    const tree = QuotaTree.of([
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: {} },
      { id: 'a1', parentId: 'a', ownedUnits: {} },
      { id: 'a2', parentId: 'a', ownedUnits: {} },
      { id: 'b', parentId: 'root', ownedUnits: {} },
    ]);
    expect(crossings(tree, 'a1', 'a2')).toEqual({ lending: ['a1'], borrowing: ['a2'] });
    expect(crossings(tree, 'a1', 'b')).toEqual({ lending: ['a1', 'a'], borrowing: ['b'] });
  });
});
