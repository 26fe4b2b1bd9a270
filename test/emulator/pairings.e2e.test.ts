import { describe, expect, it } from '@jest/globals';
import { utcMonth } from '../../core/calendar.ts';
import type { ConsentTerms } from '../../core/consent/consent.ts';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { Credits } from '../../core/pairing/credits.ts';
import type { PairingView } from '../../core/pairing/pairing-view.ts';
import type { PlanView } from '../../core/pairing/plan.ts';
import type { Trust } from '../../core/trust/trust.ts';
import type { AccountId } from '../../core/units.ts';
import { epochMillis } from '../../core/units.ts';
import type { BusEvent } from '../support/bus-listener.ts';
import { listenToBus } from '../support/bus-listener.ts';
import { Fleet, until } from '../support/deployment.ts';
import type { FleetPool } from '../support/lending-fleet.ts';
import { CAREFUL_BORROWER, CAREFUL_LENDER, FLEET, firstTermsOf, HUB, idOf, RIVAL } from '../support/lending-fleet.ts';
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
  let heard: () => Promise<BusEvent[]>;
  let paid: LoanView;

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
    heard = await listenToBus(fleet, 'entangle');
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
      const courseOf = (account: AccountId) =>
        records.filter(({ accountId }) => accountId === account).map(({ type, detail }) => [type, detail['version']]);
      // Each change stands in the chains of both.
      for (const account of [CAREFUL_BORROWER, CAREFUL_LENDER]) {
        expect(courseOf(account)).toEqual([
          ['pairing.proposed', 1],
          ['pairing.accepted', 2],
          ['pairing.accepted', 3],
        ]);
      }
      const [, byBorrower] = records.filter(({ accountId }) => accountId === CAREFUL_LENDER);
      expect(byBorrower?.actor).toBe(`account ${CAREFUL_BORROWER}`);
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
    paid = first;
  });

  it('rest on what is recorded of the payments: by the lender, once, until it says otherwise', async () => {
    const record = (account: AccountId, kind: string, about = CAREFUL_BORROWER) =>
      fleet.api<{ recorded: boolean }>(account, 'POST', '/trust/records', {
        accountId: about,
        kind,
        subject: kind.startsWith('audit') ? '2026-01' : paid.loanId,
      });
    const payments = async () =>
      (await trustOf(CAREFUL_BORROWER)).parts.payments.newestEvidence
        .filter(({ subject }) => subject === paid.loanId)
        .map(({ kind }) => kind);
    const before = (await trustOf(CAREFUL_BORROWER)).score;
    expect(await record(CAREFUL_LENDER, 'payment-late')).toMatchObject({ recorded: true });
    expect(await record(CAREFUL_LENDER, 'payment-late')).toMatchObject({ recorded: false });
    expect(await payments()).toEqual(['payment-late']);
    expect((await trustOf(CAREFUL_BORROWER)).score).toBeLessThan(before);
    await expect(record(CAREFUL_BORROWER, 'payment-settled')).rejects.toThrow('409');
    await expect(record(RIVAL, 'payment-defaulted')).rejects.toThrow('403');
    await expect(record(CAREFUL_LENDER, 'audit-finding-major')).rejects.toThrow('403');
    expect(await record(HUB, 'audit-clean')).toMatchObject({ recorded: true });
    expect(await record(CAREFUL_LENDER, 'payment-settled')).toMatchObject({ recorded: true });
    expect(await payments()).toEqual(['payment-settled']);
    const records = (await auditOf(fleet, CAREFUL_BORROWER)).filter(({ type }) => type === 'trust.recorded');
    expect(records.map(({ detail }) => [detail['kind'], detail['replaces']])).toEqual([
      ['payment-late', 'payment-settled'],
      ['audit-clean', null],
      ['payment-settled', 'payment-late'],
    ]);
  });

  it('are paused at once when trust is lost, and taken up by the next plan when it is back', async () => {
    const stateOf = async () => {
      const [best1, next1] = [await pairingWith(best), await pairingWith(next)];
      return [best1.state, next1.state];
    };
    const month = utcMonth(epochMillis(Date.now()));
    const record = (kind: string) =>
      fleet.api(HUB, 'POST', '/trust/records', { accountId: CAREFUL_LENDER, kind, subject: month });
    const terms = firstTermsOf(CAREFUL_BORROWER);
    await fleet.api(CAREFUL_BORROWER, 'PUT', '/consent', { ...terms, trustFloor: 0.7 });
    await record('audit-finding-major');
    expect(await stateOf()).toEqual(['paused', 'paused']);
    await calm(fleet, borrower);
    const refused = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(refused).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('paused (trust-lost)') });
    await calm(fleet, borrower);
    await fleet.plan(idOf(borrower));
    expect(await stateOf()).toEqual(['paused', 'paused']);
    await record('audit-clean');
    await fleet.api(CAREFUL_BORROWER, 'PUT', '/consent', terms);
    await fleet.plan(idOf(borrower));
    expect(await stateOf()).toEqual(['active', 'active']);
  });

  it('are in a circle once both accounts agree to one; each account sees what it has lent', async () => {
    const inCircles = async () => (await pairingsOf(CAREFUL_BORROWER)).filter(({ circleId }) => circleId !== undefined);
    const planWith = async (terms: Partial<ConsentTerms>) => {
      for (const account of [CAREFUL_BORROWER, CAREFUL_LENDER]) {
        await fleet.api(account, 'PUT', '/consent', { ...firstTermsOf(account), ...terms });
      }
      await fleet.plan(idOf(borrower));
    };
    await planWith({ maxCircleAccounts: 2 });
    const circled = await inCircles();
    // Two pools of one account are in no circle together: it is the borrower and one of its lenders.
    expect(new Set(circled.map(({ circleId }) => circleId)).size).toBe(1);
    const borrowing = circled.filter(({ borrowerPoolId }) => borrowerPoolId === idOf(borrower));
    expect(borrowing).toMatchObject([{ state: 'active', circleId: expect.stringMatching(/^ci-[0-9a-f]{24}$/) }]);
    await planWith({});
    expect(await inCircles()).toEqual([]);
    expect([(await pairingWith(best)).state, (await pairingWith(next)).state]).toEqual(['active', 'active']);
    const creditsOf = async (account: AccountId) =>
      (await fleet.api<{ credits: Credits }>(account, 'GET', '/trust')).credits.balanceUnitHours;
    const lent = await creditsOf(CAREFUL_LENDER);
    expect(lent).toBeGreaterThan(0);
    expect(await creditsOf(CAREFUL_BORROWER)).toBeCloseTo(-lent, 9);
  });

  it('stay as they are when the same is planned again, and lend no more once a party has left', async () => {
    // What was measured since may make the borrower a lender too: that is another pairing.
    const borrowings = async () =>
      (await pairingsOf(CAREFUL_BORROWER)).filter(({ borrowerPoolId }) => borrowerPoolId === idOf(borrower));
    const statesById = (pairings: readonly PairingView[]) => pairings.map(({ pairingId, state }) => [pairingId, state]);
    const active = await borrowings();
    await fleet.plan(idOf(borrower));
    expect(statesById(await borrowings())).toEqual(statesById(active));
    // The functions try three times each.
    await fleet.control.addFault({ service: 'events', action: 'PutEvents', times: 3, errorCode: 'InternalFailure' });
    for (const { pairingId } of active) {
      const { pairing } = await fleet.api<{ pairing: PairingView }>(CAREFUL_LENDER, 'DELETE', `/pairings/${pairingId}`);
      expect(pairing).toMatchObject({ state: 'ended', endReason: 'ended-by-party' });
    }
    await fleet.control.clearFaults();
    const endsHeard = async () =>
      (await heard())
        .filter((event) => event['detail-type'] === 'Entangle Pairing Ended')
        .map(({ detail }) => detail['pairingId']);
    const [untold] = active.map(({ pairingId }) => pairingId);
    expect(await endsHeard()).not.toContain(untold);
    // What could not be put waits, and is told by the next reconciling once it has waited long enough.
    await until('the event that was lost is told', async () => {
      await fleet.invoke('reconcile', {});
      return (await endsHeard()).includes(untold) || undefined;
    });
    const swept = await fleet.invoke<{ events: number }>('reconcile', {});
    expect(swept.events).toBe(0);
    const ends = await endsHeard();
    expect(ends).toHaveLength(active.length);
    expect(new Set(ends)).toEqual(new Set(active.map(({ pairingId }) => pairingId)));
    await fleet.plan(idOf(borrower));
    expect(await borrowings()).toEqual([]);
    await calm(fleet, borrower);
    const refused = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(refused).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('no partner is planned') });
    await calm(fleet, borrower);
  });
});
