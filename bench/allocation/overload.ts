/** Many pools that are overloaded from one moment on, for minutes. */
import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { RESOURCE_TYPES } from '../../core/units.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { clientOptions, SPECS } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import { ALARM_PERIOD_SECONDS, idOf } from '../../test/support/lending-fleet.ts';
import { OVERLOAD_PERCENT } from '../../test/support/loan-story.ts';

const PERIOD_MILLIS = ALARM_PERIOD_SECONDS * 1_000;
/** A quarter of an hour: longer than all alarms take to be answered. */
const PERIODS = 90;
/** Before the first period of the overload, for the data to be sent. */
const LEAD_MILLIS = 2 * PERIOD_MILLIS;
/** What one PutMetricData takes. */
const DATA_AT_ONCE = 1_000;

/** Values of all periods from a moment on: alarms of pools that stay overloaded do not come and go. */
function dataOf(pool: FleetPool, fromMillis: number): { namespace: string; data: MetricDatum[] }[] {
  const metrics = SPECS.get(idOf(pool))?.resources ?? {};
  return RESOURCE_TYPES.flatMap((type) => {
    const metric = metrics[type];
    if (metric === undefined) return [];
    const data = Array.from({ length: PERIODS }, (_, period) => ({
      MetricName: metric.metricName,
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: pool.groupName }],
      Value: (OVERLOAD_PERCENT / 100) * metric.fullUsePerUnit,
      Timestamp: new Date(fromMillis + period * PERIOD_MILLIS),
    }));
    return [{ namespace: metric.namespace, data }];
  });
}

/**
 * Overloads pools from the same moment on, so that all their alarms go off together. The data is sent before it.
 * @returns that moment
 */
export async function overloadAtOnce(fleet: Fleet, pools: readonly FleetPool[]): Promise<number> {
  const from = Math.ceil((Date.now() + LEAD_MILLIS) / PERIOD_MILLIS) * PERIOD_MILLIS;
  for (const [account, own] of Map.groupBy(pools, (pool) => pool.account)) {
    const client = new CloudWatchClient(clientOptions(fleet.deployed, account));
    const all = own.flatMap((pool) => dataOf(pool, from));
    for (const [Namespace, some] of Map.groupBy(all, ({ namespace }) => namespace)) {
      const data = some.flatMap((each) => each.data);
      for (let first = 0; first < data.length; first += DATA_AT_ONCE) {
        const MetricData = data.slice(first, first + DATA_AT_ONCE);
        await client.send(new PutMetricDataCommand({ Namespace, MetricData }));
      }
    }
  }
  if (Date.now() > from) throw new Error('the data of the overload took longer to send than the time before it began');
  return from;
}
