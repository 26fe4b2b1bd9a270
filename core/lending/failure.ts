import type { AccountId } from '../units.ts';
import type { Loan, LoanReason, LoanState } from './loan.ts';

const WAY_BACK: ReadonlySet<LoanState> = new Set(['returning', 'draining', 'reclaimed']);

/** How far the making of a loan had come, and the account whose group the next step observes and changes. */
function stoppedAt(loan: Loan): { readonly moment: string; readonly account?: AccountId } {
  const { borrowerAccountId, lenderAccountId } = loan;
  const raising = { moment: "before the borrower's ceiling was up", account: borrowerAccountId };
  switch (loan.history.findLast(({ state }) => !WAY_BACK.has(state))?.state) {
    case 'requested':
      return { moment: 'before anything was reserved' };
    case 'reserved':
      if (lenderAccountId === undefined) return raising;
      return {
        moment: `before the lender's ${loan.kind === 'physical' ? 'reserved capacity was lent' : 'ceiling was down'}`,
        account: lenderAccountId,
      };
    case 'taken':
      return raising;
    case 'given':
      return { moment: "before the borrower's instances were in service", account: borrowerAccountId };
    default:
      return { moment: 'after it had become active' };
  }
}

/**
 * Why the making of a loan was undone: the name of the error for both parties, its message for the account that it is about.
 * @param failure `<name of the error>` or `<name of the error>: <message>`
 */
export function failureEnding(loan: Loan, failure: string): Pick<Loan, 'endDetail' | 'reasons'> {
  const { moment, account } = stoppedAt(loan);
  const [errorName = ''] = failure.split(': ', 1);
  const message: LoanReason[] =
    account === undefined || failure === errorName ? [] : [{ text: failure, onlyFor: account }];
  return { endDetail: `stopped ${moment}: ${errorName}`, reasons: [...loan.reasons, ...message] };
}
