import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DRIFT_SLOTS } from '../../core/forecast/coverage.ts';
import type { PlanView } from '../../core/pairing/plan.ts';
import type { PoolHistory } from '../../functions/adapters/history-store.ts';
import { alarmName } from '../../infra/names.ts';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import type { FleetPool } from '../support/lending-fleet.ts';
import { AHEAD, BORROWER, FLEET, HUB, idOf, REGION, THRESHOLD_PERCENT } from '../support/lending-fleet.ts';
import { auditOf, booksOf, ended, loanIn } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.ahead;
const cloudWatch = new CloudWatchClient(clientOptions(fleet.deployed, BORROWER));

const OWNED_UNITS = borrower.sizes.maxSize;
const STEP_MILLIS = AHEAD.stepSeconds * 1_000;
const SEASON_STEPS = AHEAD.seasonSteps;
const HISTORY_SEASONS = 15;
/** Where in its season the trace is when the test begins: a step before demand rises. */
const FIRST_STEP = 7;
const RISE_FROM_STEP = 8;
const PEAK_FROM_STEP = 15;
const PEAK_TO_STEP = 18;
/** Longer than it takes from the beginning of the test until the peak has passed. */
const PEAK_SECONDS_MAX = 90;
const LOW_PERCENT = 20;
const PEAK_PERCENT = 90;
/** Neither low nor high, and no alarm. */
const DRIFTED_PERCENT = 45;

/** Utilisation of what the pool owns at a step of its season, in percent: low, rising for seven steps, high for three, low. */
function ownUtilisation(step: number): number {
  const place = step % SEASON_STEPS;
  const noise = ((step * 7) % 5) / 5;
  const risen = Math.min(1, (place - RISE_FROM_STEP) / (PEAK_FROM_STEP - RISE_FROM_STEP));
  const isLow = place < RISE_FROM_STEP || place >= PEAK_TO_STEP;
  return noise + (isLow ? LOW_PERCENT : LOW_PERCENT + risen * (PEAK_PERCENT - LOW_PERCENT));
}

/** The first step of a season in which the alarm would go off without a loan. */
const CROSSING_STEP = Array.from({ length: SEASON_STEPS }, (_, step) => step).findIndex(
  (step) => ownUtilisation(step) >= THRESHOLD_PERCENT,
);

/** A trace that repeats itself, from long before the test until it is stopped. */
class Trace {
  readonly #zeroMillis = Math.floor(Date.now() / STEP_MILLIS) * STEP_MILLIS - FIRST_STEP * STEP_MILLIS;

  /** When a step of the season in which the test began starts. */
  startOf(step: number): number {
    return this.#zeroMillis + step * STEP_MILLIS;
  }

  #put(samples: readonly { at: number; percent: number; instances: number }[]): Promise<unknown> {
    const Dimensions = [{ Name: 'AutoScalingGroupName', Value: borrower.groupName }];
    const put = (Namespace: string, MetricName: string, value: (sample: (typeof samples)[number]) => number) =>
      cloudWatch.send(
        new PutMetricDataCommand({
          Namespace,
          MetricData: samples.map((sample) => ({
            MetricName,
            Dimensions,
            Timestamp: new Date(sample.at),
            Value: value(sample),
            StorageResolution: 1,
          })),
        }),
      );
    return Promise.all([
      put('AWS/EC2', 'CPUUtilization', ({ percent }) => percent),
      put('AWS/AutoScaling', 'GroupInServiceInstances', ({ instances }) => instances),
    ]);
  }

  async recordHistory(): Promise<void> {
    const steps = Array.from({ length: HISTORY_SEASONS * SEASON_STEPS }, (_, index) => index);
    const whole = HISTORY_SEASONS * SEASON_STEPS;
    await this.#put(
      steps.map((step) => ({
        at: this.startOf(step - whole + FIRST_STEP),
        percent: ownUtilisation(step + FIRST_STEP),
        instances: OWNED_UNITS,
      })),
    );
  }

  /** Samples that outweigh those of the last steps. */
  async overrule(steps: number, percent: number): Promise<void> {
    const now = Date.now();
    await cloudWatch.send(
      new PutMetricDataCommand({
        Namespace: 'AWS/EC2',
        MetricData: Array.from({ length: steps }, (_, step) => ({
          MetricName: 'CPUUtilization',
          Dimensions: [{ Name: 'AutoScalingGroupName', Value: borrower.groupName }],
          Timestamp: new Date(now - step * STEP_MILLIS),
          Values: [percent],
          Counts: [10_000],
          StorageResolution: 1,
        })),
      }),
    );
  }

  /** Demand as it is now, over the instances that there are now. */
  async publishNow(): Promise<void> {
    const at = Date.now();
    const step = Math.floor((at - this.#zeroMillis) / STEP_MILLIS);
    const { instances } = await fleet.group(idOf(borrower));
    await this.#put([{ at, percent: (ownUtilisation(step) * OWNED_UNITS) / instances, instances }]);
  }
}

async function alarmState(): Promise<string> {
  const names = [alarmName(borrower.groupName, 'cpu')];
  const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: names }));
  return String(MetricAlarms[0]?.StateValue);
}

/** Publishes the trace until told to stop, and remembers every state that the alarm was seen in. */
async function play(trace: Trace, states: Set<string>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await trace.publishNow();
    states.add(await alarmState());
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

describe('a rising trace', () => {
  const trace = new Trace();
  const states = new Set<string>();
  const stop = new AbortController();
  let playing: Promise<void> | undefined;
  beforeAll(async () => {
    await trace.recordHistory();
    playing = play(trace, states, stop.signal);
  });
  afterAll(async () => {
    stop.abort();
    await playing;
  });

  it('starts a loan before the alarm threshold is crossed, which serves the peak and comes back after it', async () => {
    const before = await booksOf(fleet, [lender, borrower]);
    const since = Date.now();
    await fleet.plan(idOf(lender), idOf(borrower));
    const loan = await loanIn(fleet, borrower, since, 'active');
    expect(loan.activeAt).toBeLessThan(trace.startOf(CROSSING_STEP));
    // 90 % of 4 units stay below 70 % on 6.
    expect(loan).toMatchObject({
      kind: 'nominal',
      units: 2,
      bindingResource: 'cpu',
      lenderPoolId: idOf(lender),
      forecastNeed: { resource: 'cpu', needLevel: '0.9', neededUnits: 6 },
    });
    expect(loan).not.toHaveProperty('alarmName');
    expect(loan.reasons[0]).toMatch(/^pre-emptive: probability [\d.]+ of cpu reaching 2.8 units before /);
    expect(await fleet.group(idOf(borrower))).toMatchObject({ maxSize: 6, instances: 6 });
    expect(await fleet.group(idOf(lender))).toMatchObject({ maxSize: 10 });
    const asked = (await auditOf(fleet, BORROWER)).find(({ subject }) => subject === loan.loanId);
    expect(asked).toMatchObject({ type: 'loan.requested', detail: { askedAhead: loan.reasons[0] } });

    // Demand is low still: that is no reason to give back before the peak has passed.
    await fleet.invoke('reconcile', {});
    expect((await fleet.loansOf(BORROWER)).find(({ loanId }) => loanId === loan.loanId)?.state).toBe('active');
    const afterPeak = trace.startOf(PEAK_TO_STEP + 2);
    await until('the peak has passed', async () => Date.now() > afterPeak || undefined, PEAK_SECONDS_MAX);
    expect([...states]).toEqual(['OK']);
    await fleet.invoke('reconcile', {});
    const end = await ended(fleet, BORROWER, loan.loanId);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'recovered' });
    expect(await booksOf(fleet, [lender, borrower])).toEqual(before);
  });

  it('that leaves its forecast is forecast anew, and no other pool with it', async () => {
    const startOfForecast = async (pool: FleetPool): Promise<number> => {
      const { plans } = await fleet.api<{ plans: PlanView[] }>(pool.account, 'GET', '/plan');
      return plans.find(({ poolId }) => poolId === idOf(pool))?.forecast?.startMillis ?? Number.NaN;
    };
    // Without it the new plan would borrow for the next peak of the trace.
    const { borrowAhead: _, ...spec } = (await fleet.pool(idOf(borrower))).spec;
    await fleet.api(BORROWER, 'PUT', '/pools', spec);
    const [own, others] = [await startOfForecast(borrower), await startOfForecast(lender)];
    await trace.overrule(DRIFT_SLOTS, DRIFTED_PERCENT);
    const looked = await fleet.invoke('look-ahead', { poolIds: [idOf(lender), idOf(borrower)] });
    expect(looked).toMatchObject({ pools: 2, borrows: 0, drifted: [idOf(borrower)] });
    await until('the pool is forecast anew', async () => (await startOfForecast(borrower)) > own || undefined);
    // It is what it lends by that is in doubt: it goes on borrowing.
    const pauses = (await auditOf(fleet, BORROWER)).filter(({ type }) => type === 'pairing.paused');
    expect(pauses.filter(({ detail }) => detail['borrowerPoolId'] === idOf(borrower))).toEqual([]);
    expect(await startOfForecast(lender)).toBe(others);
  });

  it('is collected together with the metrics of its application, and its business events are kept', async () => {
    const { borrowAhead: _, ...spec } = (await fleet.pool(idOf(borrower))).spec;
    const requests = { name: 'requests', namespace: 'Shop', metricName: 'Requests', dimensions: { Site: 'main' } };
    const sale = { name: 'sale', startMillis: trace.startOf(0), endMillis: trace.startOf(SEASON_STEPS) };
    await cloudWatch.send(
      new PutMetricDataCommand({
        Namespace: requests.namespace,
        MetricData: [3, 4, 5].map((value, step) => ({
          MetricName: requests.metricName,
          Dimensions: [{ Name: 'Site', Value: 'main' }],
          Timestamp: new Date(trace.startOf(step)),
          Value: value,
          StorageResolution: 1,
        })),
      }),
    );
    const applicationMetrics = [{ ...requests, statistic: 'Sum' }];
    await fleet.api(BORROWER, 'PUT', '/pools', { ...spec, applicationMetrics, events: [sale] });
    await fleet.invoke('collect', { poolId: idOf(borrower) });
    await fleet.invoke('forecast', { poolId: idOf(borrower) });

    const options = clientOptions(fleet.deployed, HUB);
    const object = await new S3Client({ ...options, forcePathStyle: true }).send(
      new GetObjectCommand({
        Bucket: fleet.deployed.hub['HistoryBucketName'],
        Key: `history/${BORROWER}/${REGION}/${borrower.groupName}.json`,
      }),
    );
    const history = JSON.parse((await object.Body?.transformToString()) ?? '{}') as PoolHistory;
    expect(history.regressors).toEqual({
      requests: { stepSeconds: AHEAD.stepSeconds, startMillis: trace.startOf(0), values: [3, 4, 5] },
    });
    const stored = await DynamoDBDocumentClient.from(new DynamoDBClient(options)).send(
      new GetCommand({
        TableName: fleet.deployed.hub['AccountsTable'],
        Key: { accountId: BORROWER, item: `EVENTS#${REGION}#${borrower.groupName}` },
      }),
    );
    expect(stored.Item?.['events']).toEqual([sale]);
  });
});
