import type { ResourceType } from '../core/units.ts';
import { RESOURCE_TYPES } from '../core/units.ts';
import { highest, lowest, quantile } from './statistics.ts';

/** Utilisation in percent, one value a step, by resource type. CPU is always there. */
export type Utilisation = Readonly<Partial<Record<ResourceType, readonly number[]>>> & {
  readonly cpu: readonly number[];
};

/** The steps from `from` to before `to` of every resource type. */
export function sliceSteps(utilisation: Utilisation, from: number, to: number): Utilisation {
  const columns = RESOURCE_TYPES.flatMap((type) => {
    const values = utilisation[type];
    return values === undefined ? [] : [[type, values.slice(from, to)] as const];
  });
  return { cpu: [], ...Object.fromEntries(columns) };
}

/** Demand in units (fully used instances) by resource type at one step. */
export type Demand = Readonly<Partial<Record<ResourceType, number>>>;

/** The rules by which every account is sized and scaled. They see the history only, never the hours that are replayed. */
export const SIZING = {
  /** The accounts' own scaling policies keep utilisation at this. */
  targetPercent: 80,
  /** The alarm that asks for capacity. */
  thresholdPercent: 85,
  /** Own capacity must be below this for a loan to count as no longer needed. */
  recoveryPercent: 75,
  /** The burstiest account cannot pay for its peaks: its ceiling carries this share of the history at the target. */
  tightShare: 0.85,
  /** The others keep this much above the highest demand of their history. */
  spareOverPeak: 0.2,
  /** Memory, network and storage at their highest of the history, in the fewest instances that CPU needs. */
  otherResourcesPercent: 60,
} as const;

export interface Sizing {
  /** `MaxSize`: the ceiling of the group before any loan. */
  readonly ceilingUnits: number;
  /** `MinSize`. */
  readonly floorUnits: number;
  /** Units of demand for each percent of the trace. */
  readonly unitsPerPercent: Readonly<Partial<Record<ResourceType, number>>>;
}

/** How much an owner can afford: a ceiling below its own peaks, or one with room above them. */
export type Provision = 'tight' | 'generous';

/** The rules in sentences, as they are printed and reported. */
export function describeSizing(): string[] {
  const { targetPercent, thresholdPercent, tightShare, spareOverPeak, otherResourcesPercent } = SIZING;
  return [
    `The account with the burstiest history (highest P99 over median of CPU) has a tight ceiling: it carries ${Math.round(tightShare * 100)} % of that history at ${targetPercent} % CPU.`,
    `The others have room: their ceilings carry ${Math.round(spareOverPeak * 100)} % more than the highest demand of their history.`,
    `Each account's own scaling policy keeps utilisation at ${targetPercent} %, never above its ceiling; the alarm fires at ${thresholdPercent} %.`,
    `Memory, network and storage at their highest of the history use ${otherResourcesPercent} % of the fewest instances that CPU needed.`,
  ];
}

/** How bursty a history is: its 99th percentile over its median. */
export function burstiness(history: Utilisation): number {
  return quantile(history.cpu, 0.99) / positive(quantile(history.cpu, 0.5));
}

/**
 * Sizes a group from its history: what its owner provisions for, at the target, is its ceiling of `ceilingUnits` instances.
 * Only ratios of the history matter, so a trace without a known capacity can be sized as well.
 */
export function sizeGroup(history: Utilisation, ceilingUnits: number, provision: Provision): Sizing {
  const target = SIZING.targetPercent / 100;
  const provisionedPercent =
    provision === 'tight'
      ? quantile(history.cpu, SIZING.tightShare)
      : highest(history.cpu) * (1 + SIZING.spareOverPeak);
  const perPercent = (ceilingUnits * target) / positive(provisionedPercent);
  const fewestNeeded = neededUnits({ cpu: lowest(history.cpu) * perPercent }, SIZING.targetPercent);
  const fewestUnits = Math.max(1, Math.min(ceilingUnits, fewestNeeded));
  const others = RESOURCE_TYPES.filter((type) => type !== 'cpu').flatMap((type) => {
    const values = history[type];
    if (values === undefined) return [];
    return [[type, (fewestUnits * SIZING.otherResourcesPercent) / 100 / positive(highest(values))] as const];
  });
  return {
    ceilingUnits,
    floorUnits: Math.max(1, Math.floor(fewestUnits / 2)),
    unitsPerPercent: { cpu: perPercent, ...Object.fromEntries(others) },
  };
}

/** A trace of zeros has no shape to size by; one percent stands in for it. */
function positive(value: number): number {
  return value > 0 ? value : 1;
}

/** Demand in units at one step of a trace; beyond its end, of its last step. */
export function demandAt(trace: Utilisation, sizing: Sizing, step: number): Demand {
  return Object.fromEntries(
    RESOURCE_TYPES.flatMap((type) => {
      const values = trace[type];
      const factor = sizing.unitsPerPercent[type];
      if (values === undefined || factor === undefined) return [];
      const percent = values[Math.min(step, values.length - 1)] ?? 0;
      return [[type, percent * factor] as const];
    }),
  );
}

/** Units that a demand needs at a utilisation in percent: that of the resource type that needs the most. */
export function neededUnits(demand: Demand, percent: number): number {
  return Math.ceil(highest([0, ...Object.values(demand)]) / (percent / 100) - 1e-9);
}
