import type { SFNClient } from '@aws-sdk/client-sfn';
import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { ReturnReason, WatchNeed } from '../../core/lending/loan.ts';
import type { EpochMillis, LoanId, PoolId, ResourceType } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
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

export interface WatchStart {
  readonly poolId: PoolId;
  readonly need: WatchNeed;
  /** End of the pool's last cool-down: what was refused may be asked for again after it. */
  readonly coolDownUntil: EpochMillis | undefined;
  readonly withinMillis: number;
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

/**
 * Starts borrowing for what a pool's demand is doing just now; the name is the pool, the kind and the time within which it is needed:
 * as long as demand goes on so, it is asked for once in that time.
 */
export async function startBorrowWatched(
  client: SFNClient,
  stateMachineArn: string,
  start: WatchStart,
): Promise<{ started: boolean; loanId: LoanId }> {
  const { poolId, need, coolDownUntil = 0, withinMillis } = start;
  const slotAt = epochMillis(Math.floor(need.beforeMillis / withinMillis) * withinMillis);
  const loanId = loanIdFor(poolId, `${need.kind}/${coolDownUntil}`, slotAt);
  const input = { loanId, poolId, resourceType: need.resource, watchNeed: need };
  return { started: await startOnce(client, stateMachineArn, `borrow-${loanId}-0`, input), loanId };
}

/**
 * Goes on with a request that stands already: the next part of a need, or one that waits. `occasion` stands for what gives reason to:
 * the same one starts it once. The first start of a part is named as the part itself says (`startedBy`).
 */
export async function resumeRequest(
  client: SFNClient,
  stateMachineArn: string,
  loan: { readonly loanId: LoanId; readonly borrowerPoolId: PoolId },
  occasion: string,
): Promise<boolean> {
  const input = { loanId: loan.loanId, poolId: loan.borrowerPoolId, resume: true };
  return startOnce(client, stateMachineArn, `borrow-${loan.loanId}-${occasion}`, input);
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

/** Starts deciding, before the end of its term, whether a loan is renewed; once for each version of it. */
export async function startRenewal(
  client: SFNClient,
  stateMachineArn: string,
  loan: { readonly loanId: LoanId; readonly version: number },
): Promise<boolean> {
  const name = `renew-${loan.loanId}-v${loan.version}`;
  return startOnce(client, stateMachineArn, name, { loanId: loan.loanId, reason: 'renew' });
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
