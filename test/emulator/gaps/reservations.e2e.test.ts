import { UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import {
  CancelCapacityReservationCommand,
  CreateCapacityReservationBySplittingCommand,
  CreateCapacityReservationCommand,
  CreateInterruptibleCapacityReservationAllocationCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeCapacityReservationsCommand,
  ModifyCapacityReservationCommand,
  MoveCapacityReservationInstancesCommand,
  UpdateInterruptibleCapacityReservationAllocationCommand,
} from '@aws-sdk/client-ec2';
import {
  AcceptResourceShareInvitationCommand,
  CreateResourceShareCommand,
  DeleteResourceShareCommand,
  GetResourceShareAssociationsCommand,
  GetResourceShareInvitationsCommand,
  GetResourceSharesCommand,
} from '@aws-sdk/client-ram';
import { CreateGroupCommand, GroupResourcesCommand } from '@aws-sdk/client-resource-groups';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { listenForEc2 } from '../../support/account-listener.ts';
import type { ReservationClients } from './reservation-support.ts';
import {
  addToGroup,
  groupNamed,
  LENDING,
  lendable,
  reservation,
  reservationClientsOf,
  reservationGroup,
  reserve,
  share,
  targetingGroup,
} from './reservation-support.ts';
import { createUser, eventually, policyOf, region } from './support.ts';

const LENDER = '222222222222';
const BORROWER = '333333333333';

let emulator: Emulator;
let lender: ReservationClients;
let borrower: ReservationClients;

beforeAll(async () => {
  emulator = await startEmulator({ auth: true });
  await emulator.control.setReservations({ settleSeconds: 0.2, warningSeconds: 1 });
  lender = reservationClientsOf(emulator.endpoint, LENDER);
  borrower = reservationClientsOf(emulator.endpoint, BORROWER);
});

afterAll(() => emulator?.stop());

const refusal = (code: string) => expect.objectContaining({ name: code });
const split = (id: string, count: number, token?: string) =>
  lender.ec2.send(
    new CreateCapacityReservationBySplittingCommand({
      SourceCapacityReservationId: id,
      InstanceCount: count,
      ...(token === undefined ? {} : { ClientToken: token }),
    }),
  );
const callerOf = (accessKeyId: string) => ({
  endpoint: emulator.endpoint,
  region,
  credentials: { accessKeyId, secretAccessKey: 'test' },
});
async function accept(shareArn: string): Promise<void> {
  const { resourceShareInvitations } = await borrower.ram.send(
    new GetResourceShareInvitationsCommand({ resourceShareArns: [shareArn] }),
  );
  const { resourceShareInvitationArn } = resourceShareInvitations?.[0] ?? {};
  await borrower.ram.send(new AcceptResourceShareInvitationCommand({ resourceShareInvitationArn }));
}
const allocate = (id: string, count: number) =>
  lender.ec2.send(
    new CreateInterruptibleCapacityReservationAllocationCommand({ CapacityReservationId: id, InstanceCount: count }),
  );

describe('reservations', () => {
  it('are split, and moved back whole', async () => {
    const source = await reserve(lender, 5);
    const { DestinationCapacityReservation: made } = await split(source, 2, 'once');
    expect(made).toMatchObject({ TotalInstanceCount: 2, AvailableInstanceCount: 2, State: 'active' });
    expect(await split(source, 2, 'once')).toMatchObject({ DestinationCapacityReservation: made });
    await expect(split(source, 3, 'once')).rejects.toEqual(refusal('IdempotentParameterMismatch'));
    expect(await reservation(lender, source)).toMatchObject({ TotalInstanceCount: 3 });
    await lender.ec2.send(
      new MoveCapacityReservationInstancesCommand({
        SourceCapacityReservationId: made?.CapacityReservationId,
        DestinationCapacityReservationId: source,
        InstanceCount: 2,
      }),
    );
    expect(await reservation(lender, source)).toMatchObject({ TotalInstanceCount: 5, State: 'active' });
    expect(await reservation(lender, made?.CapacityReservationId ?? '')).toMatchObject({ State: 'cancelled' });
  });

  it('refuse what AWS refuses', async () => {
    const source = await reserve(lender, 3);
    const elsewhere = await reserve(lender, 3, { AvailabilityZone: 'us-east-1b' });
    await expect(split(source, 4)).rejects.toEqual(refusal('ReservationCapacityExceeded'));
    await expect(split(source, 0)).rejects.toEqual(refusal('InvalidParameterValue'));
    await expect(split('cr-00000000000000000', 1)).rejects.toEqual(refusal('InvalidCapacityReservationId.NotFound'));
    await expect(
      lender.ec2.send(
        new MoveCapacityReservationInstancesCommand({
          SourceCapacityReservationId: source,
          DestinationCapacityReservationId: elsewhere,
          InstanceCount: 1,
        }),
      ),
    ).rejects.toEqual(refusal('InvalidParameterValue'));
    await expect(allocate(source, 1_001)).rejects.toEqual(refusal('InvalidParameterValue'));
    await lender.ec2.send(
      new ModifyCapacityReservationCommand({
        CapacityReservationId: source,
        EndDateType: 'limited',
        EndDate: new Date('2030-01-01T00:00:00Z'),
      }),
    );
    await expect(allocate(source, 1)).rejects.toEqual(refusal('InvalidParameterValue'));
    await lender.ec2.send(new CancelCapacityReservationCommand({ CapacityReservationId: source }));
    await expect(split(source, 1)).rejects.toEqual(refusal('InvalidCapacityReservationState'));
    await expect(
      lender.ec2.send(
        new CreateCapacityReservationCommand({
          InstanceType: 'm5.large',
          InstancePlatform: 'BeOS' as 'Windows',
          AvailabilityZoneId: 'use1-az1',
          InstanceCount: 1,
        }),
      ),
    ).rejects.toEqual(refusal('InvalidParameterValue'));
  });

  it('hold one interruptible allocation each, which cannot be cancelled but by its source', async () => {
    const source = await reserve(lender, 4);
    const { splitId, partId } = await lendable(lender, source, 2);
    expect(await reservation(lender, splitId)).toMatchObject({ TotalInstanceCount: 0, State: 'active' });
    expect(await reservation(lender, partId)).toMatchObject({
      TotalInstanceCount: 2,
      Interruptible: true,
      InstanceMatchCriteria: 'targeted',
      InterruptionInfo: { SourceCapacityReservationId: splitId },
    });
    await expect(allocate(splitId, 1)).rejects.toEqual(refusal('InvalidCapacityReservationState'));
    await expect(
      lender.ec2.send(new CancelCapacityReservationCommand({ CapacityReservationId: partId })),
    ).rejects.toEqual(refusal('InvalidParameterValue'));
    await expect(
      lender.ec2.send(new CancelCapacityReservationCommand({ CapacityReservationId: splitId })),
    ).rejects.toEqual(refusal('InvalidCapacityReservationState'));
  });

  it('are found by tag and state', async () => {
    const found = await lender.ec2.send(
      new DescribeCapacityReservationsCommand({
        Filters: [
          { Name: 'tag:entangle:lending', Values: ['enabled'] },
          { Name: 'state', Values: ['active'] },
        ],
      }),
    );
    expect(found.CapacityReservations?.length).toBeGreaterThan(0);
    await expect(
      lender.ec2.send(new DescribeCapacityReservationsCommand({ Filters: [{ Name: 'colour', Values: ['red'] }] })),
    ).rejects.toEqual(refusal('InvalidParameterValue'));
  });

  it('carry the tags that their owner gives them and takes away', async () => {
    const source = await reserve(lender, 2);
    const tagsOf = async () => (await reservation(lender, source)).Tags;
    const Tags = [{ Key: 'team', Value: 'web' }];
    await lender.ec2.send(new CreateTagsCommand({ Resources: [source], Tags }));
    expect(await tagsOf()).toEqual([LENDING, ...Tags]);
    await lender.ec2.send(new DeleteTagsCommand({ Resources: [source], Tags: [{ ...LENDING, Value: 'other' }] }));
    expect(await tagsOf()).toEqual([LENDING, ...Tags]);
    await lender.ec2.send(new DeleteTagsCommand({ Resources: [source], Tags: [{ Key: LENDING.Key }] }));
    expect(await tagsOf()).toEqual(Tags);
    await expect(borrower.ec2.send(new CreateTagsCommand({ Resources: [source], Tags }))).rejects.toEqual(
      refusal('InvalidCapacityReservationId.NotFound'),
    );
  });

  it('are used by instances of their own account that match, when open', async () => {
    const open = await reserve(lender, 2, { InstanceMatchCriteria: 'open', AvailabilityZone: 'us-east-1b' });
    const group = await reservationGroup(lender, 'unused');
    await targetingGroup(lender, 'own', group, { MinSize: 0, MaxSize: 4, DesiredCapacity: 0 });
    await lender.autoScaling.send(
      new UpdateAutoScalingGroupCommand({
        AutoScalingGroupName: 'own',
        DesiredCapacity: 1,
        CapacityReservationSpecification: { CapacityReservationPreference: 'capacity-reservations-first' },
        MixedInstancesPolicy: {
          LaunchTemplate: { LaunchTemplateSpecification: { LaunchTemplateName: 'own', Version: '$Latest' } },
        },
      }),
    );
    expect((await groupNamed(lender, 'own')).Instances).toHaveLength(1);
    expect(await reservation(lender, open)).toMatchObject({ TotalInstanceCount: 2, AvailableInstanceCount: 1 });
    await expect(split(open, 2)).rejects.toEqual(refusal('ReservationCapacityExceeded'));
  });
});

const WARNING = 'EC2 Capacity Reservation Instance Interruption Warning';
const RECLAIMED = 'EC2 Interruptible Capacity Reservation Allocation Reclamation Completed';

const instancesOf = async (clients: ReservationClients, name: string): Promise<(string | undefined)[]> =>
  ((await groupNamed(clients, name)).Instances ?? []).map(({ InstanceId }) => InstanceId);

describe('a reservation that is lent', () => {
  it('is seen by the borrower once it accepts, and by nobody after the share is deleted', async () => {
    const { partId } = await lendable(lender, await reserve(lender, 4), 2);
    const shareArn = await share(lender, partId, BORROWER);
    await expect(reservation(borrower, partId)).rejects.toEqual(refusal('InvalidCapacityReservationId.NotFound'));
    const { resourceShareInvitations } = await borrower.ram.send(
      new GetResourceShareInvitationsCommand({ resourceShareArns: [shareArn] }),
    );
    expect(resourceShareInvitations).toMatchObject([{ status: 'PENDING', senderAccountId: LENDER }]);
    await accept(shareArn);
    await expect(accept(shareArn)).rejects.toEqual(refusal('ResourceShareInvitationAlreadyAcceptedException'));
    const shared = await reservation(borrower, partId);
    expect(shared).toMatchObject({ OwnerId: LENDER, AvailableInstanceCount: 2, Interruptible: true });
    expect(shared.Tags).toBeUndefined();

    await lender.ram.send(new DeleteResourceShareCommand({ resourceShareArn: shareArn }));
    await expect(reservation(borrower, partId)).rejects.toEqual(refusal('InvalidCapacityReservationId.NotFound'));
    const { resourceShareAssociations } = await lender.ram.send(
      new GetResourceShareAssociationsCommand({ associationType: 'PRINCIPAL', resourceShareArns: [shareArn] }),
    );
    expect(resourceShareAssociations).toMatchObject([{ status: 'DISASSOCIATED', external: true }]);
    const { resourceShares } = await lender.ram.send(
      new GetResourceSharesCommand({ resourceOwner: 'SELF', resourceShareArns: [shareArn] }),
    );
    expect(resourceShares).toMatchObject([{ status: 'DELETED' }]);
  });

  it('is used by a group that targets it, and comes back with a warning', async () => {
    const warnings = await listenForEc2(callerOf(BORROWER), WARNING);
    const completed = await listenForEc2(callerOf(LENDER), RECLAIMED);
    const { splitId, partId } = await lendable(lender, await reserve(lender, 4), 2);
    await accept(await share(lender, partId, BORROWER));
    const pool = await reservationGroup(borrower, 'borrowed');
    await addToGroup(borrower, pool, partId);
    await targetingGroup(borrower, 'web', pool, { MinSize: 0, MaxSize: 3, DesiredCapacity: 3 });
    const before = await instancesOf(borrower, 'web');
    expect(before).toHaveLength(3);
    expect(await reservation(lender, partId)).toMatchObject({ AvailableInstanceCount: 0 });

    const recalled = await lender.ec2.send(
      new UpdateInterruptibleCapacityReservationAllocationCommand({
        CapacityReservationId: splitId,
        TargetInstanceCount: 0,
      }),
    );
    expect(recalled).toMatchObject({ Status: 'updating', InstanceCount: 2, TargetInstanceCount: 0 });
    // They run until the warning is over.
    expect(await instancesOf(borrower, 'web')).toEqual(before);
    await eventually(async () => ((await warnings()).length === 2 ? true : undefined), 'a warning for each instance');
    const detail = expect.objectContaining({ 'instance-action': 'terminate', azId: 'use1-az1' });
    expect(await warnings()).toContainEqual(expect.objectContaining({ account: BORROWER, detail }));
    await eventually(async () => {
      const { TotalInstanceCount, InterruptibleCapacityAllocation } = await reservation(lender, splitId);
      return TotalInstanceCount === 2 && InterruptibleCapacityAllocation?.Status === 'canceled' ? true : undefined;
    }, 'the capacity back in its source');
    expect(await reservation(lender, partId)).toMatchObject({ State: 'cancelled' });
    await eventually(async () => ((await completed()).length === 1 ? true : undefined), 'the end of the reclamation');
    const after = await instancesOf(borrower, 'web');
    expect(after).toHaveLength(3);
    expect(after.filter((id) => before.includes(id))).toHaveLength(1);
  });

  it('is targeted as the group says it is', async () => {
    expect(await groupNamed(borrower, 'web')).toMatchObject({
      MixedInstancesPolicy: {
        InstancesDistribution: {
          DistributionSegments: [{ TargetCapacityTypes: ['interruptible-capacity-reservation', 'on-demand'] }],
        },
      },
      CapacityReservationSpecification: {
        CapacityReservationTarget: {
          CapacityReservationResourceGroupArns: [expect.stringContaining('group/borrowed')],
        },
      },
    });
  });

  it('fails the launch of a group that may use nothing else', async () => {
    const pool = await reservationGroup(borrower, 'empty');
    await targetingGroup(borrower, 'strict', pool, { MinSize: 0, MaxSize: 2, DesiredCapacity: 1 }, [
      'interruptible-capacity-reservation',
    ]);
    expect((await groupNamed(borrower, 'strict')).Instances ?? []).toHaveLength(0);
  });
});

describe('policies', () => {
  const TAGGED = { StringEquals: { 'aws:ResourceTag/entangle:lending': 'enabled' } };

  it('reach reservations by their tags', async () => {
    const tagged = await reserve(lender, 3);
    const { DestinationCapacityReservation: untagged } = await split(tagged, 1);
    const Resource = `arn:aws:ec2:us-east-1:${LENDER}:capacity-reservation/*`;
    const Action = 'ec2:ModifyCapacityReservation';
    const user = await createUser(lender, 'hub', policyOf({ Effect: 'Allow', Action, Resource, Condition: TAGGED }));
    const { ec2, ram } = reservationClientsOf(emulator.endpoint, user);
    const change = (id: string | undefined) =>
      ec2.send(new ModifyCapacityReservationCommand({ CapacityReservationId: id, InstanceCount: 1 }));
    await expect(change(untagged?.CapacityReservationId)).rejects.toEqual(refusal('UnauthorizedOperation'));
    expect(await change(tagged)).toMatchObject({ Return: true });
    const shares = new GetResourceSharesCommand({ resourceOwner: 'SELF' });
    await expect(ram.send(shares)).rejects.toEqual(refusal('AccessDeniedException'));
  });

  it('reach shares by the tags that they are made with', async () => {
    const { partId } = await lendable(lender, await reserve(lender, 3), 1);
    const { CapacityReservationArn: arn = '' } = await reservation(lender, partId);
    const asked = { 'aws:RequestTag/entangle:lending': 'enabled' };
    const policy = policyOf(
      { Effect: 'Allow', Action: 'ram:CreateResourceShare', Resource: '*', Condition: { StringEquals: asked } },
      { Effect: 'Allow', Action: 'ram:DeleteResourceShare', Resource: '*', Condition: TAGGED },
    );
    const { ram } = reservationClientsOf(emulator.endpoint, await createUser(lender, 'sharer', policy));
    const create = (tags: { key: string; value: string }[]) =>
      ram.send(new CreateResourceShareCommand({ name: 'lent', resourceArns: [arn], tags }));
    await expect(create([])).rejects.toEqual(refusal('AccessDeniedException'));
    const { resourceShare } = await create([{ key: 'entangle:lending', value: 'enabled' }]);
    const foreign = await share(lender, partId, BORROWER);
    const remove = (resourceShareArn: string | undefined) =>
      ram.send(new DeleteResourceShareCommand({ resourceShareArn }));
    await expect(remove(foreign)).rejects.toEqual(refusal('AccessDeniedException'));
    expect(await remove(resourceShare?.resourceShareArn)).toMatchObject({ returnValue: true });
  });

  it('reach resource groups by their tags', async () => {
    const arn = await reservationGroup(borrower, 'tagged');
    const { Group: plain } = await borrower.resourceGroups.send(
      new CreateGroupCommand({ Name: 'plain', Configuration: [{ Type: 'AWS::EC2::CapacityReservationPool' }] }),
    );
    const Action = 'resource-groups:GroupResources';
    const policy = policyOf({ Effect: 'Allow', Action, Resource: '*', Condition: TAGGED });
    const { resourceGroups } = reservationClientsOf(emulator.endpoint, await createUser(borrower, 'grouper', policy));
    const id = await reserve(borrower, 1);
    const ResourceArns = [`arn:aws:ec2:us-east-1:${BORROWER}:capacity-reservation/${id}`];
    const add = (Group: string | undefined) => resourceGroups.send(new GroupResourcesCommand({ Group, ResourceArns }));
    expect(await add(arn)).toMatchObject({ Succeeded: ResourceArns });
    await expect(add(plain?.GroupArn)).rejects.toEqual(refusal('AccessDeniedException'));
  });
});
