import type { Consent } from '../consent/consent.ts';
import { ownRefusals } from '../consent/covers.ts';
import type { GroupObservation, Pool } from '../pool.ts';
import { demandUnits, neededUnits } from '../telemetry/demand.ts';
import type { EpochMillis, ResourceType } from '../units.ts';
import { RESOURCE_TYPES } from '../units.ts';

export type AlarmState = 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';
/** The latest value of each resource type's metric, in the metric's own unit. */
export type LatestMetrics = Readonly<Partial<Record<ResourceType, number>>>;

export type AssessRefusalCode =
  | 'alarm-recovered'
  | 'bottleneck-unlikely'
  | 'watch-outdated'
  | 'not-tagged'
  | 'cooling-down'
  | 'consent'
  | 'metric-missing'
  | 'own-headroom'
  | 'units-recalled'
  | 'waiting-already';

export type Assessment =
  | {
      readonly action: 'request';
      /** Units above the own ceiling. */
      readonly units: number;
      readonly bindingResource: ResourceType;
      readonly reason: string;
      /** Units needed by resource type. */
      readonly byResource: LatestMetrics;
    }
  | {
      readonly action: 'refuse';
      readonly code: AssessRefusalCode;
      readonly reason: string;
      /** What to record of a request that is not made: at least 1. */
      readonly units: number;
      readonly bindingResource: ResourceType;
    };

export interface NeedObservation {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly metrics: LatestMetrics;
  /** The alarm's state, read again just now. */
  readonly alarmState: AlarmState;
  /** The resource type of the alarm. */
  readonly resourceType: ResourceType;
  readonly consent?: Consent | undefined;
  readonly now: EpochMillis;
}

/** Demand now by resource type, in units (fully used instances), of the types that were measured. */
export function demandNow(
  pool: Pool,
  group: GroupObservation,
  metrics: LatestMetrics,
): Partial<Record<ResourceType, number>> {
  const demand: Partial<Record<ResourceType, number>> = {};
  for (const resource of RESOURCE_TYPES) {
    const metric = pool.spec.resources[resource];
    const value = metrics[resource];
    if (metric === undefined || value === undefined || !Number.isFinite(value)) continue;
    demand[resource] = demandUnits(value, group.inServiceUnits, metric);
  }
  return demand;
}

/** Why nothing may be asked for, whatever the demand is. */
function bar(seen: NeedObservation): { code: AssessRefusalCode; reason: string } | undefined {
  const { pool, group, alarmState, now } = seen;
  if (alarmState !== 'ALARM') {
    return { code: 'alarm-recovered', reason: `the alarm is in ${alarmState} by now, not in ALARM` };
  }
  if (!group.lendingEnabled) {
    return { code: 'not-tagged', reason: `${pool.spec.groupName} is not tagged entangle:lending=enabled` };
  }
  if (pool.coolDownUntil !== undefined && now < pool.coolDownUntil) {
    return { code: 'cooling-down', reason: `the pool cools down until ${pool.coolDownUntil} ms, it is ${now} ms` };
  }
  const [refused] = ownRefusals(seen.consent, {
    direction: 'borrow',
    accountId: pool.spec.accountId,
    groupName: pool.spec.groupName,
    application: pool.spec.application,
    now,
  });
  return refused === undefined ? undefined : { code: 'consent', reason: `${refused.field}: ${refused.detail}` };
}

/**
 * Whether an alarm is a reason to borrow, and how many units. The need is what all resource types together need now, less
 * the observed ceiling: what a pool has below its ceiling its own scaling policy can use.
 *
 * A pool that another loan is moving just now is assessed as it stands; the choice of a lender looks again.
 */
export function assessNeed(seen: NeedObservation): Assessment {
  const { pool, group, resourceType } = seen;
  const demand = demandNow(pool, group, seen.metrics);
  const { units: needed, bindingResource = resourceType, byResource } = neededUnits(demand, pool.spec);
  const missing = needed - group.maxSize;
  const refusal = (code: AssessRefusalCode, reason: string): Assessment => {
    return { action: 'refuse', code, reason, units: Math.max(1, missing), bindingResource };
  };
  const barred = bar(seen);
  if (barred !== undefined) return refusal(barred.code, barred.reason);
  if (demand[resourceType] === undefined) {
    return refusal('metric-missing', `no value of the ${resourceType} metric could be read: its need is unknown`);
  }
  if (missing <= 0) {
    return refusal(
      'own-headroom',
      `${bindingResource} needs ${needed} units and the own ceiling is ${group.maxSize}: ${group.maxSize - group.desiredCapacity} more can be started without a loan`,
    );
  }
  return {
    action: 'request',
    units: missing,
    bindingResource,
    reason: `${bindingResource} needs ${needed} units, the ceiling is ${group.maxSize}`,
    byResource,
  };
}
