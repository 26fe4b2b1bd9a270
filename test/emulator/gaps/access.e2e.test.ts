import {
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  CreateOrUpdateTagsCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { AddPermissionCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { signedGet } from './sigv4.ts';
import {
  type Clients,
  type Credentials,
  clientsOf,
  createFunction,
  createMachine,
  createRole,
  deploy,
  endOf,
  eventually,
  everything,
  hubAccount,
  lenderAccount,
  policyOf,
  region,
} from './support.ts';

let emulator: Emulator;
let hub: Clients;
let lender: Clients;

beforeAll(async () => {
  emulator = await startEmulator({ auth: true });
  hub = clientsOf(emulator.endpoint, hubAccount);
  lender = clientsOf(emulator.endpoint, lenderAccount);
});

afterAll(() => emulator?.stop());

async function createUser(owner: Clients, name: string, policy: string): Promise<Credentials> {
  await owner.iam.send(new CreateUserCommand({ UserName: name }));
  await owner.iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'own', PolicyDocument: policy }));
  const { AccessKey } = await owner.iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

describe('tags of Auto Scaling groups', () => {
  const group = (AutoScalingGroupName: string) =>
    new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MaxSize: 3 });

  beforeAll(async () => {
    await lender.autoScaling.send(new CreateLaunchConfigurationCommand({ LaunchConfigurationName: 'plain' }));
    for (const name of ['lent', 'private']) {
      await lender.autoScaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: name,
          LaunchConfigurationName: 'plain',
          MinSize: 0,
          MaxSize: 2,
          Tags: name === 'lent' ? [{ Key: 'entangle:lending', Value: 'enabled' }] : [],
        }),
      );
    }
  });

  it.each(['aws:ResourceTag', 'autoscaling:ResourceTag'])('decide under a condition on %s', async (key) => {
    const caller = await createUser(
      lender,
      `conditioned-${key.split(':')[0]}`,
      policyOf({
        Effect: 'Allow',
        Action: 'autoscaling:UpdateAutoScalingGroup',
        Resource: `arn:aws:autoscaling:*:${lenderAccount}:autoScalingGroup:*:autoScalingGroupName/*`,
        Condition: { StringEquals: { [`${key}/entangle:lending`]: 'enabled' } },
      }),
    );
    const own = clientsOf(emulator.endpoint, caller);
    await own.autoScaling.send(group('lent'));
    await expect(own.autoScaling.send(group('private'))).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(own.autoScaling.send(group('absent'))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('cannot be given by who may only use a tagged group', async () => {
    const caller = await createUser(
      lender,
      'tagger',
      policyOf({
        Effect: 'Allow',
        Action: 'autoscaling:*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:ResourceTag/entangle:lending': 'enabled' } },
      }),
    );
    const tag = {
      ResourceId: 'private',
      ResourceType: 'auto-scaling-group',
      Key: 'entangle:lending',
      Value: 'enabled',
    };
    const own = clientsOf(emulator.endpoint, caller);
    await expect(own.autoScaling.send(new CreateOrUpdateTagsCommand({ Tags: [tag] }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

describe('TLS-only policies', () => {
  it('let a caller on loopback in, and still refuse what else they refuse', async () => {
    await hub.s3.send(new CreateBucketCommand({ Bucket: 'tls-only' }));
    const deny = { Effect: 'Deny', Principal: '*', Resource: ['arn:aws:s3:::tls-only', 'arn:aws:s3:::tls-only/*'] };
    await hub.s3.send(
      new PutBucketPolicyCommand({
        Bucket: 'tls-only',
        Policy: policyOf(
          { ...deny, Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          { ...deny, Action: 's3:DeleteObject' },
        ),
      }),
    );
    const caller = await createUser(hub, 'writer', policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' }));
    const own = clientsOf(emulator.endpoint, caller);
    await own.s3.send(new PutObjectCommand({ Bucket: 'tls-only', Key: 'a', Body: 'a' }));
    await expect(own.s3.send(new DeleteObjectCommand({ Bucket: 'tls-only', Key: 'a' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

describe('an event bus of another account', () => {
  let machine: string;
  let sender: string;

  beforeAll(async () => {
    await hub.events.send(new CreateEventBusCommand({ Name: 'hub' }));
    const role = await createRole(hub, 'bus-machine', 'states.amazonaws.com', everything);
    machine = await createMachine(hub, 'bus', role, { StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } });
    await hub.events.send(
      new PutRuleCommand({ Name: 'receive', EventBusName: 'hub', EventPattern: JSON.stringify({ source: ['sent'] }) }),
    );
    await hub.events.send(
      new PutTargetsCommand({
        Rule: 'receive',
        EventBusName: 'hub',
        Targets: [{ Id: 'machine', Arn: machine, RoleArn: role }],
      }),
    );
    const bus = `arn:aws:events:${region}:${hubAccount}:event-bus/hub`;
    const mayPut = policyOf({ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus });
    sender = await createRole(lender, 'forward', 'events.amazonaws.com', mayPut);
    await lender.events.send(new PutRuleCommand({ Name: 'send', EventPattern: JSON.stringify({ source: ['sent'] }) }));
    await lender.events.send(
      new PutTargetsCommand({ Rule: 'send', Targets: [{ Id: 'hub', Arn: bus, RoleArn: sender }] }),
    );
  });

  const send = (name: string) =>
    lender.events.send(
      new PutEventsCommand({ Entries: [{ Source: 'sent', DetailType: 'test', Detail: JSON.stringify({ name }) }] }),
    );

  const received = async () => {
    const { executions } = await hub.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
    return executions ?? [];
  };

  it('receives nothing until its policy admits the sender, then the event as it was', async () => {
    await send('too early');
    await hub.events.send(
      new PutPermissionCommand({
        EventBusName: 'hub',
        Action: 'events:PutEvents',
        Principal: lenderAccount,
        StatementId: 'lender',
      }),
    );
    await send('admitted');
    const [execution, ...others] = await eventually(async () => {
      const executions = await received();
      return executions.length > 0 ? executions : undefined;
    }, 'the admitted event');
    expect(others).toEqual([]);
    const { input } = await hub.sfn.send(new DescribeExecutionCommand({ executionArn: execution?.executionArn }));
    expect(JSON.parse(input ?? '')).toMatchObject({
      source: 'sent',
      account: lenderAccount,
      detail: { name: 'admitted' },
    });
  });

  it('receives nothing through a role that may not put events', async () => {
    const before = await received();
    const mayNot = await createRole(
      lender,
      'mute',
      'events.amazonaws.com',
      policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }),
    );
    const bus = `arn:aws:events:${region}:${hubAccount}:event-bus/hub`;
    const target = (RoleArn: string) =>
      lender.events.send(new PutTargetsCommand({ Rule: 'send', Targets: [{ Id: 'hub', Arn: bus, RoleArn }] }));
    await target(mayNot);
    await send('mute');
    await target(sender);
    await send('heard');
    const after = await eventually(async () => {
      const executions = await received();
      return executions.length > before.length ? executions : undefined;
    }, 'the event of the right role');
    expect(after).toHaveLength(before.length + 1);
  });
});

describe('Lambda workers', () => {
  it('act as their function’s role, and the emulator is their AWS', async () => {
    const role = await createRole(
      hub,
      'worker',
      'lambda.amazonaws.com',
      policyOf({
        Effect: 'Allow',
        Action: 'sts:GetCallerIdentity',
        Resource: '*',
      }),
    );
    await createFunction(
      hub,
      'worker',
      role,
      `export const handler = async () => ({
        accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
        sessionToken: process.env.AWS_SESSION_TOKEN, endpoint: process.env.AWS_ENDPOINT_URL, node: process.version });`,
    );
    const { Payload } = await hub.lambda.send(new InvokeCommand({ FunctionName: 'worker' }));
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString()) as Credentials & {
      endpoint: string;
      node: string;
    };
    expect(answer.endpoint).toBe(emulator.endpoint);
    expect(answer.node).toMatch(/^v24\./);
    const own = clientsOf(emulator.endpoint, answer);
    expect((await own.sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      `arn:aws:sts::${hubAccount}:assumed-role/worker/worker`,
    );
    await expect(own.dynamo.send(new ListTablesCommand({}))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('a rule', () => {
  it('invokes a function only when the function’s own policy lets EventBridge', async () => {
    const role = await createRole(hub, 'listener', 'lambda.amazonaws.com', everything);
    const listener = await createFunction(hub, 'listener', role, 'export const handler = async () => "heard";');
    const pattern = JSON.stringify({ source: ['said'] });
    const { RuleArn } = await hub.events.send(new PutRuleCommand({ Name: 'listen', EventPattern: pattern }));
    await hub.events.send(new PutTargetsCommand({ Rule: 'listen', Targets: [{ Id: 'listener', Arn: listener }] }));
    const say = () =>
      hub.events.send(new PutEventsCommand({ Entries: [{ Source: 'said', DetailType: 'test', Detail: '{}' }] }));
    const heard = async () => (await emulator.control.calls()).filter((one) => one.resource === 'listener').length;
    await say();
    await hub.lambda.send(
      new AddPermissionCommand({
        FunctionName: 'listener',
        StatementId: 'rule',
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        ...(RuleArn === undefined ? {} : { SourceArn: RuleArn }),
      }),
    );
    await say();
    await eventually(async () => ((await heard()) > 0 ? true : undefined), 'the permitted invocation');
    expect(await heard()).toBe(1);
  });
});

describe('a state machine', () => {
  it('may do what its role may do', async () => {
    const functionRole = await createRole(hub, 'called', 'lambda.amazonaws.com', everything);
    const called = await createFunction(hub, 'called', functionRole, 'export const handler = async () => "called";');
    const definition = {
      QueryLanguage: 'JSONata',
      StartAt: 'Call',
      States: {
        Call: {
          Type: 'Task',
          Resource: 'arn:aws:states:::lambda:invoke',
          Arguments: { FunctionName: called },
          Output: '{% $states.result.Payload %}',
          End: true,
        },
      },
    };
    const mayInvoke = (Resource: string) => policyOf({ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource });
    const run = async (name: string, resource: string) => {
      const role = await createRole(hub, name, 'states.amazonaws.com', mayInvoke(resource));
      const machine = await createMachine(hub, name, role, definition);
      const { executionArn } = await hub.sfn.send(new StartExecutionCommand({ stateMachineArn: machine }));
      return endOf(hub, executionArn ?? '');
    };
    expect(await run('permitted', called)).toMatchObject({ status: 'SUCCEEDED', output: '"called"' });
    expect(await run('forbidden', `${called}-other`)).toMatchObject({
      status: 'FAILED',
      error: 'Lambda.AWSLambdaException',
      cause: expect.stringContaining('is not authorized to perform: lambda:InvokeFunction'),
    });
  });
});

describe('a REST API called from another account', () => {
  const template = {
    Resources: {
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
          },
        },
      },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
          Code: {
            ZipFile:
              'exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.identity) });',
          },
        },
      },
      Api: {
        Type: 'AWS::ApiGateway::RestApi',
        Properties: {
          Name: 'hub',
          Policy: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { AWS: `arn:aws:iam::${lenderAccount}:root` },
                Action: 'execute-api:Invoke',
                Resource: 'execute-api:/*',
              },
            ],
          },
        },
      },
      Who: {
        Type: 'AWS::ApiGateway::Resource',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ParentId: { 'Fn::GetAtt': ['Api', 'RootResourceId'] },
          PathPart: 'who',
        },
      },
      Get: {
        Type: 'AWS::ApiGateway::Method',
        Properties: {
          RestApiId: { Ref: 'Api' },
          ResourceId: { Ref: 'Who' },
          HttpMethod: 'GET',
          AuthorizationType: 'AWS_IAM',
          Integration: {
            Type: 'AWS_PROXY',
            IntegrationHttpMethod: 'POST',
            Uri: {
              'Fn::Sub':
                'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations',
            },
          },
        },
      },
      Permission: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          FunctionName: { Ref: 'Function' },
          Action: 'lambda:InvokeFunction',
          Principal: 'apigateway.amazonaws.com',
        },
      },
      Deployment: {
        Type: 'AWS::ApiGateway::Deployment',
        DependsOn: 'Get',
        Properties: { RestApiId: { Ref: 'Api' } },
      },
      Stage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: { RestApiId: { Ref: 'Api' }, DeploymentId: { Ref: 'Deployment' }, StageName: 'v1' },
      },
    },
    Outputs: { Api: { Value: { Ref: 'Api' } } },
  };

  let url: string;

  beforeAll(async () => {
    const outputs = await deploy(hub, 'rest', template);
    url = `${emulator.endpoint}/_aws/execute-api/${outputs['Api']}/v1/who`;
  });

  const mayInvoke = policyOf({
    Effect: 'Allow',
    Action: 'execute-api:Invoke',
    Resource: `arn:aws:execute-api:${region}:${hubAccount}:*/v1/GET/who`,
  });

  it('knows the caller when both the API and the caller’s own policy allow it', async () => {
    const caller = await createUser(lender, 'consenting', mayInvoke);
    const { status, body } = await signedGet(url, caller);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { accountId: lenderAccount, userArn: `arn:aws:iam::${lenderAccount}:user/consenting` },
    });
  });

  it('refuses a caller whose own policy does not allow it', async () => {
    const caller = await createUser(lender, 'without', policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' }));
    expect(await signedGet(url, caller)).toMatchObject({ status: 403 });
  });

  it('refuses an account the API’s policy does not name', async () => {
    const third = clientsOf(emulator.endpoint, '333333333333');
    const caller = await createUser(third, 'stranger', mayInvoke);
    expect(await signedGet(url, caller)).toMatchObject({ status: 403 });
  });

  it('refuses a wrong secret', async () => {
    const caller = await createUser(lender, 'forger', mayInvoke);
    expect(await signedGet(url, { ...caller, secretAccessKey: 'wrong' })).toMatchObject({ status: 403 });
  });
});

describe('Object Lock of a template', () => {
  it('locks', async () => {
    await deploy(hub, 'locked', {
      Resources: {
        Bucket: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            BucketName: 'locked',
            ObjectLockEnabled: true,
            ObjectLockConfiguration: {
              ObjectLockEnabled: 'Enabled',
              Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } },
            },
          },
        },
      },
    });
    const { ObjectLockConfiguration } = await hub.s3.send(new GetObjectLockConfigurationCommand({ Bucket: 'locked' }));
    expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: 'COMPLIANCE', Days: 1 });
    expect((await hub.s3.send(new GetBucketVersioningCommand({ Bucket: 'locked' }))).Status).toBe('Enabled');
    const { VersionId } = await hub.s3.send(new PutObjectCommand({ Bucket: 'locked', Key: 'seal', Body: 'seal' }));
    await expect(
      hub.s3.send(new DeleteObjectCommand({ Bucket: 'locked', Key: 'seal', VersionId })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('refuses a configuration without the lock', async () => {
    const wrong = {
      Resources: {
        Bucket: {
          Type: 'AWS::S3::Bucket',
          Properties: { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } },
        },
      },
    };
    await expect(deploy(hub, 'unlocked', wrong)).rejects.toThrow(/ROLLBACK|FAILED/);
  });
});
