import type { Loan } from '../../core/lending/loan.ts';
import type { AccountId, LoanId } from '../../core/units.ts';
import { now } from './clock.ts';
import type { RecallRoute } from './recalls.ts';
import { startRecall } from './recalls.ts';
import type { OrganisationSwitch } from './stop-store.ts';
import type { StoppedLoan } from './switches.ts';
import { loansToRecall, spreadOrganisationSwitch } from './switches.ts';
import type { AuditTables } from './transaction.ts';

/** What one call has done about the loans that stops recall. */
export interface RecalledLoans {
  /** On their way back. */
  readonly recalled: readonly LoanId[];
  /** How many are still to be recalled: the time was over, or they change just now. */
  readonly left: number;
}

/** Loans that are recalled between two looks at the clock. */
const RECALLED_AT_ONCE = 40;

/**
 * Records of one account follow one another in its chain: loans of one borrower that are recalled at the same time wait for each other.
 * So borrowers take turns.
 */
function inTurns(stopped: readonly StoppedLoan[]): StoppedLoan[] {
  const turns = new Map<AccountId, number>();
  const numbered = stopped.map((each) => {
    const { borrowerAccountId } = each.loan;
    const turn = turns.get(borrowerAccountId) ?? 0;
    turns.set(borrowerAccountId, turn + 1);
    return { each, turn };
  });
  return numbered.sort((a, b) => a.turn - b.turn).map(({ each }) => each);
}

async function recallSome(stopped: readonly StoppedLoan[], route: RecallRoute): Promise<RecalledLoans> {
  const recalled: LoanId[] = [];
  let left = 0;
  for (const [reason, some] of Map.groupBy(stopped, (each) => each.reason)) {
    const ids = some.map(({ loan }) => loan.loanId);
    for (const { loanId, outcome } of await startRecall(ids, { by: 'kill-switch', reason }, route)) {
      if (outcome === 'refused') left += 1;
      else recalled.push(loanId);
    }
  }
  return { recalled, left };
}

/**
 * Recalls the loans that stops recall. What the time does not suffice for is left, for the same command once more or for reconciling.
 * @param withinMillis after so long no more are begun; default: all are
 * @throws the error of AWS when a recall could not be written; others may have been
 */
export async function recallStopped(
  stopped: readonly StoppedLoan[],
  route: RecallRoute,
  withinMillis = Number.POSITIVE_INFINITY,
): Promise<RecalledLoans> {
  const startedAt = now();
  const waiting = inTurns(stopped);
  const recalled: LoanId[] = [];
  let left = 0;
  while (waiting.length > 0 && now() - startedAt < withinMillis) {
    const some = await recallSome(waiting.splice(0, RECALLED_AT_ONCE), route);
    recalled.push(...some.recalled);
    left += some.left;
  }
  return { recalled: recalled.sort(), left: left + waiting.length };
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
  return (await recallStopped(stopped, route)).recalled.length;
}
