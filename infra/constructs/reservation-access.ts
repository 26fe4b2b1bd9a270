import { Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { acknowledge } from '../acknowledge.ts';
import type { PoolConfig } from '../config-schema.ts';
import { LENDING_TAG } from '../names.ts';
import type { HubAccess } from './hub-access.ts';

type Reserving = Pick<PoolConfig, 'lendsAs' | 'launchesIntoReservations'>;

const TAGGED = { [`aws:ResourceTag/${LENDING_TAG.key}`]: LENDING_TAG.value };
const OPENED =
  'Ids of reservations and shares are known to AWS only; the condition on the tag limits it to those their owner opened.';

function statement(role: Role, actions: string[], resource: string, equals?: Readonly<Record<string, unknown>>): void {
  const conditions = equals === undefined ? {} : { conditions: { StringEquals: equals } };
  role.addToPolicy(new PolicyStatement({ actions, resources: [resource], ...conditions }));
}

function tagged(role: Role, actions: string[], resource: string): void {
  statement(role, actions, resource, TAGGED);
  acknowledge(role, `IAM5[Resource::${resource}]`, OPENED);
}

/**
 * A lender's: splitting, allocating, merging and cancelling reservations that are tagged, and sharing what came of it. A split keeps no
 * tag of its source, so the hub tags what it makes, at the moment that it makes it.
 */
function grantLending(adjust: Role): void {
  const { account, partition, region } = Stack.of(adjust);
  const reservations = `arn:${partition}:ec2:${region}:${account}:capacity-reservation/*`;
  const making = ['CreateCapacityReservationBySplitting', 'CreateInterruptibleCapacityReservationAllocation'];
  const changing = [
    'UpdateInterruptibleCapacityReservationAllocation',
    'MoveCapacityReservationInstances',
    'CancelCapacityReservation',
  ];
  tagged(
    adjust,
    [...making, ...changing].map((action) => `ec2:${action}`),
    reservations,
  );
  statement(adjust, ['ec2:CreateTags'], reservations, { 'ec2:CreateAction': making });
  statement(adjust, ['ram:GetResourceShares'], '*');
  statement(adjust, ['ram:CreateResourceShare', 'ram:TagResource'], '*', {
    [`aws:RequestTag/${LENDING_TAG.key}`]: LENDING_TAG.value,
  });
  tagged(adjust, ['ram:DeleteResourceShare'], `arn:${partition}:ram:${region}:${account}:resource-share/*`);
}

/** A borrower's: accepting what is shared with it, and putting it into, or taking it out of, tagged resource groups. */
function grantLaunching(adjust: Role): void {
  const { account, partition, region } = Stack.of(adjust);
  statement(adjust, ['ram:GetResourceShareInvitations'], '*');
  const invitations = `arn:${partition}:ram:${region}:*:resource-share-invitation/*`;
  statement(adjust, ['ram:AcceptResourceShareInvitation'], invitations);
  acknowledge(
    adjust,
    `IAM5[Resource::${invitations}]`,
    'An invitation carries the id of the account that sent it, and no tag; the hub accepts those of its own loans only.',
  );
  tagged(
    adjust,
    ['resource-groups:GroupResources', 'resource-groups:UngroupResources'],
    `arn:${partition}:resource-groups:${region}:${account}:group/*`,
  );
}

/** For looking at a loan while it lasts: whether it is shared still, and whether the group launches into it. */
function grantLooking(observe: Role, lends: boolean, launches: boolean): void {
  const { account, partition, region } = Stack.of(observe);
  if (lends) {
    const actions = ['ec2:DescribeCapacityReservations', 'ram:GetResourceShares', 'ram:GetResourceShareAssociations'];
    statement(observe, actions, '*');
  }
  if (!launches) return;
  const groups = `arn:${partition}:resource-groups:${region}:${account}:group/*`;
  statement(observe, ['resource-groups:ListGroupResources'], groups);
  acknowledge(
    observe,
    `IAM5[Resource::${groups}]`,
    'Reads only; a group whose tag was taken off has to be told from others.',
  );
}

/** What loans of reserved capacity need in an account, and nothing where no pool takes part in them. */
export function grantReservations({ observe, adjust }: HubAccess, pools: readonly Reserving[]): void {
  const lends = pools.some(({ lendsAs }) => lendsAs === 'physical');
  const launches = pools.some(({ launchesIntoReservations }) => launchesIntoReservations === true);
  grantLooking(observe, lends, launches);
  if (lends) grantLending(adjust);
  if (launches) grantLaunching(adjust);
  if (lends || launches) statement(adjust, ['ec2:DescribeCapacityReservations'], '*');
}
