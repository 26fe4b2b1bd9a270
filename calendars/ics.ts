import ICAL from 'ical.js';
import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { eventProblem, overlaps } from '../core/forecast/events.ts';
import { CalendarError } from './calendar-error.ts';
import { isTimeZone, momentOf, offsetMillis, type WallTime } from './time-zone.ts';

/** Property of a VEVENT that tells the demand to expect, as a multiple of normal demand. */
const FACTOR_PROPERTY = 'x-entangle-factor';
/** A rule that comes round more often than this before the window ends is no business event. */
const MAX_OCCURRENCES = 20_000;

interface Context {
  readonly window: TimeWindow;
  /** Of times and days that name no zone. */
  readonly timeZone: string;
}

/** What the library, which does not say so, tells of an occurrence. */
interface Details {
  readonly item: ICAL.Event;
  readonly startDate: ICAL.Time;
  readonly endDate: ICAL.Time;
}

/** A time zone as the IANA database has it, for calendars that name one without defining it. */
class IanaZone extends ICAL.Timezone {
  constructor(name: string) {
    super({ tzid: name });
  }

  override utcOffset(time: ICAL.Time): number {
    const wall = wallOf(time);
    const moment = momentOf(wall, this.tzid);
    return offsetMillis(moment, this.tzid) / 1_000;
  }
}

const wallOf = ({ year, month, day, hour, minute, second }: ICAL.Time): WallTime => ({
  year,
  month,
  day,
  hour,
  minute,
  second,
});

/** Lines at which components begin, by name. @throws CalendarError for a line that is none and a component without an end */
function beginnings(text: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  const open: { readonly name: string; readonly line: number }[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    if (content.trim() === '' || /^[ \t]/.test(content)) continue;
    const match = /^(begin|end):(.*)$/i.exec(content.trim());
    const name = match?.[2]?.trim().toUpperCase() ?? '';
    if (match === null) {
      if (!/[:;]/.test(content)) throw new CalendarError(`"${content.slice(0, 60)}": expected NAME:VALUE`, line);
    } else if (match[1]?.toUpperCase() === 'BEGIN') {
      open.push({ name, line });
      found.set(name, [...(found.get(name) ?? []), line]);
    } else if (open.pop()?.name !== name) {
      throw new CalendarError(`END:${name} without its BEGIN:${name}`, line);
    }
  }
  const last = open.at(-1);
  if (last !== undefined) throw new CalendarError(`BEGIN:${last.name} has no END:${last.name}`, last.line);
  return found;
}

/** The calendars of a text. @throws CalendarError */
function parsed(text: string): ICAL.Component[] {
  try {
    const jCal: unknown = ICAL.parse(text);
    // One calendar is an array that begins with its name; several are an array of such.
    const all = Array.isArray(jCal) && Array.isArray(jCal[0]) ? (jCal as unknown[][]) : [jCal as unknown[]];
    return all.map((each) => new ICAL.Component(each));
  } catch (thrown) {
    throw new CalendarError(`no iCalendar text: ${messageOf(thrown)}`);
  }
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** Makes the zones that the calendar names mean what the IANA database says of them, wherever it knows the name. */
function useIanaZones(calendar: ICAL.Component, events: readonly ICAL.Component[]): void {
  for (const definition of calendar.getAllSubcomponents('vtimezone')) {
    if (isTimeZone(String(definition.getFirstPropertyValue('tzid')))) calendar.removeSubcomponent(definition);
  }
  const named = events.flatMap((event) =>
    event.getAllProperties().map((property) => property.getFirstParameter('tzid')),
  );
  for (const name of new Set(named)) {
    if (!name || ICAL.TimezoneService.has(name)) continue;
    if (isTimeZone(name)) {
      ICAL.TimezoneService.register(new IanaZone(name));
    } else if (calendar.getTimeZoneByID(name) === null) {
      throw new Error(
        `time zone "${name}": expected a name of the IANA database, such as Europe/Berlin, or its VTIMEZONE`,
      );
    }
  }
}

function millisOf(time: ICAL.Time, { timeZone }: Context): number {
  const isFloating = time.isDate || time.zone.tzid === 'floating';
  return isFloating ? momentOf(wallOf(time), timeZone) : time.toUnixTime() * 1_000;
}

function factorOf(component: ICAL.Component): number | undefined {
  const told = component.getFirstPropertyValue(FACTOR_PROPERTY);
  if (told === null) return undefined;
  const text = String(told).trim();
  const factor = text === '' ? Number.NaN : Number(text);
  if (Number.isNaN(factor))
    throw new Error(`${FACTOR_PROPERTY.toUpperCase()} "${text}": expected a number, where 1 is normal demand`);
  return factor;
}

/** One occurrence, or none when it was cancelled. @throws Error for an event that says too little of itself */
function occurrenceOf(item: ICAL.Event, start: ICAL.Time, end: ICAL.Time, context: Context): BusinessEvent[] {
  if (String(item.component.getFirstPropertyValue('status')).toUpperCase() === 'CANCELLED') return [];
  const expectedFactor = factorOf(item.component);
  const event: BusinessEvent = {
    name: (item.summary ?? '').trim(),
    startMillis: millisOf(start, context),
    endMillis: millisOf(end, context),
    ...(expectedFactor === undefined ? {} : { expectedFactor }),
  };
  const problem = eventProblem(event);
  if (problem !== undefined) throw new Error(problem);
  return overlaps(event, context.window) ? [event] : [];
}

function occurrencesOf(
  component: ICAL.Component,
  exceptions: readonly ICAL.Component[],
  context: Context,
): BusinessEvent[] {
  if (component.getFirstPropertyValue('dtstart') === null) throw new Error('an event without DTSTART');
  const event = new ICAL.Event(component, { exceptions: [...exceptions], strictExceptions: false });
  if (!event.isRecurring()) return occurrenceOf(event, event.startDate, event.endDate, context);
  const found: BusinessEvent[] = [];
  const occurrences = event.iterator();
  for (let count = 0; count < MAX_OCCURRENCES; count += 1) {
    const next = occurrences.next() as ICAL.Time | undefined | null;
    if (next === undefined || next === null || millisOf(next, context) >= context.window.endMillis) return found;
    const { item, startDate, endDate } = event.getOccurrenceDetails(next) as Details;
    found.push(...occurrenceOf(item, startDate, endDate, context));
  }
  throw new Error(`comes round more than ${MAX_OCCURRENCES} times: expected a rule for days or longer`);
}

/**
 * Events of an iCalendar text (RFC 5545): single and recurring (RRULE, RDATE, EXDATE, RECURRENCE-ID), of whole days or with
 * times in UTC, in an IANA zone or in one that the file defines. A name that the IANA database knows means what it says, even
 * where the file defines it too. Times without a zone, and days, are in `timeZone`. Cancelled events are left out. The
 * property X-ENTANGLE-FACTOR of an event tells the demand to expect.
 * @returns occurrences that overlap the window, in the file's order
 * @throws CalendarError with the line at which the event begins
 */
export function readIcs(text: string, window: TimeWindow, timeZone = 'UTC'): BusinessEvent[] {
  const begins = beginnings(text.replace(/^\uFEFF/, ''));
  if (!begins.has('VCALENDAR')) throw new CalendarError('no BEGIN:VCALENDAR: expected an iCalendar text');
  const lines = begins.get('VEVENT') ?? [];
  const found: BusinessEvent[] = [];
  let place = 0;
  for (const calendar of parsed(text)) {
    const components = calendar.getAllSubcomponents('vevent');
    for (const component of components) {
      const line = lines[place];
      place += 1;
      try {
        useIanaZones(calendar, [component]);
        if (component.hasProperty('recurrence-id')) continue;
        const uid = component.getFirstPropertyValue('uid');
        const exceptions = components.filter(
          (other) => uid !== null && other.hasProperty('recurrence-id') && other.getFirstPropertyValue('uid') === uid,
        );
        useIanaZones(calendar, exceptions);
        found.push(...occurrencesOf(component, exceptions, { window, timeZone }));
      } catch (thrown) {
        throw new CalendarError(messageOf(thrown), line);
      }
    }
  }
  return found;
}
