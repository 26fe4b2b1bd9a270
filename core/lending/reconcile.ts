import type { Consent } from '../consent/consent.ts';
import { invalidity } from '../consent/covers.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis, ResourceType } from '../units.ts';
import { MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { Loan, RecallBy, ReturnReason } from './loan.ts';
import { isOpen, RETURNING_STATES } from './loan.ts';
import type { Recovery } from './recovery.ts';
import { nearsItsEnd } from './term.ts';

export type LoanAction =
  | { readonly action: 'return'; readonly reason: ReturnReason; readonly detail: string }
  | { readonly action: 'recall'; readonly by: RecallBy; readonly reason: string; readonly detail: string }
  | { readonly action: 'renew'; readonly detail: string }
  | { readonly action: 'none'; readonly reason: string };

/** A recalled loan whose return was not begun by then has lost its start. */
const RECALL_BEGINS_SECONDS = 30;

interface Seen {
  readonly loan: Loan;
  readonly borrowerConsent?: Consent | undefined;
  /** Not looked at for a loan without a lender. */
  readonly lenderConsent?: Consent | undefined;
  readonly recovery?: Recovery | undefined;
  readonly now: EpochMillis;
  readonly stuckAfterSeconds: number;
}

/** A loan between two states: repaired when it has stood still for too long, but left the notice in which instances may drain. */
function moveOn({ loan, now, stuckAfterSeconds }: Seen): LoanAction {
  const since = loan.history.at(-1)?.at ?? loan.requestedAt;
  const detail = `${loan.state} since ${since} ms, it is ${now} ms`;
  if (loan.state === 'recalled') {
    return now >= plusMillis(since, RECALL_BEGINS_SECONDS * MILLIS_PER_SECOND)
      ? { action: 'return', reason: 'recalled', detail }
      : { action: 'none', reason: detail };
  }
  // The queue looks after those that wait.
  if (loan.state === 'waiting') return { action: 'none', reason: detail };
  const notice = loan.state === 'draining' ? (loan.recall?.firmAt ?? 0) : 0;
  const stuckAt = Math.max(plusMillis(since, stuckAfterSeconds * MILLIS_PER_SECOND), notice);
  return now >= stuckAt ? { action: 'return', reason: 'repair', detail } : { action: 'none', reason: detail };
}

/**
 * What an ended consent asks of an active loan. A lender that revoked recalls, with the notice that it promised; a borrower that did,
 * and a consent whose end was known, end it now.
 */
function withoutConsent({ loan, borrowerConsent, lenderConsent, now }: Seen): LoanAction | undefined {
  const borrower = invalidity(borrowerConsent, now);
  if (borrower !== undefined) return { action: 'return', reason: 'revoked', detail: `borrower: ${borrower.detail}` };
  const lender = loan.lenderPoolId === undefined ? undefined : invalidity(lenderConsent, now);
  if (lender === undefined) return undefined;
  return lender.code === 'consent-revoked'
    ? { action: 'recall', by: 'consent-revoked', reason: 'the lender has revoked its consent', detail: lender.detail }
    : { action: 'return', reason: 'revoked', detail: `lender: ${lender.detail}` };
}

/**
 * What is to be done about one loan, from what stands in the store. It depends on no event: whatever was lost or crashed is
 * found again here. A term that is over is returned as `expired`; whether it is renewed instead is decided then, or shortly before.
 * @param at.stuckAfterSeconds a loan that is neither active nor ended and has not changed for so long is repaired: it goes back
 */
export function reconcileLoan(at: Seen): LoanAction {
  const { loan, now, recovery } = at;
  if (!isOpen(loan)) return { action: 'none', reason: `the loan has ended: ${loan.state}` };
  if (loan.state !== 'active') return moveOn(at);
  if (loan.dueAt === undefined || now >= loan.dueAt) {
    return {
      action: 'return',
      reason: 'expired',
      detail: `due at ${loan.dueAt ?? 'an unknown moment'} ms, it is ${now} ms`,
    };
  }
  const ended = withoutConsent(at);
  if (ended !== undefined) return ended;
  if (recovery?.recovered === true) return { action: 'return', reason: 'recovered', detail: recovery.reason };
  const reason = recovery?.reason ?? `active until ${loan.dueAt} ms`;
  return nearsItsEnd(loan, now) ? { action: 'renew', detail: reason } : { action: 'none', reason };
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
  const inMaking = own.find((loan) => loan.state !== 'active' && !RETURNING_STATES.includes(loan.state));
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
