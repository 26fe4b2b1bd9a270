import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PoolId } from '../../core/units.ts';
import type { Fault } from '../../emulator/control.ts';
import { Fleet } from '../support/deployment.ts';
import { BORROWER, FLEET, idOf, LENDER } from '../support/lending-fleet.ts';
import { booksOf, borrow, calm, calmFleet, ended, giveBack, loanIn, overload, trailOf } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.steps;
const both = [lender, borrower];

/** More than any step is tried. */
const ALWAYS = 60;
/** As often as Step Functions tries a step of the borrow saga: the undoing after it finds the service well again. */
const ALL_TRIES = 5;

function crash(functionName: string, times: number, when: Fault['when'] = 'before'): Fault {
  const errorCode = 'Lambda.ServiceException';
  return { service: 'lambda', action: 'Invoke', match: `entangle-${functionName}`, errorCode, times, when };
}

function refuseMove(accountId: string, times: number, when: Fault['when'] = 'before'): Fault {
  const errorCode = 'ScalingActivityInProgress';
  return { service: 'autoscaling', action: 'UpdateAutoScalingGroup', accountId, errorCode, times, when };
}

beforeAll(() => calmFleet(fleet));
beforeEach(() => calm(fleet, borrower));
afterEach(async () => {
  await fleet.control.clearFaults();
  await fleet.control.setInstances({ groupName: borrower.groupName, startSeconds: 0, stopSeconds: 0, failLaunches: 0 });
});

describe('a step that cannot be done leaves both groups and all records as before', () => {
  const cases: readonly [string, Fault, string][] = [
    ['choose', crash('choose', ALL_TRIES), 'failed'],
    ['reserve, before it wrote', crash('reserve', ALL_TRIES), 'failed'],
    ['reserve, after it wrote, its answer lost each time', crash('reserve', ALL_TRIES, 'after'), 'failed'],
    ['take', refuseMove(LENDER, ALL_TRIES), 'failed'],
    ['give', refuseMove(BORROWER, ALL_TRIES), 'compensated'],
    ['activate', crash('activate', ALL_TRIES), 'compensated'],
  ];
  it.each(cases)('%s', async (_step, fault, endState) => {
    const before = await booksOf(fleet, both);
    await fleet.control.addFault(fault);
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'failed', 'compensated', 'active');
    expect(loan.state).toBe(endState);
    expect(loan.endDetail).toContain(fault.errorCode);
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(await trailOf(fleet, loan)).toEqual(loan.history.map(({ state }) => `loan.${state}`));
  });

  it('activate, because no instance can be launched', async () => {
    const before = await booksOf(fleet, both);
    await fleet.control.setInstances({ groupName: borrower.groupName, failLaunches: 1_000 });
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'compensated', 'active');
    expect(loan).toMatchObject({ state: 'compensated', endDetail: expect.stringContaining('InstancesPending') });
    expect(await booksOf(fleet, both)).toEqual(before);
  });

  it('assess: no loan is recorded, and reconciling asks again', async () => {
    await fleet.control.addFault(crash('assess', ALL_TRIES));
    const since = await overload(fleet, borrower);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect((await fleet.loansOf(BORROWER)).filter((loan) => loan.requestedAt >= since)).toEqual([]);
    await fleet.control.clearFaults();
    await fleet.invoke('reconcile', {});
    await giveBack(fleet, await loanIn(fleet, borrower, since, 'active'));
  });
});

describe('a step whose answer is lost once is repeated without doing anything twice', () => {
  const steps = ['assess', 'choose', 'reserve', 'move-ceiling', 'activate', 'settle'];
  it.each(steps)('%s', async (step) => {
    const before = await booksOf(fleet, both);
    await fleet.control.addFault(crash(step, 1, 'after'));
    const loan = await borrow(fleet, borrower);
    expect((await fleet.group(idOf(lender))).maxSize).toBe(lender.sizes.maxSize - loan.units);
    const end = await giveBack(fleet, loan);
    expect(end.state).toBe('returned');
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(await trailOf(fleet, end)).toEqual(end.history.map(({ state }) => `loan.${state}`));
  });

  it.each([
    ['the take', LENDER],
    ['the give', BORROWER],
  ])('a change of a group that was made, but answered with an error: %s', async (_step, account) => {
    const before = await booksOf(fleet, both);
    await fleet.control.addFault(refuseMove(account, 1, 'after'));
    const loan = await borrow(fleet, borrower);
    expect((await fleet.group(idOf(borrower))).maxSize).toBe(borrower.sizes.maxSize + loan.units);
    await giveBack(fleet, loan);
    expect(await booksOf(fleet, both)).toEqual(before);
  });
});

describe('a return that fails is found and finished by reconciling', () => {
  const cases: readonly [string, Fault][] = [
    ['taking back', refuseMove(BORROWER, ALWAYS)],
    ['giving back', refuseMove(LENDER, ALWAYS)],
    ['settling', crash('settle', ALWAYS)],
  ];
  it.each(cases)('%s', async (_step, fault) => {
    const before = await booksOf(fleet, both);
    const loan = await borrow(fleet, borrower);
    await fleet.control.addFault(fault);
    await fleet.api(BORROWER, 'POST', `/loans/${loan.loanId}/return`);
    await loanIn(fleet, borrower, loan.requestedAt, 'returning', 'draining', 'reclaimed');
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const standing = (await fleet.loansOf(BORROWER)).find(({ loanId }) => loanId === loan.loanId);
    expect(['returning', 'draining', 'reclaimed']).toContain(standing?.state);
    await fleet.control.clearFaults();
    await calm(fleet, borrower);
    await fleet.invoke('reconcile', {});
    const end = await ended(fleet, BORROWER, loan.loanId);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'requested-by-owner' });
    expect(await booksOf(fleet, both)).toEqual(before);
  });
});

describe('a plan', () => {
  it('fails at its end and names the bucket that could not be paired', async () => {
    await fleet.control.addFault(crash('pair', ALL_TRIES));
    await expect(fleet.plan(idOf(borrower))).rejects.toThrow(
      /^the plan FAILED: NotPaired [a-z0-9-]+#[a-z0-9]+ could not be paired: their executions have the errors$/,
    );
    await fleet.plan(idOf(borrower));
  });

  it('of pools that are not enrolled has nothing to do', async () => {
    const before = (await fleet.control.calls()).at(-1)?.seq ?? 0;
    await fleet.plan('999999999999/us-east-1/nobody' as PoolId);
    const invoked = (await fleet.control.calls(before)).filter(({ action }) => action === 'Invoke');
    expect(JSON.stringify(invoked)).toContain('entangle-list-pools');
    expect(JSON.stringify(invoked)).not.toMatch(/entangle-(collect|pair)"/);
  });
});
