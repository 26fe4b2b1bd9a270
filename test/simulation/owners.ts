/** What the accounts' own people do: through the hub's API, and to their groups behind its back. */
import type { Loan } from '../../core/lending/loan.ts';
import type { Pairing } from '../../core/pairing/pairing.ts';
import type { AccountId } from '../../core/units.ts';
import { ApiCaller } from './api-caller.ts';
import { HUB_ACCOUNT } from './environment.ts';
import { Habits } from './habits.ts';
import { Interference } from './interference.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';
import type { PlannedAccount } from './world-plan.ts';
import { drawConsent } from './world-plan.ts';

const MINUTE_MILLIS = 60_000;
/** How much likelier something happens when a loan has just moved than in a minute, and how soon. */
const WORST_MOMENT = 15;
const DISTURBED_MILLIS = 100;
export class Owners {
  readonly #world: World;
  readonly #random: Random;
  readonly #api: ApiCaller;
  readonly #interference: Interference;
  readonly #habits: Habits;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.engine.random('owners');
    this.#api = new ApiCaller(world);
    this.#interference = new Interference(world, this.#random);
    this.#habits = new Habits(world, this.#api);
    world.onLoan = (loan) => {
      this.#habits.onLoan(loan);
      this.#disturb(loan);
    };
    for (const account of world.plan.accounts) {
      this.#each(() => {
        if (this.#random.chance(world.faults.ownerAct)) this.#act(account);
        if (this.#random.chance(world.faults.reservationChange)) {
          this.#interference.changeReservation(account.accountId);
        }
      });
    }
    for (const pool of world.plan.pools) {
      this.#each(() => {
        if (this.#random.chance(world.faults.foreignChange)) this.#interference.changeGroup(pool);
      });
    }
  }

  /** What can go wrong comes at the worst moment: while a loan is being made. */
  #disturb(loan: Loan): void {
    const { engine, faults, plan } = this.#world;
    const isMade = ['requested', 'reserved', 'taken', 'given'].includes(loan.state);
    if (isMade && this.#random.chance(faults.ownerAct * WORST_MOMENT)) {
      const account = this.#random.pick(plan.accounts);
      const acts = [
        () => this.#revokeForAWhile(account),
        () => this.#endPairing(account.accountId, loan.borrowerPoolId),
      ];
      engine.later(this.#random.between(0, DISTURBED_MILLIS), () => void this.#random.pick(acts)());
    }
    if (loan.state === 'active' && this.#random.chance(faults.meddling)) this.#meddleWith(loan);
    if (loan.state === 'waiting' && this.#random.chance(faults.meddling / 2)) {
      engine.later(this.#random.between(0, MINUTE_MILLIS), () => void this.#cancel(loan.borrowerAccountId));
    }
    if (loan.state === 'reserved' && this.#random.chance(faults.foreignChange * 2 * WORST_MOMENT)) {
      engine.later(this.#random.between(0, DISTURBED_MILLIS), () => this.#needAll(loan.lenderPoolId));
    }
    const parties = plan.pools.filter(({ spec }) => [loan.borrowerPoolId, loan.lenderPoolId].includes(spec.poolId));
    if (parties.length > 0 && this.#random.chance(faults.foreignChange * WORST_MOMENT)) {
      const pool = this.#random.pick(parties);
      engine.later(this.#random.between(0, DISTURBED_MILLIS), () => this.#interference.changeGroup(pool));
    }
  }

  /** Somebody wants something of a loan in the middle of its term. */
  #meddleWith(loan: Loan): void {
    const { borrowerPoolId, lenderPoolId, borrowerAccountId, lenderAccountId = borrowerAccountId } = loan;
    const { shortestTermSeconds, termSeconds } = loan;
    const acts = [
      () => this.#recall(lenderAccountId),
      () => this.#recall(lenderAccountId),
      () => this.#renew(borrowerAccountId),
      () => this.#giveBack(borrowerAccountId),
      () => this.#stopForAWhile(lenderAccountId, { accountId: lenderAccountId }),
      () => this.#stopForAWhile(HUB_ACCOUNT, { all: true }),
      () => this.#limitPairing(borrowerAccountId),
      () => this.#changeParty(borrowerPoolId, lenderPoolId),
    ];
    const seconds = this.#random.between(
      0,
      this.#random.pick([shortestTermSeconds, 2 * shortestTermSeconds, termSeconds]),
    );
    this.#world.engine.later(seconds * 1_000, () => {
      if (!this.#world.isQuiet) this.#random.pick(acts)();
    });
  }

  /** Somebody else changes one of the groups that a loan stands on. */
  #changeParty(...ids: readonly (string | undefined)[]): void {
    const parties = this.#world.plan.pools.filter(({ spec }) => ids.includes(spec.poolId));
    if (this.#world.faults.foreignChange > 0) this.#interference.changeGroup(this.#random.pick(parties));
  }

  /** The lender's own scaling policy asks for all that it has. */
  #needAll(poolId: string | undefined): void {
    const { groups, engine } = this.#world;
    const spec = this.#world.poolOf(poolId ?? '')?.spec;
    const group = spec === undefined ? undefined : groups.get(spec.accountId, spec.region, spec.groupName);
    if (group === undefined) return;
    group.desired = group.maxSize;
    engine.log(`${group.name} wants all that it has`);
    groups.advance(group, engine.now);
  }

  #each(run: () => void): void {
    const { engine } = this.#world;
    const again = (): void => {
      if (this.#world.isQuiet) return;
      run();
      engine.later(MINUTE_MILLIS, again);
    };
    engine.later(MINUTE_MILLIS + this.#random.between(0, MINUTE_MILLIS), again);
  }

  /** Enrols all pools, states the organisation and gives all consents, and waits until that is done. */
  async begin(): Promise<void> {
    const { pools, organisation: units, accounts } = this.#world.plan;
    for (const { spec } of pools) {
      await this.#api.mustCall(spec.accountId, { method: 'PUT', resource: '/pools', body: spec });
    }
    if (units.length > 0) {
      await this.#api.mustCall(HUB_ACCOUNT, { method: 'PUT', resource: '/organisation', body: { units } });
    }
    for (const { accountId, terms } of accounts) {
      await this.#api.mustCall(accountId, { method: 'PUT', resource: '/consent', body: terms });
    }
  }

  #act(account: PlannedAccount): void {
    const acts = [
      () => this.#revokeForAWhile(account),
      () => this.#agreeAnew(account),
      () => this.#giveBack(account.accountId),
      () => this.#endPairing(account.accountId),
      () => this.#pry(account.accountId),
      () => this.#read(account.accountId),
      () => this.#enrolAgain(account.accountId),
      () => this.#recall(account.accountId),
      () => this.#renew(account.accountId),
      () => this.#cancel(account.accountId),
      () => this.#stopForAWhile(account.accountId, { accountId: account.accountId }),
      () =>
        this.#stopForAWhile(HUB_ACCOUNT, this.#random.chance(0.5) ? { all: true } : { accountId: account.accountId }),
      () => this.#stopPairing(account.accountId),
      () => this.#limitPairing(account.accountId),
    ];
    void this.#random.pick(acts)();
  }

  async #revokeForAWhile(account: PlannedAccount): Promise<void> {
    await this.#api.call(account.accountId, { method: 'DELETE', resource: '/consent' });
    await this.#world.engine.sleep(this.#random.between(1, 40) * MINUTE_MILLIS);
    await this.#api.call(account.accountId, { method: 'PUT', resource: '/consent', body: account.terms });
  }

  async #agreeAnew({ accountId }: PlannedAccount): Promise<void> {
    const { accounts, isCrowded } = this.#world.plan;
    const others = accounts.map((account) => account.accountId).filter((id) => id !== accountId);
    const body = drawConsent(this.#random, others, isCrowded);
    await this.#api.call(accountId, { method: 'PUT', resource: '/consent', body });
  }

  #loans(wanted: (loan: Loan) => boolean): Loan[] {
    const all = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    return all.filter((loan) => wanted(loan));
  }

  /** One of the account's active loans, as a borrower or a lender. */
  #activeLoan(account: AccountId, side: 'borrowerAccountId' | 'lenderAccountId'): Loan | undefined {
    return this.#loans((loan) => loan[side] === account && loan.state === 'active')[0];
  }

  async #giveBack(account: AccountId): Promise<void> {
    await this.#askOf(account, this.#activeLoan(account, 'borrowerAccountId'), 'return');
  }

  async #recall(account: AccountId): Promise<void> {
    await this.#askOf(account, this.#activeLoan(account, 'lenderAccountId'), 'recall');
  }

  async #renew(account: AccountId): Promise<void> {
    await this.#askOf(account, this.#activeLoan(account, 'borrowerAccountId'), 'renew');
  }

  async #askOf(account: AccountId, loan: Loan | undefined, what: 'return' | 'recall' | 'renew'): Promise<void> {
    if (loan === undefined) return;
    const parameters = { loanId: loan.loanId };
    await this.#api.call(account, { method: 'POST', resource: `/loans/{loanId}/${what}`, parameters, body: {} });
  }

  async #cancel(account: AccountId): Promise<void> {
    const [loan] = this.#loans(({ borrowerAccountId, state }) => borrowerAccountId === account && state === 'waiting');
    await this.#api.call(account, { method: 'GET', resource: '/requests' });
    if (loan === undefined) return;
    const parameters = { requestId: loan.request?.requestId ?? loan.loanId };
    const call = { method: 'DELETE', resource: '/requests/{requestId}', parameters };
    const { status, body } = await this.#api.call(account, call);
    if (status === 200) this.#world.checks.onCancelled(String(body['cancelled']));
  }

  /** Its owner stops an account, or the operator of the hub stops it or all of them. */
  async #stopForAWhile(caller: string, target: object): Promise<void> {
    const stop = { ...target, reason: 'a drill', recall: this.#random.chance(0.5) };
    await this.#api.call(caller, { method: 'POST', resource: '/switches/stop', body: stop });
    await this.#world.engine.sleep(this.#random.between(1, 40) * MINUTE_MILLIS);
    await this.#api.call(caller, { method: 'GET', resource: '/switches' });
    await this.#api.call(caller, { method: 'POST', resource: '/switches/resume', body: { ...target, reason: 'over' } });
  }

  #pairingsOf(account: AccountId): Pick<Pairing, 'pairingId' | 'borrowerPoolId'>[] {
    const items = this.#world.tables.partition('entangle-accounts', account) as readonly Partial<Pairing>[];
    return items.flatMap(({ pairingId, borrowerPoolId, acceptances, state }) =>
      pairingId !== undefined && borrowerPoolId !== undefined && acceptances !== undefined && state === 'active'
        ? [{ pairingId, borrowerPoolId }]
        : [],
    );
  }

  async #stopPairing(account: AccountId): Promise<void> {
    const open = this.#pairingsOf(account);
    if (open.length === 0) return;
    const { pairingId } = this.#random.pick(open);
    await this.#stopForAWhile(account, { pairingId });
  }

  async #limitPairing(account: AccountId): Promise<void> {
    const open = this.#pairingsOf(account);
    if (open.length === 0) return;
    const parameters = { pairingId: this.#random.pick(open).pairingId };
    const body = { limit: this.#random.chance(0.8) ? { maxUnits: this.#random.int(1, 4) } : null };
    await this.#api.call(account, { method: 'PUT', resource: '/pairings/{pairingId}/limit', parameters, body });
  }

  /** @param borrowerPoolId only one by which this pool borrows; absent: any */
  async #endPairing(account: AccountId, borrowerPoolId?: string): Promise<void> {
    const open = this.#pairingsOf(account);
    const wanted = open.filter((pairing) => borrowerPoolId === undefined || pairing.borrowerPoolId === borrowerPoolId);
    if (wanted.length === 0) return;
    const { pairingId } = this.#random.pick(wanted);
    await this.#api.call(account, { method: 'DELETE', resource: '/pairings/{pairingId}', parameters: { pairingId } });
  }

  /** Asks for what belongs to others. */
  async #pry(account: AccountId): Promise<void> {
    const [loan] = this.#loans((each) => each.borrowerAccountId !== account && each.lenderAccountId !== account);
    if (loan === undefined) return;
    const parameters = { loanId: loan.loanId };
    const { status } = await this.#api.call(account, { method: 'GET', resource: '/loans/{loanId}', parameters });
    if (status === 200) this.#world.checks.violated('no-cross-account-access', `${account} reads ${loan.loanId}`);
  }

  async #read(account: AccountId): Promise<void> {
    const { body } = await this.#api.call(account, { method: 'GET', resource: '/loans' });
    for (const loan of (body['loans'] ?? []) as Loan[]) {
      if (loan.borrowerAccountId === account || loan.lenderAccountId === account) continue;
      this.#world.checks.violated('no-cross-account-access', `${account} is shown ${loan.loanId}`);
    }
    await this.#readQueue(account);
    for (const resource of [
      '/audit',
      '/bills',
      '/plan',
      '/pairings',
      '/trust',
      '/consent',
      '/capacity',
      '/organisation',
    ]) {
      await this.#api.call(account, { method: 'GET', resource });
    }
  }

  /** A request that waits all the time is in the answer. */
  async #readQueue(account: AccountId): Promise<void> {
    const waiting = (): Loan[] =>
      this.#loans(({ borrowerAccountId, state }) => borrowerAccountId === account && state === 'waiting');
    const before = waiting();
    await this.#world.engine.sleep(this.#world.plan.indexLagMillis);
    const { status, body } = await this.#api.call(account, { method: 'GET', resource: '/requests' });
    const shown = (body['requests'] ?? []) as readonly { readonly requestId: string }[];
    const still = new Set(waiting().map(({ loanId }) => loanId));
    for (const { loanId, request } of before) {
      const isShown = shown.some(({ requestId }) => requestId === (request?.requestId ?? loanId));
      if (status !== 200 || isShown || !still.has(loanId)) continue;
      this.#world.checks.violated('queue', `${loanId} waits, and ${account} is not shown it`);
    }
  }

  async #enrolAgain(account: AccountId): Promise<void> {
    const pool = this.#random.pick(this.#world.plan.pools);
    if (pool.spec.accountId !== account || this.#world.checks.isTouched(pool.spec.poolId)) return;
    await this.#api.call(account, { method: 'PUT', resource: '/pools', body: pool.spec });
  }
}
