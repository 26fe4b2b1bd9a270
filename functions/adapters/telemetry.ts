import type { CloudWatchClient, MetricAlarm, MetricDataQuery, MetricDataResult } from '@aws-sdk/client-cloudwatch';
import { DescribeAlarmsCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { PoolSpec, ResourceMetric } from '../../core/pool.ts';
import type { AccountId, EpochMillis, ResourceType } from '../../core/units.ts';
import { epochMillis, RESOURCE_TYPES } from '../../core/units.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';

/** Prefix of the names of the alarms that the linked account's stack makes: `entangle/<group>/<resource type>`. */
export const ALARM_PREFIX = 'entangle/';

export interface AlarmObservation {
  readonly alarmName: string;
  readonly groupName: string;
  readonly resourceType: ResourceType;
  readonly state: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';
  readonly transitionAt: EpochMillis;
}

/**
 * The group and resource type of an alarm name; `undefined` when it is not one of ours.
 * @param kind `high`: the threshold that asks for a loan. `low`: the recovery threshold, `entangle-low/<group>/<resource type>`
 */
export function parseAlarmName(
  alarmName: string,
  kind: 'high' | 'low' = 'high',
): { groupName: string; resourceType: ResourceType } | undefined {
  const pattern = kind === 'high' ? /^entangle\/(.+)\/([a-z]+)$/ : /^entangle-low\/(.+)\/([a-z]+)$/;
  const match = pattern.exec(alarmName);
  const resourceType = RESOURCE_TYPES.find((type) => type === match?.[2]);
  const groupName = match?.[1];
  return groupName === undefined || resourceType === undefined ? undefined : { groupName, resourceType };
}

function alarmsOf(alarms: readonly MetricAlarm[]): AlarmObservation[] {
  return alarms.flatMap((alarm) => {
    const parsed = parseAlarmName(alarm.AlarmName ?? '');
    if (parsed === undefined || alarm.AlarmName === undefined) return [];
    const changed = alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp;
    return [
      {
        ...parsed,
        alarmName: alarm.AlarmName,
        state: alarm.StateValue ?? 'INSUFFICIENT_DATA',
        transitionAt: epochMillis(changed?.getTime() ?? 0),
      },
    ];
  });
}

/** The alarms of one group as CloudWatch has them now, whatever an event said. */
export async function observeAlarms(spec: PoolSpec, role: RoleInLinkedAccount): Promise<AlarmObservation[]> {
  const { cloudWatch } = await linkedAccount(spec.accountId, spec.region, role);
  const answer = await cloudWatch.send(
    new DescribeAlarmsCommand({ AlarmNamePrefix: `${ALARM_PREFIX}${spec.groupName}/`, AlarmTypes: ['MetricAlarm'] }),
  );
  return alarmsOf(answer.MetricAlarms ?? []).filter((alarm) => alarm.groupName === spec.groupName);
}

/** Every alarm of ours that is in ALARM now in one region of an account. */
export async function alarmsInAlarm(
  account: AccountId,
  region: string,
  role: RoleInLinkedAccount,
): Promise<AlarmObservation[]> {
  const { cloudWatch } = await linkedAccount(account, region, role);
  const found: AlarmObservation[] = [];
  let nextToken: string | undefined;
  do {
    const page = await cloudWatch.send(
      new DescribeAlarmsCommand({
        AlarmNamePrefix: ALARM_PREFIX,
        AlarmTypes: ['MetricAlarm'],
        StateValue: 'ALARM',
        ...(nextToken === undefined ? {} : { NextToken: nextToken }),
      }),
    );
    found.push(...alarmsOf(page.MetricAlarms ?? []));
    nextToken = page.NextToken;
  } while (nextToken !== undefined);
  return found;
}

const IN_SERVICE: Pick<ResourceMetric, 'namespace' | 'metricName' | 'statistic'> = {
  namespace: 'AWS/AutoScaling',
  metricName: 'GroupInServiceInstances',
  statistic: 'Average',
};

function query(
  id: string,
  metric: Pick<ResourceMetric, 'namespace' | 'metricName' | 'statistic'>,
  groupName: string,
  periodSeconds: number,
): MetricDataQuery {
  return {
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: metric.namespace,
        MetricName: metric.metricName,
        Dimensions: [{ Name: 'AutoScalingGroupName', Value: groupName }],
      },
      Stat: metric.statistic,
      Period: periodSeconds,
    },
  };
}

export interface MetricSample {
  readonly at: EpochMillis;
  readonly value: number;
}
/** Samples in the order of time, by resource type and for the number of instances in service. */
export type MetricSeries = Readonly<Partial<Record<ResourceType | 'inService', readonly MetricSample[]>>>;

function samples(results: readonly MetricDataResult[]): MetricSample[] {
  return results
    .flatMap((result) =>
      (result.Timestamps ?? []).map((timestamp, index) => ({
        at: epochMillis(timestamp.getTime()),
        value: result.Values?.[index] ?? Number.NaN,
      })),
    )
    .filter((sample) => Number.isFinite(sample.value))
    .sort((a, b) => a.at - b.at);
}

/** All pages of the answer to some queries. */
async function metricData(
  cloudWatch: CloudWatchClient,
  queries: readonly MetricDataQuery[],
  from: EpochMillis,
  to: EpochMillis,
): Promise<MetricDataResult[]> {
  const results: MetricDataResult[] = [];
  let nextToken: string | undefined;
  do {
    const page = await cloudWatch.send(
      new GetMetricDataCommand({
        MetricDataQueries: [...queries],
        StartTime: new Date(from),
        EndTime: new Date(to),
        ScanBy: 'TimestampAscending',
        ...(nextToken === undefined ? {} : { NextToken: nextToken }),
      }),
    );
    results.push(...(page.MetricDataResults ?? []));
    nextToken = page.NextToken;
  } while (nextToken !== undefined);
  return results;
}

/**
 * The metrics of a group between two moments, all resource types in one call a page.
 * @param periodSeconds resolution; CloudWatch keeps 1-second data for 3 hours, 60-second data for 15 days, 5-minute data for 63 days
 */
export async function readMetrics(
  spec: PoolSpec,
  from: EpochMillis,
  to: EpochMillis,
  periodSeconds: number,
  role: RoleInLinkedAccount,
): Promise<MetricSeries> {
  const { cloudWatch } = await linkedAccount(spec.accountId, spec.region, role);
  const queries = RESOURCE_TYPES.flatMap((type) => {
    const metric = spec.resources[type];
    return metric === undefined ? [] : [query(type, metric, spec.groupName, periodSeconds)];
  });
  const inService = query('inService', IN_SERVICE, spec.groupName, periodSeconds);
  const results = await metricData(cloudWatch, [...queries, inService], from, to);
  const ids = [...RESOURCE_TYPES, 'inService'] as const;
  return Object.fromEntries(ids.map((id) => [id, samples(results.filter((result) => result.Id === id))]));
}

/** The metrics of a pool's application between two moments, by the names that the pool gives them. */
export async function readApplicationMetrics(
  spec: PoolSpec,
  from: EpochMillis,
  to: EpochMillis,
  periodSeconds: number,
  role: RoleInLinkedAccount,
): Promise<ReadonlyMap<string, readonly MetricSample[]>> {
  const wanted = spec.applicationMetrics ?? [];
  if (wanted.length === 0) return new Map();
  const idOf = (index: number): string => `application${index}`;
  const { cloudWatch } = await linkedAccount(spec.accountId, spec.region, role);
  const queries = wanted.map(({ namespace, metricName, dimensions, statistic }, index) => ({
    Id: idOf(index),
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: metricName,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      },
      Stat: statistic,
      Period: periodSeconds,
    },
  }));
  const results = await metricData(cloudWatch, queries, from, to);
  return new Map(
    wanted.map(({ name }, index) => [name, samples(results.filter((result) => result.Id === idOf(index)))]),
  );
}

/** Periods that are looked back over for the newest value: metrics arrive late. */
const LOOK_BACK_PERIODS = 3;

/** The newest value of each resource type's metric; a type without recent data is absent. */
export async function latestMetrics(
  spec: PoolSpec,
  at: EpochMillis,
  role: RoleInLinkedAccount,
): Promise<Partial<Record<ResourceType, number>>> {
  const from = epochMillis(at - LOOK_BACK_PERIODS * spec.alarmPeriodSeconds * 1_000);
  const series = await readMetrics(spec, from, epochMillis(at + 1_000), spec.alarmPeriodSeconds, role);
  return Object.fromEntries(
    RESOURCE_TYPES.flatMap((type) => {
      const newest = series[type]?.at(-1);
      return newest === undefined ? [] : [[type, newest.value]];
    }),
  );
}
