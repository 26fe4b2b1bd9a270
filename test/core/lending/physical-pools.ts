import type { PoolSpec } from '../../../core/pool.ts';
import { accountId, microUsd, poolId } from '../../../core/units.ts';

/** A pool of eight reserved m5.large; by default of the lender's account. */
export function poolSpecOf(changes: Partial<PoolSpec> = {}, account = '222222222222'): PoolSpec {
  const owner = accountId(account);
  return {
    poolId: poolId(owner, 'us-east-1', 'web'),
    accountId: owner,
    region: 'us-east-1',
    groupName: 'web',
    application: 'web',
    azIds: ['use1-az1', 'use1-az2'],
    instanceType: 'm5.large',
    platform: 'Linux/UNIX',
    tenancy: 'default',
    storageType: 'gp3',
    networkGbps: 10,
    commitments: [{ kind: 'capacity-reservation', units: 8 }],
    reserveUnits: 1,
    provisioningLimitUnits: 0,
    onDemandMicroUsdPerUnitHour: microUsd(96_000),
    alarmPeriodSeconds: 60,
    historyStepSeconds: 300,
    seasonSteps: [288],
    coolDownSeconds: 300,
    resources: {},
    ...changes,
  };
}
