/** The term of a loan: what a renewal adds to it, and who has to agree. */
import { borrowedUnitPrice, pendingEntries } from '../billing/ledger.ts';
import { utcMonth } from '../calendar.ts';
import type { Consent, ConsentUsage } from '../consent/consent.ts';
import type { ConsentUse } from '../consent/covers.ts';
import { refusals } from '../consent/covers.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import { latencyMillis } from '../pairing/latency.ts';
import type { GroupObservation, Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { capacityCost, epochMillis, MILLIS_PER_SECOND, microUsd, plusMillis } from '../units.ts';
import type { LoanCommit, LoanSnapshot, UsageChange } from './commit.ts';
import { coolingPair } from './cool-down.ts';
import { lendableUnits } from './lendable.ts';
import type { CountedLimit } from './limits.ts';
import { renewalObjection, renewedLimits } from './limits.ts';
import type { Loan } from './loan.ts';
import { auditEventOf } from './loan-audit.ts';
import { loanEventOf } from './loan-event.ts';
import { lenderUnitsOf } from './loan-units.ts';
import type { Outlook } from './outlook.ts';
import type { Recovery } from './recovery.ts';

const SECONDS_PER_HOUR = 3_600;

/** Clocks differ by less: a loan whose term ends within it has come to its end. */
const CLOCK_SKEW_MILLIS = 1_000;

/** A renewal is decided this long before the end of the term at the earliest, so that it is decided by what is needed then. */
const RENEWAL_LEAD_SECONDS = 120;

/** Whether the term of an active loan is over. */
export function isDue(loan: Loan, now: EpochMillis): boolean {
  return loan.dueAt === undefined || now >= loan.dueAt - CLOCK_SKEW_MILLIS;
}

/** Whether it is time to decide whether an active loan is renewed: the last tenth of its term, and no more than two minutes. */
export function nearsItsEnd(loan: Loan, now: EpochMillis): boolean {
  if (loan.state !== 'active' || loan.dueAt === undefined) return false;
  const leadMillis = Math.min(RENEWAL_LEAD_SECONDS, stretchSeconds(loan) / 10) * MILLIS_PER_SECOND;
  return now >= loan.dueAt - leadMillis && !isDue(loan, now);
}

/** Everything that a renewal is decided from. */
export interface TermObservation {
  readonly snapshot: LoanSnapshot;
  readonly borrowerConsent?: Consent | undefined;
  readonly lenderConsent?: Consent | undefined;
  readonly borrowerUsage: ConsentUsage;
  readonly lenderUsage?: ConsentUsage | undefined;
  /** Limits of the pair as they stand now, with what is used of them in the month that the loan counts in; absent: none are stated. */
  readonly limits?: readonly CountedLimit[] | undefined;
  /** The lender's group and forecast; without them it is not known whether it can go on lending. */
  readonly lenderGroup?: GroupObservation | undefined;
  readonly lenderPlan?: PoolForecast | undefined;
  readonly lenderOutlook?: Outlook | undefined;
  /** Whether the borrower still needs the loan; absent: it could not be read, which counts as need. */
  readonly recovery?: Recovery | undefined;
  readonly now: EpochMillis;
}

export type RenewalDecision =
  | { readonly action: 'renew'; readonly addedSeconds: number; readonly commit: LoanCommit }
  | { readonly action: 'end'; readonly reason: string };

/** The length of a stretch: that of the term as it was first agreed. */
function stretchSeconds(loan: Loan): number {
  return loan.termSeconds - (loan.renewals ?? []).reduce((sum, { addedSeconds }) => sum + addedSeconds, 0);
}

/** The most that both consents allow in all, now. */
function longestSeconds(borrower: Consent, lender: Consent): number {
  return Math.min(borrower.terms.longestTermSeconds, lender.terms.longestTermSeconds);
}

/** Stretches to try, longest first: a shorter one may do where the lender's forecast or a limit stops the longer. */
function stretches(loan: Loan, roomSeconds: number): number[] {
  const longest = Math.min(stretchSeconds(loan), roomSeconds);
  const shortest = Math.min(loan.shortestTermSeconds, longest);
  const tried: number[] = [];
  for (let seconds = longest; seconds > shortest; seconds = Math.floor(seconds / 2)) tried.push(seconds);
  return shortest > 0 ? [...tried, shortest] : tried;
}

function reservedMonth(loan: Loan): string {
  return utcMonth(loan.history.find(({ state }) => state === 'reserved')?.at ?? loan.requestedAt);
}

/** The usage without this loan: what it already counts must not stand in its own way. */
function usageWithout(usage: ConsentUsage, loan: Loan, at: EpochMillis): ConsentUsage {
  const month = reservedMonth(loan);
  const lent = lenderUnitsOf(loan);
  const others = (seconds: Readonly<Record<string, number>>, units: number) => ({
    [utcMonth(at)]: Math.max(0, (seconds[month] ?? 0) - units * loan.termSeconds),
  });
  const isLender = usage.accountId === loan.lenderAccountId;
  return {
    ...usage,
    lentUnits: isLender ? usage.lentUnits - lent : usage.lentUnits,
    borrowedUnits: isLender ? usage.borrowedUnits : usage.borrowedUnits - loan.units,
    lentUnitSeconds: others(usage.lentUnitSeconds, isLender ? lent : 0),
    borrowedUnitSeconds: others(usage.borrowedUnitSeconds, isLender ? 0 : loan.units),
  };
}

interface Side {
  readonly direction: 'lend' | 'borrow';
  readonly own: Pool;
  readonly other: Pool;
  readonly consent: Consent;
  readonly usage: ConsentUsage;
}

function useOf(side: Side, loan: Loan, termSeconds: number, at: EpochMillis): ConsentUse {
  const { direction, own, other } = side;
  const lenderUnits = lenderUnitsOf(loan);
  const lends = direction === 'lend';
  const price = loan.priceMicroUsdPerUnitHour;
  return {
    direction,
    accountId: own.spec.accountId,
    groupName: own.spec.groupName,
    application: lends ? other.spec.application : own.spec.application,
    now: at,
    pool: own.spec,
    counterparty: other.spec.accountId,
    counterpartyPool: other.spec,
    priceMicroUsdPerUnitHour: lends ? price : borrowedUnitPrice(price, lenderUnits, loan.units),
    recallNoticeSeconds: loan.recallNoticeSeconds ?? 0,
    latencyMillis: latencyMillis(lends ? own.spec : other.spec, lends ? other.spec : own.spec),
    ownedUnits: own.ownedUnits,
    poolUnitsInUse: lends ? own.lentUnits - lenderUnits : own.borrowedUnits - loan.units,
    units: lends ? lenderUnits : loan.units,
    termSeconds,
  };
}

function addedUsage(side: Side, loan: Loan, addedSeconds: number): UsageChange {
  const limits = side.consent.terms[side.direction];
  const unitSeconds = (side.direction === 'lend' ? lenderUnitsOf(loan) : loan.units) * addedSeconds;
  return {
    accountId: side.consent.accountId,
    direction: side.direction,
    units: 0,
    unitSeconds,
    month: reservedMonth(loan),
    unitsBeforeAtMost: limits?.maxUnits ?? 0,
    unitSecondsBeforeAtMost: (limits?.maxUnitHoursPerMonth ?? 0) * SECONDS_PER_HOUR - unitSeconds,
  };
}

/** What the added time costs: so that what is pending in all is the price of the whole term, rounded once. */
function addedPrice(loan: Loan, addedSeconds: number) {
  const price = (seconds: number) =>
    capacityCost(loan.priceMicroUsdPerUnitHour, lenderUnitsOf(loan), seconds * MILLIS_PER_SECOND);
  return microUsd(price(loan.termSeconds + addedSeconds) - price(loan.termSeconds));
}

function renewed(
  loan: Loan,
  dueAt: EpochMillis,
  { sides, limits }: { readonly sides: readonly Side[]; readonly limits: readonly CountedLimit[] },
  addedSeconds: number,
  at: EpochMillis,
): LoanCommit {
  const { lenderPoolId, lenderAccountId, borrowerPoolId, borrowerAccountId, loanId } = loan;
  const version = (direction: Side['direction']) => sides.find((side) => side.direction === direction)?.consent.version;
  const [borrowerConsentVersion, lenderConsentVersion] = [version('borrow'), version('lend')];
  const after: Loan = {
    ...loan,
    version: loan.version + 1,
    termSeconds: loan.termSeconds + addedSeconds,
    dueAt: plusMillis(dueAt, addedSeconds * MILLIS_PER_SECOND),
    renewals: [...(loan.renewals ?? []), { at, fromDueAt: dueAt, addedSeconds }],
    ...(borrowerConsentVersion === undefined ? {} : { borrowerConsentVersion }),
    ...(lenderConsentVersion === undefined ? {} : { lenderConsentVersion }),
  };
  const detail = { ...auditEventOf(after, at).detail, addedSeconds, dueAt: after.dueAt ?? null };
  const parties = lenderAccountId === undefined ? undefined : { loanId, borrowerAccountId, lenderAccountId };
  return {
    loan: after,
    expectedVersion: loan.version,
    pools: [],
    consents: sides.map(({ consent: { accountId, version: read } }) => ({ accountId, version: read })),
    pairs: lenderPoolId === undefined ? [] : [{ lenderPoolId, borrowerPoolId }],
    notStopped: sides.map(({ consent }) => consent.accountId),
    usage: [...sides.map((side) => addedUsage(side, loan, addedSeconds)), ...renewedLimits(loan, addedSeconds, limits)],
    ledger:
      parties === undefined ? [] : pendingEntries(parties, addedPrice(loan, addedSeconds), at, after.renewals?.length),
    audit: { ...auditEventOf(after, at), type: 'loan.renewed', detail },
    events: [loanEventOf('Entangle Loan Renewed', after, at)],
  };
}

/** Why the lender does not go on lending until a moment; undefined when it does. It carries no figure of the lender's. */
function lenderObjection(seen: TermObservation, lenderPool: Pool, until: EpochMillis): string | undefined {
  const { lenderGroup: group, lenderPlan: plan, lenderOutlook: outlook, now, snapshot } = seen;
  if (group === undefined) return 'the group of the lender could not be read';
  const cooling = coolingPair(snapshot.borrowerPool, lenderPool, now);
  if (cooling !== undefined) return cooling;
  if (!group.lendingEnabled) return 'the group of the lender is no longer tagged entangle:lending=enabled';
  const termSeconds = Math.ceil((until - now) / MILLIS_PER_SECOND);
  const { parts } = lendableUnits({ pool: lenderPool, group, plan, outlook, now, termSeconds });
  const spare = parts.forecastUnits !== undefined && parts.ceiling >= parts.floor;
  const short = lenderPool.borrowedUnits + lenderPool.provisionedUnits > 0;
  return spare && !short ? undefined : 'the lender is not sure to spare the units for longer';
}

/**
 * Whether a loan goes on after its term. It does while its borrower needs it, both consents are renewable and cover the longer term
 * (`longestTermSeconds` is of the loan in all), the limits that it counts against leave room as they stand now, and the lender's forecast
 * leaves it the units: the same arithmetic as of a new loan.
 * Asked for at any moment of an active loan; the added time begins at `dueAt`.
 */
export function renewal(seen: TermObservation): RenewalDecision {
  const { snapshot, borrowerConsent, lenderConsent, lenderUsage, limits = [], now } = seen;
  const { loan, borrowerPool, lenderPool } = snapshot;
  const end = (reason: string): RenewalDecision => ({ action: 'end', reason });
  const { dueAt } = loan;
  if (loan.state !== 'active' || dueAt === undefined) return end(`the loan is ${loan.state}, not active`);
  if (lenderPool === undefined || lenderUsage === undefined)
    return end('a loan without a lender has its whole term already');
  if (seen.recovery?.recovered === true) return end(`it is no longer needed: ${seen.recovery.reason}`);
  if (borrowerConsent === undefined || lenderConsent === undefined) return end('an account has made no consent');
  const unwilling = [lenderConsent, borrowerConsent].find(({ terms }) => terms.renewable === false);
  if (unwilling !== undefined) return end(`the consent of ${unwilling.accountId} is not renewable`);
  const room = longestSeconds(borrowerConsent, lenderConsent) - loan.termSeconds;
  if (room <= 0) return end(`its term of ${loan.termSeconds} s is the longest that both consents cover`);
  const from = epochMillis(Math.max(now, dueAt));
  const sides: readonly Side[] = [
    { direction: 'lend', own: lenderPool, other: borrowerPool, consent: lenderConsent, usage: lenderUsage },
    { direction: 'borrow', own: borrowerPool, other: lenderPool, consent: borrowerConsent, usage: seen.borrowerUsage },
  ];
  let objection = 'no time could be added';
  for (const addedSeconds of stretches(loan, room)) {
    const uncovered = sides.find((side) => {
      const use = useOf(side, loan, loan.termSeconds + addedSeconds, from);
      return refusals(side.consent, usageWithout(side.usage, loan, from), use).length > 0;
    });
    const until = plusMillis(dueAt, addedSeconds * MILLIS_PER_SECOND);
    const refused =
      uncovered === undefined
        ? (renewalObjection(loan, limits, addedSeconds) ?? lenderObjection(seen, lenderPool, until))
        : `the consent of ${uncovered.consent.accountId} does not cover a longer term`;
    if (refused === undefined && until > now) {
      return { action: 'renew', addedSeconds, commit: renewed(loan, dueAt, { sides, limits }, addedSeconds, now) };
    }
    objection = refused ?? 'the added time would be over already';
  }
  return end(objection);
}
