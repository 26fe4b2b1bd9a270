/** Makes this process the place where functions run: the SDK's clients, the clock, chance and timers are the world's. */
import { Client } from '@smithy/core/client';
import { setEnvironment } from './environment.ts';
import { identityOf, learnIdentity } from './identities.ts';
import { currentInvocation } from './lambda.ts';
import type { Machine } from './workflow/definition.ts';
import { functionsOf, readMachine } from './workflow/definition.ts';

export type Handler = (event: unknown, context: object) => Promise<unknown>;

export interface Shipped {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly machines: ReadonlyMap<string, Machine>;
}

/** Stand-ins of the world take the place of these: they measure and forecast for minutes of processor time. */
const STOOD_IN_FOR = new Set(['collect', 'forecast']);
/** Called by events and by the clock. */
const ENTRANCES = ['on-alarm', 'on-recovery', 'reconcile', 'look-ahead', 'measure-capacity', 'api'];
const STACK_FRAMES = 3;
const MACHINES = ['borrow', 'return', 'plan'];
/** Clients that act in the hub's own account. */
const HUB_CLIENTS = new Set([
  'DynamoDBDocumentClient',
  'DynamoDBClient',
  'S3Client',
  'SFNClient',
  'SchedulerClient',
  'EventBridgeClient',
  'STSClient',
]);

interface Command {
  readonly constructor: { readonly name: string };
  readonly input: unknown;
}

function takeOverClients(): void {
  const send = async function (this: object, command: Command): Promise<unknown> {
    const invocation = currentInvocation();
    if (invocation === undefined) throw new Error(`${command.constructor.name} outside of a function`);
    if (!HUB_CLIENTS.has(this.constructor.name) && identityOf(this) === undefined) await learnIdentity(this);
    return invocation.lambda.send(invocation, this, command.constructor.name, command.input);
  };
  Object.defineProperty(Client.prototype, 'send', { value: send });
}

function takeOverTime(): void {
  const realNow = Date.now;
  Date.now = () => {
    const invocation = currentInvocation();
    return invocation === undefined ? realNow() : invocation.lambda.engine.now + invocation.skewMillis;
  };
  const realRandom = Math.random;
  Math.random = () => currentInvocation()?.lambda.random.next() ?? realRandom();
  const realSetTimeout = globalThis.setTimeout;
  const virtual = (run: () => void, millis = 0): unknown => {
    const invocation = currentInvocation();
    if (invocation === undefined) return realSetTimeout(run, millis);
    return invocation.lambda.engine.wake(millis, () => {
      if (!invocation.dead) run();
    });
  };
  Object.defineProperty(globalThis, 'setTimeout', { value: virtual });
}

/** Reading the process's own environment leaves JavaScript each time; no failure of AWS's needs a whole stack. */
function lighten(): void {
  process.env = { ...process.env };
  Error.stackTraceLimit = STACK_FRAMES;
}

/** Loads the shipped functions and state machines, once in a process. */
export async function loadShipped(): Promise<Shipped> {
  setEnvironment();
  lighten();
  takeOverClients();
  takeOverTime();
  const machines = new Map(MACHINES.map((kind) => [kind, readMachine(kind)]));
  const called = [...machines.values()].flatMap(functionsOf).filter((name) => !STOOD_IN_FOR.has(name));
  const handlers = new Map<string, Handler>();
  for (const name of new Set([...ENTRANCES, ...called])) {
    const module = (await import(`../../functions/${name}.ts`)) as { readonly handler: Handler };
    handlers.set(name, module.handler);
  }
  return { handlers, machines };
}
