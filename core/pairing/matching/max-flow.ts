import { NOTHING } from './network.ts';

/** A lender and a borrower that may exchange units, with what flows between them in one slot. */
export interface Arc {
  readonly lender: number;
  readonly borrower: number;
  flow: number;
}

/** One slot: arcs, and what is left to lend and still lacking beside their flows. Changed in place. */
export interface SlotFlow {
  readonly arcs: readonly Arc[];
  readonly idle: Float64Array;
  readonly unmet: Float64Array;
}

interface Graph {
  readonly ofLender: ReadonlyMap<number, readonly Arc[]>;
  readonly ofBorrower: ReadonlyMap<number, readonly Arc[]>;
}

function grouped(arcs: readonly Arc[], keyOf: (arc: Arc) => number): Map<number, Arc[]> {
  const groups = new Map<number, Arc[]>();
  for (const arc of arcs) {
    const group = groups.get(keyOf(arc));
    if (group === undefined) groups.set(keyOf(arc), [arc]);
    else group.push(arc);
  }
  return groups;
}

/**
 * A shortest path from a borrower that lacks units to a lender that has some: over an arc to any of its lenders, back over an arc
 * with flow to that lender's other borrowers, and so on. Every second arc takes over what the one after it gives up.
 */
function augmentingPath({ ofLender, ofBorrower }: Graph, { idle }: SlotFlow, borrower: number): Arc[] | undefined {
  const cameBy = new Map<number, Arc | undefined>([[borrower, undefined]]);
  const seenLenders = new Map<number, Arc>();
  const queue = [borrower];
  for (const needy of queue) {
    for (const arc of ofBorrower.get(needy) ?? []) {
      if (seenLenders.has(arc.lender)) continue;
      seenLenders.set(arc.lender, arc);
      if ((idle[arc.lender] as number) > NOTHING) return pathTo(arc, cameBy, seenLenders);
      for (const given of ofLender.get(arc.lender) ?? []) {
        if (given.flow <= NOTHING || cameBy.has(given.borrower)) continue;
        cameBy.set(given.borrower, given);
        queue.push(given.borrower);
      }
    }
  }
  return undefined;
}

/** From the lender back to the borrower: arcs that gain flow at even places, arcs that lose it at odd ones. */
function pathTo(last: Arc, cameBy: ReadonlyMap<number, Arc | undefined>, seenLenders: ReadonlyMap<number, Arc>): Arc[] {
  const path = [last];
  for (;;) {
    const given = cameBy.get((path.at(-1) as Arc).borrower);
    if (given === undefined) return path;
    path.push(given, seenLenders.get(given.lender) as Arc);
  }
}

function augment({ idle, unmet }: SlotFlow, path: readonly Arc[]): void {
  const { lender } = path[0] as Arc;
  const { borrower } = path.at(-1) as Arc;
  let amount = Math.min(idle[lender] as number, unmet[borrower] as number);
  path.forEach((arc, place) => {
    if (place % 2 === 1) amount = Math.min(amount, arc.flow);
  });
  path.forEach((arc, place) => {
    arc.flow = Math.max(0, arc.flow + (place % 2 === 0 ? amount : -amount));
  });
  idle[lender] = Math.max(0, (idle[lender] as number) - amount);
  unmet[borrower] = Math.max(0, (unmet[borrower] as number) - amount);
}

/**
 * Makes the flow of a slot a maximum one, starting from the flow that is there: shortest augmenting paths (Edmonds and Karp, JACM
 * 1972), which end for any real amounts. A borrower that no path leads to stays without one, so each is left alone for good then.
 */
export function maximise(slot: SlotFlow): void {
  const graph = {
    ofLender: grouped(slot.arcs, ({ lender }) => lender),
    ofBorrower: grouped(slot.arcs, ({ borrower }) => borrower),
  };
  for (const borrower of graph.ofBorrower.keys()) {
    while ((slot.unmet[borrower] as number) > NOTHING) {
      const path = augmentingPath(graph, slot, borrower);
      if (path === undefined) break;
      augment(slot, path);
    }
  }
}
