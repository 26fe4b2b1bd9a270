/** Each minute of each pool: demand, the owner's scaling, what is measured, and the alarm with its events. */
import type { Group } from './aws/scaling-groups.ts';
import type { PlannedPool } from './pool-plan.ts';
import { demandAt } from './pool-plan.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const MINUTE_MILLIS = 60_000;
const THRESHOLD_PERCENT = 80;
/** What the owner's target tracking aims at. */
const TARGET_PERCENT = 60;
/** Of a minute of a protected instance: it is no longer protected. */
const UNPROTECTED = 0.03;
/** Lambda tries an asynchronous call again twice. */
const ASYNC_ATTEMPTS = 3;

export class Telemetry {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.engine.random('telemetry');
  }

  begin(): void {
    const world = this.#world;
    for (const pool of world.plan.pools) {
      const tick = (): void => {
        this.#tick(pool);
        world.engine.later(MINUTE_MILLIS, tick);
      };
      world.engine.later(this.#random.between(0, MINUTE_MILLIS), tick);
    }
  }

  #tick(pool: PlannedPool): void {
    const { engine, groups, plan } = this.#world;
    const { accountId, region, groupName } = pool.spec;
    const group = groups.get(accountId, region, groupName);
    const alarms = this.#world.alarmsOf(accountId, region);
    const name = `entangle/${groupName}/cpu`;
    if (group === undefined) {
      this.#changeAlarm(pool, name, 'INSUFFICIENT_DATA');
      return;
    }
    groups.advance(group, engine.now);
    const demand = demandAt(pool, engine.elapsedMillis, plan.activeMillis);
    const inService = groups.inService(group);
    const percent = inService === 0 ? 0 : Math.min(pool.mostPercent, (demand / inService) * 100);
    alarms.measure(groupName, { at: engine.now, percent, inService });
    this.#changeAlarm(pool, name, percent >= THRESHOLD_PERCENT ? 'ALARM' : 'OK');
    if (this.#random.chance(this.#world.faults.alarmStorm)) {
      this.#changeAlarm(pool, name, 'OK');
      this.#changeAlarm(pool, name, 'ALARM');
    }
    this.#scale(group, demand);
    if (group.setUp.protectedShare > 0) this.#letGo(group);
  }

  /** What kept an instance from scale-in comes to its end by itself. */
  #letGo(group: Group): void {
    const done = group.instances.filter(({ isProtected }) => isProtected === true && this.#random.chance(UNPROTECTED));
    const ids = done.map(({ id }) => id);
    if (ids.length > 0) this.#world.groups.protect(group, ids, false, this.#world.engine.now);
  }

  /** Out at once, in by one instance a minute: as target tracking does. */
  #scale(group: Group, demand: number): void {
    const wanted = Math.ceil((demand * 100) / TARGET_PERCENT);
    const next = wanted >= group.desired ? wanted : group.desired - 1;
    // A predictive policy that may do so makes room for what it wants.
    if (group.raisesCeilingSince !== undefined && next > group.maxSize) group.maxSize = next;
    group.desired = Math.min(group.maxSize, Math.max(group.minSize, next));
    this.#world.groups.advance(group, this.#world.engine.now);
  }

  #changeAlarm(pool: PlannedPool, name: string, state: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA'): void {
    const { engine } = this.#world;
    const { accountId, region } = pool.spec;
    if (!this.#world.alarmsOf(accountId, region).set(name, state, engine.now)) return;
    engine.log(`${accountId} ${name} is ${state}`);
    if (state !== 'INSUFFICIENT_DATA') this.#announce(pool, name, state);
  }

  /** At least once, late and out of order where that falls out; now and then never. */
  #announce(pool: PlannedPool, alarmName: string, value: 'ALARM' | 'OK'): void {
    const { faults, engine } = this.#world;
    const random = this.#random;
    const event = {
      account: pool.spec.accountId,
      region: pool.spec.region,
      detail: { alarmName, state: { value, timestamp: new Date(engine.now).toISOString() } },
    };
    if (random.chance(faults.lostEvent)) return;
    const times = random.chance(faults.repeatedEvent) ? random.int(2, 4) : 1;
    for (let time = 0; time < times; time += 1) {
      const late = random.chance(faults.lateEvent) ? random.between(0, 20 * MINUTE_MILLIS) : random.between(100, 3_000);
      engine.later(late, () => void this.#deliver(value === 'ALARM' ? 'on-alarm' : 'on-recovery', event));
    }
  }

  async #deliver(functionName: string, event: object): Promise<void> {
    for (let attempt = 1; attempt <= ASYNC_ATTEMPTS; attempt += 1) {
      const outcome = await this.#world.lambda.invoke(functionName, event);
      if (outcome.ok) return;
      await this.#world.engine.sleep(attempt * MINUTE_MILLIS);
    }
  }
}
