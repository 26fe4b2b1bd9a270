/**
 * Auto Scaling groups in memory: instances start and go in virtual time, some slowly, some launches fail; some are protected from
 * scale-in, some wait in a termination hook.
 */
import { AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';

type LifecycleState = 'Pending' | 'InService' | 'Terminating:Wait' | 'Terminating';

export interface Instance {
  readonly id: string;
  readonly state: LifecycleState;
  /** When it gets on: into service, out of its hook, or away. */
  readonly nextAt: number;
  readonly isProtected?: boolean;
  /** The Capacity Reservation that it runs in. */
  readonly reservationId?: string;
}

/** What its owner has configured of a group, besides its sizes. */
export interface GroupSetUp {
  /** Of its new instances, the share that protects itself from scale-in. */
  readonly protectedShare: number;
  /** Name of its termination hook; absent: it has none. */
  readonly hookName?: string;
  /** The resource group of Capacity Reservations that it launches into; absent: it launches On-Demand. */
  readonly launchTarget?: string;
  readonly slaTierTag?: string;
  readonly criticalityTag?: string;
}

export interface Group {
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
  readonly setUp: GroupSetUp;
  minSize: number;
  desired: number;
  maxSize: number;
  tagged: boolean;
  /** Since when it has a predictive scaling policy that raises `MaxSize`. */
  raisesCeilingSince?: number | undefined;
  /** When a launch last failed because its account has no vCPUs left. */
  quotaFailedAt?: number;
  instances: Instance[];
}

/** How long instances take, what they run in, and whether a launch fails. */
export interface LaunchWeather {
  readonly startMillis: () => number;
  readonly endMillis: () => number;
  /** How long an instance stays in a termination hook when nobody ends that. */
  readonly hookMillis: () => number;
  readonly launchFails: (group: Group) => boolean;
  readonly isProtected: (group: Group) => boolean;
  readonly reservationFor: (group: Group) => string | undefined;
}

export interface GroupSizes {
  readonly MinSize?: number;
  readonly MaxSize?: number;
  readonly DesiredCapacity?: number;
}

function refused(message: string): AutoScalingServiceException {
  return new AutoScalingServiceException({ name: 'ValidationError', $fault: 'client', $metadata: {}, message });
}

const keyOf = (accountId: string, region: string, name: string): string => `${accountId}/${region}/${name}`;
const isLeaving = ({ state }: Instance): boolean => state === 'Terminating' || state === 'Terminating:Wait';

/** The longest-standing stay, as with the termination policy NewestInstance; protected ones stay in any case. */
function surplusOf(alive: readonly Instance[], desired: number): ReadonlySet<string> {
  const leaving = new Set<string>();
  for (let index = alive.length - 1; index >= 0 && alive.length - leaving.size > desired; index -= 1) {
    const instance = alive[index];
    if (instance !== undefined && instance.isProtected !== true) leaving.add(instance.id);
  }
  return leaving;
}

export class ScalingGroups {
  readonly #groups = new Map<string, Group>();
  readonly #weather: LaunchWeather;
  #made = 0;

  constructor(weather: LaunchWeather) {
    this.#weather = weather;
  }

  add(group: Omit<Group, 'instances'>): void {
    const instances = Array.from({ length: group.desired }, () => this.#instance('InService', 0));
    this.#groups.set(keyOf(group.accountId, group.region, group.name), { ...group, instances });
  }

  #instance(state: LifecycleState, nextAt: number): Instance {
    this.#made += 1;
    return { id: `i-${this.#made}`, state, nextAt };
  }

  get(accountId: string, region: string, name: string): Group | undefined {
    return this.#groups.get(keyOf(accountId, region, name));
  }

  /** As its owner deletes it, by force: its instances go with it. */
  remove(accountId: string, region: string, name: string): void {
    this.#groups.delete(keyOf(accountId, region, name));
  }

  get all(): IterableIterator<Group> {
    return this.#groups.values();
  }

  inService(group: Group): number {
    let count = 0;
    for (const { state } of group.instances) if (state === 'InService') count += 1;
    return count;
  }

  /**
   * As UpdateAutoScalingGroup: sizes that are not given are brought within the limits.
   * @throws AutoScalingServiceException ValidationError when there is no such group, or the sizes contradict each other
   */
  update(place: { accountId: string; region: string; name: string }, sizes: GroupSizes, now: number): Group {
    const group = this.get(place.accountId, place.region, place.name);
    if (group === undefined) throw refused(`AutoScalingGroup name not found - ${place.name}`);
    const minSize = sizes.MinSize ?? group.minSize;
    const maxSize = sizes.MaxSize ?? group.maxSize;
    if (minSize < 0 || maxSize < minSize) throw refused(`Max bound, ${maxSize}, must be greater than or equal to min`);
    const desired = sizes.DesiredCapacity ?? Math.min(maxSize, Math.max(minSize, group.desired));
    if (desired > maxSize || desired < minSize) throw refused(`Desired capacity:${desired} must be between the bounds`);
    Object.assign(group, { minSize, maxSize, desired });
    this.advance(group, now);
    return group;
  }

  /** What becomes of an instance when its time has come; undefined: it is gone. */
  #next(instance: Instance, group: Group, now: number): Instance | undefined {
    switch (instance.state) {
      case 'Pending':
        return this.#weather.launchFails(group) ? undefined : { ...instance, state: 'InService' };
      case 'Terminating:Wait':
        return { ...instance, state: 'Terminating', nextAt: now + this.#weather.endMillis() };
      default:
        return undefined;
    }
  }

  #leave(instance: Instance, group: Group, now: number): Instance {
    const hasHook = group.setUp.hookName !== undefined && instance.state === 'InService';
    const state = hasHook ? 'Terminating:Wait' : 'Terminating';
    return { ...instance, state, nextAt: now + (hasHook ? this.#weather.hookMillis() : this.#weather.endMillis()) };
  }

  /** Brings the instances of a group up to a moment. */
  advance(group: Group, now: number): void {
    if (group.instances.some(({ state, nextAt }) => state !== 'InService' && nextAt <= now)) {
      group.instances = group.instances.flatMap((instance) => {
        const isDue = instance.state !== 'InService' && instance.nextAt <= now;
        return isDue ? (this.#next(instance, group, now) ?? []) : [instance];
      });
    }
    let alive = 0;
    for (const instance of group.instances) if (!isLeaving(instance)) alive += 1;
    for (; alive < group.desired; alive += 1) this.#launch(group, now);
    if (alive === group.desired) return;
    const leaving = surplusOf(
      group.instances.filter((instance) => !isLeaving(instance)),
      group.desired,
    );
    if (leaving.size === 0) return;
    group.instances = group.instances.map((instance) =>
      leaving.has(instance.id) ? this.#leave(instance, group, now) : instance,
    );
  }

  #launch(group: Group, now: number): void {
    const made = this.#instance('Pending', now + this.#weather.startMillis());
    const reservationId = this.#weather.reservationFor(group);
    group.instances.push({
      ...made,
      ...(this.#weather.isProtected(group) ? { isProtected: true } : {}),
      ...(reservationId === undefined ? {} : { reservationId }),
    });
  }

  protect(group: Group, ids: readonly string[], isProtected: boolean, now: number): void {
    group.instances = group.instances.map((each) => (ids.includes(each.id) ? { ...each, isProtected } : each));
    this.advance(group, now);
  }

  /** @throws AutoScalingServiceException ValidationError when the instance does not wait in the hook */
  endHook(group: Group, hookName: string, id: string, now: number): void {
    const waits = group.instances.some((each) => each.id === id && each.state === 'Terminating:Wait');
    if (!waits || hookName !== group.setUp.hookName)
      throw refused(`No active Lifecycle Action found with instance ${id}`);
    const nextAt = now + this.#weather.endMillis();
    group.instances = group.instances.map((each) =>
      each.id === id ? { ...each, state: 'Terminating', nextAt } : each,
    );
  }

  /** Ends instances that run in a reservation, as EC2 does when its warning is over: no hook and no protection helps. */
  interrupt(reservationId: string, instances: number, now: number): void {
    let left = instances;
    for (const group of this.#groups.values()) {
      group.instances = group.instances.map((each) => {
        if (each.reservationId !== reservationId || left === 0) return each;
        left -= 1;
        return each.state === 'Terminating'
          ? each
          : { ...each, state: 'Terminating', nextAt: now + this.#weather.endMillis() };
      });
      this.advance(group, now);
    }
  }

  countIn(reservationId: string): number {
    let count = 0;
    for (const group of this.#groups.values()) {
      for (const each of group.instances) if (each.reservationId === reservationId) count += 1;
    }
    return count;
  }

  /** Instances of a reservation that is no more go on as On-Demand Instances. */
  release(reservationId: string): void {
    for (const group of this.#groups.values()) {
      group.instances = group.instances.map((each) => {
        if (each.reservationId !== reservationId) return each;
        const { reservationId: _gone, ...rest } = each;
        return rest;
      });
    }
  }

  /** As DescribeAutoScalingGroups answers. */
  describe(accountId: string, region: string, names: readonly string[], now: number): object[] {
    return names.flatMap((name) => {
      const group = this.get(accountId, region, name);
      if (group === undefined) return [];
      this.advance(group, now);
      return [shown(group)];
    });
  }
}

function tagsOf({ tagged, setUp: { slaTierTag, criticalityTag } }: Group): object[] {
  const tags = { 'entangle:lending': tagged ? 'enabled' : undefined, 'entangle:sla-tier': slaTierTag };
  return Object.entries({ ...tags, 'entangle:criticality': criticalityTag }).flatMap(([Key, Value]) =>
    Value === undefined ? [] : [{ Key, Value }],
  );
}

function shown(group: Group): object {
  const { launchTarget } = group.setUp;
  return {
    AutoScalingGroupName: group.name,
    MinSize: group.minSize,
    MaxSize: group.maxSize,
    DesiredCapacity: group.desired,
    Instances: group.instances.map(({ id, state, isProtected }) => ({
      InstanceId: id,
      LifecycleState: state,
      ProtectedFromScaleIn: isProtected === true,
    })),
    Tags: tagsOf(group),
    ...(launchTarget === undefined
      ? {}
      : {
          MixedInstancesPolicy: {
            InstancesDistribution: {
              DistributionSegments: [{ TargetCapacityTypes: ['interruptible-capacity-reservation', 'on-demand'] }],
            },
          },
          CapacityReservationSpecification: {
            CapacityReservationTarget: { CapacityReservationResourceGroupArns: [launchTarget] },
          },
        }),
  };
}
