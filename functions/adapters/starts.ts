import type { SFNClient } from '@aws-sdk/client-sfn';
import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { ReturnReason } from '../../core/lending/loan.ts';
import type { EpochMillis, LoanId, PoolId, ResourceType } from '../../core/units.ts';
import { loanIdFor } from './ids.ts';

/** Starts an execution under a name that stands for one intent: a second start of the same intent changes nothing. */
async function startOnce(client: SFNClient, stateMachineArn: string, name: string, input: object): Promise<boolean> {
  try {
    await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
    return true;
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return false;
    throw error;
  }
}

export interface BorrowStart {
  readonly poolId: PoolId;
  readonly alarmName: string;
  readonly resourceType: ResourceType;
  readonly transitionAt: EpochMillis;
}

/**
 * Both ways in, the alarm's event and reconciling, start borrowing here; the name is the pool and the alarm's transition.
 * @param attempt lets an execution that ended without a trace be started again, for the same loan
 */
export async function startBorrow(
  client: SFNClient,
  stateMachineArn: string,
  start: BorrowStart,
  attempt = 0,
): Promise<{ started: boolean; loanId: LoanId }> {
  const loanId = loanIdFor(start.poolId, start.alarmName, start.transitionAt);
  const started = await startOnce(client, stateMachineArn, `borrow-${loanId}-${attempt}`, {
    loanId,
    poolId: start.poolId,
    alarmName: start.alarmName,
    resourceType: start.resourceType,
    transitionAtMillis: start.transitionAt,
  });
  return { started, loanId };
}

/**
 * Starts giving a loan back. The version in the name lets a return that failed half-way be started again once the loan
 * has changed; `attempt` lets it be started again even when it has not. A `snapshot` that was just read saves reading it again.
 */
export async function startReturn(
  client: SFNClient,
  stateMachineArn: string,
  loan: { readonly loanId: LoanId; readonly version: number },
  reason: ReturnReason,
  options: { readonly attempt?: number; readonly snapshot?: LoanSnapshot | undefined } = {},
): Promise<boolean> {
  const { attempt = 0, snapshot } = options;
  const name = `return-${loan.loanId}-v${loan.version}-${attempt}`;
  return startOnce(client, stateMachineArn, name, {
    loanId: loan.loanId,
    reason,
    ...(snapshot === undefined ? {} : { snapshot }),
  });
}
