/**
 * The steps of a loan while it is only asked for: requested, in the queue, refused or cancelled. As in saga.ts, each returns
 * everything that is to be written.
 */
import type { Pool } from '../pool.ts';
import type { AccountId, EpochMillis, LoanId, PoolId, ResourceType } from '../units.ts';
import { invariant, microUsd } from '../units.ts';
import type { LoanCommit, LoanSnapshot, PoolChange } from './commit.ts';
import type { ForecastNeed, Loan, LoanReason, RequestPart, Waiting, WatchNeed } from './loan.ts';
import { isAsked } from './loan.ts';
import { coolDown, endOfWaiting, enter, poolChange } from './saga.ts';

/** What an alarm or a forecast asks for, once it was found to be needed. */
export interface LoanRequest {
  readonly loanId: LoanId;
  readonly borrowerAccountId: AccountId;
  readonly borrowerPoolId: PoolId;
  readonly units: number;
  readonly bindingResource: ResourceType;
  readonly startedBy: string;
  readonly alarmName?: string;
  readonly alarmTransitionAt?: EpochMillis;
  readonly forecastNeed?: ForecastNeed;
  readonly watchNeed?: WatchNeed;
  readonly inServiceBefore: number;
  readonly request?: RequestPart;
  /** Why so much is needed: figures of the borrower. */
  readonly reason: string;
}

function unborn(request: LoanRequest, at: EpochMillis): Loan {
  const { reason, ...wanted } = request;
  return {
    ...wanted,
    version: 0,
    state: 'requested',
    kind: 'nominal',
    priceMicroUsdPerUnitHour: microUsd(0),
    termSeconds: 0,
    shortestTermSeconds: 0,
    moves: {},
    requestedAt: at,
    reasons: [{ text: reason, onlyFor: wanted.borrowerAccountId }],
    history: [],
  };
}

/** Until when a pool does not ask again. A request by a forecast that is refused must not keep an alarm from asking a moment later. */
function pause(isAhead: boolean, pool: Pool, at: EpochMillis): Pick<PoolChange, 'coolDownUntil' | 'aheadAgainAt'> {
  const cooling = coolDown(pool, at);
  return isAhead && cooling.coolDownUntil !== undefined ? { aheadAgainAt: cooling.coolDownUntil } : cooling;
}

/** Records a request that is needed. */
export function request(wanted: LoanRequest, at: EpochMillis): LoanCommit {
  return enter(unborn(wanted, at), 'requested', at, {});
}

/**
 * Records a request that is refused before any lender is looked for. `wanted.units` is at least 1, even when none are needed.
 * @param coolingPool the borrower's pool, unless it is refused for cooling down already
 * @param isAhead whether a forecast asked
 */
export function refuseAtOnce(
  wanted: LoanRequest,
  detail: string,
  at: EpochMillis,
  coolingPool?: Pool,
  isAhead = wanted.forecastNeed !== undefined,
): LoanCommit {
  return enter(
    unborn(wanted, at),
    'refused',
    at,
    { endDetail: detail, endedAt: at },
    {
      pools: coolingPool === undefined ? [] : [poolChange(coolingPool, 'none', pause(isAhead, coolingPool, at))],
    },
  );
}

/** Ends a request for which nobody can lend and nothing may be provisioned. */
export function refuse(
  snapshot: LoanSnapshot,
  detail: string,
  at: EpochMillis,
  reasons: readonly LoanReason[] = [],
): LoanCommit {
  const { loan, borrowerPool } = snapshot;
  invariant(isAsked(loan), 'only a request can be refused');
  return enter(
    loan,
    'refused',
    at,
    { endDetail: detail, endedAt: at, reasons: [...loan.reasons, ...reasons] },
    {
      pools: [
        poolChange(borrowerPool, 'none', {
          ...pause(loan.forecastNeed !== undefined, borrowerPool, at),
          ...endOfWaiting(loan),
        }),
      ],
    },
  );
}

/** A request for which nobody can lend enough takes its place in the queue: one for each pool. */
export function wait(
  snapshot: LoanSnapshot,
  waiting: Waiting,
  reasons: readonly LoanReason[],
  at: EpochMillis,
): LoanCommit {
  const { loan, borrowerPool } = snapshot;
  invariant(loan.state === 'requested', 'a request begins to wait once');
  invariant(borrowerPool.waitingLoanId === undefined, 'one request waits for a pool');
  return enter(
    loan,
    'waiting',
    at,
    { waiting, reasons: [...loan.reasons, ...reasons] },
    { pools: [poolChange(borrowerPool, 'none', { waiting: 'begin' })] },
  );
}

/**
 * Ends a request by its borrower's wish. The pool does not cool down: a new alarm may ask again at once.
 * @param actor ARN of the principal that wishes it
 */
export function cancel(snapshot: LoanSnapshot, actor: string, at: EpochMillis): LoanCommit {
  const { loan, borrowerPool } = snapshot;
  invariant(isAsked(loan), 'only a request can be cancelled');
  const pools = loan.state === 'waiting' ? [poolChange(borrowerPool, 'none', endOfWaiting(loan))] : [];
  const commit = enter(loan, 'cancelled', at, { endDetail: 'cancelled by its borrower', endedAt: at }, { pools });
  return { ...commit, audit: { ...commit.audit, actor } };
}
