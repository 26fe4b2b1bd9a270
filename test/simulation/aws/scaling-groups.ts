/** Auto Scaling groups in memory: instances start and go in virtual time, some slowly, some launches fail. */
import { AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';

interface Instance {
  readonly id: string;
  state: 'Pending' | 'InService' | 'Terminating';
  /** When it gets on: into service, or away. */
  readonly nextAt: number;
}

export interface Group {
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
  minSize: number;
  desired: number;
  maxSize: number;
  tagged: boolean;
  instances: Instance[];
}

/** How long instances take, and whether a launch fails. */
export interface LaunchWeather {
  readonly startMillis: () => number;
  readonly endMillis: () => number;
  readonly launchFails: () => boolean;
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

  #instance(state: Instance['state'], nextAt: number): Instance {
    this.#made += 1;
    return { id: `i-${this.#made}`, state, nextAt };
  }

  get(accountId: string, region: string, name: string): Group | undefined {
    return this.#groups.get(keyOf(accountId, region, name));
  }

  remove(accountId: string, region: string, name: string): void {
    this.#groups.delete(keyOf(accountId, region, name));
  }

  get all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  inService(group: Group): number {
    return group.instances.filter(({ state }) => state === 'InService').length;
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

  /** Brings the instances of a group up to a moment. */
  advance(group: Group, now: number): void {
    const kept: Instance[] = [];
    for (const instance of group.instances) {
      if (instance.nextAt > now || instance.state === 'InService') kept.push(instance);
      else if (instance.state === 'Pending' && !this.#weather.launchFails()) {
        kept.push({ ...instance, state: 'InService' });
      }
    }
    group.instances = kept;
    const alive = kept.filter(({ state }) => state !== 'Terminating');
    for (let missing = group.desired - alive.length; missing > 0; missing -= 1) {
      group.instances.push(this.#instance('Pending', now + this.#weather.startMillis()));
    }
    const surplus = alive.slice(group.desired);
    if (surplus.length === 0) return;
    const leaving = new Set(surplus.map(({ id }) => id));
    group.instances = group.instances.map((instance) =>
      leaving.has(instance.id)
        ? { id: instance.id, state: 'Terminating', nextAt: now + this.#weather.endMillis() }
        : instance,
    );
  }

  /** As DescribeAutoScalingGroups answers. */
  describe(accountId: string, region: string, names: readonly string[], now: number): object[] {
    return names.flatMap((name) => {
      const group = this.get(accountId, region, name);
      if (group === undefined) return [];
      this.advance(group, now);
      return [
        {
          AutoScalingGroupName: name,
          MinSize: group.minSize,
          MaxSize: group.maxSize,
          DesiredCapacity: group.desired,
          Instances: group.instances.map(({ id, state }) => ({ InstanceId: id, LifecycleState: state })),
          Tags: group.tagged ? [{ Key: 'entangle:lending', Value: 'enabled' }] : [],
        },
      ];
    });
  }
}
