/** The calls of EC2, RAM and Resource Groups that functions make in linked accounts. */
import type { AwsCall } from '../lambda.ts';
import type { World } from '../world.ts';
import type { LinkedAccess } from './linked-access.ts';

type Handle = (input: Readonly<Record<string, unknown>>, call: AwsCall) => unknown;
/** A call of EC2 that changes reservations of an account. */
type Change = (accountId: string, input: never) => object;

interface Shown {
  readonly State: string;
  readonly Interruptible: boolean;
  readonly TotalInstanceCount: number;
  readonly AvailableInstanceCount: number;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
}

/** Remembers how many instances a run has seen in what a loan lends. */
function noteUse(found: readonly Shown[], { invocation }: AwsCall): void {
  for (const { State, Interruptible, TotalInstanceCount, AvailableInstanceCount, Tags = [] } of found) {
    const loanId = Tags.find(({ Key }) => Key === 'entangle:loan')?.Value;
    if (loanId === undefined || !Interruptible || State !== 'active') continue;
    invocation.seenInUse.set(loanId, TotalInstanceCount - AvailableInstanceCount);
  }
}

function ec2Calls(world: World, access: LinkedAccess): Record<string, Handle> {
  const { reservations, shares } = world;
  const changing = (change: Change): Handle => {
    return (input, call) => {
      const { accountId } = access.place(call, true);
      world.checks.reservations.onCall(call.invocation, accountId, call.command);
      const answer = change(accountId, input as never);
      world.checks.reservations.onChanged(accountId, call.command);
      return answer;
    };
  };
  return {
    DescribeCapacityReservationsCommand: (input, call) => {
      const { accountId, region } = access.place(call, false);
      const isShared = (arn: string): boolean => shares.isSharedWith(accountId, arn);
      const CapacityReservations = reservations.describe(accountId, region, input, isShared);
      noteUse(CapacityReservations as Shown[], call);
      return { CapacityReservations };
    },
    CreateCapacityReservationBySplittingCommand: changing((account, input) => reservations.split(account, input)),
    CreateInterruptibleCapacityReservationAllocationCommand: changing((account, input) =>
      reservations.allocate(account, input),
    ),
    UpdateInterruptibleCapacityReservationAllocationCommand: changing((account, input) =>
      reservations.reallocate(account, input),
    ),
    MoveCapacityReservationInstancesCommand: changing((account, input) => reservations.move(account, input)),
    CancelCapacityReservationCommand: changing(
      (account, { CapacityReservationId }: { CapacityReservationId: string }) =>
        reservations.cancel(account, CapacityReservationId),
    ),
  };
}

function shareCalls(world: World, access: LinkedAccess): Record<string, Handle> {
  const { shares } = world;
  return {
    CreateResourceShareCommand: (input, call) => {
      const { accountId } = access.place(call, true);
      world.checks.reservations.onShare(call.invocation, accountId, input as never);
      return shares.create(accountId, input as never);
    },
    DeleteResourceShareCommand: ({ resourceShareArn }, call) =>
      shares.remove(access.place(call, true).accountId, String(resourceShareArn)),
    GetResourceSharesCommand: (input, call) => shares.list(access.place(call, false).accountId, input),
    GetResourceShareAssociationsCommand: (input, call) => {
      access.place(call, false);
      return shares.associations(input as never);
    },
    GetResourceShareInvitationsCommand: ({ resourceShareArns }, call) =>
      shares.invitations(access.place(call, false).accountId, resourceShareArns as string[]),
    AcceptResourceShareInvitationCommand: ({ resourceShareInvitationArn }, call) =>
      shares.accept(access.place(call, true).accountId, String(resourceShareInvitationArn)),
  };
}

/** All of them, by the names of their commands. */
export function reservationCalls(world: World, access: LinkedAccess): Record<string, Handle> {
  const { shares } = world;
  return {
    ...ec2Calls(world, access),
    ...shareCalls(world, access),
    GroupResourcesCommand: ({ Group, ResourceArns }, call) =>
      shares.group(access.place(call, true).accountId, String(Group), ResourceArns as string[]),
    ListGroupResourcesCommand: ({ Group }, call) =>
      shares.listMembers(access.place(call, false).accountId, String(Group)),
    UngroupResourcesCommand: ({ Group, ResourceArns }, call) =>
      shares.ungroup(access.place(call, true).accountId, String(Group), ResourceArns as string[]),
  };
}
