/**
 * What somebody else has done to a group while loans stand on it: its owner, a deployment, or a scaling policy. Nothing is ever set
 * back: a change that leaves the loans whole is taken into the books, any other ends as many loans as it has undone.
 */
import type { GroupObservation, Pool } from '../pool.ts';
import { expectedMaxSize, RAISES_OWN_CEILING } from '../pool.ts';
import type { PoolId } from '../units.ts';
import type { Loan, LoanState } from './loan.ts';
import { isOpen } from './loan.ts';
import { lenderUnitsOf } from './loan-units.ts';
import type { LenderReservations } from './physical.ts';

export type ForeignChangeKind =
  | 'group-deleted'
  | 'untagged'
  | 'ceiling-not-fixed'
  | 'ceiling-raised'
  | 'ceiling-lowered'
  | 'floor-raised'
  // Of reserved capacity: reservation-change.ts.
  | 'reservation-gone'
  | 'reservation-untagged'
  | 'reservation-limited'
  | 'reservation-changed'
  | 'allocation-lowered'
  | 'share-ended'
  | 'source-gone'
  | 'source-back'
  | 'source-resized'
  | 'launch-target-changed';

interface Found {
  readonly kind: ForeignChangeKind;
  /** The loans that it is recorded of, or that it ends. */
  readonly loans: readonly Loan[];
  /** In a sentence that both parties read: it carries no figure of either. */
  readonly reason: string;
  /** Figures of the pool's owner. */
  readonly detail: string;
}

export type ForeignChange =
  | { readonly action: 'none'; readonly reason: string }
  | ({ readonly action: 'end' } & Found)
  | ({
      readonly action: 'repair';
      /** What is taken into the books of the pool; absent: nothing of them changes. */
      readonly ceilingDriftUnits?: number;
      /** What is taken into those of the loan; absent: nothing of them changes. */
      readonly lenderReservations?: LenderReservations;
    } & Found);

/** A group as it is found while loans stand on its pool. */
export interface ForeignObservation {
  readonly pool: Pool;
  /** Undefined: there is no group of that name. */
  readonly group: GroupObservation | undefined;
  /** Whether a scaling policy may raise `MaxSize` by itself. */
  readonly raisesOwnCeiling: boolean;
  /** Loans of the pool in both roles. */
  readonly openLoans: readonly Loan[];
}

/** Loans that stand on a side of a pool, and by how many units each has moved its ceiling. */
interface Side {
  readonly loans: readonly Loan[];
  readonly unitsOf: (loan: Loan) => number;
  /** States in which a loan counts on this side still, and is on its way back. */
  readonly onTheirWay: readonly LoanState[];
}

function lentSide(openLoans: readonly Loan[], id: PoolId): Side {
  return {
    loans: openLoans.filter(({ lenderPoolId }) => lenderPoolId === id),
    unitsOf: lenderUnitsOf,
    onTheirWay: ['recalled', 'returning', 'draining'],
  };
}

function borrowedSide(openLoans: readonly Loan[], id: PoolId): Side {
  return {
    loans: openLoans.filter(({ borrowerPoolId }) => borrowerPoolId === id),
    unitsOf: ({ units }) => units,
    onTheirWay: ['recalled', 'returning'],
  };
}

/** The latest active loans that come to so many units, with those that were asked back already. */
function covering({ loans, unitsOf, onTheirWay }: Side, units: number): Loan[] {
  const coming = loans.filter(({ state }) => onTheirWay.includes(state));
  let missing = coming.reduce((left, loan) => left - unitsOf(loan), units);
  const chosen: Loan[] = [];
  const latestFirst = loans
    .filter(({ state }) => state === 'active')
    .sort((a, b) => (b.activeAt ?? 0) - (a.activeAt ?? 0) || (a.loanId < b.loanId ? -1 : 1));
  for (const loan of latestFirst) {
    if (missing <= 0) break;
    chosen.push(loan);
    missing -= unitsOf(loan);
  }
  return chosen;
}

function ending(found: Found): ForeignChange {
  return found.loans.length === 0
    ? { action: 'none', reason: `${found.reason}: none of its loans is active` }
    : { action: 'end', ...found };
}

/** What undoes every loan of a pool, whatever its ceiling is; undefined when nothing does. */
function undoingAll(seen: ForeignObservation): Pick<Found, 'kind' | 'reason' | 'detail'> | undefined {
  const { pool, group } = seen;
  const { poolId, groupName } = pool.spec;
  if (group === undefined) {
    const reason = `the Auto Scaling group of ${poolId} was deleted`;
    return { kind: 'group-deleted', reason, detail: `there is no Auto Scaling group ${groupName}` };
  }
  if (!group.lendingEnabled) {
    const reason = `${poolId} is no longer tagged entangle:lending=enabled: its group may not be changed any more`;
    return { kind: 'untagged', reason, detail: `${reason}; its owner sets MaxSize itself, or the tag again` };
  }
  if (!seen.raisesOwnCeiling) return undefined;
  const reason = `the ceiling of ${poolId} is fixed no longer: ${RAISES_OWN_CEILING}`;
  return { kind: 'ceiling-not-fixed', reason, detail: reason };
}

/** A lender that has its ceiling back has no more to lend; any other rise is its owner's, above what was lent. */
function raised(seen: ForeignObservation, figures: string, byUnits: number): ForeignChange {
  const { pool, openLoans } = seen;
  const { poolId } = pool.spec;
  const kind = 'ceiling-raised';
  const reason = `MaxSize of ${poolId} was raised by somebody else`;
  const lent = lentSide(openLoans, poolId);
  if (lent.loans.length > 0) {
    const loans = covering(lent, Math.min(byUnits, pool.lentUnits));
    return ending({ kind, loans, reason: `${reason}: what it lent is taken back`, detail: figures });
  }
  return takenIn(seen, { kind, reason: `${reason}: the loan goes on`, detail: figures }, byUnits);
}

/** A borrower whose ceiling is down does not have what it pays for; a lender's own ceiling is its owner's to lower. */
function lowered(seen: ForeignObservation, figures: string, byUnits: number): ForeignChange {
  const { pool, openLoans } = seen;
  const { poolId } = pool.spec;
  const kind = 'ceiling-lowered';
  const reason = `MaxSize of ${poolId} was lowered by somebody else`;
  const borrowed = borrowedSide(openLoans, poolId);
  if (borrowed.loans.length > 0) {
    const loans = covering(borrowed, Math.min(byUnits, pool.borrowedUnits + pool.provisionedUnits));
    return ending({ kind, loans, reason: `${reason}: what it borrowed cannot be used`, detail: figures });
  }
  return takenIn(seen, { kind, reason: `${reason}: the loan goes on`, detail: figures }, -byUnits);
}

function takenIn(
  { pool, openLoans }: ForeignObservation,
  found: Pick<Found, 'kind' | 'reason' | 'detail'>,
  units: number,
): ForeignChange {
  const loans = openLoans.filter(({ state }) => state === 'active');
  if (loans.length === 0) return { action: 'none', reason: `${found.reason}: none of its loans is active` };
  return { action: 'repair', ...found, loans, ceilingDriftUnits: (pool.ceilingDriftUnits ?? 0) + units };
}

/** `MinSize` of a borrower that reaches into what it borrowed; each loan is told of it once. */
function floor({ pool, group, openLoans }: ForeignObservation): ForeignChange {
  const { poolId } = pool.spec;
  const own = expectedMaxSize(pool) - pool.borrowedUnits - pool.provisionedUnits;
  const none: ForeignChange = { action: 'none', reason: 'the group is as its loans have left it' };
  if (group === undefined || group.minSize <= own) return none;
  const reason = `MinSize of ${poolId} was raised into what it borrowed: it goes down with MaxSize when the loan ends`;
  const loans = borrowedSide(openLoans, poolId).loans.filter(
    ({ state, reasons }) => state === 'active' && !reasons.some(({ text }) => text === reason),
  );
  if (loans.length === 0) return none;
  return {
    action: 'repair',
    kind: 'floor-raised',
    loans,
    reason,
    detail: `MinSize is ${group.minSize}, the ceiling without loans is ${own}`,
  };
}

/**
 * What a group says of its loans. It depends on no event: a change is found whenever it is looked at, until the books or the loans
 * follow it. The table of all cases is in docs/allocation.md.
 * @param seen.pool read before the group: act only when its version is still the same afterwards
 */
export function foreignChange(seen: ForeignObservation): ForeignChange {
  const { pool, group } = seen;
  const { poolId } = pool.spec;
  const openLoans = seen.openLoans.filter(
    (loan) => isOpen(loan) && (loan.borrowerPoolId === poolId || loan.lenderPoolId === poolId),
  );
  if (openLoans.length === 0) return { action: 'none', reason: 'no loan stands on the pool' };
  const all = undoingAll(seen);
  if (all !== undefined) return ending({ ...all, loans: openLoans.filter(({ state }) => state === 'active') });
  if (group === undefined || pool.ceilingDriftUnits === undefined) {
    return { action: 'none', reason: 'it is not known what the ceiling was before its loans' };
  }
  if (pool.movingLoanId !== undefined) return { action: 'none', reason: `${pool.movingLoanId} is moving the pool` };
  const expected = expectedMaxSize(pool);
  const figures = `MaxSize is ${group.maxSize}, its loans left it at ${expected}`;
  const known = { ...seen, openLoans };
  if (group.maxSize > expected) return raised(known, figures, group.maxSize - expected);
  if (group.maxSize < expected) return lowered(known, figures, expected - group.maxSize);
  return floor(known);
}
