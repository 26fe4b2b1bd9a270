import { beforeAll, describe, expect, it } from '@jest/globals';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { FUNCTION_NAMES } from '../../infra/names.ts';
import type { Resource, Stacks } from './support.ts';
import { configOf, EXTERNAL_ID, HUB_ACCOUNT, stacksOf } from './support.ts';

let stacks: Stacks;
let template: Template;
beforeAll(() => {
  const places = [
    { accountId: '222222222222' },
    { accountId: '222222222222', region: 'eu-central-1' },
    { accountId: HUB_ACCOUNT },
  ];
  stacks = stacksOf(configOf(places));
  const [first] = stacks.linked;
  if (first === undefined) throw new Error('no stack of a linked account');
  template = Template.fromStack(first);
});

const named = (of: Template, type: string, name: string): string[] =>
  (Object.values(of.findResources(type)) as Resource[]).map((resource) => String(resource.Properties[name]));
const functionRoles = (...names: string[]): string[] =>
  names.map((name) => `arn:aws:iam::${HUB_ACCOUNT}:role/Entangle-us-east-1-${name}`);

describe('what the hub may do in a linked account', () => {
  it.each([
    [
      'Observe',
      functionRoles(
        'on-recovery',
        'assess',
        'choose',
        'activate',
        'renew',
        'collect',
        'look-ahead',
        'measure-capacity',
        'reconcile',
        'api',
      ),
    ],
    ['Adjust', functionRoles('move-ceiling')],
  ])('%s trusts exactly the functions that need it, with the ExternalId', (kind, roles) => {
    const principalArn = roles.length === 1 ? Match.anyValue() : roles;
    template.hasResourceProperties('AWS::IAM::Role', {
      RoleName: `Entangle${kind}-${HUB_ACCOUNT}-us-east-1`,
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { AWS: `arn:aws:iam::${HUB_ACCOUNT}:root` },
            Condition: {
              ArnEquals: { 'aws:PrincipalArn': principalArn },
              StringEquals: { 'sts:ExternalId': EXTERNAL_ID },
            },
          },
        ],
      },
    });
    const trusted = JSON.stringify(
      template.findResources('AWS::IAM::Role', {
        Properties: { RoleName: `Entangle${kind}-${HUB_ACCOUNT}-us-east-1` },
      }),
    );
    expect(trusted.match(/Entangle-us-east-1-[a-z-]+/g)).toEqual(roles.map((arn) => arn.split('/')[1]));
  });

  it('reads with Observe, and with Adjust resizes only groups that their owner tagged', () => {
    template.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('Observe') }],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: [
              'autoscaling:DescribeAutoScalingGroups',
              'autoscaling:DescribePolicies',
              'autoscaling:DescribeScalingActivities',
              'cloudwatch:DescribeAlarms',
              'cloudwatch:GetMetricData',
            ],
            Resource: '*',
          },
        ],
      },
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('Adjust') }],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: [
              'autoscaling:CompleteLifecycleAction',
              'autoscaling:SetInstanceProtection',
              'autoscaling:UpdateAutoScalingGroup',
            ],
            Resource: 'arn:aws:autoscaling:us-east-1:222222222222:autoScalingGroup:*:autoScalingGroupName/*',
            Condition: { StringEquals: { 'aws:ResourceTag/entangle:lending': 'enabled' } },
          },
          {
            Effect: 'Allow',
            Action: ['autoscaling:DescribeAutoScalingGroups', 'autoscaling:DescribeLifecycleHooks'],
            Resource: '*',
          },
        ],
      },
    });
  });

  it("has three roles whose names collide neither in another region nor in the hub's own account", () => {
    const names = [...stacks.linked, stacks.hub].flatMap((stack) =>
      named(Template.fromStack(stack), 'AWS::IAM::Role', 'RoleName'),
    );
    const fixed = names.filter((name) => name !== 'undefined');
    expect(fixed.length).toBe(3 * 3 + FUNCTION_NAMES.length);
    const inAccounts = [...stacks.linked, stacks.hub].flatMap((stack) =>
      named(Template.fromStack(stack), 'AWS::IAM::Role', 'RoleName').map((name) => `${stack.account} ${name}`),
    );
    const fixedInAccounts = inAccounts.filter((name) => !name.endsWith('undefined'));
    expect(new Set(fixedInAccounts).size).toBe(fixed.length);
    expect(fixed.filter((name) => name.length > 64)).toEqual([]);
  });
});

describe('alarms', () => {
  it('fire for each resource type at the threshold of what one instance supplies', () => {
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')) as Resource[];
    expect(
      alarms.map(({ Properties }) => [Properties['AlarmName'], Properties['MetricName'], Properties['Threshold']]),
    ).toEqual([
      ['entangle/web/cpu', 'CPUUtilization', 70],
      ['entangle/web/memory', 'mem_used_percent', 70],
      ['entangle/web/network', 'NetworkOut', (0.7 * 60 * 1e9) / 8],
      ['entangle/web/storage', 'disk_used_percent', 70],
    ]);
    template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: 'web' }],
      Statistic: 'Average',
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      AlarmActions: Match.absent(),
    });
  });

  it("are forwarded to the hub's bus, with a role that can do nothing else", () => {
    const bus = `arn:aws:events:us-east-1:${HUB_ACCOUNT}:event-bus/entangle`;
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.cloudwatch'],
        'detail-type': ['CloudWatch Alarm State Change'],
        detail: { alarmName: [{ prefix: 'entangle/' }, { prefix: 'entangle-low/' }] },
      },
      Targets: [{ Id: 'hub', Arn: bus, RoleArn: Match.anyValue() }],
    });
    template.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('Forwarding') }],
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus }] },
    });
  });
});

describe('the template', () => {
  it('needs no bootstrap: no function, asset, parameter or nested stack', () => {
    const types = new Set(
      Object.values(template.toJSON()['Resources'] as Record<string, Resource>).map(({ Type }) => Type),
    );
    expect([...types].sort()).toEqual([
      'AWS::CloudWatch::Alarm',
      'AWS::Events::Rule',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
    ]);
    expect(
      Object.keys(template.toJSON()).filter((section) => section !== 'Resources' && section !== 'Description'),
    ).toEqual([]);
  });

  it('is made for a hundred accounts', () => {
    const places = Array.from({ length: 100 }, (_, index) => ({ accountId: String(200_000_000_000 + index) }));
    const many = stacksOf(configOf(places));
    const hub = Template.fromStack(many.hub);
    expect(many.linked).toHaveLength(100);
    const [bus] = Object.values(hub.findResources('AWS::Events::EventBus')) as Resource[];
    const [api] = Object.values(hub.findResources('AWS::ApiGateway::RestApi')) as Resource[];
    expect(JSON.stringify(bus?.Properties['Policy']).length).toBeLessThan(10_240);
    expect(JSON.stringify(api?.Properties['Policy']).length).toBeLessThan(8_192);
  });
});
