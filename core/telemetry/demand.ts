import type { PoolSpec, ResourceMetric } from '../pool.ts';
import type { ResourceType } from '../units.ts';
import { invariant, RESOURCE_TYPES } from '../units.ts';

/** Quotients this close to a whole number are taken for it: 0.1 + 0.2 must not cost an instance. */
const RELATIVE_TOLERANCE = 1e-9;

/** A metric's value as utilisation of one instance, in percent. The metric must be one per instance (Average or Maximum over a group). */
export function utilisationPercent(metricValue: number, metric: ResourceMetric): number {
  return (metricValue / metric.fullUsePerUnit) * 100;
}

/**
 * Demand in units (fully used instances) at a moment: utilisation × instances in service at that moment. A Sum over the group is
 * demand already, however many instances there are.
 */
export function demandUnits(metricValue: number, inServiceUnits: number, metric: ResourceMetric): number {
  const instances = metric.statistic === 'Sum' ? 1 : inServiceUnits;
  return Math.max(0, (metricValue / metric.fullUsePerUnit) * instances);
}

/**
 * The fewest units on which a demand runs below the alarm's threshold. Strictly below: the alarm fires at the threshold.
 * @param demand in units (fully used instances)
 */
export function unitsBelowThreshold(demand: number, thresholdPercent: number): number {
  invariant(Number.isFinite(demand) && demand >= 0, `a demand is a finite number of units from 0, got ${demand}`);
  invariant(thresholdPercent > 0, `a threshold is above 0 %, got ${thresholdPercent}`);
  if (demand === 0) return 0;
  const quotient = (demand * 100) / thresholdPercent;
  return Math.floor(quotient + RELATIVE_TOLERANCE * Math.max(1, quotient)) + 1;
}

/** Whether a demand runs on so many units at a utilisation of at most `percent`. */
export function fits(demand: number, units: number, percent: number): boolean {
  const room = (units * percent) / 100;
  return demand <= room + RELATIVE_TOLERANCE * Math.max(1, room);
}

export interface NeededUnits {
  /** The most over the resource types. */
  readonly units: number;
  /** The resource type that needs the most; undefined when no demand is known. The first in the order of RESOURCE_TYPES on a tie. */
  readonly bindingResource: ResourceType | undefined;
  readonly byResource: Readonly<Partial<Record<ResourceType, number>>>;
}

/**
 * Units that a pool needs so that each resource type stays below its threshold. Types that the pool does not measure are
 * left out.
 * @param demandByResource in units (fully used instances)
 */
export function neededUnits(
  demandByResource: Readonly<Partial<Record<ResourceType, number>>>,
  spec: Pick<PoolSpec, 'resources'>,
): NeededUnits {
  const byResource: Partial<Record<ResourceType, number>> = {};
  let units = 0;
  let bindingResource: ResourceType | undefined;
  for (const resource of RESOURCE_TYPES) {
    const demand = demandByResource[resource];
    const metric = spec.resources[resource];
    if (demand === undefined || metric === undefined) continue;
    const needed = unitsBelowThreshold(demand, metric.thresholdPercent);
    byResource[resource] = needed;
    if (bindingResource === undefined || needed > units) {
      units = needed;
      bindingResource = resource;
    }
  }
  return { units, bindingResource, byResource };
}
