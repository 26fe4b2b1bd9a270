import type { ResourceType } from '../core/units.ts';

/** The Lambda functions, by the name of their file in `functions/`. */
export const FUNCTION_NAMES = [
  'on-alarm',
  'on-recovery',
  'assess',
  'choose',
  'reserve',
  'move-ceiling',
  'activate',
  'settle',
  'renew',
  'serve-queue',
  'list-pools',
  'collect',
  'forecast',
  'judge-pairings',
  'pair',
  'look-ahead',
  'measure-capacity',
  'reconcile',
  'api',
] as const;
export type FunctionName = (typeof FUNCTION_NAMES)[number];

export const TABLE_KINDS = ['accounts', 'loans', 'ledger', 'audit'] as const;
export type TableKind = (typeof TABLE_KINDS)[number];

export const STATE_MACHINE_KINDS = ['borrow', 'return', 'plan'] as const;
export type StateMachineKind = (typeof STATE_MACHINE_KINDS)[number];

/** What the hub may do in a linked account: look, or change the size of tagged groups. */
export type LinkedRoleKind = 'Observe' | 'Adjust';

/** Where the functions count loans by the states they enter. */
export const METRICS_NAMESPACE = 'Entangle';
export const METRICS_SERVICE = 'entangle';

export const EVENT_BUS_NAME = 'entangle';
export const SCHEDULE_GROUP_NAME = 'entangle-loans';
export const FORWARD_RULE_NAME = 'entangle-forward-alarms';
/** Prefix of the utilisation alarms. No other alarm may carry it: its state changes would ask for loans. */
export const ALARM_NAME_PREFIX = 'entangle/';
/** Prefix of the alarms that tell of low utilisation: they never ask for a loan, only whether one may go back. */
export const LOW_ALARM_NAME_PREFIX = 'entangle-low/';
/** The owner of a group sets this tag; without it the hub cannot change the group. */
export const LENDING_TAG = { key: 'entangle:lending', value: 'enabled' } as const;

/** Longest group name for which `alarmName` stays within CloudWatch's 255 characters for every resource type. */
export const GROUP_NAME_CHARACTERS_MAX = 255 - LOW_ALARM_NAME_PREFIX.length - '/storage'.length;

export const functionName = (name: FunctionName): string => `entangle-${name}`;
export const tableName = (kind: TableKind): string => `entangle-${kind}`;
export const stateMachineName = (kind: StateMachineKind): string => `entangle-${kind}`;

/** Role names are global in an account, so each carries its region. */
export const functionRoleName = (name: FunctionName, hubRegion: string): string => `Entangle-${hubRegion}-${name}`;

/**
 * Prefix of the name of a role in a linked account, as the hub's functions get it; the full name has the region of the
 * group at its end. The hub's account id keeps several hubs apart.
 */
export const linkedRolePrefix = (kind: LinkedRoleKind, hubAccountId: string): string =>
  `Entangle${kind}-${hubAccountId}`;

/** Name of a role in a linked account, for the groups of one region. */
export const linkedRoleName = (kind: LinkedRoleKind, hubAccountId: string, region: string): string =>
  `${linkedRolePrefix(kind, hubAccountId)}-${region}`;

/** Name of the role with which EventBridge forwards alarm events from one region of a linked account. */
export const forwardRoleName = (hubAccountId: string, region: string): string =>
  `EntangleForward-${hubAccountId}-${region}`;

/** `entangle/<group>/<resource type>`. */
export const alarmName = (groupName: string, type: ResourceType): string => `${ALARM_NAME_PREFIX}${groupName}/${type}`;

/** `entangle-low/<group>/<resource type>`. */
export const lowAlarmName = (groupName: string, type: ResourceType): string =>
  `${LOW_ALARM_NAME_PREFIX}${groupName}/${type}`;

/** Bucket names are global over all accounts. */
export const historyBucketName = (hubAccountId: string, hubRegion: string): string =>
  `entangle-history-${hubAccountId}-${hubRegion}`;

export const hubStackName = (region: string): string => `EntangleHub-${region}`;
export const linkedAccountStackName = (accountId: string, region: string): string =>
  `EntangleLinked-${accountId}-${region}`;
export const sampleWorkloadStackName = (accountId: string, region: string): string =>
  `EntangleSample-${accountId}-${region}`;

export const eventBusArn = (hubAccountId: string, hubRegion: string, partition: string): string =>
  `arn:${partition}:events:${hubRegion}:${hubAccountId}:event-bus/${EVENT_BUS_NAME}`;
