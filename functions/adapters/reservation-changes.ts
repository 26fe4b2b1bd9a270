import type { ForeignChange } from '../../core/lending/foreign-change.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { LentReservation, ReservationView } from '../../core/lending/physical.ts';
import type { LaunchTargetView, SharingView } from '../../core/lending/reservation-change.ts';
import { launchTargetChange, reservationChange } from '../../core/lending/reservation-change.ts';
import type { PoolSpec } from '../../core/pool.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import type { CapacityClients } from './reservation-views.ts';
import { associationStatus, clientsIn, heldBy, launchTarget, ownReservations, shareOf } from './reservation-views.ts';

type PhysicalLoan = Loan & { readonly lentReservation: LentReservation };

/** Loans whose reserved capacity has to be as they left it. */
function isPhysical(loan: Loan): loan is PhysicalLoan {
  return loan.kind === 'physical' && loan.state === 'active' && loan.lentReservation !== undefined;
}

async function sharingOf({ ram }: CapacityClients, loan: PhysicalLoan): Promise<SharingView> {
  const { shareArn, reservationArn } = loan.lentReservation;
  const [principalStatus, resourceStatus] = await Promise.all([
    associationStatus(ram, shareArn, { principal: loan.borrowerAccountId }),
    associationStatus(ram, shareArn, { resourceArn: reservationArn }),
  ]);
  return {
    ...(principalStatus === undefined ? {} : { principalStatus }),
    ...(resourceStatus === undefined ? {} : { resourceStatus }),
  };
}

async function ofLender(
  pool: PoolSpec,
  loan: PhysicalLoan,
  reservations: readonly ReservationView[],
  clients: CapacityClients,
): Promise<ForeignChange> {
  const share = await shareOf(clients.ram, loan);
  const sharing = share === undefined ? {} : await sharingOf(clients, loan);
  return reservationChange({ pool, loan, reservations, share, sharing });
}

async function targetView(
  pool: PoolSpec,
  { resourceGroups }: CapacityClients,
  role: RoleInLinkedAccount,
): Promise<LaunchTargetView> {
  const target = await launchTarget(pool, role);
  if ('why' in target) return target;
  const reservationArns = await heldBy(resourceGroups, target.arn);
  return reservationArns === undefined
    ? { why: `${target.arn}, its target, does not exist` }
    : { ...target, reservationArns };
}

/**
 * Looks at the reserved capacity of a pool's active loans: at reservations and shares where it lends, at what its group launches into
 * where it borrows. A loan is looked at once on each side.
 * @param role for looking
 */
export async function reservationChangesOf(
  pool: PoolSpec,
  loans: readonly Loan[],
  role: RoleInLinkedAccount,
): Promise<ForeignChange[]> {
  const lent = loans.filter(isPhysical).filter(({ lenderPoolId }) => lenderPoolId === pool.poolId);
  const borrowed = loans.filter(isPhysical).filter(({ borrowerPoolId }) => borrowerPoolId === pool.poolId);
  if (lent.length + borrowed.length === 0) return [];
  const clients = await clientsIn(pool, role);
  const changes: ForeignChange[] = [];
  if (lent.length > 0) {
    const reservations = await ownReservations(clients.ec2, pool);
    for (const loan of lent) changes.push(await ofLender(pool, loan, reservations, clients));
  }
  if (borrowed.length > 0) {
    const target = await targetView(pool, clients, role);
    for (const loan of borrowed) changes.push(launchTargetChange(pool, loan, target));
  }
  return changes;
}
