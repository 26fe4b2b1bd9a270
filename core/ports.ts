import type { ChainHead } from './audit/chain.ts';
import type { LoanCommit, LoanSnapshot } from './lending/commit.ts';
import type { LoanId } from './units.ts';

/**
 * What a commit was computed from is no longer what stands in the store: nothing was written. Read again and decide again.
 */
export class StaleSnapshot extends Error {
  override readonly name: string = 'StaleSnapshot';
  /** Every condition that did not hold, in words. */
  readonly conflicts: readonly string[];

  constructor(conflicts: readonly string[]) {
    super(`nothing was written: ${conflicts.join('; ')}`);
    this.conflicts = conflicts;
  }
}

/** A maximum of a consent would have been passed: nothing was written. Trying the same again cannot succeed until use falls. */
export class LimitReached extends StaleSnapshot {
  override readonly name: string = 'LimitReached';
}

/** Where loans, pools, consents, usage, ledger and audit chains are kept. */
export interface LoanStore {
  /**
   * Writes all of a commit or nothing of it.
   * @param heads where the audit chains are believed to end; a wrong head is read again, it does not fail the commit
   * @returns `heads` with the chain that the commit extended
   * @throws LimitReached when only maxima of consents stand in the way, StaleSnapshot when anything else does
   */
  commit(commit: LoanCommit, heads: Readonly<Record<string, ChainHead>>): Promise<Record<string, ChainHead>>;
  /** A loan with the pools that it is between and their accounts' chain heads; undefined when there is no such loan. */
  readSnapshot(loanId: LoanId): Promise<LoanSnapshot | undefined>;
}
