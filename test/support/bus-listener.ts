/** Records what comes on the hub's bus: a rule starts a workflow that does nothing, with the event as its input. */
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { Fleet } from './deployment.ts';
import { clientOptions } from './deployment.ts';
import { HUB } from './lending-fleet.ts';

const NAME = 'listen-to-the-bus';

export interface BusEvent {
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

function trust(...services: readonly string[]): string {
  const Statement = [{ Effect: 'Allow', Principal: { Service: services }, Action: 'sts:AssumeRole' }];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

/** @returns what has come from a source since, in no order */
export async function listenToBus(fleet: Fleet, source: string): Promise<() => Promise<BusEvent[]>> {
  const options = clientOptions(fleet.deployed, HUB);
  const [iam, workflows, events] = [new IAMClient(options), new SFNClient(options), new EventBridgeClient(options)];
  const AssumeRolePolicyDocument = trust('states.amazonaws.com', 'events.amazonaws.com');
  const { Role: role } = await iam.send(new CreateRoleCommand({ RoleName: NAME, AssumeRolePolicyDocument }));
  const Statement = [{ Effect: 'Allow', Action: 'states:StartExecution', Resource: '*' }];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName: NAME, PolicyName: 'start', PolicyDocument }));
  const definition = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } });
  const { stateMachineArn } = await workflows.send(
    new CreateStateMachineCommand({ name: NAME, definition, roleArn: role?.Arn }),
  );
  const rule = { EventBusName: fleet.deployed.hub['EventBusName'] };
  await events.send(new PutRuleCommand({ ...rule, Name: NAME, EventPattern: JSON.stringify({ source: [source] }) }));
  const target = { Id: 'listener', Arn: stateMachineArn, RoleArn: role?.Arn };
  await events.send(new PutTargetsCommand({ ...rule, Rule: NAME, Targets: [target] }));
  return async () => {
    const { executions = [] } = await workflows.send(new ListExecutionsCommand({ stateMachineArn }));
    return Promise.all(
      executions.map(async ({ executionArn }) => {
        const { input } = await workflows.send(new DescribeExecutionCommand({ executionArn }));
        return JSON.parse(input ?? '{}') as BusEvent;
      }),
    );
  };
}
