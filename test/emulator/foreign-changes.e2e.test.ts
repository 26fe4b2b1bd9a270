import {
  AutoScalingClient,
  DeleteAutoScalingGroupCommand,
  DeletePolicyCommand,
  PutScalingPolicyCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { clientOptions, Fleet } from '../support/deployment.ts';
import type { FleetPool } from '../support/lending-fleet.ts';
import { BORROWER, FLEET, idOf, LENDER } from '../support/lending-fleet.ts';
import { auditOf, borrow, calmFleet, ended, giveBack, loanIn, overload, trailOf } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.foreign;

/** What the owner of a group does to it behind the hub's back. */
const ownerOf = ({ account }: FleetPool) => new AutoScalingClient(clientOptions(fleet.deployed, account));
const setMaxSize = (pool: FleetPool, MaxSize: number, DesiredCapacity: number) =>
  ownerOf(pool).send(
    new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: pool.groupName, MaxSize, DesiredCapacity }),
  );

/** More than the own 4 instances serve at 50 %, and less than the threshold on 6: the loan is needed. */
const stillNeeded = () => fleet.publish(idOf(borrower), 'cpu', 60);

beforeEach(() => calmFleet(fleet));

describe('a change that somebody else makes during a loan', () => {
  it('ends it when a deployment resets MaxSize of the borrower, which stays as it was reset', async () => {
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    await setMaxSize(borrower, 4, 4);
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 1 });
    const end = await ended(fleet, BORROWER, loan.loanId);
    expect(end).toMatchObject({
      state: 'returned',
      returnReason: 'recalled',
      recall: {
        by: 'foreign-change',
        reason: `MaxSize of ${idOf(borrower)} was lowered by somebody else: what it borrowed cannot be used`,
      },
    });
    expect((await trailOf(fleet, end)).filter((type) => type === 'loan.recalled')).toHaveLength(1);
    expect(await fleet.group(idOf(borrower))).toMatchObject({ maxSize: 4 });
    expect(await fleet.group(idOf(lender))).toMatchObject({ maxSize: 8 });
  });

  it('is taken into the books when the borrower raises MaxSize: the loan goes on and leaves the rise', async () => {
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    await setMaxSize(borrower, 9, 6);
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 1 });
    expect(await fleet.invoke('reconcile', {})).toMatchObject({ foreign: 0 });
    const reason = `MaxSize of ${idOf(borrower)} was raised by somebody else: the loan goes on`;
    const [own, others] = await Promise.all([fleet.loansOf(BORROWER), fleet.loansOf(LENDER)]);
    for (const loans of [own, others]) {
      const seen = loans.find(({ loanId }) => loanId === loan.loanId);
      expect(seen).toMatchObject({ state: 'active' });
      expect(seen?.reasons).toContain(reason);
    }
    const end = await giveBack(fleet, loan);
    expect((await trailOf(fleet, end)).filter((type) => type === 'loan.repaired')).toHaveLength(1);
    expect(await fleet.group(idOf(borrower))).toMatchObject({ maxSize: 7 });
    await setMaxSize(borrower, 4, 4);
  });

  it('ends it when the lender has its ceiling back', async () => {
    const loan = await borrow(fleet, borrower);
    await stillNeeded();
    await setMaxSize(lender, 8, 2);
    await fleet.invoke('reconcile', {});
    expect(await ended(fleet, BORROWER, loan.loanId)).toMatchObject({ recall: { by: 'foreign-change' } });
    expect(await fleet.group(idOf(lender))).toMatchObject({ maxSize: 8 });
    expect(await fleet.group(idOf(borrower))).toMatchObject({ maxSize: 4 });
  });
});

describe('a predictive scaling policy that raises MaxSize by itself', () => {
  it('keeps its pool from being enrolled and from lending', async () => {
    const group = { AutoScalingGroupName: lender.groupName, PolicyName: 'foresight' };
    await ownerOf(lender).send(
      new PutScalingPolicyCommand({
        ...group,
        PolicyType: 'PredictiveScaling',
        PredictiveScalingConfiguration: {
          MetricSpecifications: [
            { TargetValue: 50, PredefinedMetricPairSpecification: { PredefinedMetricType: 'ASGCPUUtilization' } },
          ],
          Mode: 'ForecastAndScale',
          MaxCapacityBreachBehavior: 'IncreaseMaxCapacity',
          MaxCapacityBuffer: 10,
        },
      }),
    );
    const { spec } = await fleet.pool(idOf(lender));
    await expect(fleet.api(LENDER, 'PUT', '/pools', spec)).rejects.toThrow(/IncreaseMaxCapacity/);
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused');
    expect(loan.endDetail).toMatch(/a predictive scaling policy of its group may raise MaxSize by itself/);
    // A plan finds it without any loan, once, and pairs the pool with nobody until it is gone.
    const noted = async (type: string) =>
      (await auditOf(fleet, LENDER)).filter((record) => record.type === type && record.subject === idOf(lender)).length;
    await fleet.invoke('collect', { poolId: idOf(lender) });
    await fleet.invoke('collect', { poolId: idOf(lender) });
    expect(await fleet.pool(idOf(lender))).toMatchObject({ raisesOwnCeiling: true });
    expect(await noted('pool.ceiling-not-fixed')).toBe(1);
    await ownerOf(lender).send(new DeletePolicyCommand(group));
    await fleet.invoke('collect', { poolId: idOf(lender) });
    expect(await fleet.pool(idOf(lender))).not.toHaveProperty('raisesOwnCeiling');
    expect(await noted('pool.ceiling-fixed')).toBe(1);
  });
});

// The last: the group is gone after it.
describe('a group that is deleted during a loan', () => {
  it('ends the loan, and the lender has its units back', async () => {
    const loan = await borrow(fleet, borrower);
    await ownerOf(borrower).send(
      new DeleteAutoScalingGroupCommand({ AutoScalingGroupName: borrower.groupName, ForceDelete: true }),
    );
    await fleet.invoke('reconcile', {});
    expect(await ended(fleet, BORROWER, loan.loanId)).toMatchObject({
      state: 'returned',
      recall: { by: 'foreign-change', reason: `the Auto Scaling group of ${idOf(borrower)} was deleted` },
    });
    expect(await fleet.group(idOf(lender))).toMatchObject({ maxSize: 8 });
    expect(await fleet.pool(idOf(lender))).toMatchObject({ lentUnits: 0 });
  });
});
