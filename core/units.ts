/**
 * Whole-number quantities with names. Money is micro-dollars, time is milliseconds since the Unix epoch,
 * capacity is units (one unit = one instance). All of them are safe integers: a sum that leaves the safe
 * range is a defect, so the checked operations throw instead of rounding.
 */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A 12-digit AWS account id. */
export type AccountId = Branded<string, 'AccountId'>;
/** `<account>/<region>/<Auto Scaling group name>`. */
export type PoolId = Branded<string, 'PoolId'>;
/** `ln-` and 24 hexadecimal digits, derived from the pool and the alarm transition that asked for it. */
export type LoanId = Branded<string, 'LoanId'>;
/** Milliseconds since the Unix epoch. */
export type EpochMillis = Branded<number, 'EpochMillis'>;
/** Whole micro-dollars: 1 USD = 1,000,000. Negative is a debit. */
export type MicroUsd = Branded<number, 'MicroUsd'>;

/** The resource types of which demand is measured; each can be the one that binds. */
export const RESOURCE_TYPES = ['cpu', 'memory', 'network', 'storage'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

export const MILLIS_PER_SECOND = 1_000;
export const MILLIS_PER_HOUR = 3_600_000;

/** Something that must hold at all times did not: a defect of ours, never bad input. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Asserts a statement that must always hold. @throws InvariantViolation with the statement. */
export function invariant(condition: boolean, statement: string): asserts condition {
  if (!condition) throw new InvariantViolation(statement);
}

/** A value of an external string as an account id. @throws RangeError unless it is 12 digits. */
export function accountId(value: string): AccountId {
  if (!/^\d{12}$/.test(value)) throw new RangeError(`account id "${value}": expected 12 digits`);
  return value as AccountId;
}

/** The id of a pool from its parts. */
export function poolId(account: AccountId, region: string, groupName: string): PoolId {
  return `${account}/${region}/${groupName}` as PoolId;
}

/** The account, region and group name of a pool id. @throws RangeError when it is not one. */
export function poolIdParts(id: string): { accountId: AccountId; region: string; groupName: string } {
  const first = id.indexOf('/');
  const second = id.indexOf('/', first + 1);
  if (first === -1 || second <= first + 1) {
    throw new RangeError(`pool id "${id}": expected <account>/<region>/<Auto Scaling group name>`);
  }
  return {
    accountId: accountId(id.slice(0, first)),
    region: id.slice(first + 1, second),
    groupName: id.slice(second + 1),
  };
}

/** A whole number in the safe range. @throws InvariantViolation otherwise. */
export function wholeNumber(value: number, what: string): number {
  // Not by `invariant`: most calls need no text.
  if (!Number.isSafeInteger(value)) throw new InvariantViolation(`${what} is a safe whole number, got ${value}`);
  return value;
}

/** Milliseconds since the epoch, checked. */
export function epochMillis(value: number): EpochMillis {
  return wholeNumber(value, 'a point in time in milliseconds') as EpochMillis;
}

/** Micro-dollars, checked. */
export function microUsd(value: number): MicroUsd {
  return wholeNumber(value, 'an amount in micro-dollars') as MicroUsd;
}

/** A sum of micro-dollars, checked at each step. */
export function sumMicroUsd(amounts: readonly MicroUsd[]): MicroUsd {
  let total = 0;
  for (const amount of amounts) total = wholeNumber(total + amount, 'a sum of micro-dollars');
  return total as MicroUsd;
}

/** A point in time moved by whole milliseconds. */
export function plusMillis(at: EpochMillis, millis: number): EpochMillis {
  return epochMillis(at + wholeNumber(millis, 'a duration in milliseconds'));
}

/**
 * `price × units × duration`, rounded half up to a whole micro-dollar.
 *
 * BigInt keeps the product exact: price × units × milliseconds passes 2^53 for a few hundred instances in a month.
 */
export function capacityCost(priceMicroUsdPerUnitHour: MicroUsd, units: number, durationMillis: number): MicroUsd {
  invariant(priceMicroUsdPerUnitHour >= 0 && units >= 0 && durationMillis >= 0, 'a cost has no negative factor');
  const hour = BigInt(MILLIS_PER_HOUR);
  const product = BigInt(priceMicroUsdPerUnitHour) * BigInt(units) * BigInt(durationMillis);
  return microUsd(Number((product * 2n + hour) / (2n * hour)));
}
