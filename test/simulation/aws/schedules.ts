/** EventBridge Scheduler: one-time schedules that start a workflow, late now and then, or twice. */
import { ConflictException, ResourceNotFoundException } from '@aws-sdk/client-scheduler';
import type { Engine } from '../engine.ts';
import type { FaultRates } from '../faults.ts';
import type { Random } from '../random.ts';

interface CreateInput {
  readonly Name: string;
  readonly GroupName: string;
  readonly ScheduleExpression: string;
  readonly Target: { readonly Arn: string; readonly Input: string };
}

const MINUTE_MILLIS = 60_000;

export class Schedules {
  readonly #engine: Engine;
  readonly #random: Random;
  readonly #faults: () => FaultRates;
  readonly #start: (arn: string, name: string, input: string) => void;
  /** By name: the number of the schedule that has it now. */
  readonly #names = new Map<string, number>();
  #created = 0;
  #fired = 0;

  constructor(engine: Engine, faults: () => FaultRates, start: (arn: string, name: string, input: string) => void) {
    this.#engine = engine;
    this.#random = engine.random('schedules');
    this.#faults = faults;
    this.#start = start;
  }

  get names(): readonly string[] {
    return [...this.#names.keys()];
  }

  create(input: CreateInput): void {
    const moment = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(input.ScheduleExpression)?.[1];
    if (moment === undefined) throw new Error(`the simulation does not know ${input.ScheduleExpression}`);
    const key = `${input.GroupName}/${input.Name}`;
    if (this.#names.has(key)) throw new ConflictException({ $metadata: {}, message: 'exists', Message: 'exists' });
    this.#created += 1;
    const number = this.#created;
    this.#names.set(key, number);
    const faults = this.#faults();
    const isLost = this.#random.chance(faults.lostSchedule);
    const late = this.#random.chance(faults.lateSchedule) ? this.#random.between(1, 30) : this.#random.between(0, 1);
    const times = this.#random.chance(faults.repeatedEvent) ? 2 : 1;
    const dueIn = Date.parse(`${moment}Z`) - this.#engine.now;
    for (let time = 0; time < times; time += 1) {
      this.#engine.wake(dueIn + (late + time) * MINUTE_MILLIS, () => {
        const isThere = this.#names.get(key) === number && this.#names.delete(key);
        if (isLost || (!isThere && time === 0)) return;
        this.#fired += 1;
        this.#start(input.Target.Arn, `schedule-${this.#fired}`, input.Target.Input);
      });
    }
  }

  delete({ Name, GroupName }: { readonly Name: string; readonly GroupName: string }): void {
    if (this.#names.delete(`${GroupName}/${Name}`)) return;
    throw new ResourceNotFoundException({ $metadata: {}, message: 'not found', Message: 'not found' });
  }
}
