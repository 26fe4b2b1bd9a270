/** Each loan: the states in their order, under consents that cover it, active and billed by what was in service, and ended. */

import type { LedgerEntry } from '../../../core/billing/ledger.ts';
import type { Consent, ConsentUsage } from '../../../core/consent/consent.ts';
import type { PoolForecast } from '../../../core/forecast/pool-forecast.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { isOpen } from '../../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../../core/lending/loan-units.ts';
import type { Outlook } from '../../../core/lending/outlook.ts';
import { evidenceFromLoan } from '../../../core/trust/loan-evidence.ts';
import { pairingIdFor } from '../../../functions/adapters/ids.ts';
import { evidenceItem, pairingStateKey } from '../../../functions/adapters/keys.ts';
import type { Change } from '../aws/tables.ts';
import type { Invocation } from '../lambda.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';
import { CLOCK_MILLIS } from './clock-slack.ts';
import { LenderForecasts } from './lender-forecasts.ts';

type Report = (invariant: Invariant, what: string) => void;

/** What may follow each state; states that stand not here are left to the other checks. */
const AFTER: Readonly<Record<string, readonly string[]>> = {
  requested: ['reserved', 'refused', 'failed', 'waiting', 'cancelled'],
  waiting: ['reserved', 'refused', 'failed', 'cancelled'],
  reserved: ['taken', 'given', 'returning'],
  taken: ['given', 'returning'],
  given: ['active', 'returning'],
  active: ['returning', 'recalled'],
  recalled: ['returning'],
  returning: ['draining', 'reclaimed'],
  draining: ['reclaimed'],
  reclaimed: ['returned', 'compensated', 'failed'],
  returned: [],
  refused: [],
  cancelled: [],
  failed: [],
  compensated: [],
};
const HOUR_MILLIS = 3_600_000;
/** A schedule that is lost and workflows that fail take their time. */
const OVERDUE_MILLIS = 5_400_000;
const RECONCILED_AFTER_DUE = 6;

export class LoanChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #forecasts = new LenderForecasts();

  /** When reconciling has looked at every account. */
  readonly #reconciledAt: number[] = [];

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onChanged(changes: readonly Change[], invocation: Invocation | undefined): void {
    for (const { table, before, after } of changes) {
      if (table === 'entangle-loans')
        this.#onLoan(before as unknown as Loan | undefined, after as unknown as Loan, invocation);
      else if (String(after?.['item']).startsWith('PLAN#')) this.#onPlan(after as never);
      else if (String(after?.['item']).startsWith('OUTLOOK#')) this.#forecasts.onOutlook(after?.['outlook'] as Outlook);
    }
  }

  /** The least that a lender is to keep from one moment to another, by the forecasts that may have been read. */
  needOver(lenderPoolId: string, from: number, to: number): number {
    return this.#forecasts.needOver(lenderPoolId, from, to);
  }

  #onPlan({ poolId, forecast }: { readonly poolId: string; readonly forecast?: PoolForecast }): void {
    if (forecast !== undefined) this.#forecasts.onPlan(poolId, forecast);
  }

  #onLoan(before: Loan | undefined, loan: Loan | undefined, invocation: Invocation | undefined): void {
    if (loan === undefined) {
      this.#report('audit', `loan ${before?.loanId} was removed`);
      return;
    }
    this.#world.engine.log(`${loan.loanId} ${before?.state ?? '-'} to ${loan.state}`);
    if (loan.version !== (before?.version ?? 0) + 1) this.#report('audit', `${loan.loanId} skips a version`);
    const was = before?.history ?? [];
    const isKept = was.every(
      (entry, index) => loan.history[index]?.state === entry.state && loan.history[index].at === entry.at,
    );
    if (!isKept) this.#report('audit', `${loan.loanId} forgets what it was`);
    if (before !== undefined && before.state !== loan.state && AFTER[before.state]?.includes(loan.state) === false) {
      this.#report('every-loan-ends', `${loan.loanId} goes from ${before.state} to ${loan.state}`);
    }
    if (before?.state === loan.state) return;
    this.#world.onLoan(loan);
    this.#world.checks.onLoanState(loan, invocation);
    if (loan.state === 'reserved') this.#checkReserved(loan);
    if (loan.state === 'active') this.#checkActive(loan, invocation);
    if (loan.endedAt !== undefined) {
      this.#checkBill(loan);
      this.#checkEvidence(loan);
    }
  }

  #stored(key: Readonly<Record<string, unknown>>): unknown {
    return this.#world.tables.get('entangle-accounts', key);
  }

  #checkReserved(loan: Loan): void {
    const { borrowerAccountId, lenderAccountId, lenderPoolId } = loan;
    this.#checkConsent(loan, borrowerAccountId, 'borrow', loan.borrowerConsentVersion);
    if (lenderAccountId === undefined || lenderPoolId === undefined) return;
    this.#checkConsent(loan, lenderAccountId, 'lend', loan.lenderConsentVersion);
    const pairing = this.#stored({
      ...pairingStateKey(borrowerAccountId, pairingIdFor(lenderPoolId, loan.borrowerPoolId)),
    }) as { readonly state: string } | undefined;
    if (pairing?.state !== 'active') {
      this.#report('consents', `${loan.loanId} is reserved while the pairing is ${pairing?.state ?? 'not there'}`);
    }
    this.#checkFloor(loan, lenderPoolId);
  }

  #checkConsent(loan: Loan, account: string, direction: 'lend' | 'borrow', version: number | undefined): void {
    const fault = (what: string): void => this.#report('consents', `${loan.loanId}, ${account}: ${what}`);
    const consent = this.#stored({ accountId: account, item: 'CONSENT' }) as Consent | undefined;
    if (consent?.status !== 'active') return fault('the consent is not active');
    const { terms } = consent;
    if (consent.version !== version) fault(`made under version ${version}, current is ${consent.version}`);
    if ((terms.validUntil ?? Number.POSITIVE_INFINITY) < this.#world.engine.now - CLOCK_MILLIS) fault('it has ended');
    if (loan.termSeconds < terms.shortestTermSeconds || loan.termSeconds > terms.longestTermSeconds) fault('the term');
    if (loan.kind === 'provisioned') return;
    const limits = terms[direction];
    if (limits === undefined) return fault(`it does not agree to ${direction}`);
    const other = direction === 'lend' ? loan.borrowerAccountId : loan.lenderAccountId;
    if (other !== undefined && terms.deniedCounterparties.includes(other)) fault(`it denies ${other}`);
    this.#checkUsage(limits.maxUnits, limits.maxUnitHoursPerMonth, account, direction, fault);
    const price = loan.priceMicroUsdPerUnitHour;
    if (direction === 'lend' && price < (terms.lend?.minPriceMicroUsdPerUnitHour ?? 0)) fault('the price is too low');
    const perOwnUnit = (price * lenderUnitsOf(loan)) / loan.units;
    if (direction === 'borrow' && perOwnUnit > (terms.borrow?.maxPriceMicroUsdPerUnitHour ?? 0)) fault('too dear');
  }

  #checkUsage(
    maxUnits: number,
    maxHours: number,
    account: string,
    direction: 'lend' | 'borrow',
    fault: (what: string) => void,
  ): void {
    const usage = this.#stored({ accountId: account, item: 'USAGE' }) as
      | (ConsentUsage & Record<string, number>)
      | undefined;
    const units = (direction === 'lend' ? usage?.lentUnits : usage?.borrowedUnits) ?? 0;
    if (units > maxUnits) fault(`${units} units in use of ${maxUnits}`);
    const months = Object.entries(usage ?? {}).filter(([name]) => name.startsWith(`${direction}#`));
    // Only the month that this loan counts in was held against the maximum.
    const [, seconds = 0] = months.at(-1) ?? [];
    if (months.length === 1 && seconds > maxHours * 3_600) fault(`${seconds} unit-seconds are too many`);
  }

  /** A lender keeps what its forecast needs over the term. */
  #checkFloor(loan: Loan, lenderPoolId: string): void {
    const move = loan.moves.take;
    const pool = this.#world.poolOf(lenderPoolId);
    if (move === undefined || pool === undefined) return;
    const from = loan.history.at(-1)?.at ?? 0;
    const until = from + loan.termSeconds * 1_000;
    const need = this.#forecasts.needOver(lenderPoolId, from, until) + pool.spec.reserveUnits;
    if (move.toMaxSize < need) {
      this.#report(
        'lender-floor',
        `${lenderPoolId} is forecast to need ${need}, ${loan.loanId} leaves ${move.toMaxSize}`,
      );
    }
  }

  #checkActive(loan: Loan, invocation: Invocation | undefined): void {
    const seen = invocation?.seen.get(loan.borrowerPoolId);
    const wanted = loan.inServiceBefore + loan.units;
    if (seen === undefined || seen.inService < wanted) {
      this.#report(
        'active-from-in-service',
        `${loan.loanId} is active with ${seen?.inService ?? 'no'} of ${wanted} in service`,
      );
    }
    const { activeAt = 0 } = loan;
    if (Math.abs(activeAt - this.#world.engine.now) > CLOCK_MILLIS) {
      this.#report(
        'active-from-in-service',
        `${loan.loanId} is active from ${activeAt}, it is ${this.#world.engine.now}`,
      );
    }
  }

  /** Price × the lender's units × the time from active to reclaimed, at most the term; half a micro-dollar up. */
  #dueOf({ activeAt, dueAt = activeAt, history, priceMicroUsdPerUnitHour, ...loan }: Loan): number {
    if (activeAt === undefined || loan.kind === 'provisioned') return 0;
    const reclaimedAt: number = history.find(({ state }) => state === 'reclaimed')?.at ?? 0;
    const until = Math.min(reclaimedAt, dueAt ?? reclaimedAt);
    const exact = priceMicroUsdPerUnitHour * lenderUnitsOf(loan) * (Math.max(0, until - activeAt) / HOUR_MILLIS);
    return Math.floor(exact + 0.5);
  }

  #checkBill(loan: Loan): void {
    const { lenderAccountId = '', loanId } = loan;
    const entries = this.#world.tables.partition(
      'entangle-ledger',
      lenderAccountId,
    ) as unknown as readonly LedgerEntry[];
    const own = entries.filter((entry) => entry.loanId === loanId);
    const posted = own.filter(({ phase }) => phase === 'posted');
    const amount = posted.reduce((sum, entry) => sum + entry.amountMicroUsd, 0);
    const due = this.#dueOf(loan);
    if (posted.length > 1 || amount !== due) this.#report('ledger', `${loanId} is billed ${amount}, due are ${due}`);
    const pending = own.filter(({ phase }) => phase !== 'posted').reduce((sum, entry) => sum + entry.amountMicroUsd, 0);
    if (pending !== 0) this.#report('ledger', `${loanId} has ended with ${pending} pending`);
  }

  /** What a loan shows of its parties is there with its end; of a consent that was revoked, what does not hang on who revoked it. */
  #checkEvidence(loan: Loan): void {
    for (const { kind, accountId, at, evidenceId } of evidenceFromLoan(loan)) {
      if (this.#stored({ accountId, item: evidenceItem(at, evidenceId) }) !== undefined) continue;
      this.#report('audit', `${loan.loanId} has ended, and ${kind} of ${accountId} is not kept`);
    }
  }

  /** A term that is over long since, though reconciling has looked often enough. */
  #overdue(loan: Loan): boolean {
    const { engine } = this.#world;
    const { dueAt } = loan;
    if (loan.state !== 'active' || dueAt === undefined || engine.now < dueAt + OVERDUE_MILLIS) return false;
    return this.#reconciledAt.filter((at) => at > dueAt).length >= RECONCILED_AFTER_DUE;
  }

  onReconciled(): void {
    this.#reconciledAt.push(this.#world.engine.now);
    for (const loan of this.#world.tables.all('entangle-loans') as unknown as Iterable<Loan>) {
      if (this.#overdue(loan)) this.#report('every-loan-ends', `${loan.loanId} is active since long after its term`);
    }
  }

  atRest(): void {
    for (const loan of this.#world.tables.all('entangle-loans') as unknown as Iterable<Loan>) {
      if (isOpen(loan)) this.#report('every-loan-ends', `${loan.loanId} is ${loan.state} still`);
      else if (loan.endedAt === undefined)
        this.#report('every-loan-ends', `${loan.loanId} is ${loan.state} without an end`);
    }
    const { running } = this.#world.executions;
    if (running.length > 0) this.#report('every-loan-ends', `${running.join(', ')} did not end`);
    const { names } = this.#world.schedules;
    if (names.length > 0) this.#report('everything-back', `schedules are left: ${names.join(', ')}`);
  }
}
