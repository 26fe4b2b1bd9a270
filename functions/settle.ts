import { SchedulerClient } from '@aws-sdk/client-scheduler';
import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import type { Loan } from '../core/lending/loan.ts';
import { settle } from '../core/lending/saga.ts';
import type { LoanEnding } from '../core/trust/loan-evidence.ts';
import { evidenceFromLoan } from '../core/trust/loan-evidence.ts';
import { readAccountItems } from './adapters/account-store.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { cancelExpiry } from './adapters/expiry.ts';
import { consentKey } from './adapters/keys.ts';
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

/** Who recalled a loan by withdrawing its consent, when, and with what notice promised; nothing when neither consent is revoked now. */
async function recallOf({ lenderAccountId, borrowerAccountId, returnReason }: Loan): Promise<LoanEnding> {
  if (returnReason !== 'revoked' || lenderAccountId === undefined) return {};
  const parties = [lenderAccountId, borrowerAccountId];
  const items = await readAccountItems(env.ENTANGLE_ACCOUNTS_TABLE, parties.map(consentKey));
  const revoked = parties.flatMap((account) => items.consent(account) ?? []).find(({ status }) => status === 'revoked');
  if (revoked === undefined) return {};
  const promisedNoticeSeconds = items.consent(lenderAccountId)?.terms.lend?.recallNoticeSeconds;
  return {
    revokedBy: revoked.accountId,
    revokedAt: revoked.madeAt,
    ...(promisedNoticeSeconds === undefined ? {} : { promisedNoticeSeconds }),
  };
}

/** Ends a loan: counters, limits, money, what it shows of both accounts and the audit record in one transaction. */
export const handler = lambda(inputSchema, async ({ snapshot: handed, error, cause }) => {
  const detail = reasonOf(error, cause);
  const ended = async (snapshot: LoanSnapshot): Promise<LoanSnapshot> => {
    if (snapshot.loan.endedAt !== undefined) return snapshot;
    const commit = settle(snapshot, now(), detail);
    const evidence = evidenceFromLoan(commit.loan, await recallOf(commit.loan));
    return commitStep(store, snapshot, { ...commit, evidence });
  };
  const snapshot = await onFreshSnapshot(store, handed, ended);
  const { loan } = snapshot;
  if (loan.dueAt !== undefined && loan.returnReason !== 'expired') {
    await cancelExpiry(scheduler, loan, env.ENTANGLE_SCHEDULE_GROUP);
  }
  return { snapshot };
});
