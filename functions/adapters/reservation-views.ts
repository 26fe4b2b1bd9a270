/**
 * What stands in the accounts of a loan of reserved capacity, as EC2, RAM and Resource Groups say it. Nothing is changed here.
 */
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import type { CapacityReservation } from '@aws-sdk/client-ec2';
import { EC2Client, paginateDescribeCapacityReservations } from '@aws-sdk/client-ec2';
import type {
  GetResourceShareAssociationsCommandInput,
  GetResourceSharesCommandInput,
  ResourceShare,
} from '@aws-sdk/client-ram';
import { paginateGetResourceShareAssociations, paginateGetResourceShares, RAMClient } from '@aws-sdk/client-ram';
import { paginateListGroupResources, ResourceGroupsClient } from '@aws-sdk/client-resource-groups';
import type { Loan } from '../../core/lending/loan.ts';
import type { LentReservation, ReservationView, ShareView } from '../../core/lending/physical.ts';
import type { PoolSpec } from '../../core/pool.ts';
import { LENDING_TAG } from './groups.ts';
import type { LinkedAccountClients, RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';

/** The loan that a reservation or a share was made for. */
export const LOAN_TAG = 'entangle:loan';
/** The reservation that a part was split off. */
export const SOURCE_TAG = 'entangle:split-from';

export interface CapacityClients {
  readonly ec2: EC2Client;
  readonly ram: RAMClient;
  readonly resourceGroups: ResourceGroupsClient;
}

/** One set of clients for each session in a linked account. */
const clientsOfSession = new WeakMap<LinkedAccountClients, CapacityClients>();

/** Clients of a role in a pool's account, for what reserved capacity needs. */
export async function clientsIn(pool: PoolSpec, role: RoleInLinkedAccount): Promise<CapacityClients> {
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
    instanceMatchCriteria: found.InstanceMatchCriteria ?? 'open',
    interruptible: found.Interruptible === true,
    lendingEnabled: tagOf(found, LENDING_TAG.key) === LENDING_TAG.value,
    ...(loanId === undefined ? {} : { loanId }),
    ...(splitFrom === undefined ? {} : { splitFrom }),
    ...(allocation === undefined ? {} : { allocation }),
  };
}

async function reservationsBy(ec2: EC2Client, name: string, value: string): Promise<ReservationView[]> {
  const found: ReservationView[] = [];
  const filters = [{ Name: name, Values: [value] }];
  for await (const page of paginateDescribeCapacityReservations({ client: ec2 }, { Filters: filters })) {
    found.push(...(page.CapacityReservations ?? []).map(viewOf));
  }
  return found;
}

/** All reservations that an account owns in the region of a pool of its own. */
export function ownReservations(ec2: EC2Client, { accountId }: PoolSpec): Promise<ReservationView[]> {
  return reservationsBy(ec2, 'owner-id', accountId);
}

function shareView({ resourceShareArn, status, tags }: ResourceShare): ShareView | undefined {
  if (resourceShareArn === undefined || status === 'DELETED' || status === 'DELETING') return undefined;
  const lendingEnabled = (tags ?? []).some(({ key, value }) => key === LENDING_TAG.key && value === LENDING_TAG.value);
  return { shareArn: resourceShareArn, active: status === 'ACTIVE', lendingEnabled };
}

async function sharesBy(ram: RAMClient, asked: Omit<GetResourceSharesCommandInput, 'resourceOwner'>) {
  const found: ShareView[] = [];
  for await (const page of paginateGetResourceShares({ client: ram }, { resourceOwner: 'SELF', ...asked })) {
    found.push(...(page.resourceShares ?? []).flatMap((share) => shareView(share) ?? []));
  }
  return found;
}

/** The share of a loan, whose ARN is known from when it was taken, whatever becomes of its tag. */
export async function shareOf(
  ram: RAMClient,
  { loanId, lentReservation }: Pick<Loan, 'loanId' | 'lentReservation'>,
): Promise<ShareView | undefined> {
  const [tagged] = await sharesBy(ram, { tagFilters: [{ tagKey: LOAN_TAG, tagValues: [loanId] }] });
  if (tagged !== undefined || lentReservation === undefined) return tagged;
  try {
    const [known] = await sharesBy(ram, { resourceShareArns: [lentReservation.shareArn] });
    return known;
  } catch (error) {
    // RAM forgets a share some hours after it was deleted.
    if (error instanceof Error && error.name === 'UnknownResourceException') return undefined;
    throw error;
  }
}

/** How RAM says that an entity belongs to a share; undefined when it never did, or did too long ago. */
export async function associationStatus(
  ram: RAMClient,
  shareArn: string,
  entity: { readonly principal: string } | { readonly resourceArn: string },
): Promise<string | undefined> {
  const associationType = 'principal' in entity ? 'PRINCIPAL' : 'RESOURCE';
  const asked: GetResourceShareAssociationsCommandInput = { associationType, resourceShareArns: [shareArn], ...entity };
  const statuses: string[] = [];
  for await (const page of paginateGetResourceShareAssociations({ client: ram }, asked)) {
    statuses.push(...(page.resourceShareAssociations ?? []).flatMap(({ status }) => status ?? []));
  }
  return statuses.find((status) => status === 'ASSOCIATED') ?? statuses[0];
}

/** The resource group that a group launches its instances into, or why it launches into none. */
export async function launchTarget(
  borrower: PoolSpec,
  role: RoleInLinkedAccount,
): Promise<{ arn: string } | { why: string }> {
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

/** What a resource group holds; undefined when there is no such group. */
export async function heldBy(resourceGroups: ResourceGroupsClient, arn: string): Promise<string[] | undefined> {
  const held: string[] = [];
  try {
    for await (const page of paginateListGroupResources({ client: resourceGroups }, { Group: arn })) {
      held.push(...(page.Resources ?? []).flatMap(({ Identifier }) => Identifier?.ResourceArn ?? []));
    }
    return held;
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFoundException') return undefined;
    throw error;
  }
}

/** Whether an account sees a reservation that is shared with it. */
export async function isSeen(ec2: EC2Client, { reservationId }: LentReservation): Promise<boolean> {
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

/** Instances that run in the reserved capacity of a loan, as the lender's account sees it; undefined when it lends none. */
export async function unitsInUse(
  { loanId }: Pick<Loan, 'loanId'>,
  lender: PoolSpec,
  role: RoleInLinkedAccount,
): Promise<number | undefined> {
  const { ec2 } = await clientsIn(lender, role);
  const part = (await reservationsBy(ec2, `tag:${LOAN_TAG}`, loanId)).find(
    ({ interruptible, state }) => interruptible && state === 'active',
  );
  return part === undefined ? undefined : part.totalUnits - part.unusedUnits;
}
