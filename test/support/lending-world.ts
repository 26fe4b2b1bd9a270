import type { Consent, InstanceSubstitution } from '../../core/consent/consent.ts';
import { chooseLender } from '../../core/lending/choose.ts';
import type { LoanCommit, LoanSnapshot } from '../../core/lending/commit.ts';
import { drain } from '../../core/lending/drain.ts';
import type { CeilingMove, Loan, LoanState, RecallBy, ReturnReason } from '../../core/lending/loan.ts';
import { isOpen } from '../../core/lending/loan.ts';
import { lenderUnitsOf } from '../../core/lending/loan-units.ts';
import { giveBackMove, moveStatus, takeBackMove } from '../../core/lending/moves.ts';
import { reservePart } from '../../core/lending/parts.ts';
import { isRecallRefused, recall } from '../../core/lending/recall.ts';
import { refuse, request } from '../../core/lending/request.ts';
import { activate, beginReturn, reclaim, recordGiven, recordTaken, settle } from '../../core/lending/saga.ts';
import { latencyMillis } from '../../core/pairing/latency.ts';
import type { GroupObservation, Pool } from '../../core/pool.ts';
import { StaleSnapshot } from '../../core/ports.ts';
import type { AccountId, EpochMillis, LoanId, PoolId } from '../../core/units.ts';
import { invariant, microUsd, plusMillis } from '../../core/units.ts';
import { consentOf, groupOf, NOW, partnerOf, planOf, poolOf, requestOf } from './fixtures.ts';
import { checkBooks, checkBooksAtRest, checkUnits } from './lending-checks.ts';
import { MemoryStore } from './memory-store.ts';

interface Group {
  maxSize: number;
  desired: number;
}

export interface WorldPool {
  readonly accountId: AccountId;
  readonly ownedUnits: number;
  readonly desired: number;
  readonly reserveUnits: number;
  /** P95 need over all of the forecast. */
  readonly forecastNeed: number;
  readonly provisioningLimitUnits: number;
  readonly maxUnits: number;
  /** How large its instances are beside others'. Absent: 1. Pools of one size are of one instance type. */
  readonly size?: number;
}

/** Every type stands in for every other, as their sizes say. */
function substitutionsOf(sizes: readonly number[]): InstanceSubstitution[] {
  return sizes.flatMap((from) =>
    sizes.filter((to) => to !== from).map((to) => ({ from: typeOf(from), to: typeOf(to), unitRatio: from / to })),
  );
}

const typeOf = (size: number): string => `t${size}.large`;

/** Sums of sizes that are not exact in binary may differ by this much. */
const ROUNDING = 1e-6;

/**
 * Accounts, groups and a store in memory, with the steps of loans as single effects: each call does one commit or one change of a
 * group, so that stopping between any two calls is a crash there. Everything that must always hold is checked after each.
 */
export class LendingWorld {
  readonly store = new MemoryStore();
  readonly #groups = new Map<PoolId, Group>();
  readonly #needs = new Map<PoolId, number>();
  readonly #sizes = new Map<PoolId, number>();
  readonly #substitutions: readonly InstanceSubstitution[];
  /** By how much the ceiling of a pool differs for the sake of a loan, by `<loan> <pool>`. */
  readonly #moved = new Map<string, number>();
  readonly #past: LoanSnapshot[] = [];
  readonly #statesSeen = new Map<LoanId, number>();
  #now: EpochMillis = NOW;
  #commits = 0;

  constructor(pools: readonly WorldPool[]) {
    this.#substitutions = substitutionsOf([...new Set(pools.map(({ size = 1 }) => size))]);
    for (const [index, made] of pools.entries()) {
      const { ownedUnits, reserveUnits, provisioningLimitUnits, size = 1 } = made;
      const pool = poolOf(
        made.accountId,
        { ownedUnits },
        { groupName: `g${index}`, reserveUnits, provisioningLimitUnits, instanceType: typeOf(size) },
      );
      this.#sizes.set(pool.spec.poolId, size);
      this.store.putPool(pool);
      this.#groups.set(pool.spec.poolId, { maxSize: ownedUnits, desired: Math.min(made.desired, ownedUnits) });
      this.#needs.set(pool.spec.poolId, made.forecastNeed);
      this.store.putConsent(this.#consent(made.accountId, made.maxUnits));
    }
  }

  #consent(account: AccountId, maxUnits: number): Consent {
    const limits = { maxUnits, maxSharePercent: 100, maxUnitHoursPerMonth: 20 };
    return consentOf(account, {
      lend: { ...limits, minPriceMicroUsdPerUnitHour: microUsd(33_333), recallNoticeSeconds: 0 },
      borrow: {
        ...limits,
        maxPriceMicroUsdPerUnitHour: microUsd(200_000),
        minRecallNoticeSeconds: 0,
        substitutions: this.#substitutions,
      },
      whenNoPartner: 'provision',
    });
  }

  get poolIds(): PoolId[] {
    return [...this.store.pools.keys()];
  }

  get loans(): Loan[] {
    return [...this.store.loans.values()];
  }

  #group(id: PoolId): Group {
    const group = this.#groups.get(id);
    invariant(group !== undefined, `${id} has a group`);
    return group;
  }

  #observed(id: PoolId): GroupObservation {
    const { maxSize, desired } = this.#group(id);
    return groupOf({ maxSize, desiredCapacity: desired, observedAt: this.#now });
  }

  pass(millis: number): void {
    this.#now = plusMillis(this.#now, millis);
  }

  /** The scaling policy of a group follows demand, within the ceiling. */
  scale(id: PoolId, desired: number): void {
    const group = this.#group(id);
    group.desired = Math.min(desired, group.maxSize);
  }

  /** An account revokes its consent, or makes a new version of it. */
  toggleConsent(account: AccountId): void {
    const consent = this.store.consents.get(account);
    invariant(consent !== undefined, `${account} has a consent`);
    const status = consent.status === 'active' ? 'revoked' : 'active';
    this.store.putConsent({ ...consent, status, version: consent.version + 1, madeAt: this.#now });
  }

  /** Commits, unless the conditions do not hold any more. Whatever else is thrown is a defect. */
  #try(snapshot: LoanSnapshot | undefined, commit: LoanCommit): boolean {
    try {
      this.store.commitNow(commit, snapshot?.heads ?? {});
    } catch (error) {
      if (error instanceof StaleSnapshot) return false;
      throw error;
    }
    this.#commits += commit.rest === undefined ? 1 : 2;
    if (snapshot !== undefined) this.#past.push(snapshot);
    this.check();
    return true;
  }

  ask(borrower: PoolId, units: number): boolean {
    const { spec } = this.store.poolOf(borrower);
    const loanId = `ln-${String(this.loans.length).padStart(24, '0')}` as LoanId;
    const wanted = {
      loanId,
      request: requestOf(loanId, this.store.poolOf(borrower), units),
      borrowerAccountId: spec.accountId,
      borrowerPoolId: borrower,
      units,
      bindingResource: 'cpu' as const,
      alarmName: `entangle/${spec.groupName}/cpu`,
      alarmTransitionAt: this.#now,
      startedBy: 'borrow-test-0',
      inServiceBefore: this.#group(borrower).desired,
      reason: 'asked for by a test',
    };
    return this.#try(undefined, request(wanted, this.#now));
  }

  /** One step forward: one change of a group, or one commit. */
  advance(loanId: LoanId): void {
    const snapshot = this.store.snapshot(loanId);
    invariant(snapshot !== undefined, `${loanId} is in the store`);
    if (isOpen(snapshot.loan)) this.#step(snapshot);
  }

  /** A worker that was away since long commits what it decided then. @returns whether that was kept out, as it must be */
  actOnPast(index: number): boolean {
    const old = this.#past[index % Math.max(1, this.#past.length)];
    if (old === undefined) return true;
    const commits: Partial<Record<LoanState, () => LoanCommit>> = {
      requested: () => refuse(old, 'too late', this.#now),
      taken: () => recordGiven(old, this.#now),
      given: () => activate(old, this.#now),
      active: () => beginReturn(old, 'expired', this.#takeBack(old), this.#now),
      recalled: () => beginReturn(old, 'recalled', this.#takeBack(old), this.#now),
      returning: () => reclaim(old, undefined, this.#now),
      draining: () => reclaim(old, undefined, this.#now),
      reclaimed: () => settle(old, this.#now),
    };
    const commit = commits[old.loan.state];
    return commit === undefined || !this.#try(old, commit());
  }

  #step(snapshot: LoanSnapshot): void {
    const { loan, lenderPool } = snapshot;
    const { take, give, takeBack, giveBack } = loan.moves;
    const steps: Partial<Record<LoanState, () => void>> = {
      requested: () => this.#choose(snapshot),
      reserved: () => {
        if (lenderPool === undefined)
          this.#move(snapshot, loan.borrowerPoolId, give, (at) => recordGiven(snapshot, at));
        else this.#move(snapshot, lenderPool.spec.poolId, take, (at) => recordTaken(snapshot, at));
      },
      taken: () => this.#move(snapshot, loan.borrowerPoolId, give, (at) => recordGiven(snapshot, at)),
      given: () => this.#try(snapshot, activate(snapshot, this.#now)),
      recalled: () => this.#try(snapshot, beginReturn(snapshot, 'recalled', this.#takeBack(snapshot), this.#now)),
      // Instances of some loans take their time.
      returning: () =>
        this.#move(snapshot, loan.borrowerPoolId, takeBack, (at) =>
          loan.units % 2 === 0 ? drain(snapshot, at) : reclaim(snapshot, this.#giveBack(snapshot), at),
        ),
      draining: () => this.#try(snapshot, reclaim(snapshot, this.#giveBack(snapshot), this.#now)),
      reclaimed: () => {
        if (lenderPool === undefined) this.#try(snapshot, settle(snapshot, this.#now));
        else this.#move(snapshot, lenderPool.spec.poolId, giveBack, (at) => settle(snapshot, at));
      },
    };
    steps[loan.state]?.();
  }

  /** Makes a decided move, or records it when it is made already. */
  #move(
    snapshot: LoanSnapshot,
    id: PoolId,
    move: CeilingMove | undefined,
    record: (at: EpochMillis) => LoanCommit,
  ): void {
    invariant(move !== undefined, 'a move was decided');
    const group = this.#group(id);
    const status = moveStatus(move, this.#observed(id));
    invariant(status !== 'foreign', `nobody but loans changes the ceiling of ${id}: ${group.maxSize}`);
    if (status === 'done') {
      this.#try(snapshot, record(this.#now));
      return;
    }
    const taking = snapshot.loan.state === 'reserved' && snapshot.loan.kind === 'nominal';
    if (taking && group.desired > move.toMaxSize) {
      this.undo(snapshot.loan.loanId, 'step-failed');
      return;
    }
    const key = `${snapshot.loan.loanId} ${id}`;
    this.#moved.set(key, (this.#moved.get(key) ?? 0) + move.toMaxSize - group.maxSize);
    group.maxSize = move.toMaxSize;
    const step = move.toDesiredCapacity - move.fromDesiredCapacity;
    group.desired = Math.min(Math.max(0, group.desired + Math.max(0, step)), move.toMaxSize);
    this.check();
  }

  #giveBack({ loan, lenderPool }: LoanSnapshot): CeilingMove | undefined {
    return lenderPool && giveBackMove(lenderPool, this.#observed(lenderPool.spec.poolId), loan);
  }

  /** Somebody with the right to it asks a loan back. */
  recall(loanId: LoanId, by: RecallBy): void {
    const snapshot = this.store.snapshot(loanId);
    const commit = snapshot && recall(snapshot, { by, reason: 'asked back' }, this.#now);
    if (commit !== undefined && !isRecallRefused(commit)) this.#try(snapshot, commit);
  }

  #takeBack(snapshot: LoanSnapshot): CeilingMove {
    const { loan, borrowerPool } = snapshot;
    return takeBackMove(borrowerPool, this.#observed(loan.borrowerPoolId), loan);
  }

  /** Begins the way back from wherever a loan stands. */
  undo(loanId: LoanId, reason: ReturnReason): void {
    const snapshot = this.store.snapshot(loanId);
    invariant(snapshot !== undefined, `${loanId} is in the store`);
    const { state } = snapshot.loan;
    if (state === 'requested') this.#try(snapshot, settle(snapshot, this.#now, 'undone'));
    if (!['reserved', 'taken', 'given', 'active', 'recalled'].includes(state)) return;
    this.#try(snapshot, beginReturn(snapshot, reason, this.#takeBack(snapshot), this.#now));
  }

  #choose(snapshot: LoanSnapshot): void {
    const { loan, borrowerPool } = snapshot;
    const pools = [...this.store.pools.values()].filter(({ spec }) => spec.poolId !== loan.borrowerPoolId);
    const choice = chooseLender({
      snapshotLoan: loan,
      unitsStillNeeded: loan.units,
      filledUnits: (loan.request?.wantedUnits ?? loan.units) - loan.units,
      borrowerPool,
      borrowerGroup: this.#observed(loan.borrowerPoolId),
      borrowerConsent: this.store.consents.get(loan.borrowerAccountId),
      borrowerUsage: this.store.usageOf(loan.borrowerAccountId),
      partners: pools.map(partnerOf),
      pairings: Object.fromEntries(pools.map(({ spec }) => [spec.poolId, { state: 'active' as const }])),
      candidates: pools.map((pool) => ({
        pool,
        group: this.#observed(pool.spec.poolId),
        consent: this.store.consents.get(pool.spec.accountId),
        usage: this.store.usageOf(pool.spec.accountId),
        plan: this.#plan(pool),
      })),
      now: this.#now,
      latencyMillis,
    });
    if (choice.outcome === 'busy' || choice.outcome === 'wait') return;
    if (choice.outcome === 'refuse') {
      this.#try(snapshot, refuse(snapshot, choice.reason, this.#now, choice.reasons));
      return;
    }
    const { lender } = choice.offer;
    if (lender !== undefined) {
      const left = lender.group.maxSize - lenderUnitsOf(choice.offer);
      const need = this.#needs.get(lender.pool.spec.poolId) ?? 0;
      const floor = Math.max(lender.group.desiredCapacity, need) + lender.pool.spec.reserveUnits;
      invariant(left >= floor, `a lender keeps its floor of ${floor}, has ${left}`);
    }
    const restId = `ln-${String(this.loans.length).padStart(24, '0')}` as LoanId;
    this.#try(snapshot, reservePart(snapshot, choice.offer, restId, this.#now));
  }

  #plan(pool: Pool) {
    const need = this.#needs.get(pool.spec.poolId) ?? 0;
    return planOf(pool.spec.poolId, [need], { startMillis: this.#now, stepSeconds: 86_400 });
  }

  /** Drives every loan to its end, as the reconciler does. @returns whether all of them ended */
  drain(rounds = 60): boolean {
    for (let round = 0; round < rounds; round += 1) {
      this.pass(60_000);
      for (const loan of this.loans) {
        if (!isOpen(loan)) continue;
        if (loan.state === 'active') this.undo(loan.loanId, 'expired');
        else this.advance(loan.loanId);
      }
    }
    return this.loans.every((loan) => !isOpen(loan));
  }

  #size(id: PoolId): number {
    return this.#sizes.get(id) ?? 1;
  }

  /** Units of different types are no sum: each counts as large as it is. */
  #checkCeilings(): void {
    let [owned, ceilings] = [0, 0];
    for (const [id, group] of this.#groups) {
      const pool = this.store.poolOf(id);
      const { spec, ownedUnits, lentUnits, borrowedUnits, provisionedUnits } = pool;
      owned += (ownedUnits + provisionedUnits) * this.#size(id);
      ceilings += group.maxSize * this.#size(id);
      invariant(group.desired <= group.maxSize, `${id} runs no more than its ceiling`);
      invariant(provisionedUnits <= spec.provisioningLimitUnits, `${id} provisions within its limit`);
      invariant(
        group.maxSize <= ownedUnits + borrowedUnits + provisionedUnits,
        `${id} has no more than it was promised`,
      );
      invariant(group.maxSize >= ownedUnits - lentUnits, `${id} has lent no more than it promised`);
    }
    const [all, had] = [ceilings, owned].map((units) => units.toFixed(6));
    invariant(ceilings <= owned + ROUNDING, `ceilings ${all} do not exceed what is owned and provisioned, ${had}`);
  }

  /** What must hold at every moment. @throws InvariantViolation with what does not */
  check(): void {
    this.#checkCeilings();
    checkBooks(this.store);
    for (const loan of this.loans) {
      const { borrowerPoolId: borrower, lenderPoolId: lender = borrower } = loan;
      checkUnits(loan, {
        unitRatio: this.#size(borrower) / this.#size(lender),
        given: this.#moved.get(`${loan.loanId} ${borrower}`) ?? 0,
        taken: -(this.#moved.get(`${loan.loanId} ${lender}`) ?? 0),
      });
      const seen = this.#statesSeen.get(loan.loanId) ?? 0;
      invariant(loan.history.length >= seen, `${loan.loanId} forgets no state`);
      this.#statesSeen.set(loan.loanId, loan.history.length);
    }
  }

  /** What must hold once all loans have ended. @throws InvariantViolation with what does not */
  checkAtRest(): void {
    for (const pool of this.store.pools.values()) {
      const { poolId } = pool.spec;
      const { maxSize } = this.#group(poolId);
      invariant(
        maxSize === pool.ownedUnits,
        `${poolId} has its own ceiling of ${pool.ownedUnits} again, not ${maxSize}`,
      );
      const promised = pool.lentUnits + pool.borrowedUnits + pool.provisionedUnits;
      invariant(promised === 0 && pool.movingLoanId === undefined, `${poolId} is free`);
    }
    const records = checkBooksAtRest(this.store);
    const states = this.loans.reduce((sum, loan) => sum + loan.history.length, 0);
    invariant(records === this.#commits && states === records, 'each change of state has one record');
  }
}
