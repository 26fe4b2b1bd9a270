import type { Holding } from '../../core/allocation/preemption.ts';
import type { PreemptingRequest, RecallableLoan } from '../../core/allocation/preemption-plan.ts';
import type { Criticality, RankedRequest, SlaTier } from '../../core/allocation/priority.ts';
import { CRITICALITIES, SLA_TIERS } from '../../core/allocation/priority.ts';
import type { QuotaNode } from '../../core/allocation/quota-tree.ts';
import type { RandomSource } from '../../core/forecast/random.ts';

/** Random instances, made from a seed. */
export const KEY = 'units';
const HOUR_MILLIS = 3_600_000;

export function whole(random: RandomSource, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function pick<Value>(random: RandomSource, values: readonly Value[]): Value {
  const value = values[whole(random, 0, values.length - 1)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

function limit(random: RandomSource, most: number): { readonly [KEY]: number } | Record<string, never> {
  return random() < 0.4 ? { [KEY]: whole(random, 0, most) } : {};
}

/** A small organisation: two levels of units above a few pools, some of them outside. */
export function smallTree(random: RandomSource): { readonly nodes: QuotaNode[]; readonly leaves: readonly string[] } {
  const units = whole(random, 1, 3);
  const nodes: QuotaNode[] = [{ id: 'root', ownedUnits: random() < 0.3 ? { [KEY]: whole(random, 0, 3) } : {} }];
  const leaves: string[] = [];
  for (let unit = 0; unit < units; unit += 1) {
    const limits = { borrowLimitUnits: limit(random, 6), lendLimitUnits: limit(random, 6) };
    const owned = random() < 0.3 ? { [KEY]: whole(random, 0, 4) } : {};
    nodes.push({ id: `ou${unit}`, parentId: 'root', ownedUnits: owned, ...limits });
    const pools = whole(random, 1, 3);
    for (let pool = 0; pool < pools; pool += 1) {
      const id = `ou${unit}/p${pool}`;
      const poolLimits = { borrowLimitUnits: limit(random, 5), lendLimitUnits: limit(random, 4) };
      nodes.push({ id, parentId: `ou${unit}`, ownedUnits: { [KEY]: whole(random, 0, 5) }, ...poolLimits });
      leaves.push(id);
    }
  }
  return { nodes, leaves };
}

export function holding(random: RandomSource, id: string, nodeId: string, units: number): Holding {
  return { id, nodeId, units: { [KEY]: units }, priority: whole(random, -2, 0), sinceSeconds: whole(random, -9, 0) };
}

/** Loans of a lender pool, some on the way back, some inside their term. */
export function loansOf(random: RandomSource, count: number, nowMillis: number): RecallableLoan[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `loan${index}`,
    borrowerAccountId: `account${whole(random, 0, 4)}`,
    tier: pick<SlaTier>(random, SLA_TIERS),
    unitsForRequest: whole(random, 0, 5),
    activeAtMillis: nowMillis - whole(random, 0, 20) * HOUR_MILLIS,
    ...(random() < 0.2 ? { shortestUntilMillis: nowMillis + whole(random, -1, 1) * HOUR_MILLIS } : {}),
    ...(random() < 0.2 ? { returning: true } : {}),
    ...(random() < 0.1 ? { heldFor: pick(random, ['request0', 'request1']) } : {}),
  }));
}

export function requestOf(random: RandomSource, index: number, nowMillis: number): PreemptingRequest & RankedRequest {
  const deficitUnits = whole(random, 1, 9);
  return {
    id: `request${index}`,
    accountId: `account${whole(random, 0, 4)}`,
    tier: pick<SlaTier>(random, SLA_TIERS),
    criticality: pick<Criticality>(random, CRITICALITIES),
    requestedAtMillis: nowMillis - whole(random, 0, 10_000) * 1_000,
    deficitUnits,
    fairShare: whole(random, -20, 20) / 20,
    ...(random() < 0.3 ? { minimumUnits: whole(random, 1, deficitUnits) } : {}),
  };
}
