import { CreateAutoScalingGroupCommand, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import type { CapacityReservation } from '@aws-sdk/client-ec2';
import {
  CreateCapacityReservationBySplittingCommand,
  CreateCapacityReservationCommand,
  CreateInterruptibleCapacityReservationAllocationCommand,
  CreateLaunchTemplateCommand,
  DescribeCapacityReservationsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { CreateResourceShareCommand, RAMClient } from '@aws-sdk/client-ram';
import { CreateGroupCommand, GroupResourcesCommand, ResourceGroupsClient } from '@aws-sdk/client-resource-groups';
import type { Credentials } from './support.ts';
import { clientsOf, eventually, region } from './support.ts';

/** The clients of one account that lending of reservations needs. */
export function reservationClientsOf(endpoint: string, caller: string | Credentials) {
  const credentials = typeof caller === 'string' ? { accessKeyId: caller, secretAccessKey: 'test' } : caller;
  const common = { endpoint, region, credentials, maxAttempts: 1 };
  return {
    ...clientsOf(endpoint, caller),
    ec2: new EC2Client(common),
    ram: new RAMClient(common),
    resourceGroups: new ResourceGroupsClient(common),
  };
}
export type ReservationClients = ReturnType<typeof reservationClientsOf>;

export const LENDING = { Key: 'entangle:lending', Value: 'enabled' };

/** A targeted reservation of `count` m5.large, whose id it returns. */
export async function reserve(
  { ec2 }: ReservationClients,
  count: number,
  more: { AvailabilityZone?: string; Tenancy?: 'default' | 'dedicated'; InstanceMatchCriteria?: 'open' } = {},
): Promise<string> {
  const { CapacityReservation } = await ec2.send(
    new CreateCapacityReservationCommand({
      InstanceType: 'm5.large',
      InstancePlatform: 'Linux/UNIX',
      AvailabilityZone: 'us-east-1a',
      InstanceCount: count,
      InstanceMatchCriteria: 'targeted',
      TagSpecifications: [{ ResourceType: 'capacity-reservation', Tags: [LENDING] }],
      ...more,
    }),
  );
  return CapacityReservation?.CapacityReservationId ?? '';
}

export async function reservation({ ec2 }: ReservationClients, id: string): Promise<CapacityReservation> {
  const found = await ec2.send(new DescribeCapacityReservationsCommand({ CapacityReservationIds: [id] }));
  const [one] = found.CapacityReservations ?? [];
  if (one === undefined) throw new Error(`no reservation ${id}`);
  return one;
}

/** Splits `count` off a reservation and makes all of it interruptible; the ids of both. */
export async function lendable(owner: ReservationClients, sourceId: string, count: number) {
  const { DestinationCapacityReservation } = await owner.ec2.send(
    new CreateCapacityReservationBySplittingCommand({ SourceCapacityReservationId: sourceId, InstanceCount: count }),
  );
  const splitId = DestinationCapacityReservation?.CapacityReservationId ?? '';
  await owner.ec2.send(
    new CreateInterruptibleCapacityReservationAllocationCommand({
      CapacityReservationId: splitId,
      InstanceCount: count,
    }),
  );
  const part = await eventually(async () => {
    const { InterruptibleCapacityAllocation: allocation } = await reservation(owner, splitId);
    return allocation?.Status === 'active' ? allocation.InterruptibleCapacityReservationId : undefined;
  }, 'an active allocation');
  return { splitId, partId: part };
}

/** Shares a reservation with an account; the ARN of the share. */
export async function share(owner: ReservationClients, reservationId: string, account: string): Promise<string> {
  const { CapacityReservationArn } = await reservation(owner, reservationId);
  const { resourceShare } = await owner.ram.send(
    new CreateResourceShareCommand({
      name: 'lent',
      resourceArns: [CapacityReservationArn ?? ''],
      principals: [account],
    }),
  );
  return resourceShare?.resourceShareArn ?? '';
}

/** A resource group of reservations; its ARN. */
export async function reservationGroup({ resourceGroups }: ReservationClients, name: string): Promise<string> {
  const { Group } = await resourceGroups.send(
    new CreateGroupCommand({
      Name: name,
      Configuration: [
        { Type: 'AWS::EC2::CapacityReservationPool' },
        {
          Type: 'AWS::ResourceGroups::Generic',
          Parameters: [{ Name: 'allowed-resource-types', Values: ['AWS::EC2::CapacityReservation'] }],
        },
      ],
      Tags: { [LENDING.Key]: LENDING.Value },
    }),
  );
  return Group?.GroupArn ?? '';
}

export async function addToGroup(clients: ReservationClients, group: string, reservationId: string): Promise<void> {
  const { CapacityReservationArn } = await reservation(clients, reservationId);
  await clients.resourceGroups.send(
    new GroupResourcesCommand({ Group: group, ResourceArns: [CapacityReservationArn ?? ''] }),
  );
}

/** A group of m5.large whose instances go into the reservations of a resource group first; no On-Demand unless asked for. */
export async function targetingGroup(
  clients: ReservationClients,
  name: string,
  resourceGroupArn: string,
  sizes: { MinSize: number; MaxSize: number; DesiredCapacity: number },
  capacityTypes: readonly ('interruptible-capacity-reservation' | 'on-demand')[] = [
    'interruptible-capacity-reservation',
    'on-demand',
  ],
): Promise<void> {
  await clients.ec2.send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName: name, LaunchTemplateData: { InstanceType: 'm5.large' } }),
  );
  await clients.autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      AvailabilityZones: ['us-east-1a', 'us-east-1b'],
      MixedInstancesPolicy: {
        LaunchTemplate: { LaunchTemplateSpecification: { LaunchTemplateName: name, Version: '$Latest' } },
        InstancesDistribution: { DistributionSegments: [{ TargetCapacityTypes: [...capacityTypes] }] },
      },
      CapacityReservationSpecification: {
        CapacityReservationPreference: 'capacity-reservations-first',
        CapacityReservationTarget: { CapacityReservationResourceGroupArns: [resourceGroupArn] },
      },
      ...sizes,
    }),
  );
}

export async function groupNamed({ autoScaling }: ReservationClients, name: string) {
  const found = await autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
  const [group] = found.AutoScalingGroups ?? [];
  if (group === undefined) throw new Error(`no group ${name}`);
  return group;
}
