import { utcMonthStart } from '../calendar.ts';
import type { ConsentUsage } from '../consent/consent.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import { creditFactors } from './matching/fairness.ts';

const MILLIS_PER_DAY = 86_400_000;
const SECONDS_PER_HOUR = 3_600;
/** Credits count half as much so many days after the month in which they were settled. */
export const CREDIT_HALF_LIFE_DAYS = 30;
/** A balance this far from the average counts in full, even if none is farther: one short loan does not order a bucket. */
const FULL_AT_UNIT_HOURS = 24;

/** What an account has lent more than it has borrowed. */
export interface Credits {
  /** Unit-hours of ended loans, lent less borrowed, as they count now: above 0 for who lent more. */
  readonly balanceUnitHours: number;
  readonly at: EpochMillis;
}

/**
 * The credits of an account (Karma, OSDI '23). A loan that ends moves its unit-hours from the borrower's balance to the lender's, both
 * in one transaction with its end, so the balances of all accounts always sum to zero. The part of each month fades alike for both
 * sides: its weight halves every 30 days from the end of the month on.
 */
export function creditsOf(usage: ConsentUsage, now: EpochMillis): Credits {
  let balance = 0;
  const months = Object.entries(usage.creditUnitSeconds ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [month, unitSeconds] of months) {
    const [year = 1970, ofYear = 1] = month.split('-').map(Number);
    const ageDays = Math.max(0, now - utcMonthStart(year, ofYear + 1)) / MILLIS_PER_DAY;
    balance += (unitSeconds / SECONDS_PER_HOUR) * 2 ** (-ageDays / CREDIT_HALF_LIFE_DAYS);
  }
  return { balanceUnitHours: balance, at: now };
}

/**
 * What a unit-hour counts when an account borrows it: more than 1 for those with more credits than the average of these accounts, less
 * for those with fewer, by `strength` at most. 1 for all with a strength of 0.
 * @throws RangeError for a strength below 0, or of 1 and more
 */
export function borrowerFactors(
  usages: ReadonlyMap<AccountId, ConsentUsage>,
  strength: number,
  now: EpochMillis,
): ReadonlyMap<string, number> {
  const inOrder = [...usages].sort(([a], [b]) => (a < b ? -1 : 1));
  const balances = inOrder.map(([account, usage]) => [account, creditsOf(usage, now).balanceUnitHours] as const);
  return creditFactors(new Map(balances), strength, FULL_AT_UNIT_HOURS);
}
