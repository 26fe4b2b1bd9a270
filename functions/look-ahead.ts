/**
 * What a forecast gives reason to do before anything happens. After planning, for the pools that were planned; and by the clock
 * for all of them, with what has been measured since: that makes the outlooks that pools lend by. Starts a loan where a bottleneck is
 * likely enough, recalls what its lender may need, pauses the pairings of those pools whose demand has left its forecast, and plans
 * them anew.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import type { PoolForecast } from '../core/forecast/pool-forecast.ts';
import { lookAhead } from '../core/lending/borrow-ahead.ts';
import type { SeenHarm } from '../core/lending/harm-looks.ts';
import { fleetHarm } from '../core/lending/harm-looks.ts';
import type { Loan } from '../core/lending/loan.ts';
import type { Outlook, RiskRule } from '../core/lending/outlook.ts';
import { pausesForDrift } from '../core/pairing/interruptions.ts';
import type { Pool } from '../core/pool.ts';
import type { AccountId, PoolId } from '../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND, poolIdParts } from '../core/units.ts';
import type { AccountItems } from './adapters/account-store.ts';
import { pairingsOf, poolsByAccount, poolsByBucket, readAccountItems, writeOutlook } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { readFleetHarm, writeFleetHarm } from './adapters/fleet-harm.ts';
import { consentKey, outlookKey, planKey, poolKey } from './adapters/keys.ts';
import { lenderRecalls } from './adapters/lender-recalls.ts';
import { LOAN_TABLES, loanStore, loansOf } from './adapters/loan-store.ts';
import type { MeasuredNeed } from './adapters/measured-need.ts';
import { measuredNeed } from './adapters/measured-need.ts';
import { countOutlooks } from './adapters/metrics.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { writePauses } from './adapters/pairing-pauses.ts';
import { readPartPools } from './adapters/plan-store.ts';
import { lookAheadInputSchema } from './adapters/schemas.ts';
import { startBorrowAhead, startBorrowWatched, startPlanFor } from './adapters/starts.ts';
import { watchPool } from './adapters/watch.ts';

const env = readEnv(
  ...LOAN_TABLES,
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_HISTORY_BUCKET',
  'ENTANGLE_BORROW_STATE_MACHINE_ARN',
  'ENTANGLE_PLAN_STATE_MACHINE_ARN',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
  'ENTANGLE_LEND_BY',
  'ENTANGLE_HARM_TARGET',
  'ENTANGLE_LOOK_AHEAD_SECONDS',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const accountsTable = env.ENTANGLE_ACCOUNTS_TABLE;
const auditTables = { accountsTable, auditTable: env.ENTANGLE_AUDIT_TABLE };
const eventRoute = { accountsTable, busName: env.ENTANGLE_EVENT_BUS };
const measureRoute = {
  bucket: env.ENTANGLE_HISTORY_BUCKET,
  role,
  outlookPeriodSeconds: env.ENTANGLE_LEND_BY === 'outlook' ? env.ENTANGLE_LOOK_AHEAD_SECONDS : undefined,
};
const followsHarm = env.ENTANGLE_LEND_BY === 'outlook' && env.ENTANGLE_HARM_TARGET > 0;
const stepFunctions = new SFNClient({});
const ownUnits = lenderRecalls(env, loanStore(env));

/** A pool with what is forecast of it. */
interface Forecasts {
  readonly pool: Pool;
  /** Absent: none was made, or demand has left it. */
  readonly forecast: PoolForecast | undefined;
  readonly outlook: Outlook | undefined;
}

/** What a pool has lent comes back before it borrows; it is looked at again once that is there. */
async function recallWhereNeeded({ pool, forecast, outlook }: Forecasts): Promise<boolean> {
  const need = await ownUnits.ahead({ pool, plan: forecast, outlook, now: now() });
  if (need === undefined || need.inTimeUnits === 0) return false;
  logger.info('own units come back', { poolId: pool.spec.poolId, units: need.inTimeUnits, reason: need.reason });
  return true;
}

async function borrowWhereLikely(forecasts: Forecasts, openLoans: readonly Loan[]): Promise<boolean> {
  const { poolId } = forecasts.pool.spec;
  const decided = lookAhead({ ...forecasts, openLoans, now: now() });
  if (decided.action === 'none') return false;
  const { bottleneck, coolDownUntil, reason } = decided;
  logger.info('borrowing ahead', { poolId, reason });
  const start = {
    poolId,
    resourceType: bottleneck.resource,
    slotAt: epochMillis(bottleneck.slotMillis),
    coolDownUntil,
  };
  return (await startBorrowAhead(stepFunctions, env.ENTANGLE_BORROW_STATE_MACHINE_ARN, start)).started;
}

/** What demand is doing just now needs no forecast: a pool is watched even when its demand has left its own. */
async function borrowWhereWatched(pool: Pool, openLoans: readonly Loan[]): Promise<boolean> {
  const watched = await watchPool(pool, openLoans, now(), env.ENTANGLE_HISTORY_BUCKET, role);
  if (watched.action === 'none') return false;
  const { poolId, watch } = pool.spec;
  const { need, coolDownUntil } = watched;
  logger.info('borrowing by what was watched', { poolId, reason: need.reason });
  const withinMillis = (watch?.[need.kind]?.withinSeconds ?? 1) * MILLIS_PER_SECOND;
  const start = { poolId, need, coolDownUntil, withinMillis };
  return (await startBorrowWatched(stepFunctions, env.ENTANGLE_BORROW_STATE_MACHINE_ARN, start)).started;
}

/** What a pool was paired on holds no longer once its demand has left its forecast: the next plan sees which pairs still hold. */
async function pauseDrifted(account: AccountId, drifted: readonly PoolId[]): Promise<number> {
  if (drifted.length === 0) return 0;
  const pairings = await pairingsOf(accountsTable, account);
  const pauses = pausesForDrift(pairings, new Set(drifted), 'look-ahead', now());
  return writePauses(pauses, auditTables, eventRoute);
}

/** What a look by the clock knows of the harm that lending does. */
interface HarmLook {
  readonly rule: RiskRule;
  /** What was read of each pool, and what was counted since. */
  readonly pools: Map<PoolId, { readonly harm: SeenHarm | undefined; readonly ownedUnits: number }>;
}

async function beginHarmLook(): Promise<HarmLook> {
  const fleet = followsHarm ? await readFleetHarm(accountsTable) : undefined;
  return { rule: { harmTarget: env.ENTANGLE_HARM_TARGET, fleet }, pools: new Map() };
}

/** What was measured since; by the clock only. */
async function measured(pool: Pool, items: AccountItems, { rule, pools }: HarmLook): Promise<MeasuredNeed> {
  const { spec, ownedUnits } = pool;
  const before = items.outlook(spec.poolId);
  const need = await measuredNeed(pool, items.consent(spec.accountId), before, now(), { ...measureRoute, rule });
  if (need.outlook === undefined) return need;
  await writeOutlook(accountsTable, need.outlook);
  pools.set(spec.poolId, { harm: need.outlook.harm, ownedUnits });
  return need;
}

interface Done {
  readonly borrows: number;
  /** Pools of which an outlook was made. */
  readonly outlooks: number;
  /** Pools to which units come back that they have lent. */
  readonly recalling: number;
  readonly drifted: readonly PoolId[];
  readonly paused: number;
}

/** @param look absent: what was measured since is not looked at */
async function lookAheadOf(account: AccountId, poolIds: readonly PoolId[], look: HarmLook | undefined): Promise<Done> {
  const openLoans = await loansOf(env.ENTANGLE_LOANS_TABLE, 'open', account);
  const keys = [poolKey, planKey, outlookKey].flatMap((keyOf) => poolIds.map(keyOf));
  const items = await readAccountItems(accountsTable, [...keys, consentKey(account)]);
  let [borrows, recalling, outlooks] = [0, 0, 0];
  const drifted: PoolId[] = [];
  const pools = poolIds.flatMap((id) => items.pool(id) ?? []);
  // Harm that was seen earlier counts on where nothing can be measured.
  for (const { spec, ownedUnits } of pools) {
    look?.pools.set(spec.poolId, { harm: items.outlook(spec.poolId)?.harm, ownedUnits });
  }
  for (const pool of pools) {
    const { poolId } = pool.spec;
    const need = look && (await measured(pool, items, look));
    const { drifted: hasLeft, outlook } = need ?? { drifted: false, outlook: items.outlook(poolId) };
    if (need !== undefined && outlook !== undefined) outlooks += 1;
    if (hasLeft) drifted.push(poolId);
    // A forecast that demand has left asks for nothing any more: the plan that is started looks ahead with a new one.
    const forecasts = { pool, forecast: hasLeft ? undefined : items.plan(poolId)?.forecast, outlook };
    if (await recallWhereNeeded(forecasts)) recalling += 1;
    else if (await borrowWhereLikely(forecasts, openLoans)) borrows += 1;
    else if (look !== undefined && (await borrowWhereWatched(pool, openLoans))) borrows += 1;
  }
  return { borrows, recalling, outlooks, drifted, paused: await pauseDrifted(account, drifted) };
}

/** After a look at all pools; as it was where an account could not even be read, which may be the one that is harmed. */
async function keepFleetHarm({ pools }: HarmLook, poolIds: readonly PoolId[], failed: readonly AccountId[]) {
  const isRead = (account: AccountId) => poolIds.some((id) => poolIdParts(id).accountId === account && pools.has(id));
  if (followsHarm && failed.every(isRead)) await writeFleetHarm(accountsTable, fleetHarm(pools.values(), now()));
}

/**
 * Looks ahead for the named pools, for those of a list, or for all of them, and compares what was measured with what was forecast.
 * One account that cannot be read does not keep the others from being looked at; the run fails at its end, by name.
 */
export const handler = lambda(lookAheadInputSchema, async ({ poolIds: named, poolsKey, compare }) => {
  const listed = poolsKey === undefined ? named : await readPartPools(env.ENTANGLE_HISTORY_BUCKET, poolsKey);
  const poolIds = listed ?? [...(await poolsByBucket(accountsTable)).values()].flat();
  const look = compare ? await beginHarmLook() : undefined;
  let [borrows, recalling, outlooks, paused] = [0, 0, 0, 0];
  const drifted: PoolId[] = [];
  const failed: AccountId[] = [];
  for (const [account, ids] of poolsByAccount(poolIds)) {
    try {
      const done = await lookAheadOf(account, ids, look);
      borrows += done.borrows;
      recalling += done.recalling;
      outlooks += done.outlooks;
      paused += done.paused;
      drifted.push(...done.drifted);
    } catch (error) {
      logger.error('account not looked at', { account, error: error instanceof Error ? error : String(error) });
      failed.push(account);
    }
  }
  if (compare) countOutlooks(outlooks);
  if (drifted.length > 0) await startPlanFor(stepFunctions, env.ENTANGLE_PLAN_STATE_MACHINE_ARN, drifted, now());
  if (listed === undefined && look !== undefined) await keepFleetHarm(look, poolIds, failed);
  if (failed.length > 0) throw new Error(`not looked at: ${failed.join(', ')}`);
  return { pools: poolIds.length, borrows, recalling, outlooks, drifted, paused };
});
