/** A loan whose term becomes longer: both parties agree to it now, its lender can spare the units, and it is paid for. */
import type { LedgerEntry } from '../../../core/billing/ledger.ts';
import type { Consent } from '../../../core/consent/consent.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../../core/lending/loan-units.ts';
import type { Stop } from '../../../core/lending/stops.ts';
import type { Pool } from '../../../core/pool.ts';
import { pairingIdFor } from '../../../functions/adapters/ids.ts';
import { pairingStateKey, poolKey } from '../../../functions/adapters/keys.ts';
import type { Change } from '../aws/tables.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';
import { CLOCK_MILLIS } from './clock-slack.ts';

type Report = (invariant: Invariant, what: string) => void;

const SECONDS_PER_HOUR = 3_600;
const STOPPED_BY = ['organisation', 'operator', 'owner'];

/** @param needOver the least that a lender is to keep between two moments, by the forecasts that may have been read */
type NeedOver = (lenderPoolId: string, from: number, to: number) => number;

export class RenewalChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #needOver: NeedOver;

  constructor(world: World, report: Report, needOver: NeedOver) {
    this.#world = world;
    this.#report = report;
    this.#needOver = needOver;
  }

  onChanged(changes: readonly Change[]): void {
    for (const { table, before, after } of changes) {
      if (table !== 'entangle-loans' || before === undefined || after === undefined) continue;
      const was = before as unknown as Loan;
      const is = after as unknown as Loan;
      const isLonger = is.termSeconds !== was.termSeconds || is.renewals?.length !== was.renewals?.length;
      if (isLonger && was.activeAt !== undefined) this.#check(was, is);
    }
  }

  #check(was: Loan, is: Loan): void {
    const { loanId, lenderPoolId, lenderAccountId } = is;
    const fault = (what: string): void => this.#report('renewals', `${loanId} is renewed: ${what}`);
    if (was.state !== 'active' || is.state !== 'active') fault(`it is ${was.state}, then ${is.state}`);
    if (lenderPoolId === undefined || lenderAccountId === undefined) return fault('it has no lender');
    this.#checkTerm(was, is, fault);
    this.#checkConsent(is, is.borrowerAccountId, 'borrow', is.borrowerConsentVersion, fault);
    this.#checkConsent(is, lenderAccountId, 'lend', is.lenderConsentVersion, fault);
    this.#checkStops([is.borrowerAccountId, lenderAccountId], fault);
    const key = pairingStateKey(is.borrowerAccountId, pairingIdFor(lenderPoolId, is.borrowerPoolId));
    const pairing = this.#stored({ ...key }) as { readonly state: string } | undefined;
    if (pairing?.state !== 'active') fault(`the pairing is ${pairing?.state ?? 'not there'}`);
    this.#checkSpared(is, fault);
    this.#checkPending(is, lenderAccountId, fault);
  }

  #stored(key: Readonly<Record<string, unknown>>): unknown {
    return this.#world.tables.get('entangle-accounts', key);
  }

  /** One stretch more, no longer than the first was, from where the term ended. */
  #checkTerm(was: Loan, is: Loan, fault: (what: string) => void): void {
    const [first = was.termSeconds, ...more] = (is.renewals ?? []).map(({ addedSeconds }) => addedSeconds).reverse();
    const stretch = was.termSeconds - more.reduce((sum, seconds) => sum + seconds, 0);
    const added = is.termSeconds - was.termSeconds;
    if (more.length !== (was.renewals?.length ?? 0)) fault('more than once in one step');
    if (added <= 0 || added !== first) fault(`by ${added} s, recorded are ${first}`);
    if (added > stretch) fault(`by ${added} s, the first term was ${stretch}`);
    const moved = (is.dueAt ?? 0) - (was.dueAt ?? 0);
    if (moved !== added * 1_000 || is.activeAt !== was.activeAt) fault(`its end moves by ${moved} ms`);
    const overMillis = this.#world.engine.now - (is.dueAt ?? 0);
    if (overMillis >= CLOCK_MILLIS) fault(`its end has been over for ${overMillis} ms`);
  }

  #checkConsent(
    loan: Loan,
    accountId: string,
    direction: 'lend' | 'borrow',
    version: number | undefined,
    fault: (what: string) => void,
  ): void {
    const consent = this.#stored({ accountId, item: 'CONSENT' }) as Consent | undefined;
    if (consent?.status !== 'active') return fault(`the consent of ${accountId} is not active`);
    const { terms } = consent;
    if (consent.version !== version) fault(`under version ${version} of ${accountId}, current is ${consent.version}`);
    if (terms.renewable === false) fault(`the consent of ${accountId} is not renewable`);
    if (loan.termSeconds > terms.longestTermSeconds) {
      fault(`to ${loan.termSeconds} s, the consent of ${accountId} covers ${terms.longestTermSeconds}`);
    }
    const limits = terms[direction];
    if (limits === undefined) return fault(`${accountId} does not agree to ${direction}`);
    const usage = this.#stored({ accountId, item: 'USAGE' }) as Readonly<Record<string, unknown>> | undefined;
    const months = Object.entries(usage ?? {}).filter(([name]) => name.startsWith(`${direction}#`));
    const seconds = Number(months[0]?.[1] ?? 0);
    if (months.length === 1 && seconds > limits.maxUnitHoursPerMonth * SECONDS_PER_HOUR) {
      fault(`${accountId} has ${seconds} unit-seconds in use of ${limits.maxUnitHoursPerMonth} hours`);
    }
  }

  #checkStops(accounts: readonly string[], fault: (what: string) => void): void {
    for (const accountId of accounts) {
      const stops = (this.#stored({ accountId, item: 'SWITCH' }) ?? {}) as Readonly<Record<string, Stop>>;
      const by = STOPPED_BY.find((each) => stops[each] !== undefined);
      if (by !== undefined) fault(`${accountId} is stopped by its ${by}`);
    }
  }

  /** What its lender owns, and has not lent, covers what it is forecast to need until the new end. */
  #checkSpared({ lenderPoolId, dueAt }: Loan, fault: (what: string) => void): void {
    const planned = this.#world.poolOf(lenderPoolId ?? '');
    if (planned === undefined || dueAt === undefined) return;
    const { poolId, reserveUnits } = planned.spec;
    const pool = this.#stored({ ...poolKey(poolId) }) as Pool | undefined;
    if (pool === undefined) return fault(`${poolId} is not enrolled`);
    const kept = pool.ownedUnits + (pool.ceilingDriftUnits ?? 0) - pool.lentUnits;
    const need = this.#needOver(poolId, this.#world.engine.now, dueAt) + reserveUnits;
    if (kept < need) fault(`${poolId} is forecast to need ${need} until then, it has ${kept}`);
  }

  /** Pending is the price of the whole term, rounded once. */
  #checkPending(loan: Loan, lenderAccountId: string, fault: (what: string) => void): void {
    const { loanId, priceMicroUsdPerUnitHour: price, termSeconds } = loan;
    const entries = this.#world.tables.partition('entangle-ledger', lenderAccountId) as unknown as LedgerEntry[];
    const pending = entries
      .filter((entry) => entry.loanId === loanId && entry.phase === 'pending')
      .reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0);
    const due = Math.floor(price * lenderUnitsOf(loan) * (termSeconds / SECONDS_PER_HOUR) + 0.5);
    if (pending !== due) fault(`${pending} are pending, the whole term costs ${due}`);
  }
}
