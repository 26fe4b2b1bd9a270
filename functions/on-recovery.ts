import { SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { hasRecovered } from '../core/lending/recovery.ts';
import { poolId } from '../core/units.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { observeGroup } from './adapters/groups.ts';
import { loansOf } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { alarmEventSchema } from './adapters/schemas.ts';
import { snapshotKeys, snapshotOf } from './adapters/snapshot.ts';
import { startReturn } from './adapters/starts.ts';
import { latestMetrics, parseAlarmName } from './adapters/telemetry.ts';

const env = readEnv(
  'ENTANGLE_ACCOUNTS_TABLE',
  'ENTANGLE_LOANS_TABLE',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_EXTERNAL_ID',
  'ENTANGLE_OBSERVE_ROLE_NAME',
);
const role = { roleName: env.ENTANGLE_OBSERVE_ROLE_NAME, externalId: env.ENTANGLE_EXTERNAL_ID };
const stepFunctions = new SFNClient({});

/** The group that has become less busy: its high alarm is OK again, or its low alarm says so. */
function relieved({ alarmName, state }: z.infer<typeof alarmEventSchema>['detail']) {
  return state.value === 'OK' ? parseAlarmName(alarmName) : lowAlarm(alarmName, state.value);
}

function lowAlarm(alarmName: string, state: string) {
  return state === 'ALARM' ? parseAlarmName(alarmName, 'low') : undefined;
}

/**
 * An alarm is OK again, or utilisation is at the recovery percentage. That alone is no reason to give back: the loan itself has lowered
 * utilisation. The loan is returned when demand fits below the recovery level into what the pool has without it.
 */
export const handler = lambda(alarmEventSchema, async (event) => {
  const alarm = relieved(event.detail);
  if (alarm === undefined) return { returned: [] };
  const id = poolId(event.account, event.region, alarm.groupName);
  const loans = (await loansOf(env.ENTANGLE_LOANS_TABLE, 'open', event.account)).filter(
    (loan) => loan.borrowerPoolId === id && loan.state === 'active',
  );
  if (loans.length === 0) return { returned: [] };
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, loans.flatMap(snapshotKeys));
  const pool = items.pool(id);
  if (pool === undefined) return { returned: [] };
  const at = now();
  const [group, metrics] = await Promise.all([observeGroup(pool.spec, role), latestMetrics(pool.spec, at, role)]);
  if (group === undefined) return { returned: [] };
  const returned: string[] = [];
  for (const loan of loans) {
    const { recovered, reason } = hasRecovered({ pool, group, metrics, loan, now: at });
    logger.info('recovery assessed', { loanId: loan.loanId, recovered, reason });
    if (!recovered) continue;
    await startReturn(stepFunctions, env.ENTANGLE_RETURN_STATE_MACHINE_ARN, loan, 'recovered', {
      snapshot: snapshotOf(loan, items),
    });
    returned.push(loan.loanId);
  }
  return { returned };
});
