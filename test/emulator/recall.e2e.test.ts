import {
  AutoScalingClient,
  DeleteLifecycleHookCommand,
  DescribeAutoScalingGroupsCommand,
  PutLifecycleHookCommand,
  SetDesiredCapacityCommand,
  SetInstanceProtectionCommand,
} from '@aws-sdk/client-auto-scaling';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { AccountId } from '../../core/units.ts';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import { FLEET, idOf, LENDER, openTerms, RIVAL } from '../support/lending-fleet.ts';
import {
  auditOf,
  billsOf,
  booksOf,
  borrow,
  calm,
  calmFleet,
  ended,
  loanIn,
  OVERLOAD_PERCENT,
  overload,
  trailOf,
} from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.recall;
const both = [lender, borrower];
const NOTICE_SECONDS = 8;

/** A return looks again this often at the most, and a step takes a moment. */
const LATE_SECONDS = 25;

function withNotice(seconds: number) {
  const terms = openTerms();
  return { ...terms, ...(terms.lend && { lend: { ...terms.lend, recallNoticeSeconds: seconds } }) };
}

function scaling(account: AccountId): AutoScalingClient {
  return new AutoScalingClient(clientOptions(fleet.deployed, account));
}

async function protectAll(): Promise<string[]> {
  const client = scaling(RIVAL);
  const names = { AutoScalingGroupNames: [borrower.groupName] };
  const { AutoScalingGroups: [group] = [] } = await client.send(new DescribeAutoScalingGroupsCommand(names));
  const InstanceIds = (group?.Instances ?? []).flatMap(({ InstanceId }) => InstanceId ?? []);
  const AutoScalingGroupName = borrower.groupName;
  await client.send(
    new SetInstanceProtectionCommand({ AutoScalingGroupName, InstanceIds, ProtectedFromScaleIn: true }),
  );
  return InstanceIds;
}

async function loanSeenBy(account: AccountId, { loanId }: LoanView): Promise<LoanView> {
  return (await fleet.api<{ loan: LoanView }>(account, 'GET', `/loans/${loanId}`)).loan;
}

afterEach(async () => {
  await fleet.api(LENDER, 'PUT', '/consent', openTerms());
  await fleet.api(RIVAL, 'PUT', '/consent', openTerms());
  for (const pool of both) await calm(fleet, pool);
});

describe('a recall by the lender', () => {
  it('lets protected instances stay until its notice is over, and not longer', async () => {
    for (const pool of both) await calm(fleet, pool);
    await fleet.api(LENDER, 'PUT', '/consent', withNotice(NOTICE_SECONDS));
    const before = await booksOf(fleet, both);
    const loan = await borrow(fleet, borrower);
    expect(loan).toMatchObject({ recallNoticeSeconds: NOTICE_SECONDS, lenderAccountId: LENDER });
    expect(await protectAll()).toHaveLength(6);
    await expect(fleet.api(RIVAL, 'POST', `/loans/${loan.loanId}/recall`)).rejects.toThrow('only the lender');
    await until('it may be recalled', async () => Date.now() > (loan.activeAt ?? 0) + 1_100 || undefined);
    const asked = Date.now();
    const body = { reason: 'maintenance' };
    const answer = await fleet.api<{ outcome: string; firmAt: number }>(
      LENDER,
      'POST',
      `/loans/${loan.loanId}/recall`,
      body,
    );
    expect(answer.outcome).toBe('recalled');
    expect(answer.firmAt).toBeGreaterThanOrEqual(asked + NOTICE_SECONDS * 1_000);
    const draining = await loanIn(fleet, borrower, loan.requestedAt, 'draining');
    expect(await fleet.group(idOf(borrower))).toMatchObject({ desiredCapacity: 4, maxSize: 4, instances: 6 });
    expect((await fleet.group(idOf(lender))).maxSize).toBe(6);
    expect((await fleet.pool(idOf(borrower))).movingLoanId).toBeUndefined();
    for (const party of [LENDER, RIVAL]) {
      expect((await loanSeenBy(party, draining)).recall).toMatchObject({
        by: 'lender-operator',
        reason: 'the lender asks for its units: maintenance',
        firmAt: answer.firmAt,
      });
    }
    const again = await fleet.api<{ outcome: string }>(LENDER, 'POST', `/loans/${loan.loanId}/recall`);
    expect(again.outcome).toBe('already-recalled');
    const end = await ended(fleet, RIVAL, loan.loanId);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'recalled' });
    const reclaimedAt = end.history.find(({ state }) => state === 'reclaimed')?.at ?? 0;
    expect(reclaimedAt).toBeGreaterThanOrEqual(answer.firmAt);
    expect(reclaimedAt).toBeLessThan(answer.firmAt + LATE_SECONDS * 1_000);
    expect(await booksOf(fleet, both)).toEqual(before);
    expect(await trailOf(fleet, end)).toEqual(end.history.map(({ state }) => `loan.${state}`));
    const { trust } = await fleet.api<{ trust: { parts: { service: { newestEvidence: { kind: string }[] } } } }>(
      LENDER,
      'GET',
      '/trust',
    );
    expect(trust.parts.service.newestEvidence.map(({ kind }) => kind)).toContain('notice-kept');
  });

  it('ends a termination hook in which an instance waits, when its notice is over', async () => {
    for (const pool of both) await calm(fleet, pool);
    await fleet.api(LENDER, 'PUT', '/consent', withNotice(NOTICE_SECONDS));
    const loan = await borrow(fleet, borrower);
    const hook = { AutoScalingGroupName: borrower.groupName, LifecycleHookName: 'drain' };
    const transition = { LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING', HeartbeatTimeout: 7_200 };
    await scaling(RIVAL).send(new PutLifecycleHookCommand({ ...hook, ...transition }));
    try {
      await until('it may be recalled', async () => Date.now() > (loan.activeAt ?? 0) + 1_100 || undefined);
      const { firmAt } = await fleet.api<{ firmAt: number }>(LENDER, 'POST', `/loans/${loan.loanId}/recall`);
      await loanIn(fleet, borrower, loan.requestedAt, 'draining');
      const end = await ended(fleet, RIVAL, loan.loanId);
      const reclaimedAt = end.history.find(({ state }) => state === 'reclaimed')?.at ?? 0;
      expect(reclaimedAt).toBeGreaterThanOrEqual(firmAt);
      expect(reclaimedAt).toBeLessThan(firmAt + LATE_SECONDS * 1_000);
    } finally {
      await scaling(RIVAL).send(new DeleteLifecycleHookCommand(hook));
    }
  });
});

describe("a lender's own alarm", () => {
  it('brings back what it has lent, and borrows only what is missing beyond that', async () => {
    for (const pool of both) await calm(fleet, pool);
    const loan = await borrow(fleet, borrower);
    const AutoScalingGroupName = lender.groupName;
    await scaling(LENDER).send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: 6 }));
    await until(
      'the instances of the lender run',
      async () => (await fleet.group(idOf(lender))).instances === 6 || undefined,
    );
    const since = await overload(fleet, lender);
    const end = await ended(fleet, RIVAL, loan.loanId);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'recalled', recall: { by: 'lender-alarm' } });
    expect(end.reasons.join()).not.toContain('its ceiling is');
    expect((await loanSeenBy(LENDER, loan)).reasons.join()).toContain('its ceiling is 6');
    // Six instances at 95 % need nine: three more than the ceiling, of which two have come back.
    const own = await until('the alarm is answered', async () =>
      (await fleet.loansOf(LENDER)).find((each) => each.borrowerPoolId === idOf(lender) && each.requestedAt >= since),
    );
    expect(own.units).toBe(1);
    await scaling(LENDER).send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: 2 }));
    // A pool that has borrowed itself lends nothing.
    await calmFleet(fleet);
    expect((await fleet.group(idOf(lender))).maxSize).toBe(lender.sizes.maxSize);
  });
});

describe('the end of a term', () => {
  it('is put off while the loan is needed and the consents allow it, and the bill is of the whole time', async () => {
    for (const pool of both) await calm(fleet, pool);
    await fleet.api(RIVAL, 'PUT', '/consent', openTerms({ longestTermSeconds: 6 }));
    const before = await booksOf(fleet, both);
    const loan = await borrow(fleet, borrower);
    expect(loan.termSeconds).toBe(6);
    await fleet.publish(idOf(borrower), 'cpu', OVERLOAD_PERCENT);
    await fleet.api(RIVAL, 'PUT', '/consent', openTerms({ longestTermSeconds: 12 }));
    const renewed = await until('its term is longer', async () => {
      await fleet.publish(idOf(borrower), 'cpu', OVERLOAD_PERCENT);
      const seen = await loanSeenBy(RIVAL, loan);
      return (seen.renewals?.length ?? 0) > 0 || seen.endedAt !== undefined ? seen : undefined;
    });
    expect(renewed).toMatchObject({ termSeconds: 12, dueAt: (loan.dueAt ?? 0) + 6_000 });
    expect(renewed.renewals).toEqual([expect.objectContaining({ fromDueAt: loan.dueAt, addedSeconds: 6 })]);
    const end = await ended(fleet, RIVAL, loan.loanId);
    expect(end.endedAt ?? 0).toBeGreaterThanOrEqual(renewed.dueAt ?? Number.POSITIVE_INFINITY);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'expired' });
    expect(await booksOf(fleet, both)).toEqual(before);
    const renewals = (await auditOf(fleet, RIVAL)).filter(
      ({ subject, type }) => subject === loan.loanId && type === 'loan.renewed',
    );
    expect(renewals).toHaveLength(1);
    const entries = (await billsOf(fleet, RIVAL)).entries.filter(({ loanId }) => loanId === loan.loanId);
    expect(entries.map(({ entryId }) => entryId.slice(loan.loanId.length)).sort()).toEqual(
      ['#pending', '#pending#1', '#posted', '#voided'].sort(),
    );
    expect(entries.filter(({ phase }) => phase !== 'posted').reduce((sum, each) => sum + each.amountMicroUsd, 0)).toBe(
      0,
    );
  });
});
