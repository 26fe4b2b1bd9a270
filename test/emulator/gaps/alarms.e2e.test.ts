import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  type MetricAlarm,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  clientsOf,
  createMachine,
  createRole,
  deploy,
  eventually,
  everything,
  hubAccount,
  lenderAccount,
} from './support.ts';

let emulator: Emulator;
let clients: Clients;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
});

afterAll(() => emulator?.stop());

const repoRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** The rule alone, without a clock: rows of periods, `X` breaching, `0` within, `-` missing, oldest first. */
function nextStates(cases: readonly (readonly [string, number, number, string])[]): (string | null)[] {
  const program = `
import json, sys
sys.path.insert(0, "emulator")
from gaps.alarm_rules import next_state
words = {"X": "breaching", "0": "within", "-": None}
rows = json.load(sys.stdin)
print(json.dumps([next_state([words[c] for c in row], n, m, treat) for row, n, m, treat in rows]))`;
  const python = join(repoRoot, '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const output = execFileSync(python, ['-B', '-c', program], { cwd: repoRoot, input: JSON.stringify(cases) });
  return JSON.parse(output.toString()) as (string | null)[];
}

describe('missing data', () => {
  const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'];

  // The two tables of the CloudWatch user guide; null: the alarm keeps its state.
  it.each([
    ['0-X-X', 3, 3, ['OK', 'OK', 'OK', 'OK']],
    ['----0', 3, 3, ['OK', 'OK', 'OK', 'OK']],
    ['-----', 3, 3, ['INSUFFICIENT_DATA', null, 'ALARM', 'OK']],
    ['0XX-X', 3, 3, ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['--X--', 3, 3, ['ALARM', null, 'ALARM', 'OK']],
    ['0-X-X', 3, 2, ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['00X0X', 3, 2, ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0-X--', 3, 2, ['OK', 'OK', 'ALARM', 'OK']],
    ['----0', 3, 2, ['OK', 'OK', 'ALARM', 'OK']],
    ['---X-', 3, 2, ['ALARM', null, 'ALARM', 'OK']],
    ['----X', 3, 3, [null, null, 'ALARM', 'OK']],
  ])('%s with %i periods, %i to alarm', (row, periods, toAlarm, expected) => {
    expect(nextStates(treatments.map((treat) => [row, periods, toAlarm, treat] as const))).toEqual(expected);
  });
});

function alarmFor(name: string, more: Partial<PutMetricAlarmCommandInput>): PutMetricAlarmCommand {
  return new PutMetricAlarmCommand({
    AlarmName: name,
    Namespace: 'Test',
    MetricName: name,
    Dimensions: [{ Name: 'AutoScalingGroupName', Value: 'web' }],
    Statistic: 'Average',
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 80,
    ComparisonOperator: 'GreaterThanThreshold',
    ...more,
  });
}

/** Puts a value; `periodsAgo` whole minutes back from now. */
function put(metric: string, value: number, group = 'web', periodsAgo = 0): PutMetricDataCommand {
  return new PutMetricDataCommand({
    Namespace: 'Test',
    MetricData: [
      {
        MetricName: metric,
        Value: value,
        Timestamp: new Date(Date.now() - periodsAgo * 60_000),
        Dimensions: [{ Name: 'AutoScalingGroupName', Value: group }],
      },
    ],
  });
}

async function alarmOf(name: string, from: Clients = clients): Promise<MetricAlarm> {
  const { MetricAlarms } = await from.cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
  const alarm = MetricAlarms?.[0];
  if (alarm === undefined) throw new Error(`no alarm ${name}`);
  return alarm;
}

const becomes = (name: string, state: string, from: Clients = clients) =>
  eventually(async () => {
    const alarm = await alarmOf(name, from);
    return alarm.StateValue === state ? alarm : undefined;
  }, `${name} ${state}`);

describe('evaluation', () => {
  it('looks at the alarm’s own dimensions only, and says why it changed', async () => {
    await clients.cloudWatch.send(alarmFor('dimensions', {}));
    await clients.cloudWatch.send(put('dimensions', 99, 'other group'));
    expect(await alarmOf('dimensions')).toMatchObject({ StateValue: 'INSUFFICIENT_DATA' });
    await clients.cloudWatch.send(put('dimensions', 91));
    const alarm = await alarmOf('dimensions');
    expect(alarm).toMatchObject({
      StateValue: 'ALARM',
      StateReason: expect.stringMatching(
        /^Threshold Crossed: 1 datapoint \[91\.0 \(.*\)\] was greater than the threshold/,
      ),
    });
    expect(JSON.parse(alarm.StateReasonData ?? '')).toMatchObject({
      version: '1.0',
      statistic: 'Average',
      period: 60,
      threshold: 80,
      recentDatapoints: [91],
    });
    expect(alarm.StateTransitionedTimestamp).toEqual(alarm.StateUpdatedTimestamp);
    const { AlarmHistoryItems } = await clients.cloudWatch.send(
      new DescribeAlarmHistoryCommand({ AlarmName: 'dimensions', HistoryItemType: 'StateUpdate' }),
    );
    expect(AlarmHistoryItems?.[0]?.HistorySummary).toBe('Alarm updated from INSUFFICIENT_DATA to ALARM');
  });

  it('keeps the milliseconds of a change', async () => {
    const stamps: number[] = [];
    await clients.cloudWatch.send(alarmFor('milliseconds', {}));
    for (let round = 0; round < 5; round += 1) {
      const StateValue = round % 2 === 0 ? 'ALARM' : 'OK';
      await clients.cloudWatch.send(
        new SetAlarmStateCommand({ AlarmName: 'milliseconds', StateValue, StateReason: 'test' }),
      );
      stamps.push((await alarmOf('milliseconds')).StateUpdatedTimestamp?.getTime() ?? 0);
    }
    expect(stamps.some((stamp) => stamp % 1000 !== 0)).toBe(true);
    expect(stamps).toEqual(stamps.toSorted((one, other) => one - other));
  });

  it('needs M of N periods, each with its own statistic', async () => {
    await clients.cloudWatch.send(alarmFor('two-of-three', { EvaluationPeriods: 3, DatapointsToAlarm: 2 }));
    await clients.cloudWatch.send(put('two-of-three', 90, 'web', 2));
    await clients.cloudWatch.send(put('two-of-three', 10, 'web', 1));
    await becomes('two-of-three', 'OK');
    await clients.cloudWatch.send(put('two-of-three', 90));
    await becomes('two-of-three', 'ALARM');
  });

  it('computes percentiles', async () => {
    await clients.cloudWatch.send(alarmFor('p90', { Statistic: undefined, ExtendedStatistic: 'p90', Threshold: 50 }));
    for (const value of [1, 1, 1, 1, 1, 1, 1, 1, 60, 100]) await clients.cloudWatch.send(put('p90', value));
    await becomes('p90', 'ALARM');
  });

  it('notices that data stopped coming', async () => {
    const silent = { Period: 10, TreatMissingData: 'notBreaching' };
    await clients.cloudWatch.send(alarmFor('silent', silent));
    const metric = put('silent', 99);
    const datum = metric.input.MetricData?.[0];
    if (datum !== undefined) datum.Timestamp = new Date(Date.now() - 20_000);
    await clients.cloudWatch.send(metric);
    expect(await alarmOf('silent')).toMatchObject({ StateValue: 'ALARM' });
    const alarm = await becomes('silent', 'OK');
    expect(alarm.StateReason).toContain('missing datapoints were treated as [NonBreaching]');
  });

  it('keeps accounts and regions apart', async () => {
    const lender = clientsOf(emulator.endpoint, lenderAccount);
    await clients.cloudWatch.send(alarmFor('apart', {}));
    await lender.cloudWatch.send(alarmFor('apart', {}));
    await lender.cloudWatch.send(put('apart', 99));
    await becomes('apart', 'ALARM', lender);
    expect(await alarmOf('apart')).toMatchObject({ StateValue: 'INSUFFICIENT_DATA' });
  });

  it.each([
    ['a period AWS does not have', { Period: 45 }, 'Period must be 10, 20, 30 or a multiple of 60'],
    ['more datapoints than periods', { DatapointsToAlarm: 2 }, 'DatapointsToAlarm must be less than or equal'],
  ])('refuses %s', async (_, more, message) => {
    await expect(clients.cloudWatch.send(alarmFor('refused', more))).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  it('evaluates an alarm of a template', async () => {
    await deploy(clients, 'alarms', {
      Resources: {
        Alarm: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            AlarmName: 'templated',
            Namespace: 'Test',
            MetricName: 'templated',
            Dimensions: [{ Name: 'AutoScalingGroupName', Value: 'web' }],
            Statistic: 'Maximum',
            Period: 60,
            EvaluationPeriods: 1,
            Threshold: 80,
            ComparisonOperator: 'GreaterThanOrEqualToThreshold',
            TreatMissingData: 'ignore',
          },
        },
      },
    });
    await clients.cloudWatch.send(put('templated', 80));
    await becomes('templated', 'ALARM');
  });
});

describe('events', () => {
  it('tell each state change, SetAlarmState included, in AWS’s shape', async () => {
    const role = await createRole(clients, 'alarm-events', 'states.amazonaws.com', everything);
    const machine = await createMachine(clients, 'alarm-events', role, {
      StartAt: 'Done',
      States: { Done: { Type: 'Pass', End: true } },
    });
    const pattern = { source: ['aws.cloudwatch'], detail: { alarmName: ['told'] } };
    await clients.events.send(new PutRuleCommand({ Name: 'alarms', EventPattern: JSON.stringify(pattern) }));
    await clients.events.send(
      new PutTargetsCommand({ Rule: 'alarms', Targets: [{ Id: 'machine', Arn: machine, RoleArn: role }] }),
    );
    await clients.cloudWatch.send(alarmFor('told', { AlarmDescription: 'the CPU of web' }));
    await clients.cloudWatch.send(put('told', 95));
    await clients.cloudWatch.send(
      new SetAlarmStateCommand({ AlarmName: 'told', StateValue: 'OK', StateReason: 'by hand' }),
    );
    const inputs = await eventually(async () => {
      const { executions } = await clients.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
      if (executions?.length !== 2) return undefined;
      const described = await Promise.all(
        executions.map(({ executionArn }) => clients.sfn.send(new DescribeExecutionCommand({ executionArn }))),
      );
      return described.map(
        (one) => JSON.parse(one.input ?? '') as { time: string; detail: { state: { value: string } } },
      );
    }, 'two events');
    const byState = Object.fromEntries(inputs.map((input) => [input.detail.state.value, input]));
    const arn = `arn:aws:cloudwatch:us-east-1:${hubAccount}:alarm:told`;
    expect(byState['ALARM']).toMatchObject({
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      account: hubAccount,
      region: 'us-east-1',
      resources: [arn],
      detail: {
        alarmName: 'told',
        state: {
          value: 'ALARM',
          reason: expect.stringContaining('Threshold Crossed'),
          reasonData: expect.stringContaining('"recentDatapoints":[95'),
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
        },
        previousState: { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation' },
        configuration: {
          description: 'the CPU of web',
          metrics: [
            {
              metricStat: {
                metric: { namespace: 'Test', name: 'told', dimensions: { AutoScalingGroupName: 'web' } },
                period: 60,
                stat: 'Average',
              },
              returnData: true,
            },
          ],
        },
      },
    });
    expect(byState['OK']).toMatchObject({
      detail: { state: { value: 'OK', reason: 'by hand' }, previousState: { value: 'ALARM' } },
    });
  });
});
