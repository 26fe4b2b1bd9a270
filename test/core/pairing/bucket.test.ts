import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Consent } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import type { BucketInput, BucketPlan } from '../../../core/pairing/bucket.ts';
import { planBucket } from '../../../core/pairing/bucket.ts';
import { leave } from '../../../core/pairing/lifecycle.ts';
import { REST_SECONDS } from '../../../core/pairing/merge.ts';
import type { Pairing } from '../../../core/pairing/pairing.ts';
import { isOpenPairing, pairingIdOf } from '../../../core/pairing/pairing.ts';
import type { Pool } from '../../../core/pool.ts';
import type { AccountId, EpochMillis } from '../../../core/units.ts';
import { accountId, plusMillis } from '../../../core/units.ts';
import { consentOf, NOW, planOf, poolOf } from '../../support/fixtures.ts';
import { sha256Hex } from '../../support/memory-store.ts';

const accounts = [1, 2, 3, 4, 5, 6, 7, 8].map((digit) => accountId(String(digit).repeat(12)));
const account = (index: number) => accounts[index] as AccountId;
const SLOTS = 48;

/** Needed units by slot: `busy` in a part of the day that starts at an hour, 2 else. Ten are owned. */
function needOf(busyFromHour: number, busy: number): number[] {
  return Array.from({ length: SLOTS }, (_, slot) => (Math.floor((slot % 24) / 6) === busyFromHour / 6 ? busy : 2));
}

interface Scene {
  readonly needs: readonly number[][];
  readonly consents?: Readonly<Record<number, Consent>>;
  readonly trust?: Readonly<Record<string, number>>;
  readonly existing?: readonly Pairing[];
  readonly now?: EpochMillis;
}

function inputOf({ needs, consents = {}, trust, existing = [], now = NOW }: Scene): BucketInput {
  const pools = needs.map((_, index) => poolOf(account(index)));
  return {
    pools,
    forecasts: Object.fromEntries(
      pools.map(({ spec }, index) => [
        spec.poolId,
        planOf(spec.poolId, needs[index] ?? [], { startMillis: Math.max(NOW, now) }),
      ]),
    ),
    consents: Object.fromEntries(
      pools.map(({ spec }, index) => [
        spec.accountId,
        { consent: consents[index] ?? consentOf(spec.accountId), usage: emptyUsage(spec.accountId) },
      ]),
    ),
    ...(trust === undefined ? {} : { trust }),
    existing,
    pairingIdOf: (lender, borrower) => pairingIdOf(lender, borrower, sha256Hex),
    actor: 'pair',
    now,
  };
}

/** What a store holds once a plan is written. */
function after(existing: readonly Pairing[], { merge }: BucketPlan): Pairing[] {
  const stored = new Map(existing.map((pairing) => [pairing.pairingId, pairing]));
  for (const { pairing, expectedVersion } of [...merge.changes, ...merge.refreshed]) {
    expect(stored.get(pairing.pairingId)?.version).toBe(expectedVersion);
    stored.set(pairing.pairingId, pairing);
  }
  return [...stored.values()];
}

const lendersOf = (plan: BucketPlan, borrower: number) =>
  plan.plans
    .find(({ poolId }) => poolId.startsWith(account(borrower)))
    ?.partners.map(({ lenderAccountId }) => lenderAccountId);

const borrowedBy = (borrower: number, pairings: readonly Pairing[]) =>
  pairings.filter(({ borrowerAccountId }) => borrowerAccountId === account(borrower));

describe('planBucket', () => {
  it('is active at once where both consents accept standing, and names the partners best first', () => {
    const plan = planBucket(inputOf({ needs: [needOf(0, 12), needOf(12, 8), needOf(0, 8)] }));
    const stored = after([], plan);
    expect(new Set(stored.map(({ state }) => state))).toEqual(new Set(['active']));
    // The second has its peak apart from the borrower's: it covers the whole shortage.
    expect(lendersOf(plan, 0)).toEqual([account(1), account(2)]);
    expect(plan.merge.changes.map(({ audit }) => audit.type).slice(0, 3)).toEqual([
      'pairing.proposed',
      'pairing.accepted',
      'pairing.accepted',
    ]);
  });

  it('pairs pools that are never short too: an alarm may go off all the same', () => {
    const plan = planBucket(inputOf({ needs: [needOf(0, 4), needOf(0, 4)] }));
    expect(lendersOf(plan, 0)).toEqual([account(1)]);
    expect(lendersOf(plan, 1)).toEqual([account(0)]);
  });

  it('waits for whoever accepts one by one', () => {
    const consents = { 0: consentOf(account(0), { pairingAcceptance: 'explicit' }) };
    const stored = after([], planBucket(inputOf({ needs: [needOf(0, 12), needOf(12, 8)], consents })));
    expect(stored.map(({ state }) => state)).toEqual(['accepted-by-one', 'accepted-by-one']);
    for (const { acceptances } of stored) expect(acceptances.map((each) => each.accountId)).toEqual([account(1)]);
  });

  it('gives no pool more partners than its account prefers', () => {
    const consents = { 0: consentOf(account(0), { maxPartners: 1 }) };
    const plan = planBucket(inputOf({ needs: [needOf(0, 12), needOf(6, 8), needOf(12, 8), needOf(18, 8)], consents }));
    expect(lendersOf(plan, 0)).toHaveLength(1);
    const fromFirst = plan.plans
      .flatMap(({ partners }) => partners)
      .filter((one) => one.lenderAccountId === account(0));
    expect(fromFirst.length).toBeLessThanOrEqual(1);
  });

  it('refuses whom nobody can trust, pauses the pairing, and takes it up again', () => {
    const needs = [needOf(0, 12), needOf(12, 8)];
    const before = borrowedBy(0, after([], planBucket(inputOf({ needs }))));
    const lost = planBucket(inputOf({ needs, existing: before, trust: { [account(0)]: 0.9, [account(1)]: 0.3 } }));
    expect(lost.plans[0]?.partners).toEqual([]);
    expect(lost.plans[0]?.refused).toMatchObject([{ gate: 'trust' }]);
    expect(lost.plans[1]?.trust).toBe(0.3);
    const paused = borrowedBy(0, after(before, lost));
    expect(paused.map(({ state, pausedFor }) => [state, pausedFor])).toEqual([['paused', 'trust-lost']]);
    const again = planBucket(inputOf({ needs, existing: paused, trust: { [account(1)]: 0.8 } }));
    expect(borrowedBy(0, after(paused, again)).map(({ state }) => state)).toEqual(['active']);
  });

  it('gives the place of a pair that rests to the next', () => {
    const needs = [needOf(0, 12), needOf(12, 8), needOf(18, 8)];
    const consents = { 0: consentOf(account(0), { maxPartners: 1 }) };
    const before = after([], planBucket(inputOf({ needs, consents })));
    const first = before.find(({ borrowerAccountId }) => borrowerAccountId === account(0)) as Pairing;
    const left = leave(first, { accountId: account(0), actor: 'test' }, NOW);
    if ('refused' in left) throw new Error(left.reason);
    const existing = before.map((each) => (each === first ? left.pairing : each));
    const others = [account(1), account(2)].filter((each) => each !== first.lenderAccountId);
    expect(lendersOf(planBucket(inputOf({ needs, consents, existing })), 0)).toEqual(others);
    const later = plusMillis(NOW, REST_SECONDS * 1_000);
    const rested = planBucket(inputOf({ needs, consents, existing, now: later }));
    expect(rested.merge.skipped).toEqual([]);
  });

  it('ends the pairing with a lender that is in the bucket no more', () => {
    const needs = [needOf(0, 12), needOf(12, 8)];
    const before = borrowedBy(0, after([], planBucket(inputOf({ needs }))));
    const input = inputOf({ needs, existing: before });
    const alone = planBucket({ ...input, pools: input.pools.slice(0, 1) });
    expect(after(before, alone).map(({ state, endReason }) => [state, endReason])).toEqual([['ended', 'gate']]);
  });

  it('lets a lender have any number of borrowers where its consent does not say how many', () => {
    // One lends at all hours, five are short at the same time and have nothing to lend then.
    const needs = [needOf(0, 2), ...Array.from({ length: 5 }, () => Array.from({ length: SLOTS }, () => 12))];
    const borrowersOf = (consents: Readonly<Record<number, Consent>>) =>
      planBucket(inputOf({ needs, consents })).plans.filter(({ partners }) => partners.length > 0).length;
    expect(borrowersOf({})).toBe(5);
    expect(borrowersOf({ 0: consentOf(account(0), { maxPartners: 2 }) })).toBe(2);
  });

  it('keeps the open pairings with lenders that are planned for elsewhere, and gives them no others', () => {
    const needs = [needOf(0, 12), needOf(12, 8), needOf(6, 12)];
    const consents = { 0: consentOf(account(0), { maxPartners: 1 }) };
    const before = after([], planBucket(inputOf({ needs: needs.slice(0, 2), consents })));
    const existing = borrowedBy(0, before);
    expect(existing).toHaveLength(1);
    const input = inputOf({ needs, consents, existing });
    const [borrower, guest, other] = input.pools;
    const parted = planBucket({ ...input, pools: [borrower, other] as Pool[], guests: [guest as Pool] });
    expect(borrowedBy(0, after(existing, parted)).filter(isOpenPairing)).toMatchObject([{ state: 'active' }]);
    expect(lendersOf(parted, 0)).toEqual([account(1)]);
    // The third is not paired with the guest: its own part plans for it.
    expect(lendersOf(parted, 2)).toEqual([account(0)]);
    expect(parted.plans.map(({ poolId }) => poolId)).toEqual([borrower?.spec.poolId, other?.spec.poolId]);
  });

  it('leaves the places of a lender to its borrowers elsewhere', () => {
    const needs = [needOf(0, 12), needOf(12, 8)];
    const consents = { 1: consentOf(account(1), { maxPartners: 2 }) };
    const input = inputOf({ needs, consents });
    const lender = input.pools[1]?.spec.poolId ?? '';
    expect(lendersOf(planBucket({ ...input, lentElsewhere: { [lender]: 1 } }), 0)).toEqual([account(1)]);
    expect(lendersOf(planBucket({ ...input, lentElsewhere: { [lender]: 2 } }), 0)).toEqual([]);
  });

  it('changes nothing when the same is planned again, in any order, and no more than limits allow', () => {
    const hour = fc.constantFrom(0, 6, 12, 18);
    const need = fc.tuple(hour, fc.integer({ min: 3, max: 14 })).map(([from, busy]) => needOf(from, busy));
    fc.assert(
      fc.property(fc.array(need, { minLength: 2, maxLength: 5 }), fc.integer({ min: 1, max: 3 }), (needs, most) => {
        const limited = Object.fromEntries(
          needs.map((_, index) => [index, consentOf(account(index), { maxPartners: most })]),
        );
        const input = inputOf({ needs, consents: limited });
        const first = planBucket(input);
        expect(planBucket({ ...input, pools: [...input.pools].reverse() })).toEqual(first);
        const stored = after([], first);
        const second = planBucket({ ...input, existing: stored, now: plusMillis(NOW, 1) });
        expect(second.merge.changes).toEqual([]);
        for (const { spec } of input.pools) {
          const open = stored.filter(isOpenPairing);
          expect(open.filter(({ lenderPoolId }) => lenderPoolId === spec.poolId).length).toBeLessThanOrEqual(most);
          expect(open.filter(({ borrowerPoolId }) => borrowerPoolId === spec.poolId).length).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 10 },
    );
  });
});
