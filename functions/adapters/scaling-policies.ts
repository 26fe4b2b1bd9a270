import { DescribePoliciesCommand } from '@aws-sdk/client-auto-scaling';
import type { PoolSpec } from '../../core/pool.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { linkedAccount } from './linked-account.ts';

/**
 * Whether a group has a predictive scaling policy that raises `MaxSize` when its forecast comes near it: then its ceiling is nothing
 * that a loan can count on. Amazon EC2 Auto Scaling API, PredictiveScalingConfiguration.MaxCapacityBreachBehavior. A policy that is
 * switched to `ForecastOnly` scales nothing.
 */
export async function raisesOwnCeiling(
  place: Pick<PoolSpec, 'accountId' | 'region' | 'groupName'>,
  role: RoleInLinkedAccount,
): Promise<boolean> {
  const { autoScaling } = await linkedAccount(place.accountId, place.region, role);
  let nextToken: string | undefined;
  do {
    const page = await autoScaling.send(
      new DescribePoliciesCommand({
        AutoScalingGroupName: place.groupName,
        PolicyTypes: ['PredictiveScaling'],
        ...(nextToken === undefined ? {} : { NextToken: nextToken }),
      }),
    );
    for (const { Enabled, PredictiveScalingConfiguration: predictive } of page.ScalingPolicies ?? []) {
      const scales = Enabled !== false && predictive?.Mode === 'ForecastAndScale';
      if (scales && predictive.MaxCapacityBreachBehavior === 'IncreaseMaxCapacity') return true;
    }
    nextToken = page.NextToken;
  } while (nextToken !== undefined);
  return false;
}
