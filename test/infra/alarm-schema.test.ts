import { describe, expect, it } from '@jest/globals';
import { parseConfig, poolSpecs } from '../../infra/config.ts';
import { HUB_ACCOUNT } from './support.ts';

const POOL = 'linkedAccounts[0].pools[0]';
const cpu = { thresholdPercent: 70, recoveryPercent: 50 };

function parsed(changes: object) {
  const region = 'us-east-1';
  const pool = {
    groupName: 'web',
    application: 'shop',
    azIds: ['use1-az1'],
    instanceType: 'm7g.large',
    networkGbps: 1,
    onDemandUsdPerUnitHour: 0.1,
    resources: { cpu },
    ...changes,
  };
  return parseConfig({
    hub: { accountId: HUB_ACCOUNT, region, externalId: 'a-value-of-ours' },
    linkedAccounts: [{ accountId: '222222222222', name: 'one', region, pools: [pool] }],
  });
}

describe('what is wrong with alarms and watches', () => {
  it.each([
    [
      'more datapoints of one type than the periods of its pool',
      { resources: { cpu: { ...cpu, alarm: { datapointsToAlarm: 6 } } } },
      `${POOL}.resources.cpu.alarm.datapointsToAlarm: expected at most evaluationPeriods (5), got 6`,
    ],
    [
      'missing data of no known kind',
      { alarm: { missingData: 'zero' } },
      `${POOL}.alarm.missingData: expected one of missing, ignore, breaching, notBreaching, got "zero"`,
    ],
    [
      'a low alarm that is not yes or no',
      { alarm: { lowAlarm: 50 } },
      `${POOL}.alarm.lowAlarm: expected true or false, got 50`,
    ],
    [
      'a trend of four samples',
      { watch: { trend: { samples: 4 } } },
      `${POOL}.watch.trend.samples: expected a whole number of samples from 5 to 60, got 4`,
    ],
  ])('%s', (_case, changes, line) => {
    expect(() => parsed(changes)).toThrow(line);
  });
});

describe('a watch', () => {
  it('has defaults, and is stated in enrolling only where there is one', () => {
    const [spec] = poolSpecs(parsed({ watch: { trend: {}, anomaly: { score: 3 } } }));
    expect(spec?.watch).toEqual({
      trend: { withinSeconds: 300, samples: 12 },
      anomaly: { withinSeconds: 300, samples: 3, score: 3 },
    });
    expect(poolSpecs(parsed({}))[0]).not.toHaveProperty('watch');
  });
});

describe('the vCPUs of a unit', () => {
  it('are those of its size unless the pool states others', () => {
    expect(poolSpecs(parsed({}))[0]).toMatchObject({ vcpusPerUnit: 2 });
    expect(poolSpecs(parsed({ vcpusPerUnit: 1 }))[0]).toMatchObject({ vcpusPerUnit: 1 });
    expect(poolSpecs(parsed({ instanceType: 'm5.metal' }))[0]).not.toHaveProperty('vcpusPerUnit');
  });
});
