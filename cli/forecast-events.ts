import { readFile } from 'node:fs/promises';
import { readCalendar } from '../calendars/read-calendar.ts';
import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { UsageError } from './usage.ts';

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--events ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * The business events of files, iCalendar or lines of values, in the order of the files.
 * @throws UsageError when a file cannot be read; CalendarError, which names its line, when what it says cannot be
 */
export async function readEvents(paths: readonly string[], window: TimeWindow): Promise<BusinessEvent[]> {
  const events: BusinessEvent[] = [];
  for (const path of paths) events.push(...readCalendar(await textOf(path), path, window));
  return events;
}
