import { beforeAll, describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import type { FunctionName } from '../../infra/names.ts';
import { FUNCTION_NAMES, functionRoleName } from '../../infra/names.ts';
import { EVENTS_KEY, expectedGrants, inOrder, PLAN_LISTS_READ, start } from './expected-grants.ts';
import type { Resource, Stacks } from './support.ts';
import { appOf, configOf, findingsOf, HUB_ACCOUNT, stacksOf } from './support.ts';

let stacks: Stacks;
let template: Template;
beforeAll(() => {
  stacks = stacksOf(
    configOf([{ accountId: '222222222222' }, { accountId: '333333333333' }, { accountId: HUB_ACCOUNT }]),
  );
  template = Template.fromStack(stacks.hub);
});

const resources = (type: string): [string, Resource][] =>
  Object.entries(template.findResources(type)) as [string, Resource][];
const property = (resource: Resource, name: string): unknown => resource.Properties[name];

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}
const actionsOf = ({ Action }: Statement): string[] => [Action].flat();

/** The statements of the policies that are attached to a role. */
function statementsOf(roleId: string): Statement[] {
  return resources('AWS::IAM::Policy')
    .filter(([, policy]) => JSON.stringify(property(policy, 'Roles')) === JSON.stringify([{ Ref: roleId }]))
    .flatMap(([, policy]) => (property(policy, 'PolicyDocument') as { Statement: Statement[] }).Statement);
}

function functionStatements(name: FunctionName): Statement[] {
  const roleName = functionRoleName(name, 'us-east-1');
  const [id] = resources('AWS::IAM::Role').find(([, role]) => property(role, 'RoleName') === roleName) ?? [];
  expect(id).toBeDefined();
  return statementsOf(id ?? '');
}

/** `action on resource`, with the logical id of a resource shortened to what it is. */
function grantsOf(name: FunctionName): string[] {
  const grants = functionStatements(name).flatMap((statement) =>
    actionsOf(statement).flatMap((action) =>
      [statement.Resource].flat().map((resource) => `${action} on ${nameOf(resource)}`),
    ),
  );
  return inOrder(grants);
}

function nameOf(resource: unknown): string {
  if (typeof resource === 'string') return resource.split(':').slice(5).join(':');
  const text = JSON.stringify(resource);
  const table = /Tables(accounts|loans|ledger|audit)/.exec(text)?.[1];
  if (table !== undefined) return `${table}${/\/index\/[a-z-]+/.exec(text)?.[0] ?? ''}`;
  return /DataKey|Logs|DeadLetters|History|LoanSchedulesRole/.exec(text)?.[0] ?? text;
}

describe('what functions may do', () => {
  it.each(FUNCTION_NAMES)('%s may do exactly what it needs', (name) => {
    expect(grantsOf(name)).toEqual(expectedGrants(name));
  });

  it('none changes or removes what was written to the ledger or the audit records', () => {
    const changing = FUNCTION_NAMES.flatMap(grantsOf).filter((grant) =>
      /(Update|Delete|Batch.*Write).* on (ledger|audit)/.test(grant),
    );
    expect(changing).toEqual([]);
  });

  it('removes nothing from a table but events that were put on the bus, and requests that wait no longer', () => {
    const removing = FUNCTION_NAMES.flatMap(functionStatements).filter((statement) =>
      actionsOf(statement).some((action) => /dynamodb:(Delete|Batch.*Write|PartiQL)/.test(action)),
    );
    const from = removing.map(({ Condition }) => JSON.stringify(Condition));
    const only = (prefix: string) => `{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["${prefix}*"]}}`;
    expect(new Set(from)).toEqual(new Set([only('OUTBOX#'), only('QUEUE#')]));
    // Serving the queue, and cancelling what stands in it.
    expect(from.filter((condition) => condition === only('QUEUE#'))).toHaveLength(2);
  });

  it('lets what judges pairings write what it found alone', () => {
    const writing = functionStatements('judge-pairings').filter((statement) =>
      actionsOf(statement).some((action) => /^(dynamodb|s3):(Put|Update|Delete)/.test(action)),
    );
    expect(writing.map(({ Condition }) => Condition)).toEqual([
      { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['BUCKET#*'] } },
    ]);
  });

  it('use the key only through the service that keeps the data, or for their own variables', () => {
    const uses = FUNCTION_NAMES.flatMap((name) =>
      functionStatements(name)
        .filter((statement) => actionsOf(statement).some((action) => action.startsWith('kms:')))
        .map(({ Condition }) =>
          Object.entries((Condition as { StringEquals: Record<string, string> }).StringEquals).flat(),
        ),
    );
    const through = ['dynamodb', 's3', 'sqs', 'states'].map((service) => `${service}.us-east-1.amazonaws.com`);
    const own = FUNCTION_NAMES.map((name) => `arn:aws:lambda:us-east-1:${HUB_ACCOUNT}:function:entangle-${name}`);
    expect(inOrder(uses.map(([key = '']) => key))).toEqual([
      'kms:EncryptionContext:aws:lambda:FunctionArn',
      'kms:ViaService',
    ]);
    expect(inOrder(uses.map(([, value = '']) => value))).toEqual(inOrder([...own, ...through]));
  });

  it('passes only the role of loan schedules, only to the scheduler', () => {
    const passing = FUNCTION_NAMES.flatMap(functionStatements).filter((statement) =>
      actionsOf(statement).includes('iam:PassRole'),
    );
    // Who begins a term, and who makes it longer.
    const toScheduler = { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } };
    expect(passing.map(({ Condition }) => Condition)).toEqual([toScheduler, toScheduler]);
  });

  it('tells functions how units are lent, as their reader of variables takes it', () => {
    const [, lookAhead] = resources('AWS::Lambda::Function').find(([id]) => id.includes('lookahead')) ?? [];
    expect(lookAhead?.Properties['Environment']).toMatchObject({
      Variables: {
        ENTANGLE_LEND_BY: 'outlook',
        ENTANGLE_HARM_TARGET: '0.001500000',
        ENTANGLE_LOOK_AHEAD_SECONDS: '300',
      },
    });
  });

  it('runs Node 24 on Graviton, each in a role of its own', () => {
    const made = resources('AWS::Lambda::Function').map(([, fn]) => fn);
    expect(made.map((fn) => [property(fn, 'Runtime'), property(fn, 'Architectures')])).toEqual(
      FUNCTION_NAMES.map(() => ['nodejs24.x', ['arm64']]),
    );
    expect(new Set(made.map((fn) => JSON.stringify(property(fn, 'Role')))).size).toBe(FUNCTION_NAMES.length);
  });
});

describe('what is kept', () => {
  const KEPT: readonly [string, string, (resource: Resource) => unknown][] = [
    [
      'AWS::DynamoDB::Table',
      'SSESpecification.KMSMasterKeyId',
      (table) => (property(table, 'SSESpecification') as { KMSMasterKeyId: unknown }).KMSMasterKeyId,
    ],
    [
      'AWS::S3::Bucket',
      'BucketEncryption',
      (bucket) =>
        (
          property(bucket, 'BucketEncryption') as {
            ServerSideEncryptionConfiguration: { ServerSideEncryptionByDefault: { KMSMasterKeyID: unknown } }[];
          }
        ).ServerSideEncryptionConfiguration[0]?.ServerSideEncryptionByDefault.KMSMasterKeyID,
    ],
    ['AWS::Logs::LogGroup', 'KmsKeyId', (group) => property(group, 'KmsKeyId')],
    ['AWS::SQS::Queue', 'KmsMasterKeyId', (queue) => property(queue, 'KmsMasterKeyId')],
  ];

  it.each(KEPT)("every %s is under the hub's own key and stays when the stack goes", (type, _where, keyOf) => {
    const all = resources(type);
    expect(all.length).toBeGreaterThan(0);
    for (const [, resource] of all) {
      expect(JSON.stringify(keyOf(resource))).toMatch(/^\{"Fn::GetAtt":\["DataKey[^"]*","Arn"\]\}$/);
      expect([resource.DeletionPolicy, resource.UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
    }
  });

  it.each([
    'AWS::Lambda::Function',
    'AWS::StepFunctions::StateMachine',
    'AWS::Events::EventBus',
    'AWS::Scheduler::Schedule',
  ])('every %s is under the key too', (type) => {
    for (const [, { Properties }] of resources(type))
      expect(JSON.stringify(Properties)).toMatch(/Kms(Key)?\w*":\{"Fn::GetAtt":\["DataKey/);
  });

  it('the key stays and is rotated', () => {
    const [[, key] = []] = resources('AWS::KMS::Key');
    expect([key?.DeletionPolicy, key?.Properties['EnableKeyRotation']]).toEqual(['Retain', true]);
  });

  it('the bucket and the queue refuse plain HTTP', () => {
    const denied = { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } }, Principal: { AWS: '*' } };
    for (const type of ['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy']) {
      template.hasResourceProperties(type, {
        PolicyDocument: { Statement: Match.arrayWith([Match.objectLike(denied)]) },
      });
    }
    template.allResourcesProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  it('tables are protected from deletion and can go back in time', () => {
    template.allResourcesProperties('AWS::DynamoDB::Table', {
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });

  it('ledger and audit records cannot be changed or removed by anybody', () => {
    for (const TableName of ['entangle-ledger', 'entangle-audit']) {
      template.hasResourceProperties('AWS::DynamoDB::Table', {
        TableName,
        ResourcePolicy: {
          PolicyDocument: {
            Statement: [
              {
                Effect: 'Deny',
                Principal: { AWS: '*' },
                Action: ['BatchWriteItem', 'DeleteItem', 'PartiQLDelete', 'PartiQLUpdate', 'UpdateItem'].map(
                  (name) => `dynamodb:${name}`,
                ),
                Resource: '*',
              },
            ],
          },
        },
      });
    }
  });

  it('has the keys and indexes that the functions query', () => {
    const keys = resources('AWS::DynamoDB::Table').map(([, table]) => {
      const parts = (schema: unknown): string =>
        (schema as { AttributeName: string }[]).map((key) => key.AttributeName).join('+');
      const indexes = (property(table, 'GlobalSecondaryIndexes') ?? []) as { IndexName: string; KeySchema: unknown }[];
      return [
        property(table, 'TableName'),
        parts(property(table, 'KeySchema')),
        ...indexes.map((index) => `${index.IndexName}: ${parts(index.KeySchema)}`),
      ];
    });
    expect(keys).toEqual([
      ['entangle-accounts', 'accountId+item', 'pools-by-bucket: bucket+item'],
      [
        'entangle-loans',
        'loanId',
        'by-borrower: borrowerAccountId+requestedAt',
        'by-lender: lenderAccountId+requestedAt',
        'open: openAccountId+loanId',
      ],
      ['entangle-ledger', 'accountId+entryId'],
      ['entangle-audit', 'accountId+seq'],
    ]);
  });
});

describe('the ways in', () => {
  it('lets linked accounts put nothing but events of CloudWatch on the bus', () => {
    template.hasResourceProperties('AWS::Events::EventBus', {
      Policy: {
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: [HUB_ACCOUNT, '222222222222', '333333333333'] },
            Action: 'events:PutEvents',
            Resource: `arn:aws:events:us-east-1:${HUB_ACCOUNT}:event-bus/entangle`,
            Condition: { StringEquals: { 'events:source': 'aws.cloudwatch' } },
          },
        ],
      },
    });
  });

  it('hands alarms of Entangle alone to their functions, and what fails to the dead-letter queue', () => {
    for (const state of ['ALARM', 'OK']) {
      template.hasResourceProperties('AWS::Events::Rule', {
        EventPattern: {
          source: ['aws.cloudwatch'],
          'detail-type': ['CloudWatch Alarm State Change'],
          detail: { alarmName: [{ prefix: 'entangle/' }], state: { value: [state] } },
        },
        Targets: [Match.objectLike({ DeadLetterConfig: { Arn: Match.anyValue() }, RetryPolicy: Match.anyValue() })],
      });
    }
  });

  it('watches itself with alarms whose names ask for no loans', () => {
    const names = resources('AWS::CloudWatch::Alarm').map(([, alarm]) => String(property(alarm, 'AlarmName')));
    expect(names).toHaveLength(4);
    expect(names.filter((name) => name.startsWith('entangle/'))).toEqual([]);
  });

  it('answers API calls only when an IAM identity of the hub or a linked account signed them', () => {
    const methods = resources('AWS::ApiGateway::Method').map(([, method]) => method);
    const verbs = methods.map((method) => String(property(method, 'HttpMethod')));
    expect(inOrder(verbs)).toEqual(['DELETE', 'GET', 'POST', 'PUT']);
    expect(verbs).toHaveLength(27);
    for (const method of methods) expect(property(method, 'AuthorizationType')).toBe('AWS_IAM');
    template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      Policy: {
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: [HUB_ACCOUNT, '222222222222', '333333333333'] },
            Action: 'execute-api:Invoke',
            Resource: 'execute-api:/*',
          },
        ],
      },
    });
  });

  it('plans every six hours, reconciles every minute, looks ahead and measures capacity every five', () => {
    const rates = resources('AWS::Scheduler::Schedule').map(([, schedule]) => [
      property(schedule, 'Name'),
      property(schedule, 'ScheduleExpression'),
    ]);
    expect(rates).toEqual([
      ['entangle-plan', 'rate(6 hours)'],
      ['entangle-reconcile', 'rate(1 minute)'],
      ['entangle-look-ahead', 'rate(5 minutes)'],
      ['entangle-measure-capacity', 'rate(5 minutes)'],
    ]);
  });

  it('lets only the return of a loan be started by the schedules of loans', () => {
    const [roleId = ''] = resources('AWS::IAM::Role').find(([id]) => id.startsWith('LoanSchedulesRole')) ?? [];
    const actions = statementsOf(roleId).flatMap((statement) =>
      actionsOf(statement).map((action) => `${action} on ${nameOf(statement.Resource)}`),
    );
    expect(inOrder(actions)).toEqual(inOrder([...EVENTS_KEY, ...start('return')]));
  });

  it('lets each workflow call the functions of its definition and no others', () => {
    const calls = resources('AWS::StepFunctions::StateMachine').map(([, machine]) => {
      const [roleId = ''] = (property(machine, 'RoleArn') as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
      const invoked = statementsOf(roleId).filter((statement) =>
        actionsOf(statement).includes('lambda:InvokeFunction'),
      );
      const allowed = JSON.stringify(invoked.map((statement) => statement.Resource));
      const substituted = Object.values(property(machine, 'DefinitionSubstitutions') as Record<string, unknown>).map(
        (value) => JSON.stringify(value),
      );
      return [substituted.length, substituted.every((arn) => allowed.includes(arn)), allowed.match(/"Arn"/g)?.length];
    });
    expect(calls).toEqual([
      [7, true, 7],
      [4, true, 4],
      [6, true, 6],
    ]);
  });
});

describe('the plan', () => {
  it('alone of the workflows reads objects, and of these its lists only', () => {
    const readings = resources('AWS::StepFunctions::StateMachine').map(([, machine]) => {
      const [roleId = ''] = (property(machine, 'RoleArn') as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
      return statementsOf(roleId).flatMap((statement) =>
        actionsOf(statement)
          .filter((action) => action.startsWith('s3:'))
          .map((action) => `${action} on ${nameOf(statement.Resource)}`),
      );
    });
    expect(readings).toEqual([[], [], [PLAN_LISTS_READ]]);
  });

  it('leaves lists that S3 removes after a week, and nothing else', () => {
    template.allResourcesProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          {
            Prefix: 'plans/',
            Status: 'Enabled',
            ExpirationInDays: 7,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          },
        ],
      },
    });
  });
});

describe('the AwsSolutions pack', () => {
  it('finds nothing that is not acknowledged with a reason', () => {
    expect(findingsOf(stacks.app)).toEqual([]);
  });

  it('would find a queue without encryption', () => {
    const app = appOf();
    const careless = new Stack(app, 'Careless');
    expect(new CfnQueue(careless, 'Queue').stack).toBe(careless);
    expect(findingsOf(app).map((finding) => finding.split(/[:[]/)[0])).toContain('AwsSolutions-SQS4');
  });
});
