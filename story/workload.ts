import type { ResourceType } from '../core/units.ts';
import type { Demand, Sizing, Utilisation } from './sizing.ts';
import { demandAt, neededUnits, SIZING } from './sizing.ts';

/** Steps during which need must stay lower before a policy scales in. */
const SCALE_IN_STEPS = 6;

/**
 * The account's own scaling policy, as target tracking works: out at once, in only after the need has been lower for a
 * while, always between the floor and the ceiling that the group has at that moment.
 */
export interface ScalingPolicy {
  /** The desired capacity for this step's demand. */
  readonly desired: (demand: Demand, limits: { readonly minSize: number; readonly maxSize: number }) => number;
}

export function scalingPolicy(): ScalingPolicy {
  const recent: number[] = [];
  return {
    desired: (demand, { minSize, maxSize }) => {
      recent.push(neededUnits(demand, SIZING.targetPercent));
      if (recent.length > SCALE_IN_STEPS) recent.shift();
      return Math.min(maxSize, Math.max(minSize, ...recent));
    },
  };
}

/** Utilisation in percent by resource type when a demand meets instances; it cannot pass 100. */
export function utilisation(demand: Demand, inServiceUnits: number): Partial<Record<ResourceType, number>> {
  return Object.fromEntries(
    Object.entries(demand).map(([type, units]) => [type, Math.min(100, (units / Math.max(1, inServiceUnits)) * 100)]),
  );
}

/** One step of an account's past: what it needed and what was in service. */
export interface PastStep {
  readonly demand: Demand;
  readonly inServiceUnits: number;
}

/** The history as the account lived it: its policy scaling the group, without any lending. */
export function simulateHistory(trace: Utilisation, sizing: Sizing, steps: number): PastStep[] {
  const policy = scalingPolicy();
  const limits = { minSize: sizing.floorUnits, maxSize: sizing.ceilingUnits };
  return Array.from({ length: steps }, (_, step) => {
    const demand = demandAt(trace, sizing, step);
    return { demand, inServiceUnits: policy.desired(demand, limits) };
  });
}
