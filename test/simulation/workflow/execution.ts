/** Runs a state machine in virtual time, as Step Functions does with the states and fields that the shipped ones use. */
import type { Engine } from '../engine.ts';
import { isLongerThan } from '../json-copy.ts';
import type { Outcome } from '../lambda.ts';
import type { Random } from '../random.ts';
import type { Machine, State } from './definition.ts';
import { functionOf } from './definition.ts';
import { evaluateField, WorkflowError } from './jsonata-fields.ts';

type Json = Readonly<Record<string, unknown>>;

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}
interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: Json;
  readonly Output?: unknown;
}

const RETRIER_FIELDS = new Set([
  'Comment',
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
]);

/** What an execution needs of the world. */
export interface WorkflowWorld {
  readonly engine: Engine;
  readonly random: Random;
  invoke(functionName: string, event: unknown): Promise<Outcome>;
  /** A state is entered, of a workflow of a kind. */
  onEntered(kind: string, state: string): void;
  /** An object of S3 that a Map reads its items from, as JSON. */
  readObject(bucket: string, key: string): unknown;
}

interface Frame {
  readonly machine: Machine;
  readonly context: Json;
  variables: Json;
}

interface Step {
  readonly output: unknown;
  readonly next: string | undefined;
}

/** 256 KiB between two states. */
const PAYLOAD_BYTES = 262_144;
/** What a Map does at once at most, where it does not say. */
const MAP_LANES = 40;

function matches(names: readonly string[], error: string): boolean {
  return names.some(
    (name) =>
      name === error ||
      (name === 'States.ALL' && error !== 'States.DataLimitExceeded') ||
      (name === 'States.TaskFailed' && error !== 'States.Timeout' && !error.startsWith('States.')),
  );
}

function delayMillis(retrier: Retrier, attempt: number, random: Random): number {
  for (const field of Object.keys(retrier)) {
    if (!RETRIER_FIELDS.has(field)) throw new Error(`the simulation does not know ${field} of Retry`);
  }
  const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Number.POSITIVE_INFINITY } = retrier;
  const seconds = Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds);
  return (retrier.JitterStrategy === 'FULL' ? random.between(0, seconds) : seconds) * 1_000;
}

function bindingsOf(frame: Frame, states: Json): Json {
  return { ...frame.variables, states: { context: frame.context, ...states } };
}

/** The kind that an execution's id begins with. */
function kindOf(context: Json): string {
  const id = String((context['Execution'] as Json)['Id']);
  return id.slice(0, id.indexOf(':'));
}

export class Interpreter {
  readonly #world: WorkflowWorld;

  constructor(world: WorkflowWorld) {
    this.#world = world;
  }

  /** @throws WorkflowError when the execution fails */
  async run(machine: Machine, input: unknown, context: Json, variables: Json = {}): Promise<unknown> {
    const frame: Frame = { machine, context, variables };
    let [name, value]: [string | undefined, unknown] = [machine.StartAt, input];
    while (name !== undefined) {
      const state = machine.States[name];
      if (state === undefined) throw new Error(`there is no state ${name}`);
      this.#world.onEntered(kindOf(context), name);
      const step = await this.#enter(frame, name, state, value);
      value = step.output;
      name = step.next;
    }
    return value;
  }

  #enter(frame: Frame, name: string, state: State, input: unknown): Promise<Step> {
    switch (state.Type) {
      case 'Choice':
        return this.#choose(frame, state, input);
      case 'Fail':
        return this.#fail(frame, state, input);
      case 'Succeed':
      case 'Pass':
        return this.#leave(frame, state, input, input);
      case 'Wait':
        return this.#wait(frame, state, input);
      default:
        return this.#attempt(frame, name, state, input);
    }
  }

  async #assign(frame: Frame, assign: unknown, states: Json): Promise<void> {
    if (assign === undefined) return;
    const assigned = (await evaluateField(assign, bindingsOf(frame, states))) as Json;
    frame.variables = { ...frame.variables, ...assigned };
  }

  async #leave(frame: Frame, state: State, input: unknown, result: unknown): Promise<Step> {
    const states = { input, result };
    const output = 'Output' in state ? await evaluateField(state['Output'], bindingsOf(frame, states)) : result;
    await this.#assign(frame, state['Assign'], states);
    return { output, next: state['Next'] as string | undefined };
  }

  async #choose(frame: Frame, state: State, input: unknown): Promise<Step> {
    const rules = state['Choices'] as readonly (Json & { readonly Next: string })[];
    for (const rule of rules) {
      const met = await evaluateField(rule['Condition'], bindingsOf(frame, { input }));
      if (typeof met !== 'boolean')
        throw new WorkflowError('States.QueryEvaluationError', 'a condition that is no boolean');
      if (!met) continue;
      const output = 'Output' in rule ? await evaluateField(rule['Output'], bindingsOf(frame, { input })) : input;
      await this.#assign(frame, rule['Assign'], { input });
      return { output, next: rule.Next };
    }
    const next = state['Default'];
    if (typeof next !== 'string') throw new WorkflowError('States.NoChoiceMatched', 'no choice matched');
    const { output } = await this.#leave(frame, state, input, input);
    return { output, next };
  }

  async #fail(frame: Frame, state: State, input: unknown): Promise<never> {
    const bindings = bindingsOf(frame, { input });
    const error = await evaluateField(state['Error'] ?? 'States.Fail', bindings);
    throw new WorkflowError(String(error), String(await evaluateField(state['Cause'] ?? '', bindings)));
  }

  async #wait(frame: Frame, state: State, input: unknown): Promise<Step> {
    const bindings = bindingsOf(frame, { input });
    const { engine } = this.#world;
    const millis =
      'Seconds' in state
        ? Number(await evaluateField(state['Seconds'], bindings)) * 1_000
        : Date.parse(String(await evaluateField(state['Timestamp'], bindings))) - engine.now;
    await engine.sleep(millis);
    return this.#leave(frame, state, input, input);
  }

  async #attempt(frame: Frame, name: string, state: State, input: unknown): Promise<Step> {
    const attempts = new Map<Retrier, number>();
    for (;;) {
      try {
        return await this.#leave(frame, state, input, await this.#work(frame, state, input));
      } catch (error) {
        if (!(error instanceof WorkflowError)) throw error;
        const retriers = (state['Retry'] as readonly Retrier[] | undefined) ?? [];
        const retrier = retriers.find(({ ErrorEquals }) => matches(ErrorEquals, error.error));
        const made = retrier === undefined ? 0 : (attempts.get(retrier) ?? 0);
        if (retrier === undefined || made >= (retrier.MaxAttempts ?? 3))
          return this.#caught(frame, name, state, input, error);
        attempts.set(retrier, made + 1);
        await this.#world.engine.sleep(delayMillis(retrier, made, this.#world.random));
      }
    }
  }

  async #caught(frame: Frame, name: string, state: State, input: unknown, error: WorkflowError): Promise<Step> {
    const catchers = (state['Catch'] as readonly Catcher[] | undefined) ?? [];
    const catcher = catchers.find(({ ErrorEquals }) => matches(ErrorEquals, error.error));
    if (catcher === undefined) throw error;
    this.#world.engine.log(`${name} caught ${error.error}, on to ${catcher.Next}`);
    const errorOutput = { Error: error.error, Cause: error.message };
    const states = { input, errorOutput };
    const bindings = bindingsOf(frame, states);
    const output = 'Output' in catcher ? await evaluateField(catcher.Output, bindings) : errorOutput;
    await this.#assign(frame, catcher.Assign, states);
    return { output, next: catcher.Next };
  }

  #work(frame: Frame, state: State, input: unknown): Promise<unknown> {
    if (state.Type === 'Map') return this.#map(frame, state, input);
    if (state.Type === 'Parallel') return this.#parallel(frame, state, input);
    return this.#task(frame, state, input);
  }

  async #task(frame: Frame, state: State, input: unknown): Promise<unknown> {
    const { engine } = this.#world;
    const args = 'Arguments' in state ? await evaluateField(state['Arguments'], bindingsOf(frame, { input })) : input;
    const limit = Number(state['TimeoutSeconds'] ?? Number.POSITIVE_INFINITY);
    const called = this.#world.invoke(functionOf(String(state['Resource'])), args);
    const outcome = await new Promise<Outcome | undefined>((resolve) => {
      const limited = Number.isFinite(limit) ? engine.wake(limit * 1_000, () => resolve(undefined)) : undefined;
      void called.then((ended) => {
        if (limited !== undefined) limited.isOff = true;
        return resolve(ended);
      });
    });
    if (outcome === undefined) throw new WorkflowError('States.Timeout', `no answer within ${limit} s`);
    if (!outcome.ok) {
      const cause = JSON.stringify({ errorType: outcome.error, errorMessage: outcome.message, trace: [] });
      throw new WorkflowError(outcome.error, cause);
    }
    if (isLongerThan(outcome.result, PAYLOAD_BYTES)) {
      throw new WorkflowError('States.DataLimitExceeded', 'the answer is longer than 256 KiB');
    }
    return outcome.result;
  }

  async #parallel(frame: Frame, state: State, input: unknown): Promise<unknown> {
    const args = 'Arguments' in state ? await evaluateField(state['Arguments'], bindingsOf(frame, { input })) : input;
    const branches = state['Branches'] as readonly Machine[];
    return Promise.all(branches.map((branch) => this.run(branch, args, frame.context, frame.variables)));
  }

  async #items(frame: Frame, state: State, input: unknown): Promise<readonly unknown[]> {
    const bindings = bindingsOf(frame, { input });
    const reader = state['ItemReader'] as Json | undefined;
    if (reader === undefined) return (await evaluateField(state['Items'], bindings)) as unknown[];
    if (reader['Resource'] !== 'arn:aws:states:::s3:getObject')
      throw new Error('the simulation reads items from S3 only');
    const { Bucket, Key } = (await evaluateField(reader['Arguments'], bindings)) as Readonly<Record<string, string>>;
    return this.#world.readObject(Bucket ?? '', Key ?? '') as unknown[];
  }

  async #map(frame: Frame, state: State, input: unknown): Promise<unknown> {
    const items = await this.#items(frame, state, input);
    const processor = state['ItemProcessor'] as Machine & { readonly ProcessorConfig?: Json };
    const isChild = processor.ProcessorConfig?.['Mode'] === 'DISTRIBUTED';
    const results: unknown[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < items.length) {
        const index = next;
        next += 1;
        const context = { ...frame.context, Map: { Item: { Index: index, Value: items[index] } } };
        const selector = state['ItemSelector'];
        const itemFrame = { ...frame, context };
        const item =
          selector === undefined ? items[index] : await evaluateField(selector, bindingsOf(itemFrame, { input }));
        // The items of a Distributed Map are executions of their own: no variable reaches them.
        results[index] = await this.run(processor, item, context, isChild ? {} : frame.variables);
      }
    };
    const lanes = Math.min(Number(state['MaxConcurrency'] ?? MAP_LANES) || MAP_LANES, items.length);
    await Promise.all(Array.from({ length: lanes }, lane));
    return results;
  }
}
