import { fileURLToPath } from 'node:url';
import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config } from './config-schema.ts';
import { AccountApi } from './constructs/account-api.ts';
import { AlarmIntake } from './constructs/alarm-intake.ts';
import { DataKey } from './constructs/data-key.ts';
import { deadLetterQueue } from './constructs/dead-letters.ts';
import { FunctionBundles } from './constructs/function-bundles.ts';
import { grantPermissions } from './constructs/function-permissions.ts';
import { HistoryBucket } from './constructs/history-bucket.ts';
import { HubFunctions } from './constructs/hub-functions.ts';
import { HubTables } from './constructs/hub-tables.ts';
import { LoanSchedules } from './constructs/loan-schedules.ts';
import { Operations } from './constructs/operations.ts';
import { Timetable } from './constructs/timetable.ts';
import { stateMachineArn, Workflows } from './constructs/workflows.ts';
import type { FunctionName } from './names.ts';
import {
  EVENT_BUS_NAME,
  historyBucketName,
  hubStackName,
  linkedRolePrefix,
  METRICS_NAMESPACE,
  METRICS_SERVICE,
  SCHEDULE_GROUP_NAME,
  tableName,
} from './names.ts';

interface HubStackProps {
  readonly config: Config;
  /** Refuse to delete the tables and the stack. Default: true. */
  readonly deletionProtection?: boolean;
  /** Code of the functions. Default: `functions/<name>.ts`, bundled. */
  readonly codeOf?: (name: FunctionName) => Code;
}

const STATE_MACHINES = fileURLToPath(new URL('../state-machines', import.meta.url));

/** The hub: one account and region, everything that decides and remembers. */
export class HubStack extends Stack {
  constructor(scope: Construct, props: HubStackProps) {
    const { config, deletionProtection = true } = props;
    const { accountId: account, region } = config.hub;
    super(scope, hubStackName(region), {
      env: { account, region },
      description: 'Entangle hub: lends capacity between linked accounts',
      terminationProtection: deletionProtection,
    });
    const bundles = new FunctionBundles();
    const dataKey = new DataKey(this, 'DataKey');
    const deadLetters = deadLetterQueue(this, 'DeadLetters', dataKey);
    const tables = new HubTables(this, 'Tables', { dataKey, deletionProtection });
    const history = new HistoryBucket(this, 'History', { dataKey, bucketName: historyBucketName(account, region) });
    const schedules = new LoanSchedules(this, 'LoanSchedules', dataKey);
    const functions = new HubFunctions(this, 'Functions', {
      codeOf: props.codeOf ?? ((name) => bundles.codeOf(name)),
      environment: this.#environment(config, history, schedules),
      dataKey,
      deadLetters,
    });
    const workflows = new Workflows(this, 'Workflows', { definitions: STATE_MACHINES, dataKey, functions });
    grantPermissions(functions, { dataKey, tables, history, workflows, schedules });
    this.#takeIn(config, functions, workflows, { dataKey, deadLetters });
    new Operations(this, 'Operations', { functions, workflows, deadLetters });
    this.#output(tables, history, workflows);
  }

  /** The ways in: alarms of linked accounts, the clock, and calls of linked accounts. */
  #takeIn(
    config: Config,
    functions: HubFunctions,
    workflows: Workflows,
    shared: { readonly dataKey: DataKey; readonly deadLetters: ReturnType<typeof deadLetterQueue> },
  ): void {
    const linked = [...new Set(config.linkedAccounts.map((account) => account.accountId))].sort();
    new AlarmIntake(this, 'AlarmIntake', {
      ...shared,
      senders: linked,
      onAlarm: functions.get('on-alarm'),
      onRecovery: functions.get('on-recovery'),
    });
    const { planEveryHours, reconcileEveryMinutes, lookAheadEveryMinutes, capacityEveryMinutes } = config.hub;
    new Timetable(this, 'Timetable', {
      ...shared,
      planEveryHours,
      reconcileEveryMinutes,
      lookAheadEveryMinutes,
      capacityEveryMinutes,
      plan: workflows.plan,
      reconcile: functions.get('reconcile'),
      lookAhead: functions.get('look-ahead'),
      measureCapacity: functions.get('measure-capacity'),
    });
    const callers = [...new Set([config.hub.accountId, ...linked])];
    const { api } = new AccountApi(this, 'AccountApi', { ...shared, callers, handler: functions.get('api') });
    new CfnOutput(this, 'ApiUrl', { value: api.url });
    new CfnOutput(this, 'ApiId', { value: api.restApiId });
  }

  #environment(config: Config, history: HistoryBucket, schedules: LoanSchedules): Record<string, string> {
    const { accountId, externalId, stuckAfterSeconds, creditStrength, priorityRules } = config.hub;
    const { lendBy, harmTarget, lookAheadEveryMinutes } = config.hub;
    return {
      ENTANGLE_ACCOUNTS_TABLE: tableName('accounts'),
      ENTANGLE_LOANS_TABLE: tableName('loans'),
      ENTANGLE_LEDGER_TABLE: tableName('ledger'),
      ENTANGLE_AUDIT_TABLE: tableName('audit'),
      ENTANGLE_HISTORY_BUCKET: history.bucket.bucketName,
      ENTANGLE_EVENT_BUS: EVENT_BUS_NAME,
      ENTANGLE_HUB_ACCOUNT_ID: accountId,
      ENTANGLE_BORROW_STATE_MACHINE_ARN: stateMachineArn(this, 'borrow'),
      ENTANGLE_RETURN_STATE_MACHINE_ARN: stateMachineArn(this, 'return'),
      ENTANGLE_PLAN_STATE_MACHINE_ARN: stateMachineArn(this, 'plan'),
      ENTANGLE_SCHEDULER_ROLE_ARN: schedules.role.roleArn,
      ENTANGLE_SCHEDULE_GROUP: SCHEDULE_GROUP_NAME,
      ENTANGLE_EXTERNAL_ID: externalId,
      ENTANGLE_OBSERVE_ROLE_NAME: linkedRolePrefix('Observe', accountId),
      ENTANGLE_ADJUST_ROLE_NAME: linkedRolePrefix('Adjust', accountId),
      ENTANGLE_STUCK_AFTER_SECONDS: String(stuckAfterSeconds),
      // Decimals are never in the notation with an exponent.
      ENTANGLE_CREDIT_STRENGTH: creditStrength === 0 ? '0' : creditStrength.toFixed(6),
      ENTANGLE_PRIORITY_RULES: JSON.stringify(priorityRules),
      ENTANGLE_LEND_BY: lendBy,
      ENTANGLE_HARM_TARGET: harmTarget.toFixed(9),
      ENTANGLE_LOOK_AHEAD_SECONDS: String(lookAheadEveryMinutes * 60),
      POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
      POWERTOOLS_SERVICE_NAME: METRICS_SERVICE,
    };
  }

  #output(tables: HubTables, history: HistoryBucket, workflows: Workflows): void {
    const outputs = {
      AccountsTable: tables.accounts.tableName,
      LoansTable: tables.loans.tableName,
      LedgerTable: tables.ledger.tableName,
      AuditTable: tables.audit.tableName,
      HistoryBucketName: history.bucket.bucketName,
      BorrowStateMachineArn: workflows.borrow.stateMachineArn,
      ReturnStateMachineArn: workflows.return.stateMachineArn,
      PlanStateMachineArn: workflows.plan.stateMachineArn,
      EventBusName: EVENT_BUS_NAME,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
