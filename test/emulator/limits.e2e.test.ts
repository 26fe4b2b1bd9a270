import { afterAll, describe, expect, it } from '@jest/globals';
import type { PoolCapacity } from '../../core/lending/capacity.ts';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { PairingView } from '../../core/pairing/pairing-view.ts';
import type { AccountId } from '../../core/units.ts';
import { Fleet, SPECS, until } from '../support/deployment.ts';
import { FLEET, HUB, idOf, LENDER, RIVAL } from '../support/lending-fleet.ts';
import { auditOf, borrow, calm, ended, giveBack, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.limits;
const ONE_UNIT = { maxUnits: 1 };

function stop(account: AccountId, body: object): Promise<{ recalled: readonly string[] }> {
  return fleet.api(account, 'POST', '/switches/stop', { reason: 'a test', ...body });
}

function resume(account: AccountId, body: object): Promise<object> {
  return fleet.api(account, 'POST', '/switches/resume', { reason: 'over', ...body });
}

async function capacityOf(account: AccountId, id: string): Promise<PoolCapacity> {
  const query = `?pool=${encodeURIComponent(id)}`;
  const { capacities } = await fleet.api<{ capacities: PoolCapacity[] }>(account, 'GET', `/capacity${query}`);
  const [found] = capacities;
  if (found === undefined) throw new Error(`no capacity of ${id}`);
  return found;
}

async function pairing(): Promise<PairingView> {
  const { pairings } = await fleet.api<{ pairings: PairingView[] }>(RIVAL, 'GET', '/pairings?state=open');
  const found = pairings.find(
    ({ lenderPoolId, borrowerPoolId }) => lenderPoolId === idOf(lender) && borrowerPoolId === idOf(borrower),
  );
  if (found === undefined) throw new Error('the pools are not paired');
  return found;
}

/** What becomes of an alarm that asks for two units. */
async function outcome(): Promise<LoanView> {
  const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
  await calm(fleet, borrower);
  return loan;
}

/** Who may read what was refused: the words are for both, the figures for whoever stated the limit. */
async function refusedBy(text: string): Promise<LoanView> {
  const loan = await outcome();
  expect(loan).toMatchObject({ state: 'refused', endDetail: expect.stringContaining(text) });
  return loan;
}

async function stopsIn(account: AccountId, type: string): Promise<number> {
  return (await auditOf(fleet, account)).filter((record) => record.type === type).length;
}

describe('limits beside those of consents', () => {
  const spec = SPECS.get(idOf(lender));
  afterAll(async () => {
    await fleet.api(LENDER, 'PUT', '/pools', spec);
    await fleet.api(HUB, 'PUT', '/organisation', { units: [] });
  });

  it('of a pool refuse what is beyond them; its figures stay with its owner', async () => {
    await fleet.api(LENDER, 'PUT', '/pools', { ...spec, limits: { lend: ONE_UNIT } });
    expect((await capacityOf(LENDER, idOf(lender))).couldLendUnits).toBe(1);
    expect((await capacityOf(RIVAL, idOf(borrower))).couldBorrowUnits).toBe(1);
    const loan = await refusedBy(`the limit of pool ${idOf(lender)} to lend is reached`);
    expect(loan.reasons.join()).not.toContain('are allowed at a time');
    await fleet.api(LENDER, 'PUT', '/pools', spec);
  });

  it('of one side of a pairing do too, and the other side does not see them', async () => {
    const { pairingId } = await pairing();
    await fleet.api(RIVAL, 'PUT', `/pairings/${pairingId}/limit`, { limit: ONE_UNIT });
    expect((await pairing()).limit).toEqual(ONE_UNIT);
    const { pairings } = await fleet.api<{ pairings: PairingView[] }>(LENDER, 'GET', '/pairings?state=open');
    expect(pairings.find((each) => each.pairingId === pairingId)).not.toHaveProperty('limit');
    const loan = await refusedBy(`the limit of pairing ${pairingId}, side of ${RIVAL} to borrow is reached`);
    expect(loan.reasons.join()).toContain('limits.borrow.maxUnits: 1 units are allowed at a time, 0 are in use and 2');
    await fleet.api(RIVAL, 'PUT', `/pairings/${pairingId}/limit`, { limit: null });
  });

  it('of an organisation unit do too, as the operator alone states them', async () => {
    const units = [{ name: 'retail', accounts: [RIVAL], limits: { borrow: ONE_UNIT } }];
    await expect(fleet.api(RIVAL, 'PUT', '/organisation', { units })).rejects.toThrow('403');
    const stated = await fleet.api<{ changed: AccountId[] }>(HUB, 'PUT', '/organisation', { units });
    expect(stated.changed).toEqual([RIVAL]);
    const own = await fleet.api<object>(RIVAL, 'GET', '/organisation');
    expect(own).toEqual({ unitsAbove: [{ name: 'retail', limits: { borrow: ONE_UNIT } }] });
    const loan = await refusedBy('the limit of organisation unit retail to borrow is reached');
    expect(loan.reasons.join()).not.toContain('are allowed at a time');
    const again = await fleet.api<{ changed: AccountId[] }>(HUB, 'PUT', '/organisation', { units });
    expect(again.changed).toEqual([]);
    await fleet.api(HUB, 'PUT', '/organisation', { units: [] });
  });

  it('of an organisation whose statement crashed reach their accounts by reconciling, once', async () => {
    const units = [{ name: 'wholesale', accounts: [RIVAL], limits: { borrow: ONE_UNIT } }];
    const recorded = () => stopsIn(RIVAL, 'organisation.changed');
    const before = await recorded();
    // What is stated is written, but whoever did it is never answered and gets no further.
    await fleet.control.addFault({
      service: 'dynamodb',
      action: 'TransactWriteItems',
      match: 'organisation.stated',
      times: 200,
      when: 'after',
      errorCode: 'InternalServerError',
    });
    await expect(fleet.api(HUB, 'PUT', '/organisation', { units })).rejects.toThrow(/500|409/);
    await fleet.control.clearFaults();
    expect(await fleet.api(RIVAL, 'GET', '/organisation')).toEqual({ unitsAbove: [] });
    await fleet.invoke('reconcile', {});
    await fleet.invoke('reconcile', {});
    expect(await fleet.api(RIVAL, 'GET', '/organisation')).toEqual({
      unitsAbove: [{ name: 'wholesale', limits: { borrow: ONE_UNIT } }],
    });
    expect(await recorded()).toBe(before + 1);
    await fleet.api(HUB, 'PUT', '/organisation', { units: [] });
  });

  it('let what is within them be lent, and count it until it ends', async () => {
    await fleet.api(LENDER, 'PUT', '/pools', { ...spec, limits: { lend: { maxUnits: 3 } } });
    const before = await capacityOf(RIVAL, idOf(borrower));
    expect(before).toMatchObject({ borrowingUnits: 0, couldBorrowUnits: 3 });
    const loan = await borrow(fleet, borrower);
    expect(loan.units).toBe(2);
    expect(await capacityOf(LENDER, idOf(lender))).toMatchObject({ lendingUnits: 2, couldLendUnits: 1 });
    expect(await capacityOf(RIVAL, idOf(borrower))).toMatchObject({ borrowingUnits: 2, couldBorrowUnits: 1 });
    await giveBack(fleet, loan);
    await calm(fleet, borrower);
    expect(await capacityOf(RIVAL, idOf(borrower))).toMatchObject({ borrowingUnits: 0, couldBorrowUnits: 3 });
    expect((await fleet.invoke<{ measured: number }>('measure-capacity', {})).measured).toBe(SPECS.size);
  });
});

describe('the kill switch', () => {
  it('of the organisation recalls open loans and stops new ones, until it is lifted', async () => {
    const loan = await borrow(fleet, borrower);
    await calm(fleet, borrower);
    await expect(stop(RIVAL, { all: true })).rejects.toThrow('403');
    const since = Date.now();
    const { recalled } = await stop(HUB, { all: true, recall: true });
    expect(recalled).toContain(loan.loanId);
    await stop(HUB, { all: true, recall: true });
    const last = await ended(fleet, RIVAL, loan.loanId);
    expect(Date.now() - since).toBeLessThan(60_000);
    expect(last).toMatchObject({ state: 'returned', returnReason: 'recalled' });
    for (const account of [RIVAL, LENDER]) {
      expect(await stopsIn(account, 'lending.stopped')).toBe(1);
      const shown = await fleet.api<object>(account, 'GET', '/switches');
      expect(shown).toMatchObject({ organisation: { reason: 'a test', recall: true } });
      expect(JSON.stringify(shown)).not.toContain('arn:');
    }
    await refusedBy('lending is stopped for all accounts');
    await resume(HUB, { all: true });
    expect(await fleet.api(HUB, 'GET', '/switches')).toMatchObject({ organisation: null, accounts: [] });
    expect(await stopsIn(RIVAL, 'lending.resumed')).toBe(1);
  });

  it('of an account is lifted by who set it; of a pairing by the party that did', async () => {
    await stop(HUB, { accountId: LENDER });
    await expect(stop(RIVAL, { accountId: LENDER })).rejects.toThrow('403');
    await expect(resume(LENDER, { accountId: LENDER })).rejects.toThrow('409');
    expect((await capacityOf(RIVAL, idOf(borrower))).couldBorrowUnits).toBe(0);
    await refusedBy(`the account ${LENDER} is stopped`);
    await resume(HUB, { accountId: LENDER });
    const { pairingId } = await pairing();
    await stop(LENDER, { pairingId });
    await refusedBy('the pairing is paused (stopped)');
    await expect(resume(RIVAL, { pairingId })).rejects.toThrow('409');
    await resume(LENDER, { pairingId });
    expect((await pairing()).state).toBe('active');
    expect((await capacityOf(RIVAL, idOf(borrower))).couldBorrowUnits).toBeGreaterThan(0);
  });

  it('that a command has left half-way is brought to its end by reconciling', async () => {
    // The organisation's item is a plain write, those of the accounts are transactions.
    await fleet.control.addFault({
      service: 'dynamodb',
      action: 'TransactWriteItems',
      times: 200,
      errorCode: 'InternalServerError',
    });
    await expect(stop(HUB, { all: true })).rejects.toThrow('500');
    await fleet.control.clearFaults();
    await until('every account is stopped', async () => {
      await fleet.invoke('reconcile', {});
      return (await stopsIn(LENDER, 'lending.stopped')) === 3 || undefined;
    });
    await resume(HUB, { all: true });
    expect(await fleet.api(HUB, 'GET', '/switches')).toMatchObject({ organisation: null, accounts: [] });
  });
});
