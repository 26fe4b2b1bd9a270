import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { STSClient } from '@aws-sdk/client-sts';
import { zipOf } from './zip.ts';

export const region = 'us-east-1';
export const hubAccount = '111111111111';
export const lenderAccount = '222222222222';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Clients of one account's root user, or of the given credentials. */
export function clientsOf(endpoint: string, caller: string | Credentials) {
  const credentials = typeof caller === 'string' ? { accessKeyId: caller, secretAccessKey: 'test' } : caller;
  const common = { endpoint, region, credentials, maxAttempts: 1 };
  return {
    autoScaling: new AutoScalingClient(common),
    cloudFormation: new CloudFormationClient(common),
    cloudWatch: new CloudWatchClient(common),
    dynamo: new DynamoDBClient(common),
    events: new EventBridgeClient(common),
    iam: new IAMClient(common),
    lambda: new LambdaClient(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    scheduler: new SchedulerClient(common),
    sfn: new SFNClient(common),
    sts: new STSClient(common),
  };
}

export type Clients = ReturnType<typeof clientsOf>;

/** Asks again until the answer is there; fails with the last answer when it never is. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, seconds = 40): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never happened within ${seconds} seconds: ${what}`);
}

export function policyOf(...statements: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** A role that the service may assume, with one inline policy. */
export async function createRole(clients: Clients, name: string, service: string, policy: string): Promise<string> {
  const trust = policyOf({ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' });
  const created = await clients.iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust }));
  await clients.iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'own', PolicyDocument: policy }));
  return created.Role?.Arn ?? '';
}

export const everything = policyOf({ Effect: 'Allow', Action: '*', Resource: '*' });

/** A Node 24 ESM function whose source is `code`, which exports `handler`. */
export async function createFunction(clients: Clients, name: string, role: string, code: string): Promise<string> {
  const created = await clients.lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: zipOf({ 'index.mjs': code }) },
    }),
  );
  return created.FunctionArn ?? '';
}

export async function createMachine(clients: Clients, name: string, role: string, definition: object): Promise<string> {
  const created = await clients.sfn.send(
    new CreateStateMachineCommand({ name, roleArn: role, definition: JSON.stringify(definition) }),
  );
  return created.stateMachineArn ?? '';
}

/** Waits for the end of an execution. */
export function endOf(clients: Clients, executionArn: string) {
  return eventually(async () => {
    const execution = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === 'RUNNING' ? undefined : execution;
  }, `the end of ${executionArn}`);
}

/** Creates a stack and waits; fails with CloudFormation's reason. Returns its outputs. */
export async function deploy(clients: Clients, stack: string, template: object): Promise<Record<string, string>> {
  await clients.cloudFormation.send(
    new CreateStackCommand({
      StackName: stack,
      TemplateBody: JSON.stringify(template),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  const described = await eventually(async () => {
    const { Stacks } = await clients.cloudFormation.send(new DescribeStacksCommand({ StackName: stack }));
    const status = Stacks?.[0]?.StackStatus ?? '';
    return status.endsWith('_IN_PROGRESS') ? undefined : Stacks?.[0];
  }, `the end of the deployment of ${stack}`);
  if (described.StackStatus !== 'CREATE_COMPLETE') {
    throw new Error(`${stack}: ${described.StackStatus} ${described.StackStatusReason ?? ''}`);
  }
  return Object.fromEntries((described.Outputs ?? []).map((one) => [one.OutputKey ?? '', one.OutputValue ?? '']));
}

/** A user with one inline policy and an access key. */
export async function createUser(owner: Clients, name: string, policy: string): Promise<Credentials> {
  await owner.iam.send(new CreateUserCommand({ UserName: name }));
  await owner.iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'own', PolicyDocument: policy }));
  const { AccessKey } = await owner.iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

const flakyCode = `
class LenderGone extends Error { constructor(message) { super(message); this.name = 'LenderGone'; } }
export const handler = async (event) => {
  if (event.fail) throw new LenderGone('the lender has ' + event.fail);
  return { doubled: event.n * 2 };
};`;

/** A function `flaky` that doubles `n`, or throws a `LenderGone` when told to `fail`. */
export function createFlaky(clients: Clients, role: string): Promise<string> {
  return createFunction(clients, 'flaky', role, flakyCode);
}

/** A JSONata task that invokes the function with the payload. */
export const callOf = (functionArn: string, payload: object) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: functionArn, Payload: payload },
});

/** Runs a new JSONata state machine of these states (the first one starts) to its end. */
export async function runMachine(clients: Clients, role: string, name: string, states: object, input: object = {}) {
  const [startAt] = Object.keys(states);
  const definition = { QueryLanguage: 'JSONata', StartAt: startAt, States: states };
  const stateMachineArn = await createMachine(clients, name, role, definition);
  const { executionArn } = await clients.sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  return endOf(clients, executionArn ?? '');
}
