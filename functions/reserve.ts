import * as z from 'zod';
import { reserve } from '../core/lending/saga.ts';
import { LimitReached, StaleSnapshot } from '../core/ports.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda } from './adapters/middleware.ts';
import { commitStep, PoolBusy } from './adapters/saga-step.ts';
import { offerSchema, snapshotSchema } from './adapters/schemas.ts';

const env = readEnv(...LOAN_TABLES);
const store = loanStore(env);

/**
 * Reserves what was chosen: both consents, both pools, the limits, the money, the audit record, in one transaction. When
 * anything it was chosen on has changed, nothing is written and the choice is made again.
 */
export const handler = lambda(z.object({ snapshot: snapshotSchema, offer: offerSchema }), async (input) => {
  const { lender } = input.offer;
  const snapshot = lender === undefined ? input.snapshot : { ...input.snapshot, lenderPool: lender.pool };
  try {
    return { snapshot: await commitStep(store, snapshot, reserve(snapshot, input.offer, now())) };
  } catch (error) {
    if (!(error instanceof StaleSnapshot || error instanceof LimitReached)) throw error;
    const stored = await store.readSnapshot(snapshot.loan.loanId);
    if (stored?.loan.state === 'reserved') return { snapshot: stored };
    throw new PoolBusy(error.message);
  }
});
