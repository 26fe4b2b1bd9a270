/** Environment variables as the hub's stack gives them to its functions. */
import { readFileSync } from 'node:fs';

/** The same in all worlds: functions read it once, when they are loaded. */
export const STUCK_AFTER_SECONDS = 900;
export const HUB_ACCOUNT = '999999999999';
export const HUB_REGION = 'eu-west-1';
export const HISTORY_BUCKET = `entangle-history-${HUB_ACCOUNT}-${HUB_REGION}`;

const machineArn = (kind: string): string =>
  `arn:aws:states:${HUB_REGION}:${HUB_ACCOUNT}:stateMachine:entangle-${kind}`;

export const HUB_ENVIRONMENT: Readonly<Record<string, string>> = {
  ENTANGLE_ACCOUNTS_TABLE: 'entangle-accounts',
  ENTANGLE_LOANS_TABLE: 'entangle-loans',
  ENTANGLE_LEDGER_TABLE: 'entangle-ledger',
  ENTANGLE_AUDIT_TABLE: 'entangle-audit',
  ENTANGLE_HISTORY_BUCKET: HISTORY_BUCKET,
  ENTANGLE_EVENT_BUS: 'entangle',
  ENTANGLE_HUB_ACCOUNT_ID: HUB_ACCOUNT,
  ENTANGLE_BORROW_STATE_MACHINE_ARN: machineArn('borrow'),
  ENTANGLE_RETURN_STATE_MACHINE_ARN: machineArn('return'),
  ENTANGLE_PLAN_STATE_MACHINE_ARN: machineArn('plan'),
  ENTANGLE_SCHEDULER_ROLE_ARN: `arn:aws:iam::${HUB_ACCOUNT}:role/entangle-scheduler`,
  ENTANGLE_SCHEDULE_GROUP: 'entangle-loans',
  ENTANGLE_EXTERNAL_ID: 'simulated-external-id',
  ENTANGLE_OBSERVE_ROLE_NAME: `EntangleObserve-${HUB_ACCOUNT}`,
  ENTANGLE_ADJUST_ROLE_NAME: `EntangleAdjust-${HUB_ACCOUNT}`,
  ENTANGLE_CREDIT_STRENGTH: '0.2',
  ENTANGLE_PRIORITY_RULES: JSON.stringify({ preemption: 'lower-tier', highestTierOf: { '444444444444': 2 } }),
  POWERTOOLS_METRICS_NAMESPACE: 'Entangle',
  POWERTOOLS_SERVICE_NAME: 'entangle',
  POWERTOOLS_METRICS_DISABLED: 'true',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  // Without it each metric opens a console of its own.
  POWERTOOLS_DEV: 'true',
  AWS_REGION: HUB_REGION,
  AWS_ACCESS_KEY_ID: 'hub',
  AWS_SECRET_ACCESS_KEY: 'simulated',
  AWS_LAMBDA_LOG_LEVEL: 'FATAL',
};

/** A value for a variable that a function reads and that stands in no list here; undefined: the function has its own. */
function likely(name: string): string | undefined {
  if (name.endsWith('_STATE_MACHINE_ARN')) {
    return machineArn(name.slice('ENTANGLE_'.length, -'_STATE_MACHINE_ARN'.length).toLowerCase().replaceAll('_', '-'));
  }
  return name.endsWith('_SECONDS') ? '900' : undefined;
}

/** Sets what functions read when they are loaded. */
export function setEnvironment(): void {
  const declared = readFileSync(new URL('../../functions/adapters/env.ts', import.meta.url), 'utf8');
  const names = [...declared.matchAll(/^\s+(ENTANGLE_\w+):/gm)].map(([, name = '']) => name);
  for (const name of names) {
    const value = HUB_ENVIRONMENT[name] ?? likely(name);
    if (value !== undefined) process.env[name] = value;
  }
  Object.assign(process.env, HUB_ENVIRONMENT, { ENTANGLE_STUCK_AFTER_SECONDS: String(STUCK_AFTER_SECONDS) });
}
