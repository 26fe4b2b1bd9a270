import type { Consent } from '../consent/consent.ts';
import { invalidity } from '../consent/covers.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis, ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { Loan, ReturnReason } from './loan.ts';
import { isOpen } from './loan.ts';
import type { Recovery } from './recovery.ts';

export type LoanAction =
  | { readonly action: 'return'; readonly reason: ReturnReason; readonly detail: string }
  | { readonly action: 'none'; readonly reason: string };

/** Why a consent ends an active loan now. A lender that revoked keeps the notice that it promised. */
function recalled(side: 'lender' | 'borrower', consent: Consent | undefined, now: EpochMillis): string | undefined {
  const invalid = invalidity(consent, now);
  if (invalid === undefined) return undefined;
  const notice = side === 'lender' && invalid.code === 'consent-revoked' ? consent?.terms.lend?.recallNoticeSeconds : 0;
  if (consent !== undefined && now < plusMillis(consent.madeAt, (notice ?? 0) * MILLIS_PER_SECOND)) return undefined;
  return `${side}: ${invalid.detail}`;
}

/**
 * What is to be done about one loan, from what stands in the store. It depends on no event: whatever was lost or crashed is
 * found again here.
 * @param at.stuckAfterSeconds a loan that is neither active nor ended and has not changed for so long is repaired: it goes back
 */
export function reconcileLoan(at: {
  readonly loan: Loan;
  readonly borrowerConsent?: Consent | undefined;
  /** Not looked at for a loan without a lender. */
  readonly lenderConsent?: Consent | undefined;
  readonly recovery?: Recovery | undefined;
  readonly now: EpochMillis;
  readonly stuckAfterSeconds: number;
}): LoanAction {
  const { loan, now, recovery } = at;
  if (!isOpen(loan)) return { action: 'none', reason: `the loan has ended: ${loan.state}` };
  if (loan.state !== 'active') {
    const since = loan.history.at(-1)?.at ?? loan.requestedAt;
    const detail = `${loan.state} since ${since} ms, it is ${now} ms`;
    return now >= plusMillis(since, at.stuckAfterSeconds * MILLIS_PER_SECOND)
      ? { action: 'return', reason: 'repair', detail }
      : { action: 'none', reason: detail };
  }
  if (loan.dueAt === undefined || now >= loan.dueAt) {
    return {
      action: 'return',
      reason: 'expired',
      detail: `due at ${loan.dueAt ?? 'an unknown moment'} ms, it is ${now} ms`,
    };
  }
  const recall =
    recalled('borrower', at.borrowerConsent, now) ??
    (loan.lenderPoolId === undefined ? undefined : recalled('lender', at.lenderConsent, now));
  if (recall !== undefined) return { action: 'return', reason: 'revoked', detail: recall };
  if (recovery?.recovered === true) return { action: 'return', reason: 'recovered', detail: recovery.reason };
  return { action: 'none', reason: recovery?.reason ?? `active until ${loan.dueAt} ms` };
}

/** An alarm that is in ALARM now, and since when. */
export interface FiringAlarm {
  readonly alarmName: string;
  readonly resourceType: ResourceType;
  readonly transitionAtMillis: EpochMillis;
}

export type PoolAction =
  | { readonly action: 'borrow'; readonly alarm: FiringAlarm; readonly reason: string }
  | { readonly action: 'none'; readonly reason: string };

/**
 * Whether a pool has an alarm that nobody answered. One alarm at a time: the need is computed over all resource types anyway.
 *
 * An alarm that stays in ALARM over the end of a loan never changes its state again, so it asks anew when the cool-down
 * after that end is over: the end of the cool-down then stands for the transition, and makes one request, not one a run.
 * @param at.openLoans loans of the pool as a borrower; a start for a transition that has had its loan already is idempotent
 */
export function reconcilePool(at: {
  readonly pool: Pool;
  readonly alarmsInAlarm: readonly FiringAlarm[];
  readonly openLoans: readonly Loan[];
  readonly now: EpochMillis;
}): PoolAction {
  const { pool, now } = at;
  const { coolDownUntil } = pool;
  if (at.alarmsInAlarm.length === 0) return { action: 'none', reason: 'no alarm is in ALARM' };
  if (coolDownUntil !== undefined && now < coolDownUntil) {
    return { action: 'none', reason: `the pool cools down until ${coolDownUntil} ms` };
  }
  const own = at.openLoans.filter((loan) => loan.borrowerPoolId === pool.spec.poolId && isOpen(loan));
  const inMaking = own.find((loan) => loan.state !== 'active');
  if (inMaking !== undefined) return { action: 'none', reason: `${inMaking.loanId} is ${inMaking.state}` };
  const oldestFirst = [...at.alarmsInAlarm].sort(
    (a, b) => a.transitionAtMillis - b.transitionAtMillis || (a.alarmName < b.alarmName ? -1 : 1),
  );
  for (const alarm of oldestFirst) {
    const asksAnew = coolDownUntil !== undefined && alarm.transitionAtMillis < coolDownUntil;
    const transitionAtMillis = asksAnew ? coolDownUntil : alarm.transitionAtMillis;
    const answered = own.some(
      (loan) => loan.alarmName === alarm.alarmName && loan.alarmTransitionAt === transitionAtMillis,
    );
    if (answered) continue;
    const reason = asksAnew
      ? `${alarm.alarmName} is in ALARM still after the cool-down that ended at ${coolDownUntil} ms`
      : `no loan answers ${alarm.alarmName}, in ALARM since ${transitionAtMillis} ms`;
    return { action: 'borrow', alarm: { ...alarm, transitionAtMillis }, reason };
  }
  return { action: 'none', reason: 'each alarm in ALARM has its loan' };
}
