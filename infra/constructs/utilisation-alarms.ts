import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { RESOURCE_TYPES } from '../../core/units.ts';
import { poolResources } from '../config.ts';
import type { PoolConfig } from '../config-schema.ts';
import { alarmName } from '../names.ts';

/** One threshold alarm for each measured resource type of a pool. They act through EventBridge, so they have no actions. */
export class UtilisationAlarms extends Construct {
  constructor(scope: Construct, id: string, pool: PoolConfig) {
    super(scope, id);
    const { periodSeconds, evaluationPeriods, datapointsToAlarm } = pool.alarm;
    const resources = poolResources(pool);
    for (const type of RESOURCE_TYPES) {
      const metric = resources[type];
      if (metric === undefined) continue;
      const { namespace, metricName, statistic, thresholdPercent, fullUsePerUnit } = metric;
      new CfnAlarm(this, type, {
        alarmName: alarmName(pool.groupName, type),
        alarmDescription: `${type} of ${pool.groupName} at or above ${thresholdPercent} %: Entangle looks for capacity to borrow`,
        namespace,
        metricName,
        statistic,
        dimensions: [{ name: 'AutoScalingGroupName', value: pool.groupName }],
        period: periodSeconds,
        evaluationPeriods,
        ...(datapointsToAlarm === undefined ? {} : { datapointsToAlarm }),
        comparisonOperator: 'GreaterThanOrEqualToThreshold',
        threshold: (thresholdPercent * fullUsePerUnit) / 100,
        treatMissingData: 'notBreaching',
      });
    }
  }
}
