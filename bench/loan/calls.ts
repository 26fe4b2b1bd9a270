/** Which of the calls that the emulator answered a loan is made of, and which function made them. */
import type { EmulatorCall } from '../../emulator/control.ts';
import type { FunctionName } from '../../infra/names.ts';
import { FUNCTION_NAMES } from '../../infra/names.ts';

/** Name of the roles with which the bare calls are made. */
export const BENCH_ROLE = 'entangle-bench';

export interface ProductCall extends EmulatorCall {
  readonly by: FunctionName;
}

export interface CallsOfALoan {
  /** AWS API calls that the functions made, in order. */
  readonly calls: readonly ProductCall[];
  /** Invocations of functions, by Step Functions, EventBridge and API Gateway. */
  readonly invocations: readonly EmulatorCall[];
}

function functionOf(text: string | undefined): FunctionName | undefined {
  return FUNCTION_NAMES.find((name) => text === `entangle-${name}`);
}

/** Root keys and the role of the bench are people's and the bench's own calls. */
function isForeign(call: EmulatorCall): boolean {
  const caller = call.principalArn ?? '';
  return caller.endsWith(':root') || caller.includes(`/${BENCH_ROLE}/`);
}

/**
 * The calls of the functions. Inside a linked account a call carries the hub's session; it is then of the function that was
 * invoked last, which is exact while no two functions run at the same time.
 */
export function callsOfFunctions(log: readonly EmulatorCall[]): CallsOfALoan {
  const invocations: EmulatorCall[] = [];
  const calls: ProductCall[] = [];
  for (const call of log) {
    if (call.service === 'lambda' && call.action === 'Invoke' && functionOf(call.resource) !== undefined) {
      invocations.push(call);
    }
    if (call.service === 'lambda' || isForeign(call)) continue;
    const session = call.principalArn?.split('/').at(-1);
    const by = functionOf(session) ?? functionOf(invocations.at(-1)?.resource);
    if (by !== undefined) calls.push({ ...call, by });
  }
  return { calls, invocations };
}

export function countBy<Item, Key extends string>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): Partial<Record<Key, number>> {
  const groups = Map.groupBy(items, keyOf);
  return Object.fromEntries([...groups].map(([key, members]) => [key, members.length])) as Partial<Record<Key, number>>;
}
