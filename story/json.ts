import { accountName } from './facts.ts';
import type { StoryResult } from './result.ts';
import { ceilingRange, completedLoans, judge, sampleAt } from './result.ts';
import { speedUp, traceTime } from './time-scale.ts';

/** The facts of the table as one object, for programs. */
export function storyJson(result: StoryResult, reportPath: string): Record<string, unknown> {
  const { scale } = result;
  const verdict = judge(result);
  const moment = (atMillis: number | undefined) =>
    atMillis === undefined
      ? null
      : { at: new Date(atMillis).toISOString(), trace: traceTime(scale, sampleAt(result, atMillis)) };
  return {
    ok: verdict.ok,
    findings: verdict.statements,
    time: { traceSecondsPerSecond: speedUp(scale), priceFactor: speedUp(scale), historySamples: result.historySteps },
    loans: result.loans.map((loan) => ({
      loanId: loan.loanId,
      state: loan.state,
      kind: loan.kind,
      lender: loan.lenderAccountId === undefined ? null : accountName(result, loan.lenderAccountId),
      borrower: accountName(result, loan.borrowerAccountId),
      units: loan.units,
      bindingResource: loan.bindingResource ?? null,
      reasons: loan.reasons,
      returnReason: loan.returnReason ?? null,
      endDetail: loan.endDetail ?? null,
      requested: moment(loan.requestedAt),
      active: moment(loan.activeAt),
      ended: moment(loan.endedAt),
      billedMicroUsd: loan.billedMicroUsd ?? null,
    })),
    completedLoans: completedLoans(result).length,
    accounts: result.accounts.map((account, index) => ({
      name: account.name,
      accountId: account.accountId,
      trace: account.source,
      cleaning: account.cleaning,
      ceiling: { before: account.ceilingBefore, during: ceilingRange(result, index), after: account.ceilingAfter },
      postedMicroUsd: account.postedMicroUsd,
      pendingMicroUsd: account.pendingMicroUsd,
      expectedPeaks: (account.plan?.expectedPeaks ?? []).map(({ startMillis, neededUnits, probability, resource }) => ({
        ...moment(startMillis),
        neededUnits,
        probability,
        resource,
      })),
      audit: { records: account.auditRecords, faults: account.auditFaults },
    })),
    ledgerBalanceMicroUsd: result.accounts.reduce((sum, account) => sum + account.postedMicroUsd, 0),
    seconds: result.seconds,
    report: reportPath,
  };
}
