import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-scheduler';
import type { Loan } from '../../core/lending/loan.ts';
import { invariant, MILLIS_PER_SECOND } from '../../core/units.ts';
import type { Env } from './env.ts';

/** Variables that a function needs to schedule how a loan's term ends. */
export const EXPIRY_ROUTE = [
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_SCHEDULER_ROLE_ARN',
  'ENTANGLE_SCHEDULE_GROUP',
] as const;

export interface ExpiryTarget {
  readonly groupName: string;
  readonly stateMachineArn: string;
  /** The role with which the scheduler may start that state machine. */
  readonly roleArn: string;
}

/** Where the schedules of a hub are and what they start. */
export function expiryTarget(env: Env<(typeof EXPIRY_ROUTE)[number]>): ExpiryTarget {
  return {
    groupName: env.ENTANGLE_SCHEDULE_GROUP,
    stateMachineArn: env.ENTANGLE_RETURN_STATE_MACHINE_ARN,
    roleArn: env.ENTANGLE_SCHEDULER_ROLE_ARN,
  };
}

/** `at()` takes whole seconds in UTC, without zone: rounded up, so that a term is never cut short. */
function atExpression(dueAt: number): string {
  const second = Math.ceil(dueAt / MILLIS_PER_SECOND) * MILLIS_PER_SECOND;
  return `at(${new Date(second).toISOString().slice(0, 19)})`;
}

/** A renewed loan has a schedule of its own for each term: the one that has just fired may not be gone yet. */
function scheduleName(loan: Loan, renewals = loan.renewals?.length ?? 0): string {
  return renewals === 0 ? loan.loanId : `${loan.loanId}-${renewals}`;
}

/**
 * Schedules the return of an active loan at the end of its term, once: a schedule that exists already is the same one.
 * EventBridge Scheduler keeps a minute's precision on AWS; reconciling finds a loan whose schedule was lost.
 */
export async function scheduleExpiry(client: SchedulerClient, loan: Loan, target: ExpiryTarget): Promise<void> {
  invariant(loan.dueAt !== undefined, 'an active loan has the end of its term');
  try {
    await client.send(
      new CreateScheduleCommand({
        Name: scheduleName(loan),
        GroupName: target.groupName,
        ScheduleExpression: atExpression(loan.dueAt),
        ScheduleExpressionTimezone: 'UTC',
        FlexibleTimeWindow: { Mode: 'OFF' },
        ActionAfterCompletion: 'DELETE',
        Target: {
          Arn: target.stateMachineArn,
          RoleArn: target.roleArn,
          Input: JSON.stringify({ loanId: loan.loanId, reason: 'expired' }),
        },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConflictException)) throw error;
  }
}

/** Removes the schedule of a loan that ended before its term; one that has fired is gone already. */
export async function cancelExpiry(client: SchedulerClient, loan: Loan, groupName: string): Promise<void> {
  await remove(client, scheduleName(loan), groupName);
}

/** Schedules the new end of a renewed loan, then removes what was scheduled for the old one. */
export async function moveExpiry(client: SchedulerClient, loan: Loan, target: ExpiryTarget): Promise<void> {
  const { length } = loan.renewals ?? [];
  await scheduleExpiry(client, loan, target);
  if (length > 0) await remove(client, scheduleName(loan, length - 1), target.groupName);
}

async function remove(client: SchedulerClient, name: string, groupName: string): Promise<void> {
  try {
    await client.send(new DeleteScheduleCommand({ Name: name, GroupName: groupName }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  }
}
