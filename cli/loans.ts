import type { LoanView } from '../core/lending/disclosure.ts';
import type { CommandFlags, Output } from './commands.ts';
import type { HubApi } from './hub-api.ts';
import { UsageError } from './usage.ts';

const USAGE =
  'entangle loans [LOAN-ID] [--open], entangle loans recall LOAN-ID [--reason TEXT] or entangle loans renew LOAN-ID';

const timeText = (at: number): string => new Date(at).toISOString();

/** How the loan came to, or comes to, its end. */
function endText({ endDetail, recall, renewals = [], dueAt, state }: LoanView): string {
  const parts = [
    ...(renewals.length === 0 ? [] : [`renewed ${renewals.length === 1 ? 'once' : `${renewals.length} times`}`]),
    ...(state === 'active' && dueAt !== undefined ? [`until ${timeText(dueAt)}`] : []),
    ...(recall === undefined
      ? []
      : [`recalled (${recall.by}), firm from ${timeText(recall.firmAt)}: ${recall.reason}`]),
    ...(endDetail === undefined ? [] : [endDetail]),
  ];
  return parts.map((part) => `  ${part}`).join('');
}

function loanLine(loan: LoanView): string {
  const parties = `${loan.lenderAccountId ?? 'provisioned'} → ${loan.borrowerAccountId}`;
  const standIn = loan.lenderUnits === undefined ? '' : ` for ${loan.lenderUnits} of the lender's`;
  return `${loan.loanId}  ${loan.state.padEnd(11)}  ${parties}  ${loan.units} units${standIn}, ${loan.kind}  ${timeText(loan.requestedAt)}${endText(loan)}`;
}

async function change(api: HubApi, action: 'recall' | 'renew', loanId: string, reason?: string): Promise<Output> {
  if (action === 'recall') {
    const answer = await api.recallLoan(loanId, reason);
    return {
      json: { loanId, ...answer },
      text: `${loanId} is ${answer.outcome}, firm from ${timeText(answer.firmAt)}`,
    };
  }
  const { dueAt } = await api.renewLoan(loanId);
  const until = dueAt === null ? '' : `; its term ends at ${timeText(dueAt)} until then`;
  return { json: { loanId, dueAt }, text: `${loanId}: a longer term is being decided${until}` };
}

/** Lists, shows, recalls or renews loans. @throws UsageError */
export async function loans(api: HubApi, args: readonly string[], flags: CommandFlags): Promise<Output> {
  const [first, second, ...rest] = args;
  if (rest.length > 0) throw new UsageError(`expected: ${USAGE}`);
  if (first === 'recall' || first === 'renew') {
    if (second === undefined) throw new UsageError(`expected: ${USAGE}`);
    return change(api, first, second, flags.reason);
  }
  if (second !== undefined) throw new UsageError(`expected: ${USAGE}`);
  if (first !== undefined) {
    const loan = await api.loan(first);
    return { json: { loan }, text: JSON.stringify(loan, null, 2) };
  }
  const found = await api.loans(flags.open);
  return { json: { loans: found }, text: found.length === 0 ? 'no loans' : found.map(loanLine).join('\n') };
}
