import type { Amounts } from '../../core/allocation/amounts.ts';
import type { Demand, Holding, TakeRules } from '../../core/allocation/preemption.ts';
import type { QuotaNode } from '../../core/allocation/quota-tree.ts';

// The same arithmetic from its definitions alone: slow, for one key, sharing no code with what it checks.

/** Nodes with what each leaf uses. */
export interface ReferenceWorld {
  readonly nodes: readonly QuotaNode[];
  readonly key: string;
  readonly used: ReadonlyMap<string, number>;
}

export function referenceWorld(nodes: readonly QuotaNode[], key: string): ReferenceWorld {
  return { nodes, key, used: new Map(nodes.map(({ id, usedUnits }) => [id, usedUnits?.[key] ?? 0])) };
}

function nodeOf({ nodes }: ReferenceWorld, id: string): QuotaNode {
  const node = nodes.find((each) => each.id === id);
  if (node === undefined) throw new Error(`no node ${id}`);
  return node;
}

const childrenOf = ({ nodes }: ReferenceWorld, id: string) => nodes.filter(({ parentId }) => parentId === id);

/** T of KEP-79 as the KEP writes it: owned + Σ min(lend limit, T of each child) − used. */
export function balanceByKep(world: ReferenceWorld, id: string): number {
  const { key } = world;
  const fromChildren = childrenOf(world, id).map((child) =>
    Math.min(child.lendLimitUnits?.[key] ?? Infinity, balanceByKep(world, child.id)),
  );
  const own = nodeOf(world, id).ownedUnits[key] ?? 0;
  return fromChildren.reduce((sum, units) => sum + units, own) - (world.used.get(id) ?? 0);
}

/** The invariant of KEP-79 at every node. */
export function holdsByKep(world: ReferenceWorld): boolean {
  return world.nodes.every(({ id, parentId, borrowLimitUnits }) => {
    const limit = parentId === undefined ? 0 : (borrowLimitUnits?.[world.key] ?? Infinity);
    return balanceByKep(world, id) >= -limit;
  });
}

function withMore(world: ReferenceWorld, id: string, units: number): ReferenceWorld {
  return { ...world, used: new Map(world.used).set(id, (world.used.get(id) ?? 0) + units) };
}

/** The largest whole number that a leaf can use on top while the invariant holds; 0 when it is broken already. */
export function availableByKep(world: ReferenceWorld, id: string, mostUnits: number): number {
  let units = 0;
  while (units < mostUnits && holdsByKep(withMore(world, id, units + 1))) units += 1;
  return holdsByKep(world) ? units : 0;
}

/** Holdings taken one after the other, and the world without them. */
interface Taken {
  readonly ids: ReadonlySet<string>;
  readonly without: ReferenceWorld;
}

function pathOf(world: ReferenceWorld, id: string): string[] {
  const { parentId } = nodeOf(world, id);
  return parentId === undefined ? [id] : [id, ...pathOf(world, parentId)];
}

function allows(policy: string, demand: Demand, holding: Holding): boolean {
  return policy === 'any' || (policy !== 'never' && holding.priority < demand.priority);
}

/** Whether a holding may be taken by the policies, and, of another leaf, while all below the shared node are over. */
function takeable(world: ReferenceWorld, demand: Demand, rules: TakeRules, holding: Holding): boolean {
  if (holding.nodeId === demand.nodeId) return allows(rules.within, demand, holding);
  if (!allows(rules.reclaim, demand, holding)) return false;
  const own = pathOf(world, demand.nodeId);
  const path = pathOf(world, holding.nodeId);
  const below = path.slice(
    0,
    path.findIndex((id) => own.includes(id)),
  );
  return path.some((id) => own.includes(id)) && below.every((id) => balanceByKep(world, id) < 0);
}

/** All sets of holdings that can be taken one after the other. For a dozen holdings at most. */
function takeableSets(world: ReferenceWorld, demand: Demand, rules: TakeRules, holdings: readonly Holding[]): Taken[] {
  const found = new Map<string, Taken>([['', { ids: new Set(), without: world }]]);
  const open = [...found.values()];
  for (let taken = open.pop(); taken !== undefined; taken = open.pop()) {
    for (const holding of holdings) {
      if (taken.ids.has(holding.id) || !takeable(taken.without, demand, rules, holding)) continue;
      const ids = new Set([...taken.ids, holding.id]);
      const name = [...ids].sort().join(' ');
      if (found.has(name)) continue;
      const more = { ids, without: withMore(taken.without, holding.nodeId, -(holding.units[world.key] ?? 0)) };
      found.set(name, more);
      open.push(more);
    }
  }
  return [...found.values()];
}

/**
 * Whether the demand fits by the KEP's invariant with these holdings taken.
 * @param mayBorrow whether the leaf may then use more than it has
 */
export function fitsWithout(
  world: ReferenceWorld,
  demand: Demand,
  holdings: readonly Holding[],
  ids: ReadonlySet<string>,
  mayBorrow = true,
): boolean {
  const taken = holdings.filter(({ id }) => ids.has(id));
  const without = taken.reduce((left, { nodeId, units }) => withMore(left, nodeId, -amountIn(units, world.key)), world);
  const after = withMore(without, demand.nodeId, amountIn(demand.units, world.key));
  return holdsByKep(after) && (mayBorrow || balanceByKep(after, demand.nodeId) >= 0);
}

function amountIn(units: Amounts, key: string): number {
  return units[key] ?? 0;
}

/** What is wrong with a set of victims, by trying all sets that may be taken; undefined when nothing is. */
export function wrongWithVictims(
  world: ReferenceWorld,
  demand: Demand,
  rules: TakeRules,
  holdings: readonly Holding[],
  victims: readonly string[],
): string | undefined {
  if (victims.length === 0) return undefined;
  const sets = takeableSets(world, demand, rules, holdings);
  if (!sets.some(({ ids }) => victims.every((id) => ids.has(id)))) return `${victims.join(', ')} may not be taken`;
  const fits = fitsWithout(world, demand, holdings, new Set(victims));
  return fits ? undefined : `it does not fit without ${victims.join(', ')}`;
}

/** Whether no victim can be left out: with the leaf that asks borrowing, or without. */
export function areAllNeeded(
  world: ReferenceWorld,
  demand: Demand,
  holdings: readonly Holding[],
  victims: readonly string[],
): boolean {
  return [true, false].some((mayBorrow) =>
    victims.every((id) => {
      const fewer = new Set(victims.filter((each) => each !== id));
      return !fitsWithout(world, demand, holdings, fewer, mayBorrow);
    }),
  );
}

/** Whether any set that may be taken makes the demand fit. */
export function canBeMadeToFit(
  world: ReferenceWorld,
  demand: Demand,
  rules: TakeRules,
  holdings: readonly Holding[],
): boolean {
  return takeableSets(world, demand, rules, holdings).some(({ ids }) => fitsWithout(world, demand, holdings, ids));
}
