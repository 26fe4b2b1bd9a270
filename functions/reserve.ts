import * as z from 'zod';
import type { LoanSnapshot } from '../core/lending/commit.ts';
import { isAsked } from '../core/lending/loan.ts';
import { reservePart } from '../core/lending/parts.ts';
import { LimitReached, StaleSnapshot } from '../core/ports.ts';
import type { LoanId } from '../core/units.ts';
import { now } from './adapters/clock.ts';
import { readEnv } from './adapters/env.ts';
import { partIdFor } from './adapters/ids.ts';
import { LOAN_TABLES, loanStore } from './adapters/loan-store.ts';
import { lambda } from './adapters/middleware.ts';
import { commitStep, PoolBusy, StartedElsewhere } from './adapters/saga-step.ts';
import { offerSchema, snapshotSchema } from './adapters/schemas.ts';

const env = readEnv(...LOAN_TABLES);
const store = loanStore(env);

/** The id of the part that would come after this one. */
function nextPart({ loanId, request }: LoanSnapshot['loan']): LoanId {
  return partIdFor(request?.requestId ?? loanId, (request?.part ?? 1) + 1);
}

/**
 * Reserves what was chosen: both consents, both pools, the limits, the money, the audit records and the request for what is missing
 * still, in one transaction. When anything it was chosen on has changed, nothing is written and the choice is made again; when another
 * execution has gone on with the same request, or it was cancelled, this one ends.
 */
export const handler = lambda(z.object({ snapshot: snapshotSchema, offer: offerSchema }), async (input) => {
  const { lender, restUnits = 0 } = input.offer;
  const snapshot = lender === undefined ? input.snapshot : { ...input.snapshot, lenderPool: lender.pool };
  const { loanId, startedBy } = snapshot.loan;
  const restLoanId = nextPart(snapshot.loan);
  const rest = restUnits > 0 ? { rest: restLoanId } : {};
  try {
    const reserved = await commitStep(store, snapshot, reservePart(snapshot, input.offer, restLoanId, now()));
    return { snapshot: reserved, ...rest };
  } catch (error) {
    if (!(error instanceof StaleSnapshot || error instanceof LimitReached)) throw error;
    const stored = await store.readSnapshot(loanId);
    if (stored?.loan.state === 'reserved' && stored.loan.startedBy === startedBy) return { snapshot: stored, ...rest };
    if (stored !== undefined && !isAsked(stored.loan)) {
      throw new StartedElsewhere(`loan ${loanId} is ${stored.loan.state} already, by ${stored.loan.startedBy}`);
    }
    throw new PoolBusy(error.message);
  }
});
