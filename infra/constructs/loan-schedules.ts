import { Stack } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import { SCHEDULE_GROUP_NAME } from '../names.ts';
import type { DataKey } from './data-key.ts';
import { stateMachineArn } from './workflows.ts';

/** Where the end of each loan's term is scheduled, one schedule a loan, and the role with which it starts the return. */
export class LoanSchedules extends Construct {
  readonly group: CfnScheduleGroup;
  readonly role: Role;

  constructor(scope: Construct, id: string, dataKey: DataKey) {
    super(scope, id);
    this.group = new CfnScheduleGroup(this, 'Group', { name: SCHEDULE_GROUP_NAME });
    this.role = schedulerRole(this, 'Role', 'Entangle: starts the return of a loan at the end of its term');
    const resources = [stateMachineArn(this, 'return')];
    this.role.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources }));
    dataKey.grantUseThroughWorkflows(this.role);
  }

  /** Scheduling the end of a loan, with the role above and no other. */
  grantSchedule(grantee: IGrantable): void {
    this.#grantOnSchedules(grantee, ['scheduler:CreateSchedule', 'scheduler:GetSchedule']);
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [this.role.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      }),
    );
  }

  /** Removing the schedule of a loan that ended before its term. */
  grantUnschedule(grantee: IGrantable): void {
    this.#grantOnSchedules(grantee, ['scheduler:DeleteSchedule']);
  }

  #grantOnSchedules(grantee: IGrantable, actions: string[]): void {
    const { account, partition, region } = Stack.of(this);
    const resource = `arn:${partition}:scheduler:${region}:${account}:schedule/${SCHEDULE_GROUP_NAME}/*`;
    grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [resource] }));
    acknowledge(
      Stack.of(this),
      `IAM5[Resource::${resource}]`,
      'One schedule a loan, named by the loan, in a group that holds nothing else.',
    );
  }
}

/** A role that EventBridge Scheduler takes on for schedules of this account only. */
export function schedulerRole(scope: Construct, id: string, description: string): Role {
  const { account } = Stack.of(scope);
  const conditions = { StringEquals: { 'aws:SourceAccount': account } };
  return new Role(scope, id, {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', { conditions }),
    description,
  });
}
