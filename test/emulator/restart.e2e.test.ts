import { ListExecutionsCommand, SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LoanState } from '../../core/lending/loan.ts';
import { clientOptions, Fleet } from '../support/deployment.ts';
import { BORROWER, FLEET, HUB, LENDER } from '../support/lending-fleet.ts';
import { booksOf, calm, ended, loanIn, overload } from '../support/loan-story.ts';

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

beforeEach(() => calm(fleet, borrower));
afterEach(async () => {
  await fleet.control.clearFaults();
  await fleet.control.setInstances({ startSeconds: 0 });
});

describe('the hub is lost between two steps', () => {
  const standstill: readonly [LoanState, () => Promise<void>][] = [
    ['requested', () => fleet.control.addFault({ service: 'lambda', action: 'Invoke', match: 'entangle-choose', errorCode: 'PoolBusy', times: FOR_EVER })],
    ['reserved', () => fleet.control.addFault({ service: 'autoscaling', action: 'UpdateAutoScalingGroup', accountId: LENDER, errorCode: 'InternalFailure', statusCode: 400, times: FOR_EVER })],
    ['taken', () => fleet.control.addFault({ service: 'autoscaling', action: 'UpdateAutoScalingGroup', accountId: BORROWER, errorCode: 'InternalFailure', statusCode: 400, times: FOR_EVER })],
    ['given', () => fleet.control.setInstances({ groupName: borrower.groupName, startSeconds: 600 })],
  ];

  it.each(standstill)('after it was %s: reconciling ends the loan and restores everything', async (state, stop) => {
    const before = await booksOf(fleet, [lender, borrower]);
    await stop();
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), state);
    expect(await loseExecutions(loan.loanId)).toBe(1);
    await fleet.control.clearFaults();
    await fleet.control.setInstances({ startSeconds: 0 });
    await calm(fleet, borrower);
    await fleet.invoke('reconcile', {});
    const untouched = (await fleet.loansOf(BORROWER)).find(({ loanId }) => loanId === loan.loanId);
    expect(untouched?.state).toBe(state);
    // A loan counts as stuck after two seconds here.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await fleet.invoke('reconcile', {});
    const end = await ended(fleet, BORROWER, loan.loanId);
    expect(end.state).toBe(state === 'requested' || state === 'reserved' ? 'failed' : 'compensated');
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
  });

  it('an alarm that nobody answered, its event lost, is found by reconciling', async () => {
    await fleet.control.addFault({ service: 'lambda', action: 'Invoke', match: 'entangle-on-alarm', errorCode: 'Lambda.Unknown', times: FOR_EVER });
    const since = await overload(fleet, borrower);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await fleet.loansOf(BORROWER)).some((loan) => loan.requestedAt >= since)).toBe(false);
    await fleet.invoke('reconcile', {});
    const loan = await loanIn(fleet, borrower, since, 'active');
    await fleet.api(BORROWER, 'POST', `/loans/${loan.loanId}/return`);
    expect((await ended(fleet, BORROWER, loan.loanId)).state).toBe('returned');
  });
});
