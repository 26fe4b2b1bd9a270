import { describe, expect, it } from '@jest/globals';
import { RESOURCE_TYPES } from '../../core/units.ts';
import { Fleet } from '../support/deployment.ts';
import { BORROWER, FLEET, idOf, LENDER } from '../support/lending-fleet.ts';
import { billsOf, booksOf, borrow, calm, giveBack, trailOf } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.types;

describe('an alarm borrows, and the loan comes back', () => {
  it.each(RESOURCE_TYPES)('for %s', async (resource) => {
    await calm(fleet, borrower);
    const before = await booksOf(fleet, [lender, borrower]);
    const loan = await borrow(fleet, borrower, resource);
    expect(loan).toMatchObject({ kind: 'nominal', units: 2, bindingResource: resource, lenderPoolId: idOf(lender) });
    expect(await fleet.group(idOf(lender))).toEqual({ minSize: 1, desiredCapacity: 2, maxSize: 6, instances: 2 });
    expect(await fleet.group(idOf(borrower))).toEqual({ minSize: 1, desiredCapacity: 6, maxSize: 6, instances: 6 });
    const end = await giveBack(fleet, loan);
    expect(end.state).toBe('returned');
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
    expect(await trailOf(fleet, end)).toEqual(end.history.map(({ state }) => `loan.${state}`));
  });
});

describe('the bill', () => {
  it('is the price of the time that the instances were in service, the same to both sides', async () => {
    await calm(fleet, borrower);
    const loan = await giveBack(fleet, await borrow(fleet, borrower));
    const reclaimedAt = loan.history.find(({ state }) => state === 'reclaimed')?.at ?? 0;
    const hours = (reclaimedAt - (loan.activeAt ?? 0)) / 3_600_000;
    const expected = Math.floor(loan.priceMicroUsdPerUnitHour * loan.units * hours + 0.5);
    expect(loan.billedMicroUsd).toBe(expected);
    const posted = async (account: typeof BORROWER) =>
      (await billsOf(fleet, account)).entries
        .filter((entry) => entry.loanId === loan.loanId && entry.phase === 'posted')
        .map((entry) => entry.amountMicroUsd);
    expect(await posted(BORROWER)).toEqual([-expected]);
    expect(await posted(LENDER)).toEqual([expected]);
  });
});
