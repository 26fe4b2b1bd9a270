/**
 * The steps of a loan as pure functions: each takes what was read and the time, and returns everything that is to be
 * written. Functions persist what these return; nothing else decides what a loan does.
 */
import { pendingEntries, settlementEntries, usedAmount } from '../billing/ledger.ts';
import { utcMonth } from '../calendar.ts';
import type { Consent } from '../consent/consent.ts';
import { timesUnitRatio, unitRatioOf } from '../pairing/gates.ts';
import type { GroupObservation, Pool } from '../pool.ts';
import type { AccountId, EpochMillis, MicroUsd } from '../units.ts';
import { capacityCost, invariant, MILLIS_PER_SECOND, microUsd, plusMillis } from '../units.ts';
import type { LoanCommit, LoanSnapshot, PoolChange, UsageChange } from './commit.ts';
import { borrowerCoolDown, lenderCoolDown } from './cool-down.ts';
import { failureEnding } from './failure.ts';
import type { AppliedLimit } from './limits.ts';
import { releasedLimits, reservedLimits } from './limits.ts';
import type { CeilingMove, Loan, LoanReason, LoanState, ReturnReason } from './loan.ts';
import { isAsked } from './loan.ts';
import { auditEventOf } from './loan-audit.ts';
import { lenderUnitsOf } from './loan-units.ts';
import { ceilingDrift, giveMove, takeMove } from './moves.ts';
import type { LoanReservations } from './physical.ts';
import { loanKindOf } from './physical.ts';
import { promisesOf } from './promises.ts';

const SECONDS_PER_HOUR = 3_600;

/** Terms that both sides' consents cover. Without lender: the borrower's own provisioning limit is used. */
export interface Offer {
  /** Of the borrower's. */
  readonly units: number;
  /** What is still missing with them, which others are asked for; absent: nothing. */
  readonly restUnits?: number;
  /** Units of the lender's that stand in for them; absent: as many. */
  readonly lenderUnits?: number;
  /** Of a unit of the lender's. */
  readonly priceMicroUsdPerUnitHour: MicroUsd;
  readonly termSeconds: number;
  readonly shortestTermSeconds: number;
  readonly borrowerConsent: Consent;
  readonly borrowerGroup: GroupObservation;
  readonly lender?: { readonly pool: Pool; readonly consent: Consent; readonly group: GroupObservation };
  /** Limits beside the consents' that the loan counts against. Absent: none. */
  readonly lenderLimits?: readonly AppliedLimit[];
  readonly borrowerLimits?: readonly AppliedLimit[];
  readonly reasons: readonly LoanReason[];
}

/** The commit that moves a loan to a state; the parts that this state changes are filled in by the caller. */
export function enter(
  before: Loan,
  state: LoanState,
  at: EpochMillis,
  changes: Partial<Loan>,
  parts: Partial<Pick<LoanCommit, 'pools' | 'consents' | 'pairs' | 'notStopped' | 'usage' | 'ledger'>> = {},
): LoanCommit {
  const loan: Loan = {
    ...before,
    ...changes,
    state,
    version: before.version + 1,
    history: [...before.history, { state, at }],
  };
  return {
    loan,
    ...(before.version === 0 ? {} : { expectedVersion: before.version }),
    pools: parts.pools ?? [],
    consents: parts.consents ?? [],
    pairs: parts.pairs ?? [],
    ...(parts.notStopped === undefined ? {} : { notStopped: parts.notStopped }),
    usage: parts.usage ?? [],
    ledger: parts.ledger ?? [],
    audit: auditEventOf(loan, at),
  };
}

/** Until when a pool does not ask again: an alarm that goes on is answered anew after that, and not before. */
export function coolDown(pool: Pool, at: EpochMillis): Pick<PoolChange, 'coolDownUntil'> {
  return { coolDownUntil: plusMillis(at, pool.spec.coolDownSeconds * MILLIS_PER_SECOND) };
}

/** A loan that waited is no longer the one that waits for its pool. */
export function endOfWaiting(loan: Loan): Pick<PoolChange, 'waiting'> {
  return loan.state === 'waiting' ? { waiting: 'end' } : {};
}

/** A change of a pool's counters, computed from the pool as it was read. */
export function poolChange(pool: Pool, moving: PoolChange['moving'], counters: Partial<PoolChange> = {}): PoolChange {
  return {
    accountId: pool.spec.accountId,
    poolId: pool.spec.poolId,
    expectedVersion: pool.version,
    moving,
    ...counters,
  };
}

/** The change that reserves units of a pool, and what its owner had made of its ceiling before the first of its loans. */
function reservedPool(pool: Pool, group: GroupObservation, counters: Partial<PoolChange>): PoolChange {
  const ceilingDriftUnits = ceilingDrift(pool, group);
  const drift = ceilingDriftUnits === undefined ? {} : { ceilingDriftUnits };
  return poolChange(pool, 'acquire', { ...counters, ...drift });
}

function reservedUsage(consent: Consent, direction: 'lend' | 'borrow', offer: Offer, at: EpochMillis): UsageChange {
  const limits = consent.terms[direction];
  invariant(limits !== undefined, `the consent of ${consent.accountId} covers to ${direction}`);
  const units = direction === 'lend' ? lenderUnitsOf(offer) : offer.units;
  const unitSeconds = units * offer.termSeconds;
  return {
    accountId: consent.accountId,
    direction,
    units,
    unitSeconds,
    month: utcMonth(at),
    unitsBeforeAtMost: limits.maxUnits - units,
    unitSecondsBeforeAtMost: limits.maxUnitHoursPerMonth * SECONDS_PER_HOUR - unitSeconds,
  };
}

/** The units that an offer takes from its lender: as the consent under which they are borrowed says. */
function standInUnits(offer: Offer, lender: Pool, borrower: Pool): number {
  const lenderUnits = lenderUnitsOf(offer);
  const { substitutions } = offer.borrowerConsent.terms.borrow ?? {};
  const unitRatio = unitRatioOf(lender.spec, borrower.spec, substitutions);
  invariant(
    unitRatio !== undefined && lenderUnits === timesUnitRatio(offer.units, unitRatio),
    'a loan takes from the lender what stands in for the units of the borrower',
  );
  return lenderUnits;
}

/** The limits that a loan keeps of its offer. */
function limitsOf({ lenderLimits, borrowerLimits }: Offer): Pick<Loan, 'lenderLimits' | 'borrowerLimits'> {
  return {
    ...(lenderLimits === undefined ? {} : { lenderLimits }),
    ...(borrowerLimits === undefined ? {} : { borrowerLimits }),
  };
}

/** What an offer fixes of a loan, whoever lends. */
function agreedTerms(loan: Loan, offer: Offer): Partial<Loan> {
  return {
    units: offer.units,
    priceMicroUsdPerUnitHour: offer.priceMicroUsdPerUnitHour,
    termSeconds: offer.termSeconds,
    shortestTermSeconds: offer.shortestTermSeconds,
    borrowerConsentVersion: offer.borrowerConsent.version,
    borrowerDataAccess: offer.borrowerConsent.terms.dataAccess,
    reasons: [...loan.reasons, ...offer.reasons],
  };
}

/**
 * Reserves: both pools are locked for this loan, the counters rise, the price of the term is pending, and both moves are
 * decided from what was just observed.
 */
export function reserve(snapshot: LoanSnapshot, offer: Offer, at: EpochMillis): LoanCommit {
  const { loan, borrowerPool } = snapshot;
  const { lender, units } = offer;
  invariant(isAsked(loan), 'only a request can be reserved');
  const terms = agreedTerms(loan, offer);
  const give = giveMove(offer.borrowerGroup, units);
  const borrowerCondition = { accountId: loan.borrowerAccountId, version: offer.borrowerConsent.version };
  if (lender === undefined) {
    const provisioned = borrowerPool.provisionedUnits + units;
    invariant(
      provisioned <= borrowerPool.spec.provisioningLimitUnits,
      'provisioning stays within the limit of the pool',
    );
    return enter(
      loan,
      'reserved',
      at,
      { ...terms, kind: 'provisioned', moves: { give } },
      {
        pools: [reservedPool(borrowerPool, offer.borrowerGroup, { provisionedUnits: units })],
        consents: [borrowerCondition],
        notStopped: [loan.borrowerAccountId],
      },
    );
  }
  const lenderUnits = standInUnits(offer, lender.pool, borrowerPool);
  const take = takeMove(lender.group, lenderUnits);
  invariant(
    take.toMaxSize >= lender.group.desiredCapacity + lender.pool.spec.reserveUnits,
    'a lender keeps what it runs and its reserve',
  );
  const parties = { ...loan, lenderAccountId: lender.pool.spec.accountId };
  const limits = limitsOf(offer);
  const price = capacityCost(offer.priceMicroUsdPerUnitHour, lenderUnits, offer.termSeconds * MILLIS_PER_SECOND);
  return enter(
    loan,
    'reserved',
    at,
    {
      ...terms,
      ...(lenderUnits === units ? {} : { lenderUnits }),
      kind: loanKindOf(lender.pool.spec, borrowerPool.spec, lenderUnits),
      lenderAccountId: lender.pool.spec.accountId,
      lenderPoolId: lender.pool.spec.poolId,
      lenderConsentVersion: lender.consent.version,
      lenderDataAccess: lender.consent.terms.dataAccess,
      ...promisesOf(lender.consent, offer.shortestTermSeconds),
      ...limits,
      moves: { take, give },
    },
    {
      pools: [
        reservedPool(borrowerPool, offer.borrowerGroup, { borrowedUnits: units }),
        reservedPool(lender.pool, lender.group, { lentUnits: lenderUnits }),
      ],
      consents: [borrowerCondition, { accountId: lender.consent.accountId, version: lender.consent.version }],
      pairs: [{ lenderPoolId: lender.pool.spec.poolId, borrowerPoolId: loan.borrowerPoolId }],
      notStopped: [loan.borrowerAccountId, lender.pool.spec.accountId],
      usage: [
        reservedUsage(offer.borrowerConsent, 'borrow', offer, at),
        reservedUsage(lender.consent, 'lend', offer, at),
        ...reservedLimits(limits, offer, at),
      ],
      ledger: pendingEntries(parties, price, at),
    },
  );
}

/**
 * The lender's ceiling is down. Its pool may move for others again.
 * @param reservations of a physical loan: what is shared with the borrower's account, and where it came from
 */
export function recordTaken(snapshot: LoanSnapshot, at: EpochMillis, reservations?: LoanReservations): LoanCommit {
  invariant(snapshot.loan.state === 'reserved' && snapshot.lenderPool !== undefined, 'a reserved loan is taken');
  const held =
    reservations === undefined ? {} : { lentReservation: reservations.lent, lenderReservations: reservations.own };
  return enter(snapshot.loan, 'taken', at, held, { pools: [poolChange(snapshot.lenderPool, 'release')] });
}

/**
 * The borrower's ceiling is up.
 * @param launchTargetArn of a physical loan: the resource group that what is lent was put into
 */
export function recordGiven(snapshot: LoanSnapshot, at: EpochMillis, launchTargetArn?: string): LoanCommit {
  const { loan } = snapshot;
  const before: LoanState = loan.kind === 'provisioned' ? 'reserved' : 'taken';
  invariant(loan.state === before, `a loan is given after it was ${before}`);
  const target = launchTargetArn === undefined ? {} : { launchTargetArn };
  return enter(loan, 'given', at, target, { pools: [poolChange(snapshot.borrowerPool, 'release')] });
}

/** The borrower's instances are in service: the term and the bill begin. */
export function activate(snapshot: LoanSnapshot, at: EpochMillis): LoanCommit {
  const { loan } = snapshot;
  invariant(loan.state === 'given', 'a loan becomes active after it was given');
  return enter(loan, 'active', at, { activeAt: at, dueAt: plusMillis(at, loan.termSeconds * MILLIS_PER_SECOND) });
}

/**
 * Begins the way back. The borrower's pool is locked, unless the making of this very loan holds the lock still.
 * @param takeBack absent when the borrower's group no longer exists
 */
export function beginReturn(
  snapshot: LoanSnapshot,
  reason: ReturnReason,
  takeBack: CeilingMove | undefined,
  at: EpochMillis,
): LoanCommit {
  const { loan, borrowerPool } = snapshot;
  const returnable: readonly LoanState[] = ['reserved', 'taken', 'given', 'active', 'recalled'];
  invariant(returnable.includes(loan.state), `a loan that is ${loan.state} does not begin to return`);
  const held = borrowerPool.movingLoanId === loan.loanId;
  const moves = takeBack === undefined ? loan.moves : { ...loan.moves, takeBack };
  return enter(
    loan,
    'returning',
    at,
    { returnReason: loan.recall === undefined ? reason : 'recalled', moves },
    {
      pools: [poolChange(borrowerPool, held ? 'held' : 'acquire')],
    },
  );
}

/** What the borrower's pool no longer has of the loan. */
export function borrowerCounters(loan: Loan): Partial<PoolChange> {
  return loan.kind === 'provisioned' ? { provisionedUnits: -loan.units } : { borrowedUnits: -loan.units };
}

/**
 * The borrower's ceiling is down and its instances are gone. Its pool is free; the lender's is locked for the last move.
 * The bill ends here.
 */
export function reclaim(snapshot: LoanSnapshot, giveBack: CeilingMove | undefined, at: EpochMillis): LoanCommit {
  const { loan, borrowerPool, lenderPool } = snapshot;
  const drained = loan.state === 'draining';
  invariant(drained || loan.state === 'returning', 'a returning or draining loan is reclaimed');
  const freed = { ...borrowerCounters(loan), ...borrowerCoolDown(loan, borrowerPool, lenderPool, at) };
  const pools = drained ? [] : [poolChange(borrowerPool, 'release', freed)];
  if (lenderPool !== undefined) {
    pools.push(poolChange(lenderPool, lenderPool.movingLoanId === loan.loanId ? 'held' : 'acquire'));
  }
  return enter(
    loan,
    'reclaimed',
    at,
    {
      billedMicroUsd:
        loan.kind === 'provisioned' ? microUsd(0) : usedAmount({ ...loan, lenderUnits: lenderUnitsOf(loan) }, at),
      moves: giveBack === undefined ? loan.moves : { ...loan.moves, giveBack },
    },
    { pools },
  );
}

function releasedUsage(loan: Loan, accountId: AccountId, direction: 'lend' | 'borrow', at: EpochMillis): UsageChange {
  const reservedAt = loan.history.find((entry) => entry.state === 'reserved')?.at ?? at;
  const usedSeconds = loan.activeAt === undefined ? 0 : Math.ceil((at - loan.activeAt) / MILLIS_PER_SECOND);
  const countedSeconds = Math.min(usedSeconds, loan.termSeconds);
  const units = direction === 'lend' ? lenderUnitsOf(loan) : loan.units;
  const credit = lenderUnitsOf(loan) * countedSeconds * (direction === 'lend' ? 1 : -1);
  return {
    accountId,
    direction,
    units: -units,
    unitSeconds: units * (countedSeconds - loan.termSeconds),
    month: utcMonth(reservedAt),
    ...(countedSeconds === 0 ? {} : { credit: { month: utcMonth(at), unitSeconds: credit } }),
  };
}

/** The state in which a loan that has nothing left to move comes to its end. */
function endState(loan: Loan): LoanState {
  if (loan.activeAt !== undefined) return 'returned';
  return loan.history.some((entry) => entry.state === 'taken' || entry.state === 'given') ? 'compensated' : 'failed';
}

/**
 * Ends a loan: counters and limits free, pending money voided, used money posted.
 * @param failure why its making was undone: `<name of the error>` or `<name of the error>: <its message>`
 */
export function settle(snapshot: LoanSnapshot, at: EpochMillis, failure?: string): LoanCommit {
  const { loan, lenderPool } = snapshot;
  // A request that is ended without a failure was left behind: what made it is gone.
  const why = failure ?? (isAsked(loan) ? 'LeftBehind' : undefined);
  const ending = { endedAt: at, ...(why === undefined ? {} : failureEnding(loan, why)) };
  if (isAsked(loan)) {
    const { borrowerPool } = snapshot;
    return enter(loan, 'failed', at, ending, {
      pools: [poolChange(borrowerPool, 'none', { ...coolDown(borrowerPool, at), ...endOfWaiting(loan) })],
    });
  }
  invariant(loan.state === 'reclaimed', `a loan that is ${loan.state} cannot be settled`);
  const { lenderAccountId } = loan;
  if (lenderAccountId === undefined || lenderPool === undefined) return enter(loan, endState(loan), at, ending);
  const parties = { loanId: loan.loanId, borrowerAccountId: loan.borrowerAccountId, lenderAccountId };
  const lenderUnits = lenderUnitsOf(loan);
  const pending = capacityCost(loan.priceMicroUsdPerUnitHour, lenderUnits, loan.termSeconds * MILLIS_PER_SECOND);
  const reclaimedAt = loan.history.at(-1)?.at ?? at;
  return enter(loan, endState(loan), at, ending, {
    pools: [
      poolChange(lenderPool, 'release', { lentUnits: -lenderUnits, ...lenderCoolDown(loan.recall, lenderPool, at) }),
    ],
    usage: [
      releasedUsage(loan, loan.borrowerAccountId, 'borrow', reclaimedAt),
      releasedUsage(loan, lenderAccountId, 'lend', reclaimedAt),
      ...releasedLimits(loan, reclaimedAt),
    ],
    ledger: settlementEntries(parties, pending, loan.billedMicroUsd ?? microUsd(0), at),
  });
}
