import * as fc from 'fast-check';
import type { Holding } from '../../../core/allocation/preemption.ts';
import type { QuotaNode } from '../../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';

export const KEY = 'units';

const amount = (most: number) => fc.integer({ min: 0, max: most }).map((units) => ({ [KEY]: units }));
const limit = (most: number) => fc.option(amount(most), { nil: undefined });

interface Stated {
  readonly ownedUnits: { readonly [KEY]: number };
  readonly borrowLimitUnits: { readonly [KEY]: number } | undefined;
  readonly lendLimitUnits: { readonly [KEY]: number } | undefined;
}

const stated: fc.Arbitrary<Stated> = fc.record({
  ownedUnits: amount(6),
  borrowLimitUnits: limit(6),
  lendLimitUnits: limit(6),
});

function node(id: string, parentId: string, { ownedUnits, borrowLimitUnits, lendLimitUnits }: Stated): QuotaNode {
  return {
    id,
    parentId,
    ownedUnits,
    ...(borrowLimitUnits === undefined ? {} : { borrowLimitUnits }),
    ...(lendLimitUnits === undefined ? {} : { lendLimitUnits }),
  };
}

/** A root, one to three units below it, in each one to three leaves; any limits. */
export const nodes: fc.Arbitrary<readonly QuotaNode[]> = fc
  .tuple(
    amount(3),
    fc.array(fc.tuple(stated, fc.array(stated, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 3 }),
  )
  .map(([ownedUnits, units]) => [
    { id: 'root', ownedUnits },
    ...units.flatMap(([unit, leaves], index) => [
      node(`u${index}`, 'root', unit),
      ...leaves.map((leaf, at) => node(`u${index}l${at}`, `u${index}`, leaf)),
    ]),
  ]);

export function leavesOf(given: readonly QuotaNode[]): string[] {
  const parents = new Set(given.map(({ parentId }) => parentId));
  return given.map(({ id }) => id).filter((id) => !parents.has(id));
}

/** Which leaf wants how much, with what priority. Leaves are named by a number, whatever the tree. */
export const wants = fc.array(
  fc.record({
    leaf: fc.nat({ max: 8 }),
    units: fc.integer({ min: 1, max: 6 }),
    priority: fc.integer({ min: -2, max: 1 }),
    sinceSeconds: fc.integer({ min: -5, max: 0 }),
  }),
  { maxLength: 8 },
);
export type Want = typeof wants extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

/** The tree with every want that fits, one after the other. */
export function filled(
  given: readonly QuotaNode[],
  each: readonly Want[],
): { readonly tree: QuotaTree; readonly holdings: readonly Holding[]; readonly nodes: readonly QuotaNode[] } {
  const tree = QuotaTree.of(given);
  const leaves = leavesOf(given);
  const holdings: Holding[] = [];
  each.forEach(({ leaf, units, priority, sinceSeconds }, index) => {
    const nodeId = leaves[leaf % leaves.length] ?? 'root';
    if (tree.availableUnits(nodeId, KEY) < units) return;
    tree.use(nodeId, { [KEY]: units });
    holdings.push({ id: `h${index}`, nodeId, units: { [KEY]: units }, priority, sinceSeconds });
  });
  const used = given.map((one) =>
    leaves.includes(one.id) ? { ...one, usedUnits: { [KEY]: tree.usedUnits(one.id, KEY) } } : one,
  );
  return { tree, holdings, nodes: used };
}
