import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Loan } from '../../core/lending/loan.ts';
import { isAsked } from '../../core/lending/loan.ts';
import { ranked } from '../../core/lending/queue.ts';
import type { PoolId } from '../../core/units.ts';
import { readAccountItems } from './account-store.ts';
import { now } from './clock.ts';
import { queuedKey } from './keys.ts';
import { loansById } from './loan-store.ts';
import type { PriorityRules } from './priority-rules.ts';
import type { QueueTables } from './queue-store.ts';
import { idsInQueue, leaveQueue, mayBeQueued, noteEmpty, usagesOf } from './queue-store.ts';
import { resumeRequest } from './starts.ts';

/** Where requests wait, by which rules they are ranked, and what serves them. */
export interface QueueService {
  readonly tables: QueueTables;
  readonly rules: PriorityRules;
  readonly stepFunctions: SFNClient;
  readonly borrowMachineArn: string;
}

/** Requests that are started at once for one loan that ended: more than it can serve only look in vain. */
const SERVED_AT_ONCE_MAX = 10;

/** The requests in the queues of pools. Queues that nobody has entered since they were found empty are not looked into. */
async function inQueuesOf(pools: readonly PoolId[], tables: QueueTables): Promise<Loan[]> {
  const { accountsTable, loansTable } = tables;
  const items = await readAccountItems(accountsTable, pools.map(queuedKey));
  const ids = await Promise.all(
    pools
      .filter((pool) => mayBeQueued(items, pool))
      .map(async (pool) => {
        const queued = await idsInQueue(accountsTable, pool);
        if (queued.length === 0) await noteEmpty(accountsTable, pool, items);
        return queued;
      }),
  );
  return loansById(loansTable, [...new Set(ids.flat())]);
}

/**
 * Starts the requests that wait for what a loan, or a request, has left free by its end, best first. Each looks again whether others
 * come before it.
 * @param ended a loan that has given its units back, or a request that held its place before others
 * @returns the ids of those that were started
 */
export async function serveWaiting(ended: Loan, service: QueueService): Promise<string[]> {
  const { tables, rules, stepFunctions, borrowMachineArn } = service;
  const lenders = ended.lenderPoolId === undefined ? (ended.waiting?.lenderPoolIds ?? []) : [ended.lenderPoolId];
  const pools = [ended.borrowerPoolId, ...lenders];
  const found = await inQueuesOf(pools, tables);
  const gone = found.filter((each) => !isAsked(each));
  for (const { loanId, waiting } of gone) {
    await leaveQueue(tables.accountsTable, loanId, waiting?.lenderPoolIds ?? pools);
  }
  const waiting = found.filter(({ state }) => state === 'waiting');
  if (waiting.length === 0) return [];
  const usages = await usagesOf(
    tables.accountsTable,
    waiting.map(({ borrowerAccountId }) => borrowerAccountId),
  );
  const order = ranked(waiting, { rules: rules.order, now: now(), usages });
  const started: string[] = [];
  for (const { id } of order.slice(0, SERVED_AT_ONCE_MAX)) {
    const next = waiting.find(({ loanId }) => loanId === id);
    if (next === undefined) continue;
    // What ended gives the occasion, and ends once.
    await resumeRequest(stepFunctions, borrowMachineArn, next, `after-${ended.loanId}`);
    started.push(id);
  }
  return started;
}
