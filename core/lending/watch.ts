/**
 * Borrowing because of what demand is doing just now, before its alarm's threshold: it rises so that it will cross what the pool has
 * before new instances could be in service (trend), or it is above anything usual at this time and is taken to stay so (anomaly).
 */
import { utcMinuteText } from '../calendar.ts';
import type { Consent } from '../consent/consent.ts';
import type { GroupObservation, Pool, TrendWatch } from '../pool.ts';
import { expectedMaxSize } from '../pool.ts';
import type { Usual } from '../telemetry/anomaly.ts';
import { excessUnits } from '../telemetry/anomaly.ts';
import { neededUnits } from '../telemetry/demand.ts';
import type { DemandSample } from '../telemetry/history.ts';
import { demandAt, isRising, trendOf } from '../telemetry/trend.ts';
import type { EpochMillis, ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, plusMillis, RESOURCE_TYPES } from '../units.ts';
import type { AssessRefusalCode } from './assess.ts';
import { borrowBar } from './borrow-ahead.ts';
import type { Loan, WatchNeed } from './loan.ts';
import { isOpen } from './loan.ts';

type ByResource<Value> = Readonly<Partial<Record<ResourceType, Value>>>;

export interface WatchObservation {
  readonly pool: Pool;
  /** Demand in units, oldest first: at least as many samples as the pool watches. */
  readonly samples: ByResource<readonly DemandSample[]>;
  /** What is usual; a type without it has no anomaly. */
  readonly usual: ByResource<Usual>;
  readonly now: EpochMillis;
}

/** Units as people read them. */
const shown = (units: number): string => String(Number(units.toFixed(2)));

function needOf(
  kind: WatchNeed['kind'],
  demand: ByResource<number>,
  pool: Pool,
  before: EpochMillis,
  why: (resource: ResourceType) => string,
): WatchNeed | undefined {
  const { units, bindingResource } = neededUnits(demand, pool.spec);
  if (bindingResource === undefined || units <= expectedMaxSize(pool)) return undefined;
  return {
    kind,
    resource: bindingResource,
    neededUnits: units,
    beforeMillis: before,
    reason: `${kind}: ${why(bindingResource)}; that needs ${units} units before ${utcMinuteText(before)}`,
  };
}

/** Units needed by the time that new instances would be in service, where demand rises as it does now. */
function byTrend({ pool, samples, now }: WatchObservation, { withinSeconds, samples: count }: TrendWatch) {
  const before = plusMillis(now, withinSeconds * MILLIS_PER_SECOND);
  const demand: Partial<Record<ResourceType, number>> = {};
  for (const resource of RESOURCE_TYPES) {
    const trend = trendOf((samples[resource] ?? []).slice(-count));
    if (trend !== undefined && isRising(trend)) demand[resource] = demandAt(trend, before);
  }
  return needOf('trend', demand, pool, before, (resource) => {
    return `${resource} demand rises towards ${shown(demand[resource] ?? 0)} units`;
  });
}

/** Units needed where demand stays as much above what is usual as it is now. */
function byAnomaly({ pool, samples, usual, now }: WatchObservation): WatchNeed | undefined {
  const rule = pool.spec.watch?.anomaly;
  if (rule === undefined) return undefined;
  const before = plusMillis(now, rule.withinSeconds * MILLIS_PER_SECOND);
  const demand: Partial<Record<ResourceType, number>> = {};
  const excesses: Partial<Record<ResourceType, number>> = {};
  for (const resource of RESOURCE_TYPES) {
    const expected = usual[resource];
    const newest = (samples[resource] ?? []).slice(-rule.samples);
    if (expected === undefined || newest.length < rule.samples) continue;
    const excess = excessUnits(newest, expected);
    if (excess === undefined) continue;
    const highest = Math.max(expected(now)?.medianUnits ?? 0, expected(before)?.medianUnits ?? 0);
    excesses[resource] = excess;
    demand[resource] = highest + excess;
  }
  return needOf('anomaly', demand, pool, before, (resource) => {
    return `${resource} demand is ${shown(excesses[resource] ?? 0)} units above what is usual at this time`;
  });
}

/** What the last samples of a pool's demand give reason to ask for; the larger need of the two. */
export function watchNeed(seen: WatchObservation): WatchNeed | undefined {
  const rule = seen.pool.spec.watch?.trend;
  const found = [rule === undefined ? undefined : byTrend(seen, rule), byAnomaly(seen)].flatMap((need) => need ?? []);
  return found.sort((a, b) => b.neededUnits - a.neededUnits)[0];
}

export type WatchAction =
  | {
      readonly action: 'borrow';
      readonly need: WatchNeed;
      /** The end of the last cool-down; a need that was refused may be asked for again after it. */
      readonly coolDownUntil: EpochMillis | undefined;
    }
  | { readonly action: 'none'; readonly reason: string };

/** Why a pool need not be watched now; undefined when it is to be. Costs no look at its metrics. */
export function notWatched(pool: Pool, openLoans: readonly Loan[], now: EpochMillis): string | undefined {
  const { watch, poolId } = pool.spec;
  if (watch?.trend === undefined && watch?.anomaly === undefined) return 'neither trend nor anomaly is watched';
  if (pool.lentUnits > 0) return 'it has lent units: its own alarm asks for them back first';
  const { coolDownUntil } = pool;
  if (coolDownUntil !== undefined && now < coolDownUntil) return `the pool cools down until ${coolDownUntil} ms`;
  const open = openLoans.find((loan) => loan.borrowerPoolId === poolId && isOpen(loan));
  return open === undefined ? undefined : `${open.loanId} is ${open.state}`;
}

/**
 * Whether a pool's demand is a reason to ask for a loan now. It depends on no event: as long as demand goes on so, each look finds it.
 * @param openLoans loans of the pool's account as a borrower
 */
export function watch(seen: WatchObservation, openLoans: readonly Loan[]): WatchAction {
  const reason = notWatched(seen.pool, openLoans, seen.now);
  if (reason !== undefined) return { action: 'none', reason };
  const need = watchNeed(seen);
  if (need === undefined) return { action: 'none', reason: 'demand stays within what the pool has' };
  return { action: 'borrow', need, coolDownUntil: seen.pool.coolDownUntil };
}

export type WatchAssessment =
  | { readonly action: 'request'; readonly units: number; readonly reason: string }
  | { readonly action: 'refuse'; readonly code: AssessRefusalCode; readonly units: number; readonly reason: string };

/** Whether what was watched a moment ago may be asked for, and how many units: what is needed less the observed ceiling. */
export function assessWatched(seen: {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly need: WatchNeed;
  readonly consent?: Consent | undefined;
  readonly now: EpochMillis;
}): WatchAssessment {
  const { group, need, now } = seen;
  const missing = need.neededUnits - group.maxSize;
  const refusal = (code: AssessRefusalCode, reason: string): WatchAssessment => {
    return { action: 'refuse', code, reason, units: Math.max(1, missing) };
  };
  const barred = borrowBar(seen);
  if (barred !== undefined) return refusal(barred.code, barred.reason);
  if (now >= need.beforeMillis) return refusal('watch-outdated', `${need.reason}, which is over`);
  if (missing <= 0) return refusal('own-headroom', `${need.reason}; the own ceiling is ${group.maxSize}`);
  return { action: 'request', units: missing, reason: `${need.reason}, the ceiling is ${group.maxSize}` };
}
