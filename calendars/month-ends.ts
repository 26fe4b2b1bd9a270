import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { overlaps } from '../core/forecast/events.ts';
import { asUtcMillis, dayOf, momentOf, offsetMillis } from './time-zone.ts';

/** How demand around the end of a month is named. */
export const MONTH_END = 'month end';

/**
 * The end of every month, as events: its last days up to midnight in the time zone.
 * @param days how many days it lasts: a whole number from 1 to 28
 * @throws RangeError for another number of days or an unknown time zone
 */
export function monthEnds(window: TimeWindow, timeZone = 'UTC', days = 1): BusinessEvent[] {
  if (!Number.isInteger(days) || days < 1 || days > 28) {
    throw new RangeError(`${days} days at a month's end: expected a whole number from 1 to 28`);
  }
  const events: BusinessEvent[] = [];
  const first = dayOf(window.startMillis + offsetMillis(window.startMillis, timeZone));
  for (let months = 0; ; months += 1) {
    const end = dayOf(asUtcMillis({ year: first.year, month: first.month + months + 1, day: 1 }));
    const start = dayOf(asUtcMillis({ ...end, day: 1 - days }));
    const event = { name: MONTH_END, startMillis: momentOf(start, timeZone), endMillis: momentOf(end, timeZone) };
    if (event.startMillis >= window.endMillis) return events;
    if (overlaps(event, window)) events.push(event);
  }
}
