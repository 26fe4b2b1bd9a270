import { GetMetricDataCommand, type MetricDatum, PutMetricDataCommand, type ScanBy } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { type Clients, clientsOf, hubAccount } from './support.ts';

let emulator: Emulator;
let clients: Clients;

const minuteMillis = 60_000;
const hourMillis = 60 * minuteMillis;
/** The start of a minute half an hour ago. */
const base = Math.floor(Date.now() / minuteMillis - 30) * minuteMillis;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
});

afterAll(() => emulator?.stop());

const put = (...MetricData: Omit<MetricDatum, 'MetricName'>[]) =>
  clients.cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: 'Test',
      MetricData: MetricData.map((datum) => ({ ...datum, MetricName: 'load' })),
    }),
  );

async function valuesOf(group: string | undefined, order?: ScanBy): Promise<number[] | undefined> {
  const { MetricDataResults } = await clients.cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(base - hourMillis),
      EndTime: new Date(base + hourMillis),
      ...(order === undefined ? {} : { ScanBy: order }),
      MetricDataQueries: [
        {
          Id: 'load',
          MetricStat: {
            Metric: {
              Namespace: 'Test',
              MetricName: 'load',
              Dimensions: group === undefined ? [] : [{ Name: 'AutoScalingGroupName', Value: group }],
            },
            Period: 60,
            Stat: 'Average',
          },
        },
      ],
    }),
  );
  return MetricDataResults?.[0]?.Values;
}

describe('metrics', () => {
  beforeAll(async () => {
    const Dimensions = [{ Name: 'AutoScalingGroupName', Value: 'web' }];
    await put(
      { Value: 1, Timestamp: new Date(base), Dimensions },
      { Value: 2, Timestamp: new Date(base + minuteMillis), Dimensions },
      { Value: 99, Timestamp: new Date(base) },
    );
  });

  it('come newest first unless asked for otherwise', async () => {
    expect(await valuesOf('web')).toEqual([2, 1]);
    expect(await valuesOf('web', 'TimestampAscending')).toEqual([1, 2]);
  });

  it('without dimensions are a metric of their own', async () => {
    expect(await valuesOf(undefined)).toEqual([99]);
  });

  it.each([
    ['more than two weeks old', -14 * 24 - 1, 'within the past two weeks'],
    ['more than two hours ahead', 3, 'no more than two hours in the future'],
  ])('%s are refused', async (_, hours, message) => {
    await expect(put({ Value: 1, Timestamp: new Date(Date.now() + hours * hourMillis) })).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  it('come a thousand at most in one request', async () => {
    const data = Array.from({ length: 1_001 }, (_, index) => ({ Value: index, Timestamp: new Date(base) }));
    await expect(put(...data)).rejects.toMatchObject({ message: expect.stringContaining('greater than 1000') });
  });
});
