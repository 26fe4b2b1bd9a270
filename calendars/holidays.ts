import type { BusinessEvent, TimeWindow } from '../core/forecast/events.ts';
import { inOrder, overlaps } from '../core/forecast/events.ts';
import table from './holidays.json' with { type: 'json' };
import { momentOf, nextDay, type WallTime } from './time-zone.ts';

const COUNTRIES: Readonly<Record<string, Readonly<Record<string, string>>>> = table.countries;

/** Countries whose holidays are known: ISO 3166-1 codes of two letters, ascending. */
export const HOLIDAY_COUNTRIES: readonly string[] = Object.keys(COUNTRIES);

/** Days of `MMDD`, in every year of the table, or of `YYYYMMDD …`. */
function daysOf(compact: string): WallTime[] {
  const { firstYear, lastYear } = table;
  const isYearly = compact.length === 4;
  const days = isYearly
    ? Array.from({ length: lastYear - firstYear + 1 }, (_, index) => `${firstYear + index}${compact}`)
    : compact.split(' ');
  return days.map((day) => ({
    year: Number(day.slice(0, 4)),
    month: Number(day.slice(4, 6)),
    day: Number(day.slice(6, 8)),
  }));
}

/**
 * Public holidays of a whole country, 2015 to 2040, each day from midnight to midnight in an IANA time zone. Holidays of its
 * regions are not among them. Days that follow the moon are estimates from some year on.
 * Source: PyPI `holidays` (MIT), through calendars/write-holidays.py.
 * @param country ISO 3166-1 code of two letters
 * @returns those that overlap the window, by start, named such as "Labor Day (US)": countries keep holidays of one name apart
 * @throws RangeError for a country that is not in HOLIDAY_COUNTRIES or an unknown time zone
 */
export function holidays(country: string, window: TimeWindow, timeZone = 'UTC'): BusinessEvent[] {
  const code = country.toUpperCase();
  const known = Object.hasOwn(COUNTRIES, code) ? COUNTRIES[code] : undefined;
  if (known === undefined) {
    throw new RangeError(`holidays of "${country}": expected one of ${HOLIDAY_COUNTRIES.join(', ')}`);
  }
  const events = Object.entries(known).flatMap(([name, compact]) =>
    daysOf(compact).map((day) => ({
      name: `${name} (${code})`,
      startMillis: momentOf(day, timeZone),
      endMillis: momentOf(nextDay(day), timeZone),
    })),
  );
  return inOrder(events.filter((event) => overlaps(event, window)));
}
