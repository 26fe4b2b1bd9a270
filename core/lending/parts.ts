/** A need that several loans fill: each is a part of the same request, with steps, an execution and an end of its own. */
import type { GroupObservation } from '../pool.ts';
import type { EpochMillis, LoanId } from '../units.ts';
import { invariant, microUsd } from '../units.ts';
import type { BornLoan, LoanCommit, LoanSnapshot } from './commit.ts';
import type { Loan } from './loan.ts';
import { auditEventOf } from './loan-audit.ts';
import type { Offer } from './saga.ts';
import { endOfWaiting, reserve } from './saga.ts';

/**
 * What must be in service before this part's own instances are: those of the parts before it may still be starting, so what the
 * group is to run counts, not only what runs.
 */
function inServiceBefore(loan: Loan, group: GroupObservation): number {
  const isAlone = loan.waiting === undefined && (loan.request?.part ?? 1) === 1;
  return isAlone
    ? loan.inServiceBefore
    : Math.max(Math.min(group.inServiceUnits, group.maxSize), group.desiredCapacity);
}

/** The request for what a part leaves missing: the next part of the same need. */
function restOf(loan: Loan, rest: { readonly loanId: LoanId; readonly units: number }, at: EpochMillis): BornLoan {
  const { request, alarmName, alarmTransitionAt, forecastNeed, watchNeed } = loan;
  invariant(request !== undefined, 'a loan that leaves a rest knows its request');
  const born: Loan = {
    loanId: rest.loanId,
    version: 1,
    state: 'requested',
    kind: 'nominal',
    borrowerAccountId: loan.borrowerAccountId,
    borrowerPoolId: loan.borrowerPoolId,
    units: rest.units,
    bindingResource: loan.bindingResource,
    startedBy: `borrow-${rest.loanId}-0`,
    ...(alarmName === undefined ? {} : { alarmName }),
    ...(alarmTransitionAt === undefined ? {} : { alarmTransitionAt }),
    ...(forecastNeed === undefined ? {} : { forecastNeed }),
    ...(watchNeed === undefined ? {} : { watchNeed }),
    request: { ...request, part: request.part + 1 },
    priceMicroUsdPerUnitHour: microUsd(0),
    termSeconds: 0,
    shortestTermSeconds: 0,
    moves: {},
    inServiceBefore: loan.inServiceBefore + loan.units,
    requestedAt: at,
    reasons: [
      {
        text: `part ${request.part + 1} of ${request.requestId}: ${rest.units} of ${request.wantedUnits} units are still missing`,
        onlyFor: loan.borrowerAccountId,
      },
    ],
    history: [{ state: 'requested', at }],
  };
  return { loan: born, audit: auditEventOf(born, at) };
}

/**
 * Reserves one part of a need. What it leaves missing is asked for in the same commit, as a request of its own, so that no crash
 * can lose it.
 * @param restLoanId id of the next part; looked at only when the offer leaves a rest
 */
export function reservePart(snapshot: LoanSnapshot, offer: Offer, restLoanId: LoanId, at: EpochMillis): LoanCommit {
  const { loan: before } = snapshot;
  const asked = { ...before, inServiceBefore: inServiceBefore(before, offer.borrowerGroup) };
  const commit = reserve({ ...snapshot, loan: asked }, offer, at);
  const pools = commit.pools.map((change) =>
    change.poolId === before.borrowerPoolId ? { ...change, ...endOfWaiting(before) } : change,
  );
  const { restUnits = 0 } = offer;
  if (restUnits === 0) return { ...commit, pools };
  return { ...commit, pools, rest: restOf(commit.loan, { loanId: restLoanId, units: restUnits }, at) };
}
