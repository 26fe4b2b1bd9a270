/**
 * Loans of reserved capacity, through EC2 Capacity Reservations and RAM. What stands in AWS is found by the loan's tag, so that a
 * step whose answer was lost is told from one that was never made; client tokens are the loan's id for the same reason.
 */
import type { EC2Client } from '@aws-sdk/client-ec2';
import {
  CancelCapacityReservationCommand,
  CreateCapacityReservationBySplittingCommand,
  CreateInterruptibleCapacityReservationAllocationCommand,
  MoveCapacityReservationInstancesCommand,
  UpdateInterruptibleCapacityReservationAllocationCommand,
} from '@aws-sdk/client-ec2';
import type { RAMClient } from '@aws-sdk/client-ram';
import {
  AcceptResourceShareInvitationCommand,
  CreateResourceShareCommand,
  DeleteResourceShareCommand,
  paginateGetResourceShareInvitations,
} from '@aws-sdk/client-ram';
import { GroupResourcesCommand, UngroupResourcesCommand } from '@aws-sdk/client-resource-groups';
import type { LentView, LoanReservations, ReservationView } from '../../core/lending/physical.ts';
import { lentViewOf, nextLendStep, nextReclaimStep, nextRestoreStep } from '../../core/lending/physical.ts';
import { invariant } from '../../core/units.ts';
import type { CapacityMoves, LendingParties } from './capacity-moves.ts';
import { CannotBorrow, CannotLend, ReservationPending } from './capacity-moves.ts';
import { LENDING_TAG } from './groups.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { logger } from './middleware.ts';
import type { CapacityClients } from './reservation-views.ts';
import {
  clientsIn,
  isSeen,
  LOAN_TAG,
  launchTarget,
  ownReservations,
  SOURCE_TAG,
  shareOf,
} from './reservation-views.ts';

/** More than a loan can need, should AWS never show what was done. */
const STEPS_MAX = 8;

interface Standing {
  readonly view: LentView;
  /** All of the lender's account in its region. */
  readonly reservations: readonly ReservationView[];
}

/** What stands in the lender's account because of the loan. */
async function standing({ ec2, ram }: CapacityClients, { loan, lender }: LendingParties): Promise<Standing> {
  const [reservations, share] = await Promise.all([ownReservations(ec2, lender), shareOf(ram, loan)]);
  return { view: lentViewOf(loan, reservations, share), reservations };
}

function tagsOf(loanId: string, more: Readonly<Record<string, string>> = {}) {
  const tags = { [LENDING_TAG.key]: LENDING_TAG.value, [LOAN_TAG]: loanId, ...more };
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function reservationTags(loanId: string, more: Readonly<Record<string, string>> = {}) {
  return [{ ResourceType: 'capacity-reservation' as const, Tags: tagsOf(loanId, more) }];
}

/** For so long a reservation or its tags may not be seen after they were made: EC2 is eventually consistent. */
const UNSEEN_MILLIS = 6_000;

async function splitOff(ec2: EC2Client, { loan }: LendingParties, sourceReservationId: string): Promise<void> {
  try {
    await ec2.send(
      new CreateCapacityReservationBySplittingCommand({
        SourceCapacityReservationId: sourceReservationId,
        InstanceCount: loan.units,
        ClientToken: `${loan.loanId}-split`,
        TagSpecifications: reservationTags(loan.loanId, { [SOURCE_TAG]: sourceReservationId }),
      }),
    );
  } catch (error) {
    // It was split off another reservation a moment ago, and its tag cannot be seen yet.
    if (!(error instanceof Error) || error.name !== 'IdempotentParameterMismatch') throw error;
    throw new ReservationPending(`what was split off for ${loan.loanId} cannot be seen yet`);
  }
}

async function allocate(ec2: EC2Client, { loan }: LendingParties, splitReservationId: string): Promise<void> {
  await ec2.send(
    new CreateInterruptibleCapacityReservationAllocationCommand({
      CapacityReservationId: splitReservationId,
      InstanceCount: loan.units,
      ClientToken: `${loan.loanId}-allocate`,
      TagSpecifications: reservationTags(loan.loanId),
    }),
  );
}

async function shareWith(ram: RAMClient, { loan, borrower }: LendingParties, arn: string): Promise<void> {
  await ram.send(
    new CreateResourceShareCommand({
      name: `entangle-${loan.loanId}`,
      resourceArns: [arn],
      principals: [borrower.accountId],
      allowExternalPrincipals: true,
      clientToken: `${loan.loanId}-share`,
      tags: tagsOf(loan.loanId).map(({ Key: key, Value: value }) => ({ key, value })),
    }),
  );
}

async function lend(parties: LendingParties, role: RoleInLinkedAccount): Promise<LoanReservations> {
  const { loan, lender, borrower } = parties;
  const clients = await clientsIn(lender, role);
  let [hasSplit, hasLookedTwice] = [false, false];
  for (let taken = 0; taken < STEPS_MAX; taken += 1) {
    const { view, reservations } = await standing(clients, parties);
    const tagged = reservations.filter(({ lendingEnabled }) => lendingEnabled);
    const next = nextLendStep(view, tagged, { lender, borrower, units: loan.units });
    switch (next.step) {
      case 'done':
        return next.reservations;
      case 'refuse':
        if (hasSplit) throw new ReservationPending(`what was split off for ${loan.loanId} cannot be seen yet`);
        if (hasLookedTwice) throw new CannotLend(next.reason);
        // A refusal is final. What an attempt before this one has split off may be what is missing, and not be seen yet.
        await new Promise((resolve) => setTimeout(resolve, UNSEEN_MILLIS));
        hasLookedTwice = true;
        break;
      case 'wait':
        throw new ReservationPending(next.reason);
      case 'split':
        await splitOff(clients.ec2, parties, next.sourceReservationId);
        hasSplit = true;
        break;
      case 'allocate':
        await allocate(clients.ec2, parties, next.splitReservationId);
        break;
      case 'share':
        await shareWith(clients.ram, parties, next.reservationArn);
        break;
    }
  }
  throw new ReservationPending(`what was made for ${loan.loanId} cannot be seen yet`);
}

async function acceptShare(ram: RAMClient, shareArn: string): Promise<void> {
  const asked = { resourceShareArns: [shareArn] };
  for await (const page of paginateGetResourceShareInvitations({ client: ram }, asked)) {
    for (const { status, resourceShareInvitationArn } of page.resourceShareInvitations ?? []) {
      if (status !== 'PENDING' || resourceShareInvitationArn === undefined) continue;
      await ram.send(new AcceptResourceShareInvitationCommand({ resourceShareInvitationArn }));
    }
  }
}

async function admit({ loan, borrower }: LendingParties, role: RoleInLinkedAccount): Promise<string> {
  const { lentReservation } = loan;
  invariant(lentReservation !== undefined, 'a physical loan that was taken has a reservation');
  const target = await launchTarget(borrower, role);
  if ('why' in target) throw new CannotBorrow(`${borrower.poolId} does not launch into it: ${target.why}`);
  const { ec2, ram, resourceGroups } = await clientsIn(borrower, role);
  // Inside an organisation that shares, there is no invitation.
  await acceptShare(ram, lentReservation.shareArn);
  if (!(await isSeen(ec2, lentReservation))) {
    throw new ReservationPending(`${borrower.accountId} cannot see ${lentReservation.reservationId} yet`);
  }
  const { Failed } = await resourceGroups.send(
    new GroupResourcesCommand({ Group: target.arn, ResourceArns: [lentReservation.reservationArn] }),
  );
  const [failed] = Failed ?? [];
  if (failed !== undefined)
    throw new CannotBorrow(`${target.arn}: ${failed.ErrorCode ?? ''} ${failed.ErrorMessage ?? ''}`);
  return target.arn;
}

async function takeOut(
  resourceGroups: CapacityClients['resourceGroups'],
  arn: string,
  resource: string,
): Promise<void> {
  try {
    await resourceGroups.send(new UngroupResourcesCommand({ Group: arn, ResourceArns: [resource] }));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Its owner has taken the tag off, and the group out of our hands: what is reclaimed cannot be launched into either.
    if (error.name === 'AccessDeniedException') logger.warn('a resource group is left as found', { arn });
    // Without the resource group nothing can be launched through it.
    else if (error.name !== 'NotFoundException') throw error;
  }
}

/** Out of the group that it was put into, and of the one that is the target now. */
async function dismiss({ loan, borrower }: LendingParties, role: RoleInLinkedAccount): Promise<void> {
  const { lentReservation, launchTargetArn } = loan;
  if (lentReservation === undefined) return;
  const target = await launchTarget(borrower, role);
  const groups = new Set([launchTargetArn, 'arn' in target ? target.arn : undefined]);
  const { resourceGroups } = await clientsIn(borrower, role);
  for (const arn of groups) {
    if (arn !== undefined) await takeOut(resourceGroups, arn, lentReservation.reservationArn);
  }
}

async function reclaim(parties: LendingParties, role: RoleInLinkedAccount): Promise<string | undefined> {
  const clients = await clientsIn(parties.lender, role);
  const next = nextReclaimStep((await standing(clients, parties)).view);
  if (next.step === 'done') return undefined;
  if (next.step === 'wait') return next.reason;
  await clients.ec2.send(
    new UpdateInterruptibleCapacityReservationAllocationCommand({
      CapacityReservationId: next.splitReservationId,
      TargetInstanceCount: 0,
    }),
  );
  return `the interruptible allocation of ${next.splitReservationId} was just asked back`;
}

async function restore(parties: LendingParties, role: RoleInLinkedAccount): Promise<void> {
  const { loan, lender } = parties;
  const clients = await clientsIn(lender, role);
  for (let taken = 0; taken < STEPS_MAX; taken += 1) {
    const { view, reservations } = await standing(clients, parties);
    const source = reservations.find(({ reservationId }) => reservationId === view.split?.splitFrom);
    const next = nextRestoreStep(view, source);
    switch (next.step) {
      case 'done':
        return;
      case 'unshare':
        await clients.ram.send(new DeleteResourceShareCommand({ resourceShareArn: next.shareArn }));
        break;
      case 'merge':
        await clients.ec2.send(
          new MoveCapacityReservationInstancesCommand({
            SourceCapacityReservationId: next.splitReservationId,
            DestinationCapacityReservationId: next.sourceReservationId,
            InstanceCount: next.units,
            ClientToken: `${loan.loanId}-merge-${next.units}`,
          }),
        );
        break;
      case 'cancel':
        await clients.ec2.send(
          new CancelCapacityReservationCommand({ CapacityReservationId: next.splitReservationId }),
        );
        break;
    }
  }
  throw new ReservationPending(`what was undone of ${loan.loanId} cannot be seen yet`);
}

/** The moves of loans of reserved capacity, made with a role of the linked accounts. */
export function physicalMoves(role: RoleInLinkedAccount): CapacityMoves {
  return {
    lend: (parties) => lend(parties, role),
    admit: (parties) => admit(parties, role),
    dismiss: (parties) => dismiss(parties, role),
    reclaim: (parties) => reclaim(parties, role),
    restore: (parties) => restore(parties, role),
  };
}
