import type { Amounts } from './amounts.ts';
import { amountOf } from './amounts.ts';

const MILLIS_PER_SECOND = 1_000;
const MILLIS_PER_HOUR = 3_600_000;

/** A loan that was in use, whether or not it has ended. */
export interface PastLoan {
  readonly lenderAccountId: string;
  readonly borrowerAccountId: string;
  /** What was lent: a resource type, an instance family; shares are counted of each. */
  readonly key: string;
  readonly units: number;
  readonly fromMillis: number;
  /** Absent: it is still in use. */
  readonly untilMillis?: number;
}

export interface HistoryWindow {
  /** What is older is left out. */
  readonly windowSeconds: number;
  /** After so long an hour of use counts half. */
  readonly halfLifeSeconds: number;
}

export const DEFAULT_HISTORY_WINDOW: HistoryWindow = { windowSeconds: 90 * 86_400, halfLifeSeconds: 30 * 86_400 };

/** Hours of use between two moments, each weighed by its age: ∫ 2^(−age / half-life). */
function weighedHours(fromMillis: number, untilMillis: number, nowMillis: number, halfLifeSeconds: number): number {
  const halfLifeMillis = halfLifeSeconds * MILLIS_PER_SECOND;
  const weightAt = (millis: number): number => 2 ** ((millis - nowMillis) / halfLifeMillis);
  return ((weightAt(untilMillis) - weightAt(fromMillis)) * halfLifeMillis) / (Math.LN2 * MILLIS_PER_HOUR);
}

/**
 * Unit-hours borrowed less lent, for each account and key, older ones counting less. Over all accounts each key sums to 0.
 * @throws RangeError for a window or half-life that is not above 0
 */
export function netBorrowed(
  loans: readonly PastLoan[],
  nowMillis: number,
  { windowSeconds, halfLifeSeconds }: HistoryWindow = DEFAULT_HISTORY_WINDOW,
): ReadonlyMap<string, Amounts> {
  if (!(windowSeconds > 0) || !(halfLifeSeconds > 0)) {
    throw new RangeError(`window ${windowSeconds} s, half-life ${halfLifeSeconds} s; expected both above 0`);
  }
  const net = new Map<string, Record<string, number>>();
  const add = (account: string, key: string, unitHours: number): void => {
    const amounts = net.get(account) ?? {};
    amounts[key] = (amounts[key] ?? 0) + unitHours;
    net.set(account, amounts);
  };
  for (const { lenderAccountId, borrowerAccountId, key, units, fromMillis, untilMillis = nowMillis } of loans) {
    const from = Math.max(fromMillis, nowMillis - windowSeconds * MILLIS_PER_SECOND);
    const until = Math.min(untilMillis, nowMillis);
    if (until <= from) continue;
    const unitHours = units * weighedHours(from, until, nowMillis, halfLifeSeconds);
    add(borrowerAccountId, key, unitHours);
    add(lenderAccountId, key, -unitHours);
  }
  return net;
}

/**
 * Each account's share of what was borrowed, over past loans: net unit-hours of a key ÷ Σ over the accounts of max(0, net), and of
 * the keys that it has traded in the largest (dominant resource fairness); divided by its weight, where it has one. At most 1; below 0 for
 * who has lent more than borrowed of everything; 0 for who has traded nothing.
 *
 * @param net unit-hours borrowed less lent, by account and key, as `netBorrowed` or the credits of accounts say
 * @param weights what an account's share is divided by; absent: 1
 * @throws RangeError for a weight that is not above 0
 */
export function fairShares(
  net: ReadonlyMap<string, Amounts>,
  weights: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const borrowed = new Map<string, number>();
  // Summed in one order: the shares do not depend on the order in which accounts are given.
  for (const [, amounts] of [...net].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [key, unitHours] of Object.entries(amounts)) {
      borrowed.set(key, (borrowed.get(key) ?? 0) + Math.max(0, unitHours));
    }
  }
  return new Map(
    [...net].map(([account, amounts]) => {
      const weight = weights.get(account) ?? 1;
      if (!(weight > 0)) throw new RangeError(`weight of ${account}: ${weight}; expected above 0`);
      const shares = Object.keys(amounts).flatMap((key) => {
        const ofAll = borrowed.get(key) ?? 0;
        return ofAll > 0 && amountOf(amounts, key) !== 0 ? [amountOf(amounts, key) / ofAll] : [];
      });
      return [account, shares.length === 0 ? 0 : Math.max(...shares) / weight] as const;
    }),
  );
}
