import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { areAllNeeded, referenceWorld, wrongWithVictims } from '../../../bench/allocation/reference.ts';
import { classicalVictims } from '../../../core/allocation/classical-victims.ts';
import type { FairRules, FairStrategy } from '../../../core/allocation/fair-victims.ts';
import { fairVictims } from '../../../core/allocation/fair-victims.ts';
import type { Demand, Holding, TakePolicy, TakeRules } from '../../../core/allocation/preemption.ts';
import type { QuotaNode, QuotaTree } from '../../../core/allocation/quota-tree.ts';
import { filled, KEY, leavesOf, nodes, wants } from './worlds.ts';

const policy = fc.constantFrom<TakePolicy>('never', 'lower', 'any');
const rules: fc.Arbitrary<TakeRules> = fc
  .record({ within: policy, reclaim: policy, borrowing: fc.constantFrom<'never' | 'lower'>('never', 'lower') })
  .map(({ within, reclaim, borrowing }) => ({ within, reclaim, whileBorrowing: { policy: borrowing } }));
const asking = fc.record({
  leaf: fc.nat({ max: 8 }),
  extra: fc.integer({ min: 1, max: 4 }),
  priority: fc.integer({ min: -1, max: 1 }),
});
const fairRules: fc.Arbitrary<FairRules> = fc.record({
  strategies: fc.constantFrom<readonly FairStrategy[]>(
    ['final-share-at-most', 'initial-share-below'],
    ['final-share-at-most'],
    ['initial-share-below'],
  ),
  putBack: fc.constantFrom<FairRules['putBack']>('while-fair', 'while-it-fits'),
});

interface Case {
  readonly tree: QuotaTree;
  readonly holdings: readonly Holding[];
  readonly nodes: readonly QuotaNode[];
  readonly demand: Demand;
}

const cases: fc.Arbitrary<Case> = fc.tuple(nodes, wants, asking).map(([given, each, { leaf, extra, priority }]) => {
  const world = filled(given, each);
  const leaves = leavesOf(given);
  const nodeId = leaves[leaf % leaves.length] ?? 'root';
  const units = { [KEY]: world.tree.availableUnits(nodeId, KEY) + extra };
  return { ...world, demand: { nodeId, units, priority } };
});

describe('victims', () => {
  it('of classical preemption may be taken, suffice, and are all needed', () => {
    fc.assert(
      fc.property(cases, rules, ({ tree, holdings, nodes: used, demand }, by) => {
        const victims = classicalVictims(tree, demand, by, holdings).map(({ holding }) => holding.id);
        const world = referenceWorld(used, KEY);
        expect(wrongWithVictims(world, demand, by, holdings, victims)).toBeUndefined();
        expect(areAllNeeded(world, demand, holdings, victims)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('of fair sharing may be taken and suffice', () => {
    fc.assert(
      fc.property(cases, rules, fairRules, ({ tree, holdings, nodes: used, demand }, by, fairBy) => {
        const victims = fairVictims(tree, demand, by, holdings, fairBy).map(({ holding }) => holding.id);
        expect(wrongWithVictims(referenceWorld(used, KEY), demand, by, holdings, victims)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('never have an equal or higher priority where the policies say lower', () => {
    const lower: TakeRules = { within: 'lower', reclaim: 'lower', whileBorrowing: { policy: 'lower' } };
    fc.assert(
      fc.property(cases, ({ tree, holdings, demand }) => {
        for (const find of [classicalVictims, fairVictims]) {
          for (const { holding } of find(tree, demand, lower, holdings)) {
            expect(holding.priority).toBeLessThan(demand.priority);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('do not depend on the order of the holdings, and looking for them changes nothing', () => {
    fc.assert(
      fc.property(cases, rules, ({ tree, holdings, demand }, by) => {
        const before = tree.ids().map((id) => tree.usedUnits(id, KEY));
        for (const find of [classicalVictims, fairVictims]) {
          expect(find(tree, demand, by, holdings.toReversed())).toEqual(find(tree, demand, by, holdings));
        }
        expect(tree.ids().map((id) => tree.usedUnits(id, KEY))).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  it('of fair sharing do not take back by shares what was taken from them alone', () => {
    fc.assert(
      fc.property(cases, rules, fairRules, ({ tree, holdings, demand }, by, fairBy) => {
        const victims = fairVictims(tree, demand, by, holdings, fairBy);
        const [only] = victims;
        if (only === undefined || victims.length > 1 || only.reason !== 'fair-share') return;
        const after = tree.clone();
        after.use(only.holding.nodeId, { [KEY]: -(only.holding.units[KEY] ?? 0) });
        after.use(demand.nodeId, demand.units);
        const taker: Holding = { id: 'taker', ...demand };
        const left = [...holdings.filter(({ id }) => id !== only.holding.id), taker];
        const { nodeId, units, priority } = only.holding;
        const back = fairVictims(after, { nodeId, units, priority }, by, left, fairBy);
        expect(back.filter(({ holding, reason }) => holding.id === 'taker' && reason === 'fair-share')).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
