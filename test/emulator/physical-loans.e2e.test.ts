import { AutoScalingClient, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import {
  CreateCapacityReservationCommand,
  DeleteTagsCommand,
  DescribeCapacityReservationsCommand,
  EC2Client,
  ModifyCapacityReservationCommand,
  MoveCapacityReservationInstancesCommand,
  UpdateInterruptibleCapacityReservationAllocationCommand,
} from '@aws-sdk/client-ec2';
import {
  DeleteResourceShareCommand,
  DisassociateResourceShareCommand,
  GetResourceSharesCommand,
  RAMClient,
} from '@aws-sdk/client-ram';
import { CreateGroupCommand, ListGroupResourcesCommand, ResourceGroupsClient } from '@aws-sdk/client-resource-groups';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { Fault } from '../../emulator/control.ts';
import { listenForEc2 } from '../support/account-listener.ts';
import { capacityContract, UNDONE_SECONDS, undone } from '../support/capacity-contract.ts';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import { BORROWER, FLEET, idOf, LENDER, REGION } from '../support/lending-fleet.ts';
import { booksOf, borrow, calm, calmFleet, ended, giveBack, trailOf } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.reserved;
const both = [lender, borrower];
/** The fleet may have been left standing by a run before. */
const RESOURCE_GROUP = `borrowed-reservations-${Date.now()}`;

const lenderEc2 = new EC2Client(clientOptions(fleet.deployed, LENDER));
const borrowerEc2 = new EC2Client(clientOptions(fleet.deployed, BORROWER));
const ram = new RAMClient(clientOptions(fleet.deployed, LENDER));
const resourceGroups = new ResourceGroupsClient(clientOptions(fleet.deployed, BORROWER));
const autoScaling = new AutoScalingClient(clientOptions(fleet.deployed, BORROWER));

/** How the borrower's owner prepares the group once: into lent reservations first, On-Demand where there are none. */
async function prepareBorrower(resourceGroupArn: string): Promise<void> {
  await autoScaling.send(
    new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: borrower.groupName,
      MixedInstancesPolicy: {
        LaunchTemplate: {
          LaunchTemplateSpecification: { LaunchTemplateName: `${borrower.groupName}-sample`, Version: '$Latest' },
        },
        InstancesDistribution: {
          DistributionSegments: [{ TargetCapacityTypes: ['interruptible-capacity-reservation', 'on-demand'] }],
        },
      },
      CapacityReservationSpecification: {
        CapacityReservationPreference: 'capacity-reservations-first',
        CapacityReservationTarget: { CapacityReservationResourceGroupArns: [resourceGroupArn] },
      },
    }),
  );
}

let target = '';

async function reserveEight(): Promise<void> {
  const Tags = [{ Key: 'entangle:lending', Value: 'enabled' }];
  await lenderEc2.send(
    new CreateCapacityReservationCommand({
      InstanceType: lender.instanceType,
      InstancePlatform: 'Linux/UNIX',
      AvailabilityZone: `${REGION}a`,
      InstanceCount: 8,
      InstanceMatchCriteria: 'targeted',
      TagSpecifications: [{ ResourceType: 'capacity-reservation', Tags }],
    }),
  );
}

/** Total and unused instances of each active reservation of the lender. */
async function reservedNow() {
  const { CapacityReservations = [] } = await lenderEc2.send(new DescribeCapacityReservationsCommand({}));
  return CapacityReservations.filter(({ State }) => State === 'active').map(
    ({ TotalInstanceCount, AvailableInstanceCount }) => [TotalInstanceCount, AvailableInstanceCount],
  );
}

beforeAll(async () => {
  await calmFleet(fleet);
  await fleet.control.setReservations({ settleSeconds: 0.2, warningSeconds: 1 });
  if ((await reservedNow()).length === 0) await reserveEight();
  const { Group } = await resourceGroups.send(
    new CreateGroupCommand({
      Name: RESOURCE_GROUP,
      Configuration: [{ Type: 'AWS::EC2::CapacityReservationPool' }],
      Tags: { 'entangle:lending': 'enabled' },
    }),
  );
  target = Group?.GroupArn ?? '';
  await prepareBorrower(target);
});
beforeEach(() => calm(fleet, borrower));
afterEach(async () => {
  await fleet.control.clearFaults();
  await fleet.control.setInstances({ groupName: borrower.groupName, failLaunches: 0 });
});

/** Reservations and shares of the lender that still hold anything, and what the borrower's group is pointed at. */
async function capacityOf() {
  const { resourceShares } = await ram.send(new GetResourceSharesCommand({ resourceOwner: 'SELF' }));
  const { ResourceIdentifiers } = await resourceGroups.send(new ListGroupResourcesCommand({ Group: target }));
  return {
    reserved: await reservedNow(),
    shares: (resourceShares ?? []).filter(({ status }) => status === 'ACTIVE').length,
    targeted: (ResourceIdentifiers ?? []).length,
  };
}
const WHOLE = { reserved: [[8, 8]], shares: 0, targeted: 0 };

const lostAnswer = (service: string, action: string, times = 1): Fault => {
  return { service, action, errorCode: 'AnswerLost', when: 'after', times };
};

capacityContract('nominal', fleet, FLEET.steps, async () => undefined);
capacityContract('physical', fleet, FLEET.reserved, capacityOf);

describe('an alarm borrows reserved capacity, and it comes back', () => {
  it('with instances of the borrower in a reservation of the lender', async () => {
    const warnings = await listenForEc2(
      clientOptions(fleet.deployed, BORROWER),
      'EC2 Capacity Reservation Instance Interruption Warning',
    );
    const before = await booksOf(fleet, both);
    expect(await capacityOf()).toEqual(WHOLE);
    const loan = await borrow(fleet, borrower);
    expect(loan).toMatchObject({ kind: 'physical', units: 2, lenderPoolId: idOf(lender) });
    const reservationId = loan.lentReservation?.reservationId ?? '';
    const { CapacityReservations: seen } = await borrowerEc2.send(
      new DescribeCapacityReservationsCommand({ CapacityReservationIds: [reservationId] }),
    );
    expect(seen).toMatchObject([
      { OwnerId: LENDER, Interruptible: true, TotalInstanceCount: 2, AvailableInstanceCount: 0 },
    ]);
    // The split part is empty: all of it is in the interruptible one.
    expect(await capacityOf()).toEqual({
      reserved: [
        [6, 6],
        [0, 0],
        [2, 0],
      ],
      shares: 1,
      targeted: 1,
    });
    expect(await fleet.group(idOf(lender))).toMatchObject({ maxSize: 6 });
    expect(await fleet.group(idOf(borrower))).toMatchObject({ maxSize: 6, instances: 6 });
    expect(loan).not.toHaveProperty('lenderReservations');
    const { loans } = await fleet.api<{ loans: LoanView[] }>(LENDER, 'GET', '/loans');
    expect(loans.find(({ loanId }) => loanId === loan.loanId)).toHaveProperty('lenderReservations');

    const end = await giveBack(fleet, loan);
    expect(end.state).toBe('returned');
    // The group's own termination policy ends its oldest instances first, so AWS ends those in the reservation.
    expect(await warnings()).toHaveLength(2);
    expect(await fleet.group(idOf(borrower))).toMatchObject({ desiredCapacity: 4, instances: 4 });
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(await capacityOf()).toEqual(WHOLE);
    expect(await trailOf(fleet, end)).toEqual(end.history.map(({ state }) => `loan.${state}`));
  });

  it.each<[string, string]>([
    ['ec2', 'CreateCapacityReservationBySplitting'],
    ['ec2', 'CreateInterruptibleCapacityReservationAllocation'],
    ['ram', 'CreateResourceShare'],
    ['ram', 'AcceptResourceShareInvitation'],
    ['resource-groups', 'GroupResources'],
    ['resource-groups', 'UngroupResources'],
    ['ec2', 'UpdateInterruptibleCapacityReservationAllocation'],
    ['ram', 'DeleteResourceShare'],
    ['ec2', 'MoveCapacityReservationInstances'],
  ])('once, when the answer of %s:%s is lost', async (service, action) => {
    const before = await booksOf(fleet, both);
    await fleet.control.addFault(lostAnswer(service, action));
    const loan = await borrow(fleet, borrower);
    expect(loan.kind).toBe('physical');
    expect((await giveBack(fleet, loan)).state).toBe('returned');
    expect(await capacityOf()).toEqual(WHOLE);
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(
      (await fleet.control.calls()).some(({ fault, action: called }) => fault === 'AnswerLost' && called === action),
    ).toBe(true);
  });
});

describe('a loan of reserved capacity that cannot be made leaves everything as before', () => {
  it('because AWS has no capacity to split', async () => {
    const before = await booksOf(fleet, both);
    const errorCode = 'InsufficientInstanceCapacity';
    await fleet.control.addFault({
      service: 'ec2',
      action: 'CreateCapacityReservationBySplitting',
      errorCode,
      times: 5,
    });
    const loan = await undone(fleet, borrower);
    expect(loan).toMatchObject({ state: 'failed', endDetail: expect.stringContaining(errorCode) });
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(await capacityOf()).toEqual(WHOLE);
  });

  it(
    "because the borrower's group can launch nothing",
    async () => {
      const before = await booksOf(fleet, both);
      await fleet.control.setInstances({ groupName: borrower.groupName, failLaunches: 1_000 });
      const loan = await undone(fleet, borrower);
      expect(loan).toMatchObject({ state: 'compensated', endDetail: expect.stringContaining('InstancesPending') });
      expect(await booksOf(fleet, both)).toEqual(before);
      await until('the capacity is whole again', async () =>
        (await capacityOf()).reserved.length === 1 ? true : undefined,
      );
      expect(await capacityOf()).toEqual(WHOLE);
    },
    UNDONE_SECONDS * 1_000,
  );

  it("because the borrower's group does not launch into reservations", async () => {
    const before = await booksOf(fleet, both);
    await autoScaling.send(
      new UpdateAutoScalingGroupCommand({
        AutoScalingGroupName: borrower.groupName,
        CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
      }),
    );
    const loan = await undone(fleet, borrower);
    expect(loan).toMatchObject({ state: 'compensated', endDetail: expect.stringContaining('CannotBorrow') });
    expect(loan.reasons.some((text) => text.includes('it targets no resource group'))).toBe(true);
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(await capacityOf()).toEqual(WHOLE);
    await prepareBorrower(target);
  });
});

/** More than the own 4 instances serve at 50 %, and less than the threshold on 6: the loan is needed. */
const stillNeeded = () => fleet.publish(idOf(borrower), 'cpu', 60);

/** The ids of what the loan's owner may change behind the hub's back, as the owner sees the loan. */
async function lentIn(loan: LoanView) {
  const { loan: seen } = await fleet.api<{ loan: LoanView }>(LENDER, 'GET', `/loans/${loan.loanId}`);
  if (seen.lentReservation === undefined || seen.lenderReservations === undefined) throw new Error('nothing is lent');
  return { ...seen.lentReservation, ...seen.lenderReservations };
}
type Lent = Awaited<ReturnType<typeof lentIn>>;

const INTERFERENCES: [string, RegExp, (lent: Lent) => Promise<unknown>][] = [
  [
    'the share is deleted',
    /is shared with its borrower no longer/,
    ({ shareArn }) => ram.send(new DeleteResourceShareCommand({ resourceShareArn: shareArn })),
  ],
  [
    "the borrower's account is taken out of the share",
    /is shared with its borrower no longer/,
    ({ shareArn }) =>
      ram.send(new DisassociateResourceShareCommand({ resourceShareArn: shareArn, principals: [BORROWER] })),
  ],
  [
    'the reservation is taken out of the share',
    /is shared with its borrower no longer/,
    ({ shareArn, reservationArn }) =>
      ram.send(new DisassociateResourceShareCommand({ resourceShareArn: shareArn, resourceArns: [reservationArn] })),
  ],
  [
    'the lender asks a part of the allocation back itself',
    /was asked back by somebody else/,
    ({ splitReservationId }) =>
      lenderEc2.send(
        new UpdateInterruptibleCapacityReservationAllocationCommand({
          CapacityReservationId: splitReservationId,
          TargetInstanceCount: 1,
        }),
      ),
  ],
];

describe('what somebody else does to reserved capacity during a loan', () => {
  it.each(INTERFERENCES)('ends it in order when %s, and makes nothing again', async (_what, reason, interfere) => {
    const before = await booksOf(fleet, both);
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 0 });
    await interfere(await lentIn(loan));
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 1 });
    const end = await ended(fleet, BORROWER, loan.loanId);
    expect(end).toMatchObject({
      state: 'returned',
      recall: { by: 'foreign-change', reason: expect.stringMatching(reason) },
    });
    expect((await trailOf(fleet, end)).filter((type) => type === 'loan.recalled')).toHaveLength(1);
    expect(await capacityOf()).toEqual(WHOLE);
    expect(await booksOf(fleet, both)).toEqual(before);
  });

  it("ends it when the borrower's group launches into something else, which is left alone", async () => {
    const { Group } = await resourceGroups.send(
      new CreateGroupCommand({
        Name: `${RESOURCE_GROUP}-other`,
        Configuration: [{ Type: 'AWS::EC2::CapacityReservationPool' }],
        Tags: { 'entangle:lending': 'enabled' },
      }),
    );
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    await prepareBorrower(Group?.GroupArn ?? '');
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 1 });
    expect(await ended(fleet, BORROWER, loan.loanId)).toMatchObject({
      state: 'returned',
      recall: { by: 'foreign-change', reason: expect.stringMatching(/launches no longer into the reserved capacity/) },
    });
    // Out of the group that it was put into, though that one is the target no longer.
    expect(await capacityOf()).toEqual(WHOLE);
    await prepareBorrower(target);
  });

  it('is told once and goes on when the source is resized, and what comes back is merged all the same', async () => {
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    const { sourceReservationId } = await lentIn(loan);
    const resize = (InstanceCount: number) =>
      lenderEc2.send(
        new ModifyCapacityReservationCommand({ CapacityReservationId: sourceReservationId, InstanceCount }),
      );
    await resize(9);
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 1 });
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 0 });
    const reason = `the reservation that ${idOf(lender)} lends from was resized by somebody else: the loan goes on`;
    for (const loans of await Promise.all([fleet.loansOf(BORROWER), fleet.loansOf(LENDER)])) {
      const seen = loans.find(({ loanId }) => loanId === loan.loanId);
      expect(seen).toMatchObject({ state: 'active' });
      expect(seen?.reasons).toContain(reason);
    }
    const end = await giveBack(fleet, loan);
    expect((await trailOf(fleet, end)).filter((type) => type === 'loan.repaired')).toHaveLength(1);
    expect(await reservedNow()).toEqual([[11, 11]]);
    await resize(8);
  });

  it('leaves a reservation as it is found once its owner has taken the tag off', async () => {
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    const { splitReservationId, sourceReservationId } = await lentIn(loan);
    const tags = { Resources: [splitReservationId], Tags: [{ Key: 'entangle:lending', Value: 'enabled' }] };
    await lenderEc2.send(new DeleteTagsCommand(tags));
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 1 });
    expect(await ended(fleet, BORROWER, loan.loanId)).toMatchObject({ state: 'returned' });
    expect(await capacityOf()).toMatchObject({ shares: 0, targeted: 0 });
    expect(await reservedNow()).toHaveLength(3);
    // Its owner asks it back and merges it by hand.
    await lenderEc2.send(
      new UpdateInterruptibleCapacityReservationAllocationCommand({
        CapacityReservationId: splitReservationId,
        TargetInstanceCount: 0,
      }),
    );
    await until('the part is empty', async () => ((await reservedNow()).length === 2 ? true : undefined));
    await lenderEc2.send(
      new MoveCapacityReservationInstancesCommand({
        SourceCapacityReservationId: splitReservationId,
        DestinationCapacityReservationId: sourceReservationId,
        InstanceCount: loan.units,
      }),
    );
    expect(await capacityOf()).toEqual(WHOLE);
  });
});
