import { Stack } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { HubConfig } from '../config-schema.ts';
import { LINKED_ROLE_USERS } from '../linked-role-users.ts';
import type { LinkedRoleKind } from '../names.ts';
import { functionRoleName, LENDING_TAG, linkedRoleName } from '../names.ts';

/** The two roles with which the hub looks at, and changes the size of, groups of this account and region. */
export class HubAccess extends Construct {
  readonly observe: Role;
  readonly adjust: Role;
  readonly #hub: HubConfig;

  constructor(scope: Construct, id: string, hub: HubConfig) {
    super(scope, id);
    this.#hub = hub;
    this.observe = this.#role('Observe', 'Entangle hub: reads groups, their alarms and their metrics');
    this.adjust = this.#role('Adjust', `Entangle hub: resizes groups tagged ${LENDING_TAG.key}=${LENDING_TAG.value}`);
    this.#grantObserve(this.observe);
    this.#grantAdjust(this.adjust);
  }

  /**
   * The hub's account is the principal, narrowed to its functions' roles by name: naming the roles as principals would
   * need them to exist first, and a role that is deleted and made again would no longer be the one that is trusted.
   */
  #role(kind: LinkedRoleKind, description: string): Role {
    const { accountId, externalId, region } = this.#hub;
    const { partition } = Stack.of(this);
    const functionRoles = LINKED_ROLE_USERS[kind].map(
      (name) => `arn:${partition}:iam::${accountId}:role/${functionRoleName(name, region)}`,
    );
    return new Role(this, kind, {
      roleName: linkedRoleName(kind, accountId, Stack.of(this).region),
      description,
      assumedBy: new AccountPrincipal(accountId).withConditions({
        ArnEquals: { 'aws:PrincipalArn': functionRoles },
        StringEquals: { 'sts:ExternalId': externalId },
      }),
    });
  }

  #grantObserve(role: Role): void {
    const actions = [
      'autoscaling:DescribeAutoScalingGroups',
      'autoscaling:DescribePolicies',
      'autoscaling:DescribeScalingActivities',
      'cloudwatch:DescribeAlarms',
      'cloudwatch:GetMetricData',
    ];
    role.addToPolicy(new PolicyStatement({ actions, resources: ['*'] }));
    this.#acknowledgeReadingAll(role);
  }

  #grantAdjust(role: Role): void {
    const { account, partition, region } = Stack.of(this);
    const groups = `arn:${partition}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/*`;
    role.addToPolicy(
      new PolicyStatement({
        // The last two override what keeps the borrower's instances, once the notice of a recall is over.
        actions: [
          'autoscaling:UpdateAutoScalingGroup',
          'autoscaling:SetInstanceProtection',
          'autoscaling:CompleteLifecycleAction',
        ],
        resources: [groups],
        conditions: { StringEquals: { [`aws:ResourceTag/${LENDING_TAG.key}`]: LENDING_TAG.value } },
      }),
    );
    const describe = ['autoscaling:DescribeAutoScalingGroups', 'autoscaling:DescribeLifecycleHooks'];
    role.addToPolicy(new PolicyStatement({ actions: describe, resources: ['*'] }));
    this.#acknowledgeReadingAll(role);
    acknowledge(
      role,
      `IAM5[Resource::${groups}]`,
      'The ARN of a group holds an id that only AWS knows; the condition on the tag limits it to groups their owner opened.',
    );
  }

  #acknowledgeReadingAll(role: Role): void {
    const reason =
      'Auto Scaling and CloudWatch have no resource-level permissions for reading groups, alarms and metrics.';
    acknowledge(role, 'IAM5[Resource::*]', reason);
  }
}
