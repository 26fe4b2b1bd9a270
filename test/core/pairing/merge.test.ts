import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Consent, ConsentTerms } from '../../../core/consent/consent.ts';
import type { GateRefusal } from '../../../core/pairing/gates.ts';
import type { PlannedPair } from '../../../core/pairing/lifecycle.ts';
import type { Merge, MergeInput } from '../../../core/pairing/merge.ts';
import { mergePlan, PROPOSAL_VALID_SECONDS, REST_SECONDS } from '../../../core/pairing/merge.ts';
import type { CircleId, Pairing, PairingId } from '../../../core/pairing/pairing.ts';
import type { AccountId, EpochMillis } from '../../../core/units.ts';
import { accountId, epochMillis, microUsd, plusMillis } from '../../../core/units.ts';
import { consentOf, NOW, specOf } from '../../support/fixtures.ts';

const accounts = [1, 2, 3, 4, 5].map((digit) => accountId(String(digit).repeat(12)));
const DAY = 86_400_000;

function pairOf(lender: number, borrower: number, figures: Partial<PlannedPair> = {}): PlannedPair {
  const [lends, borrows] = [specOf(accounts[lender] as AccountId), specOf(accounts[borrower] as AccountId)];
  return {
    pairingId: `pr-${lender}${borrower}` as PairingId,
    lenderPoolId: lends.poolId,
    lenderAccountId: lends.accountId,
    borrowerPoolId: borrows.poolId,
    borrowerAccountId: borrows.accountId,
    expectedUnits: [2],
    confidence: 0.8,
    savingMicroUsd: { low: microUsd(0), mid: microUsd(100), high: microUsd(200), expected: microUsd(100) },
    reasons: [],
    metricReasons: [],
    ...figures,
  };
}

type Settings = Partial<Pick<MergeInput, 'consentOf' | 'refusalOf' | 'maxLendersOf' | 'maxBorrowersOf'>>;

function merge(
  existing: readonly Pairing[],
  planned: readonly PlannedPair[],
  now: EpochMillis = NOW,
  settings: Settings = {},
): Merge {
  return mergePlan({
    existing,
    planned,
    consentOf: (account) => consentOf(account),
    refusalOf: () => undefined,
    maxLendersOf: () => 3,
    maxBorrowersOf: () => 3,
    actor: 'pair',
    now,
    ...settings,
  });
}

/** What a store holds after a merge has been written. */
function after(existing: readonly Pairing[], { changes, refreshed }: Merge): Pairing[] {
  const stored = new Map(existing.map((pairing) => [pairing.pairingId, pairing]));
  for (const { pairing, expectedVersion } of [...changes, ...refreshed]) {
    expect(stored.get(pairing.pairingId)?.version).toBe(expectedVersion);
    expect(pairing.version).toBe((expectedVersion ?? 0) + 1);
    stored.set(pairing.pairingId, pairing);
  }
  return [...stored.values()];
}

/** Plans a day apart, each merged into what the one before left. */
function daily(plans: readonly (readonly PlannedPair[])[], settings: Settings = {}): Pairing[][] {
  const days: Pairing[][] = [];
  for (const [day, planned] of plans.entries()) {
    const before = days.at(-1) ?? [];
    days.push(after(before, merge(before, planned, plusMillis(NOW, day * DAY), settings)));
  }
  return days;
}

const states = (pairings: readonly Pairing[] | undefined) => pairings?.map(({ state }) => state);
const explicit: Partial<ConsentTerms> = { pairingAcceptance: 'explicit' };
const explicitly = (account: AccountId): Consent => consentOf(account, explicit);

describe('mergePlan', () => {
  it('proposes what is new and accepts it for standing consents at once', () => {
    const merged = merge([], [pairOf(0, 1)]);
    expect(merged.changes.map(({ audit }) => audit.type)).toEqual([
      'pairing.proposed',
      'pairing.accepted',
      'pairing.accepted',
    ]);
    const [pairing] = after([], merged);
    expect(pairing?.state).toBe('active');
    expect(pairing?.acceptances).toMatchObject([
      { accountId: accounts[0], by: 'standing', consentVersion: 1, actor: `arn:aws:iam::${accounts[0]}:role/owner` },
      { accountId: accounts[1], by: 'standing' },
    ]);
  });

  it('leaves the agreement to accounts that agree one by one', () => {
    const [pairing] = after([], merge([], [pairOf(0, 1)], NOW, { consentOf: explicitly }));
    expect(pairing).toMatchObject({ state: 'proposed', acceptances: [] });
    const mixed = (account: AccountId) => consentOf(account, account === accounts[0] ? explicit : {});
    expect(states(after([], merge([], [pairOf(0, 1)], NOW, { consentOf: mixed })))).toEqual(['accepted-by-one']);
  });

  it('changes nothing when the plan stays the same, and writes figures only when they changed much', () => {
    const [first = []] = daily([[pairOf(0, 1), pairOf(2, 3)]]);
    const tomorrow = plusMillis(NOW, DAY);
    expect(merge(first, [pairOf(2, 3), pairOf(0, 1)], tomorrow)).toEqual({
      changes: [],
      refreshed: [],
      skipped: [],
      churn: 0,
    });
    const slightly = pairOf(0, 1, { confidence: 0.81, expectedUnits: [2.1] });
    expect(merge(first, [slightly, pairOf(2, 3)], tomorrow).refreshed).toEqual([]);
    const much = pairOf(0, 1, { confidence: 0.5 });
    const { changes, refreshed } = merge(first, [much, pairOf(2, 3)], tomorrow);
    expect(changes).toEqual([]);
    expect(refreshed).toMatchObject([{ pairing: { confidence: 0.5, plannedAt: tomorrow, state: 'active' } }]);
  });

  it('pauses what two plans do not have, takes it up again, and ends it after four', () => {
    const plan = [pairOf(0, 1)];
    expect(daily([plan, [], [], plan]).map(states)).toEqual([['active'], ['active'], ['paused'], ['active']]);
    expect(daily([plan, [], plan, [], plan]).map(states)).toEqual(Array.from({ length: 5 }, () => ['active']));
    const gone = daily([plan, [], [], [], []]);
    expect(gone.map(states)).toEqual([['active'], ['active'], ['paused'], ['paused'], ['ended']]);
    expect(gone.at(-1)?.[0]?.endReason).toBe('no-longer-planned');
  });

  it('ends at once what stands in the way of the plan, the least sure first', () => {
    const [first = []] = daily([[pairOf(0, 4, { confidence: 0.9 }), pairOf(1, 4, { confidence: 0.4 })]]);
    const merged = merge(first, [pairOf(2, 4)], plusMillis(NOW, DAY), {
      maxLendersOf: () => 2,
      maxBorrowersOf: () => 2,
    });
    const now = after(first, merged);
    expect(now.find(({ pairingId }) => pairingId === 'pr-04')?.state).toBe('active');
    expect(now.find(({ pairingId }) => pairingId === 'pr-14')).toMatchObject({
      state: 'ended',
      endReason: 'no-longer-planned',
    });
    expect(merged.churn).toBe(1);
  });

  it('counts no pair of a circle against the places of others, and says which circle a pair is in', () => {
    const [first = []] = daily([[pairOf(0, 4)]]);
    const circleId = 'ci-1' as CircleId;
    const settings = { maxLendersOf: () => 1, maxBorrowersOf: () => 1 };
    const tomorrow = plusMillis(NOW, DAY);
    const joined = after(first, merge(first, [pairOf(0, 4, { circleId })], tomorrow, settings));
    expect(joined).toMatchObject([{ state: 'active', circleId, version: (first[0]?.version ?? 0) + 1 }]);
    const circle = [pairOf(1, 4, { circleId }), pairOf(0, 1, { circleId })];
    const left = after(joined, merge(joined, circle, tomorrow, settings));
    expect(states(left)).toEqual(['active', 'active', 'active']);
    expect(left.find(({ pairingId }) => pairingId === 'pr-04')?.circleId).toBeUndefined();
    const crowded = after(joined, merge(joined, [pairOf(1, 4)], tomorrow, settings));
    expect(crowded.find(({ pairingId }) => pairingId === 'pr-04')?.state).toBe('ended');
  });

  it.each([
    ['trust', 'borrower.trustFloor', 'paused', 'trust-lost', accounts[1]],
    ['consent', 'lender.status', 'paused', 'consent-revoked', accounts[0]],
    ['headroom', 'forecast', 'paused', 'drift', accounts[0]],
    ['ceiling-not-fixed', 'lender.raisesOwnCeiling', 'paused', 'ceiling-not-fixed', accounts[0]],
    ['ceiling-not-fixed', 'borrower.raisesOwnCeiling', 'paused', 'ceiling-not-fixed', accounts[1]],
    ['instance-type', 'instanceType', 'ended', undefined, accounts[0]],
    ['price', 'borrower.borrow.maxPriceMicroUsdPerUnitHour', 'ended', undefined, accounts[1]],
  ] as const)('answers a gate that refuses now: %s, %s: %s', (gate, field, state, pausedFor, concerned) => {
    const [first = []] = daily([[pairOf(0, 1)]]);
    const refusal: GateRefusal = { gate, field, detail: 'd' };
    const merged = merge(first, [], plusMillis(NOW, DAY), { refusalOf: () => refusal });
    expect(merged.changes).toHaveLength(1);
    expect(merged.changes[0]?.audit.accountId).toBe(concerned);
    const [pairing] = after(first, merged);
    expect(pairing?.state).toBe(state);
    expect(pairing?.pausedFor).toBe(pausedFor);
  });

  it('ends what a gate keeps paused for four plans', () => {
    const [first = []] = daily([[pairOf(0, 1)]]);
    let stored = first;
    const seen: (string | undefined)[] = [];
    for (let day = 1; day <= 4; day += 1) {
      const refusalOf = () => ({ gate: 'trust', field: 'borrower.trustFloor', detail: 'd' }) as const;
      stored = after(stored, merge(stored, [], plusMillis(NOW, day * DAY), { refusalOf }));
      seen.push(stored[0]?.state);
    }
    expect(seen).toEqual(['paused', 'paused', 'paused', 'ended']);
  });

  it('ends a proposal that nobody answered for a week, and proposes it no sooner than the next plan', () => {
    const settings = { consentOf: explicitly };
    const stored = after([], merge([], [pairOf(0, 1)], NOW, settings));
    const soon = plusMillis(NOW, PROPOSAL_VALID_SECONDS * 1_000 - 1);
    expect(merge(stored, [pairOf(0, 1)], soon, settings).changes).toEqual([]);
    const late = plusMillis(NOW, PROPOSAL_VALID_SECONDS * 1_000);
    const [pairing] = after(stored, merge(stored, [pairOf(0, 1)], late, settings));
    expect(pairing).toMatchObject({ state: 'ended', endReason: 'expired' });
  });

  it('lets rest what a party declined or ended', () => {
    const [first = []] = daily([[pairOf(0, 1)]]);
    const declined = first.map((each): Pairing => ({ ...each, state: 'ended', endReason: 'declined', endedAt: NOW }));
    const merged = merge(declined, [pairOf(0, 1)], plusMillis(NOW, REST_SECONDS * 1_000 - 1));
    expect(merged.changes).toEqual([]);
    expect(merged.skipped).toMatchObject([{ pairingId: 'pr-01', reason: expect.stringContaining('declined') }]);
    const rested = merge(declined, [pairOf(0, 1)], plusMillis(NOW, REST_SECONDS * 1_000));
    expect(states(after(declined, rested))).toEqual(['active']);
  });

  it('keeps every pairing consistent through any plans, whatever the order of the input', () => {
    const pairs = [pairOf(0, 1), pairOf(0, 2), pairOf(1, 2), pairOf(2, 3), pairOf(3, 0), pairOf(4, 0)];
    const plans = fc.array(fc.subarray(pairs), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(plans, fc.nat({ max: 5 }), (all, turn) => {
        let stored: Pairing[] = [];
        for (const [day, planned] of all.entries()) {
          const now = epochMillis(NOW + day * DAY);
          const settings = { maxLendersOf: () => 2, maxBorrowersOf: () => 2 };
          const merged = merge(stored, planned, now, settings);
          const turned = [...stored.slice(turn), ...stored.slice(0, turn)];
          expect(merge(turned, [...planned].reverse(), now, settings)).toEqual(merged);
          stored = after(stored, merged);
          for (const pairing of stored) {
            expect(pairing.state === 'active').toBe(
              pairing.acceptances.length === 2 && pairing.pausedFor === undefined && pairing.endReason === undefined,
            );
          }
          const inPlan = new Set(planned.map(({ pairingId }) => pairingId));
          const active = stored.filter(({ state }) => state === 'active').map(({ pairingId }) => pairingId);
          expect(active).toEqual(expect.arrayContaining([...inPlan]));
        }
      }),
      { numRuns: 100 },
    );
  });
});
