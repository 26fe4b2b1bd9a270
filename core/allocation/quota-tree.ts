import type { Amounts } from './amounts.ts';

/** A node of the organisation: a unit of it, an account, a pool. Any depth. */
export interface QuotaNode {
  /** Unique in the forest. */
  readonly id: string;
  /** Absent: a root. */
  readonly parentId?: string;
  /** What belongs to the node itself, beside what belongs to its children. An absent key is not declared: it counts as 0. */
  readonly ownedUnits: Amounts;
  /** How much its subtree may use beyond what it has; an absent key has no limit. A root never borrows. */
  readonly borrowLimitUnits?: Amounts;
  /** How much of what its subtree has the rest may use; an absent key has no limit. */
  readonly lendLimitUnits?: Amounts;
  /** What is used, at a leaf. */
  readonly usedUnits?: Amounts;
  /** Weight in the fair share; absent: 1. With 0 its share is infinite as soon as it borrows. */
  readonly weight?: number;
}

/** A node whose subtree uses more than it has and may borrow. */
export interface QuotaViolation {
  readonly id: string;
  readonly key: string;
  readonly balanceUnits: number;
  /** What the balance may not fall below: −borrow limit, or 0 at a root. */
  readonly leastUnits: number;
}

interface Column {
  readonly declared: Uint8Array;
  readonly borrowLimit: Float64Array;
  readonly total: Float64Array;
  readonly lent: Float64Array;
  readonly kept: Float64Array;
  readonly used: Float64Array;
}

interface Shape {
  readonly ids: readonly string[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** −1 at a root; a parent's index is below its children's. */
  readonly parents: Int32Array;
  readonly children: readonly (readonly number[])[];
  readonly heights: Int32Array;
  readonly weights: Float64Array;
}

function checkedAmounts(
  id: string,
  field: string,
  amounts: Amounts | undefined,
): readonly (readonly [string, number])[] {
  const entries = Object.entries(amounts ?? {});
  for (const [key, units] of entries) {
    if (!(units >= 0)) throw new RangeError(`node "${id}", ${field}.${key}: ${units}; expected 0 or more`);
  }
  return entries;
}

/** The nodes, parents first. @throws RangeError on a duplicate, an unknown parent or a cycle */
function parentsFirst(nodes: readonly QuotaNode[]): QuotaNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (byId.size < nodes.length) {
    const seen = new Set<string>();
    const twice = nodes.find(({ id }) => seen.size === seen.add(id).size);
    throw new RangeError(`node "${twice?.id}" is there twice; expected unique ids`);
  }
  const children = new Map<string, QuotaNode[]>();
  const ordered: QuotaNode[] = [];
  for (const node of nodes) {
    if (node.parentId === undefined) {
      ordered.push(node);
      continue;
    }
    if (!byId.has(node.parentId)) throw new RangeError(`node "${node.id}": its parent "${node.parentId}" is not there`);
    const siblings = children.get(node.parentId);
    if (siblings === undefined) children.set(node.parentId, [node]);
    else siblings.push(node);
  }
  for (let at = 0; at < ordered.length; at += 1) ordered.push(...(children.get(ordered[at]?.id ?? '') ?? []));
  if (ordered.length < nodes.length) {
    const placed = new Set(ordered.map(({ id }) => id));
    throw new RangeError(`node "${nodes.find(({ id }) => !placed.has(id))?.id}" is its own ancestor; expected a tree`);
  }
  return ordered;
}

function shapeOf(ordered: readonly QuotaNode[]): Shape {
  const indexOf = new Map(ordered.map(({ id }, index) => [id, index]));
  const parents = Int32Array.from(ordered, ({ parentId }) =>
    parentId === undefined ? -1 : (indexOf.get(parentId) ?? -1),
  );
  const children: number[][] = ordered.map(() => []);
  const heights = new Int32Array(ordered.length);
  for (let index = ordered.length - 1; index >= 0; index -= 1) {
    const parent = parents[index] ?? -1;
    if (parent < 0) continue;
    children[parent]?.unshift(index);
    heights[parent] = Math.max(heights[parent] ?? 0, (heights[index] ?? 0) + 1);
  }
  const weights = Float64Array.from(ordered, ({ id, weight = 1 }) => {
    if (!(weight >= 0 && weight < Infinity))
      throw new RangeError(`node "${id}", weight: ${weight}; expected 0 or more`);
    return weight;
  });
  return { ids: ordered.map(({ id }) => id), indexOf, parents, children, heights, weights };
}

function emptyColumn(length: number): Column {
  const zeros = () => new Float64Array(length);
  return {
    declared: new Uint8Array(length),
    borrowLimit: new Float64Array(length).fill(Infinity),
    total: zeros(),
    lent: zeros(),
    kept: zeros(),
    used: zeros(),
  };
}

/**
 * Who owns how much, who may lend and borrow how much of it, and what is used: a forest, for several keys at once.
 *
 * - total of a node = what it owns + what each child lends upwards;
 * - a child lends min(its total, its lend limit) and keeps the rest for its own subtree;
 * - usage climbs past what is kept: of a node above leaves it is Σ over its children of max(0, child's usage − child's kept).
 *
 * The invariant (Kueue, KEP-79): with the balance T = total − usage, **T(node) ≥ −borrowLimit(node) at every node below a root, and
 * T(root) ≥ 0**. While it holds there is a way to pass what is owned to who uses it that breaks no limit; who lends to whom is
 * not recorded here. KEP-79 writes T as owned + Σ min(lendLimit, T(child)) − usage: the same number.
 *
 * Exact for whole amounts below 2^53. Only `use` changes a tree.
 */
export class QuotaTree {
  readonly #shape: Shape;
  readonly #columns: Map<string, Column>;

  private constructor(shape: Shape, columns: Map<string, Column>) {
    this.#shape = shape;
    this.#columns = columns;
  }

  /** @throws RangeError on a duplicate id, an unknown parent, a cycle, an amount below 0, or usage of a node with children */
  static of(nodes: readonly QuotaNode[]): QuotaTree {
    const ordered = parentsFirst(nodes);
    const shape = shapeOf(ordered);
    const columns = new Map<string, Column>();
    const columnOf = (key: string): Column => {
      const column = columns.get(key) ?? emptyColumn(ordered.length);
      columns.set(key, column);
      return column;
    };
    const lendLimits = new Map<string, Map<number, number>>();
    ordered.forEach(({ id, ownedUnits, borrowLimitUnits, lendLimitUnits }, index) => {
      for (const [key, units] of checkedAmounts(id, 'ownedUnits', ownedUnits)) {
        const column = columnOf(key);
        column.total[index] = units;
        column.declared[index] = 1;
      }
      for (const [key, units] of checkedAmounts(id, 'borrowLimitUnits', borrowLimitUnits)) {
        columnOf(key).borrowLimit[index] = units;
      }
      for (const [key, units] of checkedAmounts(id, 'lendLimitUnits', lendLimitUnits)) {
        columnOf(key);
        lendLimits.set(key, (lendLimits.get(key) ?? new Map<number, number>()).set(index, units));
      }
    });
    for (const [key, column] of columns) sumUp(column, shape.parents, lendLimits.get(key));
    const tree = new QuotaTree(shape, columns);
    for (const { id, usedUnits } of ordered) {
      checkedAmounts(id, 'usedUnits', usedUnits);
      if (usedUnits !== undefined) tree.use(id, usedUnits);
    }
    return tree;
  }

  /** A copy with usage of its own. */
  clone(): QuotaTree {
    const columns = [...this.#columns].map(([key, column]) => [key, { ...column, used: column.used.slice() }] as const);
    return new QuotaTree(this.#shape, new Map(columns));
  }

  /**
   * Adds to what a leaf uses; amounts below 0 take away.
   * @throws RangeError for an unknown node, one with children, or a usage that would fall below 0 or be unlimited
   */
  use(id: string, units: Amounts): void {
    const leaf = this.#index(id);
    if ((this.#shape.children[leaf] ?? []).length > 0) {
      throw new RangeError(`node "${id}" has children: only what has none can be used`);
    }
    for (const [key, added] of Object.entries(units)) {
      if (added === 0) continue;
      const column = this.#column(key);
      const after = at(column.used, leaf) + added;
      if (!(after >= 0 && after < Infinity)) {
        throw new RangeError(`node "${id}", ${key}: usage would be ${after}; expected a finite number from 0`);
      }
      let change = added;
      for (let index = leaf; index >= 0 && change !== 0; index = at(this.#shape.parents, index)) {
        const before = at(column.used, index);
        column.used[index] = before + change;
        const kept = at(column.kept, index);
        change = Math.max(0, before + change - kept) - Math.max(0, before - kept);
      }
    }
  }

  /** All keys that any node states or uses, in order. */
  keys(): string[] {
    return [...this.#columns.keys()].sort();
  }

  /** All nodes, parents before their children. */
  ids(): readonly string[] {
    return this.#shape.ids;
  }

  has(id: string): boolean {
    return this.#shape.indexOf.has(id);
  }

  parentOf(id: string): string | undefined {
    return this.#shape.ids[at(this.#shape.parents, this.#index(id))];
  }

  childrenOf(id: string): readonly string[] {
    return (this.#shape.children[this.#index(id)] ?? []).map((child) => this.#shape.ids[child] ?? '');
  }

  /** The node and its ancestors, the root last. */
  pathOf(id: string): string[] {
    const path: string[] = [];
    for (let node: string | undefined = id; node !== undefined; node = this.parentOf(node)) path.push(node);
    return path;
  }

  /** 0 at a leaf, 1 above leaves alone. */
  heightOf(id: string): number {
    return at(this.#shape.heights, this.#index(id));
  }

  weightOf(id: string): number {
    return at(this.#shape.weights, this.#index(id));
  }

  /** Whether the node or one below it declares the key. */
  declaresBelow(id: string, key: string): boolean {
    const declared = this.#columns.get(key)?.declared;
    return declared?.[this.#index(id)] === 1;
  }

  /** What the node owns and what its children lend to it. */
  totalUnits(id: string, key: string): number {
    return at(this.#column(key).total, this.#index(id));
  }

  /** What of the total the rest of the tree may use. */
  lentUnits(id: string, key: string): number {
    return at(this.#column(key).lent, this.#index(id));
  }

  /** What of the total only its own subtree may use. */
  keptUnits(id: string, key: string): number {
    return at(this.#column(key).kept, this.#index(id));
  }

  /** What is used at a leaf, what has climbed up to it at any other node. */
  usedUnits(id: string, key: string): number {
    return at(this.#column(key).used, this.#index(id));
  }

  /** How much may be borrowed; `Infinity` without a limit, 0 at a root. */
  borrowLimitUnits(id: string, key: string): number {
    const index = this.#index(id);
    return at(this.#shape.parents, index) < 0 ? 0 : at(this.#column(key).borrowLimit, index);
  }

  /** T of KEP-79: what the subtree could still give, or, below 0, what it borrows. */
  balanceUnits(id: string, key: string): number {
    return this.totalUnits(id, key) - this.usedUnits(id, key);
  }

  /** What a node uses beyond what it has, 0 at a root: it borrows from nobody. */
  borrowedUnits(id: string, key: string): number {
    return this.parentOf(id) === undefined ? 0 : Math.max(0, -this.balanceUnits(id, key));
  }

  /** What of the kept part is not in use. */
  localUnits(id: string, key: string): number {
    return Math.max(0, this.keptUnits(id, key) - this.usedUnits(id, key));
  }

  /** What may be used on top of what is used now; at a leaf never below 0. */
  availableUnits(id: string, key: string): number {
    const room = this.#room(this.#column(key), this.#index(id));
    return this.heightOf(id) === 0 ? Math.max(0, room) : room;
  }

  /** What would be available if nothing were used anywhere. */
  potentialUnits(id: string, key: string): number {
    return this.#potential(this.#column(key), this.#index(id));
  }

  /** Where the invariant is broken: empty while it holds. */
  violations(): QuotaViolation[] {
    return this.keys().flatMap((key) =>
      this.#shape.ids.flatMap((id) => {
        const balanceUnits = this.balanceUnits(id, key);
        const leastUnits = 0 - this.borrowLimitUnits(id, key);
        return balanceUnits >= leastUnits ? [] : [{ id, key, balanceUnits, leastUnits }];
      }),
    );
  }

  #room(column: Column, index: number): number {
    const parent = at(this.#shape.parents, index);
    const used = at(column.used, index);
    if (parent < 0) return at(column.total, index) - used;
    const kept = at(column.kept, index);
    const mayBorrow = at(column.lent, index) - Math.max(0, used - kept) + at(column.borrowLimit, index);
    return Math.max(0, kept - used) + Math.min(this.#room(column, parent), mayBorrow);
  }

  #potential(column: Column, index: number): number {
    const parent = at(this.#shape.parents, index);
    const total = at(column.total, index);
    if (parent < 0) return total;
    return Math.min(at(column.kept, index) + this.#potential(column, parent), total + at(column.borrowLimit, index));
  }

  #index(id: string): number {
    const index = this.#shape.indexOf.get(id);
    if (index === undefined) throw new RangeError(`node "${id}" is not in the tree`);
    return index;
  }

  #column(key: string): Column {
    let column = this.#columns.get(key);
    if (column === undefined) {
      column = emptyColumn(this.#shape.ids.length);
      this.#columns.set(key, column);
    }
    return column;
  }
}

function at(values: Float64Array | Int32Array, index: number): number {
  return values[index] ?? -1;
}

/** Totals, what is lent and what is kept, from the leaves up. `total` holds what each node owns. */
function sumUp(column: Column, parents: Int32Array, lendLimits: ReadonlyMap<number, number> | undefined): void {
  for (let index = parents.length - 1; index >= 0; index -= 1) {
    const total = at(column.total, index);
    const limit = lendLimits?.get(index) ?? Infinity;
    const lent = Math.min(total, limit);
    column.lent[index] = lent;
    // Unlimited less unlimited is no number: what has no lend limit keeps nothing.
    column.kept[index] = limit >= total ? 0 : total - limit;
    const parent = at(parents, index);
    if (parent < 0) continue;
    column.total[parent] = at(column.total, parent) + lent;
    if (column.declared[index] === 1) column.declared[parent] = 1;
  }
}
