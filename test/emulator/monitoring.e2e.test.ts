import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import { ALARM_PERIOD_SECONDS, BORROWER, FLEET, idOf } from '../support/lending-fleet.ts';
import { auditOf, borrow, CALM_PERCENT, calm, calmFleet, ended, loanIn, overload } from '../support/loan-story.ts';

const fleet = new Fleet();
const { borrower } = FLEET.watched;
const id = idOf(borrower);
const cloudWatch = new CloudWatchClient(clientOptions(fleet.deployed, BORROWER));
const PERIOD_MILLIS = ALARM_PERIOD_SECONDS * 1_000;

beforeEach(() => calmFleet(fleet));

describe('between the two thresholds', () => {
  it('nothing happens; the low alarm then brings the loan back without reconciling', async () => {
    const loan = await borrow(fleet, borrower);
    // 3.6 units on 6 instances: below 70 %, and more than the own 4 serve at 50 %.
    await fleet.publish(id, 'cpu', 60);
    await fleet.invoke('reconcile', {});
    const { loan: kept } = await fleet.api<{ loan: { state: string } }>(BORROWER, 'GET', `/loans/${loan.loanId}`);
    expect(kept.state).toBe('active');
    await until('the shortest term is over', async () => Date.now() > (loan.activeAt ?? 0) + 1_100 || undefined);
    // The high alarm was OK already: it is not what tells of this.
    await fleet.publish(id, 'cpu', CALM_PERCENT);
    expect(await ended(fleet, BORROWER, loan.loanId)).toMatchObject({ state: 'returned', returnReason: 'recovered' });
  });
});

describe('the vCPU quota of a borrower', () => {
  const quota = { accountId: BORROWER, class: 'Standard/OnDemand' };
  afterAll(async () => {
    await fleet.control.setQuota({ ...quota, vcpus: null });
    await fleet.control.setInstances({ accountId: BORROWER, groupName: borrower.groupName });
  });

  it('that leaves too little refuses the request before anything moves', async () => {
    const dimensions = { Service: 'EC2', Resource: 'vCPU', Type: 'Resource', Class: quota.class };
    await cloudWatch.send(
      new PutMetricDataCommand({
        Namespace: 'AWS/Usage',
        MetricData: [
          {
            MetricName: 'ResourceCount',
            Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            Timestamp: new Date(),
            Value: 61,
          },
        ],
      }),
    );
    await fleet.control.setQuota({ ...quota, vcpus: 64 });
    const loan = await loanIn(fleet, borrower, await overload(fleet, borrower), 'refused');
    expect(loan.endDetail).toBe(
      `the vCPU quota of ${BORROWER} leaves room for 1 more m5n.large, at least 2 are needed: 61 of 64 vCPUs are in use, an instance takes 2`,
    );
    await fleet.control.setQuota({ ...quota, vcpus: null });
  });

  it('that a launch exceeds ends the loan at once, with that reason', async () => {
    await fleet.control.setInstances({
      accountId: BORROWER,
      groupName: borrower.groupName,
      failLaunches: 50,
      errorCode: 'VcpuLimitExceeded',
    });
    const since = await overload(fleet, borrower);
    const loan = await loanIn(fleet, borrower, since, 'compensated');
    expect(loan.endDetail).toBe("stopped before the borrower's instances were in service: QuotaExceeded");
    expect(await fleet.group(id)).toMatchObject({ maxSize: 4 });
  });
});

/** One sample an alarm period, the last of them now. */
async function rise(percents: readonly number[]): Promise<void> {
  const Dimensions = [{ Name: 'AutoScalingGroupName', Value: borrower.groupName }];
  const at = (index: number) => new Date(Date.now() - (percents.length - 1 - index) * PERIOD_MILLIS);
  const put = (Namespace: string, MetricName: string, values: readonly number[], count: number) =>
    cloudWatch.send(
      new PutMetricDataCommand({
        Namespace,
        MetricData: values.map((value, index) => ({
          MetricName,
          Dimensions,
          Timestamp: at(index),
          Values: [value],
          Counts: [count],
          StorageResolution: 1,
        })),
      }),
    );
  const { instances } = await fleet.group(id);
  await put(
    'AWS/AutoScaling',
    'GroupInServiceInstances',
    Array.from(percents, () => instances),
    1,
  );
  // They outweigh what earlier tests have published in the same periods.
  await put('AWS/EC2', 'CPUUtilization', percents, 1e280);
}

// The last: what it publishes outweighs whatever comes later in the same period.
describe('demand that rises', () => {
  afterAll(async () => {
    const { watch: _, ...spec } = (await fleet.pool(id)).spec;
    await fleet.api(BORROWER, 'PUT', '/pools', spec);
    await calm(fleet, borrower);
  });

  it('borrows before its threshold what it will need by the time that instances have started', async () => {
    const { spec } = await fleet.pool(id);
    await fleet.api(BORROWER, 'PUT', '/pools', { ...spec, watch: { trend: { withinSeconds: 60, samples: 6 } } });
    const since = Date.now();
    // Own 4 instances, 0.2 units more each period: 2.6 now, 3.8 in six periods, which 6 keep below 70 %.
    await rise([40, 45, 50, 55, 60, 65]);
    expect(await fleet.invoke('look-ahead', { poolIds: [id] })).toMatchObject({ borrows: 1 });
    const loan = await loanIn(fleet, borrower, since, 'active');
    expect(loan).toMatchObject({ units: 2, watchNeed: { kind: 'trend', resource: 'cpu', neededUnits: 6 } });
    expect(loan).not.toHaveProperty('alarmName');
    expect(loan.reasons[0]).toMatch(/^trend: cpu demand rises towards 3\.\d+ units; that needs 6 units before /);
    const asked = (await auditOf(fleet, BORROWER)).find(({ subject }) => subject === loan.loanId);
    expect(asked).toMatchObject({ type: 'loan.requested', detail: { askedAhead: loan.reasons[0] } });
    // One look more asks for nothing: the loan is there.
    expect(await fleet.invoke('look-ahead', { poolIds: [id] })).toMatchObject({ borrows: 0 });
    await fleet.api(BORROWER, 'POST', `/loans/${loan.loanId}/return`);
    expect((await ended(fleet, BORROWER, loan.loanId)).state).toBe('returned');
  });
});
