import { utcDayOfWeek, utcMonth, utcSecondOfDay } from '../calendar.ts';
import type { PoolSpec } from '../pool.ts';
import { ISOLATION_LEVELS, isolationOf } from '../pool.ts';
import { DEFAULT_TRUST_FLOOR } from '../trust/trust.ts';
import type { AccountId, EpochMillis, MicroUsd } from '../units.ts';
import { invariant } from '../units.ts';
import type { Consent, ConsentTerms, ConsentUsage, ConsentWindow, UsageLimits } from './consent.ts';

const SECONDS_PER_HOUR = 3_600;

export type RefusalCode =
  | 'no-consent'
  | 'consent-revoked'
  | 'consent-expired'
  | 'direction-not-agreed'
  | 'group-not-covered'
  | 'application-not-allowed'
  | 'counterparty-denied'
  | 'counterparty-not-allowed'
  | 'region-not-allowed'
  | 'tenancy-required'
  | 'encryption-required'
  | 'isolation-required'
  | 'trust-too-low'
  | 'latency-too-long'
  | 'price-too-low'
  | 'price-too-high'
  | 'recall-notice-too-short'
  | 'term-too-short'
  | 'term-too-long'
  | 'outside-windows'
  | 'units-exceeded'
  | 'share-exceeded'
  | 'unit-hours-exceeded';

/** Why a consent does not cover a use. */
export interface Refusal {
  readonly code: RefusalCode;
  /** The field of the consent, e.g. `lend.maxUnits`. */
  readonly field: string;
  /** The consent's value and what it is held against, for the consent's own account: no term of the counterparty's consent. */
  readonly detail: string;
}

/** What of a use is known before there is a counterparty. */
export interface OwnUse {
  readonly direction: 'lend' | 'borrow';
  /** Whose consent is asked for. */
  readonly accountId: AccountId;
  readonly groupName: string;
  /** The borrower's application. */
  readonly application: string;
  readonly now: EpochMillis;
}

/** What of a use is known when two pools are paired: everything but how much and exactly when. */
export interface PairUse extends OwnUse {
  readonly pool: PoolSpec;
  readonly counterparty: AccountId;
  readonly counterpartyPool: PoolSpec;
  readonly priceMicroUsdPerUnitHour: MicroUsd;
  /** The notice that the lender promises; absent = none. */
  readonly recallNoticeSeconds?: number;
  readonly latencyMillis: number;
  /** Trust score of the counterparty, 0 to 1; absent: not looked at. */
  readonly counterpartyTrust?: number;
}

/** A use of a consent, as one loan would make it. */
export interface ConsentUse extends PairUse {
  readonly ownedUnits: number;
  /** Units already lent from (lend) or borrowed into (borrow) the pool. */
  readonly poolUnitsInUse: number;
  readonly units: number;
  readonly termSeconds: number;
}

/** The usage of an account that has neither lent nor borrowed. */
export function emptyUsage(accountId: AccountId): ConsentUsage {
  return { accountId, lentUnits: 0, borrowedUnits: 0, lentUnitSeconds: {}, borrowedUnitSeconds: {} };
}

/** Why a consent is not valid at a moment; undefined when it is. */
export function invalidity(consent: Consent | undefined, now: EpochMillis): Refusal | undefined {
  if (consent === undefined) return { code: 'no-consent', field: 'consent', detail: 'the account has made no consent' };
  if (consent.status !== 'active') {
    const detail = `the consent (version ${consent.version}) was revoked at ${consent.madeAt} ms`;
    return { code: 'consent-revoked', field: 'status', detail };
  }
  const { validUntil } = consent.terms;
  if (validUntil !== undefined && now >= validUntil) {
    return {
      code: 'consent-expired',
      field: 'validUntil',
      detail: `the consent ended at ${validUntil} ms, it is ${now} ms`,
    };
  }
  return undefined;
}

function inWindow(window: ConsentWindow, day: number, second: number): boolean {
  const { daysOfWeek, fromSecondOfDay, toSecondOfDay } = window;
  if (fromSecondOfDay <= toSecondOfDay) {
    return daysOfWeek.includes(day) && second >= fromSecondOfDay && second < toSecondOfDay;
  }
  // After midnight the window still belongs to the day on which it began.
  const dayBefore = (day + 6) % 7;
  return (
    (daysOfWeek.includes(day) && second >= fromSecondOfDay) ||
    (daysOfWeek.includes(dayBefore) && second < toSecondOfDay)
  );
}

/** Whether a moment lies in one of the windows; no windows means always. A window from a second to the same second is empty. */
export function withinWindows(windows: readonly ConsentWindow[], now: EpochMillis): boolean {
  if (windows.length === 0) return true;
  const day = utcDayOfWeek(now);
  const second = utcSecondOfDay(now);
  return windows.some((window) => inWindow(window, day, second));
}

function listed(values: readonly string[]): string {
  return values.join(', ');
}

function ownScope(terms: ConsentTerms, use: OwnUse): Refusal[] {
  const found: Refusal[] = [];
  if (terms[use.direction] === undefined) {
    const detail = `the consent does not agree to ${use.direction}`;
    found.push({ code: 'direction-not-agreed', field: use.direction, detail });
  }
  if (terms.groupNames.length > 0 && !terms.groupNames.includes(use.groupName)) {
    const detail = `the consent covers the groups ${listed(terms.groupNames)}, not ${use.groupName}`;
    found.push({ code: 'group-not-covered', field: 'groupNames', detail });
  }
  if (terms.allowedApplications.length > 0 && !terms.allowedApplications.includes(use.application)) {
    const detail = `the consent allows the applications ${listed(terms.allowedApplications)}, not ${use.application}`;
    found.push({ code: 'application-not-allowed', field: 'allowedApplications', detail });
  }
  return found;
}

function counterpartyScope(terms: ConsentTerms, use: PairUse): Refusal[] {
  const found: Refusal[] = [];
  if (terms.deniedCounterparties.includes(use.counterparty)) {
    const detail = `the consent denies the account ${use.counterparty}`;
    found.push({ code: 'counterparty-denied', field: 'deniedCounterparties', detail });
  }
  if (terms.allowedCounterparties.length > 0 && !terms.allowedCounterparties.includes(use.counterparty)) {
    const detail = `the consent allows the accounts ${listed(terms.allowedCounterparties)}, not ${use.counterparty}`;
    found.push({ code: 'counterparty-not-allowed', field: 'allowedCounterparties', detail });
  }
  if (terms.regions.length > 0) {
    const outside = [use.pool.region, use.counterpartyPool.region].filter((region) => !terms.regions.includes(region));
    if (outside.length > 0) {
      const detail = `the consent allows the regions ${listed(terms.regions)}, not ${listed([...new Set(outside)])}`;
      found.push({ code: 'region-not-allowed', field: 'regions', detail });
    }
  }
  if (terms.requiredTenancy === 'dedicated' && use.counterpartyPool.tenancy !== 'dedicated') {
    const detail = `the consent requires dedicated tenancy, the counterparty's is ${use.counterpartyPool.tenancy}`;
    found.push({ code: 'tenancy-required', field: 'requiredTenancy', detail });
  }
  if (use.latencyMillis > terms.maxLatencyMillis) {
    const detail = `the consent accepts ${terms.maxLatencyMillis} ms of latency, it is ${use.latencyMillis} ms`;
    found.push({ code: 'latency-too-long', field: 'maxLatencyMillis', detail });
  }
  return found;
}

/** What the consent requires of how the counterparty keeps its instances and its word. */
function securityScope(terms: ConsentTerms, use: PairUse): Refusal[] {
  const found: Refusal[] = [];
  const { counterpartyPool, counterpartyTrust } = use;
  if (terms.requiredEncryption === 'at-rest' && counterpartyPool.encryptedAtRest !== true) {
    const stated = counterpartyPool.encryptedAtRest === false ? 'not encrypted' : 'not stated to be';
    const detail = `the consent requires volumes encrypted at rest, the counterparty's are ${stated}`;
    found.push({ code: 'encryption-required', field: 'requiredEncryption', detail });
  }
  const isolation = isolationOf(counterpartyPool);
  const { requiredIsolation } = terms;
  if (
    requiredIsolation !== undefined &&
    ISOLATION_LEVELS.indexOf(isolation) < ISOLATION_LEVELS.indexOf(requiredIsolation)
  ) {
    const detail = `the consent requires isolation of at least ${requiredIsolation}, the counterparty's is ${isolation}`;
    found.push({ code: 'isolation-required', field: 'requiredIsolation', detail });
  }
  const floor = terms.trustFloor ?? DEFAULT_TRUST_FLOOR;
  if (counterpartyTrust !== undefined && counterpartyTrust < floor) {
    const detail = `the consent requires a trust of ${floor}, the counterparty's is ${counterpartyTrust.toFixed(2)}`;
    found.push({ code: 'trust-too-low', field: 'trustFloor', detail });
  }
  return found;
}

function priceScope(terms: ConsentTerms, use: PairUse): Refusal[] {
  const found: Refusal[] = [];
  const price = use.priceMicroUsdPerUnitHour;
  const { lend, borrow } = terms;
  if (use.direction === 'lend' && lend !== undefined && price < lend.minPriceMicroUsdPerUnitHour) {
    const detail = `the consent asks for at least ${lend.minPriceMicroUsdPerUnitHour} micro-dollars a unit-hour, the price is ${price}`;
    found.push({ code: 'price-too-low', field: 'lend.minPriceMicroUsdPerUnitHour', detail });
  }
  if (use.direction === 'borrow' && borrow !== undefined) {
    if (price > borrow.maxPriceMicroUsdPerUnitHour) {
      const detail = `the consent pays at most ${borrow.maxPriceMicroUsdPerUnitHour} micro-dollars a unit-hour, the lender asks for more`;
      found.push({ code: 'price-too-high', field: 'borrow.maxPriceMicroUsdPerUnitHour', detail });
    }
    const notice = use.recallNoticeSeconds ?? 0;
    if (notice < borrow.minRecallNoticeSeconds) {
      const detail = `the consent needs ${borrow.minRecallNoticeSeconds} s of notice, the lender promises less`;
      found.push({ code: 'recall-notice-too-short', field: 'borrow.minRecallNoticeSeconds', detail });
    }
  }
  return found;
}

function termScope(terms: ConsentTerms, use: ConsentUse): Refusal[] {
  const { shortestTermSeconds, longestTermSeconds } = terms;
  if (use.termSeconds < shortestTermSeconds) {
    const detail = `the consent's shortest term is ${shortestTermSeconds} s, the loan's is ${use.termSeconds} s`;
    return [{ code: 'term-too-short', field: 'shortestTermSeconds', detail }];
  }
  if (use.termSeconds > longestTermSeconds) {
    const detail = `the consent's longest term is ${longestTermSeconds} s, the loan's is ${use.termSeconds} s`;
    return [{ code: 'term-too-long', field: 'longestTermSeconds', detail }];
  }
  return [];
}

/** What of a use its size and length alone decide. */
export type SizedUse = Pick<
  ConsentUse,
  'direction' | 'units' | 'termSeconds' | 'poolUnitsInUse' | 'ownedUnits' | 'now'
>;

/** Why the limits of one direction of a consent do not cover a use. Empty = they do. */
export function limitRefusals(limits: UsageLimits, usage: ConsentUsage, use: SizedUse): Refusal[] {
  const found: Refusal[] = [];
  const { direction, units } = use;
  const lending = direction === 'lend';
  const unitsInUse = lending ? usage.lentUnits : usage.borrowedUnits;
  if (unitsInUse + units > limits.maxUnits) {
    const detail = `the consent allows ${limits.maxUnits} units at a time, ${unitsInUse} are in use and ${units} are wanted`;
    found.push({ code: 'units-exceeded', field: `${direction}.maxUnits`, detail });
  }
  if ((use.poolUnitsInUse + units) * 100 > limits.maxSharePercent * use.ownedUnits) {
    const detail = `the consent allows ${limits.maxSharePercent} % of the pool's ${use.ownedUnits} units, ${use.poolUnitsInUse} are in use and ${units} are wanted`;
    found.push({ code: 'share-exceeded', field: `${direction}.maxSharePercent`, detail });
  }
  const month = utcMonth(use.now);
  const secondsUsed = (lending ? usage.lentUnitSeconds : usage.borrowedUnitSeconds)[month] ?? 0;
  const secondsWanted = units * use.termSeconds;
  if (secondsUsed + secondsWanted > limits.maxUnitHoursPerMonth * SECONDS_PER_HOUR) {
    const hours = (seconds: number) => Number((seconds / SECONDS_PER_HOUR).toFixed(2));
    const detail = `the consent allows ${limits.maxUnitHoursPerMonth} unit-hours in ${month}, ${hours(secondsUsed)} are used and ${hours(secondsWanted)} are wanted`;
    found.push({ code: 'unit-hours-exceeded', field: `${direction}.maxUnitHoursPerMonth`, detail });
  }
  return found;
}

function windowScope(terms: ConsentTerms, now: EpochMillis): Refusal[] {
  if (withinWindows(terms.windows, now)) return [];
  const detail = `${now} ms (UTC day ${utcDayOfWeek(now)}, second ${utcSecondOfDay(now)}) lies in none of the consent's windows`;
  return [{ code: 'outside-windows', field: 'windows', detail }];
}

/** The terms of a consent that is valid at `now`, or why it is not. */
function validTerms(consent: Consent | undefined, use: OwnUse): ConsentTerms | Refusal {
  invariant(consent === undefined || consent.accountId === use.accountId, 'a use is checked against its own account');
  const invalid = invalidity(consent, use.now);
  if (consent === undefined || invalid !== undefined) {
    return invalid ?? { code: 'no-consent', field: 'consent', detail: 'the account has made no consent' };
  }
  return consent.terms;
}

function isRefusal(value: ConsentTerms | Refusal): value is Refusal {
  return 'code' in value;
}

/** Why a consent does not cover acting at all now, whoever the counterparty would be. Empty = covered. */
export function ownRefusals(consent: Consent | undefined, use: OwnUse): Refusal[] {
  const terms = validTerms(consent, use);
  if (isRefusal(terms)) return [terms];
  return [...ownScope(terms, use), ...windowScope(terms, use.now)];
}

/**
 * Why a consent could never cover loans between two pools, however small and whenever they begin. Empty = it could.
 * Limits, terms and windows are left out: they depend on the loan.
 */
export function pairRefusals(consent: Consent | undefined, use: PairUse): Refusal[] {
  const terms = validTerms(consent, use);
  if (isRefusal(terms)) return [terms];
  return [
    ...ownScope(terms, use),
    ...counterpartyScope(terms, use),
    ...securityScope(terms, use),
    ...priceScope(terms, use),
  ];
}

/**
 * Every reason why a consent does not cover a loan. Empty = covered.
 *
 * `dataAccess` refuses nothing: no loan moves data. What it lets a counterparty see is decided in lending/disclosure.ts.
 * @param use.priceMicroUsdPerUnitHour micro-dollars; `use.now` is the start of the loan, and must lie in a window
 */
export function refusals(consent: Consent | undefined, usage: ConsentUsage, use: ConsentUse): Refusal[] {
  const terms = validTerms(consent, use);
  if (isRefusal(terms)) return [terms];
  invariant(usage.accountId === use.accountId, 'a use is checked against the usage of its own account');
  const limits = terms[use.direction];
  return [
    ...ownScope(terms, use),
    ...counterpartyScope(terms, use),
    ...securityScope(terms, use),
    ...priceScope(terms, use),
    ...termScope(terms, use),
    ...windowScope(terms, use.now),
    ...(limits === undefined ? [] : limitRefusals(limits, usage, use)),
  ];
}
