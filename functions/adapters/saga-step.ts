import { applyCommit } from '../../core/lending/apply.ts';
import type { LoanCommit, LoanSnapshot } from '../../core/lending/commit.ts';
import type { Pool } from '../../core/pool.ts';
import type { LoanStore } from '../../core/ports.ts';
import { StaleSnapshot } from '../../core/ports.ts';

/** Another loan is moving the same pool; the state machine tries the step again a little later. */
export class PoolBusy extends Error {
  override readonly name = 'PoolBusy';
}
/** Instances that the borrower asked for are not in service yet. */
export class InstancesPending extends Error {
  override readonly name = 'InstancesPending';
}
/** Instances of the borrower that must go are still there. */
export class InstancesDraining extends Error {
  override readonly name = 'InstancesDraining';
}
/** Somebody else changed a group between deciding a move and making it. */
export class ForeignChange extends Error {
  override readonly name = 'ForeignChange';
}
/** The lender has come to need what it was about to lend. */
export class LenderNeedsCapacity extends Error {
  override readonly name = 'LenderNeedsCapacity';
}
/** Another execution has gone on with the same request, or its borrower has cancelled it: this one has nothing left to do. */
export class StartedElsewhere extends Error {
  override readonly name = 'StartedElsewhere';
}
/** The borrower's account has no vCPUs left for what it borrowed. */
export class QuotaExceeded extends Error {
  override readonly name = 'QuotaExceeded';
}
/** What one lender could not fill is to go on before this step: a branch of the workflow that costs other loans no state. */
export class RestMissing extends Error {
  override readonly name = 'RestMissing';
}
/** The end of a term is to be decided on before this step: a branch of the workflow that costs other returns no state. */
export class TermEnds extends Error {
  override readonly name = 'TermEnds';
}
/** The loan is not in a state in which this step can be. */
export class StepOutOfOrder extends Error {
  override readonly name = 'StepOutOfOrder';
}

/** Writes one step of a loan and returns the snapshot as it stands then. */
export async function commitStep(store: LoanStore, snapshot: LoanSnapshot, commit: LoanCommit): Promise<LoanSnapshot> {
  const heads = await store.commit(commit, snapshot.heads);
  return { ...applyCommit(snapshot, commit), heads };
}

function movedByAnother(pool: Pool | undefined, snapshot: LoanSnapshot): boolean {
  return pool?.movingLoanId !== undefined && pool.movingLoanId !== snapshot.loan.loanId;
}

/**
 * Runs a step on what the step before handed on, which saves reading it; when that turns out to be out of date, reads it
 * and runs the step once more. A step must therefore look at the state of the loan first.
 * @throws PoolBusy when the step cannot be written because another loan moves one of the pools
 */
export async function onFreshSnapshot(
  store: LoanStore,
  snapshot: LoanSnapshot,
  step: (snapshot: LoanSnapshot) => Promise<LoanSnapshot>,
): Promise<LoanSnapshot> {
  try {
    return await step(snapshot);
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
  }
  const fresh = await store.readSnapshot(snapshot.loan.loanId);
  if (fresh === undefined) throw new StepOutOfOrder(`loan ${snapshot.loan.loanId} does not exist`);
  try {
    return await step(fresh);
  } catch (error) {
    if (!(error instanceof StaleSnapshot)) throw error;
    const busy = [fresh.borrowerPool, fresh.lenderPool].find((pool) => movedByAnother(pool, fresh));
    throw new PoolBusy(
      busy === undefined
        ? error.message
        : `loan ${String(busy.movingLoanId)} is moving ${busy.spec.poolId} at the moment`,
    );
  }
}
