import { ListExecutionsCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoanState } from '../../core/lending/loan.ts';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import { BORROWER, FLEET, HUB, idOf, LENDER } from '../support/lending-fleet.ts';
import { booksOf, calm, calmFleet, ended, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.restart;
const FOR_EVER = 10_000;

/** Ends the executions of a loan between two steps, as if the hub had gone away under them. */
async function loseExecutions(loanId: string): Promise<number> {
  const client = new SFNClient(clientOptions(fleet.deployed, HUB));
  const stateMachineArn = fleet.deployed.hub['BorrowStateMachineArn'];
  const running = await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }));
  const ours = (running.executions ?? []).filter((execution) => execution.name?.includes(loanId));
  for (const { executionArn } of ours) await client.send(new StopExecutionCommand({ executionArn }));
  return ours.length;
}

beforeAll(() => calmFleet(fleet));
beforeEach(() => calm(fleet, borrower));
afterEach(async () => {
  await fleet.control.clearFaults();
  await fleet.control.setInstances({ groupName: borrower.groupName, startSeconds: 0 });
});

describe('the hub is lost between two steps', () => {
  const standstill: readonly [LoanState, () => Promise<void>][] = [
    [
      'requested',
      () =>
        fleet.control.addFault({
          service: 'lambda',
          action: 'Invoke',
          match: 'entangle-choose',
          errorCode: 'PoolBusy',
          times: FOR_EVER,
        }),
    ],
    [
      'reserved',
      () =>
        fleet.control.addFault({
          service: 'autoscaling',
          action: 'UpdateAutoScalingGroup',
          accountId: LENDER,
          errorCode: 'InternalFailure',
          statusCode: 400,
          times: FOR_EVER,
        }),
    ],
    [
      'taken',
      () =>
        fleet.control.addFault({
          service: 'autoscaling',
          action: 'UpdateAutoScalingGroup',
          accountId: BORROWER,
          errorCode: 'InternalFailure',
          statusCode: 400,
          times: FOR_EVER,
        }),
    ],
    ['given', () => fleet.control.setInstances({ groupName: borrower.groupName, startSeconds: 6 })],
  ];

  it.each(standstill)('after it was %s: reconciling ends the loan and restores everything', async (state, stop) => {
    const before = await booksOf(fleet, [lender, borrower]);
    await stop();
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), state);
    expect(await loseExecutions(loan.loanId)).toBe(1);
    await fleet.control.clearFaults();
    await fleet.control.setInstances({ groupName: borrower.groupName, startSeconds: 0 });
    await calm(fleet, borrower);
    await fleet.invoke('reconcile', {});
    const untouched = (await fleet.loansOf(BORROWER)).find(({ loanId }) => loanId === loan.loanId);
    expect(untouched?.state).toBe(state);
    // A loan counts as stuck after two seconds without a change here.
    const end = await until('reconciling has ended the loan', async () => {
      await fleet.invoke('reconcile', {});
      const now = (await fleet.loansOf(BORROWER)).find(({ loanId }) => loanId === loan.loanId);
      return now?.endedAt === undefined ? undefined : now;
    });
    // A call that was under way when its execution was stopped may still have come through.
    expect(['failed', 'compensated']).toContain(end.state);
    // Of the instances that a group ends, some may be the running ones: it starts others for them.
    await until('the borrower runs what it ran before', async () => {
      const { instances } = await fleet.group(idOf(borrower));
      return instances === borrower.sizes.desiredCapacity || undefined;
    });
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
  });

  it('an alarm that nobody answered, its event lost, is found by reconciling', async () => {
    await fleet.control.addFault({
      service: 'lambda',
      action: 'Invoke',
      match: 'entangle-on-alarm',
      errorCode: 'Lambda.Unknown',
      times: FOR_EVER,
    });
    const since = await overload(fleet, borrower);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await fleet.loansOf(BORROWER)).some((loan) => loan.requestedAt >= since)).toBe(false);
    await fleet.invoke('reconcile', {});
    const loan = await loanIn(fleet, borrower, since, 'active');
    await fleet.api(BORROWER, 'POST', `/loans/${loan.loanId}/return`);
    expect((await ended(fleet, BORROWER, loan.loanId)).state).toBe('returned');
  });
});
