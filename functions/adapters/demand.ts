import type { PoolSpec } from '../../core/pool.ts';
import { demandUnits } from '../../core/telemetry/demand.ts';
import type { DemandSample } from '../../core/telemetry/history.ts';
import type { EpochMillis, ResourceType } from '../../core/units.ts';
import type { MetricSample, MetricSeries } from './telemetry.ts';

/** Instances in service at a moment: the newest count at or before it; before the first, the first. */
function inServiceAt(counts: readonly MetricSample[], at: EpochMillis): number | undefined {
  let low = 0;
  let high = counts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((counts[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return (counts[low - 1] ?? counts[0])?.value;
}

/** Demand is utilisation × the instances in service at that time; a sample without a known count says nothing. */
export function demandSamples(series: MetricSeries, resource: ResourceType, spec: PoolSpec): DemandSample[] {
  const metric = spec.resources[resource];
  const counts = series.inService ?? [];
  if (metric === undefined) return [];
  return (series[resource] ?? []).flatMap(({ at, value }) => {
    const inService = inServiceAt(counts, at);
    return inService === undefined ? [] : [{ atMillis: at, demandUnits: demandUnits(value, inService, metric) }];
  });
}
