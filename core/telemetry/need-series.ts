import { withoutGaps } from '../forecast/fill-gaps.ts';
import type { PoolSpec, ResourceMetric } from '../pool.ts';
import type { EpochMillis, ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, RESOURCE_TYPES } from '../units.ts';
import type { DemandHistory } from './history.ts';

const SECONDS_A_DAY = 86_400;

/** Units that a pool needed, over all of its resource types, at a fixed step. */
export interface NeedSeries {
  readonly startMillis: number;
  /** End of the last step. */
  readonly endMillis: number;
  /** Units with their fraction: demand ÷ the share of a unit at which the alarm fires, the largest over the resource types. */
  readonly values: readonly number[];
  /** Steps in which every resource type was measured; the others are filled in. */
  readonly knownSteps: number;
  /** The resource type that needs the most in the last step. */
  readonly bindingResource: ResourceType;
}

interface Measured {
  readonly resource: ResourceType;
  readonly metric: ResourceMetric;
  readonly history: DemandHistory;
  /** Steps up to the last that is known, of those that are over. */
  readonly steps: number;
}

/** Steps of a history up to the last known one that is over: the step that is still being measured says nothing yet. */
function stepsOver({ startMillis, stepSeconds, values }: DemandHistory, now: EpochMillis): number {
  let steps = Math.min(values.length, Math.floor((now - startMillis) / (stepSeconds * MILLIS_PER_SECOND)));
  while (steps > 0 && (values[steps - 1] ?? null) === null) steps -= 1;
  return Math.max(0, steps);
}

/**
 * What a pool needed, from the first to the last moment at which all of its resource types are known.
 * @returns undefined where a resource type that the pool measures has no history at its step
 */
export function needSeries(
  histories: Readonly<Partial<Record<ResourceType, DemandHistory>>>,
  spec: Pick<PoolSpec, 'resources' | 'historyStepSeconds'>,
  now: EpochMillis,
): NeedSeries | undefined {
  const { historyStepSeconds: stepSeconds, resources } = spec;
  const stepMillis = stepSeconds * MILLIS_PER_SECOND;
  const measured: Measured[] = [];
  for (const resource of RESOURCE_TYPES) {
    const [metric, history] = [resources[resource], histories[resource]];
    if (metric === undefined) continue;
    if (history?.stepSeconds !== stepSeconds) return undefined;
    measured.push({ resource, metric, history, steps: stepsOver(history, now) });
  }
  const startMillis = Math.max(...measured.map(({ history }) => history.startMillis));
  const endMillis = Math.min(...measured.map(({ history, steps }) => history.startMillis + steps * stepMillis));
  const steps = Math.round((endMillis - startMillis) / stepMillis);
  if (measured.length === 0 || steps < 1) return undefined;
  const cut = measured.map(({ resource, metric, history }) => {
    const first = Math.round((startMillis - history.startMillis) / stepMillis);
    const values = history.values.slice(first, first + steps);
    return { resource, metric, values, ...filled(values, stepSeconds) };
  });
  const skipped = Math.max(...cut.map((each) => each.skipped));
  const needs = cut.map(({ metric, skipped: own, filledValues }) =>
    filledValues.slice(skipped - own).map((demand) => (demand * 100) / metric.thresholdPercent),
  );
  const values = largestOf(needs, steps - skipped);
  const last = values.at(-1);
  const binding = cut[needs.findIndex((need) => need.at(-1) === last)];
  if (binding === undefined || last === undefined) return undefined;
  return {
    startMillis: startMillis + skipped * stepMillis,
    endMillis,
    values,
    knownSteps: knownIn(
      cut.map((each) => each.values),
      skipped,
    ),
    bindingResource: binding.resource,
  };
}

/** The largest of some series at each step. */
function largestOf(series: readonly (readonly number[])[], steps: number): number[] {
  const largest = Array.from({ length: steps }, () => Number.NEGATIVE_INFINITY);
  for (const each of series) {
    for (let step = 0; step < steps; step += 1) largest[step] = Math.max(largest[step] as number, each[step] ?? 0);
  }
  return largest;
}

/** Steps from one on in which nothing is missing from any series; all are of one length. */
function knownIn(series: readonly (readonly (number | null)[])[], from: number): number {
  let known = 0;
  for (let step = from; step < (series[0]?.length ?? 0); step += 1) {
    if (series.every((each) => each[step] !== null)) known += 1;
  }
  return known;
}

function filled(values: readonly (number | null)[], stepSeconds: number) {
  const { values: filledValues, skipped } = withoutGaps(values, Math.max(1, Math.round(SECONDS_A_DAY / stepSeconds)));
  return { filledValues, skipped };
}
