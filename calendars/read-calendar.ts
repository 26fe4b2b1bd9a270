import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { inOrder } from '../core/forecast/events.ts';
import { CalendarError } from './calendar-error.ts';
import { CSV_HEADER, readCsv } from './csv.ts';
import { readIcs } from './ics.ts';
import { isTimeZone } from './time-zone.ts';

/**
 * Business events of a file: iCalendar when it begins with BEGIN:VCALENDAR or its name ends in .ics, else lines of values.
 * @param fileName names the file in errors
 * @param timeZone IANA zone of days, and of times that name none
 * @returns those that overlap the window, by start
 * @throws CalendarError `FILE: line N: …` for what cannot be read
 */
export function readCalendar(text: string, fileName: string, window: TimeWindow, timeZone = 'UTC'): BusinessEvent[] {
  try {
    if (!isTimeZone(timeZone)) {
      throw new CalendarError(`time zone "${timeZone}": expected a name of the IANA database, such as Europe/Berlin`);
    }
    if (text.replace(/^\uFEFF/, '').trim() === '') {
      throw new CalendarError(`nothing in it: expected iCalendar, or lines under the header ${CSV_HEADER}`);
    }
    const isIcs = /^\uFEFF?\s*BEGIN:VCALENDAR/i.test(text) || fileName.toLowerCase().endsWith('.ics');
    return inOrder(isIcs ? readIcs(text, window, timeZone) : readCsv(text, window, timeZone));
  } catch (thrown) {
    if (thrown instanceof CalendarError) throw new CalendarError(thrown.reason, thrown.line, fileName);
    throw thrown;
  }
}
