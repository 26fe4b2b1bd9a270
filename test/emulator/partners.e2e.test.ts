import { beforeEach, describe, expect, it } from '@jest/globals';
import { Fleet, until } from '../support/deployment.ts';
import { FICKLE, FLEET, idOf, openTerms, RIVAL, SILENT } from '../support/lending-fleet.ts';
import {
  auditOf,
  booksOf,
  borrow,
  calm,
  ended,
  giveBack,
  loanIn,
  OVERLOAD_PERCENT,
  overload,
} from '../support/loan-story.ts';

const fleet = new Fleet();

describe('two borrowers for the last units of one lender', () => {
  const { lender, borrower, rival } = FLEET.lastUnits;
  it('one gets them, the other is refused, and no ceiling is promised twice', async () => {
    const before = await booksOf(fleet, [lender, borrower, rival]);
    await Promise.all([calm(fleet, borrower), calm(fleet, rival)]);
    const [since] = await Promise.all([overload(fleet, borrower), overload(fleet, rival)]);
    const loans = await Promise.all(
      [borrower, rival].map((pool) => loanIn(fleet, pool, since - 1_000, 'active', 'refused')),
    );
    expect(loans.map(({ state }) => state).sort()).toEqual(['active', 'refused']);
    expect((await fleet.group(idOf(lender))).maxSize).toBe(lender.sizes.maxSize - 2);
    const refused = loans.find(({ state }) => state === 'refused');
    expect(refused?.endDetail).toContain(lender.groupName);
    const active = loans.find(({ state }) => state === 'active');
    if (active !== undefined) await giveBack(fleet, active);
    expect(await booksOf(fleet, [lender, borrower, rival])).toEqual(before);
  });
});

describe('without consent', () => {
  const { lender, borrower } = FLEET.silent;
  it('nothing is borrowed, nothing is provisioned, and the refusal is on record', async () => {
    const before = await booksOf(fleet, [lender, borrower]);
    await calm(fleet, borrower);
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(loan).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('consent') });
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
    const trail = (await auditOf(fleet, SILENT)).filter((record) => record.subject === loan.loanId);
    expect(trail.map(({ type }) => type)).toEqual(['loan.refused']);
  });
});

describe('without a partner', () => {
  const { borrower } = FLEET.alone;
  beforeEach(() => calm(fleet, borrower));

  it('units are provisioned within the limit of the pool, and refused past it', async () => {
    const before = await booksOf(fleet, [borrower]);
    const loan = await borrow(fleet, borrower);
    expect(loan).toMatchObject({ kind: 'provisioned', units: 2 });
    expect(loan.lenderPoolId).toBeUndefined();
    expect((await fleet.group(idOf(borrower))).maxSize).toBe(6);
    // Six instances at 95 % need nine: three more than there are, of which the limit of three leaves one.
    const second = await loanIn(fleet, borrower, await overload(fleet, borrower, 'memory'), 'refused', 'active');
    expect(second).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('provision') });
    await giveBack(fleet, loan);
    expect(await booksOf(fleet, [borrower])).toEqual(before);
  });

  it('a provisioned loan costs the borrower nothing in the ledger', async () => {
    const loan = await giveBack(fleet, await borrow(fleet, borrower));
    expect(loan.billedMicroUsd).toBe(0);
  });
});

describe('a consent that is revoked during a loan', () => {
  const { lender, borrower } = FLEET.fickle;
  it('recalls the loan, and nothing is lent under it any more', async () => {
    const before = await booksOf(fleet, [lender, borrower]);
    await calm(fleet, borrower);
    const loan = await borrow(fleet, borrower);
    expect(loan.lenderAccountId).toBe(FICKLE);
    const answer = await fleet.api<{ recalled: string[] }>(FICKLE, 'DELETE', '/consent');
    expect(answer.recalled).toEqual([loan.loanId]);
    expect(await ended(fleet, FICKLE, loan.loanId)).toMatchObject({
      state: 'returned',
      returnReason: 'recalled',
      recall: { by: 'consent-revoked' },
    });
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
    await calm(fleet, borrower);
    const next = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused', 'active');
    expect(next).toMatchObject({ state: 'refused', endDetail: expect.stringContaining('revoked') });
    await expect(fleet.api(FICKLE, 'DELETE', '/consent')).rejects.toThrow('no active consent');
  });
});

describe('the end of the term', () => {
  const { lender, borrower } = FLEET.term;
  it('gives the loan back by itself, under load, by the schedule', async () => {
    await fleet.api(RIVAL, 'PUT', '/consent', openTerms({ shortestTermSeconds: 1, longestTermSeconds: 3 }));
    try {
      const before = await booksOf(fleet, [lender, borrower]);
      await calm(fleet, borrower);
      const loan = await borrow(fleet, borrower);
      expect(loan.termSeconds).toBe(3);
      await fleet.publish(idOf(borrower), 'cpu', OVERLOAD_PERCENT);
      const end = await ended(fleet, RIVAL, loan.loanId);
      expect(end).toMatchObject({ state: 'returned', returnReason: 'expired' });
      expect((end.endedAt ?? 0) >= (loan.dueAt ?? 0)).toBe(true);
      expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
    } finally {
      await fleet.api(RIVAL, 'PUT', '/consent', openTerms());
      await calm(fleet, borrower);
      await until('nothing of the test is open', async () => {
        const open = await fleet.api<{ loans: object[] }>(RIVAL, 'GET', '/loans?state=open');
        return open.loans.length === 0 || undefined;
      });
    }
  });
});
