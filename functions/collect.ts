import type { PoolSpec, ResourceMetric } from '../core/pool.ts';
import { demandUnits } from '../core/telemetry/demand.ts';
import type { DemandHistory, DemandSample } from '../core/telemetry/history.ts';
import { emptyHistory, historyEndMillis, mergeSamples } from '../core/telemetry/history.ts';
import type { EpochMillis, ResourceType } from '../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND, RESOURCE_TYPES } from '../core/units.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import type { PoolHistory } from './adapters/history-store.ts';
import { readHistory, writeHistory } from './adapters/history-store.ts';
import { poolKey } from './adapters/keys.ts';
import { lambda } from './adapters/middleware.ts';
import { poolInputSchema } from './adapters/schemas.ts';
import type { MetricSample, MetricSeries } from './adapters/telemetry.ts';
import { readMetrics } from './adapters/telemetry.ts';

const env = readEnv(
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_HISTORY_BUCKET',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };

/** Four weeks of five-minute steps: enough for the weekly season twice over, and for its forecast errors. */
const MAX_STEPS = 8_064;
/** Metrics are revised for a while after their period: the end of what is known is read again. */
const OVERLAP_STEPS = 12;

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
function demandSamples(series: MetricSeries, resource: ResourceType, metric: ResourceMetric): DemandSample[] {
  const counts = series.inService ?? [];
  return (series[resource] ?? []).flatMap(({ at, value }) => {
    const inService = inServiceAt(counts, at);
    return inService === undefined ? [] : [{ atMillis: at, demandUnits: demandUnits(value, inService, metric) }];
  });
}

function collectFrom(known: readonly DemandHistory[], spec: PoolSpec, at: EpochMillis): EpochMillis {
  const stepMillis = spec.historyStepSeconds * MILLIS_PER_SECOND;
  const oldest = at - MAX_STEPS * stepMillis;
  const ends = known.filter((history) => history.values.length > 0).map(historyEndMillis);
  const from =
    ends.length < Object.keys(spec.resources).length ? oldest : Math.min(...ends) - OVERLAP_STEPS * stepMillis;
  return epochMillis(Math.floor(Math.max(oldest, from) / stepMillis) * stepMillis);
}

/** Brings one pool's demand history up to date from the metrics of its account. Running it again changes nothing. */
export const handler = lambda(poolInputSchema, async ({ poolId }) => {
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [poolKey(poolId)]);
  const spec = items.pool(poolId)?.spec;
  if (spec === undefined) throw new Error(`pool ${poolId} is not enrolled`);
  const stored = await readHistory(env.ENTANGLE_HISTORY_BUCKET, poolId);
  const step = spec.historyStepSeconds;
  const measured = RESOURCE_TYPES.filter((type) => spec.resources[type] !== undefined);
  // A changed step makes the old history incomparable: it is collected anew.
  const known = measured.map((type) =>
    stored[type]?.stepSeconds === step ? stored[type] : emptyHistory(poolId, type, step),
  );
  const at = now();
  const series = await readMetrics(spec, collectFrom(known, spec, at), at, step, role);
  const updated = known.map((history) => {
    const metric = spec.resources[history.resource];
    const samples = metric === undefined ? [] : demandSamples(series, history.resource, metric);
    return mergeSamples(history, samples, MAX_STEPS);
  });
  const history: PoolHistory = Object.fromEntries(updated.map((one) => [one.resource, one]));
  await writeHistory(env.ENTANGLE_HISTORY_BUCKET, poolId, history);
  return { poolId, steps: Object.fromEntries(updated.map((one) => [one.resource, one.values.length])) };
});
