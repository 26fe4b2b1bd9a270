import type { EpochMillis } from './units.ts';
import { epochMillis } from './units.ts';

const MILLIS_PER_DAY = 86_400_000;

/** Year, month (1–12) and day (1–31) in UTC of a point in time: days since the epoch to the proleptic Gregorian calendar. */
export function utcDate(at: EpochMillis): { year: number; month: number; day: number } {
  // Years are counted from 1 March, so that the leap day is the last of its year; 719,468 days lie between
  // 0000-03-01 and 1970-01-01, and 146,097 days make a cycle of 400 years.
  const shifted = Math.floor(at / MILLIS_PER_DAY) + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const daysBefore = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - daysBefore;
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** `YYYY-MM` in UTC. */
export function utcMonth(at: EpochMillis): string {
  const { year, month } = utcDate(at);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}`;
}

/** `YYYY-MM-DD HH:MM UTC`: a moment as people read it, to the minute that it lies in. */
export function utcMinuteText(at: EpochMillis): string {
  const { day } = utcDate(at);
  const minutes = Math.floor(utcSecondOfDay(at) / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${utcMonth(at)}-${two(day)} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)} UTC`;
}

/** 0 = Sunday … 6 = Saturday, in UTC. */
export function utcDayOfWeek(at: EpochMillis): number {
  return (((Math.floor(at / MILLIS_PER_DAY) + 4) % 7) + 7) % 7;
}

/** Seconds since 00:00 UTC. */
export function utcSecondOfDay(at: EpochMillis): number {
  return Math.floor((((at % MILLIS_PER_DAY) + MILLIS_PER_DAY) % MILLIS_PER_DAY) / 1_000);
}

/** When a month begins, in UTC. @param month 1 to 12; 13 is the January that follows, 0 the December before */
export function utcMonthStart(year: number, month: number): EpochMillis {
  // The inverse of `utcDate`, for the first of a month.
  const months = year * 12 + month - 1;
  const [civilYear, civilMonth] = [Math.floor(months / 12), (months % 12) + 1];
  const marchYear = civilMonth <= 2 ? civilYear - 1 : civilYear;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (civilMonth > 2 ? civilMonth - 3 : civilMonth + 9) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return epochMillis((era * 146_097 + dayOfEra - 719_468) * MILLIS_PER_DAY);
}
