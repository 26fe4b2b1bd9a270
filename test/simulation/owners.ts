/** What the accounts' own people do: through the hub's API, and to their groups behind its back. */
import type { Loan } from '../../core/lending/loan.ts';
import type { Pairing } from '../../core/pairing/pairing.ts';
import type { AccountId } from '../../core/units.ts';
import type { Group } from './aws/scaling-groups.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';
import type { PlannedAccount, PlannedPool } from './world-plan.ts';
import { drawConsent } from './world-plan.ts';

const MINUTE_MILLIS = 60_000;
/** How much likelier something happens when a loan has just moved than in a minute, and how soon. */
const WORST_MOMENT = 15;
const DISTURBED_MILLIS = 100;
/** A call of the API is made again so many times when it fails for no reason of the caller's. */
const CALL_ATTEMPTS = 20;

interface ApiCall {
  readonly method: string;
  /** As in the API: `/loans/{loanId}`. */
  readonly resource: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export class Owners {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.engine.random('owners');
    world.onLoan = (loan) => this.#disturb(loan);
    for (const account of world.plan.accounts) {
      this.#each(() => {
        if (this.#random.chance(world.faults.ownerAct)) this.#act(account);
      });
    }
    for (const pool of world.plan.pools) {
      this.#each(() => {
        if (this.#random.chance(world.faults.foreignChange)) this.#interfere(pool);
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
    if (loan.state === 'reserved' && this.#random.chance(faults.foreignChange * 2 * WORST_MOMENT)) {
      engine.later(this.#random.between(0, DISTURBED_MILLIS), () => this.#needAll(loan.lenderPoolId));
    }
    const parties = plan.pools.filter(({ spec }) => [loan.borrowerPoolId, loan.lenderPoolId].includes(spec.poolId));
    if (parties.length > 0 && this.#random.chance(faults.foreignChange * WORST_MOMENT)) {
      const pool = this.#random.pick(parties);
      engine.later(this.#random.between(0, DISTURBED_MILLIS), () => this.#interfere(pool));
    }
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

  /** Enrols all pools and gives all consents, and waits until that is done. */
  async begin(): Promise<void> {
    for (const { spec } of this.#world.plan.pools) {
      await this.#call(spec.accountId, { method: 'PUT', resource: '/pools', body: spec });
    }
    for (const { accountId, terms } of this.#world.plan.accounts) {
      await this.#call(accountId, { method: 'PUT', resource: '/consent', body: terms });
    }
  }

  /** Calls the API as an account, again when it fails inside. @returns the status and body of the last answer */
  async #call(account: AccountId, call: ApiCall): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
    const event = {
      httpMethod: call.method,
      resource: call.resource,
      path: call.resource,
      pathParameters: call.parameters ?? null,
      queryStringParameters: null,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      requestContext: { identity: { accountId: account, userArn: `arn:aws:iam::${account}:role/owner` } },
    };
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#world.lambda.invoke('api', event);
      const answer = outcome.ok ? (outcome.result as { statusCode: number; body: string }) : undefined;
      if (answer !== undefined && answer.statusCode < 500) {
        const body = JSON.parse(answer.body) as Readonly<Record<string, unknown>>;
        return { status: answer.statusCode, body };
      }
      if (attempt === CALL_ATTEMPTS) return { status: 500, body: {} };
      await this.#world.engine.sleep(2_000);
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
      () => this.#stopForAWhile(account.accountId),
    ];
    void this.#random.pick(acts)();
  }

  async #revokeForAWhile(account: PlannedAccount): Promise<void> {
    await this.#call(account.accountId, { method: 'DELETE', resource: '/consent' });
    await this.#world.engine.sleep(this.#random.between(1, 40) * MINUTE_MILLIS);
    await this.#call(account.accountId, { method: 'PUT', resource: '/consent', body: account.terms });
  }

  async #agreeAnew({ accountId }: PlannedAccount): Promise<void> {
    const others = this.#world.plan.accounts.map((account) => account.accountId).filter((id) => id !== accountId);
    await this.#call(accountId, { method: 'PUT', resource: '/consent', body: drawConsent(this.#random, others) });
  }

  #loans(wanted: (loan: Loan) => boolean): Loan[] {
    const all = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    return all.filter((loan) => wanted(loan));
  }

  async #giveBack(account: AccountId): Promise<void> {
    const [loan] = this.#loans(({ borrowerAccountId, state }) => borrowerAccountId === account && state === 'active');
    if (loan === undefined) return;
    const parameters = { loanId: loan.loanId };
    await this.#call(account, { method: 'POST', resource: '/loans/{loanId}/return', parameters });
  }

  async #recall(account: AccountId): Promise<void> {
    const [loan] = this.#loans(({ lenderAccountId, state }) => lenderAccountId === account && state === 'active');
    if (loan === undefined) return;
    const parameters = { loanId: loan.loanId };
    await this.#call(account, { method: 'POST', resource: '/loans/{loanId}/recall', parameters, body: {} });
  }

  async #renew(account: AccountId): Promise<void> {
    const [loan] = this.#loans(({ borrowerAccountId, state }) => borrowerAccountId === account && state === 'active');
    if (loan === undefined) return;
    const parameters = { loanId: loan.loanId };
    await this.#call(account, { method: 'POST', resource: '/loans/{loanId}/renew', parameters, body: {} });
  }

  async #cancel(account: AccountId): Promise<void> {
    const [loan] = this.#loans(({ borrowerAccountId, state }) => borrowerAccountId === account && state === 'waiting');
    await this.#call(account, { method: 'GET', resource: '/requests' });
    if (loan === undefined) return;
    const parameters = { requestId: loan.request?.requestId ?? loan.loanId };
    await this.#call(account, { method: 'DELETE', resource: '/requests/{requestId}', parameters });
  }

  async #stopForAWhile(account: AccountId): Promise<void> {
    const stop = { accountId: account, reason: 'a drill', recall: this.#random.chance(0.5) };
    await this.#call(account, { method: 'POST', resource: '/switches/stop', body: stop });
    await this.#world.engine.sleep(this.#random.between(1, 20) * MINUTE_MILLIS);
    const { accountId, reason } = stop;
    await this.#call(account, { method: 'POST', resource: '/switches/resume', body: { accountId, reason } });
  }

  /** @param borrowerPoolId only one by which this pool borrows; absent: any */
  async #endPairing(account: AccountId, borrowerPoolId?: string): Promise<void> {
    const items = this.#world.tables.partition('entangle-accounts', account) as readonly Partial<Pairing>[];
    const open = items.flatMap((item) =>
      item.pairingId !== undefined && item.acceptances !== undefined && item.state === 'active' ? [item] : [],
    );
    const wanted = open.filter((pairing) => borrowerPoolId === undefined || pairing.borrowerPoolId === borrowerPoolId);
    if (wanted.length === 0) return;
    const { pairingId = '' } = this.#random.pick(wanted);
    await this.#call(account, { method: 'DELETE', resource: '/pairings/{pairingId}', parameters: { pairingId } });
  }

  /** Asks for what belongs to others. */
  async #pry(account: AccountId): Promise<void> {
    const [loan] = this.#loans((each) => each.borrowerAccountId !== account && each.lenderAccountId !== account);
    if (loan === undefined) return;
    const parameters = { loanId: loan.loanId };
    const { status } = await this.#call(account, { method: 'GET', resource: '/loans/{loanId}', parameters });
    if (status === 200) this.#world.checks.violated('no-cross-account-access', `${account} reads ${loan.loanId}`);
  }

  async #read(account: AccountId): Promise<void> {
    const { body } = await this.#call(account, { method: 'GET', resource: '/loans' });
    for (const loan of (body['loans'] ?? []) as Loan[]) {
      if (loan.borrowerAccountId === account || loan.lenderAccountId === account) continue;
      this.#world.checks.violated('no-cross-account-access', `${account} is shown ${loan.loanId}`);
    }
    for (const resource of ['/audit', '/bills', '/plan', '/pairings', '/trust', '/consent']) {
      await this.#call(account, { method: 'GET', resource });
    }
  }

  async #enrolAgain(account: AccountId): Promise<void> {
    const pool = this.#random.pick(this.#world.plan.pools);
    if (pool.spec.accountId !== account || this.#world.checks.isTouched(pool.spec.poolId)) return;
    await this.#call(account, { method: 'PUT', resource: '/pools', body: pool.spec });
  }

  /** Somebody else changes a group: a deployment, predictive scaling, a person. */
  #interfere({ spec, ownedUnits }: PlannedPool): void {
    const { groups, engine, checks } = this.#world;
    const { accountId, region, groupName } = spec;
    const group = groups.get(accountId, region, groupName);
    if (group === undefined) return;
    const resize = (maxSize: number): void => {
      const minSize = Math.min(group.minSize, maxSize);
      groups.update({ accountId, region, name: groupName }, { MaxSize: maxSize, MinSize: minSize }, engine.now);
    };
    const changes: readonly (readonly [string, (group: Group) => void])[] = [
      ['raises its ceiling', () => resize(group.maxSize + this.#random.int(1, 4))],
      ['lowers its ceiling', () => resize(Math.max(1, group.maxSize - this.#random.int(1, 3)))],
      ['resets its ceiling', () => resize(ownedUnits)],
      ['raises its floor', (each) => Object.assign(each, { minSize: each.maxSize, desired: each.maxSize })],
      ['takes its tag away', (each) => Object.assign(each, { tagged: false })],
      ['tags it again', (each) => Object.assign(each, { tagged: true })],
      ['deletes it', () => groups.remove(accountId, region, groupName)],
    ];
    const [what, change] = this.#random.pick(this.#random.chance(0.9) ? changes.slice(0, -1) : changes);
    engine.log(`${accountId} ${groupName}: its owner ${what}`);
    checks.onForeignChange(spec.poolId, what);
    change(group);
  }
}
