import { describe, expect, it } from '@jest/globals';
import { FAIR_RULES, fairVictims } from '../../../core/allocation/fair-victims.ts';
import { Offers } from '../../../core/allocation/offers.ts';
import type { Holding, TakeRules, Victim } from '../../../core/allocation/preemption.ts';
import type { QuotaNode } from '../../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';

const units = (amount: number) => ({ units: amount });
const RULES: TakeRules = { within: 'lower', reclaim: 'any', whileBorrowing: { policy: 'never' } };

function holding(id: string, nodeId: string, amount: number, priority = 0): Holding {
  return { id, nodeId, units: units(amount), priority, sinceSeconds: 0 };
}

function worldOf(nodes: readonly QuotaNode[], holdings: readonly Holding[]): QuotaTree {
  const tree = QuotaTree.of(nodes);
  for (const each of holdings) tree.use(each.nodeId, each.units);
  return tree;
}

const shared = (amount: number, ...leaves: readonly string[]): QuotaNode[] => [
  { id: 'root', ownedUnits: units(amount) },
  ...leaves.map((id) => ({ id, parentId: 'root', ownedUnits: units(0) })),
];
const told = (victims: readonly Victim[]) => victims.map(({ holding: { id }, reason }) => `${id} ${reason}`);

describe('fairVictims', () => {
  it('takes from the side that would still have at least as much', () => {
    const holdings = [1, 2, 3, 4].map((part) => holding(`a${part}`, 'a', 2));
    const tree = worldOf(shared(8, 'a', 'b'), holdings);
    const asking = (amount: number) =>
      fairVictims(tree, { nodeId: 'b', units: units(amount), priority: 0 }, RULES, holdings);
    // 4 : 4 is fair, 3 : 4 too; 5 : 2 is not, nor 6 : 2.
    expect(told(asking(4))).toEqual(['a1 fair-share', 'a2 fair-share']);
    expect(told(asking(3))).toEqual(['a1 fair-share', 'a2 fair-share']);
    const strict = (amount: number) =>
      fairVictims(tree, { nodeId: 'b', units: units(amount), priority: 0 }, RULES, holdings, {
        strategies: ['final-share-at-most'],
        putBack: 'while-fair',
      });
    expect(strict(5)).toEqual([]);
    expect(strict(6)).toEqual([]);
  });

  it('does not let two leaves take from each other in turn', () => {
    const holdings = [holding('a1', 'a', 2), holding('a2', 'a', 2), holding('b1', 'b', 3)];
    const tree = worldOf(shared(8, 'a', 'b'), holdings);
    // What b took for its 3 asks again: a has 4, b has 3, one unit is free.
    expect(fairVictims(tree, { nodeId: 'a', units: units(2), priority: 0 }, RULES, holdings)).toEqual([]);
    // Nor does the borrower without anything of its own come before who asks within what it owns.
    const owned: QuotaNode[] = [
      { id: 'root', ownedUnits: {} },
      { id: 'owner', parentId: 'root', ownedUnits: units(3) },
      { id: 'other', parentId: 'root', ownedUnits: units(3) },
      { id: 'guest', parentId: 'root', ownedUnits: units(0) },
    ];
    const inUse = [holding('owner1', 'owner', 5), holding('guest1', 'guest', 1)];
    // The owner borrows 2 already, of what is the other's: with one more its share is above the guest's, who stays.
    expect(fairVictims(worldOf(owned, inUse), { nodeId: 'owner', units: units(1), priority: 0 }, RULES, inUse)).toEqual(
      [],
    );
  });

  it('takes back without a test of shares while it stays within what it owns', () => {
    const nodes: QuotaNode[] = [
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: units(4) },
      { id: 'b', parentId: 'root', ownedUnits: units(0), weight: 100 },
    ];
    const holdings = [holding('b1', 'b', 4)];
    const victims = fairVictims(
      worldOf(nodes, holdings),
      { nodeId: 'a', units: units(4), priority: -9 },
      RULES,
      holdings,
    );
    expect(told(victims)).toEqual(['b1 reclaim']);
  });

  it('tries what the first strategy rejected with the second', () => {
    const holdings = [holding('big', 'a', 8)];
    const tree = worldOf(shared(8, 'a', 'b'), holdings);
    const demand = { nodeId: 'b', units: units(2), priority: 0 };
    expect(
      fairVictims(tree, demand, RULES, holdings, { strategies: ['final-share-at-most'], putBack: 'while-fair' }),
    ).toEqual([]);
    expect(told(fairVictims(tree, demand, RULES, holdings))).toEqual(['big fair-share']);
  });

  it('does not put back its own when that would make what it took from others unfair', () => {
    const nodes: QuotaNode[] = [
      { id: 'root', ownedUnits: units(2) },
      { id: 'a', parentId: 'root', ownedUnits: units(1) },
      { id: 'b', parentId: 'root', ownedUnits: units(1) },
    ];
    const holdings = [holding('own', 'a', 1, -1), holding('theirs', 'b', 3)];
    const tree = worldOf(nodes, holdings);
    const demand = { nodeId: 'a', units: units(2), priority: 0 };
    // With its own back a would have 3 of 4, as b had: then it could not have taken theirs.
    expect(told(fairVictims(tree, demand, RULES, holdings))).toEqual(['own own', 'theirs fair-share']);
    const asKueue = { ...FAIR_RULES, putBack: 'while-it-fits' } as const;
    expect(told(fairVictims(tree, demand, RULES, holdings, asKueue))).toEqual(['theirs fair-share']);
  });

  it('compares the branches below the lowest node that both are under', () => {
    const nodes: QuotaNode[] = [
      { id: 'root', ownedUnits: units(8) },
      { id: 'left', parentId: 'root', ownedUnits: units(0) },
      { id: 'right', parentId: 'root', ownedUnits: units(0) },
      { id: 'a', parentId: 'left', ownedUnits: units(0) },
      { id: 'b', parentId: 'left', ownedUnits: units(0) },
      { id: 'c', parentId: 'right', ownedUnits: units(0) },
    ];
    const holdings = [holding('b1', 'b', 4), holding('c1', 'c', 2), holding('c2', 'c', 2)];
    const victims = fairVictims(
      worldOf(nodes, holdings),
      { nodeId: 'a', units: units(2), priority: 0 },
      RULES,
      holdings,
    );
    // a has less than c, but left with a would have 6, right 2: the holding to take is in left.
    expect(told(victims)).toEqual(['b1 fair-share']);
  });

  it('leaves other trees and leaves that do not borrow alone', () => {
    const nodes: QuotaNode[] = [...shared(2, 'a', 'b'), { id: 'far', ownedUnits: units(1) }];
    const holdings = [holding('far1', 'far', 1, -9), holding('b1', 'b', 2)];
    const victims = fairVictims(
      worldOf(nodes, holdings),
      { nodeId: 'a', units: units(1), priority: 0 },
      RULES,
      holdings,
    );
    expect(told(victims)).toEqual(['b1 fair-share']);
  });
});

describe('Offers', () => {
  it('asks who has the largest share, until nobody has anything', () => {
    const holdings = [holding('b1', 'b', 3), holding('b2', 'b', 1), holding('c1', 'c', 2)];
    const offers = new Offers(worldOf(shared(8, 'a', 'b', 'c'), holdings), 'a', holdings);
    const order: string[] = [];
    for (let leaf = offers.next(); leaf !== undefined; leaf = offers.next()) {
      order.push(`${leaf} ${offers.take(leaf)?.id}`);
    }
    expect(order).toEqual(['b b1', 'b b2', 'c c1']);
  });

  it('leaves out who is dropped', () => {
    const holdings = [holding('b1', 'b', 3), holding('c1', 'c', 2)];
    const offers = new Offers(worldOf(shared(8, 'a', 'b', 'c'), holdings), 'a', holdings);
    offers.drop('b');
    expect(offers.next()).toBe('c');
  });
});
