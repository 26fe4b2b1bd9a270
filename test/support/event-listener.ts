/** Records events: a rule starts a workflow that does nothing, with the event as its input. */
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';

/** Where and as whom a client acts. */
export interface CallerOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** What is recorded, and by things of what name. */
export interface Listening {
  /** Of the rule, the workflow and its role. */
  readonly name: string;
  readonly pattern: object;
  /** Absent: the account's default bus. */
  readonly busName?: string | undefined;
}

function policyOf(statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
}

/** @returns the events that have come since, in no order */
export async function listenFor<Event extends object>(
  options: CallerOptions,
  { name, pattern, busName }: Listening,
): Promise<() => Promise<Event[]>> {
  const [iam, workflows, events] = [new IAMClient(options), new SFNClient(options), new EventBridgeClient(options)];
  const { Role: role } = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: policyOf({
        Principal: { Service: ['states.amazonaws.com', 'events.amazonaws.com'] },
        Action: 'sts:AssumeRole',
      }),
    }),
  );
  const PolicyDocument = policyOf({ Action: 'states:StartExecution', Resource: '*' });
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'start', PolicyDocument }));
  const definition = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } });
  const { stateMachineArn } = await workflows.send(
    new CreateStateMachineCommand({ name, definition, roleArn: role?.Arn }),
  );
  const bus = busName === undefined ? {} : { EventBusName: busName };
  await events.send(new PutRuleCommand({ ...bus, Name: name, EventPattern: JSON.stringify(pattern) }));
  const target = { Id: 'listener', Arn: stateMachineArn, RoleArn: role?.Arn };
  await events.send(new PutTargetsCommand({ ...bus, Rule: name, Targets: [target] }));
  return async () => {
    const { executions = [] } = await workflows.send(new ListExecutionsCommand({ stateMachineArn }));
    return Promise.all(
      executions.map(async ({ executionArn }) => {
        const { input } = await workflows.send(new DescribeExecutionCommand({ executionArn }));
        return JSON.parse(input ?? '{}') as Event;
      }),
    );
  };
}
