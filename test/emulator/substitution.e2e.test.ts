import { describe, expect, it } from '@jest/globals';
import { Fleet } from '../support/deployment.ts';
import { BORROWER, FLEET, idOf, LENDER } from '../support/lending-fleet.ts';
import { auditOf, billsOf, booksOf, borrow, calm, giveBack, trailOf } from '../support/loan-story.ts';

const fleet = new Fleet();

describe('a lender of another instance type', () => {
  it.each([
    ['one stands in for two', FLEET.larger, 1],
    ['two stand in for one', FLEET.smaller, 4],
  ])('lends by the ratio that the borrower declared: %s', async (_ratio, { lender, borrower }, lenderUnits) => {
    await calm(fleet, borrower);
    const before = await booksOf(fleet, [lender, borrower]);
    const loan = await borrow(fleet, borrower);
    expect(loan).toMatchObject({ kind: 'nominal', units: 2, lenderUnits, lenderPoolId: idOf(lender) });
    expect(loan.reasons[0]).toContain('cpu needs');
    expect(loan.reasons.join('\n')).toContain(`lends ${lenderUnits} unit`);
    expect(await fleet.group(idOf(lender))).toMatchObject({ desiredCapacity: 2, maxSize: 8 - lenderUnits });
    expect(await fleet.group(idOf(borrower))).toMatchObject({ desiredCapacity: 6, maxSize: 6, instances: 6 });
    expect(await fleet.pool(idOf(lender))).toMatchObject({ lentUnits: lenderUnits, borrowedUnits: 0 });
    expect(await fleet.pool(idOf(borrower))).toMatchObject({ lentUnits: 0, borrowedUnits: 2 });
    const [lends, borrows] = await booksOf(fleet, [lender, borrower]);
    expect((lends?.lentUnits ?? 0) - (before[0]?.lentUnits ?? 0)).toBe(lenderUnits);
    expect((borrows?.borrowedUnits ?? 0) - (before[1]?.borrowedUnits ?? 0)).toBe(2);

    const end = await giveBack(fleet, loan);
    expect(end.state).toBe('returned');
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
    expect(await trailOf(fleet, end)).toEqual(end.history.map(({ state }) => `loan.${state}`));
    const reserved = (await auditOf(fleet, LENDER)).find(
      ({ subject, type }) => subject === end.loanId && type === 'loan.reserved',
    );
    expect(reserved?.detail).toMatchObject({ units: 2, lenderUnits });

    const reclaimedAt = end.history.find(({ state }) => state === 'reclaimed')?.at ?? 0;
    const hours = (reclaimedAt - (end.activeAt ?? 0)) / 3_600_000;
    const billed = Math.floor(end.priceMicroUsdPerUnitHour * lenderUnits * hours + 0.5);
    expect(end.billedMicroUsd).toBe(billed);
    const posted = async (account: typeof BORROWER) =>
      (await billsOf(fleet, account)).entries
        .filter(({ loanId, phase }) => loanId === end.loanId && phase === 'posted')
        .map(({ amountMicroUsd }) => amountMicroUsd);
    expect([await posted(BORROWER), await posted(LENDER)]).toEqual([[-billed], [billed]]);
  });
});
