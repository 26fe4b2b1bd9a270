import { describe, expect, it } from '@jest/globals';
import type { Amounts } from '../../../core/allocation/amounts.ts';
import { classicalVictims } from '../../../core/allocation/classical-victims.ts';
import type { Demand, Holding, TakeRules, Victim } from '../../../core/allocation/preemption.ts';
import { compareHoldings, policyAllows } from '../../../core/allocation/preemption.ts';
import type { QuotaNode } from '../../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';

const units = (amount: number) => ({ units: amount });
const RECLAIM: TakeRules = { within: 'lower', reclaim: 'any', whileBorrowing: { policy: 'never' } };
const BORROWING: TakeRules = { ...RECLAIM, whileBorrowing: { policy: 'lower' } };

function holding(id: string, nodeId: string, amount: number | Amounts, rest: Partial<Holding> = {}): Holding {
  return {
    id,
    nodeId,
    units: typeof amount === 'number' ? units(amount) : amount,
    priority: 0,
    sinceSeconds: 0,
    ...rest,
  };
}

/** The tree with the holdings in use. */
function worldOf(nodes: readonly QuotaNode[], holdings: readonly Holding[]): QuotaTree {
  const tree = QuotaTree.of(nodes);
  for (const each of holdings) tree.use(each.nodeId, each.units);
  return tree;
}

const told = (victims: readonly Victim[]) => victims.map(({ holding: { id }, reason }) => `${id} ${reason}`);

function siblings(owned: Readonly<Record<string, number>>): QuotaNode[] {
  const leaves = Object.entries(owned).map(([id, amount]) => ({ id, parentId: 'root', ownedUnits: units(amount) }));
  return [{ id: 'root', ownedUnits: {} }, ...leaves];
}

describe('classicalVictims', () => {
  it('gets back what is owned, from who borrows it, and nobody else', () => {
    const holdings = [holding('low', 'b', 2, { priority: -5 }), holding('over', 'c', 4, { priority: 9 })];
    const tree = worldOf(siblings({ a: 4, b: 2, c: 0 }), holdings);
    const demand: Demand = { nodeId: 'a', units: units(4), priority: 0 };
    // b is within what it owns: its low priority does not matter.
    expect(told(classicalVictims(tree, demand, RECLAIM, holdings))).toEqual(['over reclaim']);
  });

  it('puts back who is not needed, the last taken first', () => {
    const holdings = [
      holding('small', 'b', 1, { priority: -2 }),
      holding('middle', 'b', 2, { priority: -1 }),
      holding('large', 'b', 4),
    ];
    const tree = worldOf(siblings({ a: 6, b: 1 }), holdings);
    const demand: Demand = { nodeId: 'a', units: units(5), priority: 0 };
    // small and middle are taken first; with large, middle is not needed any more.
    expect(told(classicalVictims(tree, demand, RECLAIM, holdings))).toEqual(['small reclaim', 'large reclaim']);
  });

  it('takes nobody when it would not fit anyway', () => {
    const holdings = [holding('over', 'b', 3)];
    const tree = worldOf(siblings({ a: 2, b: 1 }), holdings);
    const demand: Demand = { nodeId: 'a', units: units(4), priority: 0 };
    expect(classicalVictims(tree, demand, RECLAIM, holdings)).toEqual([]);
  });

  it('does not go on taking from a leaf that is not over any more', () => {
    const holdings = [
      holding('first', 'b', 2, { priority: -2 }),
      holding('second', 'b', 2, { priority: -1 }),
      holding('guest', 'c', 1, { priority: 9 }),
    ];
    const tree = worldOf(siblings({ a: 3, b: 2, c: 0 }), holdings);
    const demand: Demand = { nodeId: 'a', units: units(3), priority: 0 };
    const lower: TakeRules = { ...RECLAIM, reclaim: 'lower' };
    // Without first, b uses what it owns. That a lacks one more is because of the guest, who may not be taken.
    expect(classicalVictims(tree, demand, lower, holdings)).toEqual([]);
    expect(told(classicalVictims(tree, { ...demand, units: units(2) }, lower, holdings))).toEqual(['first reclaim']);
  });

  it('takes lower priorities while borrowing only where the rules let it', () => {
    const holdings = [holding('low', 'b', 3, { priority: -1 }), holding('peer', 'b', 3)];
    const nodes = siblings({ a: 0, b: 0, idle: 6 });
    const demand: Demand = { nodeId: 'a', units: units(2), priority: 0 };
    const tree = worldOf(nodes, holdings);
    expect(classicalVictims(tree, demand, RECLAIM, holdings)).toEqual([]);
    expect(told(classicalVictims(tree, demand, BORROWING, holdings))).toEqual(['low reclaim-while-borrowing']);
    const bounded: TakeRules = { ...RECLAIM, whileBorrowing: { policy: 'lower', maxPriority: -2 } };
    expect(classicalVictims(tree, demand, bounded, holdings)).toEqual([]);
  });

  it('has the advantage where a unit above it owns enough', () => {
    const nodes: QuotaNode[] = [
      { id: 'root', ownedUnits: {} },
      { id: 'unit', parentId: 'root', ownedUnits: units(2) },
      { id: 'a', parentId: 'unit', ownedUnits: {} },
      { id: 'peer', parentId: 'unit', ownedUnits: {} },
      { id: 'outside', parentId: 'root', ownedUnits: {} },
    ];
    const holdings = [holding('guest', 'outside', 2, { priority: 7 })];
    const demand: Demand = { nodeId: 'a', units: units(2), priority: 0 };
    expect(told(classicalVictims(worldOf(nodes, holdings), demand, RECLAIM, holdings))).toEqual(['guest reclaim']);
    // A holding inside the unit is no guest of it: it stays.
    const inside = [holding('inside', 'peer', 2, { priority: -7 })];
    expect(classicalVictims(worldOf(nodes, inside), demand, RECLAIM, inside)).toEqual([]);
  });

  it('counts first what is on its way back', () => {
    const holdings = [holding('low', 'b', 2, { priority: -9 }), holding('going', 'b', 2, { returning: true })];
    const tree = worldOf(siblings({ a: 4, b: 0 }), holdings);
    const demand: Demand = { nodeId: 'a', units: units(2), priority: 0 };
    expect(told(classicalVictims(tree, demand, RECLAIM, holdings))).toEqual(['going reclaim']);
  });

  it('takes its own of lower priority when nobody borrows from it', () => {
    const holdings = [holding('own', 'a', 2, { priority: -1 }), holding('equal', 'a', 2)];
    const tree = worldOf(siblings({ a: 4, b: 0 }), holdings);
    const demand: Demand = { nodeId: 'a', units: units(1), priority: 0 };
    expect(told(classicalVictims(tree, demand, RECLAIM, holdings))).toEqual(['own own']);
  });

  it('takes only what uses a contested resource, and gets it back whatever else the leaf borrows', () => {
    const nodes: QuotaNode[] = [
      { id: 'root', ownedUnits: {} },
      { id: 'a', parentId: 'root', ownedUnits: { cpu: 2, gpu: 4 } },
      { id: 'b', parentId: 'root', ownedUnits: { cpu: 6, gpu: 0 } },
    ];
    const holdings = [
      holding('cpu-only', 'b', { cpu: 1 }, { priority: -9 }),
      holding('gpus', 'b', { cpu: 1, gpu: 4 }),
      holding('borrower', 'a', { cpu: 3 }, { priority: 5 }),
    ];
    const tree = worldOf(nodes, holdings);
    const demand: Demand = { nodeId: 'a', units: { cpu: 1, gpu: 4 }, priority: 0, contested: ['gpu'] };
    // a borrows cpu and goes on doing so: there is enough. Its gpus are its own.
    expect(told(classicalVictims(tree, demand, RECLAIM, holdings))).toEqual(['gpus reclaim']);
    // Where it must have enough of all that it asks for, its cpu stands in the way.
    expect(classicalVictims(tree, demand, { ...RECLAIM, ownedOf: 'requested' }, holdings)).toEqual([]);
  });

  it('leaves the tree as it was', () => {
    const holdings = [holding('over', 'b', 4)];
    const tree = worldOf(siblings({ a: 4, b: 0 }), holdings);
    classicalVictims(tree, { nodeId: 'a', units: units(4), priority: 0 }, RECLAIM, holdings);
    expect(tree.usedUnits('b', 'units')).toBe(4);
    expect(tree.usedUnits('a', 'units')).toBe(0);
  });
});

describe('policyAllows', () => {
  it('compares priorities, and of equal ones the age where the policy says so', () => {
    const pending = { priority: 1, createdSeconds: 10 };
    const at = (priority: number, createdSeconds?: number) =>
      createdSeconds === undefined ? { priority } : { priority, createdSeconds };
    expect(policyAllows('never', pending, at(-9))).toBe(false);
    expect(policyAllows('any', pending, at(9))).toBe(true);
    expect([0, 1, 2].map((priority) => policyAllows('lower', pending, at(priority)))).toEqual([true, false, false]);
    const newer = (priority: number, created?: number) =>
      policyAllows('lower-or-newer-equal', pending, at(priority, created));
    expect([newer(0, 1), newer(1, 11), newer(1, 10), newer(1), newer(2, 99)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('compareHoldings', () => {
  it('orders by what is returning, other leaves, priority, time, tie and id', () => {
    const expected = [
      holding('returning', 'own', 1, { returning: true, priority: 9 }),
      holding('low', 'other', 1, { priority: -1 }),
      holding('no-time', 'other', 1, { priority: 0, sinceSeconds: undefined } as unknown as Partial<Holding>),
      holding('late', 'other', 1, { sinceSeconds: 5 }),
      holding('early', 'other', 1, { sinceSeconds: 1 }),
      holding('tie', 'other', 1, { sinceSeconds: 1, tie: 1 }),
      holding('tie2', 'other', 1, { sinceSeconds: 1, tie: 1 }),
      holding('mine', 'own', 1, { priority: -9 }),
    ];
    const sorted = expected.toReversed().sort((a, b) => compareHoldings(a, b, 'own'));
    expect(sorted.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  });
});
