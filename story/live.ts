import type { LoanView } from '../core/lending/disclosure.ts';
import type { StoryAccount } from './accounts.ts';
import { usd } from './facts.ts';
import type { TimeScale } from './time-scale.ts';
import { traceDuration } from './time-scale.ts';

/** Name of an account while the story goes on; its id when it is not one of the story's. */
export function accountName(accounts: readonly StoryAccount[], accountId: string | undefined): string {
  return accounts.find((account) => account.accountId === accountId)?.name ?? accountId ?? 'nobody';
}

const GOING_BACK: ReadonlySet<LoanView['state']> = new Set(['returning', 'reclaimed', 'returned']);

function deed(
  state: LoanView['state'],
  hasLender: boolean,
  { borrower, lender, units }: { readonly borrower: string; readonly lender: string; readonly units: string },
): string {
  if (!hasLender) return `${borrower} asks for ${units}`;
  return GOING_BACK.has(state)
    ? `${borrower} gives ${units} back to ${lender}`
    : `${borrower} borrows ${units} from ${lender}`;
}

/** What a loan has come to, in one line. */
export function loanEvent(loan: LoanView, accounts: readonly StoryAccount[], scale: TimeScale): string {
  const borrower = accountName(accounts, loan.borrowerAccountId);
  const lender = accountName(accounts, loan.lenderAccountId);
  const units = `${loan.units} unit${loan.units === 1 ? '' : 's'}`;
  const who = deed(loan.state, loan.lenderAccountId !== undefined, { borrower, lender, units });
  const detail: Partial<Record<LoanView['state'], string>> = {
    active: `in service, for up to ${traceDuration(scale, loan.termSeconds * 1_000)} of the trace`,
    returning: loan.returnReason ?? '',
    returned: `billed ${usd(loan.billedMicroUsd ?? 0)}`,
    refused: loan.endDetail ?? '',
    failed: loan.endDetail ?? '',
    compensated: loan.endDetail ?? '',
  };
  const more = detail[loan.state] ?? '';
  return `${loan.loanId} is ${loan.state}: ${who}${more === '' ? '' : `, ${more}`}`;
}
