/** Step Functions: executions by name. */
import { ExecutionAlreadyExists } from '@aws-sdk/client-sfn';
import type { Engine } from '../engine.ts';
import type { Machine } from './definition.ts';
import type { WorkflowWorld } from './execution.ts';
import { Interpreter } from './execution.ts';
import { WorkflowError } from './jsonata-fields.ts';

interface Execution {
  readonly input: string;
  isRunning: boolean;
}

export interface Start {
  readonly stateMachineArn: string;
  readonly name: string;
  readonly input: string;
}

/** `arn:…:stateMachine:entangle-borrow` → `borrow`. */
export function machineKindOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(':entangle-') + ':entangle-'.length);
}

export class Executions {
  readonly #engine: Engine;
  readonly #interpreter: Interpreter;
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #onDefect: (error: unknown) => void;
  readonly #known = new Map<string, Execution>();

  /** @param onDefect told of what is no failure of an execution but of the simulation */
  constructor(
    engine: Engine,
    world: WorkflowWorld,
    machines: ReadonlyMap<string, Machine>,
    onDefect: (error: unknown) => void,
  ) {
    this.#engine = engine;
    this.#interpreter = new Interpreter(world);
    this.#machines = machines;
    this.#onDefect = onDefect;
  }

  /** Names of those that have not ended. */
  get running(): string[] {
    return [...this.#known].flatMap(([name, { isRunning }]) => (isRunning ? [name] : []));
  }

  get started(): number {
    return this.#known.size;
  }

  /**
   * The same name with the same input while it runs is the same execution.
   * @throws ExecutionAlreadyExists when the name was used otherwise
   */
  start({ stateMachineArn, name, input }: Start): { executionArn: string; startDate: Date } {
    const kind = machineKindOf(stateMachineArn);
    const machine = this.#machines.get(kind);
    if (machine === undefined) throw new Error(`there is no state machine ${kind}`);
    if (!/^[\w+!@.()=-]{1,80}$/.test(name)) throw new Error(`${name} is no name of an execution`);
    const key = `${kind}:${name}`;
    const known = this.#known.get(key);
    const answer = {
      executionArn: `${stateMachineArn.replace('stateMachine', 'execution')}:${name}`,
      startDate: new Date(0),
    };
    if (known?.isRunning === true && known.input === input) return answer;
    if (known !== undefined) {
      throw new ExecutionAlreadyExists({
        $metadata: {},
        message: `Execution Already Exists: '${answer.executionArn}'`,
      });
    }
    const execution = { input, isRunning: true };
    this.#known.set(key, execution);
    this.#engine.log(`${name} starts`);
    this.#engine.wake(5, () => void this.#run(key, execution, machine));
    return answer;
  }

  async #run(key: string, execution: Execution, machine: Machine): Promise<void> {
    const name = key.slice(key.indexOf(':') + 1);
    const input: unknown = JSON.parse(execution.input);
    const startedAt = new Date(this.#engine.now).toISOString();
    const context = { Execution: { Name: name, Id: key, Input: input, StartTime: startedAt } };
    try {
      await this.#interpreter.run(machine, input, context);
      this.#engine.log(`${name} succeeds`);
    } catch (error) {
      if (error instanceof WorkflowError) this.#engine.log(`${name} fails: ${error.error}`);
      else this.#onDefect(error);
    }
    execution.isRunning = false;
  }
}
