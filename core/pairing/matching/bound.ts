import type { Market } from './market.ts';
import { weightIn } from './market.ts';
import type { Arc } from './max-flow.ts';
import { maximise } from './max-flow.ts';
import { NOTHING } from './network.ts';

/** What a slot holds. */
interface SlotSums {
  readonly surplus: number;
  readonly deficit: number;
  /** The largest `surplus + deficit` of one pool. */
  readonly largestPool: number;
}

function sumsOf({ count, slots, surplus, deficit }: Market): SlotSums[] {
  const lendable = new Float64Array(slots);
  const lacking = new Float64Array(slots);
  const largest = new Float64Array(slots);
  for (let pool = 0; pool < count; pool += 1) {
    for (let slot = 0; slot < slots; slot += 1) {
      const have = surplus[pool * slots + slot] as number;
      const lack = deficit[pool * slots + slot] as number;
      lendable[slot] = (lendable[slot] as number) + have;
      lacking[slot] = (lacking[slot] as number) + lack;
      if (have + lack > (largest[slot] as number)) largest[slot] = have + lack;
    }
  }
  return Array.from({ length: slots }, (_, slot) => ({
    surplus: lendable[slot] as number,
    deficit: lacking[slot] as number,
    largestPool: largest[slot] as number,
  }));
}

/** The optimum of a slot in which every pool may lend to every other one; docs/pairing.md has the proof. */
function completeOptimum({ surplus, deficit, largestPool }: SlotSums): number {
  return Math.max(0, Math.min(surplus, deficit, surplus + deficit - largestPool));
}

/** Those with units to lend and those that lack some in a slot. */
function rolesIn({ count, slots, surplus, deficit }: Market, slot: number) {
  const idle = new Float64Array(count);
  const unmet = new Float64Array(count);
  const lenders: number[] = [];
  const borrowers: number[] = [];
  for (let pool = 0; pool < count; pool += 1) {
    idle[pool] = surplus[pool * slots + slot] as number;
    unmet[pool] = deficit[pool * slots + slot] as number;
    if ((idle[pool] as number) > NOTHING) lenders.push(pool);
    if ((unmet[pool] as number) > NOTHING) borrowers.push(pool);
  }
  return { idle, unmet, lenders, borrowers };
}

/** Lends to each borrower in turn from whoever may. @returns what flows, pair by pair */
function lendInTurn(
  market: Market,
  { idle, unmet, lenders, borrowers }: ReturnType<typeof rolesIn>,
): Map<string, number> {
  const flows = new Map<string, number>();
  for (const borrower of borrowers) {
    for (const lender of lenders) {
      const amount = Math.min(idle[lender] as number, unmet[borrower] as number);
      if (amount <= NOTHING || weightIn(market, lender, borrower) <= 0) continue;
      flows.set(`${lender} ${borrower}`, amount);
      idle[lender] = (idle[lender] as number) - amount;
      unmet[borrower] = (unmet[borrower] as number) - amount;
      if (unmet[borrower] <= NOTHING) break;
    }
  }
  return flows;
}

/** The optimum of a slot in which some pairs are refused. */
function gatedOptimum(market: Market, slot: number, atMost: number): number {
  const roles = rolesIn(market, slot);
  const flows = lendInTurn(market, roles);
  const lent = [...flows.values()].reduce((sum, flow) => sum + flow, 0);
  // As much as if nobody were refused: nothing can be more.
  if (lent >= atMost - NOTHING * Math.max(1, atMost)) return Math.min(lent, atMost);
  const arcs: Arc[] = roles.borrowers.flatMap((borrower) =>
    roles.lenders
      .filter((lender) => weightIn(market, lender, borrower) > 0)
      .map((lender) => ({ lender, borrower, flow: flows.get(`${lender} ${borrower}`) ?? 0 })),
  );
  maximise({ arcs, idle: roles.idle, unmet: roles.unmet });
  return arcs.reduce((sum, { flow }) => sum + flow, 0);
}

/**
 * The most unit-slots that any plan could serve, were the number of partners unlimited; exact. Where every pair may lend, a slot's
 * optimum is `min(Σ surplus, Σ deficit)`, less what a pool could only lend to itself; where gates refuse pairs, it is the
 * slot's maximum flow.
 */
export function unlimitedBound(market: Market): number {
  return sumsOf(market).reduce((sum, sums, slot) => {
    const atMost = completeOptimum(sums);
    return sum + (market.weightOf === undefined ? atMost : gatedOptimum(market, slot, atMost));
  }, 0);
}
