import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { eventProblem, overlaps } from '../core/forecast/events.ts';
import { CalendarError } from './calendar-error.ts';
import { asUtcMillis, momentOf, nextDay, type WallTime } from './time-zone.ts';

export const CSV_HEADER = 'name,start,end[,factor]';
const REQUIRED = ['name', 'start', 'end'];
const KNOWN = new Set([...REQUIRED, 'factor']);
const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.0+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const MILLIS_PER_MINUTE = 60_000;

/** Cells of a line; a quoted one may hold commas, and quotes written twice. @throws CalendarError for a quote that is not closed */
function cellsOf(text: string, line: number): string[] {
  const cells: string[] = [];
  let rest = text;
  for (;;) {
    const cell = /^\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/.exec(rest);
    if (cell === null) throw new CalendarError('a quote out of place: expected "…" around a whole cell', line);
    cells.push(cell[1]?.replaceAll('""', '"') ?? cell[2]?.trim() ?? '');
    if (cell[3] === '') return cells;
    rest = rest.slice(cell[0].length);
  }
}

/** A time of the file: a day on the wall, or a moment. */
type Told = { readonly day: WallTime } | { readonly atMillis: number };

function toldBy(cell: string, timeZone: string): Told | undefined {
  const match = TIME.exec(cell);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0));
  const wall = {
    year: year ?? 0,
    month: month ?? 0,
    day: day ?? 0,
    hour: hour ?? 0,
    minute: minute ?? 0,
    second: second ?? 0,
  };
  const asUtc = asUtcMillis(wall);
  // A day or an hour that there is not would have moved on to the next one.
  if (new Date(asUtc).toISOString().slice(0, 10) !== cell.slice(0, 10)) return undefined;
  if (wall.hour > 23 || wall.minute > 59 || wall.second > 59) return undefined;
  if (match[4] === undefined) return { day: wall };
  const offset = match[7];
  if (offset === undefined) return { atMillis: momentOf(wall, timeZone) };
  if (offset === 'Z') return { atMillis: asUtc };
  const [hours, minutes] = offset.slice(1).split(':').map(Number);
  const magnitude = ((hours ?? 0) * 60 + (minutes ?? 0)) * MILLIS_PER_MINUTE;
  return { atMillis: asUtc - (offset.startsWith('-') ? -magnitude : magnitude) };
}

function timeOf(cell: string, column: string, line: number, timeZone: string): Told {
  const told = toldBy(cell, timeZone);
  if (told !== undefined) return told;
  throw new CalendarError(`${column} "${cell}": expected ISO 8601, such as 2026-11-27 or 2026-11-27T08:00:00Z`, line);
}

function headerOf(cells: readonly string[], line: number): readonly string[] {
  const names = cells.map((name) => name.toLowerCase());
  const missing = REQUIRED.find((name) => !names.includes(name));
  if (missing !== undefined) throw new CalendarError(`no column "${missing}": expected the header ${CSV_HEADER}`, line);
  const other = names.find((name, place) => !KNOWN.has(name) || names.indexOf(name) !== place);
  if (other !== undefined) throw new CalendarError(`column "${other}": expected the header ${CSV_HEADER}`, line);
  return names;
}

function eventOf(cells: ReadonlyMap<string, string>, line: number, timeZone: string): BusinessEvent {
  const start = timeOf(cells.get('start') ?? '', 'start', line, timeZone);
  const endCell = cells.get('end') ?? '';
  const end = endCell === '' && 'day' in start ? start : timeOf(endCell, 'end', line, timeZone);
  const factorCell = cells.get('factor') ?? '';
  const event = {
    name: cells.get('name') ?? '',
    startMillis: 'day' in start ? momentOf(start.day, timeZone) : start.atMillis,
    // A day named as the end belongs to the event.
    endMillis: 'day' in end ? momentOf(nextDay(end.day), timeZone) : end.atMillis,
    ...(factorCell === '' ? {} : { expectedFactor: Number(factorCell) }),
  };
  const problem = eventProblem(event);
  if (problem !== undefined) throw new CalendarError(problem, line);
  return event;
}

/**
 * Events from lines `name,start,end[,factor]` under a header. Times are ISO 8601. A date alone is a day in `timeZone`, and as an
 * end it belongs to the event; without an end the event is that one day. A time without Z or an offset is told in `timeZone`.
 * @returns those that overlap the window, in the file's order
 * @throws CalendarError with the line
 */
export function readCsv(text: string, window: TimeWindow, timeZone = 'UTC'): BusinessEvent[] {
  let header: readonly string[] | undefined;
  const events: BusinessEvent[] = [];
  for (const [index, each] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    if (each.trim() === '' || each.startsWith('#')) continue;
    const cells = cellsOf(each, line);
    if (header === undefined) {
      header = headerOf(cells, line);
      continue;
    }
    // The last column may be left out.
    if (cells.length > header.length || cells.length < header.length - Number(header.at(-1) === 'factor')) {
      throw new CalendarError(`${cells.length} values: expected ${header.length}, as in the header`, line);
    }
    const byName = new Map(header.map((name, place) => [name, cells[place] ?? '']));
    const event = eventOf(byName, line, timeZone);
    if (overlaps(event, window)) events.push(event);
  }
  if (header === undefined) throw new CalendarError(`no lines: expected the header ${CSV_HEADER}`);
  return events;
}
