import type { SFNClient } from '@aws-sdk/client-sfn';
import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { ReturnReason } from '../../core/lending/loan.ts';
import type { EpochMillis, LoanId, PoolId, ResourceType } from '../../core/units.ts';
import { loanIdFor, sha256Hex } from './ids.ts';

const NAME_HEX_DIGITS = 24;

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
 * Both ways in of an alarm, its event and reconciling, start borrowing here; the name is the pool and the alarm's transition.
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

export interface AheadStart {
  readonly poolId: PoolId;
  readonly resourceType: ResourceType;
  /** Start of the forecast slot that asks. */
  readonly slotAt: EpochMillis;
  /** End of the pool's last cool-down: a slot whose request was refused may ask again after it. */
  readonly coolDownUntil: EpochMillis | undefined;
}

/** Starts borrowing before an alarm; the name is the pool and the slot of its forecast. */
export async function startBorrowAhead(
  client: SFNClient,
  stateMachineArn: string,
  start: AheadStart,
): Promise<{ started: boolean; loanId: LoanId }> {
  const { poolId, resourceType, slotAt, coolDownUntil = 0 } = start;
  const loanId = loanIdFor(poolId, `forecast/${coolDownUntil}`, slotAt);
  const input = { loanId, poolId, resourceType, forecastSlotMillis: slotAt };
  return { started: await startOnce(client, stateMachineArn, `borrow-${loanId}-0`, input), loanId };
}

/** Pools that one execution plans anew: their ids stay far below the 256 KB of its input. */
const REPLANNED_POOLS_MAX = 500;

/**
 * Starts planning some pools anew, with the buckets that they are paired in; the name is the pools and the moment.
 * @returns how many executions were started
 */
export async function startPlanFor(
  client: SFNClient,
  stateMachineArn: string,
  poolIds: readonly PoolId[],
  at: EpochMillis,
): Promise<number> {
  let started = 0;
  for (let first = 0; first < poolIds.length; first += REPLANNED_POOLS_MAX) {
    const some = poolIds.slice(first, first + REPLANNED_POOLS_MAX);
    const name = `replan-${at}-${sha256Hex(some.join('\n')).slice(0, NAME_HEX_DIGITS)}`;
    if (await startOnce(client, stateMachineArn, name, { poolIds: some })) started += 1;
  }
  return started;
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
