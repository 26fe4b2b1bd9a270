import type { GroupObservation, Pool } from '../pool.ts';
import { expectedMaxSize } from '../pool.ts';
import type { CeilingMove, Loan } from './loan.ts';
import { lenderUnitsOf } from './loan-units.ts';

/**
 * How a decided move stands against what is observed now.
 *
 * `UpdateAutoScalingGroup` has no condition and no client token, so a step that is repeated after a crash must be able to
 * tell "not yet done" from "done, but not recorded" from "somebody else has changed the group".
 */
export type MoveStatus = 'pending' | 'done' | 'foreign';

/** Compares a decided move with the group. A move that changes nothing is done. */
export function moveStatus(move: CeilingMove, group: GroupObservation): MoveStatus {
  if (group.maxSize === move.toMaxSize) return 'done';
  return group.maxSize === move.fromMaxSize ? 'pending' : 'foreign';
}

/** The lender's ceiling goes down by the loan; its desired capacity is never touched. */
export function takeMove(group: GroupObservation, lenderUnits: number): CeilingMove {
  return {
    fromMaxSize: group.maxSize,
    toMaxSize: group.maxSize - lenderUnits,
    fromDesiredCapacity: group.desiredCapacity,
    toDesiredCapacity: group.desiredCapacity,
  };
}

/** The borrower's ceiling goes up by the loan, and its desired capacity with it, so that instances start at once. */
export function giveMove(group: GroupObservation, units: number): CeilingMove {
  return {
    fromMaxSize: group.maxSize,
    toMaxSize: group.maxSize + units,
    fromDesiredCapacity: group.desiredCapacity,
    toDesiredCapacity: group.desiredCapacity + units,
  };
}

/** A request that was never active leaves desired capacity as it found it, where nobody else has changed it since. */
function desiredAfterTakeBack(group: GroupObservation, loan: Loan, toMaxSize: number): number {
  const { give } = loan.moves;
  const undone = loan.activeAt === undefined && give?.toDesiredCapacity === group.desiredCapacity;
  return Math.min(undone ? give.fromDesiredCapacity : group.desiredCapacity, toMaxSize);
}

/**
 * The borrower's ceiling goes down by the loan, wherever the making of the loan had come to.
 *
 * A rise that was never made is not taken back: the ceiling is then already what it will be without the loan. When the
 * owner has raised the ceiling meanwhile, that rise stays; when a deployment has reset it, nothing is taken twice.
 * @param pool the borrower's pool with the loan still counted in it
 */
export function takeBackMove(pool: Pool, group: GroupObservation, loan: Loan): CeilingMove {
  const expected = expectedMaxSize(pool);
  const target =
    group.maxSize >= expected ? group.maxSize - loan.units : Math.min(group.maxSize, expected - loan.units);
  const toMaxSize = Math.max(target, 0);
  return {
    fromMaxSize: group.maxSize,
    toMaxSize,
    fromDesiredCapacity: group.desiredCapacity,
    toDesiredCapacity: desiredAfterTakeBack(group, loan, toMaxSize),
    // A floor raised during the loan cannot keep what was lent: the lender gets it back in full.
    ...(group.minSize > toMaxSize ? { toMinSize: toMaxSize } : {}),
  };
}

/**
 * The lender's ceiling goes up by the loan, unless it was never lowered or somebody has already restored it.
 * @param pool the lender's pool with the loan still counted in it
 */
export function giveBackMove(pool: Pool, group: GroupObservation, loan: Loan): CeilingMove {
  const expected = expectedMaxSize(pool);
  const lenderUnits = lenderUnitsOf(loan);
  const toMaxSize =
    group.maxSize <= expected ? group.maxSize + lenderUnits : Math.max(group.maxSize, expected + lenderUnits);
  return {
    fromMaxSize: group.maxSize,
    toMaxSize,
    fromDesiredCapacity: group.desiredCapacity,
    toDesiredCapacity: group.desiredCapacity,
  };
}

/** What the owner of a pool has made of its ceiling since it was enrolled. Seen only while no loan has moved it; undefined else. */
export function ceilingDrift(pool: Pool, group: GroupObservation): number | undefined {
  const idle = pool.lentUnits + pool.borrowedUnits + pool.provisionedUnits === 0;
  return idle ? group.maxSize - pool.ownedUnits : undefined;
}
