/** What runs by the clock, late or twice now and then. */

import { HUB_ENVIRONMENT } from './environment.ts';
import type { World } from './world.ts';

const MINUTE_MILLIS = 60_000;
/** What may start a plan begins so long before the end of a world that the plan has ended by then. */
const LAST_PLANS_MILLIS = 10 * MINUTE_MILLIS;

export class Timetable {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  begin(): void {
    const { reconcileMinutes, lookAheadMinutes, measureMinutes, planHours, activeMillis, quietMillis } =
      this.#world.plan;
    const lastPlanMillis = activeMillis + quietMillis - LAST_PLANS_MILLIS;
    this.#every(reconcileMinutes * MINUTE_MILLIS, () => void this.#world.lambda.invoke('reconcile', {}));
    this.#every(lookAheadMinutes * MINUTE_MILLIS, () => {
      if (this.#world.engine.elapsedMillis < lastPlanMillis) void this.#world.lambda.invoke('look-ahead', {});
    });
    this.#every(measureMinutes * MINUTE_MILLIS, () => void this.#world.lambda.invoke('measure-capacity', {}));
    this.#plan(1);
    let round = 1;
    this.#every(planHours * 60 * MINUTE_MILLIS, () => {
      round += 1;
      if (this.#world.engine.elapsedMillis < lastPlanMillis) this.#plan(round);
    });
  }

  #plan(round: number): void {
    const stateMachineArn = HUB_ENVIRONMENT['ENTANGLE_PLAN_STATE_MACHINE_ARN'] ?? '';
    this.#world.executions.start({ stateMachineArn, name: `plan-${round}`, input: '{}' });
  }

  #every(millis: number, run: () => void): void {
    const { engine, faults } = this.#world;
    const random = engine.random(`timetable-${millis}`);
    const again = (): void => {
      const { lostSchedule, repeatedEvent } = this.#world.faults;
      if (!random.chance(lostSchedule / 2)) run();
      if (random.chance(repeatedEvent / 2)) engine.later(random.between(0, MINUTE_MILLIS), run);
      engine.later(millis, again);
    };
    engine.later(millis + random.between(0, faults.lateSchedule > 0 ? MINUTE_MILLIS : 1_000), again);
  }
}
