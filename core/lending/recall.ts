/** Asking an active loan back before its term is over: by the lender, for a higher need, or because a right has ended. */
import type { EpochMillis, LoanId } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { LoanCommit, LoanSnapshot } from './commit.ts';
import { lenderCoolDown } from './cool-down.ts';
import type { Loan, LoanReason, RecallBy } from './loan.ts';
import { loanEventOf } from './loan-event.ts';
import { enter, poolChange } from './saga.ts';

/** What the lender decides by itself, without need: not before it has left the loan alone for as long as it promised. */
const AT_WILL: ReadonlySet<RecallBy> = new Set(['lender-forecast', 'lender-operator']);

export interface RecallRequest {
  readonly by: RecallBy;
  /** In a sentence that both parties read. */
  readonly reason: string;
  /** Figures of the lender's, for the lender alone. */
  readonly lenderDetail?: string;
  /** The request for which it is recalled: what it frees is meant for that one. */
  readonly heldFor?: LoanId;
  /** ARN of the principal that asks; absent: the hub itself. */
  readonly actor?: string;
}

export interface RecallRefusal {
  /** `early`: it may be recalled later. `not-active`: it is still being made. `over`: it has ended or is on its way back. */
  readonly refused: 'early' | 'not-active' | 'over';
  readonly reason: string;
}

/** From when a lender may recall a loan for a forecast or by hand; undefined while it is not active. */
export function recallableFrom(loan: Loan): EpochMillis | undefined {
  if (loan.activeAt === undefined) return undefined;
  const seconds = loan.recallableFromSeconds ?? loan.shortestTermSeconds;
  return plusMillis(loan.activeAt, seconds * MILLIS_PER_SECOND);
}

/** The end of the notice of a recall asked for now: what was promised, but not beyond the end of the term. */
export function noticeEnd(loan: Loan, askedAt: EpochMillis): EpochMillis {
  const promised = plusMillis(askedAt, (loan.recallNoticeSeconds ?? 0) * MILLIS_PER_SECOND);
  return epochMillis(Math.max(askedAt, Math.min(promised, loan.dueAt ?? promised)));
}

/** Why a loan cannot be recalled now; undefined when it can. A lender whose own alarm fires need not wait for `recallableFrom`. */
export function recallObjection(loan: Loan, by: RecallBy, at: EpochMillis): RecallRefusal | undefined {
  const { loanId, state, dueAt } = loan;
  if (['waiting', 'requested', 'reserved', 'taken', 'given'].includes(state)) {
    return { refused: 'not-active', reason: `loan ${loanId} is ${state}: it can be recalled once it is active` };
  }
  if (state !== 'active') return { refused: 'over', reason: `loan ${loanId} is ${state}, not active` };
  if (dueAt !== undefined && at >= dueAt) {
    return { refused: 'over', reason: `the term of loan ${loanId} ended at ${dueAt} ms, it is ${at} ms` };
  }
  const from = recallableFrom(loan) ?? at;
  if (AT_WILL.has(by) && at < from) {
    return {
      refused: 'early',
      reason: `loan ${loanId} can be recalled from ${from} ms on, it is ${at} ms: its lender promised to leave it alone until then`,
    };
  }
  return undefined;
}

function reasonsOf({ reason, lenderDetail }: RecallRequest, loan: Loan): LoanReason[] {
  const shared = { text: `recalled: ${reason}` };
  return lenderDetail === undefined || loan.lenderAccountId === undefined
    ? [shared]
    : [shared, { text: `recalled: ${lenderDetail}`, onlyFor: loan.lenderAccountId }];
}

/**
 * Recalls an active loan: the notice begins, and both parties are told. A lender that recalls for itself lends nothing from now on
 * until it has cooled down, so that what comes back is not lent again at once. No pool is locked: a recall never waits for another loan.
 */
export function recall(snapshot: LoanSnapshot, asked: RecallRequest, at: EpochMillis): LoanCommit | RecallRefusal {
  const { loan, lenderPool } = snapshot;
  const objection = recallObjection(loan, asked.by, at);
  if (objection !== undefined) return objection;
  const { by, reason, heldFor } = asked;
  const made = { by, reason, askedAt: at, firmAt: noticeEnd(loan, at), ...(heldFor === undefined ? {} : { heldFor }) };
  const changes = { recall: made, reasons: [...loan.reasons, ...reasonsOf(asked, loan)] };
  const pause = lenderPool === undefined ? {} : lenderCoolDown(made, lenderPool, at);
  const pools =
    lenderPool === undefined || Object.keys(pause).length === 0 ? [] : [poolChange(lenderPool, 'none', pause)];
  const commit = enter(loan, 'recalled', at, changes, { pools });
  const audit = asked.actor === undefined ? commit.audit : { ...commit.audit, actor: asked.actor };
  return { ...commit, audit, events: [loanEventOf('Entangle Loan Recalled', commit.loan, at)] };
}

/** Whether a loan was refused rather than recalled. */
export function isRecallRefused(result: LoanCommit | RecallRefusal): result is RecallRefusal {
  return 'refused' in result;
}
