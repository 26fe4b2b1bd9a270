import { describe, expect, it } from '@jest/globals';
import type { Consent } from '../../../core/consent/consent.ts';
import type { PlannedPair, Transition } from '../../../core/pairing/lifecycle.ts';
import { accept, isRefused, leave, pause, propose, resume } from '../../../core/pairing/lifecycle.ts';
import type { Pairing, PairingChange, PairingId } from '../../../core/pairing/pairing.ts';
import { pairingFor } from '../../../core/pairing/pairing-view.ts';
import { liftPairingStop, stopPairing } from '../../../core/pairing/stops.ts';
import type { AccountId } from '../../../core/units.ts';
import { accountId, invariant, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, specOf } from '../../support/fixtures.ts';

const PLANNED: PlannedPair = {
  pairingId: 'pr-000000000000000000000001' as PairingId,
  lenderPoolId: specOf(LENDER).poolId,
  lenderAccountId: LENDER,
  borrowerPoolId: specOf(BORROWER).poolId,
  borrowerAccountId: BORROWER,
  expectedUnits: [2],
  confidence: 0.8,
  savingMicroUsd: { low: microUsd(0), mid: microUsd(5), high: microUsd(9), expected: microUsd(5) },
  reasons: [],
  metricReasons: [],
};

function done(transition: Transition): PairingChange {
  invariant(!isRefused(transition), isRefused(transition) ? transition.reason : 'it is allowed');
  return transition;
}

const party = (account: AccountId, consent: Consent | undefined = consentOf(account)) => ({
  accountId: account,
  actor: `arn:aws:iam::${account}:role/owner`,
  consent,
});
const BOTH = [party(LENDER), party(BORROWER)];

function activeFrom(proposal: Pairing): Pairing {
  const byOne = done(accept(proposal, party(LENDER), 'explicit', NOW)).pairing;
  return done(accept(byOne, party(BORROWER), 'explicit', NOW)).pairing;
}

const active = (): Pairing => activeFrom(done(propose(PLANNED, undefined, 'pair', NOW)).pairing);
const stopBy = (pairing: Pairing, account: AccountId, recall = false): Transition =>
  stopPairing(pairing, { accountId: account, actor: party(account).actor, at: NOW, reason: 'an incident', recall });
const lift = (pairing: Pairing, account: AccountId, parties = BOTH): Transition =>
  liftPairingStop(pairing, party(account), parties, 'it is over', NOW);

describe('a stopped pairing', () => {
  it('is paused, with a record in both chains, of which the other party does not read the reason', () => {
    const { pairing, audit, counterpartAudit, event } = done(stopBy(active(), LENDER, true));
    expect(pairing).toMatchObject({
      state: 'paused',
      pausedFor: 'stopped',
      stops: [{ accountId: LENDER, recall: true }],
    });
    expect(audit).toMatchObject({
      accountId: LENDER,
      type: 'pairing.stopped',
      detail: { why: 'an incident', recall: true },
    });
    expect(counterpartAudit).toMatchObject({
      accountId: BORROWER,
      actor: `account ${LENDER}`,
      detail: { recall: true },
    });
    expect(JSON.stringify(counterpartAudit)).not.toContain('an incident');
    expect(event.detailType).toBe('Entangle Pairing Paused');
    expect(JSON.stringify(pairingFor(BORROWER, pairing, 'none'))).not.toContain('an incident');
    expect(pairingFor(LENDER, pairing, 'none').stops?.[0]?.reason).toBe('an incident');
  });

  it('is not taken up again by a plan', () => {
    const { pairing } = done(stopBy(active(), LENDER));
    expect(resume(pairing, BOTH, 'pair', NOW)).toMatchObject({ refused: true, code: 'wrong-state' });
  });

  it('is active again only when each party has lifted its own stop', () => {
    const byBoth = done(stopBy(done(stopBy(active(), LENDER)).pairing, BORROWER)).pairing;
    const byOne = done(lift(byBoth, LENDER)).pairing;
    expect(byOne).toMatchObject({ state: 'paused', pausedFor: 'stopped', stops: [{ accountId: BORROWER }] });
    expect(lift(byOne, LENDER)).toMatchObject({ refused: true, reason: expect.stringContaining('has not stopped') });
    const free = done(lift(byOne, BORROWER));
    expect(free.pairing.state).toBe('active');
    expect(free.pairing).not.toHaveProperty('stops');
    expect(free.pairing).not.toHaveProperty('pausedFor');
    expect(free.audit).toMatchObject({ type: 'pairing.resumed', detail: { why: 'it is over' } });
  });

  it('stays paused when a consent has been revoked meanwhile', () => {
    const { pairing } = done(stopBy(active(), LENDER));
    const revoked = party(BORROWER, consentOf(BORROWER, {}, { status: 'revoked' }));
    const lifted = done(lift(pairing, LENDER, [party(LENDER), revoked])).pairing;
    expect(lifted).toMatchObject({ state: 'paused', pausedFor: 'consent-revoked' });
    expect(lifted).not.toHaveProperty('stops');
  });

  it('is stopped still when it is proposed anew and accepted by both', () => {
    const ended = done(leave(done(stopBy(active(), LENDER)).pairing, party(BORROWER), NOW)).pairing;
    const again = activeFrom(done(propose(PLANNED, ended, 'pair', NOW)).pairing);
    expect(again).toMatchObject({ state: 'paused', pausedFor: 'stopped', stops: [{ accountId: LENDER }] });
  });

  it('may have been paused for something else before', () => {
    const drifted = done(pause(active(), 'drift', LENDER, 'look-ahead', NOW)).pairing;
    expect(done(stopBy(drifted, BORROWER)).pairing.pausedFor).toBe('stopped');
  });

  it('is refused to strangers, and of what lends nothing anyway', () => {
    expect(stopBy(active(), accountId('999999999999'))).toMatchObject({ refused: true, code: 'not-a-party' });
    const proposal = done(propose(PLANNED, undefined, 'pair', NOW)).pairing;
    expect(stopBy(proposal, LENDER)).toMatchObject({ refused: true, code: 'wrong-state' });
  });
});
