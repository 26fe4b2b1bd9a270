import { SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import { settle } from '../core/lending/saga.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { cancelExpiry } from './adapters/expiry.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda } from './adapters/middleware.ts';
import { commitStep, onFreshSnapshot } from './adapters/saga-step.ts';
import { snapshotSchema } from './adapters/schemas.ts';

const env = readEnv(...LOAN_TABLES, 'ENTANGLE_SCHEDULE_GROUP');
const scheduler = new SchedulerClient({});
const store = loanStore(env);

const inputSchema = z.object({
  snapshot: snapshotSchema,
  /** Why the making of the loan was undone, when it was: as Step Functions caught it. */
  error: z.string().optional(),
  cause: z.string().optional(),
});

/** The message of a function's failure without its stack; a time-out and the like have no message. */
function reasonOf(error: string | undefined, cause: string | undefined): string | undefined {
  if (error === undefined) return undefined;
  const failure = z.object({ errorMessage: z.string() });
  try {
    return `${error}: ${failure.parse(JSON.parse(cause ?? '')).errorMessage}`;
  } catch {
    return error;
  }
}

/** Ends a loan: counters, limits, money and the audit record in one transaction. */
export const handler = lambda(inputSchema, async ({ snapshot: handed, error, cause }) => {
  const detail = reasonOf(error, cause);
  const ended = async (snapshot: LoanSnapshot): Promise<LoanSnapshot> =>
    snapshot.loan.endedAt === undefined ? commitStep(store, snapshot, settle(snapshot, now(), detail)) : snapshot;
  const snapshot = await onFreshSnapshot(store, handed, ended);
  const { loan } = snapshot;
  if (loan.dueAt !== undefined && loan.returnReason !== 'expired') {
    await cancelExpiry(scheduler, loan, env.ENTANGLE_SCHEDULE_GROUP);
  }
  return { snapshot };
});
