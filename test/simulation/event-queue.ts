/** What happens in virtual time: the earliest first, what is due at the same moment in the order in which it was asked for. */
export interface Pending {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  /** Whether promises may go on because of it. */
  readonly wakes: boolean;
  /** Called off: nothing happens then. */
  isOff: boolean;
}

function isBefore(a: Pending, b: Pending): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A binary heap. */
export class EventQueue {
  readonly #heap: Pending[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(at: number, run: () => void, wakes: boolean): Pending {
    const heap = this.#heap;
    const added: Pending = { at, order: this.#order, run, wakes, isOff: false };
    this.#order += 1;
    let index = heap.length;
    heap.push(added);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(added, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = added;
    return added;
  }

  /** The moment of the next event; infinite when there is none. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  pop(): Pending | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}
