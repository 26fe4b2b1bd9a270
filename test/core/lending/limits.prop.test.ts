import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { QuotaTree } from '../../../core/allocation/quota-tree.ts';
import { applyCommit } from '../../../core/lending/apply.ts';
import { chooseLender } from '../../../core/lending/choose.ts';
import type { LoanCommit, LoanSnapshot } from '../../../core/lending/commit.ts';
import type { CountedLimit } from '../../../core/lending/limits.ts';
import { nodeText } from '../../../core/lending/limits.ts';
import type { Loan } from '../../../core/lending/loan.ts';
import type { LimitedPair, Memberships } from '../../../core/lending/pair-limits.ts';
import { limitsOfPair, usageOfLimit } from '../../../core/lending/pair-limits.ts';
import { request } from '../../../core/lending/request.ts';
import { beginReturn, reclaim, recordGiven, recordTaken, reserve, settle } from '../../../core/lending/saga.ts';
import type { OrganisationUnit } from '../../../core/organisation.ts';
import { unitsAbove } from '../../../core/organisation.ts';
import { latencyMillis } from '../../../core/pairing/latency.ts';
import type { PairingId } from '../../../core/pairing/pairing.ts';
import type { Pool } from '../../../core/pool.ts';
import { StaleSnapshot } from '../../../core/ports.ts';
import type { UnitLimits } from '../../../core/unit-limits.ts';
import type { AccountId, LoanId, PoolId } from '../../../core/units.ts';
import { accountId, microUsd } from '../../../core/units.ts';
import { consentOf, groupOf, NOW, partnerOf, planOf, poolOf, termsOf } from '../../support/fixtures.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const HUB = accountId('999999999999');
const ACCOUNTS = ['1', '2', '3', '4'].map((digit) => accountId(digit.repeat(12)));
const OWNED = 20;
const MONTH = '2026-11';
const TERM_SECONDS = 600;

const limit = fc.record(
  { maxUnits: fc.integer({ min: 0, max: 16 }), maxUnitHoursPerMonth: fc.integer({ min: 1, max: 4 }) },
  { requiredKeys: [] },
);
const limits: fc.Arbitrary<UnitLimits> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ lend: limit, borrow: limit }, { requiredKeys: [] }) },
);

interface Fleet {
  readonly ofPools: readonly UnitLimits[];
  readonly ofUnits: readonly UnitLimits[];
  readonly ofPairings: readonly UnitLimits[];
}
const fleet: fc.Arbitrary<Fleet> = fc.record({
  ofPools: fc.array(limits, { minLength: 4, maxLength: 4 }),
  ofUnits: fc.array(limits, { minLength: 3, maxLength: 3 }),
  ofPairings: fc.array(limits, { minLength: 4, maxLength: 4 }),
});

type Step =
  | {
      readonly do: 'borrow';
      readonly borrower: number;
      readonly lender: number;
      readonly units: number;
      readonly stale: boolean;
    }
  | { readonly do: 'end'; readonly loan: number };
const account = fc.nat({ max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('borrow' as const),
    borrower: account,
    lender: account,
    units: fc.integer({ min: 1, max: 6 }),
    stale: fc.boolean(),
  }),
  fc.record({ do: fc.constant('end' as const), loan: fc.nat({ max: 20 }) }),
);

/** org (accounts 1 to 4) has two teams of two accounts each. Nothing is beside the organisation, so its own limits are never met. */
class World {
  readonly store = new MemoryStore();
  readonly units: readonly OrganisationUnit[];
  readonly #fleet: Fleet;
  readonly #memberships: Memberships;
  #loans = 0;

  constructor(made: Fleet) {
    this.#fleet = made;
    const [org = {}, left = {}, right = {}] = made.ofUnits;
    const [a, b, c, d] = ACCOUNTS as [AccountId, AccountId, AccountId, AccountId];
    const teams = [
      { name: 'left', limits: left, accounts: [a, b] },
      { name: 'right', limits: right, accounts: [c, d] },
    ];
    this.units = [{ name: 'org', limits: org, units: teams }];
    this.#memberships = new Map(
      [...unitsAbove(this.units)].map(([id, above]) => [id, { unitsAbove: above, statedBy: HUB }]),
    );
    const open = { maxUnits: 1_000, maxSharePercent: 100_000, maxUnitHoursPerMonth: 1e6 };
    const terms = termsOf();
    for (const [index, id] of ACCOUNTS.entries()) {
      this.store.putPool(poolOf(id, { ownedUnits: OWNED }, { limits: made.ofPools[index] ?? {} }));
      const lend = { ...terms.lend, ...open, minPriceMicroUsdPerUnitHour: microUsd(1), recallNoticeSeconds: 60 };
      const borrow = { ...terms.borrow, ...open, maxPriceMicroUsdPerUnitHour: microUsd(9), minRecallNoticeSeconds: 0 };
      this.store.putConsent(consentOf(id, { lend, borrow, longestTermSeconds: TERM_SECONDS }));
    }
  }

  pool(index: number): Pool {
    return this.store.poolOf([...this.store.pools.keys()][index] as PoolId);
  }

  #pair(lender: number, borrower: number): LimitedPair {
    const pairingId = `pr-${String(lender * 4 + borrower).padStart(24, '0')}` as PairingId;
    const [lends, borrows] = [this.#fleet.ofPairings[lender]?.lend, this.#fleet.ofPairings[borrower]?.borrow];
    const [from, to] = [this.pool(lender), this.pool(borrower)];
    const stated = [
      ...(lends === undefined ? [] : [{ ...lends, accountId: from.spec.accountId }]),
      ...(borrows === undefined ? [] : [{ ...borrows, accountId: to.spec.accountId }]),
    ];
    return { lender: from, borrower: to, pairing: { pairingId, limits: stated } };
  }

  /** As they stand, or as they stood before anything was lent. */
  #limits(pair: LimitedPair, stale: boolean): CountedLimit[] {
    return limitsOfPair(pair, this.#memberships).map((applied) => {
      const used = stale ? undefined : this.store.limitUsages.get(nodeText(applied.node));
      const lends = applied.direction === 'lend';
      const units = (lends ? used?.lentUnits : used?.borrowedUnits) ?? 0;
      const unitSeconds = (lends ? used?.lentUnitSeconds : used?.borrowedUnitSeconds)?.[MONTH] ?? 0;
      return { ...applied, usage: usageOfLimit(applied, { units, unitSeconds }, pair) };
    });
  }

  #commit(snapshot: LoanSnapshot, commit: LoanCommit): LoanSnapshot {
    this.store.commitNow(commit, snapshot.heads);
    return applyCommit(snapshot, commit);
  }

  /** Takes a loan up to where the borrower has it. @returns whether it was made */
  borrow(made: Extract<Step, { do: 'borrow' }>): boolean {
    const pair = this.#pair(made.lender, made.borrower);
    const { lender, borrower } = pair;
    if (made.lender === made.borrower || borrower.lentUnits > 0) return false;
    this.#loans += 1;
    const asked = request(
      {
        loanId: `ln-${String(this.#loans).padStart(24, '0')}` as LoanId,
        borrowerAccountId: borrower.spec.accountId,
        borrowerPoolId: borrower.spec.poolId,
        units: made.units,
        bindingResource: 'cpu',
        startedBy: 'test',
        inServiceBefore: 1,
        reason: 'a test',
      },
      NOW,
    );
    this.store.commitNow(asked, {});
    const snapshot = this.store.snapshot(asked.loan.loanId) as LoanSnapshot;
    const lenderId = lender.spec.poolId;
    const chosen = chooseLender({
      snapshotLoan: snapshot.loan,
      unitsStillNeeded: made.units,
      borrowerPool: borrower,
      borrowerGroup: groupOf({ maxSize: OWNED + borrower.borrowedUnits, desiredCapacity: 1 }),
      borrowerConsent: this.store.consents.get(borrower.spec.accountId),
      borrowerUsage: this.store.usageOf(borrower.spec.accountId),
      partners: [partnerOf(lender)],
      pairings: { [lenderId]: { state: 'active' } },
      candidates: [
        {
          pool: lender,
          group: groupOf({ maxSize: OWNED - lender.lentUnits, desiredCapacity: 1 }),
          consent: this.store.consents.get(lender.spec.accountId),
          usage: this.store.usageOf(lender.spec.accountId),
          plan: planOf(lenderId, [1, 1]),
          limits: this.#limits(pair, made.stale),
        },
      ],
      now: NOW,
      latencyMillis,
    });
    if (chosen.outcome !== 'partner') return false;
    try {
      const reserved = this.#commit(
        { ...snapshot, lenderPool: lender },
        reserve({ ...snapshot, lenderPool: lender }, chosen.offer, NOW),
      );
      const taken = this.#commit(reserved, recordTaken(reserved, NOW));
      this.#commit(taken, recordGiven(taken, NOW));
      return true;
    } catch (error) {
      if (error instanceof StaleSnapshot) return false;
      throw error;
    }
  }

  get held(): Loan[] {
    return [...this.store.loans.values()].filter(({ state }) => state === 'given');
  }

  end(loan: Loan): void {
    let snapshot = this.store.snapshot(loan.loanId) as LoanSnapshot;
    const steps = [
      (now: LoanSnapshot) => beginReturn(now, 'repair', undefined, NOW),
      (now: LoanSnapshot) => reclaim(now, undefined, NOW),
      (now: LoanSnapshot) => settle(now, NOW),
    ];
    for (const next of steps) snapshot = this.#commit(snapshot, next(snapshot));
  }

  /** Units and unit-hours of the loans that are held, against every limit that they were made under. */
  check(): void {
    const sums = new Map<string, { units: number; seconds: number }>();
    for (const loan of this.held) {
      for (const { node, direction, limit: stated } of [...(loan.lenderLimits ?? []), ...(loan.borrowerLimits ?? [])]) {
        const key = `${nodeText(node)} ${direction}`;
        const sum = sums.get(key) ?? { units: 0, seconds: 0 };
        sum.units += loan.units;
        sum.seconds += loan.units * loan.termSeconds;
        sums.set(key, sum);
        expect(sum.units).toBeLessThanOrEqual(stated.maxUnits ?? Number.POSITIVE_INFINITY);
        expect(sum.seconds).toBeLessThanOrEqual((stated.maxUnitHoursPerMonth ?? Number.POSITIVE_INFINITY) * 3_600);
      }
    }
    expect(this.#tree().violations()).toEqual([]);
  }

  /** Each pool runs all that it owns and has not lent, and what it has borrowed. */
  #tree(): QuotaTree {
    const limitOf = ({ borrow }: UnitLimits = {}) =>
      borrow?.maxUnits === undefined ? {} : { borrowLimitUnits: { units: borrow.maxUnits } };
    const [org] = this.units;
    const teams = org?.units ?? [];
    const pools = [...this.store.pools.values()].map(({ spec, lentUnits, borrowedUnits }) => ({
      id: spec.poolId,
      parentId: teams.find(({ accounts = [] }) => accounts.includes(spec.accountId))?.name ?? 'org',
      ownedUnits: { units: OWNED },
      usedUnits: { units: OWNED - lentUnits + borrowedUnits },
      ...limitOf(spec.limits),
    }));
    const nodes = teams.map(({ name, limits: ofTeam }) => ({
      id: name,
      parentId: 'org',
      ownedUnits: {},
      ...limitOf(ofTeam),
    }));
    return QuotaTree.of([{ id: 'org', ownedUnits: {} }, ...nodes, ...pools]);
  }
}

describe('limits of pools, pairings and organisation units', () => {
  it('are never passed by any sequence of loans, chosen on old counters too, and are free once all have ended', () => {
    let made = 0;
    fc.assert(
      fc.property(fleet, fc.array(step, { minLength: 1, maxLength: 25 }), (ofFleet, steps) => {
        const world = new World(ofFleet);
        for (const next of steps) {
          if (next.do === 'borrow') made += world.borrow(next) ? 1 : 0;
          else {
            const { held } = world;
            const loan = held[next.loan % Math.max(1, held.length)];
            if (loan !== undefined) world.end(loan);
          }
          world.check();
        }
        for (const loan of world.held) world.end(loan);
        for (const usage of world.store.limitUsages.values()) {
          const seconds = [...Object.values(usage.lentUnitSeconds), ...Object.values(usage.borrowedUnitSeconds)];
          expect([usage.lentUnits, usage.borrowedUnits, ...seconds].every((value) => value === 0)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
    // It would hold of no loans too.
    expect(made).toBeGreaterThan(100);
  });
});
