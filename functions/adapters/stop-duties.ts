import type { Loan } from '../../core/lending/loan.ts';
import type { AccountId, LoanId } from '../../core/units.ts';
import type { RecallRoute } from './recalls.ts';
import { startRecall } from './recalls.ts';
import type { OrganisationSwitch } from './stop-store.ts';
import type { StoppedLoan } from './switches.ts';
import { loansToRecall, spreadOrganisationSwitch } from './switches.ts';
import type { AuditTables } from './transaction.ts';

/** Recalls the loans that stops recall, those of one reason together. @returns the ids of those that are on their way back */
export async function recallStopped(stopped: readonly StoppedLoan[], route: RecallRoute): Promise<LoanId[]> {
  const recalled: LoanId[] = [];
  for (const reason of new Set(stopped.map((each) => each.reason))) {
    const ids = stopped.filter((each) => each.reason === reason).map(({ loan }) => loan.loanId);
    const outcomes = await startRecall(ids, { by: 'kill-switch', reason }, route);
    recalled.push(...outcomes.flatMap(({ loanId, outcome }) => (outcome === 'refused' ? [] : [loanId])));
  }
  return recalled.sort();
}

/**
 * What the kill switch still has to do for an account: a command that crashed, and loans that were being made when it came, are found
 * here. @returns how many loans were recalled
 */
export async function fulfilStops(
  account: AccountId,
  openLoans: readonly Loan[],
  organisation: OrganisationSwitch,
  tables: AuditTables,
  route: RecallRoute,
): Promise<number> {
  await spreadOrganisationSwitch([account], organisation, tables);
  const stopped = await loansToRecall(tables.accountsTable, openLoans);
  return (await recallStopped(stopped, route)).length;
}
