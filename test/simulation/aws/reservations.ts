/**
 * EC2 Capacity Reservations in memory, by the rules of the EC2 User Guide, "Interruptible Capacity Reservations": a part is split off,
 * made interruptible, used by others, and comes back once its instances have been warned and are gone.
 */
import type { Engine } from '../engine.ts';
import { namedError } from './named-error.ts';

type AllocationStatus = 'pending' | 'active' | 'updating' | 'canceled' | 'failed';

interface Allocation {
  status: AllocationStatus;
  units: number;
  targetUnits: number;
  partId?: string;
}

export interface Reservation {
  readonly id: string;
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly azId: string;
  readonly instanceType: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Of an interruptible part: what it was made of. */
  readonly madeOf?: string;
  /** Its tags can be searched for from then on. */
  readonly foundFrom: number;
  total: number;
  state: 'active' | 'cancelled';
  endless: boolean;
  /** Instances of its owner's in it that belong to no group here. */
  ownUse: number;
  allocation?: Allocation;
}

/** How long AWS takes, and what does not work. */
export interface ReservationWeather {
  readonly settleMillis: () => number;
  /** From the warning until instances are ended. */
  readonly warningMillis: () => number;
  readonly unseenMillis: () => number;
  readonly allocationFails: () => boolean;
}

/** Who runs in a reservation, and how that ends. */
export interface ReservationUsers {
  readonly count: (reservationId: string) => number;
  /** Ends so many instances, as AWS does when a warning is over. */
  readonly interrupt: (reservationId: string, instances: number) => void;
  /** They go on outside of it. */
  readonly release: (reservationId: string) => void;
}

type Tags = Readonly<Record<string, string>>;
export type TagInput = readonly { readonly Key: string; readonly Value: string }[];
export interface TagSpecifications {
  readonly TagSpecifications?: readonly { readonly Tags: TagInput }[];
  readonly ClientToken?: string;
}
interface Filter {
  readonly Name: string;
  readonly Values: readonly string[];
}

const UNITS_MAX = 1_000;
/** How often a part that empties is looked at. */
const EMPTYING_MILLIS = 5_000;

function tagsIn({ TagSpecifications: all = [] }: TagSpecifications): Tags {
  return Object.fromEntries(all.flatMap(({ Tags: tags }) => tags.map(({ Key, Value }) => [Key, Value])));
}

export class Reservations {
  readonly #engine: Engine;
  readonly #weather: ReservationWeather;
  readonly #users: ReservationUsers;
  readonly #all = new Map<string, Reservation>();
  /** By account: what its owner itself has reserved; nothing else may change how much that is. */
  readonly #owned = new Map<string, number>();
  readonly #answered = new Map<string, { readonly request: string; readonly answer: object }>();
  readonly #onSettled: (accountId: string) => void;
  #made = 0;

  constructor(
    engine: Engine,
    weather: ReservationWeather,
    users: ReservationUsers,
    onSettled: (accountId: string) => void,
  ) {
    this.#engine = engine;
    this.#weather = weather;
    this.#users = users;
    this.#onSettled = onSettled;
  }

  #make(
    fields: Pick<Reservation, 'accountId' | 'region' | 'azId' | 'instanceType' | 'total' | 'tags'> &
      Partial<Reservation>,
  ) {
    this.#made += 1;
    const id = `cr-${String(this.#made).padStart(17, '0')}`;
    const made: Reservation = {
      state: 'active',
      endless: true,
      ownUse: 0,
      foundFrom: this.#engine.now,
      ...fields,
      id,
      arn: `arn:aws:ec2:${fields.region}:${fields.accountId}:capacity-reservation/${id}`,
    };
    this.#all.set(id, made);
    return made;
  }

  /** What an owner reserves. */
  reserve(
    place: { accountId: string; region: string; azId: string; instanceType: string },
    total: number,
  ): Reservation {
    this.ownerAdds(place.accountId, total);
    return this.#make({ ...place, total, tags: { 'entangle:lending': 'enabled' } });
  }

  ownerAdds(accountId: string, units: number): void {
    this.#owned.set(accountId, (this.#owned.get(accountId) ?? 0) + units);
  }

  ownedUnits(accountId: string): number {
    return this.#owned.get(accountId) ?? 0;
  }

  of(accountId: string): Reservation[] {
    return [...this.#all.values()].filter((each) => each.accountId === accountId && each.state === 'active');
  }

  byArn(arn: string): Reservation | undefined {
    return this.#all.get(arn.slice(arn.lastIndexOf('/') + 1));
  }

  /** Instances of a reservation that nobody uses. What is being reclaimed is not launched into again. */
  unused(found: Reservation): number {
    if (found.state !== 'active') return 0;
    const source = found.madeOf === undefined ? undefined : this.#all.get(found.madeOf);
    const most = Math.min(found.total, source?.allocation?.targetUnits ?? found.total);
    return Math.max(0, most - found.ownUse - this.#users.count(found.id));
  }

  #owner(id: string, accountId: string): Reservation {
    const found = this.#all.get(id);
    if (found?.accountId !== accountId) {
      throw namedError('InvalidCapacityReservationId.NotFound', `The capacity reservation ID '${id}' does not exist`);
    }
    if (found.state !== 'active') throw namedError('InvalidCapacityReservationState', `${id} is ${found.state}`);
    return found;
  }

  /** A repeated client token gets the first answer again, and nothing is done twice. */
  #once(accountId: string, input: { readonly ClientToken?: string }, call: () => object): object {
    const { ClientToken, ...rest } = input;
    if (ClientToken === undefined) return call();
    const key = `${accountId} ${ClientToken}`;
    const request = JSON.stringify(rest);
    const known = this.#answered.get(key);
    if (known === undefined) {
      const answer = call();
      this.#answered.set(key, { request, answer });
      return answer;
    }
    if (known.request === request) return known.answer;
    throw namedError('IdempotentParameterMismatch', `The client token ${ClientToken} was used with other parameters.`);
  }

  split(
    accountId: string,
    input: TagSpecifications & { readonly SourceCapacityReservationId: string; readonly InstanceCount: number },
  ): object {
    return this.#once(accountId, input, () => {
      const source = this.#owner(input.SourceCapacityReservationId, accountId);
      const { InstanceCount: units } = input;
      if (source.madeOf !== undefined) throw namedError('InvalidParameterValue', 'it is interruptible');
      if (units > this.unused(source)) throw namedError('ReservationCapacityExceeded', `${units} are not unused`);
      if (units >= source.total) throw namedError('InvalidParameterValue', 'at least one instance must stay in it');
      source.total -= units;
      const { region, azId, instanceType, endless } = source;
      const foundFrom = this.#engine.now + this.#weather.unseenMillis();
      this.#make({ accountId, region, azId, instanceType, endless, total: units, tags: tagsIn(input), foundFrom });
      return {};
    });
  }

  move(
    accountId: string,
    input: {
      readonly SourceCapacityReservationId: string;
      readonly DestinationCapacityReservationId: string;
      readonly InstanceCount: number;
      readonly ClientToken?: string;
    },
  ): object {
    return this.#once(accountId, input, () => {
      const source = this.#owner(input.SourceCapacityReservationId, accountId);
      const destination = this.#owner(input.DestinationCapacityReservationId, accountId);
      const { InstanceCount: units } = input;
      if (units > this.unused(source)) throw namedError('ReservationCapacityExceeded', `${units} are not unused`);
      if (source.endless !== destination.endless || source.instanceType !== destination.instanceType) {
        throw namedError('InvalidParameterValue', 'both must be of the same instance type and end time');
      }
      source.total -= units;
      destination.total += units;
      if (source.total === 0) source.state = 'cancelled';
      return {};
    });
  }

  allocate(
    accountId: string,
    input: TagSpecifications & { readonly CapacityReservationId: string; readonly InstanceCount: number },
  ): object {
    return this.#once(accountId, input, () => {
      const source = this.#owner(input.CapacityReservationId, accountId);
      const { InstanceCount: units } = input;
      const { allocation } = source;
      if (units > UNITS_MAX) throw namedError('InvalidParameterValue', `at most ${UNITS_MAX} instances`);
      if (!source.endless) throw namedError('InvalidParameterValue', 'the source must have no end date');
      if (allocation !== undefined && allocation.status !== 'canceled' && allocation.status !== 'failed') {
        throw namedError('InvalidCapacityReservationState', 'it has an interruptible allocation already');
      }
      if (units > this.unused(source)) throw namedError('ReservationCapacityExceeded', `${units} are not unused`);
      source.allocation = { status: 'pending', units: 0, targetUnits: units };
      this.#engine.later(this.#weather.settleMillis(), () => this.#allocated(source, tagsIn(input)));
      return {};
    });
  }

  #allocated(source: Reservation, tags: Tags): void {
    const { allocation } = source;
    if (allocation === undefined) return;
    if (source.state !== 'active' || this.#weather.allocationFails() || this.unused(source) < allocation.targetUnits) {
      allocation.status = 'failed';
      return;
    }
    const { accountId, region, azId, instanceType } = source;
    const foundFrom = this.#engine.now + this.#weather.unseenMillis();
    const units = allocation.targetUnits;
    const part = this.#make({
      accountId,
      region,
      azId,
      instanceType,
      total: units,
      tags,
      foundFrom,
      madeOf: source.id,
    });
    source.total -= units;
    Object.assign(allocation, { status: 'active', units, partId: part.id });
    this.#onSettled(accountId);
  }

  reallocate(
    accountId: string,
    {
      CapacityReservationId: id,
      TargetInstanceCount: target,
    }: { CapacityReservationId: string; TargetInstanceCount: number },
  ): object {
    const source = this.#owner(id, accountId);
    const { allocation } = source;
    if (allocation === undefined || (allocation.status !== 'active' && allocation.status !== 'updating')) {
      throw namedError('InvalidCapacityReservationState', 'it has no interruptible allocation to change');
    }
    if (target > allocation.units) throw namedError('ReservationCapacityExceeded', 'the simulation only lowers it');
    Object.assign(allocation, { status: 'updating', targetUnits: target });
    const users = this.#users.count(allocation.partId ?? '');
    const millis = users > target ? this.#weather.warningMillis() : this.#weather.settleMillis();
    this.#engine.later(millis, () => this.#empty(source));
    return {};
  }

  /** One look at a part that comes back: what is free goes to its source. */
  #empty(source: Reservation): void {
    const { allocation } = source;
    const part = this.#all.get(allocation?.partId ?? '');
    if (allocation === undefined || part === undefined || allocation.status !== 'updating') return;
    const { targetUnits: target } = allocation;
    const surplus = this.#users.count(part.id) - target;
    if (surplus > 0) this.#users.interrupt(part.id, surplus);
    const kept = Math.min(part.total, Math.max(target, this.#users.count(part.id)));
    source.total += part.total - kept;
    part.total = kept;
    allocation.units = kept;
    if (kept > target) {
      this.#engine.later(EMPTYING_MILLIS, () => this.#empty(source));
      return;
    }
    allocation.status = target === 0 ? 'canceled' : 'active';
    if (target === 0) part.state = 'cancelled';
    this.#onSettled(source.accountId);
  }

  /** By the hub, or by its owner: what is in it is lost. */
  cancel(accountId: string, id: string): object {
    const found = this.#owner(id, accountId);
    const { allocation } = found;
    if (found.madeOf !== undefined) throw namedError('InvalidParameterValue', 'it is cancelled through its source');
    if (allocation !== undefined && (allocation.units > 0 || allocation.status === 'pending')) {
      throw namedError('InvalidCapacityReservationState', 'it has an interruptible allocation: reclaim it first');
    }
    found.state = 'cancelled';
    found.total = 0;
    this.#users.release(id);
    return {};
  }

  /** As DescribeCapacityReservations answers its owner, or who it is shared with. */
  describe(
    accountId: string,
    region: string,
    asked: { readonly CapacityReservationIds?: readonly string[]; readonly Filters?: readonly Filter[] },
    isShared: (arn: string) => boolean,
  ): object[] {
    const ids = asked.CapacityReservationIds;
    const found: object[] = [];
    for (const one of this.#all.values()) {
      const own = one.accountId === accountId;
      if (one.region !== region || !(own || isShared(one.arn)) || ids?.includes(one.id) === false) continue;
      if ((asked.Filters ?? []).every((filter) => this.#matches(one, filter, own))) found.push(this.#shown(one, own));
    }
    if (ids !== undefined && found.length < ids.length) {
      throw namedError('InvalidCapacityReservationId.NotFound', `not all of ${ids.join(', ')} exist`);
    }
    return found;
  }

  #matches(one: Reservation, { Name, Values }: Filter, own: boolean): boolean {
    if (Name === 'state') return Values.includes(one.state);
    if (Name === 'owner-id') return Values.includes(one.accountId) && this.#engine.now >= one.foundFrom;
    if (!Name.startsWith('tag:')) throw new Error(`the simulation does not know the filter ${Name}`);
    return own && this.#engine.now >= one.foundFrom && Values.includes(one.tags[Name.slice(4)] ?? '');
  }

  #shown(one: Reservation, own: boolean): object {
    const { allocation } = one;
    return {
      CapacityReservationId: one.id,
      CapacityReservationArn: one.arn,
      OwnerId: one.accountId,
      State: one.state,
      InstanceType: one.instanceType,
      InstancePlatform: 'Linux/UNIX',
      Tenancy: 'default',
      AvailabilityZoneId: one.azId,
      TotalInstanceCount: one.total,
      AvailableInstanceCount: this.unused(one),
      InstanceMatchCriteria: 'targeted',
      EndDateType: one.endless ? 'unlimited' : 'limited',
      Interruptible: one.madeOf !== undefined,
      ...(own ? { Tags: Object.entries(one.tags).map(([Key, Value]) => ({ Key, Value })) } : {}),
      ...(own && allocation !== undefined
        ? {
            InterruptibleCapacityAllocation: {
              Status: allocation.status,
              InstanceCount: allocation.units,
              TargetInstanceCount: allocation.targetUnits,
              InterruptibleCapacityReservationId: allocation.partId,
            },
          }
        : {}),
    };
  }
}
