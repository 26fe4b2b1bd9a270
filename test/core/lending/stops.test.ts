import { describe, expect, it } from '@jest/globals';
import type { AccountStops, Stop } from '../../../core/lending/stops.ts';
import {
  isStopped,
  recallByStop,
  resumeAccount,
  stopAccount,
  stopObjection,
  stopToKeep,
} from '../../../core/lending/stops.ts';
import type { PairingId } from '../../../core/pairing/pairing.ts';
import { BORROWER, LENDER, loanOf, NOW } from '../../support/fixtures.ts';

const OPERATOR = 'arn:aws:iam::999999999999:role/operator';
const OWNER = `arn:aws:iam::${LENDER}:role/owner`;

function stopOf(overrides: Partial<Stop> = {}): Stop {
  return { stopId: 'st-1', reason: 'a fire drill', actor: OPERATOR, at: NOW, recall: false, ...overrides };
}

describe('a stop of an account', () => {
  it('is written once with one record, however often the command comes', () => {
    const change = stopAccount(LENDER, 'organisation', stopOf(), {}, NOW);
    expect(change).toMatchObject({
      by: 'organisation',
      stop: { stopId: 'st-1' },
      audit: {
        accountId: LENDER,
        type: 'lending.stopped',
        subject: `account ${LENDER}`,
        actor: 'operator of the hub',
        detail: { by: 'organisation', reason: 'a fire drill', recall: false },
      },
    });
    expect(stopAccount(LENDER, 'organisation', stopOf(), { organisation: stopOf() }, NOW)).toBeUndefined();
  });

  it('names the principal to its own account only where that account stopped itself', () => {
    expect(stopAccount(LENDER, 'owner', stopOf({ actor: OWNER }), {}, NOW)?.audit.actor).toBe(OWNER);
    expect(stopAccount(LENDER, 'operator', stopOf(), {}, NOW)?.audit.actor).toBe('operator of the hub');
  });

  it('stays the one that stands unless the new one also recalls', () => {
    const again = stopOf({ stopId: 'st-2' });
    expect(stopToKeep(stopOf(), again).stopId).toBe('st-1');
    expect(stopToKeep(stopOf(), { ...again, recall: true }).stopId).toBe('st-2');
    expect(stopToKeep(stopOf({ recall: true }), again).stopId).toBe('st-1');
    expect(stopToKeep(undefined, again).stopId).toBe('st-2');
  });

  it('is lifted by who set it only, and only when it is on', () => {
    const stops: AccountStops = { operator: stopOf() };
    const lifted = { actor: OWNER, reason: 'over', at: NOW };
    expect(resumeAccount(LENDER, 'owner', lifted, stops)).toBeUndefined();
    expect(resumeAccount(LENDER, 'operator', { ...lifted, actor: OPERATOR }, stops)).toMatchObject({
      by: 'operator',
      audit: { type: 'lending.resumed', actor: 'operator of the hub', detail: { by: 'operator', reason: 'over' } },
    });
  });

  it('is told to counterparties without its reason', () => {
    expect(stopObjection(LENDER, {})).toBeUndefined();
    expect(stopObjection(LENDER, undefined)).toBeUndefined();
    expect(stopObjection(LENDER, { owner: stopOf() })).toBe(`the account ${LENDER} is stopped: no new loans`);
    expect(stopObjection(LENDER, { organisation: stopOf() })).toBe('lending is stopped for all accounts: no new loans');
    expect(isStopped({ owner: stopOf() })).toBe(true);
    expect(isStopped({})).toBe(false);
  });
});

describe('recallByStop', () => {
  const loan = loanOf({ lenderAccountId: LENDER });
  const pairing = { pairingId: 'pr-000000000000000000000001' as PairingId };
  const never = (): AccountStops => ({});

  it('recalls nothing when no stop asks for it', () => {
    expect(recallByStop(loan, never, pairing)).toBeUndefined();
    expect(recallByStop(loan, () => ({ owner: stopOf(), organisation: stopOf() }), pairing)).toBeUndefined();
    const stops = [{ accountId: LENDER, actor: OWNER, at: NOW, reason: 'x', recall: false }];
    expect(recallByStop(loan, never, { ...pairing, stops })).toBeUndefined();
  });

  it.each([
    ['the organisation', { organisation: stopOf({ recall: true }) }, 'all accounts'],
    ['the operator', { operator: stopOf({ recall: true }) }, `account ${BORROWER}`],
    ['the owner', { owner: stopOf({ recall: true }) }, `account ${BORROWER}`],
  ] as const)('recalls loans for a stop by %s', (_by, stops, text) => {
    const why = recallByStop(loan, (account) => (account === BORROWER ? stops : {}), pairing);
    expect(why).toContain(text);
    expect(why).not.toContain('fire drill');
  });

  it('recalls the loans of a pairing, without the words of the reason', () => {
    const stops = [{ accountId: LENDER, actor: OWNER, at: NOW, reason: 'secret', recall: true }];
    const why = recallByStop(loan, never, { ...pairing, stops });
    expect(why).toBe(`account ${LENDER} has stopped pairing ${pairing.pairingId}, and its loans are recalled`);
  });
});
