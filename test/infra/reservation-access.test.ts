import { describe, expect, it } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { parseConfig } from '../../infra/config.ts';
import type { Stacks } from './support.ts';
import { EXTERNAL_ID, findingsOf, HUB_ACCOUNT, stacksOf } from './support.ts';

const RESERVED = { lendsAs: 'physical', commitments: [{ kind: 'capacity-reservation', units: 4 }] };

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: { readonly StringEquals: Readonly<Record<string, unknown>> };
}

interface Policy {
  readonly Properties: { readonly PolicyDocument: { readonly Statement: readonly Statement[] } };
}

/** The stacks of an account with one pool that states this about reserved capacity. */
function stacksWith(capacity: object): Stacks {
  const pool = {
    groupName: 'web',
    application: 'shop',
    azIds: ['use1-az1'],
    instanceType: 'm7g.large',
    networkGbps: 1,
    onDemandUsdPerUnitHour: 0.0816,
    alarm: { periodSeconds: 60, evaluationPeriods: 1 },
    resources: { cpu: { thresholdPercent: 70, recoveryPercent: 50 } },
    ...capacity,
  };
  const account = { accountId: '222222222222', name: 'shop', region: 'us-east-1', pools: [pool] };
  const hub = { accountId: HUB_ACCOUNT, region: 'us-east-1', externalId: EXTERNAL_ID };
  return stacksOf(parseConfig({ hub, linkedAccounts: [account] }));
}

/** The statements of both roles. */
function statementsOf(capacity: object): readonly Statement[] {
  const [stack] = stacksWith(capacity).linked;
  if (stack === undefined) throw new Error('no stack of a linked account');
  const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')) as Policy[];
  return policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}

const capacityStatements = (capacity: object) =>
  statementsOf(capacity).filter(({ Action }) => /"(ec2|ram|resource-groups):/.test(JSON.stringify([Action].flat())));
const actionsOf = (statements: readonly Statement[]) =>
  statements.flatMap(({ Action }) => Action).filter((action) => !action.startsWith('autoscaling:'));

describe('the rights for loans of reserved capacity', () => {
  it('are given nowhere unless a pool takes part in them', () => {
    expect(capacityStatements({})).toEqual([]);
    expect(capacityStatements({ lendsAs: 'nominal', launchesIntoReservations: false })).toEqual([]);
  });

  it('let the hub change only tagged reservations and shares of a lender', () => {
    const statements = capacityStatements(RESERVED);
    expect(actionsOf(statements)).not.toContain('ram:AcceptResourceShareInvitation');
    const changing = statements.filter(({ Action }) => !/:(Describe|Get)/.test([Action].flat()[0] ?? ''));
    expect(changing).toHaveLength(4);
    for (const { Action, Condition } of changing) {
      const equals = Condition?.StringEquals ?? {};
      const limits = new Set([
        'aws:ResourceTag/entangle:lending',
        'aws:RequestTag/entangle:lending',
        'ec2:CreateAction',
      ]);
      expect([Action, Object.keys(equals).filter((key) => limits.has(key))]).toEqual([Action, [expect.anything()]]);
    }
  });

  it('let the hub only accept, and fill tagged resource groups, for a borrower', () => {
    const statements = capacityStatements({ launchesIntoReservations: true });
    expect(actionsOf(statements).sort()).toEqual([
      'ec2:DescribeCapacityReservations',
      'ram:AcceptResourceShareInvitation',
      'ram:GetResourceShareInvitations',
      'resource-groups:GroupResources',
      'resource-groups:ListGroupResources',
      'resource-groups:UngroupResources',
    ]);
    const grouping = statements.find(({ Action }) => Action.includes('resource-groups:GroupResources'));
    expect(grouping?.Condition).toEqual({ StringEquals: { 'aws:ResourceTag/entangle:lending': 'enabled' } });
  });

  it('leave no finding of the AwsSolutions pack', () => {
    expect(findingsOf(stacksWith({ ...RESERVED, launchesIntoReservations: true }).app)).toEqual([]);
  });
});
