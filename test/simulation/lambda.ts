/** Runs the shipped functions as Lambda does: each call to AWS is a moment at which others go on, or at which all ends. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { namedError } from './aws/named-error.ts';
import type { Engine } from './engine.ts';
import type { Pending } from './event-queue.ts';
import type { FaultRates } from './faults.ts';
import { jsonCopy } from './json-copy.ts';
import type { Random } from './random.ts';

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** How an invocation ended. */
export type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: string; readonly message: string };

/** One run of a function. */
export class Invocation {
  readonly functionName: string;
  readonly id: number;
  readonly event: unknown;
  /** By how much its clock is ahead. */
  readonly skewMillis: number;
  readonly lambda: Lambda;
  /** Groups as this run has seen them last, by pool id: what it may rest a move on. */
  readonly seen = new Map<string, { readonly desired: number; readonly inService: number; readonly maxSize: number }>();
  /** Instances that it has seen in the reserved capacity of loans, by the loan's id. */
  readonly seenInUse = new Map<string, number>();
  dead = false;

  constructor(lambda: Lambda, functionName: string, id: number, event: unknown, skewMillis: number) {
    this.lambda = lambda;
    this.functionName = functionName;
    this.id = id;
    this.event = event;
    this.skewMillis = skewMillis;
  }

  get label(): string {
    return `${this.functionName}#${this.id}`;
  }
}

/** A call to AWS by a function. */
export interface AwsCall {
  readonly invocation: Invocation;
  readonly client: object;
  readonly command: string;
  readonly input: unknown;
}

export interface AwsEndpoint {
  /** Lets a call take effect, now. @throws the SDK's own errors */
  handle(call: AwsCall): unknown;
  /** The error of a call that is throttled. */
  throttled(command: string): Error;
  /** The error of a write that meets another one; undefined where there is none. */
  conflicted(command: string, input: unknown): Error | undefined;
  /** Calls that take no time: they are answered at once. */
  isImmediate(command: string): boolean;
}

const running = new AsyncLocalStorage<Invocation>();

/** The invocation whose code runs now. */
export function currentInvocation(): Invocation | undefined {
  return running.getStore();
}

interface LambdaProps {
  readonly engine: Engine;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly endpoint: AwsEndpoint;
  readonly faults: () => FaultRates;
  readonly mostSkewMillis: number;
  readonly timeoutSecondsOf: (functionName: string) => number;
  readonly onEnded: (invocation: Invocation, outcome: Outcome) => void;
}

const DEATHS = ['Runtime.ExitError', 'Lambda.ServiceException', 'Lambda.SdkClientException', 'Lambda.Unknown'];

export class Lambda {
  readonly #props: LambdaProps;
  readonly random: Random;
  #count = 0;
  readonly #endings = new Map<Invocation, { readonly resolve: (outcome: Outcome) => void; timeout?: Pending }>();

  constructor(props: LambdaProps) {
    this.#props = props;
    this.random = props.engine.random('lambda');
  }

  get engine(): Engine {
    return this.#props.engine;
  }

  get invocations(): number {
    return this.#count;
  }

  /** Runs a function to its end, whatever that is. */
  invoke(functionName: string, event: unknown): Promise<Outcome> {
    const { engine, handlers, mostSkewMillis, timeoutSecondsOf } = this.#props;
    const handler = handlers.get(functionName);
    if (handler === undefined) throw new Error(`no function ${functionName} was loaded`);
    this.#count += 1;
    const skew = Math.round(this.random.between(-mostSkewMillis, mostSkewMillis));
    const received = jsonCopy(event);
    const invocation = new Invocation(this, functionName, this.#count, received, skew);
    return new Promise((resolve) => {
      const ending: { readonly resolve: (outcome: Outcome) => void; timeout?: Pending } = { resolve };
      this.#endings.set(invocation, ending);
      engine.wake(this.random.between(1, 30), () => {
        engine.log(`${invocation.label} starts`);
        running.run(invocation, () => {
          handler(received, {
            awsRequestId: `request-${invocation.id}`,
            functionName,
            callbackWaitsForEmptyEventLoop: false,
          }).then(
            (result) => this.#end(invocation, { ok: true, result: jsonCopy(result ?? null) }),
            (error: unknown) => this.#end(invocation, failure(error)),
          );
        });
        const message = `Task timed out after ${timeoutSecondsOf(functionName)} seconds`;
        ending.timeout = engine.wake(timeoutSecondsOf(functionName) * 1_000, () =>
          this.#end(invocation, { ok: false, error: 'Sandbox.Timedout', message }),
        );
      });
    });
  }

  #end(invocation: Invocation, outcome: Outcome): void {
    const ending = this.#endings.get(invocation);
    if (ending === undefined) return;
    if (ending.timeout !== undefined) ending.timeout.isOff = true;
    this.#endings.delete(invocation);
    invocation.dead = true;
    this.engine.log(`${invocation.label} ${outcome.ok ? 'answers' : `fails: ${outcome.error}: ${outcome.message}`}`);
    this.#props.onEnded(invocation, outcome);
    ending.resolve(outcome);
  }

  #die(invocation: Invocation, when: string): void {
    this.#end(invocation, { ok: false, error: this.random.pick(DEATHS), message: `died ${when}` });
  }

  /** A call to AWS by the code of an invocation. What a dead one asks for never comes back. */
  send(invocation: Invocation, client: object, command: string, input: unknown): Promise<unknown> {
    const { engine, endpoint } = this.#props;
    if (invocation.dead) return new Promise(() => {});
    const call = { invocation, client, command, input };
    if (endpoint.isImmediate(command)) return attempt(() => endpoint.handle(call));
    const fate = this.#fate();
    return new Promise((resolve, reject) => {
      engine.wake(fate.afterMillis, () => {
        if (invocation.dead && !fate.outlives) return;
        if (fate.kind === 'crash-before') {
          this.#die(invocation, `before ${command}`);
          return;
        }
        const answer = this.#effect(call, fate.kind);
        engine.log(`${invocation.label} ${command} ${'error' in answer ? answer.error.name : 'ok'}`);
        if (fate.kind === 'crash-after') this.#die(invocation, `after ${command}`);
        else if (invocation.dead) return;
        else if ('error' in answer) reject(answer.error);
        else if (fate.kind === 'lost-answer') reject(namedError('TimeoutError', `the answer of ${command} was lost`));
        else resolve(answer.value);
      });
    });
  }

  #effect(call: AwsCall, kind: string): { readonly value: unknown } | { readonly error: Error } {
    const { endpoint } = this.#props;
    if (kind === 'throttled') return { error: endpoint.throttled(call.command) };
    const conflict = kind === 'conflict' ? endpoint.conflicted(call.command, call.input) : undefined;
    if (conflict !== undefined) return { error: conflict };
    try {
      return { value: endpoint.handle(call) };
    } catch (error) {
      if (error instanceof Error) return { error };
      throw error;
    }
  }

  #fate(): { readonly kind: string; readonly afterMillis: number; readonly outlives: boolean } {
    const { random } = this;
    const rates = this.#props.faults();
    const slow = random.chance(rates.slowCall);
    const afterMillis = slow ? random.between(1_000, 40_000) : random.between(2, 40);
    const outlives = random.chance(0.5);
    if (random.chance(rates.crash)) {
      return { kind: random.chance(0.5) ? 'crash-before' : 'crash-after', afterMillis, outlives };
    }
    if (random.chance(rates.throttle)) return { kind: 'throttled', afterMillis, outlives };
    if (random.chance(rates.lostAnswer)) return { kind: 'lost-answer', afterMillis, outlives };
    return { kind: random.chance(rates.conflict) ? 'conflict' : 'none', afterMillis, outlives };
  }
}

async function attempt<Value>(run: () => Value): Promise<Awaited<Value>> {
  return await run();
}

function failure(error: unknown): Outcome {
  const thrown = error instanceof Error ? error : new Error(String(error));
  return { ok: false, error: thrown.name, message: thrown.message };
}
