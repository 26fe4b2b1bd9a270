import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { holidays } from '../calendars/holidays.ts';
import { monthEnds } from '../calendars/month-ends.ts';
import { readCalendar } from '../calendars/read-calendar.ts';
import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { inOrder } from '../core/forecast/events.ts';
import { POOL_EVENTS_MAX } from '../functions/adapters/schemas.ts';
import { ConfigError } from './config.ts';
import type { CalendarConfig } from './config-schema.ts';

const MILLIS_PER_DAY = 86_400_000;
/** Events before today are what their effect is learned from; a history keeps four weeks. */
const DAYS_BEFORE = 35;
/** A year, and time to enrol again. */
const DAYS_AFTER = 400;

/** The time whose events are worth storing. */
export function eventWindow(nowMillis: number): TimeWindow {
  return {
    startMillis: nowMillis - DAYS_BEFORE * MILLIS_PER_DAY,
    endMillis: nowMillis + DAYS_AFTER * MILLIS_PER_DAY,
  };
}

function readEvents(path: string, name: string, window: TimeWindow, timeZone: string): BusinessEvent[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'no file';
    throw new ConfigError(`calendar: expected a file that can be read at ${path}, got ${code}`);
  }
  try {
    return readCalendar(text, name, window, timeZone);
  } catch (error) {
    throw new ConfigError(`calendar: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * The business events of a calendar of the configuration, in order.
 * @param configPath path of the configuration file, which the calendar's paths are relative to
 * @throws ConfigError when a file cannot be read or is not a calendar, or when there are too many events
 */
export function calendarEvents(calendar: CalendarConfig, configPath: string, window: TimeWindow): BusinessEvent[] {
  const { files, timeZone, holidays: countries } = calendar;
  const folder = dirname(resolve(configPath));
  const events = inOrder([
    ...files.flatMap((file) => readEvents(resolve(folder, file), file, window, timeZone)),
    ...countries.flatMap((country) => holidays(country, window, timeZone)),
    ...(calendar.monthEnds ? monthEnds(window, timeZone) : []),
  ]);
  if (events.length <= POOL_EVENTS_MAX) return events;
  throw new ConfigError(
    `calendar: ${events.length} events from ${DAYS_BEFORE} days ago to ${DAYS_AFTER} days ahead: expected at most ${POOL_EVENTS_MAX}`,
  );
}
