/** What owners do in the ordinary course of things: they agree to other terms, limit their pairings, start instances elsewhere. */
import type { Consent, ConsentTerms } from '../../core/consent/consent.ts';
import type { Loan } from '../../core/lending/loan.ts';
import type { Pairing } from '../../core/pairing/pairing.ts';
import type { AccountId } from '../../core/units.ts';
import type { ApiCaller } from './api-caller.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const MINUTE_MILLIS = 60_000;
/** Time in which owners look at the limits of their pairings. */
const LIMITS_MILLIS = 15 * MINUTE_MILLIS;
/** No loan outlasts the quiet time at the end of a world. */
const LONGEST_TERM_SECONDS = 7_200;
/** Of a loan that is reserved: instances in no group of the borrower's account take what its quota leaves. */
const ELSEWHERE = 0.2;

/** Changes that a loan may meet before its term ends. */
function changedTerms(random: Random, terms: ConsentTerms): ConsentTerms {
  const { shortestTermSeconds, longestTermSeconds } = terms;
  const longer = Math.min(LONGEST_TERM_SECONDS, longestTermSeconds * random.pick([1.5, 2, 3]));
  const shorter = Math.max(shortestTermSeconds, longestTermSeconds / 2);
  const seconds = random.chance(0.85) ? longer : shorter;
  return { ...terms, longestTermSeconds: Math.max(shortestTermSeconds, Math.round(seconds)) };
}

export class Habits {
  readonly #world: World;
  readonly #api: ApiCaller;
  readonly #random: Random;

  constructor(world: World, api: ApiCaller) {
    this.#world = world;
    this.#api = api;
    this.#random = world.engine.random('habits');
    if (!world.plan.rare.habits.limitPairings) return;
    for (const { accountId } of world.plan.accounts) this.#lookAtLimits(accountId);
  }

  #lookAtLimits(accountId: AccountId): void {
    const again = (): void => {
      if (this.#world.isQuiet) return;
      void this.#limitPairing(accountId);
      this.#world.engine.later(LIMITS_MILLIS, again);
    };
    this.#world.engine.later(this.#random.between(1, 2) * LIMITS_MILLIS, again);
  }

  onLoan(loan: Loan): void {
    const { engine, isQuiet, plan } = this.#world;
    if (isQuiet) return;
    if (loan.state === 'reserved') this.#startElsewhere(loan.borrowerAccountId);
    if (loan.state !== 'active' || !plan.rare.habits.changeTerms) return;
    const { lenderAccountId, borrowerAccountId } = loan;
    for (const account of lenderAccountId === undefined ? [] : [borrowerAccountId, lenderAccountId]) {
      if (!this.#random.chance(0.8)) continue;
      const millis = this.#random.between(0, loan.termSeconds) * 1_000;
      engine.later(millis, () => void this.#changeTerms(account));
    }
  }

  /** The same consent but for its longest term. */
  async #changeTerms(accountId: AccountId): Promise<void> {
    const stored = this.#world.tables.get('entangle-accounts', { accountId, item: 'CONSENT' });
    const consent = stored as unknown as Consent | undefined;
    if (consent?.status !== 'active' || this.#world.isQuiet) return;
    const body = changedTerms(this.#random, consent.terms);
    await this.#api.call(accountId, { method: 'PUT', resource: '/consent', body });
  }

  async #limitPairing(accountId: AccountId): Promise<void> {
    const items = this.#world.tables.partition('entangle-accounts', accountId) as readonly Partial<Pairing>[];
    const open = items.filter(({ pairingId, acceptances, state }) => {
      return pairingId !== undefined && acceptances !== undefined && state === 'active';
    });
    if (open.length === 0) return;
    const { pairingId = '', limits = [] } = this.#random.pick(open);
    const isLimited = limits.some((limit) => limit.accountId === accountId);
    const units = { maxUnits: this.#random.int(1, 4) };
    const hours = { maxUnitHoursPerMonth: this.#random.pick([0.1, 0.5, 1, 3]) };
    const stated = this.#random.pick([units, hours, { ...units, ...hours }]);
    const limit = isLimited && this.#random.chance(0.3) ? null : stated;
    const call = { method: 'PUT', resource: '/pairings/{pairingId}/limit', parameters: { pairingId } };
    await this.#api.call(accountId, { ...call, body: { limit } });
  }

  /** What a quota leaves is used up while a loan's instances are still to be launched. */
  #startElsewhere(accountId: AccountId): void {
    const { quotas, engine } = this.#world;
    const room = quotas.roomOf(accountId);
    if (room === undefined || !this.#random.chance(ELSEWHERE)) return;
    engine.log(`${accountId} starts instances elsewhere: ${room} vCPUs`);
    quotas.useElsewhere(accountId, room);
    engine.later(this.#random.between(5, 60) * MINUTE_MILLIS, () => quotas.useElsewhere(accountId, -room));
  }
}
