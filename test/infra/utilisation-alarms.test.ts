import { describe, expect, it } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parseConfig } from '../../infra/config.ts';
import { UtilisationAlarms } from '../../infra/constructs/utilisation-alarms.ts';
import type { Resource } from './support.ts';
import { HUB_ACCOUNT } from './support.ts';

/** The alarms of one pool, by name. */
function alarmsOf(alarm: object, cpu: object): Record<string, Resource['Properties']> {
  const pool = {
    groupName: 'web',
    application: 'shop',
    azIds: ['use1-az1'],
    instanceType: 'm7g.large',
    networkGbps: 1,
    onDemandUsdPerUnitHour: 0.1,
    alarm: { lowAlarm: true, ...alarm },
    resources: { cpu: { thresholdPercent: 80, recoveryPercent: 60, ...cpu } },
  };
  const region = 'us-east-1';
  const config = parseConfig({
    hub: { accountId: HUB_ACCOUNT, region, externalId: 'a-value-of-ours' },
    linkedAccounts: [{ accountId: '222222222222', name: 'one', region, pools: [pool] }],
  });
  const [parsed] = config.linkedAccounts[0]?.pools ?? [];
  if (parsed === undefined) throw new Error('the configuration has a pool');
  const alarms = new UtilisationAlarms(new Stack(), 'Pool', parsed);
  const template = Template.fromStack(Stack.of(alarms));
  const found = Object.values(template.findResources('AWS::CloudWatch::Alarm')) as Resource[];
  return Object.fromEntries(found.map(({ Properties }) => [String(Properties['AlarmName']), Properties]));
}

describe('the alarms of a pool', () => {
  it('are one at each threshold, or only the high one', () => {
    expect(alarmsOf({}, {})).toMatchObject({
      'entangle/web/cpu': { Threshold: 80, ComparisonOperator: 'GreaterThanOrEqualToThreshold' },
      'entangle-low/web/cpu': { Threshold: 60, ComparisonOperator: 'LessThanOrEqualToThreshold' },
    });
    expect(Object.keys(alarmsOf({ lowAlarm: false }, {}))).toEqual(['entangle/web/cpu']);
  });

  it('take the settings of a resource type before those of the pool', () => {
    const pool = { evaluationPeriods: 4, datapointsToAlarm: 3 };
    const { 'entangle/web/cpu': high } = alarmsOf(pool, { alarm: { datapointsToAlarm: 2 } });
    expect(high).toMatchObject({ EvaluationPeriods: 4, DatapointsToAlarm: 2, TreatMissingData: 'notBreaching' });
  });

  it.each([
    ['breaching', 'notBreaching'],
    ['notBreaching', 'notBreaching'],
    ['ignore', 'ignore'],
    ['missing', 'missing'],
  ])('with missing data that is %s never count it as low utilisation', (missingData, low) => {
    const alarms = alarmsOf({ missingData }, {});
    expect(alarms['entangle/web/cpu']).toMatchObject({ TreatMissingData: missingData });
    expect(alarms['entangle-low/web/cpu']).toMatchObject({ TreatMissingData: low });
  });

  it('on a sum over the group look at one instance, so that a loan does not move the threshold', () => {
    const metric = { namespace: 'Shop', metricName: 'Requests', statistic: 'Sum', fullUsePerUnit: 600 };
    const alarms = alarmsOf({ periodSeconds: 60 }, { metric });
    const { 'entangle/web/cpu': high, 'entangle-low/web/cpu': low } = alarms;
    expect([high?.['Threshold'], low?.['Threshold']]).toEqual([480, 360]);
    expect(high).not.toHaveProperty('MetricName');
    const group = [{ Name: 'AutoScalingGroupName', Value: 'web' }];
    expect(high?.['Metrics']).toMatchObject([
      { Expression: 'total / instances', ReturnData: true },
      {
        Id: 'total',
        ReturnData: false,
        MetricStat: { Metric: { MetricName: 'Requests', Dimensions: group }, Stat: 'Sum' },
      },
      {
        Id: 'instances',
        ReturnData: false,
        MetricStat: { Metric: { Namespace: 'AWS/AutoScaling', Dimensions: group }, Stat: 'Average', Period: 60 },
      },
    ]);
  });
});
