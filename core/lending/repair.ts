import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { invariant } from '../units.ts';
import type { LoanCommit, LoanSnapshot } from './commit.ts';
import type { ForeignChange } from './foreign-change.ts';
import type { Loan } from './loan.ts';
import { auditEventOf } from './loan-audit.ts';
import { loanEventOf } from './loan-event.ts';
import { poolChange } from './saga.ts';

/**
 * Records of an active loan what somebody else has changed and how the books follow it. The loan stays active.
 * @param pool the pool that was changed, as it was read before its group
 * @param takesIn whether this commit changes the pool: the first of those for one change does
 */
export function recordRepair(
  snapshot: LoanSnapshot,
  change: Extract<ForeignChange, { action: 'repair' }>,
  pool: Pool,
  takesIn: boolean,
  at: EpochMillis,
): LoanCommit {
  const { loan } = snapshot;
  invariant(loan.state === 'active', 'only an active loan is repaired');
  const { accountId } = pool.spec;
  const after: Loan = {
    ...loan,
    version: loan.version + 1,
    reasons: [...loan.reasons, { text: change.reason }, { text: change.detail, onlyFor: accountId }],
    ...(change.lenderReservations === undefined ? {} : { lenderReservations: change.lenderReservations }),
  };
  const { ceilingDriftUnits } = change;
  const audit = auditEventOf(after, at);
  return {
    loan: after,
    expectedVersion: loan.version,
    pools: takesIn && ceilingDriftUnits !== undefined ? [poolChange(pool, 'none', { ceilingDriftUnits })] : [],
    consents: [],
    pairs: [],
    usage: [],
    ledger: [],
    audit: {
      ...audit,
      type: 'loan.repaired',
      detail: { ...audit.detail, foreignChange: change.kind, reason: change.reason },
    },
    events: [loanEventOf('Entangle Loan Repaired', after, at, change.reason)],
  };
}
