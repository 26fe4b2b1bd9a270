import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { LINKED_ROLE_USERS } from '../linked-role-users.ts';
import type { FunctionName, LinkedRoleKind } from '../names.ts';
import { FUNCTION_NAMES } from '../names.ts';
import type { DataKey } from './data-key.ts';
import type { HistoryBucket } from './history-bucket.ts';
import type { HubFunctions } from './hub-functions.ts';
import type { HubTables } from './hub-tables.ts';
import type { LoanSchedules } from './loan-schedules.ts';
import { grantPutPairingEvents } from './pairing-events.ts';
import type { Workflows } from './workflows.ts';

interface Grantors {
  readonly dataKey: DataKey;
  readonly tables: HubTables;
  readonly history: HistoryBucket;
  readonly workflows: Workflows;
  readonly schedules: LoanSchedules;
}

type Grant = (grantee: IGrantable) => void;

/** What several functions may do. */
function groupsOf({
  tables,
}: Grantors): Readonly<Record<'changeLoan' | 'changePairings' | 'readLoans', readonly Grant[]>> {
  return {
    changeLoan: [
      (to) => tables.grantChangeAccounts(to),
      (to) => tables.grantChangeLoans(to),
      (to) => tables.grantAppendAudit(to),
    ],
    changePairings: [
      (to) => tables.grantChangeAccounts(to),
      (to) => tables.grantAppendAudit(to),
      (to) => grantPutPairingEvents(tables, to),
      (to) => tables.grantClearOutbox(to),
    ],
    readLoans: [(to) => tables.grantReadLoans(to), (to) => tables.grantListLoans(to)],
  };
}

/** What the steps of a loan may do, and what follows them. */
function stepGrants(grantors: Grantors) {
  const { tables, workflows, schedules } = grantors;
  const { changeLoan, readLoans } = groupsOf(grantors);
  return {
    assess: [
      ...changeLoan,
      ...readLoans,
      (to) => grantPutPairingEvents(tables, to),
      (to) => tables.grantClearOutbox(to),
      (to) => workflows.grantStart('return', to),
    ],
    choose: changeLoan,
    reserve: [...changeLoan, (to) => tables.grantAppendLedger(to)],
    'move-ceiling': changeLoan,
    activate: [...changeLoan, (to) => schedules.grantSchedule(to)],
    settle: [...changeLoan, (to) => tables.grantAppendLedger(to), (to) => schedules.grantUnschedule(to)],
    renew: [
      ...changeLoan,
      (to) => grantPutPairingEvents(tables, to),
      (to) => tables.grantClearOutbox(to),
      (to) => tables.grantAppendLedger(to),
      (to) => schedules.grantSchedule(to),
      (to) => schedules.grantUnschedule(to),
    ],
    'serve-queue': [
      ...changeLoan,
      ...readLoans,
      (to) => grantPutPairingEvents(tables, to),
      (to) => tables.grantClearOutbox(to),
      (to) => tables.grantClearQueues(to),
      (to) => workflows.grantStart('borrow', to),
      (to) => workflows.grantStart('return', to),
    ],
  } satisfies Partial<Record<FunctionName, readonly Grant[]>>;
}

/** What the steps of a plan may do. */
function planGrants(grantors: Grantors) {
  const { tables, history } = grantors;
  const { changePairings } = groupsOf(grantors);
  return {
    'list-pools': [(to) => tables.grantListPools(to), (to) => history.grantPutPlanLists(to)],
    collect: [
      (to) => tables.grantChangeAccounts(to),
      (to) => tables.grantAppendAudit(to),
      (to) => history.grantChangeHistory(to),
    ],
    forecast: [
      (to) => tables.grantReadAccounts(to),
      (to) => tables.grantPutAccounts(to),
      (to) => history.grantReadHistory(to),
      (to) => history.grantChangeForecasts(to),
    ],
    'judge-pairings': [
      (to) => tables.grantReadAccounts(to),
      (to) => tables.grantPutReliability(to),
      (to) => history.grantReadHistory(to),
      (to) => history.grantReadPredictions(to),
    ],
    pair: [
      (to) => tables.grantListPools(to),
      ...changePairings,
      (to) => history.grantReadPlanLists(to),
      (to) => history.grantPutPredictions(to),
    ],
  } satisfies Partial<Record<FunctionName, readonly Grant[]>>;
}

/** What each function may do: the one place to read it. */
function grantsOf(name: FunctionName, grantors: Grantors): readonly Grant[] {
  const { tables, history, workflows } = grantors;
  const { changeLoan, changePairings, readLoans } = groupsOf(grantors);
  const grants: Record<FunctionName, readonly Grant[]> = {
    'on-alarm': [(to) => workflows.grantStart('borrow', to)],
    'on-recovery': [(to) => tables.grantReadAccounts(to), ...readLoans, (to) => workflows.grantStart('return', to)],
    ...stepGrants(grantors),
    ...planGrants(grantors),
    'look-ahead': [
      (to) => tables.grantListPools(to),
      ...changePairings,
      ...changeLoan,
      ...readLoans,
      (to) => history.grantReadHistory(to),
      (to) => history.grantReadForecasts(to),
      (to) => history.grantReadPlanLists(to),
      (to) => workflows.grantStart('borrow', to),
      (to) => workflows.grantStart('plan', to),
      (to) => workflows.grantStart('return', to),
    ],
    'measure-capacity': [
      (to) => tables.grantListPools(to),
      (to) => tables.grantReadAccounts(to),
      (to) => tables.grantReadLoans(to),
    ],
    reconcile: [
      (to) => tables.grantListPools(to),
      ...changePairings,
      ...changeLoan,
      ...readLoans,
      (to) => tables.grantReadAudit(to),
      (to) => workflows.grantStart('borrow', to),
      (to) => workflows.grantStart('return', to),
    ],
    api: [
      (to) => tables.grantListPools(to),
      (to) => tables.grantChangeLoans(to),
      ...changePairings,
      ...readLoans,
      (to) => tables.grantReadLedger(to),
      (to) => tables.grantReadAudit(to),
      (to) => tables.grantClearQueues(to),
      (to) => workflows.grantStart('borrow', to),
      (to) => workflows.grantStart('return', to),
    ],
  };
  return grants[name];
}

/** Gives every function what it needs, and nothing else; and the plan, whose Maps read their items themselves, its lists. */
export function grantPermissions(functions: HubFunctions, grantors: Grantors): void {
  for (const name of FUNCTION_NAMES) {
    const role = functions.role(name);
    for (const grant of grantsOf(name, grantors)) grant(role);
    if (name !== 'on-alarm') grantors.dataKey.grantUseThroughTables(role);
  }
  grantors.history.grantReadPlanLists(grantors.workflows.plan);
  for (const kind of ['Observe', 'Adjust'] satisfies LinkedRoleKind[]) {
    for (const name of LINKED_ROLE_USERS[kind]) functions.grantAssumeLinkedRole(name, kind);
  }
}
