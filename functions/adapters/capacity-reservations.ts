/**
 * Loans of reserved capacity, through EC2 Capacity Reservations and RAM. What stands in AWS is found by the loan's tag, so that a
 * step whose answer was lost is told from one that was never made; client tokens are the loan's id for the same reason.
 */
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import type { CapacityReservation } from '@aws-sdk/client-ec2';
import {
  CancelCapacityReservationCommand,
  CreateCapacityReservationBySplittingCommand,
  CreateInterruptibleCapacityReservationAllocationCommand,
  EC2Client,
  MoveCapacityReservationInstancesCommand,
  paginateDescribeCapacityReservations,
  UpdateInterruptibleCapacityReservationAllocationCommand,
} from '@aws-sdk/client-ec2';
import {
  AcceptResourceShareInvitationCommand,
  CreateResourceShareCommand,
  DeleteResourceShareCommand,
  paginateGetResourceShareInvitations,
  paginateGetResourceShares,
  RAMClient,
} from '@aws-sdk/client-ram';
import { GroupResourcesCommand, ResourceGroupsClient, UngroupResourcesCommand } from '@aws-sdk/client-resource-groups';
import type { Loan } from '../../core/lending/loan.ts';
import type { LentReservation, LentView, LoanReservations, ReservationView } from '../../core/lending/physical.ts';
import { nextLendStep, nextReclaimStep, nextRestoreStep } from '../../core/lending/physical.ts';
import type { PoolSpec } from '../../core/pool.ts';
import { invariant } from '../../core/units.ts';
import type { CapacityMoves, LendingParties } from './capacity-moves.ts';
import { CannotBorrow, CannotLend, ReservationPending } from './capacity-moves.ts';
import { LENDING_TAG } from './groups.ts';
import type { LinkedAccountClients, RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';

/** The loan that a reservation or a share was made for. */
const LOAN_TAG = 'entangle:loan';
/** The reservation that a part was split off. */
const SOURCE_TAG = 'entangle:split-from';
/** More than a loan can need, should AWS never show what was done. */
const STEPS_MAX = 8;

interface CapacityClients {
  readonly ec2: EC2Client;
  readonly ram: RAMClient;
  readonly resourceGroups: ResourceGroupsClient;
}

/** One set of clients for each session in a linked account. */
const clientsOfSession = new WeakMap<LinkedAccountClients, CapacityClients>();

async function clientsIn(pool: PoolSpec, role: RoleInLinkedAccount): Promise<CapacityClients> {
  const session = await linkedAccount(pool.accountId, pool.region, role);
  const known = clientsOfSession.get(session);
  if (known !== undefined) return known;
  const { options } = session;
  const made = {
    ec2: new EC2Client(options),
    ram: new RAMClient(options),
    resourceGroups: new ResourceGroupsClient(options),
  };
  clientsOfSession.set(session, made);
  return made;
}

function tagOf({ Tags }: CapacityReservation, key: string): string | undefined {
  return Tags?.find((tag) => tag.Key === key)?.Value;
}

function allocationOf({ InterruptibleCapacityAllocation: found }: CapacityReservation): ReservationView['allocation'] {
  if (found === undefined) return undefined;
  const { Status, InstanceCount, TargetInstanceCount, InterruptibleCapacityReservationId: reservationId } = found;
  return {
    status: Status ?? 'unknown',
    units: InstanceCount ?? 0,
    targetUnits: TargetInstanceCount ?? 0,
    ...(reservationId === undefined ? {} : { reservationId }),
  };
}

function viewOf(found: CapacityReservation): ReservationView {
  const loanId = tagOf(found, LOAN_TAG);
  const splitFrom = tagOf(found, SOURCE_TAG);
  const allocation = allocationOf(found);
  return {
    reservationId: found.CapacityReservationId ?? '',
    reservationArn: found.CapacityReservationArn ?? '',
    state: found.State ?? 'unknown',
    instanceType: found.InstanceType ?? '',
    platform: found.InstancePlatform ?? '',
    tenancy: found.Tenancy ?? 'default',
    azId: found.AvailabilityZoneId ?? '',
    totalUnits: found.TotalInstanceCount ?? 0,
    unusedUnits: found.AvailableInstanceCount ?? 0,
    endless: found.EndDateType !== 'limited',
    interruptible: found.Interruptible === true,
    lendingEnabled: tagOf(found, LENDING_TAG.key) === LENDING_TAG.value,
    ...(loanId === undefined ? {} : { loanId }),
    ...(splitFrom === undefined ? {} : { splitFrom }),
    ...(allocation === undefined ? {} : { allocation }),
  };
}

async function reservationsWith(ec2: EC2Client, tag: string, value: string): Promise<ReservationView[]> {
  const found: ReservationView[] = [];
  const filters = [{ Name: `tag:${tag}`, Values: [value] }];
  for await (const page of paginateDescribeCapacityReservations({ client: ec2 }, { Filters: filters })) {
    found.push(...(page.CapacityReservations ?? []).map(viewOf));
  }
  return found;
}

async function shareOf(ram: RAMClient, loanId: string): Promise<LentView['share']> {
  const tagFilters = [{ tagKey: LOAN_TAG, tagValues: [loanId] }];
  for await (const page of paginateGetResourceShares({ client: ram }, { resourceOwner: 'SELF', tagFilters })) {
    for (const { resourceShareArn, status } of page.resourceShares ?? []) {
      if (resourceShareArn === undefined || status === 'DELETED' || status === 'DELETING') continue;
      return { shareArn: resourceShareArn, active: status === 'ACTIVE' };
    }
  }
  return undefined;
}

/** What stands in the lender's account because of the loan. A part that is cancelled counts no more. */
async function lentBy({ ec2, ram }: CapacityClients, loanId: string): Promise<LentView> {
  const [reservations, share] = await Promise.all([reservationsWith(ec2, LOAN_TAG, loanId), shareOf(ram, loanId)]);
  const split = reservations.find(({ interruptible }) => !interruptible);
  const part = reservations.find(({ interruptible, state }) => interruptible && state === 'active');
  return {
    ...(split === undefined ? {} : { split }),
    ...(part === undefined ? {} : { part }),
    ...(share === undefined ? {} : { share }),
  };
}

function tagsOf(loanId: string, more: Readonly<Record<string, string>> = {}) {
  const tags = { [LENDING_TAG.key]: LENDING_TAG.value, [LOAN_TAG]: loanId, ...more };
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function reservationTags(loanId: string, more: Readonly<Record<string, string>> = {}) {
  return [{ ResourceType: 'capacity-reservation' as const, Tags: tagsOf(loanId, more) }];
}

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
  for (let taken = 0; taken < STEPS_MAX; taken += 1) {
    const view = await lentBy(clients, loan.loanId);
    const candidates =
      view.split === undefined ? await reservationsWith(clients.ec2, LENDING_TAG.key, LENDING_TAG.value) : [];
    const next = nextLendStep(view, candidates, { lender, borrower, units: loan.units });
    switch (next.step) {
      case 'done':
        return next.reservations;
      case 'refuse':
        throw new CannotLend(next.reason);
      case 'wait':
        throw new ReservationPending(next.reason);
      case 'split':
        await splitOff(clients.ec2, parties, next.sourceReservationId);
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

/** The resource group that a group launches its instances into, or why it launches into none. */
async function launchTarget(borrower: PoolSpec, role: RoleInLinkedAccount): Promise<{ arn: string } | { why: string }> {
  const { autoScaling } = await linkedAccount(borrower.accountId, borrower.region, role);
  const { AutoScalingGroups } = await autoScaling.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [borrower.groupName] }),
  );
  const [group] = AutoScalingGroups ?? [];
  if (group === undefined) return { why: 'it does not exist' };
  const segments = group.MixedInstancesPolicy?.InstancesDistribution?.DistributionSegments ?? [];
  const types = segments.flatMap(({ TargetCapacityTypes }) => TargetCapacityTypes ?? []);
  if (!types.includes('interruptible-capacity-reservation')) {
    return { why: 'no distribution segment of it names interruptible-capacity-reservation' };
  }
  const [arn] =
    group.CapacityReservationSpecification?.CapacityReservationTarget?.CapacityReservationResourceGroupArns ?? [];
  return arn === undefined ? { why: 'it targets no resource group of Capacity Reservations' } : { arn };
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

/** Whether an account sees a reservation that is shared with it. */
async function isSeen(ec2: EC2Client, { reservationId }: LentReservation): Promise<boolean> {
  try {
    const asked = { CapacityReservationIds: [reservationId] };
    for await (const { CapacityReservations } of paginateDescribeCapacityReservations({ client: ec2 }, asked)) {
      if (CapacityReservations?.some(({ State }) => State === 'active')) return true;
    }
    return false;
  } catch (error) {
    if (error instanceof Error && error.name === 'InvalidCapacityReservationId.NotFound') return false;
    throw error;
  }
}

async function admit({ loan, borrower }: LendingParties, role: RoleInLinkedAccount): Promise<void> {
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
}

async function dismiss({ loan, borrower }: LendingParties, role: RoleInLinkedAccount): Promise<void> {
  const { lentReservation } = loan;
  if (lentReservation === undefined) return;
  const target = await launchTarget(borrower, role);
  if ('why' in target) return;
  const { resourceGroups } = await clientsIn(borrower, role);
  const asked = { Group: target.arn, ResourceArns: [lentReservation.reservationArn] };
  try {
    await resourceGroups.send(new UngroupResourcesCommand(asked));
  } catch (error) {
    // Without the resource group nothing can be launched through it.
    if (!(error instanceof Error) || error.name !== 'NotFoundException') throw error;
  }
}

async function reclaim({ loan, lender }: LendingParties, role: RoleInLinkedAccount): Promise<string | undefined> {
  const clients = await clientsIn(lender, role);
  const next = nextReclaimStep(await lentBy(clients, loan.loanId));
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

async function restore({ loan, lender }: LendingParties, role: RoleInLinkedAccount): Promise<void> {
  const clients = await clientsIn(lender, role);
  for (let taken = 0; taken < STEPS_MAX; taken += 1) {
    const view = await lentBy(clients, loan.loanId);
    const sources = await reservationsWith(clients.ec2, LENDING_TAG.key, LENDING_TAG.value);
    const source = sources.find(({ reservationId }) => reservationId === view.split?.splitFrom);
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

/** Instances that run in the reserved capacity of a loan, as the lender's account sees it; undefined when it lends none. */
export async function unitsInUse(
  { loanId }: Pick<Loan, 'loanId'>,
  lender: PoolSpec,
  role: RoleInLinkedAccount,
): Promise<number | undefined> {
  const { ec2 } = await clientsIn(lender, role);
  const part = (await reservationsWith(ec2, LOAN_TAG, loanId)).find(
    ({ interruptible, state }) => interruptible && state === 'active',
  );
  return part === undefined ? undefined : part.totalUnits - part.unusedUnits;
}
