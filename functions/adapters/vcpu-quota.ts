import { DescribeScalingActivitiesCommand } from '@aws-sdk/client-auto-scaling';
import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { VcpuQuota } from '../../core/lending/quota.ts';
import { isVcpuLimit, quotaClassOf } from '../../core/lending/quota.ts';
import type { PoolSpec } from '../../core/pool.ts';
import type { EpochMillis } from '../../core/units.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';

/** EC2 publishes its usage every few minutes. */
const LOOK_BACK_MILLIS = 1_800_000;
const PERIOD_SECONDS = 300;

/** Activities that are looked at: a group tries again a few times a minute at most. */
const ACTIVITIES = 20;

/**
 * The vCPU quota of a pool's account for its instance type, and what is in use, in one call: CloudWatch has both, as a usage metric and
 * by the metric math function SERVICE_QUOTA. Undefined where it is not known: no vCPUs are stated, the type has no such quota, or the
 * account has not used any yet.
 */
export async function vcpuQuota(
  spec: PoolSpec,
  at: EpochMillis,
  role: RoleInLinkedAccount,
): Promise<VcpuQuota | undefined> {
  const usageClass = quotaClassOf(spec.instanceType);
  if (spec.vcpusPerUnit === undefined || usageClass === undefined) return undefined;
  const { cloudWatch } = await linkedAccount(spec.accountId, spec.region, role);
  const dimensions = { Service: 'EC2', Resource: 'vCPU', Type: 'Resource', Class: usageClass };
  const Metric = {
    Namespace: 'AWS/Usage',
    MetricName: 'ResourceCount',
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
  const answer = await cloudWatch.send(
    new GetMetricDataCommand({
      MetricDataQueries: [
        { Id: 'used', MetricStat: { Metric, Stat: 'Maximum', Period: PERIOD_SECONDS } },
        { Id: 'quota', Expression: 'SERVICE_QUOTA(used)' },
      ],
      StartTime: new Date(at - LOOK_BACK_MILLIS),
      EndTime: new Date(at + PERIOD_SECONDS * 1_000),
      ScanBy: 'TimestampDescending',
    }),
  );
  const newest = (id: string) => answer.MetricDataResults?.find((result) => result.Id === id)?.Values?.[0];
  const [usedVcpus, quotaVcpus] = [newest('used'), newest('quota')];
  return usedVcpus === undefined || quotaVcpus === undefined ? undefined : { usedVcpus, quotaVcpus };
}

/** Whether a launch of a group has failed since a moment because its account has no vCPUs left. */
export async function launchesExceedQuota(
  spec: PoolSpec,
  since: EpochMillis,
  role: RoleInLinkedAccount,
): Promise<boolean> {
  if (spec.vcpusPerUnit === undefined) return false;
  const { autoScaling } = await linkedAccount(spec.accountId, spec.region, role);
  const answer = await autoScaling.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: spec.groupName, MaxRecords: ACTIVITIES }),
  );
  return (answer.Activities ?? []).some(
    ({ StartTime, StatusMessage }) => (StartTime?.getTime() ?? 0) >= since && isVcpuLimit(StatusMessage ?? ''),
  );
}
