import type { Market } from './market.ts';
import { weightIn } from './market.ts';

/** Amounts below this share of a unit are rounding, not capacity. */
export const NOTHING = 1e-9;

/** A lender that a borrower may turn to. */
export interface Link {
  readonly lender: number;
  readonly borrower: number;
  readonly weight: number;
  /** What opening the link takes from the objective; below 0 it adds. */
  readonly cost: number;
  /** Units lent, slot by slot. */
  readonly flow: Float64Array;
}

/** What opening a link costs beside what flows over it, in weighted unit-slots. */
export type LinkCost = (lender: number, borrower: number) => number;

interface Journal {
  readonly objective: number;
  readonly steps: { readonly opened: boolean; readonly link: Link }[];
  readonly cells: Float64Array[];
  readonly places: number[];
  readonly values: number[];
}

/** Slots in which each pool lacks units: those of pool `i` are `slot[start[i]] … slot[start[i + 1] − 1]`. */
function deficitSlots({ count, slots, deficit }: Market) {
  const start = new Int32Array(count + 1);
  const found: number[] = [];
  for (let pool = 0; pool < count; pool += 1) {
    for (let slot = 0; slot < slots; slot += 1) {
      if ((deficit[pool * slots + slot] as number) > NOTHING) found.push(slot);
    }
    start[pool + 1] = found.length;
  }
  return { start, slot: Int32Array.from(found) };
}

/**
 * Open links and a good allocation of what flows over them, kept up while links open and close.
 *
 * In each slot the flow is a transport from surplus to deficit over the open links. Opening a link fills it with what both ends
 * have left, then shifts one neighbour's flow where that frees more (an augmenting path of three links); closing one lets its
 * neighbours take over. So a change touches a neighbourhood, not the fleet. What is reported in the end comes from an exact
 * maximum flow (`max-flow.ts`), which can only be more.
 */
export class Network {
  readonly market: Market;
  /** Links of each pool as a lender, and as a borrower. */
  readonly lending: Link[][];
  readonly borrowing: Link[][];
  /** Surplus not lent, deficit not covered. */
  readonly idle: Float64Array;
  readonly unmet: Float64Array;
  readonly deficitSlots: { readonly start: Int32Array; readonly slot: Int32Array };
  readonly #costOf: LinkCost | undefined;
  readonly #spare: Float64Array[] = [];
  #objective = 0;
  #journal: Journal | undefined;

  constructor(market: Market, costOf?: LinkCost) {
    this.market = market;
    this.lending = Array.from({ length: market.count }, () => []);
    this.borrowing = Array.from({ length: market.count }, () => []);
    this.idle = market.surplus.slice();
    this.unmet = market.deficit.slice();
    this.deficitSlots = deficitSlots(market);
    this.#costOf = costOf;
  }

  /** Weighted unit-slots that flow, less the costs of the open links. */
  get objective(): number {
    return this.#objective;
  }

  /** Open links, borrower by borrower. */
  links(): Link[] {
    return this.borrowing.flatMap((links) => links.toSorted((a, b) => a.lender - b.lender));
  }

  mayLend(lender: number): boolean {
    return (this.lending[lender] as Link[]).length < (this.market.maxBorrowers[lender] as number);
  }

  mayBorrow(borrower: number): boolean {
    return (this.borrowing[borrower] as Link[]).length < (this.market.maxLenders[borrower] as number);
  }

  isOpen(lender: number, borrower: number): boolean {
    for (const link of this.borrowing[borrower] as Link[]) if (link.lender === lender) return true;
    return false;
  }

  /** Whether both have room for each other. */
  fits(lender: number, borrower: number): boolean {
    return this.mayLend(lender) && this.mayBorrow(borrower) && !this.isOpen(lender, borrower);
  }

  /** What opening a link would add at once, without shifting other flows; 0 where nothing would flow. */
  gain(lender: number, borrower: number): number {
    const weight = weightIn(this.market, lender, borrower);
    if (weight <= 0) return 0;
    const { idle, unmet } = this;
    const { start, slot } = this.deficitSlots;
    const fromLender = lender * this.market.slots;
    const fromBorrower = borrower * this.market.slots;
    const end = start[borrower + 1] as number;
    let sum = 0;
    for (let at = start[borrower] as number; at < end; at += 1) {
      const t = slot[at] as number;
      const have = idle[fromLender + t] as number;
      const lack = unmet[fromBorrower + t] as number;
      sum += have < lack ? have : lack;
    }
    if (sum <= NOTHING) return 0;
    return weight * sum - (this.#costOf === undefined ? 0 : this.#costOf(lender, borrower));
  }

  /** Opens a link between pools that have room for each other and may lend. */
  open(lender: number, borrower: number): void {
    const link: Link = {
      lender,
      borrower,
      weight: weightIn(this.market, lender, borrower),
      cost: this.#costOf === undefined ? 0 : this.#costOf(lender, borrower),
      flow: this.#spare.pop() ?? new Float64Array(this.market.slots),
    };
    this.#attach(link);
    this.#journal?.steps.push({ opened: true, link });
    this.#objective -= link.cost;
    const { start, slot } = this.deficitSlots;
    const end = start[borrower + 1] as number;
    for (let at = start[borrower] as number; at < end; at += 1) {
      const t = slot[at] as number;
      this.#fill(link, t);
      if (this.#idleOf(lender, t) > NOTHING) this.#relieve(link, t);
      else if (this.#unmetOf(borrower, t) > NOTHING) this.#supply(link, t);
    }
  }

  /** Closes a link; its neighbours take over what they can. */
  close(link: Link): void {
    const { lender, borrower, flow } = link;
    this.#detach(link);
    this.#journal?.steps.push({ opened: false, link });
    this.#objective += link.cost;
    const { start, slot } = this.deficitSlots;
    const end = start[borrower + 1] as number;
    for (let at = start[borrower] as number; at < end; at += 1) {
      const t = slot[at] as number;
      const amount = flow[t] as number;
      if (amount === 0) continue;
      this.#shift(link, t, -amount);
      for (const other of this.borrowing[borrower] as Link[]) this.#fill(other, t);
      for (const other of this.lending[lender] as Link[]) this.#fill(other, t);
    }
    if (this.#journal === undefined) this.#spare.push(flow);
  }

  #idleOf(lender: number, slot: number): number {
    return this.idle[lender * this.market.slots + slot] as number;
  }

  #unmetOf(borrower: number, slot: number): number {
    return this.unmet[borrower * this.market.slots + slot] as number;
  }

  #attach(link: Link): void {
    (this.lending[link.lender] as Link[]).push(link);
    (this.borrowing[link.borrower] as Link[]).push(link);
  }

  #detach(link: Link): void {
    for (const list of [this.lending[link.lender] as Link[], this.borrowing[link.borrower] as Link[]]) {
      list.splice(list.indexOf(link), 1);
    }
  }

  /** Changes the flow of a link in a slot. */
  #shift(link: Link, slot: number, amount: number): void {
    const { slots } = this.market;
    this.#add(link.flow, slot, amount);
    this.#add(this.idle, link.lender * slots + slot, -amount);
    this.#add(this.unmet, link.borrower * slots + slot, -amount);
    this.#objective += amount * link.weight;
  }

  #add(cells: Float64Array, at: number, amount: number): void {
    const was = cells[at] as number;
    const journal = this.#journal;
    if (journal !== undefined) {
      journal.cells.push(cells);
      journal.places.push(at);
      journal.values.push(was);
    }
    const now = was + amount;
    cells[at] = now < NOTHING ? 0 : now;
  }

  /** Lends over a link what both ends have left. */
  #fill(link: Link, slot: number): void {
    const have = this.#idleOf(link.lender, slot);
    const lack = this.#unmetOf(link.borrower, slot);
    const amount = have < lack ? have : lack;
    if (amount > NOTHING) this.#shift(link, slot, amount);
  }

  /** The lender has more, the borrower is served: the borrower's other lenders may serve their other borrowers instead. */
  #relieve(link: Link, slot: number): void {
    for (const given of this.borrowing[link.borrower] as Link[]) {
      if (given === link) continue;
      for (const instead of this.lending[given.lender] as Link[]) {
        const room = Math.min(given.flow[slot] as number, this.#idleOf(link.lender, slot));
        if (room <= NOTHING) break;
        if (instead === given) continue;
        this.#reroute(slot, Math.min(room, this.#unmetOf(instead.borrower, slot)), { onto: link, off: given, instead });
      }
    }
  }

  /** The borrower lacks more, the lender is empty: the lender's other borrowers may turn to their other lenders instead. */
  #supply(link: Link, slot: number): void {
    for (const given of this.lending[link.lender] as Link[]) {
      if (given === link) continue;
      for (const instead of this.borrowing[given.borrower] as Link[]) {
        const room = Math.min(given.flow[slot] as number, this.#unmetOf(link.borrower, slot));
        if (room <= NOTHING) break;
        if (instead === given) continue;
        this.#reroute(slot, Math.min(room, this.#idleOf(instead.lender, slot)), { onto: link, off: given, instead });
      }
    }
  }

  /** Moves an amount off one link and onto two others, if that is worth it. */
  #reroute(
    slot: number,
    amount: number,
    path: { readonly onto: Link; readonly off: Link; readonly instead: Link },
  ): void {
    const { onto, off, instead } = path;
    if (amount <= NOTHING || onto.weight + instead.weight <= off.weight) return;
    this.#shift(off, slot, -amount);
    this.#shift(onto, slot, amount);
    this.#shift(instead, slot, amount);
  }

  /** From here on, changes can be taken back. */
  begin(): void {
    this.#journal = { objective: this.#objective, steps: [], cells: [], places: [], values: [] };
  }

  /** Keeps the changes since `begin`. */
  keep(): void {
    const steps = this.#journal?.steps ?? [];
    this.#journal = undefined;
    for (const { opened, link } of steps) if (!opened) this.#spare.push(link.flow);
  }

  /** Takes back the changes since `begin`. */
  undo(): void {
    const journal = this.#journal;
    if (journal === undefined) return;
    this.#journal = undefined;
    const { cells, places, values, steps } = journal;
    for (let index = cells.length - 1; index >= 0; index -= 1) {
      (cells[index] as Float64Array)[places[index] as number] = values[index] as number;
    }
    for (const { opened, link } of steps.toReversed()) {
      if (opened) this.#detach(link);
      else this.#attach(link);
    }
    for (const { opened, link } of steps) if (opened) this.#spare.push(link.flow);
    this.#objective = journal.objective;
  }
}
