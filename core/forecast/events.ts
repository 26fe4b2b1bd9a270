/** Something in a business's calendar that moves demand: a sales day, a holiday, the end of a month. */
export interface BusinessEvent {
  /** Events of one name are occurrences of the same thing: what is learned from one holds for the others. */
  readonly name: string;
  readonly startMillis: number;
  /** The first moment after the event; later than its start. */
  readonly endMillis: number;
  /** Demand to be expected as a multiple of what is normal at that time, where somebody knows it. */
  readonly expectedFactor?: number;
}

/** A span of time, without its end. */
export interface TimeWindow {
  readonly startMillis: number;
  readonly endMillis: number;
}

/** No event is expected, or found, to multiply demand by more. */
export const MAX_EVENT_FACTOR = 10;

const isMoment = (millis: number): boolean => Number.isSafeInteger(millis);

/** What is wrong with an event, in the words of an error message; undefined: nothing. */
export function eventProblem({ name, startMillis, endMillis, expectedFactor }: BusinessEvent): string | undefined {
  if (name.trim() === '') return 'an event without a name: expected one, such as "Black Friday"';
  if (!isMoment(startMillis) || !isMoment(endMillis))
    return `event "${name}": expected whole milliseconds for its times`;
  if (endMillis <= startMillis) return `event "${name}" ends no later than it starts: expected an end after its start`;
  if (expectedFactor === undefined) return undefined;
  const isFactor = expectedFactor >= 0 && expectedFactor <= MAX_EVENT_FACTOR;
  if (isFactor) return undefined;
  return `event "${name}": factor ${expectedFactor}: expected a number from 0 to ${MAX_EVENT_FACTOR}, where 1 is normal demand`;
}

/** Whether they have a moment in common. */
export function overlaps(a: TimeWindow, b: TimeWindow): boolean {
  return a.startMillis < b.endMillis && b.startMillis < a.endMillis;
}

/** By start, then by name: an order that does not depend on the file's. */
export function inOrder(events: readonly BusinessEvent[]): BusinessEvent[] {
  const byName = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  return [...events].sort(
    (a, b) => a.startMillis - b.startMillis || byName(a.name, b.name) || a.endMillis - b.endMillis,
  );
}
