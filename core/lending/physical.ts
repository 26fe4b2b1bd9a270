/**
 * Loans of reserved capacity. What stands in AWS is looked at before each step, and the step follows from it: wherever a loan was
 * interrupted, doing "the next step" again and again comes to the same end and does nothing twice.
 *
 * Out: a part is split off a reservation of the lender's, made interruptible, and shared with the borrower's account. Back: the
 * interruptible part is reclaimed, the share is deleted, and the part is merged into the reservation it came from.
 * Calls and limits: EC2 User Guide, "Interruptible Capacity Reservations". Diagram: docs/physical-loans.md.
 */
import { pairSubstanceOf } from '../pairing/gates.ts';
import { sharedZone } from '../pairing/latency.ts';
import type { PoolSpec } from '../pool.ts';

/** Most instances of one interruptible allocation. */
export const ALLOCATION_UNITS_MAX = 1_000;

/** What both parties know of the reserved capacity of a loan. */
export interface LentReservation {
  /** The interruptible reservation that the borrower launches into. */
  readonly reservationId: string;
  readonly reservationArn: string;
  readonly shareArn: string;
}

/** Where the capacity of a loan came from: reservations of the lender's own. */
export interface LenderReservations {
  readonly sourceReservationId: string;
  /** Split off the source for this loan alone. */
  readonly splitReservationId: string;
  /**
   * Everything that is reserved in the source and in what was split off it: no loan changes that, so that a difference is somebody
   * else's. Absent: it could not be told.
   */
  readonly reservedUnits?: number;
  /** Which instances the split part takes, as EC2 says it: `open` or `targeted`. */
  readonly instanceMatchCriteria?: string;
  /** Whether it was found that nothing can be merged into the source; absent: it was not. */
  readonly sourceGone?: boolean;
}

export interface LoanReservations {
  readonly lent: LentReservation;
  readonly own: LenderReservations;
}

/** What `DescribeCapacityReservations` says to the owner of a reservation. */
export interface ReservationView {
  readonly reservationId: string;
  readonly reservationArn: string;
  /** `active`, `cancelled` … as EC2 says it. */
  readonly state: string;
  readonly instanceType: string;
  readonly platform: string;
  readonly tenancy: string;
  readonly azId: string;
  readonly totalUnits: number;
  readonly unusedUnits: number;
  readonly endless: boolean;
  /** `open` or `targeted`. */
  readonly instanceMatchCriteria: string;
  readonly interruptible: boolean;
  /** Tagged `entangle:lending=enabled` by its owner. */
  readonly lendingEnabled: boolean;
  /** The loan that it was split off or made for. */
  readonly loanId?: string;
  /** Of a split part: the reservation it came from. */
  readonly splitFrom?: string;
  /** Of a source: the interruptible part that was made of it. */
  readonly allocation?: {
    readonly status: string;
    readonly units: number;
    readonly targetUnits: number;
    readonly reservationId?: string;
  };
}

/** The RAM share of one loan. One that was deleted is none. */
export interface ShareView {
  readonly shareArn: string;
  readonly active: boolean;
  /** Tagged `entangle:lending=enabled`: without it the hub may not delete it. */
  readonly lendingEnabled: boolean;
}

/** What stands in the lender's account because of one loan. */
export interface LentView {
  readonly split?: ReservationView;
  readonly part?: ReservationView;
  readonly share?: ShareView;
}

/** The loan whose reservations are looked for: once it is taken it knows their ids, whatever becomes of their tags. */
interface LentLoan {
  readonly loanId: string;
  readonly lentReservation?: LentReservation;
  readonly lenderReservations?: LenderReservations;
}

/** Finds what stands because of a loan among all reservations of its lender. A part that is cancelled counts no more. */
export function lentViewOf(
  { loanId, lentReservation, lenderReservations }: LentLoan,
  reservations: readonly ReservationView[],
  share: ShareView | undefined,
): LentView {
  const splitId = lenderReservations?.splitReservationId;
  const partId = lentReservation?.reservationId;
  const isOf = (one: ReservationView, id: string | undefined) =>
    id === undefined ? one.loanId === loanId : one.reservationId === id;
  const split = reservations.find((one) => !one.interruptible && isOf(one, splitId));
  const part = reservations.find((one) => one.interruptible && one.state === 'active' && isOf(one, partId));
  const { sourceReservationId } = lenderReservations ?? {};
  return {
    ...(split === undefined
      ? {}
      : { split: sourceReservationId === undefined ? split : { ...split, splitFrom: sourceReservationId } }),
    ...(part === undefined ? {} : { part }),
    ...(share === undefined ? {} : { share }),
  };
}

/** What is reserved in a source and in everything split off it; undefined while AWS moves some of it, or the source is gone. */
export function reservedUnitsOf(
  sourceReservationId: string,
  reservations: readonly ReservationView[],
): number | undefined {
  const active = reservations.filter(({ state }) => state === 'active');
  const source = active.find(({ reservationId }) => reservationId === sourceReservationId);
  const splits = active.filter(({ splitFrom, interruptible }) => splitFrom === sourceReservationId && !interruptible);
  const moving = ({ allocation }: ReservationView) =>
    allocation !== undefined &&
    (allocation.units !== allocation.targetUnits || !['active', 'canceled', 'failed'].includes(allocation.status));
  if (source === undefined || splits.some(moving)) return undefined;
  const parts = splits.flatMap(
    ({ allocation }) => active.find(({ reservationId }) => reservationId === allocation?.reservationId) ?? [],
  );
  return [source, ...splits, ...parts].reduce((sum, { totalUnits }) => sum + totalUnits, 0);
}

export type LendStep =
  | { readonly step: 'split'; readonly sourceReservationId: string }
  | { readonly step: 'allocate'; readonly splitReservationId: string }
  | { readonly step: 'share'; readonly reservationArn: string }
  /** AWS is still at it. */
  | { readonly step: 'wait'; readonly reason: string }
  | { readonly step: 'refuse'; readonly reason: string }
  | { readonly step: 'done'; readonly reservations: LoanReservations };

export type ReclaimStep =
  | { readonly step: 'recall'; readonly splitReservationId: string }
  | { readonly step: 'wait'; readonly reason: string }
  | { readonly step: 'done' };

export type RestoreStep =
  | { readonly step: 'unshare'; readonly shareArn: string }
  | {
      readonly step: 'merge';
      readonly splitReservationId: string;
      readonly sourceReservationId: string;
      readonly units: number;
    }
  | { readonly step: 'cancel'; readonly splitReservationId: string }
  | { readonly step: 'done' };

/**
 * Whether a loan between two pools moves reserved capacity: the lender lends its reservations, the borrower's group launches into
 * reservations shared with it, and the instances are the same, in a zone that both are in. Otherwise a ceiling is lent.
 */
export function loanKindOf(lender: PoolSpec, borrower: PoolSpec, lenderUnits: number): 'physical' | 'nominal' {
  const reserved = lender.commitments.some(({ kind }) => kind === 'capacity-reservation');
  const same =
    lender.instanceType === borrower.instanceType &&
    lender.platform === borrower.platform &&
    lender.tenancy === borrower.tenancy &&
    lender.region === borrower.region &&
    sharedZone(lender, borrower) !== undefined;
  const wanted = pairSubstanceOf(lender, borrower) === 'physical';
  return wanted && reserved && same && lenderUnits <= ALLOCATION_UNITS_MAX ? 'physical' : 'nominal';
}

/** Why a reservation cannot be split for a loan of so many units; undefined when it can. */
function objection(
  candidate: ReservationView,
  lender: PoolSpec,
  borrower: PoolSpec,
  units: number,
): string | undefined {
  if (!candidate.lendingEnabled) return 'it is not tagged entangle:lending=enabled';
  if (candidate.state !== 'active') return `it is ${candidate.state}`;
  if (candidate.interruptible || candidate.loanId !== undefined) return 'it is itself a part of a reservation';
  if (candidate.allocation !== undefined && candidate.allocation.status !== 'canceled') {
    return 'it has an interruptible allocation already';
  }
  if (!candidate.endless) return 'it has an end date';
  for (const field of ['instanceType', 'platform', 'tenancy'] as const) {
    if (candidate[field] !== lender[field]) return `its ${field} is ${candidate[field]}, not ${lender[field]}`;
  }
  const zones = lender.azIds.filter((azId) => borrower.azIds.includes(azId));
  if (!zones.includes(candidate.azId)) return `it is in ${candidate.azId}, not in ${zones.join(' or ')}`;
  if (candidate.unusedUnits < units) return `${candidate.unusedUnits} of its instances are unused`;
  // AWS leaves at least one instance in a reservation that is split.
  return candidate.totalUnits > units ? undefined : 'all of it would be lent, and one instance has to stay in it';
}

/** The reservation to split: of those that suffice, the one with the fewest unused instances; else why there is none. */
function sourceFor(
  candidates: readonly ReservationView[],
  lender: PoolSpec,
  borrower: PoolSpec,
  units: number,
): { readonly sourceReservationId: string } | { readonly reason: string } {
  const [best] = candidates
    .filter((candidate) => objection(candidate, lender, borrower, units) === undefined)
    .sort((a, b) => a.unusedUnits - b.unusedUnits || (a.reservationId < b.reservationId ? -1 : 1));
  if (best !== undefined) return { sourceReservationId: best.reservationId };
  const reasons = candidates
    .filter(({ loanId, interruptible, state }) => loanId === undefined && !interruptible && state === 'active')
    .map((one) => `${one.reservationId}: ${objection(one, lender, borrower, units) ?? ''}`);
  const found = reasons.length === 0 ? 'it has no active reservation' : reasons.join('; ');
  return { reason: `no reservation of ${lender.poolId} has ${units} instances to lend: ${found}` };
}

/**
 * The next step towards a reservation that the borrower's account can use.
 * @param reservations all of the lender's account in its region; only tagged ones are split
 */
export function nextLendStep(
  view: LentView,
  reservations: readonly ReservationView[],
  loan: { readonly lender: PoolSpec; readonly borrower: PoolSpec; readonly units: number },
): LendStep {
  const { split, part, share } = view;
  const { units } = loan;
  if (split === undefined) {
    const source = sourceFor(reservations, loan.lender, loan.borrower, units);
    return 'reason' in source ? { step: 'refuse', ...source } : { step: 'split', ...source };
  }
  const { reservationId: splitReservationId, splitFrom, allocation } = split;
  if (split.state !== 'active' || splitFrom === undefined) {
    return { step: 'refuse', reason: `${splitReservationId}, split off for the loan, is ${split.state}` };
  }
  if (allocation === undefined) {
    if (split.unusedUnits >= units) return { step: 'allocate', splitReservationId };
    return {
      step: 'refuse',
      reason: `${split.unusedUnits} instances of ${splitReservationId} are unused, not ${units}`,
    };
  }
  if (['failed', 'canceling', 'canceled'].includes(allocation.status)) {
    return { step: 'refuse', reason: `the interruptible allocation of ${splitReservationId} is ${allocation.status}` };
  }
  if (allocation.status !== 'active' || part === undefined) {
    return { step: 'wait', reason: `the interruptible allocation of ${splitReservationId} is ${allocation.status}` };
  }
  if (allocation.units < units) {
    return {
      step: 'refuse',
      reason: `${splitReservationId} has allocated ${allocation.units} instances, not ${units}`,
    };
  }
  if (share === undefined) return { step: 'share', reservationArn: part.reservationArn };
  if (!share.active) return { step: 'wait', reason: `the share ${share.shareArn} is not active yet` };
  return { step: 'done', reservations: lentReservations(split, part, share, splitFrom, reservations) };
}

function lentReservations(
  { reservationId: splitReservationId, instanceMatchCriteria }: ReservationView,
  { reservationId, reservationArn }: ReservationView,
  { shareArn }: ShareView,
  sourceReservationId: string,
  reservations: readonly ReservationView[],
): LoanReservations {
  const reservedUnits = reservedUnitsOf(sourceReservationId, reservations);
  const reserved = reservedUnits === undefined ? {} : { reservedUnits };
  return {
    lent: { reservationId, reservationArn, shareArn },
    own: { sourceReservationId, splitReservationId, instanceMatchCriteria, ...reserved },
  };
}

/** The next step towards capacity that is the lender's own again. The borrower may not use the reservation any more. */
export function nextReclaimStep({ split, part }: LentView): ReclaimStep {
  const allocation = split?.allocation;
  if (split === undefined || allocation === undefined) return { step: 'done' };
  if (['failed', 'canceled'].includes(allocation.status)) return { step: 'done' };
  // Its owner has taken the tag off: nothing of it may be changed any more, and it stays as it was found.
  if (!split.lendingEnabled) return { step: 'done' };
  const name = `the interruptible allocation of ${split.reservationId}`;
  if (allocation.status === 'pending') return { step: 'wait', reason: `${name} is pending` };
  if (allocation.targetUnits > 0) return { step: 'recall', splitReservationId: split.reservationId };
  if (allocation.units === 0 && allocation.status === 'active') return { step: 'done' };
  const used = part === undefined ? 0 : part.totalUnits - part.unusedUnits;
  return {
    step: 'wait',
    reason: `${allocation.units} instances of ${name} are still to come back, ${used} are in use`,
  };
}

/**
 * The next step towards the reservation as it was before the loan.
 * @param source the reservation that the part came from; undefined when it no longer exists
 */
export function nextRestoreStep({ split, share }: LentView, source: ReservationView | undefined): RestoreStep {
  if (share?.lendingEnabled === true) return { step: 'unshare', shareArn: share.shareArn };
  if (split === undefined || split.state !== 'active' || !split.lendingEnabled) return { step: 'done' };
  const splitReservationId = split.reservationId;
  // Never while it reserves anything: what is cancelled is lost to the lender.
  if (split.totalUnits === 0) return { step: 'cancel', splitReservationId };
  // Instances of the lender's own may run in it, or its owner has changed one of the two: the part stays a reservation of the lender's.
  if (!split.endless || split.unusedUnits === 0 || source === undefined || mergeObjection(source) !== undefined) {
    return { step: 'done' };
  }
  return {
    step: 'merge',
    splitReservationId,
    sourceReservationId: source.reservationId,
    units: split.unusedUnits,
  };
}

/** Why nothing can be merged into the reservation that it came from; undefined when it can. EC2 asks for the same end time of both. */
export function mergeObjection(source: ReservationView | undefined): string | undefined {
  if (source === undefined) return 'it does not exist any more';
  if (source.state !== 'active') return `it is ${source.state}`;
  if (!source.lendingEnabled) return 'it is no longer tagged entangle:lending=enabled';
  return source.endless ? undefined : 'it has got an end date';
}
