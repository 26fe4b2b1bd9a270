/**
 * What keeps a loan from going back and forth. A recalled borrower may ask elsewhere at once, but not the same lender; a lender that
 * asked for its units lends none for a while.
 */
import type { Pool } from '../pool.ts';
import type { EpochMillis, PoolId } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { PoolChange } from './commit.ts';
import type { Loan, RecallBy } from './loan.ts';

/** Recalls for which a lender needs its units itself, or says so. */
const FOR_THE_LENDER: ReadonlySet<RecallBy> = new Set(['lender-alarm', 'lender-forecast', 'lender-operator']);

function later(at: EpochMillis, seconds: number): EpochMillis {
  return plusMillis(at, seconds * MILLIS_PER_SECOND);
}

/** Pairs of a borrower's pool that still cool down, with one more. Those whose time is over are left out: the item stays small. */
function partnersCooling(pool: Pool, lender: Pool, until: EpochMillis, at: EpochMillis): Record<PoolId, EpochMillis> {
  const still = Object.entries(pool.partnerCoolDowns ?? {}).filter(([, end]) => end > at);
  return { ...Object.fromEntries(still), [lender.spec.poolId]: until };
}

/**
 * The cool-down of the borrower's pool once its ceiling is down. It asks for nothing during `coolDownSeconds` after a return; but a
 * recalled borrower has lost what it still needed: its alarm asks anew at once, only not the lender that recalled.
 */
export function borrowerCoolDown(
  loan: Loan,
  borrowerPool: Pool,
  lenderPool: Pool | undefined,
  at: EpochMillis,
): Pick<PoolChange, 'coolDownUntil' | 'partnerCoolDowns'> {
  const { recall } = loan;
  if (recall === undefined || lenderPool === undefined) {
    return { coolDownUntil: later(at, borrowerPool.spec.coolDownSeconds) };
  }
  const seconds = Math.max(borrowerPool.spec.coolDownSeconds, lenderPool.spec.coolDownSeconds);
  const until = later(epochMillis(Math.max(at, recall.firmAt)), seconds);
  return { coolDownUntil: at, partnerCoolDowns: partnersCooling(borrowerPool, lenderPool, until, at) };
}

/** Until when a lender that asked for its units lends none; nothing for a recall that it did not ask for. */
export function lenderCoolDown(
  recall: Loan['recall'],
  lenderPool: Pool,
  at: EpochMillis,
): Pick<PoolChange, 'lendAgainAt'> {
  if (recall === undefined || !FOR_THE_LENDER.has(recall.by)) return {};
  const from = Math.max(at, recall.firmAt, lenderPool.lendAgainAt ?? 0);
  const until = later(epochMillis(Math.max(at, recall.firmAt)), lenderPool.spec.coolDownSeconds);
  return { lendAgainAt: epochMillis(Math.max(from, until)) };
}

/**
 * Why this lender makes no loan to this borrower for a while after a recall; undefined when none of them cools down. Both parties may
 * read it: each knows of the recall.
 */
export function coolingPair(borrowerPool: Pool, lenderPool: Pool, now: EpochMillis): string | undefined {
  const { lendAgainAt } = lenderPool;
  if (lendAgainAt !== undefined && now < lendAgainAt) {
    return `it has recalled its units and lends none until ${lendAgainAt} ms, it is ${now} ms`;
  }
  const until = borrowerPool.partnerCoolDowns?.[lenderPool.spec.poolId];
  return until !== undefined && now < until
    ? `a loan between the two was recalled: the pair cools down until ${until} ms, it is ${now} ms`
    : undefined;
}
