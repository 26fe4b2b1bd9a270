import {
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  CreateOrUpdateTagsCommand,
  DescribeScalingActivitiesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  ListBucketsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  type Credentials,
  clientsOf,
  createFunction,
  createMachine,
  createRole,
  createUser,
  deploy,
  endOf,
  everything,
  hubAccount,
  lenderAccount,
  policyOf,
  runMachine,
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

  it('do not cover Describe, for which AWS knows no resources', async () => {
    const caller = await createUser(
      lender,
      'describer',
      policyOf({
        Effect: 'Allow',
        Action: 'autoscaling:Describe*',
        Resource: `arn:aws:autoscaling:*:${lenderAccount}:autoScalingGroup:*:autoScalingGroupName/lent`,
      }),
    );
    const own = clientsOf(emulator.endpoint, caller);
    await expect(
      own.autoScaling.send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName: 'lent' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
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

describe('the session of a role', () => {
  it('is its role to aws:PrincipalArn, path included', async () => {
    const trust = { Effect: 'Allow', Principal: { AWS: lenderAccount }, Action: 'sts:AssumeRole' };
    const { Role } = await hub.iam.send(
      new CreateRoleCommand({ RoleName: 'pathed', Path: '/entangle/', AssumeRolePolicyDocument: policyOf(trust) }),
    );
    const RoleArn = Role?.Arn ?? '';
    const mayList = (Action: string, arn: string) => ({
      Effect: 'Allow',
      Action,
      Resource: '*',
      Condition: { ArnEquals: { 'aws:PrincipalArn': arn } },
    });
    await hub.iam.send(
      new PutRolePolicyCommand({
        RoleName: 'pathed',
        PolicyName: 'own',
        PolicyDocument: policyOf(
          mayList('dynamodb:ListTables', RoleArn),
          mayList('s3:ListAllMyBuckets', `arn:aws:sts::${hubAccount}:assumed-role/pathed/test`),
        ),
      }),
    );
    const { Credentials: given } = await lender.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test' }));
    const session = clientsOf(emulator.endpoint, {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    });
    expect(RoleArn).toBe(`arn:aws:iam::${hubAccount}:role/entangle/pathed`);
    expect((await session.dynamo.send(new ListTablesCommand({}))).TableNames).toEqual([]);
    await expect(session.s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
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

  it('reads the items of a distributed map where its role may', async () => {
    const Bucket = 'lists';
    await hub.s3.send(new CreateBucketCommand({ Bucket }));
    const open = policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/open/*` });
    const role = await createRole(hub, 'reader', 'states.amazonaws.com', open);
    const run = async (name: string) => {
      const Key = `${name}/items.json`;
      await hub.s3.send(new PutObjectCommand({ Bucket, Key, Body: '[1,2]' }));
      const reader = { Resource: 'arn:aws:states:::s3:getObject', ReaderConfig: { InputType: 'JSON' } };
      const processor = {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'Keep',
        States: { Keep: { Type: 'Pass', End: true } },
      };
      const each = {
        Type: 'Map',
        ItemReader: { ...reader, Arguments: { Bucket, Key } },
        ItemProcessor: processor,
        End: true,
      };
      return runMachine(hub, role, `reader-of-${name}`, { Each: each });
    };
    expect(await run('open')).toMatchObject({ status: 'SUCCEEDED', output: '[1, 2]' });
    expect(await run('closed')).toMatchObject({
      status: 'FAILED',
      error: 'States.ItemReaderFailed',
      cause: expect.stringContaining('is not authorized to perform: s3:GetObject'),
    });
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
