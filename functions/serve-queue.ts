/**
 * What follows when a loan has moved: the next part of its need goes on, parts that came to too little go back, requests that wait
 * for what it frees are looked at again, in their order, and for one that begins to wait loans of lower tiers may be recalled. Each start is idempotent, so the same loan may come here again.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { isOpen } from '../core/lending/loan.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { recallRoute } from './adapters/lender-recalls.ts';
import { LOAN_TABLES, loanStore, loansById } from './adapters/loan-store.ts';
import { lambda, logger } from './adapters/middleware.ts';
import { preemptFor } from './adapters/preemptions.ts';
import { serveWaiting } from './adapters/queue-service.ts';
import { giveBackTooLittle, startRest } from './adapters/request-parts.ts';
import { loanIdSchema, snapshotSchema } from './adapters/schemas.ts';

const env = readEnv(
  ...LOAN_TABLES,
  'ENTANGLE_EVENT_BUS',
  'ENTANGLE_BORROW_STATE_MACHINE_ARN',
  'ENTANGLE_RETURN_STATE_MACHINE_ARN',
  'ENTANGLE_PRIORITY_RULES',
);
const tables = { accountsTable: env.ENTANGLE_ACCOUNTS_TABLE, loansTable: env.ENTANGLE_LOANS_TABLE };
const stepFunctions = new SFNClient({});
const route = {
  loansTable: tables.loansTable,
  stepFunctions,
  borrowMachineArn: env.ENTANGLE_BORROW_STATE_MACHINE_ARN,
  returnMachineArn: env.ENTANGLE_RETURN_STATE_MACHINE_ARN,
};

const queue = { ...route, tables, rules: env.ENTANGLE_PRIORITY_RULES };
const preemptions = {
  ...tables,
  rules: env.ENTANGLE_PRIORITY_RULES,
  recalls: recallRoute(env, loanStore(env), stepFunctions),
};

const inputSchema = z.object({
  loanId: loanIdSchema.optional(),
  /** From a step that has just ended the loan: then nothing has to be read. */
  snapshot: snapshotSchema.optional(),
  /** Of a request that begins to wait: what its lenders could lend of what it needs. */
  lendableUnits: z.int().min(0).default(0),
});

export const handler = lambda(inputSchema, async ({ loanId, snapshot, lendableUnits }) => {
  const loan = snapshot?.loan ?? (await loansById(tables.loansTable, loanId === undefined ? [] : [loanId]))[0];
  if (loan === undefined) return { rest: [], givenBack: [], served: [], recalled: [] };
  const ended = !isOpen(loan);
  // A part that was in use has had its rest started, and counts.
  const wasUsed = ended && loan.activeAt !== undefined;
  const rest = wasUsed ? [] : await startRest(loan, route);
  const givenBack = ended && !wasUsed ? await giveBackTooLittle(loan, route) : [];
  const served = ended ? await serveWaiting(loan, queue) : [];
  const recalled = loan.state === 'waiting' ? await preemptFor(loan, lendableUnits, now(), preemptions) : [];
  logger.info('followed up', { loanId: loan.loanId, state: loan.state, rest, givenBack, served, recalled });
  return { rest, givenBack, served, recalled };
});
