import { beforeEach, describe, expect, it } from '@jest/globals';
import { Fleet, until } from '../support/deployment.ts';
import { BORROWER, FLEET, idOf, REGION } from '../support/lending-fleet.ts';
import { auditOf, booksOf, borrow, calm, ended, giveBack, loanIn } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.events;

function alarmEvent(value: 'ALARM' | 'OK', at: number) {
  const timestamp = new Date(at).toISOString().replace('Z', '+0000');
  return {
    account: BORROWER,
    region: REGION,
    detail: { alarmName: `entangle/${borrower.groupName}/cpu`, state: { value, timestamp } },
  };
}

async function loansOfPool() {
  return (await fleet.loansOf(BORROWER)).filter((loan) => loan.borrowerPoolId === idOf(borrower));
}

beforeEach(() => calm(fleet, borrower));

describe('events that come twice, late or out of order', () => {
  it('a repeated alarm makes one loan', async () => {
    const before = (await loansOfPool()).length;
    const loan = await borrow(fleet, borrower);
    const again = alarmEvent('ALARM', loan.alarmTransitionAt ?? Number.NaN);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => fleet.invoke<{ started: boolean; loanId: string }>('on-alarm', again)),
    );
    expect(answers.map(({ loanId }) => loanId)).toEqual(Array.from({ length: 5 }, () => loan.loanId));
    expect(answers.some(({ started }) => started)).toBe(false);
    await giveBack(fleet, loan);
    await fleet.invoke('on-alarm', again);
    expect((await loansOfPool()).length).toBe(before + 1);
  });

  it('a late alarm, of a pool that has recovered, is refused with one audit record', async () => {
    const transitionAt = Date.now() - 90_000;
    const since = Date.now();
    const { loanId } = await fleet.invoke<{ loanId: string }>('on-alarm', alarmEvent('ALARM', transitionAt));
    const loan = await loanIn(fleet, borrower, since, 'refused');
    expect(loan).toMatchObject({ loanId, endDetail: expect.stringContaining('the alarm is in OK by now') });
    const records = (await auditOf(fleet, BORROWER)).filter((record) => record.subject === loanId);
    expect(records.map(({ type }) => type)).toEqual(['loan.refused']);
  });

  it('OK before ALARM returns nothing, and a recovery that comes later returns the loan', async () => {
    const before = await booksOf(fleet, [lender, borrower]);
    expect(await fleet.invoke('on-recovery', alarmEvent('OK', Date.now()))).toEqual({ returned: [] });
    const loan = await borrow(fleet, borrower);
    // The overload is still there: an OK that arrives out of order must not take capacity away.
    expect(await fleet.invoke('on-recovery', alarmEvent('OK', Date.now()))).toEqual({ returned: [] });
    await until('the shortest term is over', async () => Date.now() > (loan.activeAt ?? 0) + 1_100 || undefined);
    await calm(fleet, borrower);
    const end = await ended(fleet, BORROWER, loan.loanId);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'recovered' });
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
  });

  it('an alarm of a group that is not enrolled does nothing', async () => {
    const event = alarmEvent('ALARM', Date.now());
    event.detail.alarmName = 'entangle/unknown/cpu';
    const { started } = await fleet.invoke<{ started: boolean }>('on-alarm', event);
    expect(started).toBe(true);
    expect((await loansOfPool()).some((loan) => loan.alarmName === event.detail.alarmName)).toBe(false);
  });
});
