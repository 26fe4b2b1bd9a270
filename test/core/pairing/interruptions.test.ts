import { describe, expect, it } from '@jest/globals';
import { pausesForDrift, pausesForTrust } from '../../../core/pairing/interruptions.ts';
import type { PlannedPair } from '../../../core/pairing/lifecycle.ts';
import type { MergeInput } from '../../../core/pairing/merge.ts';
import { mergePlan } from '../../../core/pairing/merge.ts';
import type { Pairing, PairingId } from '../../../core/pairing/pairing.ts';
import { evidenceOf } from '../../../core/trust/evidence.ts';
import { NEWCOMER_TRUST, trustOf } from '../../../core/trust/trust.ts';
import { invariant, microUsd, plusMillis } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, specOf } from '../../support/fixtures.ts';

const [lends, borrows] = [specOf(LENDER), specOf(BORROWER)];
const PLANNED: PlannedPair = {
  pairingId: 'pr-1' as PairingId,
  lenderPoolId: lends.poolId,
  lenderAccountId: LENDER,
  borrowerPoolId: borrows.poolId,
  borrowerAccountId: BORROWER,
  expectedUnits: [2],
  confidence: 0.8,
  savingMicroUsd: { low: microUsd(0), mid: microUsd(1), high: microUsd(2), expected: microUsd(1) },
  reasons: [],
  metricReasons: [],
};
const LATER = plusMillis(NOW, 3_600_000);

function plan(existing: readonly Pairing[], planned: readonly PlannedPair[], changes: Partial<MergeInput> = {}) {
  return mergePlan({
    existing,
    planned,
    consentOf: (account) => consentOf(account),
    refusalOf: () => undefined,
    maxLendersOf: () => 3,
    maxBorrowersOf: () => 3,
    actor: 'pair',
    now: LATER,
    ...changes,
  });
}

function only(changes: readonly { readonly pairing: Pairing }[]): Pairing {
  const pairing = changes.at(-1)?.pairing;
  invariant(pairing !== undefined, 'something changed');
  return pairing;
}

const active = only(plan([], [PLANNED]).changes);

describe('demand that has left its forecast', () => {
  it('pauses active pairings of the lender at once', () => {
    const [change, ...rest] = pausesForDrift([active], new Set([lends.poolId]), 'look-ahead', NOW);
    expect(rest).toEqual([]);
    expect(change).toMatchObject({
      pairing: { state: 'paused', pausedFor: 'drift' },
      audit: { accountId: LENDER, type: 'pairing.paused', actor: 'look-ahead' },
      event: { detailType: 'Entangle Pairing Paused', detail: { reason: 'drift' } },
    });
  });

  it('lets a borrower that drifts borrow', () => {
    expect(pausesForDrift([active], new Set([borrows.poolId]), 'look-ahead', NOW)).toEqual([]);
  });

  it('pauses once, and nothing that is not active or not theirs', () => {
    const both = new Set([lends.poolId, borrows.poolId]);
    expect(pausesForDrift([active], both, 'look-ahead', NOW)).toHaveLength(1);
    const paused = only(pausesForDrift([active], both, 'look-ahead', NOW));
    expect(pausesForDrift([paused], both, 'look-ahead', NOW)).toEqual([]);
    expect(pausesForDrift([active], new Set(), 'look-ahead', NOW)).toEqual([]);
  });

  it('lets the next plan take up what still holds, and end in time what does not', () => {
    const paused = only(pausesForDrift([active], new Set([lends.poolId]), 'look-ahead', NOW));
    const resumed = only(plan([paused], [PLANNED]).changes);
    expect(resumed).toMatchObject({ state: 'active', activeAt: LATER });
    expect(resumed).not.toHaveProperty('pausedFor');
    const { changes, refreshed } = plan([paused], []);
    expect(changes).toEqual([]);
    expect(refreshed).toMatchObject([{ pairing: { state: 'paused', plansWithout: 1 } }]);
  });
});

describe('trust that is lost', () => {
  const defaulted = (times: number) =>
    trustOf(
      Array.from({ length: times }, (_, index) =>
        evidenceOf('payment-defaulted', {
          evidenceId: `ln-${index}#payment`,
          accountId: BORROWER,
          at: NOW,
          subject: 'ln',
        }),
      ),
      NOW,
    ).score;
  const floors = (trustFloor: number) => () => consentOf(LENDER, { trustFloor });

  it('pauses the pairings of the account where the counterparty asks for more', () => {
    const [change] = pausesForTrust({ accountId: BORROWER, trust: defaulted(2) }, [active], floors(0.6), 'api', NOW);
    expect(change).toMatchObject({
      pairing: { state: 'paused', pausedFor: 'trust-lost' },
      audit: { accountId: BORROWER },
      counterpartAudit: { accountId: LENDER },
    });
  });

  it('leaves pairings alone whose counterparty asks for no more than there is', () => {
    expect(pausesForTrust({ accountId: BORROWER, trust: NEWCOMER_TRUST }, [active], floors(0.6), 'api', NOW)).toEqual(
      [],
    );
    const least = { accountId: BORROWER, trust: 0.2 };
    expect(pausesForTrust(least, [active], floors(0.2), 'api', NOW)).toEqual([]);
  });

  it('keeps the pairing paused through plans while the gate refuses, and lets them take it up after that', () => {
    const paused = only(pausesForTrust({ accountId: BORROWER, trust: 0.1 }, [active], floors(0.5), 'api', NOW));
    const refusalOf = () => ({ gate: 'trust', field: 'lender.trustFloor', detail: 'd' }) as const;
    expect(plan([paused], [], { refusalOf }).changes).toEqual([]);
    expect(only(plan([paused], [PLANNED]).changes).state).toBe('active');
  });
});
