import type { CfnAlarmProps } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { ResourceMetric } from '../../core/pool.ts';
import type { ResourceType } from '../../core/units.ts';
import { RESOURCE_TYPES } from '../../core/units.ts';
import { poolResources } from '../config.ts';
import type { PoolConfig } from '../config-schema.ts';
import { alarmName, lowAlarmName } from '../names.ts';

type Watched = Pick<
  CfnAlarmProps,
  'metrics' | 'namespace' | 'metricName' | 'statistic' | 'dimensions' | 'period' | 'threshold'
>;

/**
 * What one instance of the group does, whatever their number is, so that the threshold stays right when a loan moves the ceiling. An
 * average or a maximum over the group is that already; a sum is divided by the instances in service.
 */
function perInstance(groupName: string, metric: ResourceMetric, percent: number, period: number): Watched {
  const { namespace, metricName, statistic, fullUsePerUnit } = metric;
  const dimensions = [{ name: 'AutoScalingGroupName', value: groupName }];
  const threshold = (percent * fullUsePerUnit) / 100;
  if (statistic !== 'Sum') return { namespace, metricName, statistic, dimensions, period, threshold };
  const instances = { namespace: 'AWS/AutoScaling', metricName: 'GroupInServiceInstances', dimensions };
  return {
    threshold,
    metrics: [
      { id: 'each', expression: 'total / instances', label: `${metricName} of one instance`, returnData: true },
      {
        id: 'total',
        metricStat: { metric: { namespace, metricName, dimensions }, stat: 'Sum', period },
        returnData: false,
      },
      { id: 'instances', metricStat: { metric: instances, stat: 'Average', period }, returnData: false },
    ],
  };
}

/** Missing data never makes a group look idle: a metric that is not there counts as demand when a loan may go back. */
function lowMissingData(missingData: string): string {
  return missingData === 'missing' || missingData === 'ignore' ? missingData : 'notBreaching';
}

/**
 * The alarms of each measured resource type of a pool. At the high threshold it looks for capacity to borrow; where the pool wants a low
 * alarm too, it looks at or below the recovery percentage whether a loan may go back. Between the two nothing happens. They act
 * through EventBridge, so they have no actions.
 */
export class UtilisationAlarms extends Construct {
  readonly #pool: PoolConfig;

  constructor(scope: Construct, id: string, pool: PoolConfig) {
    super(scope, id);
    this.#pool = pool;
    const resources = poolResources(pool);
    for (const type of RESOURCE_TYPES) {
      const metric = resources[type];
      if (metric === undefined) continue;
      this.#high(type, metric);
      if (pool.alarm.lowAlarm) this.#low(type, metric);
    }
  }

  /** The settings of a resource type: its own where it has them, else those of the pool. */
  #evaluation(type: ResourceType) {
    const { alarm, resources } = this.#pool;
    const { datapointsToAlarm, lowAlarm: _, ...settings } = { ...alarm, ...resources[type]?.alarm };
    return { ...settings, ...(datapointsToAlarm === undefined ? {} : { datapointsToAlarm }) };
  }

  #high(type: ResourceType, metric: ResourceMetric): void {
    const { groupName } = this.#pool;
    const { periodSeconds, missingData, ...evaluation } = this.#evaluation(type);
    new CfnAlarm(this, type, {
      alarmName: alarmName(groupName, type),
      alarmDescription: `${type} of ${groupName} at or above ${metric.thresholdPercent} %: Entangle looks for capacity to borrow`,
      ...perInstance(groupName, metric, metric.thresholdPercent, periodSeconds),
      ...evaluation,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      treatMissingData: missingData,
    });
  }

  #low(type: ResourceType, metric: ResourceMetric): void {
    const { groupName } = this.#pool;
    const { periodSeconds, missingData, ...evaluation } = this.#evaluation(type);
    new CfnAlarm(this, `${type}-low`, {
      alarmName: lowAlarmName(groupName, type),
      alarmDescription: `${type} of ${groupName} at or below ${metric.recoveryPercent} %: Entangle looks whether a loan may go back`,
      ...perInstance(groupName, metric, metric.recoveryPercent, periodSeconds),
      ...evaluation,
      comparisonOperator: 'LessThanOrEqualToThreshold',
      treatMissingData: lowMissingData(missingData),
    });
  }
}
