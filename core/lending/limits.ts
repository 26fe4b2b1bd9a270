/**
 * Limits beside those of consents: of a pool, of one side of a pairing, of the organisation units above an account. A loan counts
 * against each of them; what it counted under stands on the loan, so that exactly that is freed when it ends.
 *
 * Counted is what goes out and what comes in, each by itself: a node that lends does not get to borrow more. With gross borrowing at
 * most the limit, net borrowing is too, which is the invariant of KEP-79: balance >= -borrowLimit (allocation/quota-tree.ts).
 */
import { utcMonth } from '../calendar.ts';
import type { PairingId } from '../pairing/pairing.ts';
import type { LoanDirection, UnitLimit } from '../unit-limits.ts';
import type { AccountId, EpochMillis, PoolId } from '../units.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { UsageChange } from './commit.ts';
import type { Loan, LoanReason } from './loan.ts';
import { lenderUnitsOf } from './loan-units.ts';

const SECONDS_PER_HOUR = 3_600;

/** What a limit is of. */
export type LimitedNode =
  | { readonly kind: 'pool'; readonly poolId: PoolId }
  /** One side of it: each party states its own. */
  | { readonly kind: 'pairing'; readonly pairingId: PairingId; readonly accountId: AccountId }
  | { readonly kind: 'organisation-unit'; readonly name: string };

/** A limit that a loan counts against in one direction. */
export interface AppliedLimit {
  readonly node: LimitedNode;
  readonly direction: LoanDirection;
  readonly limit: UnitLimit;
  /** Who stated it, and alone may read how much of it is used. */
  readonly ownerAccountId: AccountId;
}

/** What is used of a node. */
export interface NodeUsage {
  readonly units: number;
  /** Of the current month. */
  readonly unitSeconds: number;
}

/** A limit with what is used of it now. */
export interface CountedLimit extends AppliedLimit {
  readonly usage: NodeUsage;
}

/** The units of a loan on both sides, and how long. */
export interface SizedLoan {
  readonly units: number;
  readonly lenderUnits?: number;
  readonly termSeconds: number;
}

export function nodeText(node: LimitedNode): string {
  switch (node.kind) {
    case 'pool':
      return `pool ${node.poolId}`;
    case 'pairing':
      return `pairing ${node.pairingId}, side of ${node.accountId}`;
    case 'organisation-unit':
      return `organisation unit ${node.name}`;
  }
}

function unitsIn(direction: LoanDirection, loan: SizedLoan): number {
  return direction === 'lend' ? lenderUnitsOf(loan) : loan.units;
}

const hours = (seconds: number): number => Number((seconds / SECONDS_PER_HOUR).toFixed(2));

/** What is wrong with one limit, with both values; undefined when the loan stays within it. */
function passed({ node, direction, limit, usage }: CountedLimit, loan: SizedLoan): string | undefined {
  const units = unitsIn(direction, loan);
  const { maxUnits = Number.POSITIVE_INFINITY, maxUnitHoursPerMonth = Number.POSITIVE_INFINITY } = limit;
  const field = (name: string) => `${nodeText(node)}, limits.${direction}.${name}`;
  if (usage.units + units > maxUnits) {
    return `${field('maxUnits')}: ${maxUnits} units are allowed at a time, ${usage.units} are in use and ${units} are wanted`;
  }
  const wantedSeconds = units * loan.termSeconds;
  if (usage.unitSeconds + wantedSeconds > maxUnitHoursPerMonth * SECONDS_PER_HOUR) {
    return `${field('maxUnitHoursPerMonth')}: ${maxUnitHoursPerMonth} unit-hours are allowed, ${hours(usage.unitSeconds)} are used and ${hours(wantedSeconds)} are wanted`;
  }
  return undefined;
}

/** Why limits do not let a loan be made: in words for both parties, and with both values for who stated the limit. Empty: they do. */
export function limitObjections(
  limits: readonly CountedLimit[],
  loan: SizedLoan,
): { readonly text: string; readonly details: readonly LoanReason[] }[] {
  return limits.flatMap((limit) => {
    const detail = passed(limit, loan);
    if (detail === undefined) return [];
    const text = `the limit of ${nodeText(limit.node)} to ${limit.direction} is reached`;
    return [{ text, details: [{ text: detail, onlyFor: limit.ownerAccountId }] }];
  });
}

function isSame(a: AppliedLimit, b: AppliedLimit): boolean {
  return a.direction === b.direction && nodeText(a.node) === nodeText(b.node);
}

/** Limits as they stand once a loan that counts against `applied` is made too. */
export function withLoan(
  limits: readonly CountedLimit[],
  applied: readonly AppliedLimit[],
  loan: SizedLoan,
): readonly CountedLimit[] {
  return limits.map((limit) => {
    if (!applied.some((other) => isSame(limit, other))) return limit;
    const units = unitsIn(limit.direction, loan);
    const { usage } = limit;
    return {
      ...limit,
      usage: { units: usage.units + units, unitSeconds: usage.unitSeconds + units * loan.termSeconds },
    };
  });
}

/** The limits of one direction without what is used of them: what a loan keeps. */
export function appliedIn(direction: LoanDirection, limits: readonly CountedLimit[]): AppliedLimit[] {
  return limits
    .filter((limit) => limit.direction === direction)
    .map(({ node, limit, ownerAccountId }) => ({ node, direction, limit, ownerAccountId }));
}

type LimitedLoan = Pick<Loan, 'lenderLimits' | 'borrowerLimits'>;

function allOf({ lenderLimits = [], borrowerLimits = [] }: LimitedLoan): AppliedLimit[] {
  return [...lenderLimits, ...borrowerLimits];
}

/** The highest numbers that may stand before a rise. A direction without a limit of one kind passes any. */
function roomBefore({ maxUnits, maxUnitHoursPerMonth }: UnitLimit, units: number, unitSeconds: number) {
  const most = Number.MAX_SAFE_INTEGER;
  return {
    unitsBeforeAtMost: maxUnits === undefined ? most : maxUnits - units,
    unitSecondsBeforeAtMost:
      maxUnitHoursPerMonth === undefined ? most : maxUnitHoursPerMonth * SECONDS_PER_HOUR - unitSeconds,
  };
}

/** What a reservation adds to each node, conditional on the room that is left there. */
export function reservedLimits(limited: LimitedLoan, loan: SizedLoan, at: EpochMillis): UsageChange[] {
  return allOf(limited).map(({ node, direction, limit, ownerAccountId }) => {
    const units = unitsIn(direction, loan);
    const unitSeconds = units * loan.termSeconds;
    const room = roomBefore(limit, units, unitSeconds);
    return { accountId: ownerAccountId, node, direction, units, unitSeconds, month: utcMonth(at), ...room };
  });
}

/** The moment whose month a loan counts in. */
export function reservedAt({ history, requestedAt }: Loan): EpochMillis {
  return history.find(({ state }) => state === 'reserved')?.at ?? requestedAt;
}

function reservedMonth(loan: Loan): string {
  return utcMonth(reservedAt(loan));
}

/**
 * Why limits do not let a loan go on for longer; undefined: they do. Each is read as it stands now. What is stated of a node that the loan
 * does not count against is for the next loan.
 * @param stated limits of the pair with what is used of them in the month that the loan counts in, the loan itself included
 */
export function renewalObjection(
  loan: Loan,
  stated: readonly CountedLimit[],
  addedSeconds: number,
): string | undefined {
  const reached = stated.find(({ limit, usage, ...applied }) => {
    const { maxUnits = usage.units, maxUnitHoursPerMonth = Number.POSITIVE_INFINITY } = limit;
    const unitSeconds = usage.unitSeconds + unitsIn(applied.direction, loan) * addedSeconds;
    const isPassed = usage.units > maxUnits || unitSeconds > maxUnitHoursPerMonth * SECONDS_PER_HOUR;
    return isPassed && allOf(loan).some((other) => isSame({ limit, ...applied }, other));
  });
  if (reached === undefined) return undefined;
  return `the limit of ${nodeText(reached.node)} to ${reached.direction} leaves no room for a longer term`;
}

/**
 * What a renewal adds: time, not units.
 * @param stated limits of the pair as they stand now; where none is stated any more the loan counts on, without a maximum
 */
export function renewedLimits(loan: Loan, addedSeconds: number, stated: readonly AppliedLimit[]): UsageChange[] {
  return allOf(loan).map((applied) => {
    const { node, direction, ownerAccountId } = applied;
    const unitSeconds = unitsIn(direction, loan) * addedSeconds;
    const room = roomBefore(stated.find((other) => isSame(applied, other))?.limit ?? {}, 0, unitSeconds);
    const month = reservedMonth(loan);
    return { accountId: ownerAccountId, node, direction, units: 0, unitSeconds, month, ...room };
  });
}

/** What the end of a loan frees: all of its units, and the time that it was not used. @param until when it was reclaimed */
export function releasedLimits(loan: Loan, until: EpochMillis): UsageChange[] {
  const usedSeconds = loan.activeAt === undefined ? 0 : Math.ceil((until - loan.activeAt) / MILLIS_PER_SECOND);
  const countedSeconds = Math.min(usedSeconds, loan.termSeconds);
  return allOf(loan).map(({ node, direction, ownerAccountId }) => {
    const units = unitsIn(direction, loan);
    const unitSeconds = units * (countedSeconds - loan.termSeconds);
    return { accountId: ownerAccountId, node, direction, units: -units, unitSeconds, month: reservedMonth(loan) };
  });
}
