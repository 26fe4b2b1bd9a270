import { describe, expect, it } from '@jest/globals';
import type { PairingView } from '../../core/pairing/pairing-view.ts';
import type { PlanView } from '../../core/pairing/plan.ts';
import type { Trust } from '../../core/trust/trust.ts';
import type { AccountId } from '../../core/units.ts';
import { listenToBus } from '../support/bus-listener.ts';
import { Fleet, until } from '../support/deployment.ts';
import type { FleetPool } from '../support/lending-fleet.ts';
import { CAREFUL_BORROWER, CAREFUL_LENDER, FLEET, idOf, RIVAL } from '../support/lending-fleet.ts';
import { auditOf, booksOf, borrow, calm, giveBack, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();
const { borrower, best, next } = FLEET.pairings;

async function pairingsOf(account: AccountId): Promise<readonly PairingView[]> {
  return (await fleet.api<{ pairings: PairingView[] }>(account, 'GET', '/pairings?state=open')).pairings;
}

async function pairingWith(lender: FleetPool): Promise<PairingView> {
  const found = (await pairingsOf(CAREFUL_BORROWER)).find(({ lenderPoolId }) => lenderPoolId === idOf(lender));
  if (found === undefined) throw new Error(`no pairing with ${idOf(lender)}`);
  return found;
}

async function accept(account: AccountId, { pairingId }: PairingView): Promise<PairingView> {
  const answer = await fleet.api<{ pairing: PairingView }>(account, 'POST', `/pairings/${pairingId}/accept`);
  return answer.pairing;
}

async function trustOf(account: AccountId): Promise<Trust> {
  return (await fleet.api<{ trust: Trust }>(account, 'GET', '/trust')).trust;
}

describe('pairings of accounts that accept each themselves', () => {
  it('are proposed by the plan, the best first, and lend nothing before both have accepted', async () => {
    const states = async (account: AccountId) => (await pairingsOf(account)).map(({ state }) => state);
    expect(await states(CAREFUL_BORROWER)).toEqual(['proposed', 'proposed']);
    expect(await states(CAREFUL_LENDER)).toEqual(['proposed', 'proposed']);
    const { plans } = await fleet.api<{ plans: PlanView[] }>(CAREFUL_BORROWER, 'GET', '/plan');
    expect(plans[0]?.partners.map(({ lenderPoolId }) => lenderPoolId)).toEqual([idOf(best), idOf(next)]);
    await calm(fleet, borrower);
    const early = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(early).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('the pairing is proposed') });
  });

  it('are active once both have, each by its own signature, and nobody else can', async () => {
    const heard = await listenToBus(fleet, 'entangle');
    for (const lender of [best, next]) {
      const pairing = await pairingWith(lender);
      await expect(accept(RIVAL, pairing)).rejects.toThrow('404');
      const twice = await Promise.allSettled([accept(CAREFUL_BORROWER, pairing), accept(CAREFUL_BORROWER, pairing)]);
      expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await pairingWith(lender)).state).toBe('accepted-by-one');
      await expect(accept(CAREFUL_BORROWER, pairing)).rejects.toThrow('409 account 888888888888 has accepted');
      expect(await accept(CAREFUL_LENDER, pairing)).toMatchObject({ state: 'active' });
      expect(await pairingWith(lender)).toMatchObject({ state: 'active', version: 3 });
      const records = [...(await auditOf(fleet, CAREFUL_BORROWER)), ...(await auditOf(fleet, CAREFUL_LENDER))]
        .filter(({ subject }) => subject === pairing.pairingId)
        .sort((a, b) => a.at - b.at);
      expect(records.map(({ accountId, type }) => [accountId, type])).toEqual([
        [CAREFUL_BORROWER, 'pairing.proposed'],
        [CAREFUL_BORROWER, 'pairing.accepted'],
        [CAREFUL_LENDER, 'pairing.accepted'],
      ]);
      const told = await until('the bus has told of both acceptances', async () => {
        const own = (await heard()).filter(({ detail }) => detail['pairingId'] === pairing.pairingId);
        return own.length < 2 ? undefined : own;
      });
      const byState = new Map(told.map((event) => [event.detail['state'], event['detail-type']]));
      expect(byState.get('accepted-by-one')).toBe('Entangle Pairing Accepted');
      expect(byState.get('active')).toBe('Entangle Pairing Active');
    }
  });

  it('lend on an alarm: the best partner, and where it has too little, the next', async () => {
    await calm(fleet, borrower);
    const before = await booksOf(fleet, [best, next, borrower]);
    const [lenderBefore, borrowerBefore] = [await trustOf(CAREFUL_LENDER), await trustOf(CAREFUL_BORROWER)];
    const first = await borrow(fleet, borrower);
    expect(first).toMatchObject({ lenderPoolId: idOf(best), units: 2 });
    // Six instances at 65 % are no alarm and need the loan; at 75 % of their memory they need one more.
    await fleet.publish(idOf(borrower), 'cpu', 65);
    const since = Date.now();
    await fleet.publish(idOf(borrower), 'memory', 75);
    const second = await loanIn(fleet, borrower, since, 'active', 'refused');
    expect(second).toMatchObject({ state: 'active', lenderPoolId: idOf(next), units: 1 });
    expect(second.reasons.join('\n')).toContain(`${idOf(best)}: it cannot lend 1 unit now`);
    for (const loan of [second, first]) expect((await giveBack(fleet, loan)).state).toBe('returned');
    await calm(fleet, borrower);
    expect(await booksOf(fleet, [best, next, borrower])).toEqual(before);
    expect((await trustOf(CAREFUL_LENDER)).score).toBeGreaterThan(lenderBefore.score);
    const { score, parts } = await trustOf(CAREFUL_BORROWER);
    expect(score).toBeGreaterThan(borrowerBefore.score);
    expect(parts.payments.newestEvidence.map(({ subject }) => subject).sort()).toEqual(
      [first.loanId, second.loanId].sort(),
    );
  });

  it('stay as they are when the same is planned again, and lend no more once a party has left', async () => {
    // What was measured since may make the borrower a lender too: that is another pairing.
    const borrowings = async () =>
      (await pairingsOf(CAREFUL_BORROWER)).filter(({ borrowerPoolId }) => borrowerPoolId === idOf(borrower));
    const statesById = (pairings: readonly PairingView[]) => pairings.map(({ pairingId, state }) => [pairingId, state]);
    const active = await borrowings();
    await fleet.plan(idOf(borrower));
    expect(statesById(await borrowings())).toEqual(statesById(active));
    for (const { pairingId } of active) {
      const { pairing } = await fleet.api<{ pairing: PairingView }>(CAREFUL_LENDER, 'DELETE', `/pairings/${pairingId}`);
      expect(pairing).toMatchObject({ state: 'ended', endReason: 'ended-by-party' });
    }
    await fleet.plan(idOf(borrower));
    expect(await borrowings()).toEqual([]);
    await calm(fleet, borrower);
    const refused = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(refused).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('no partner is planned') });
    await calm(fleet, borrower);
  });
});
