import * as z from 'zod';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { AccountId, LoanId } from '../../core/units.ts';
import type { Caller, Route } from './http.ts';
import { HttpError } from './http.ts';
import { parse } from './middleware.ts';
import type { RecallRoute } from './recalls.ts';
import { startRecall } from './recalls.ts';
import { startRenewal } from './starts.ts';

/** What the routes about the end of a term need of the function that serves them. */
export interface TermService {
  readonly recalls: RecallRoute;
  /** The loan of the path, which the caller is a party of. */
  readonly ownSnapshot: (caller: Caller) => Promise<LoanSnapshot>;
}

/** Body of `POST /loans/{loanId}/recall`. */
const recallSchema = z.strictObject({ reason: z.string().trim().min(1).max(500).exactOptional() });

/** The lender asks for its units: with the notice that it promised, and not before it has left the loan alone for as long as it said. */
async function recallLoan(caller: Caller, { recalls, ownSnapshot }: TermService): Promise<object> {
  const { loan } = await ownSnapshot(caller);
  const { reason } = parse(recallSchema, caller.body ?? {}, 'body');
  if (loan.lenderAccountId !== caller.accountId) {
    throw new HttpError(
      409,
      'only the lender recalls a loan; its borrower gives it back with POST /loans/{loanId}/return',
    );
  }
  const text = reason === undefined ? 'the lender asks for its units' : `the lender asks for its units: ${reason}`;
  const asked = { by: 'lender-operator', reason: text, actor: caller.userArn } as const;
  const [outcome] = await startRecall([loan.loanId], asked, recalls);
  if (outcome === undefined) throw new HttpError(404, `loan ${loan.loanId} does not exist`);
  if (outcome.outcome === 'refused' || outcome.outcome === 'ended') throw new HttpError(409, outcome.reason);
  return { loanId: loan.loanId, outcome: outcome.outcome, firmAt: outcome.firmAt };
}

/** The borrower asks for a longer term before this one ends. It is decided as at the end of a term (core/lending/term.ts), and shown in the loan. */
async function renewLoan(caller: Caller, { recalls, ownSnapshot }: TermService): Promise<object> {
  const { loan } = await ownSnapshot(caller);
  if (loan.borrowerAccountId !== caller.accountId) {
    throw new HttpError(409, 'only the borrower asks for a longer term');
  }
  if (loan.state !== 'active') throw new HttpError(409, `loan ${loan.loanId} is ${loan.state}, not active`);
  if (loan.lenderAccountId === undefined) {
    throw new HttpError(409, `loan ${loan.loanId} has no lender: its whole term is its own already`);
  }
  await startRenewal(recalls.stepFunctions, recalls.returnMachineArn, loan);
  return { loanId: loan.loanId, renewing: true, dueAt: loan.dueAt ?? null };
}

/** Recalls what an account has lent, because it has revoked its consent. @returns the ids of the loans that are on their way back */
export async function recallLent(
  loanIds: readonly LoanId[],
  lender: AccountId,
  recalls: RecallRoute,
): Promise<LoanId[]> {
  const asked = { by: 'consent-revoked', reason: `the lender ${lender} has revoked its consent` } as const;
  const outcomes = await startRecall(loanIds, asked, recalls);
  return outcomes.flatMap(({ loanId, outcome }) => (outcome === 'refused' || outcome === 'ended' ? [] : [loanId]));
}

export function termRoutes(service: TermService): readonly Route[] {
  return [
    { method: 'POST', path: '/loans/{loanId}/recall', run: (caller) => recallLoan(caller, service) },
    { method: 'POST', path: '/loans/{loanId}/renew', run: (caller) => renewLoan(caller, service) },
  ];
}
