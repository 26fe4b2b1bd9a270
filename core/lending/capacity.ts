/** What a pool is lending and borrowing, and what it could now: the arithmetic of choosing a lender, without a request. */
import { limitRefusals, ownRefusals } from '../consent/covers.ts';
import type { GroupObservation, Pool } from '../pool.ts';
import type { EpochMillis, LoanId, PoolId } from '../units.ts';
import { allocate } from './allocation.ts';
import { lendableUnits } from './lendable.ts';
import type { ChoiceInput, LenderFacts } from './lender-finding.ts';
import type { CountedLimit } from './limits.ts';
import { limitObjections } from './limits.ts';
import type { Loan, RequestPart } from './loan.ts';
import type { ForecastBasis } from './outlook.ts';
import { request } from './request.ts';

/** All in units of the pool's own. */
export interface PoolCapacity {
  readonly poolId: PoolId;
  readonly at: EpochMillis;
  readonly lendingUnits: number;
  readonly couldLendUnits: number;
  /** Why it could lend so many, with its own figures. */
  readonly couldLendReason: string;
  /** The forecast that it could lend so many by, and from when that is; absent: none says anything, or it lends nothing for another reason. */
  readonly couldLendBy?: ForecastBasis;
  readonly borrowingUnits: number;
  /** Sum over the partners of what each could lend it now. Which of them could lend how much is theirs to know. */
  readonly couldBorrowUnits: number;
  readonly couldBorrowReason: string;
}

export interface LenderView extends LenderFacts {
  readonly group?: GroupObservation | undefined;
  /** Limits beside the consent's that any loan from it counts against. Those of units and pairings depend on the borrower. */
  readonly limits?: readonly CountedLimit[] | undefined;
  /** Why no loan is made with its account now; absent: nothing stands against it. */
  readonly stopped?: string | undefined;
  readonly now: EpochMillis;
}

interface Could {
  readonly units: number;
  readonly reason: string;
  readonly basis?: ForecastBasis | undefined;
}

/** The largest number from 0 to `most` that holds, where each number below one that holds does too. */
function largestThat(most: number, holds: (units: number) => boolean): number {
  let [least, top] = [0, most];
  while (least < top) {
    const middle = Math.ceil((least + top) / 2);
    if (holds(middle)) least = middle;
    else top = middle - 1;
  }
  return least;
}

/**
 * Units that a pool could lend now, for the shortest term of its consent, to whoever its consent allows: idle by its forecast, and
 * within the limits of the consent.
 */
export function couldLend(view: LenderView): Could {
  const { pool, group, consent, usage, plan, outlook, limits: others = [], stopped, now } = view;
  const none = (reason: string): Could => ({ units: 0, reason });
  if (stopped !== undefined) return none(stopped);
  const { accountId, groupName, application } = pool.spec;
  // Which applications it lends to depends on the borrower.
  const served = consent?.terms.allowedApplications[0] ?? application;
  const [refused] = ownRefusals(consent, { direction: 'lend', accountId, groupName, application: served, now });
  if (refused !== undefined) return none(refused.detail);
  const limits = consent?.terms.lend;
  if (consent === undefined || limits === undefined) return none('the account has made no consent to lend');
  if (group === undefined) return none('its Auto Scaling group could not be read');
  if (!group.lendingEnabled) return none('its Auto Scaling group is not tagged entangle:lending=enabled');
  const termSeconds = consent.terms.shortestTermSeconds;
  const lendable = lendableUnits({ pool, group, plan, outlook, now, termSeconds });
  const use = {
    direction: 'lend',
    termSeconds,
    poolUnitsInUse: pool.lentUnits,
    ownedUnits: pool.ownedUnits,
    now,
  } as const;
  const lent = others.filter(({ direction }) => direction === 'lend');
  const refusalsOf = (units: number): string[] => [
    ...limitRefusals(limits, usage, { ...use, units }).map(({ detail }) => detail),
    ...limitObjections(lent, { units, termSeconds }).map(({ text }) => text),
  ];
  const units = largestThat(lendable.units, (candidate) => refusalsOf(candidate).length === 0);
  const [limit] = units < lendable.units ? refusalsOf(units + 1) : [];
  const reason = limit === undefined ? lendable.reason : `${lendable.reason}; ${limit}`;
  return { units, reason, basis: lendable.basis };
}

/** More than any pool owns. */
const UNITS_MAX = 1_000_000;
const NO_LOAN = 'ln-000000000000000000000000' as LoanId;

/**
 * The request that a pool would make now: for all that it could get. It comes after every other of its tier and criticality that asks.
 * @param standing how its group is tagged, as far as its account may claim it
 */
export function requestNow(
  { spec: { accountId, poolId } }: Pool,
  borrowerGroup: GroupObservation,
  now: EpochMillis,
  standing?: Pick<RequestPart, 'slaTier' | 'criticality'>,
): Loan {
  const part = { requestId: NO_LOAN, part: 1, wantedUnits: UNITS_MAX, minimumUnits: 1, ceilingUnits: UNITS_MAX };
  const asked = request(
    {
      loanId: NO_LOAN,
      borrowerAccountId: accountId,
      borrowerPoolId: poolId,
      units: UNITS_MAX,
      bindingResource: 'cpu',
      startedBy: 'capacity',
      inServiceBefore: borrowerGroup.inServiceUnits,
      reason: 'how much could be borrowed',
      ...(standing === undefined ? {} : { request: { ...part, ...standing } }),
    },
    now,
  );
  return asked.loan;
}

/**
 * Units that a pool could borrow now, from all of its partners together, best first, as one request would be filled: what one part takes
 * counts against the limits that the next one meets, and what others are to have before it (`held` of a candidate) is not its own.
 * @param roomUnits instances that the vCPU quota of its account lets it start; absent: not known, or without limit
 */
export function couldBorrow(
  input: Omit<ChoiceInput, 'snapshotLoan' | 'unitsStillNeeded' | 'filledUnits'>,
  stopped?: string,
  roomUnits = Number.POSITIVE_INFINITY,
): Could {
  if (stopped !== undefined) return { units: 0, reason: stopped };
  const { borrowerPool, borrowerGroup, now } = input;
  if (roomUnits < 1) return { units: 0, reason: 'the vCPU quota of its account leaves room for no more instances' };
  const most = Math.min(UNITS_MAX, roomUnits);
  const snapshotLoan = requestNow(borrowerPool, borrowerGroup, now);
  const { units, parts } = allocate({ ...input, snapshotLoan, unitsStillNeeded: most });
  const reason = `${parts.length} of ${input.partners.length} partners could lend to it now`;
  const limited = units === roomUnits ? `; the vCPU quota of its account leaves room for ${roomUnits} more` : '';
  return { units, reason: reason + limited };
}

/** Both ways together. */
export function capacityOf(pool: Pool, lend: Could, borrow: Could, at: EpochMillis): PoolCapacity {
  return {
    poolId: pool.spec.poolId,
    at,
    lendingUnits: pool.lentUnits,
    couldLendUnits: lend.units,
    couldLendReason: lend.reason,
    ...(lend.basis === undefined ? {} : { couldLendBy: lend.basis }),
    borrowingUnits: pool.borrowedUnits,
    couldBorrowUnits: borrow.units,
    couldBorrowReason: borrow.reason,
  };
}
