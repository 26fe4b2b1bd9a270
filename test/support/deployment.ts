/** Clients for the stacks that the tests run on. */
import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { HubMethod } from '../../cli/hub-client.ts';
import { hubClient } from '../../cli/hub-client.ts';
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { Pool, PoolSpec } from '../../core/pool.ts';
import type { AccountId, PoolId, ResourceType } from '../../core/units.ts';
import { poolIdParts } from '../../core/units.ts';
import { connectControl } from '../../emulator/control.ts';
import { parseConfig, poolSpecs } from '../../infra/config.ts';
import type { FunctionName } from '../../infra/names.ts';
import { functionName } from '../../infra/names.ts';
import type { FleetPool } from './lending-fleet.ts';
import { ALARM_PERIOD_SECONDS, fleetConfig, HUB, REGION } from './lending-fleet.ts';

/** What the global set-up hands to the test files. */
export interface DeployedFleet {
  readonly endpoint: string;
  readonly logFile: string;
  readonly apiUrl: string;
  readonly hub: Readonly<Record<string, string>>;
}
export const DEPLOYED_FLEET_VARIABLE = 'ENTANGLE_TEST_FLEET';

export function deployedFleet(): DeployedFleet {
  const text = process.env[DEPLOYED_FLEET_VARIABLE];
  if (text === undefined)
    throw new Error('the stacks are not deployed: these tests run in the project "lending" of jest');
  return JSON.parse(text) as DeployedFleet;
}

/** Root keys of an account: the emulator takes a 12-digit access key id for the account. */
export function clientOptions(fleet: Pick<DeployedFleet, 'endpoint'>, account: AccountId) {
  return {
    endpoint: fleet.endpoint,
    region: REGION,
    credentials: { accessKeyId: account, secretAccessKey: 'emulator' },
    maxAttempts: 1,
  };
}

const specs = new Map(poolSpecs(parseConfig(fleetConfig())).map((spec) => [spec.poolId, spec] as const));
export const SPECS: ReadonlyMap<PoolId, PoolSpec> = specs;

/** Pools beside those of the scenarios. */
export function alsoKnow(pools: readonly FleetPool[]): void {
  for (const spec of poolSpecs(parseConfig(fleetConfig(pools)))) specs.set(spec.poolId, spec);
}

export interface GroupSizes {
  readonly minSize: number;
  readonly desiredCapacity: number;
  readonly maxSize: number;
  readonly instances: number;
}

const PERIOD_MILLIS = ALARM_PERIOD_SECONDS * 1_000;
const WEIGHT_STEP_MILLIS = 100;

/** Drives and observes the deployed stacks as their users would. */
export class Fleet {
  readonly deployed: DeployedFleet;
  readonly control;
  readonly #weights = new Map<string, { period: number; weight: number }>();

  constructor(deployed: DeployedFleet = deployedFleet()) {
    this.deployed = deployed;
    this.control = connectControl(deployed.endpoint, deployed.logFile);
  }

  async api<Answer>(account: AccountId, method: HubMethod, path: string, body?: unknown): Promise<Answer> {
    const { credentials, region } = clientOptions(this.deployed, account);
    return (await hubClient({ url: this.deployed.apiUrl, region, credentials }).send(method, path, body)) as Answer;
  }

  async loansOf(account: AccountId): Promise<LoanView[]> {
    return (await this.api<{ loans: LoanView[] }>(account, 'GET', '/loans')).loans;
  }

  async pool(id: PoolId): Promise<Pool> {
    const { pools } = await this.api<{ pools: Pool[] }>(poolIdParts(id).accountId, 'GET', '/pools');
    const found = pools.find((pool) => pool.spec.poolId === id);
    if (found === undefined) throw new Error(`pool ${id} is not enrolled`);
    return found;
  }

  async group(id: PoolId): Promise<GroupSizes> {
    const { accountId, groupName } = poolIdParts(id);
    const client = new AutoScalingClient(clientOptions(this.deployed, accountId));
    const answer = await client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [groupName] }));
    const group = answer.AutoScalingGroups?.[0];
    if (group === undefined) throw new Error(`group ${id} does not exist`);
    return {
      minSize: group.MinSize ?? -1,
      desiredCapacity: group.DesiredCapacity ?? -1,
      maxSize: group.MaxSize ?? -1,
      instances: (group.Instances ?? []).filter((instance) => instance.LifecycleState === 'InService').length,
    };
  }

  /**
   * Publishes a utilisation. A value published later in the same alarm period outweighs the earlier ones, so that the
   * period's average follows at once.
   */
  async publish(id: PoolId, resource: ResourceType, percent: number): Promise<void> {
    const { accountId, groupName } = poolIdParts(id);
    const metric = SPECS.get(id)?.resources[resource];
    if (metric === undefined) throw new Error(`${id} does not measure ${resource}`);
    const client = new CloudWatchClient(clientOptions(this.deployed, accountId));
    const datum: MetricDatum = {
      MetricName: metric.metricName,
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: groupName }],
      Values: [(percent / 100) * metric.fullUsePerUnit],
      Counts: [this.#nextWeight(`${id} ${resource}`)],
      Timestamp: new Date(),
    };
    await client.send(new PutMetricDataCommand({ Namespace: metric.namespace, MetricData: [datum] }));
  }

  /** Grows with the time in the period, so that it also outweighs what another test file published just before. */
  #nextWeight(key: string): number {
    const period = Math.floor(Date.now() / PERIOD_MILLIS);
    const last = this.#weights.get(key);
    const byTime = 100 ** Math.floor((Date.now() % PERIOD_MILLIS) / WEIGHT_STEP_MILLIS);
    const weight = last?.period === period ? Math.max(byTime, last.weight * 1_000) : byTime;
    this.#weights.set(key, { period, weight });
    return weight;
  }

  /** Runs a function of the hub at once. @throws Error with the function's own message when it fails */
  async invoke<Answer>(name: FunctionName, event: unknown): Promise<Answer> {
    const client = new LambdaClient(clientOptions(this.deployed, HUB));
    const answer = await client.send(
      new InvokeCommand({ FunctionName: functionName(name), Payload: new TextEncoder().encode(JSON.stringify(event)) }),
    );
    const text = new TextDecoder().decode(answer.Payload);
    if (answer.FunctionError !== undefined) throw new Error(`${name}: ${text}`);
    return JSON.parse(text) as Answer;
  }

  /** Collects, forecasts and pairs through the plan's state machine: all pools, or the named ones. */
  async plan(...poolIds: readonly PoolId[]): Promise<void> {
    const client = new SFNClient(clientOptions(this.deployed, HUB));
    const started = await client.send(
      new StartExecutionCommand({
        stateMachineArn: this.deployed.hub['PlanStateMachineArn'],
        input: JSON.stringify(poolIds.length === 0 ? {} : { poolIds }),
      }),
    );
    const status = await until(
      'the plan ends',
      async () => {
        const execution = await client.send(new DescribeExecutionCommand({ executionArn: started.executionArn }));
        return execution.status === 'RUNNING' ? undefined : execution;
      },
      PLAN_SECONDS,
    );
    if (status.status !== 'SUCCEEDED') throw new Error(`the plan ${status.status}: ${status.error} ${status.cause}`);
  }
}

const UNTIL_SECONDS = 60;
/** Dozens of pools take longer. */
const PLAN_SECONDS = 300;
const POLL_MILLIS = 60;

/** Asks again until there is an answer. @throws Error that says what was waited for */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  seconds = UNTIL_SECONDS,
): Promise<Answer> {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}
