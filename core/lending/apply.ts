import type { Pool } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import { invariant } from '../units.ts';
import type { LoanCommit, LoanSnapshot, PoolChange } from './commit.ts';

/** A pool after a committed change. */
export function applyPoolChange(pool: Pool, change: PoolChange, loanId: string): Pool {
  const { movingLoanId, waitingLoanId, ...rest } = pool;
  const stillMoving = change.moving === 'acquire' || change.moving === 'held' ? loanId : undefined;
  const moving = change.moving === 'none' ? movingLoanId : stillMoving;
  const waiting = change.waiting === 'begin' ? loanId : change.waiting === 'end' ? undefined : waitingLoanId;
  const after: Pool = {
    ...rest,
    version: pool.version + 1,
    lentUnits: pool.lentUnits + (change.lentUnits ?? 0),
    borrowedUnits: pool.borrowedUnits + (change.borrowedUnits ?? 0),
    provisionedUnits: pool.provisionedUnits + (change.provisionedUnits ?? 0),
    ...(change.coolDownUntil === undefined ? {} : { coolDownUntil: change.coolDownUntil }),
    ...(change.aheadAgainAt === undefined ? {} : { aheadAgainAt: change.aheadAgainAt }),
    ...(change.partnerCoolDowns === undefined ? {} : { partnerCoolDowns: change.partnerCoolDowns }),
    ...(change.lendAgainAt === undefined ? {} : { lendAgainAt: change.lendAgainAt }),
    ...(change.ceilingDriftUnits === undefined ? {} : { ceilingDriftUnits: change.ceilingDriftUnits }),
    ...(moving === undefined ? {} : { movingLoanId: moving }),
    ...(waiting === undefined ? {} : { waitingLoanId: waiting }),
  };
  invariant(
    after.lentUnits >= 0 && after.borrowedUnits >= 0 && after.provisionedUnits >= 0,
    `what is lent, borrowed and provisioned in ${pool.spec.poolId} is never negative`,
  );
  invariant(ceilingUnits(after) >= 0, `the ceiling of ${pool.spec.poolId} is never negative`);
  return after;
}

/** The snapshot as it stands after its commit was written: the next step needs no read. */
export function applyCommit(snapshot: LoanSnapshot, commit: LoanCommit): LoanSnapshot {
  const after = (pool: Pool): Pool => {
    const change = commit.pools.find((candidate) => candidate.poolId === pool.spec.poolId);
    return change === undefined ? pool : applyPoolChange(pool, change, commit.loan.loanId);
  };
  return {
    ...snapshot,
    loan: commit.loan,
    borrowerPool: after(snapshot.borrowerPool),
    ...(snapshot.lenderPool === undefined ? {} : { lenderPool: after(snapshot.lenderPool) }),
  };
}
