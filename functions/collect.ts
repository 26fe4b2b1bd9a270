import { noteCeiling } from '../core/enrolment.ts';
import type { PoolSpec } from '../core/pool.ts';
import type { StepSeries } from '../core/telemetry/history.ts';
import { emptyHistory, historyEndMillis, mergeSamples, mergeValues } from '../core/telemetry/history.ts';
import type { EpochMillis, PoolId } from '../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND, poolIdParts, RESOURCE_TYPES } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { demandSamples } from './adapters/demand.ts';
import { readEnv } from './adapters/env.ts';
import { writePool } from './adapters/governance-store.ts';
import type { PoolHistory } from './adapters/history-store.ts';
import { readHistory, writeHistory } from './adapters/history-store.ts';
import { chainKey, poolKey } from './adapters/keys.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { raisesOwnCeiling } from './adapters/scaling-policies.ts';
import { poolInputSchema } from './adapters/schemas.ts';
import { readApplicationMetrics, readMetrics } from './adapters/telemetry.ts';

const env = readEnv(
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_AUDIT_TABLE',
  'ENTANGLE_HISTORY_BUCKET',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };

const tables = { accountsTable: env.ENTANGLE_ACCOUNTS_TABLE, auditTable: env.ENTANGLE_AUDIT_TABLE };

/** Four weeks of five-minute steps: enough for the weekly season twice over, and for its forecast errors. */
const MAX_STEPS = 8_064;
/** Metrics are revised for a while after their period: the end of what is known is read again. */
const OVERLAP_STEPS = 12;

/** From where on metrics are read: the end of what is known of all of them, and a little before it. */
function collectFrom(known: readonly StepSeries[], spec: PoolSpec, at: EpochMillis): EpochMillis {
  const stepMillis = spec.historyStepSeconds * MILLIS_PER_SECOND;
  const oldest = at - MAX_STEPS * stepMillis;
  const ends = known.map((series) => (series.values.length === 0 ? oldest : historyEndMillis(series)));
  const from = Math.min(...ends) - OVERLAP_STEPS * stepMillis;
  return epochMillis(Math.floor(Math.max(oldest, from) / stepMillis) * stepMillis);
}

/** The application's metrics with what is new of them. A metric that the pool does not name any more is forgotten. */
async function collectRegressors(
  spec: PoolSpec,
  stored: PoolHistory,
  at: EpochMillis,
): Promise<Record<string, StepSeries>> {
  const stepSeconds = spec.historyStepSeconds;
  const known = (spec.applicationMetrics ?? []).map(({ name }): [string, StepSeries] => {
    const before = stored.regressors?.[name];
    return [name, before?.stepSeconds === stepSeconds ? before : { stepSeconds, startMillis: 0, values: [] }];
  });
  if (known.length === 0) return {};
  const from = collectFrom(
    known.map(([, series]) => series),
    spec,
    at,
  );
  const fresh = await readApplicationMetrics(spec, from, at, stepSeconds, role);
  return Object.fromEntries(
    known.map(([name, series]) => {
      const samples = (fresh.get(name) ?? []).map((sample) => ({ atMillis: sample.at, value: sample.value }));
      return [name, mergeValues(series, samples, MAX_STEPS)];
    }),
  );
}

/** A pool whose own scaling raises its ceiling is left out of the plan that this is collected for. */
async function lookAtCeiling(items: AccountItems, poolId: PoolId, at: EpochMillis): Promise<void> {
  const pool = items.pool(poolId);
  if (pool === undefined) return;
  const { accountId } = pool.spec;
  try {
    const noted = noteCeiling(pool, await raisesOwnCeiling(pool.spec, role), 'collect', at);
    if (noted === undefined) return;
    await writePool(noted.pool, undefined, pool.version, noted.audit, items.head(accountId), tables);
  } catch (error) {
    // A loan moves it, its owner enrols it anew, or its group cannot be read: the next plan looks again.
    logger.warn('it was not noted whether the ceiling is fixed', { poolId, error: error as Error });
  }
}

/** Brings one pool's history up to date from the metrics of its account. Running it again changes nothing. */
export const handler = lambda(poolInputSchema, async ({ poolId }) => {
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, [
    poolKey(poolId),
    chainKey(poolIdParts(poolId).accountId),
  ]);
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
  await lookAtCeiling(items, poolId, at);
  const [series, regressors] = await Promise.all([
    readMetrics(spec, collectFrom(known, spec, at), at, step, role),
    collectRegressors(spec, stored, at),
  ]);
  const updated = known.map((history) => {
    return mergeSamples(history, demandSamples(series, history.resource, spec), MAX_STEPS);
  });
  const history: PoolHistory = {
    ...Object.fromEntries(updated.map((one) => [one.resource, one])),
    ...(Object.keys(regressors).length === 0 ? {} : { regressors }),
  };
  await writeHistory(env.ENTANGLE_HISTORY_BUCKET, poolId, history);
  return { poolId, steps: Object.fromEntries(updated.map((one) => [one.resource, one.values.length])) };
});
