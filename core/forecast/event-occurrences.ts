import type { StepSpan } from './event-normal.ts';
import type { BusinessEvent } from './events.ts';
import { eventProblem, inOrder } from './events.ts';
import type { ForecastSeries } from './member.ts';

/** An event on the steps of a series. */
export interface Occurrence extends StepSpan {
  readonly name: string;
  readonly expectedFactor?: number;
}

const MILLIS_PER_SECOND = 1_000;

/** The steps whose middle lies in an event; of a shorter event the step that its own middle lies in. */
function stepsOf(event: BusinessEvent, { startMillis, stepSeconds }: ForecastSeries): StepSpan {
  const stepMillis = stepSeconds * MILLIS_PER_SECOND;
  const stepAt = (millis: number) => Math.ceil((millis - startMillis) / stepMillis - 0.5);
  const from = stepAt(event.startMillis);
  const to = stepAt(event.endMillis);
  if (to > from) return { from, to };
  const middle = Math.floor(((event.startMillis + event.endMillis) / 2 - startMillis) / stepMillis);
  return { from: middle, to: middle + 1 };
}

/**
 * Occurrences by name, each list in order of time; two of one name that overlap are one.
 * @throws RangeError for an event that cannot be
 */
export function occurrencesOf(series: ForecastSeries, events: readonly BusinessEvent[]): Map<string, Occurrence[]> {
  const byName = new Map<string, Occurrence[]>();
  for (const event of inOrder(events)) {
    const problem = eventProblem(event);
    if (problem !== undefined) throw new RangeError(problem);
    const { name, expectedFactor } = event;
    const occurrence = { name, ...stepsOf(event, series), ...(expectedFactor === undefined ? {} : { expectedFactor }) };
    const list = byName.get(name) ?? [];
    const last = list.at(-1);
    if (last !== undefined && occurrence.from < last.to) {
      list[list.length - 1] = { ...occurrence, ...last, to: Math.max(last.to, occurrence.to) };
    } else {
      list.push(occurrence);
    }
    byName.set(name, list);
  }
  return byName;
}

/** How many names have an event at each step. */
export function namesAt(byName: ReadonlyMap<string, readonly Occurrence[]>, steps: number): Uint16Array {
  const names = new Uint16Array(steps);
  for (const { from, to } of [...byName.values()].flat()) {
    for (let step = Math.max(0, from); step < Math.min(steps, to); step += 1) names[step] = (names[step] ?? 0) + 1;
  }
  return names;
}

/** Whether an occurrence has a step in the history or in the horizon. */
export const isNear =
  (steps: number, horizonSteps: number) =>
  ({ from, to }: StepSpan): boolean =>
    to > 0 && from < steps + horizonSteps;
