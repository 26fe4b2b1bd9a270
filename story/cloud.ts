import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
} from '@aws-sdk/client-auto-scaling';
import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { PoolSpec } from '../core/pool.ts';
import type { ResourceType } from '../core/units.ts';
import { RESOURCE_TYPES } from '../core/units.ts';

/** Size of a group as its own account sees it. */
export interface GroupSize {
  readonly minSize: number;
  readonly maxSize: number;
  readonly desiredCapacity: number;
  readonly inServiceUnits: number;
}

/** What was measured of a group at one moment. */
export interface Measurement {
  readonly atMillis: number;
  readonly inServiceUnits: number;
  /** Utilisation in percent by resource type. */
  readonly percent: Readonly<Partial<Record<ResourceType, number>>>;
}

export interface AlarmState {
  readonly name: string;
  readonly state: string;
}

/** What an account does itself in the story: run its group and publish its metrics. */
export interface AccountCloud {
  readonly group: () => Promise<GroupSize>;
  /** Answers false when the group no longer allows this size: its ceiling has just moved. */
  readonly setDesired: (units: number) => Promise<boolean>;
  readonly publish: (measurements: readonly Measurement[], resolutionSeconds: number) => Promise<void>;
  readonly alarms: () => Promise<readonly AlarmState[]>;
  readonly close: () => void;
}

/** Most data points that PutMetricData takes in one call. */
const DATA_PER_CALL = 1_000;
/** Namespaces that begin with AWS/ are reserved on AWS, where EC2 and Auto Scaling publish these themselves. */
const IN_SERVICE = { namespace: 'AWS/AutoScaling', metricName: 'GroupInServiceInstances' } as const;

interface Datum {
  readonly namespace: string;
  readonly metricName: string;
  readonly value: number;
  readonly atMillis: number;
}

function dataOf(spec: PoolSpec, measurement: Measurement): Datum[] {
  const { atMillis } = measurement;
  const resources = RESOURCE_TYPES.flatMap((type) => {
    const metric = spec.resources[type];
    const percent = measurement.percent[type];
    if (metric === undefined || percent === undefined) return [];
    const { namespace, metricName, fullUsePerUnit } = metric;
    return [{ namespace, metricName, value: (percent / 100) * fullUsePerUnit, atMillis }];
  });
  return [...resources, { ...IN_SERVICE, value: measurement.inServiceUnits, atMillis }];
}

async function putData(client: CloudWatchClient, groupName: string, data: readonly Datum[], resolutionSeconds: number) {
  const byNamespace = Map.groupBy(data, ({ namespace }) => namespace);
  for (const [namespace, all] of byNamespace) {
    for (let from = 0; from < all.length; from += DATA_PER_CALL) {
      const metricData: MetricDatum[] = all.slice(from, from + DATA_PER_CALL).map((datum) => ({
        MetricName: datum.metricName,
        Dimensions: [{ Name: 'AutoScalingGroupName', Value: groupName }],
        Timestamp: new Date(datum.atMillis),
        Value: datum.value,
        StorageResolution: resolutionSeconds < 60 ? 1 : 60,
      }));
      await client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData: metricData }));
    }
  }
}

async function describeGroup(client: AutoScalingClient, groupName: string): Promise<GroupSize> {
  const answer = await client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [groupName] }));
  const group = answer.AutoScalingGroups?.[0];
  if (group === undefined) throw new Error(`the Auto Scaling group ${groupName} does not exist`);
  return {
    minSize: group.MinSize ?? 0,
    maxSize: group.MaxSize ?? 0,
    desiredCapacity: group.DesiredCapacity ?? 0,
    inServiceUnits: (group.Instances ?? []).filter(({ LifecycleState }) => LifecycleState === 'InService').length,
  };
}

async function setDesired(client: AutoScalingClient, groupName: string, units: number): Promise<boolean> {
  try {
    await client.send(
      new SetDesiredCapacityCommand({ AutoScalingGroupName: groupName, DesiredCapacity: units, HonorCooldown: false }),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && /ValidationError/.test(error.name)) return false;
    throw error;
  }
}

/** The clients of one account, with its root keys: in the emulator the account's id is the access key. */
export function accountCloud(spec: PoolSpec, endpoint: string): AccountCloud {
  const connection = {
    region: spec.region,
    endpoint,
    credentials: { accessKeyId: spec.accountId, secretAccessKey: 'emulator' },
  };
  const autoScaling = new AutoScalingClient(connection);
  const cloudWatch = new CloudWatchClient(connection);
  const { groupName } = spec;
  return {
    group: () => describeGroup(autoScaling, groupName),
    setDesired: (units) => setDesired(autoScaling, groupName, units),
    publish: (measurements, resolutionSeconds) => {
      const data = measurements.flatMap((measurement) => dataOf(spec, measurement));
      return putData(cloudWatch, groupName, data, resolutionSeconds);
    },
    alarms: async () => {
      const answer = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `entangle/${groupName}/` }));
      return (answer.MetricAlarms ?? []).map(({ AlarmName = '', StateValue = '' }) => ({
        name: AlarmName,
        state: StateValue,
      }));
    },
    close: () => {
      autoScaling.destroy();
      cloudWatch.destroy();
    },
  };
}
