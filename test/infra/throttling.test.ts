import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
}

interface State {
  readonly Type: string;
  readonly Retry?: readonly Retrier[];
  readonly ItemProcessor?: Machine;
}

interface Machine {
  readonly States: Readonly<Record<string, State>>;
}

const THROTTLED = new Set(['Lambda.TooManyRequestsException', 'States.TaskFailed', 'States.ALL']);
/** What these leave undone is found by reconciling. */
const FOLLOW_UPS = new Set(['StartRest', 'FollowUp', 'FollowUpUndone', 'ServeQueue']);
const LONG_ENOUGH_SECONDS = 100;

function tasksIn({ States }: Machine): [string, readonly Retrier[]][] {
  return Object.entries(States).flatMap(([name, { Type, Retry = [], ItemProcessor }]) => [
    ...(Type === 'Task' && !FOLLOW_UPS.has(name) ? [[name, Retry] as [string, readonly Retrier[]]] : []),
    ...(ItemProcessor === undefined ? [] : tasksIn(ItemProcessor)),
  ]);
}

function tasksOf(machine: 'borrow' | 'return' | 'plan'): [string, readonly Retrier[]][] {
  const text = readFileSync(new URL(`../../state-machines/${machine}.asl.json`, import.meta.url), 'utf8');
  return tasksIn(JSON.parse(text) as Machine).map(([name, retriers]) => [`${machine}: ${name}`, retriers]);
}

/** Seconds of all pauses together, without the jitter that takes half of them on average. */
function pausesSeconds({ IntervalSeconds = 1, MaxAttempts = 3, BackoffRate = 2, MaxDelaySeconds }: Retrier): number {
  let sum = 0;
  for (let attempt = 0; attempt < MaxAttempts; attempt += 1) {
    sum += Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  }
  return sum;
}

describe('a function that is throttled, because too many run at once', () => {
  it.each([...tasksOf('borrow'), ...tasksOf('return'), ...tasksOf('plan')])(
    'is tried again for minutes in %s',
    (name, retriers) => {
      const first = retriers.find(({ ErrorEquals }) => ErrorEquals.some((error) => THROTTLED.has(error)));
      if (first === undefined) throw new Error(`${name} is not tried again`);
      // Deciding on a renewal ends on time where it cannot be decided.
      const least = name === 'return: Renew' ? 1 : LONG_ENOUGH_SECONDS;
      expect(pausesSeconds(first)).toBeGreaterThanOrEqual(least);
    },
  );
});

/** Steps that move a ceiling. By the time that they are tried again a call that the run before left under way has ended (decision 0003). */
const MOVES = [
  'borrow: Take',
  'borrow: Give',
  'borrow: UndoGive',
  'borrow: UndoTake',
  'return: TakeBack',
  'return: GiveBack',
];
const CALL_OVER_SECONDS = 30;

describe('a function that was cut off while it moved a ceiling', () => {
  const tasks = new Map([...tasksOf('borrow'), ...tasksOf('return')]);

  it.each(MOVES)('is tried again only when its call is over in %s', (name) => {
    const timedOut = (tasks.get(name) ?? []).find(({ ErrorEquals }) =>
      ErrorEquals.some((error) => ['Sandbox.Timedout', 'States.TaskFailed', 'States.ALL'].includes(error)),
    );
    expect(timedOut?.ErrorEquals).toEqual(['Sandbox.Timedout']);
    expect(timedOut?.IntervalSeconds).toBeGreaterThanOrEqual(CALL_OVER_SECONDS);
    expect(timedOut?.BackoffRate ?? 2).toBeGreaterThanOrEqual(1);
  });
});
