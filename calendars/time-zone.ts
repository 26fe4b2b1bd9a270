/** A date and time of day on the wall, in some time zone. Months count from 1. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
}

const MILLIS_PER_DAY = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

/** Whether the name is one of the IANA time zone database, such as Europe/Berlin. */
export function isTimeZone(name: string): boolean {
  // Offsets such as +01:00 are accepted by Intl, yet are no names.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

/** Wall time as if the wall were in UTC. */
export function asUtcMillis({ year, month, day, hour = 0, minute = 0, second = 0 }: WallTime): number {
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return date.getTime();
}

/** Wall time of a moment, as if the wall were in UTC, minus the moment. @throws RangeError for an unknown zone */
export function offsetMillis(atMillis: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(atMillis)
      .map(({ type, value }) => [type, value]),
  );
  const numberOf = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const wall = asUtcMillis({
    year: parts.get('era') === 'BC' ? 1 - numberOf('year') : numberOf('year'),
    month: numberOf('month'),
    day: numberOf('day'),
    hour: numberOf('hour'),
    minute: numberOf('minute'),
    second: numberOf('second'),
  });
  return wall - Math.floor(atMillis / 1_000) * 1_000;
}

/**
 * The moment of a wall time. Of a time that the clocks show twice it is the first; one that they skip is told by the offset
 * before the gap (RFC 5545, 3.3.5).
 * @throws RangeError for an unknown zone
 */
export function momentOf(wall: WallTime, timeZone: string): number {
  const asUtc = asUtcMillis(wall);
  const before = offsetMillis(asUtc - MILLIS_PER_DAY, timeZone);
  const after = offsetMillis(asUtc + MILLIS_PER_DAY, timeZone);
  const first = asUtc - before;
  if (before === after || offsetMillis(first, timeZone) === before) return first;
  const second = asUtc - after;
  return offsetMillis(second, timeZone) === after ? second : first;
}

/** The day after, on the wall. */
export function nextDay({ year, month, day }: WallTime): WallTime {
  return dayOf(asUtcMillis({ year, month, day }) + MILLIS_PER_DAY);
}

/** The date that a wall in UTC shows. */
export function dayOf(atMillis: number): WallTime {
  const date = new Date(atMillis);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}
