/** What owners, deployments and policies change behind the hub's back. */
import type { Reservation } from './aws/reservations.ts';
import type { Group } from './aws/scaling-groups.ts';
import type { PlannedPool } from './pool-plan.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

type Act<Of> = readonly [what: string, change: (of: Of) => void];

export class Interference {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  #groupActs({ spec, ownedUnits }: PlannedPool): readonly Act<Group>[] {
    const { groups, engine } = this.#world;
    const { accountId, region, groupName } = spec;
    const resize = (group: Group, maxSize: number): void => {
      const minSize = Math.min(group.minSize, maxSize);
      groups.update({ accountId, region, name: groupName }, { MaxSize: maxSize, MinSize: minSize }, engine.now);
    };
    return [
      ['raises its ceiling', (group) => resize(group, group.maxSize + this.#random.int(1, 4))],
      ['lowers its ceiling', (group) => resize(group, Math.max(1, group.maxSize - this.#random.int(1, 3)))],
      ['resets its ceiling', (group) => resize(group, ownedUnits)],
      ['raises its floor', (group) => Object.assign(group, { minSize: group.maxSize, desired: group.maxSize })],
      ['takes its tag away', (group) => Object.assign(group, { tagged: false })],
      ['tags it again', (group) => Object.assign(group, { tagged: true })],
      ['lets a policy raise its ceiling', (group) => Object.assign(group, { raisesCeilingSince: engine.now })],
      ['lets no policy raise its ceiling', (group) => Object.assign(group, { raisesCeilingSince: undefined })],
      ['deletes it', () => groups.remove(accountId, region, groupName)],
    ];
  }

  /** Somebody else changes a group: a deployment, predictive scaling, a person. */
  changeGroup(pool: PlannedPool): void {
    const { groups, engine, checks } = this.#world;
    const { accountId, region, groupName, poolId } = pool.spec;
    const group = groups.get(accountId, region, groupName);
    if (group === undefined) return;
    const acts = this.#groupActs(pool);
    const [what, change] = this.#random.pick(this.#random.chance(0.9) ? acts.slice(0, -1) : acts);
    engine.log(`${accountId} ${groupName}: its owner ${what}`);
    checks.onForeignChange(poolId, what);
    change(group);
  }

  #reservationActs(accountId: string): readonly Act<Reservation>[] {
    const { reservations, shares } = this.#world;
    const resize = (found: Reservation, units: number): void => {
      reservations.ownerAdds(accountId, units - found.total);
      found.total = units;
    };
    return [
      ['reserves more', (found) => resize(found, found.total + this.#random.int(1, 4))],
      ['reserves less', (found) => resize(found, found.total - this.#random.int(0, reservations.unused(found)))],
      [
        'uses more itself',
        (found) => {
          found.ownUse += this.#random.int(0, reservations.unused(found));
        },
      ],
      [
        'uses nothing itself',
        (found) => {
          found.ownUse = 0;
        },
      ],
      [
        'gives it an end',
        (found) => {
          found.endless = false;
        },
      ],
      [
        'takes it back from the borrower',
        (found) => {
          if (found.allocation?.status === 'active') {
            reservations.reallocate(accountId, { CapacityReservationId: found.id, TargetInstanceCount: 0 });
          }
        },
      ],
      [
        'shares nothing any more',
        () => {
          for (const { arn, owner } of shares.open) if (owner === accountId) shares.remove(owner, arn);
        },
      ],
      [
        'cancels it',
        (found) => {
          if ((found.allocation?.units ?? 0) > 0 || found.allocation?.status === 'pending') return;
          reservations.ownerAdds(accountId, -found.total);
          reservations.cancel(accountId, found.id);
        },
      ],
    ];
  }

  /** An owner changes one of its Capacity Reservations, or what was split off it. */
  changeReservation(accountId: string): void {
    const { reservations, engine, checks } = this.#world;
    const all = reservations.of(accountId).filter(({ madeOf }) => madeOf === undefined);
    if (all.length === 0) return;
    const [what, change] = this.#random.pick(this.#reservationActs(accountId));
    const found = this.#random.pick(all);
    engine.log(`${accountId} ${found.id}: its owner ${what}`);
    checks.reservations.onForeignChange(accountId);
    change(found);
  }
}
