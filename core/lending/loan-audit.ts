import type { AuditEvent } from '../audit/chain.ts';
import type { AccountId, EpochMillis } from '../units.ts';
import type { Loan, LoanState } from './loan.ts';

/** The account whose right or capacity a state change touches: its chain carries the record. */
function concernedAccount(loan: Loan): AccountId {
  const lenderSide: readonly LoanState[] = ['reserved', 'taken', 'returned', 'compensated', 'failed'];
  return lenderSide.includes(loan.state) && loan.lenderAccountId !== undefined
    ? loan.lenderAccountId
    : loan.borrowerAccountId;
}

/** What both parties may read: the record stands in the chain of one of them. */
function auditDetail(loan: Loan): Record<string, string | number | boolean | null> {
  return {
    kind: loan.kind,
    units: loan.units,
    ...(loan.lenderUnits === undefined ? {} : { lenderUnits: loan.lenderUnits }),
    borrowerPoolId: loan.borrowerPoolId,
    lenderPoolId: loan.lenderPoolId ?? null,
    returnReason: loan.returnReason ?? null,
    ...(loan.recall === undefined
      ? {}
      : { recalledBy: loan.recall.by, recallReason: loan.recall.reason, firmAt: loan.recall.firmAt }),
    billedMicroUsd: loan.billedMicroUsd ?? null,
    endDetail: loan.endDetail ?? null,
    ...(concernedAccount(loan) === loan.borrowerAccountId ? ownAuditDetail(loan) : {}),
  };
}

/** What the borrower alone may read, or the lender only where the borrower's consent lets it. */
function ownAuditDetail(loan: Loan): Record<string, string> {
  const { bindingResource, forecastNeed, watchNeed, reasons } = loan;
  // The first reason is why it was asked for.
  const asked = forecastNeed === undefined && watchNeed === undefined ? undefined : reasons[0]?.text;
  return { bindingResource, ...(asked === undefined ? {} : { askedAhead: asked }) };
}

/** The audit record of the state that a loan has just entered. */
export function auditEventOf(loan: Loan, at: EpochMillis): AuditEvent {
  return {
    accountId: concernedAccount(loan),
    type: `loan.${loan.state}`,
    at,
    subject: loan.loanId,
    actor: 'entangle',
    detail: auditDetail(loan),
  };
}
