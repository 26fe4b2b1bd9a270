import { meanOf, medianOf } from './statistics.ts';

// Simple forecasts that the global LSTM weighs. models/training/features.py computes the same numbers.

const DAY = 24;
const WEEK = 168;
const HORIZON = 48;
const MOST_DAYS = 14;
const MOST_WEEKS = 4;
const RECENT_STEPS = 3;
const LATELY_STEPS = 6;

/** One value an hour of the horizon. */
function byHour(valueAt: (hour: number) => number): Float64Array {
  const values = new Float64Array(HORIZON);
  for (let hour = 0; hour < HORIZON; hour += 1) values[hour] = valueAt(hour);
  return values;
}

/** The values of a day for each day of the horizon. */
function twice(day: Float64Array): Float64Array {
  return byHour((hour) => day[hour % DAY] ?? 0);
}

/** One value an hour of a day, from the same hour of the last `count` days, newest first. */
function fromDays(z: Float64Array, count: number, combine: (sameHours: Float64Array) => number): Float64Array {
  const sameHours = new Float64Array(Math.min(count, Math.floor(z.length / DAY)));
  const combined = new Float64Array(DAY);
  for (let hour = 0; hour < DAY; hour += 1) {
    for (let day = 0; day < sameHours.length; day += 1) sameHours[day] = z[z.length - (day + 1) * DAY + hour] ?? 0;
    combined[hour] = combine(sameHours);
  }
  return combined;
}

/** Weights halve with each day that passed. */
function fadingMean(newestFirst: Float64Array): number {
  let sum = 0;
  let total = 0;
  let weight = 1;
  for (let age = 0; age < newestFirst.length; age += 1) {
    sum += (newestFirst[age] ?? 0) * weight;
    total += weight;
    weight /= 2;
  }
  return sum / total;
}

/** Forecasts from the weeks before: repeated, averaged, and both moved to the level of the last day. */
interface WeeklyCandidates {
  readonly repeated: Float64Array;
  readonly averaged: Float64Array;
  readonly repeatedAtLevel: Float64Array;
  readonly averagedAtLevel: Float64Array;
}

/** Where the history is too short for a week, the forecasts from days stand in. */
interface DailyStandIns {
  readonly naive: Float64Array;
  readonly mean: Float64Array;
  readonly shifted: Float64Array;
}

function weeklyCandidates(z: Float64Array, daily: DailyStandIns): WeeklyCandidates {
  const end = z.length;
  if (end < WEEK) {
    const shifted = twice(daily.shifted);
    return {
      repeated: twice(daily.naive),
      averaged: twice(daily.mean),
      repeatedAtLevel: shifted,
      averagedAtLevel: shifted,
    };
  }
  /** Mean of the values 1, 2, … weeks before a step, of those weeks that the history covers from `lead` steps earlier on. */
  const sameHours = (step: number, lead: number, most: number): number => {
    const weeks = Math.min(most, Math.floor((end - lead) / WEEK));
    let sum = 0;
    for (let week = 1; week <= weeks; week += 1) sum += z[step - week * WEEK] ?? 0;
    return sum / Math.max(1, weeks);
  };
  const repeated = byHour((hour) => z[end - WEEK + hour] ?? 0);
  const averaged = byHour((hour) => sameHours(end + hour, 0, MOST_WEEKS));
  if (end < WEEK + DAY) {
    const shifted = twice(daily.shifted);
    return { repeated, averaged, repeatedAtLevel: shifted, averagedAtLevel: shifted };
  }
  const lastDay = z.subarray(end - DAY);
  const gap = meanOf(lastDay) - meanOf(z.subarray(end - WEEK - DAY, end - WEEK));
  const meanGap = meanOf(lastDay.map((value, hour) => value - sameHours(end - DAY + hour, DAY, MOST_WEEKS - 1)));
  return {
    repeated,
    averaged,
    repeatedAtLevel: repeated.map((value) => value + gap),
    averagedAtLevel: averaged.map((value) => value + meanGap),
  };
}

/**
 * Forecasts of the 48 hours after the end of `z`.
 * @param z hourly values, at least a day of them
 * @returns in this order: the last day repeated, last week repeated, mean of the same hour over 7 days and over 14, mean of the
 *   same hour over 4 weeks, the last value, the mean of the last day, last week at the level of the last day, the mean over 7
 *   days at that level, the median over 7 days, the mean over 4 weeks moved by its last errors, the mean over 7 days moved by
 *   the errors of the last three hours, a mean of the same hour that fades with age, the mean of the last six hours, the median
 *   of the last day, and the median of the same hour over 3 days
 */
export function lstmCandidates(z: Float64Array): Float64Array[] {
  const naive = fromDays(z, 1, meanOf);
  const mean = fromDays(z, 7, meanOf);
  const level = meanOf(naive);
  const meanLevel = meanOf(mean);
  const shifted = mean.map((value) => value + level - meanLevel);
  const recentErrors = Array.from(
    { length: RECENT_STEPS },
    (_, index) => (naive[DAY - 1 - index] ?? 0) - (mean[DAY - 1 - index] ?? 0),
  );
  const recent = mean.map((value) => value + meanOf(recentErrors));
  const weekly = weeklyCandidates(z, { naive, mean, shifted });
  const last = z[z.length - 1] ?? 0;
  const lately = meanOf(naive.subarray(DAY - LATELY_STEPS));
  const middle = medianOf(naive);
  return [
    twice(naive),
    weekly.repeated,
    twice(mean),
    twice(fromDays(z, MOST_DAYS, meanOf)),
    weekly.averaged,
    byHour(() => last),
    byHour(() => level),
    weekly.repeatedAtLevel,
    twice(shifted),
    twice(fromDays(z, 7, medianOf)),
    weekly.averagedAtLevel,
    twice(recent),
    twice(fromDays(z, MOST_DAYS, fadingMean)),
    byHour(() => lately),
    byHour(() => middle),
    twice(fromDays(z, 3, medianOf)),
  ];
}
