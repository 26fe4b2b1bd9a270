/** Between a ceiling that is down and instances that are gone. */
import type { EpochMillis } from '../units.ts';
import { invariant } from '../units.ts';
import type { LoanCommit, LoanSnapshot } from './commit.ts';
import { borrowerCoolDown } from './cool-down.ts';
import type { Loan, ReturnReason } from './loan.ts';
import { borrowerCounters, enter, poolChange } from './saga.ts';

/** What a borrower itself, or the lack of need, ends: its protected instances may use the term that it pays for. */
const OWN_PACE: ReadonlySet<ReturnReason> = new Set(['recovered', 'requested-by-owner']);

/**
 * From when instances that are protected from scale-in, or wait in a termination hook, go all the same: the end of the notice of a
 * recalled loan, the end of the term of one that the borrower gives back early, and at once in any other case, since the end of a
 * term was known from its beginning. Undefined: the loan is not on its way back.
 */
export function firmAtOf(loan: Loan): EpochMillis | undefined {
  const began = loan.history.find(({ state }) => state === 'returning')?.at;
  if (loan.recall !== undefined) return loan.recall.firmAt;
  if (began === undefined) return undefined;
  const ownPace = loan.returnReason !== undefined && OWN_PACE.has(loan.returnReason);
  return ownPace && loan.dueAt !== undefined && loan.dueAt > began ? loan.dueAt : began;
}

/**
 * The borrower's ceiling is down, but instances above it are still going. Its pool is free for other loans: it may have to borrow
 * elsewhere while they drain. The lender's ceiling stays down until they are gone.
 */
export function drain(snapshot: LoanSnapshot, at: EpochMillis): LoanCommit {
  const { loan, borrowerPool, lenderPool } = snapshot;
  invariant(loan.state === 'returning', 'a loan drains once its return has begun');
  const changes = { ...borrowerCounters(loan), ...borrowerCoolDown(loan, borrowerPool, lenderPool, at) };
  return enter(loan, 'draining', at, {}, { pools: [poolChange(borrowerPool, 'release', changes)] });
}
