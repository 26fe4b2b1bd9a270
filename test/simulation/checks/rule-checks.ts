/** What the hub has promised of its market: limits, the kill switch, who comes first, the queue, the notice, and hands off what others change. */
import type { Consent } from '../../../core/consent/consent.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import type { Stop } from '../../../core/lending/stops.ts';
import { queuedKey, queueKey } from '../../../functions/adapters/keys.ts';
import type { Group } from '../aws/scaling-groups.ts';
import type { Change } from '../aws/tables.ts';
import type { Invocation } from '../lambda.ts';
import type { World } from '../world.ts';
import type { Invariant } from './checks.ts';
import { LimitChecks } from './limit-checks.ts';
import { PairingLimitChecks } from './pairing-limit-checks.ts';

type Report = (invariant: Invariant, what: string) => void;
type Stops = Readonly<Record<string, unknown>>;

const STOPPED_BY = ['organisation', 'operator', 'owner'];
/** A loan that was chosen before the organisation's switch is written may be reserved for so long. */
const SPREAD_MILLIS = 600_000;
/** What is read of a group before a loan is reserved is so old at most. */
const LOOKED_MILLIS = 300_000;
const SETTLED_MILLIS = 300_000;
const CLOCK_MILLIS = 5_000;
/** So many whole looks at all accounts find anything. */
const LOOKS = 4;
/** No loan goes back and forth between two pools in this time. */
const LOOP_MILLIS = 900_000;
const OWN_PACE: ReadonlySet<string> = new Set(['recovered', 'requested-by-owner']);

export class RuleChecks {
  readonly #world: World;
  readonly #report: Report;
  readonly #limits: LimitChecks;
  readonly #pairingLimits: PairingLimitChecks;
  readonly #preempted: { readonly from: string; readonly to: string; readonly at: number }[] = [];
  readonly #cancelled = new Set<string>();
  /** How often all accounts were looked at while a loan should have been on its way back. */
  readonly #lookedAt = new Map<string, number>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
    this.#limits = new LimitChecks(world, report);
    this.#pairingLimits = new PairingLimitChecks(world, report);
  }

  #stored(accountId: string, item: string): Readonly<Record<string, unknown>> | undefined {
    return this.#world.tables.get('entangle-accounts', { accountId, item });
  }

  #loan(loanId: string): Loan | undefined {
    return this.#world.tables.get('entangle-loans', { loanId }) as unknown as Loan | undefined;
  }

  onChanged(changes: readonly Change[]): void {
    this.#pairingLimits.onChanged(changes);
    for (const { table, before, after } of changes) {
      if (table !== 'entangle-loans' || before === undefined || after === undefined) continue;
      if (Number(after['termSeconds']) > Number(before['termSeconds'])) this.#checkLimits(after as unknown as Loan);
    }
  }

  #checkLimits(loan: Loan): void {
    this.#limits.check(loan);
    this.#pairingLimits.check(loan);
  }

  /** An account was told so just now. */
  onCancelled(loanId: string): void {
    this.#cancelled.add(loanId);
    const state = this.#loan(loanId)?.state;
    if (state !== 'cancelled') this.#report('queue', `${loanId} was said to be cancelled, and is ${state}`);
  }

  onLoanState(loan: Loan): void {
    if (loan.state === 'reserved') {
      if (this.#cancelled.has(loan.loanId)) this.#report('queue', `${loan.loanId} was cancelled, and is served`);
      this.#checkLimits(loan);
      this.#checkStops(loan);
      this.#checkCeilings(loan);
    }
    if (loan.state === 'recalled') this.#checkRecalled(loan);
    if (loan.state === 'waiting') this.#checkQueued(loan);
  }

  #checkStops({ loanId, borrowerAccountId, lenderAccountId = borrowerAccountId }: Loan): void {
    for (const account of new Set([borrowerAccountId, lenderAccountId])) {
      const stops: Stops = this.#stored(account, 'SWITCH') ?? {};
      const by = STOPPED_BY.find((each) => stops[each] !== undefined);
      if (by !== undefined)
        this.#report('kill-switch', `${loanId} is reserved though ${account} is stopped by its ${by}`);
    }
    const stop = this.#stored('ORGANISATION', 'SWITCH')?.['stop'] as Stop | undefined;
    if (stop !== undefined && stop.at < this.#world.engine.now - SPREAD_MILLIS) {
      this.#report('kill-switch', `${loanId} is reserved long after all was stopped`);
    }
  }

  #groupOf(poolId: string | undefined): Group | undefined {
    const spec = this.#world.poolOf(poolId ?? '')?.spec;
    return spec === undefined ? undefined : this.#world.groups.get(spec.accountId, spec.region, spec.groupName);
  }

  /** No loan rests on a ceiling that a policy raises by itself. */
  #checkCeilings({ loanId, borrowerPoolId, lenderPoolId }: Loan): void {
    for (const id of [borrowerPoolId, lenderPoolId]) {
      const since = this.#groupOf(id)?.raisesCeilingSince;
      if (since === undefined || since > this.#world.engine.now - LOOKED_MILLIS) continue;
      this.#report('foreign-changes', `${loanId} is reserved though ${id} raises its own ceiling`);
    }
  }

  #checkRecalled(loan: Loan): void {
    const { loanId, recall, dueAt, recallNoticeSeconds = 0 } = loan;
    if (recall === undefined) return this.#report('notice', `${loanId} is recalled by nobody`);
    const promised = recall.askedAt + recallNoticeSeconds * 1_000;
    if (recall.firmAt < Math.min(promised, dueAt ?? promised)) {
      this.#report('notice', `${loanId} has notice until ${recall.firmAt}, ${promised} was promised`);
    }
    if (recall.by === 'higher-tier') this.#checkPreempted(loan, this.#loan(recall.heldFor ?? ''));
  }

  #checkPreempted(loan: Loan, request: Loan | undefined): void {
    const { loanId, borrowerPoolId: from, borrowerAccountId, lenderAccountId = '', activeAt = 0 } = loan;
    const fault = (what: string): void => this.#report('priorities', `${loanId} is recalled for another: ${what}`);
    if (request === undefined) return fault('there is none');
    const { now } = this.#world.engine;
    const [tier, own] = [request.request?.slaTier ?? 3, loan.request?.slaTier ?? 3];
    if (tier >= own) fault(`its tier is ${own}, that of ${request.loanId} is ${tier}`);
    if (now + CLOCK_MILLIS < activeAt + loan.shortestTermSeconds * 1_000) fault('its shortest term is not over');
    this.#checkAgreed(lenderAccountId, 'lend', fault);
    this.#checkAgreed(borrowerAccountId, 'borrow', fault);
    const to = request.borrowerPoolId;
    const isLoop = this.#preempted.some((each) => each.from === to && each.to === from && now - each.at < LOOP_MILLIS);
    if (isLoop) fault(`${to} was recalled for ${from} a moment ago`);
    this.#preempted.push({ from, to, at: now });
  }

  #checkAgreed(account: string, direction: 'lend' | 'borrow', fault: (what: string) => void): void {
    const consent = this.#stored(account, 'CONSENT') as Consent | undefined;
    if (consent === undefined || consent.madeAt > this.#world.engine.now - LOOKED_MILLIS) return;
    if (consent.terms[direction]?.preemption !== 'lower-tier') fault(`${account} has not agreed to that`);
  }

  #checkQueued({ loanId, waiting }: Loan): void {
    for (const lender of waiting?.lenderPoolIds ?? []) {
      const key = queueKey(lender, loanId);
      if (this.#world.tables.get('entangle-accounts', { ...key }) === undefined) {
        this.#report('queue', `${loanId} waits for ${lender} and is not in its queue`);
      }
      const { entered = 0, emptyUpTo = 0 } =
        this.#world.tables.get('entangle-accounts', { ...queuedKey(lender) }) ?? {};
      if (Number(entered) <= Number(emptyUpTo)) {
        this.#report('queue', `${loanId} waits for ${lender}, whose queue is said to be empty`);
      }
    }
  }

  #loansOf(poolId: string): Loan[] {
    const all = [...this.#world.tables.all('entangle-loans')] as unknown as Loan[];
    return all.filter((loan) => loan.borrowerPoolId === poolId && ['returning', 'draining'].includes(loan.state));
  }

  /** Instances that their owner keeps may be made to go when the notice of a loan is over, not before. */
  onForced({ label }: Invocation, { accountId, region, name }: Group): void {
    const firm = this.#loansOf(`${accountId}/${region}/${name}`).some(
      (loan) => firmFrom(loan) <= this.#world.engine.now + CLOCK_MILLIS,
    );
    if (!firm) this.#report('notice', `${label} makes instances of ${name} go though no notice is over`);
  }

  /** Why an active loan should be on its way back; undefined: it may go on. */
  #shouldGoBack({ borrowerAccountId, lenderAccountId = borrowerAccountId, ...loan }: Loan): string | undefined {
    for (const account of [borrowerAccountId, lenderAccountId]) {
      const stops: Stops = this.#stored(account, 'SWITCH') ?? {};
      const isRecalled = STOPPED_BY.some((by) => (stops[by] as Stop | undefined)?.recall === true);
      if (isRecalled) return `${account} is stopped, and its loans recalled`;
    }
    for (const id of loan.lenderPoolId === undefined ? [] : [loan.borrowerPoolId, loan.lenderPoolId]) {
      const group = this.#groupOf(id);
      if (group === undefined) return `the group of ${id} is gone`;
      if (!group.tagged) return `${id} is not tagged any more`;
      if (group.raisesCeilingSince !== undefined) return `${id} raises its own ceiling`;
    }
    return undefined;
  }

  onReconciled(): void {
    const { now } = this.#world.engine;
    for (const loan of this.#world.tables.all('entangle-loans') as unknown as Iterable<Loan>) {
      const { loanId, state, waiting, dueAt = Number.POSITIVE_INFINITY, activeAt = now } = loan;
      if (state === 'waiting') this.#checkQueued(loan);
      const late = state === 'waiting' && waiting !== undefined && now > waiting.until ? 'its time is over' : undefined;
      const isSettled = state === 'active' && dueAt > now && now > activeAt + SETTLED_MILLIS;
      const why = isSettled ? this.#shouldGoBack(loan) : late;
      const looks = why === undefined ? 0 : (this.#lookedAt.get(loanId) ?? 0) + 1;
      if (looks > 0 || this.#lookedAt.has(loanId)) this.#lookedAt.set(loanId, looks);
      if (looks < LOOKS) continue;
      const invariant =
        why?.includes('stopped') === true ? 'kill-switch' : late === undefined ? 'foreign-changes' : 'queue';
      this.#report(invariant, `${loanId} is ${state} after ${looks} looks, though ${why}`);
    }
  }

  atRest(): void {
    this.#limits.atRest();
    this.#pairingLimits.atRest();
  }
}

/** From when a loan on its way back ends what its instances wait for. */
function firmFrom({ recall, history, returnReason = 'repair', dueAt }: Loan): number {
  const began = history.find(({ state }) => state === 'returning')?.at ?? Number.POSITIVE_INFINITY;
  if (recall !== undefined) return recall.firmAt;
  return OWN_PACE.has(returnReason) ? Math.max(began, dueAt ?? began) : began;
}
