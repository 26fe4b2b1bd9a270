/**
 * What somebody else has done to the reserved capacity of a loan. The rule is that of groups (foreign-change.ts): nothing is ever set
 * back. A share that was deleted is not made again, and an allocation that was lowered is not raised: their owner has decided. What
 * leaves the borrower's instances where they are is recorded, and anything else ends the loan.
 */
import type { PoolSpec } from '../pool.ts';
import type { ForeignChange, ForeignChangeKind } from './foreign-change.ts';
import type { Loan } from './loan.ts';
import { lenderUnitsOf } from './loan-units.ts';
import type { LenderReservations, LentReservation, LentView, ReservationView, ShareView } from './physical.ts';
import { lentViewOf, mergeObjection, reservedUnitsOf } from './physical.ts';

/** How RAM says that the borrower's account and the reservation belong to the share; undefined when it never did, or no longer says. */
export interface SharingView {
  readonly principalStatus?: string;
  readonly resourceStatus?: string;
}

/** The reserved capacity of one loan, as its lender's account shows it. */
export interface ReservationObservation {
  /** The lender's pool. */
  readonly pool: PoolSpec;
  readonly loan: Loan;
  /** All of the lender's account in its region. */
  readonly reservations: readonly ReservationView[];
  readonly share: ShareView | undefined;
  /** Looked at only while there is a share. */
  readonly sharing: SharingView;
}

/** What the borrower's group launches into. */
export type LaunchTargetView =
  | { readonly arn: string; readonly reservationArns: readonly string[] }
  /** Why it launches into nothing that was lent. */
  | { readonly why: string };

const NONE: ForeignChange = { action: 'none', reason: 'the reserved capacity is as its loan has left it' };
/** An association, or a share, that may come to hold yet, or again. */
const UNDECIDED: ReadonlySet<string | undefined> = new Set([
  'ASSOCIATED',
  'ASSOCIATING',
  'SUSPENDED',
  'SUSPENDING',
  'RESTORING',
]);

interface Undone {
  readonly kind: ForeignChangeKind;
  /** What is no longer so, after "the reserved capacity that <pool> lent". */
  readonly what: string;
  /** Figures of the lender. */
  readonly detail: string;
}

function splitUndone({ split, part }: LentView, units: number): Undone | undefined {
  if (split === undefined || split.state !== 'active') {
    const detail = `what was split off for the loan is ${split?.state ?? 'no longer there'}`;
    return { kind: 'reservation-gone', what: 'was cancelled', detail };
  }
  const { reservationId: id, allocation } = split;
  if (!split.lendingEnabled || part?.lendingEnabled === false) {
    const detail = `${id}, or its interruptible part, may not be changed any more; its owner asks it back itself, or sets the tag again`;
    return { kind: 'reservation-untagged', what: 'is no longer tagged entangle:lending=enabled', detail };
  }
  if (!split.endless)
    return { kind: 'reservation-limited', what: 'has got an end date', detail: `${id} ends by itself` };
  const target = allocation === undefined ? 0 : allocation.targetUnits;
  const isThere = allocation !== undefined && ['active', 'updating'].includes(allocation.status) && part !== undefined;
  if (isThere && target >= units) return undefined;
  const found = `${target} units, ${allocation?.status ?? 'none'}`;
  return {
    kind: 'allocation-lowered',
    what: 'was asked back by somebody else',
    detail: `the interruptible allocation of ${id} is ${found}; the loan has ${units}`,
  };
}

function sharingUndone({ share, sharing, loan }: ReservationObservation): Undone | undefined {
  const what = 'is shared with its borrower no longer';
  const known = loan.lentReservation?.shareArn ?? '';
  if (share === undefined) return { kind: 'share-ended', what, detail: `the share ${known} was deleted` };
  const { principalStatus, resourceStatus } = sharing;
  if (!UNDECIDED.has(principalStatus)) {
    const detail = `${loan.borrowerAccountId} in the share ${known}: ${principalStatus ?? 'not there'}`;
    return { kind: 'share-ended', what, detail };
  }
  if (UNDECIDED.has(resourceStatus)) return undefined;
  return {
    kind: 'share-ended',
    what,
    detail: `the reservation in the share ${known}: ${resourceStatus ?? 'not there'}`,
  };
}

/** Changes that leave what is lent whole: what they are, and how the loan's books follow. */
function followed(
  { loan, pool, reservations }: ReservationObservation,
  own: LenderReservations,
  split: ReservationView,
): ForeignChange {
  const { poolId } = pool;
  const of = (kind: ForeignChangeKind, what: string, detail: string, changes: Partial<LenderReservations>) =>
    ({
      action: 'repair',
      kind,
      loans: [loan],
      reason: `the reservation that ${poolId} lends from ${what} by somebody else: the loan goes on`,
      detail,
      lenderReservations: { ...own, ...changes },
    }) as const;
  const source = reservations.find(({ reservationId }) => reservationId === own.sourceReservationId);
  const objection = mergeObjection(source);
  if (objection !== undefined && own.sourceGone !== true) {
    const detail = `${own.sourceReservationId}: ${objection}. What comes back stays a reservation of its own, unless that is undone`;
    return of('source-gone', 'was ended or changed', detail, {
      sourceGone: true,
    });
  }
  if (objection === undefined && own.sourceGone === true) {
    const detail = `${own.sourceReservationId} takes back what was split off it`;
    return of('source-back', 'was restored', detail, { sourceGone: false });
  }
  const { reservedUnits, instanceMatchCriteria } = own;
  const reserved = reservedUnitsOf(own.sourceReservationId, reservations);
  if (reservedUnits !== undefined && reserved !== undefined && reserved !== reservedUnits) {
    const detail = `${reserved} instances are reserved in ${own.sourceReservationId} and what was split off it; they were ${reservedUnits}`;
    return of('source-resized', 'was resized', detail, { reservedUnits: reserved });
  }
  if (instanceMatchCriteria !== undefined && instanceMatchCriteria !== split.instanceMatchCriteria) {
    const detail = `${split.reservationId} takes instances that are ${split.instanceMatchCriteria}; it was ${instanceMatchCriteria}`;
    const changes = { instanceMatchCriteria: split.instanceMatchCriteria };
    return of('reservation-changed', 'was given other match criteria', detail, changes);
  }
  return NONE;
}

/**
 * What the lender's account shows of an active loan's capacity. It depends on no event, and is found until the loan or its books
 * follow it. The table of all cases is in docs/physical-loans.md.
 */
export function reservationChange(seen: ReservationObservation): ForeignChange {
  const { loan, pool } = seen;
  const { lenderReservations } = loan;
  if (loan.state !== 'active' || loan.lentReservation === undefined || lenderReservations === undefined) return NONE;
  const view = lentViewOf(loan, seen.reservations, seen.share);
  const undone = splitUndone(view, lenderUnitsOf(loan)) ?? sharingUndone(seen);
  if (undone === undefined) return view.split === undefined ? NONE : followed(seen, lenderReservations, view.split);
  const reason = `the reserved capacity that ${pool.poolId} lent ${undone.what}`;
  return { action: 'end', kind: undone.kind, loans: [loan], reason, detail: undone.detail };
}

/**
 * Whether the borrower's group launches into what it was lent still. Without that it would pay for capacity that its new instances
 * do not use.
 * @param pool the borrower's
 */
export function launchTargetChange(
  pool: PoolSpec,
  loan: Loan & { readonly lentReservation: LentReservation },
  target: LaunchTargetView,
): ForeignChange {
  const { reservationArn } = loan.lentReservation;
  if (loan.state !== 'active' || ('arn' in target && target.reservationArns.includes(reservationArn))) return NONE;
  return {
    action: 'end',
    kind: 'launch-target-changed',
    loans: [loan],
    reason: `the group of ${pool.poolId} launches no longer into the reserved capacity that it borrowed`,
    detail: 'why' in target ? target.why : `${target.arn}, its target, does not hold ${reservationArn}`,
  };
}
