import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Consent } from '../../../core/consent/consent.ts';
import type { PlannedPair, Transition } from '../../../core/pairing/lifecycle.ts';
import { accept, end, isRefused, leave, pause, propose, resume } from '../../../core/pairing/lifecycle.ts';
import type { Pairing, PairingChange } from '../../../core/pairing/pairing.ts';
import { pairingIdOf } from '../../../core/pairing/pairing.ts';
import { pairingFor } from '../../../core/pairing/pairing-view.ts';
import type { AccountId } from '../../../core/units.ts';
import { accountId, epochMillis, invariant, microUsd } from '../../../core/units.ts';
import { BORROWER, consentOf, LENDER, NOW, specOf } from '../../support/fixtures.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const OTHER = accountId('999999999999');
const PLANNER = 'pair';
const [lender, borrower] = [specOf(LENDER), specOf(BORROWER)];

const PLANNED: PlannedPair = {
  pairingId: pairingIdOf(lender.poolId, borrower.poolId, sha256),
  lenderPoolId: lender.poolId,
  lenderAccountId: LENDER,
  borrowerPoolId: borrower.poolId,
  borrowerAccountId: BORROWER,
  expectedUnits: [2, 3],
  confidence: 0.8,
  savingMicroUsd: { low: microUsd(0), mid: microUsd(5), high: microUsd(9), expected: microUsd(5) },
  reasons: ['same region eu-west-1'],
  metricReasons: ['covers 83 % of the forecast shortage (P95)'],
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

const proposed = (): Pairing => done(propose(PLANNED, undefined, PLANNER, NOW)).pairing;
const acceptedByOne = (): Pairing => done(accept(proposed(), party(LENDER), 'explicit', NOW)).pairing;
const active = (): Pairing => done(accept(acceptedByOne(), party(BORROWER), 'explicit', NOW)).pairing;
const paused = (): Pairing => done(pause(active(), 'drift', BORROWER, PLANNER, NOW)).pairing;
const ended = (): Pairing => done(leave(active(), party(LENDER), NOW)).pairing;

describe('pairingIdOf', () => {
  it('is the same for the same pools in the same roles, and another for every other pair', () => {
    expect(PLANNED.pairingId).toMatch(/^pr-[0-9a-f]{24}$/);
    expect(pairingIdOf(lender.poolId, borrower.poolId, sha256)).toBe(PLANNED.pairingId);
    expect(pairingIdOf(borrower.poolId, lender.poolId, sha256)).not.toBe(PLANNED.pairingId);
  });
});

describe('the lifecycle of a pairing', () => {
  it('goes from proposed through the agreement of both to active, each with one record and one event', () => {
    const proposal = done(propose(PLANNED, undefined, PLANNER, NOW));
    expect(proposal).toMatchObject({
      pairing: { state: 'proposed', version: 1, acceptances: [] },
      audit: { accountId: BORROWER, type: 'pairing.proposed', subject: PLANNED.pairingId, actor: PLANNER },
      event: { detailType: 'Entangle Pairing Proposed', detail: { state: 'proposed', lenderAccountId: LENDER } },
    });
    expect(proposal).not.toHaveProperty('expectedVersion');
    const one = done(accept(proposal.pairing, party(LENDER), 'explicit', NOW));
    expect(one).toMatchObject({
      expectedVersion: 1,
      pairing: { state: 'accepted-by-one', version: 2 },
      audit: { accountId: LENDER, type: 'pairing.accepted', detail: { by: 'explicit', consentVersion: 1 } },
      event: { detailType: 'Entangle Pairing Accepted' },
    });
    const both = done(accept(one.pairing, party(BORROWER), 'standing', NOW));
    expect(both).toMatchObject({
      expectedVersion: 2,
      pairing: { state: 'active', version: 3, activeAt: NOW },
      audit: { accountId: BORROWER, detail: { by: 'standing' } },
      event: { detailType: 'Entangle Pairing Active' },
    });
    expect(both.pairing.acceptances.map(({ accountId: account, by }) => [account, by])).toEqual([
      [LENDER, 'explicit'],
      [BORROWER, 'standing'],
    ]);
  });

  it('stands in the chains of both accounts, and names no principal of one to the other', () => {
    const one = done(accept(proposed(), party(LENDER), 'explicit', NOW));
    expect(one.audit).toMatchObject({ accountId: LENDER, actor: `arn:aws:iam::${LENDER}:role/owner` });
    const { counterpartAudit } = one;
    expect(counterpartAudit).toMatchObject({
      accountId: BORROWER,
      type: 'pairing.accepted',
      actor: `account ${LENDER}`,
    });
    expect(counterpartAudit.detail).toMatchObject({ state: 'accepted-by-one', version: 2 });
    expect(counterpartAudit.detail).not.toHaveProperty('consentVersion');
    const changes = [
      done(propose(PLANNED, undefined, PLANNER, NOW)),
      done(pause(active(), 'drift', LENDER, PLANNER, NOW)),
      done(resume(paused(), [party(LENDER), party(BORROWER)], PLANNER, NOW)),
      done(leave(active(), party(BORROWER), NOW)),
    ];
    for (const { audit, counterpartAudit: other } of changes) {
      expect([audit.accountId, other.accountId].sort()).toEqual([BORROWER, LENDER].sort());
      expect(other).toMatchObject({ type: audit.type, subject: audit.subject, at: audit.at });
    }
  });

  it('gives each change an event with an id of its own', () => {
    const ids = [propose(PLANNED, undefined, PLANNER, NOW), accept(proposed(), party(LENDER), 'explicit', NOW)].map(
      (transition) => done(transition).event.detail.eventId,
    );
    expect(ids).toEqual([`${PLANNED.pairingId}#1`, `${PLANNED.pairingId}#2`]);
  });

  it('is paused and taken up again', () => {
    const change = done(pause(active(), 'trust-lost', LENDER, PLANNER, NOW));
    expect(change).toMatchObject({
      pairing: { state: 'paused', pausedFor: 'trust-lost', pausedAt: NOW },
      audit: { accountId: LENDER, type: 'pairing.paused', detail: { reason: 'trust-lost' } },
    });
    const again = done(resume(change.pairing, [party(LENDER), party(BORROWER)], PLANNER, NOW)).pairing;
    expect(again.state).toBe('active');
    expect(again).not.toHaveProperty('pausedFor');
  });

  it('is declined before it is agreed, ended after', () => {
    expect(done(leave(proposed(), party(BORROWER), NOW)).pairing.endReason).toBe('declined');
    expect(done(leave(acceptedByOne(), party(LENDER), NOW)).pairing.endReason).toBe('declined');
    expect(done(leave(active(), party(LENDER), NOW))).toMatchObject({
      pairing: { endReason: 'ended-by-party', endedAt: NOW },
      audit: { accountId: LENDER, type: 'pairing.ended' },
      event: { detailType: 'Entangle Pairing Ended', detail: { reason: 'ended-by-party' } },
    });
    expect(done(leave(paused(), party(LENDER), NOW)).pairing).not.toHaveProperty('pausedFor');
  });

  it('is proposed anew under the same id after it ended', () => {
    const again = done(propose(PLANNED, ended(), PLANNER, NOW));
    expect(again).toMatchObject({ expectedVersion: 4, pairing: { state: 'proposed', version: 5, acceptances: [] } });
    expect(again.pairing).not.toHaveProperty('endReason');
  });

  it.each([
    ['already-open', propose(PLANNED, active(), PLANNER, NOW)],
    ['wrong-state', accept(active(), party(LENDER), 'explicit', NOW)],
    ['wrong-state', accept(ended(), party(LENDER), 'explicit', NOW)],
    ['already-accepted', accept(acceptedByOne(), party(LENDER), 'explicit', NOW)],
    ['not-a-party', accept(proposed(), party(OTHER), 'explicit', NOW)],
    ['not-a-party', leave(active(), party(OTHER), NOW)],
    ['not-a-party', pause(active(), 'drift', OTHER, PLANNER, NOW)],
    ['wrong-state', pause(proposed(), 'drift', LENDER, PLANNER, NOW)],
    ['wrong-state', resume(active(), [party(LENDER), party(BORROWER)], PLANNER, NOW)],
    ['consent', resume(paused(), [party(LENDER)], PLANNER, NOW)],
    ['wrong-state', end(ended(), 'gate', LENDER, PLANNER, NOW)],
  ])('refuses what is not allowed: %s', (code, transition) => {
    expect(transition).toMatchObject({ refused: true, code, reason: expect.stringMatching(/\w/) });
  });

  it.each([
    ['no consent', { ...party(LENDER), consent: undefined }],
    ['a revoked one', party(LENDER, consentOf(LENDER, {}, { status: 'revoked' }))],
    ['one that ran out', party(LENDER, consentOf(LENDER, { validUntil: epochMillis(NOW - 1) }))],
    ['one that only borrows', party(LENDER, withoutLend())],
  ])('takes no agreement under %s', (_name, side) => {
    expect(accept(proposed(), side, 'explicit', NOW)).toMatchObject({ refused: true, code: 'consent' });
  });

  it('takes no standing agreement of a consent that accepts one by one', () => {
    const side = party(LENDER, consentOf(LENDER, { pairingAcceptance: 'explicit' }));
    expect(accept(proposed(), side, 'standing', NOW)).toMatchObject({ refused: true, code: 'consent' });
    expect(isRefused(accept(proposed(), side, 'explicit', NOW))).toBe(false);
  });
});

function withoutLend(): Consent {
  const consent = consentOf(LENDER);
  const { lend: _lend, ...terms } = consent.terms;
  return { ...consent, terms };
}

describe('pairingFor', () => {
  it('shows figures from metrics only where the other side lets it', () => {
    const open = pairingFor(BORROWER, active(), 'metrics-only');
    expect(open).toMatchObject({ confidence: 0.8, expectedUnits: [2, 3], savingMicroUsd: { mid: 5 } });
    expect(open.reasons).toEqual(['covers 83 % of the forecast shortage (P95)', 'same region eu-west-1']);
    const closed = pairingFor(BORROWER, active(), 'none');
    for (const field of ['confidence', 'expectedUnits', 'savingMicroUsd', 'metricReasons']) {
      expect(closed).not.toHaveProperty(field);
    }
    expect(closed.reasons).toEqual(['same region eu-west-1']);
  });

  it("keeps the other side's consent version and principal to itself", () => {
    const { acceptances } = pairingFor(BORROWER, active(), 'metrics-only');
    expect(acceptances[0]).toEqual({ accountId: LENDER, at: NOW });
    expect(acceptances[1]).toMatchObject({ accountId: BORROWER, consentVersion: 1, by: 'explicit' });
    expect(() => pairingFor(OTHER, active(), 'none')).toThrow('is a party');
  });
});
