import { SFNClient } from '@aws-sdk/client-sfn';
import { epochMillis, poolId } from '../core/units.ts';
import { readEnv } from './adapters/env.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { alarmEventSchema } from './adapters/schemas.ts';
import { startBorrow } from './adapters/starts.ts';
import { parseAlarmName } from './adapters/telemetry.ts';

const env = readEnv('ENTANGLE_BORROW_STATE_MACHINE_ARN');
const stepFunctions = new SFNClient({});

/** An alarm went off in a linked account: start borrowing for its pool, once for each transition however often it is delivered. */
export const handler = lambda(alarmEventSchema, async (event) => {
  const { alarmName, state } = event.detail;
  const alarm = parseAlarmName(alarmName);
  if (alarm === undefined || state.value !== 'ALARM') {
    logger.info('not an alarm of an enrolled group', { alarmName, state: state.value });
    return { started: false };
  }
  return startBorrow(stepFunctions, env.ENTANGLE_BORROW_STATE_MACHINE_ARN, {
    poolId: poolId(event.account, event.region, alarm.groupName),
    alarmName,
    resourceType: alarm.resourceType,
    transitionAt: epochMillis(Date.parse(state.timestamp)),
  });
});
