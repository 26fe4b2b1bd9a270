import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolCapacity } from '../../core/lending/capacity.ts';
import type { Outlook } from '../../core/lending/outlook.ts';
import type { PlanView } from '../../core/pairing/plan.ts';
import { alarmName } from '../../infra/names.ts';
import { clientOptions, Fleet, until } from '../support/deployment.ts';
import { FLEET, HUB, idOf, LENDER, REGION, RIVAL } from '../support/lending-fleet.ts';
import { booksOf, borrow, calm, ended, loanIn, overload, trailOf } from '../support/loan-story.ts';

const fleet = new Fleet();
const { lender, borrower } = FLEET.outlook;
const both = [lender, borrower];
const cloudWatch = new CloudWatchClient(clientOptions(fleet.deployed, LENDER));

const STEP_SECONDS = 300;
const STEP_MILLIS = STEP_SECONDS * 1_000;
const STEPS_A_DAY = 288;
const HISTORY_STEPS = 600;
const STEPS_AT_ONCE = 300;
/** More than what the fleet publishes counts for, which grows with the time in a period. */
const OUTWEIGHING = 1e250;
/** What the test takes at most on a busy machine. */
const TEST_MILLIS = 75_000;
const RUNNING = lender.sizes.desiredCapacity;
const OWNED = lender.sizes.maxSize;

interface Step {
  readonly at: number;
  readonly percent: number;
  readonly instances: number;
}

/** @param weight samples that each step counts for */
async function put(steps: readonly Step[], weight: number): Promise<void> {
  const metrics = [
    ['AWS/EC2', 'CPUUtilization', ({ percent }: Step) => percent],
    ['AWS/AutoScaling', 'GroupInServiceInstances', ({ instances }: Step) => instances],
  ] as const;
  for (const [Namespace, MetricName, valueOf] of metrics) {
    const MetricData = steps.map((step) => ({
      MetricName,
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: lender.groupName }],
      Timestamp: new Date(step.at),
      Values: [valueOf(step)],
      Counts: [weight],
    }));
    await cloudWatch.send(new PutMetricDataCommand({ Namespace, MetricData }));
  }
}

/** Middle of a step that is over, the newest first. */
function stepsBack(count: number): number[] {
  const slot = Math.floor(Date.now() / STEP_MILLIS) * STEP_MILLIS;
  return Array.from({ length: count }, (_, step) => slot - (step + 0.5) * STEP_MILLIS);
}

/** What is recorded is to be of the newest step until the test is over: none may begin in the middle of it. */
async function stepWithTime(): Promise<void> {
  const left = STEP_MILLIS - (Date.now() % STEP_MILLIS);
  if (left < TEST_MILLIS) await new Promise((resolve) => setTimeout(resolve, left + 1_000));
}

/** Two days in which next to nothing is needed. */
async function recordQuietDays(): Promise<void> {
  const steps = stepsBack(HISTORY_STEPS).map((at, step) => ({ at, percent: 10 + (step % 3), instances: RUNNING }));
  for (let first = 0; first < steps.length; first += STEPS_AT_ONCE) {
    await put(steps.slice(first, first + STEPS_AT_ONCE), 100);
  }
}

/** Demand of the last two steps and of this one, over all that the lender owns; it outweighs what was published before. */
async function rise(): Promise<void> {
  const now = Date.now();
  await put(
    [...stepsBack(2), now].map((at) => ({ at, percent: 55, instances: OWNED })),
    OUTWEIGHING,
  );
}

async function capacityOfLender(): Promise<PoolCapacity> {
  const path = `/capacity?pool=${encodeURIComponent(idOf(lender))}`;
  const { capacities } = await fleet.api<{ capacities: PoolCapacity[] }>(LENDER, 'GET', path);
  const found = capacities.find(({ poolId }) => poolId === idOf(lender));
  if (found === undefined) throw new Error(`no capacity of ${idOf(lender)}`);
  return found;
}

const documents = DynamoDBDocumentClient.from(new DynamoDBClient(clientOptions(fleet.deployed, HUB)));
const atOutlook = () => ({
  TableName: fleet.deployed.hub['AccountsTable'],
  Key: { accountId: LENDER, item: `OUTLOOK#${REGION}#${lender.groupName}` },
});

async function storedOutlook(): Promise<Outlook | undefined> {
  const { Item } = await documents.send(new GetCommand(atOutlook()));
  return Item?.['outlook'] as Outlook | undefined;
}

/** As if looks had seen units lent for the last steps, none of which was known then: the test is shorter than a step. */
async function lentForSteps(steps: number, units: number): Promise<void> {
  const slot = Math.floor(Date.now() / STEP_MILLIS) * STEP_MILLIS;
  const from = slot - steps * STEP_MILLIS;
  const lent = [{ from, until: slot + STEP_MILLIS, units }];
  await documents.send(
    new UpdateCommand({
      ...atOutlook(),
      UpdateExpression: 'SET #outlook.#harm.#until = :from, #outlook.#harm.#lent = :lent',
      ExpressionAttributeNames: { '#outlook': 'outlook', '#harm': 'harm', '#until': 'countedUntil', '#lent': 'lent' },
      ExpressionAttributeValues: { ':from': from, ':lent': lent },
    }),
  );
}

const look = () => fleet.invoke('look-ahead', { poolIds: [idOf(lender)] });

async function alarmIsOver(): Promise<void> {
  const client = new CloudWatchClient(clientOptions(fleet.deployed, RIVAL));
  await until('the alarm of the borrower is over', async () => {
    const names = { AlarmNames: [alarmName(borrower.groupName, 'cpu')] };
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand(names));
    return MetricAlarms[0]?.StateValue === 'OK' || undefined;
  });
}

describe('a lender with days of history', () => {
  beforeAll(async () => {
    await stepWithTime();
    for (const pool of both) await calm(fleet, pool);
    await recordQuietDays();
    // With another step its history is collected anew, from its beginning.
    const { spec } = await fleet.pool(idOf(lender));
    const seasonSteps = [STEPS_A_DAY];
    await fleet.api(LENDER, 'PUT', '/pools', { ...spec, historyStepSeconds: STEP_SECONDS, seasonSteps });
    await fleet.plan(...both.map(idOf));
  });
  afterAll(async () => {
    for (const pool of both) await calm(fleet, pool);
  });

  it('lends by its outlook, recalls by it, and does not lend what its plan alone would', async () => {
    const before = await booksOf(fleet, both);
    expect(await look()).toMatchObject({ pools: 1, outlooks: 1, recalling: 0, drifted: [] });
    const quiet = await storedOutlook();
    expect(quiet).toMatchObject({ poolId: idOf(lender), bindingResource: 'cpu', loan: { neededUnits: 1 } });
    const able = await capacityOfLender();
    expect(able).toMatchObject({ couldLendUnits: 5, couldLendBy: { by: 'outlook', madeAt: quiet?.madeAt } });

    const loan = await borrow(fleet, borrower);
    expect(loan).toMatchObject({ lenderPoolId: idOf(lender), units: 2 });
    const own = await fleet.api<{ loan: typeof loan }>(LENDER, 'GET', `/loans/${loan.loanId}`);
    expect(own.loan.reasons).toContainEqual(expect.stringContaining('by its outlook of'));

    await until('it may be recalled', async () => Date.now() > (loan.activeAt ?? 0) + 1_100 || undefined);
    // 55 % of 8 units need 7 at the threshold of 70 %; the ceiling is 6.
    await rise();
    await lentForSteps(2, loan.units);
    const looked = await look();
    const needed = (0.55 * OWNED) / 0.7;
    const risen = await storedOutlook();
    const missing = needed - (OWNED - loan.units);
    expect(risen).toMatchObject({
      lastUnits: expect.closeTo(needed, 1),
      harm: {
        lentUnitHours: expect.closeTo((2 * loan.units * STEP_SECONDS) / 3_600, 2),
        harmedUnitHours: expect.closeTo((2 * missing * STEP_SECONDS) / 3_600, 2),
      },
    });
    expect(risen?.loan.risk).toBeLessThan(quiet?.loan.risk ?? 0);
    expect(looked).toMatchObject({ outlooks: 1, recalling: 1, drifted: [] });
    const end = await ended(fleet, RIVAL, loan.loanId);
    expect(end).toMatchObject({ state: 'returned', returnReason: 'recalled', recall: { by: 'lender-forecast' } });
    expect((await trailOf(fleet, end)).filter((type) => type === 'loan.recalled')).toHaveLength(1);
    const seen = await fleet.api<{ loan: typeof loan }>(LENDER, 'GET', `/loans/${loan.loanId}`);
    expect(seen.loan.reasons).toContainEqual(
      expect.stringMatching(
        /^recalled: its need before \d+ ms is \d+ units but for a risk of 0\.\d+ % \(harm was \d+ % of the 0\.\d+ unit-hours that it lent\) by its outlook of/,
      ),
    );

    const { plans } = await fleet.api<{ plans: PlanView[] }>(LENDER, 'GET', '/plan');
    const planned = plans.find(({ poolId }) => poolId === idOf(lender))?.forecast?.neededUnits['0.95'] ?? [9];
    // By the plan alone it would lend 5 still.
    expect(Math.max(...planned.slice(0, 12))).toBeLessThanOrEqual(2);
    const unable = await capacityOfLender();
    expect(unable).toMatchObject({ couldLendUnits: 0, couldLendBy: { by: 'outlook' } });
    await calm(fleet, borrower);
    await alarmIsOver();
    const since = await overload(fleet, borrower);
    const refused = await loanIn(fleet, borrower, since, 'refused');
    expect(refused.endDetail).toContain(`${idOf(lender)}: it cannot lend 2 units now`);
    await calm(fleet, borrower);
    expect(await booksOf(fleet, both)).toEqual(before);
  });
});
