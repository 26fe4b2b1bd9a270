import type { Loan } from '../../core/lending/loan.ts';
import { StaleSnapshot } from '../../core/ports.ts';
import { loansById } from './loan-store.ts';

/**
 * A change of a group has no condition, unlike every write of ours: a step that was started twice, and comes when its loan has gone
 * on, must not make it. To be called just before the change:
 *
 *     this step: reserved ──────────────────── take? the loan is v6 by now  ✗
 *     a repeat:  reserved ─ take ─ … ─ returned
 *
 * @throws StaleSnapshot when the loan is no longer at the version that the step was handed
 */
export async function assertCurrent(loansTable: string, { loanId, version }: Loan): Promise<void> {
  const [stored] = await loansById(loansTable, [loanId]);
  if (stored?.version === version) return;
  throw new StaleSnapshot([`loan ${loanId} is at version ${String(stored?.version)}, not ${version}`]);
}
