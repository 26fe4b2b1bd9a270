/** The AWS calls of a loan, made bare: one after the other, from one process, with nothing between them. */
import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  DescribePoliciesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateScheduleCommand, DeleteScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Loan } from '../../core/lending/loan.ts';
import type { AccountId } from '../../core/units.ts';
import { RESOURCE_TYPES } from '../../core/units.ts';
import { SCHEDULE_GROUP_NAME, tableName } from '../../infra/names.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { clientOptions, SPECS } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import { ALARM_PERIOD_SECONDS, HUB, idOf } from '../../test/support/lending-fleet.ts';
import type { ProductCall } from './calls.ts';
import type { BatchRead } from './reads.ts';
import { batchReadsOf } from './reads.ts';
import type { ScratchStage } from './scratch.ts';
import type { BareTransaction, ScratchBooks } from './transactions.ts';

type Call = () => Promise<unknown>;
const LOOK_BACK_MILLIS = 3 * ALARM_PERIOD_SECONDS * 1_000;

interface LinkedClients {
  readonly pool: FleetPool;
  readonly autoScaling: AutoScalingClient;
  readonly cloudWatch: CloudWatchClient;
}

/** Plays the calls of one loan after another. */
export class BareCalls {
  readonly #stage: ScratchStage;
  readonly #books: ScratchBooks;
  readonly #pools: readonly FleetPool[];
  readonly #documents: DynamoDBDocumentClient;
  readonly #workflows: SFNClient;
  readonly #scheduler: SchedulerClient;
  readonly #sts: STSClient;
  readonly #linked: ReadonlyMap<AccountId, LinkedClients>;
  #serial = 0;

  constructor(fleet: Fleet, stage: ScratchStage, books: ScratchBooks, pools: readonly FleetPool[]) {
    const of = (account: AccountId) => ({
      ...clientOptions(fleet.deployed, account),
      credentials: stage.credentialsOf(account),
    });
    this.#stage = stage;
    this.#books = books;
    this.#pools = pools;
    this.#documents = DynamoDBDocumentClient.from(new DynamoDBClient(of(HUB)), {
      marshallOptions: { removeUndefinedValues: true },
    });
    this.#workflows = new SFNClient(of(HUB));
    this.#scheduler = new SchedulerClient(of(HUB));
    this.#sts = new STSClient(clientOptions(fleet.deployed, HUB));
    this.#linked = new Map(
      pools.map((pool) => [
        pool.account,
        {
          pool,
          autoScaling: new AutoScalingClient(of(pool.account)),
          cloudWatch: new CloudWatchClient(of(pool.account)),
        },
      ]),
    );
  }

  /**
   * Makes each call of a loan again, in the same order.
   * @returns milliseconds of each part, and the write units that the transactions are billed
   */
  async play(
    loan: Loan,
    ...parts: readonly (readonly ProductCall[])[]
  ): Promise<{ millis: number[]; writeUnits: number }> {
    this.#serial += 1;
    const transactions = this.#books.transactionsLike(loan);
    const making = new OneLoan(loan, [...transactions], this.#serial);
    const planned = parts.map((calls) => calls.map((call) => this.#callLike(call, making)));
    const millis: number[] = [];
    for (const calls of planned) {
      const startedAt = performance.now();
      for (const call of calls) await call();
      millis.push(performance.now() - startedAt);
    }
    return { millis, writeUnits: transactions.reduce((sum, one) => sum + one.writeUnits, 0) };
  }

  #callLike(call: ProductCall, making: OneLoan): Call {
    switch (`${call.service}:${call.action}`) {
      case 'sts:AssumeRole':
        return () => this.#sts.send(new AssumeRoleCommand(this.#stage.roleOf(making.loan.borrowerAccountId)));
      case 'states:StartExecution':
        return this.#start(making);
      case 'scheduler:CreateSchedule':
        return () => this.#scheduler.send(new CreateScheduleCommand(this.#schedule(making)));
      case 'scheduler:DeleteSchedule':
        return () =>
          this.#scheduler.send(
            new DeleteScheduleCommand({ Name: this.#schedule(making).Name, GroupName: SCHEDULE_GROUP_NAME }),
          );
      case 'autoscaling:DescribeAutoScalingGroups':
      case 'autoscaling:DescribePolicies':
      case 'autoscaling:UpdateAutoScalingGroup':
      case 'cloudwatch:DescribeAlarms':
      case 'cloudwatch:GetMetricData':
        return this.#callInAccount(call, making);
      default:
        return this.#callOfTables(call, making);
    }
  }

  #callOfTables(call: ProductCall, making: OneLoan): Call {
    switch (`${call.service}:${call.action}`) {
      case 'dynamodb:BatchGetItem': {
        const { table, keys } = making.nextRead(call, this.#pools);
        const RequestItems = { [tableName(table)]: { Keys: [...keys], ConsistentRead: true } };
        return () => this.#documents.send(new BatchGetCommand({ RequestItems }));
      }
      case 'dynamodb:GetItem':
        return () =>
          this.#documents.send(
            new GetCommand({
              TableName: tableName('loans'),
              Key: { loanId: making.loan.loanId },
              ConsistentRead: true,
            }),
          );
      case 'dynamodb:Query':
        return () => this.#documents.send(openLoansOf(making.loan.borrowerAccountId));
      case 'dynamodb:TransactWriteItems': {
        const { items } = making.nextTransaction(call.statusCode === 200);
        return () => this.#documents.send(new TransactWriteCommand({ TransactItems: items }));
      }
      default:
        throw new Error(`${call.by} called ${call.service}:${call.action}, which the bench cannot make bare yet`);
    }
  }

  #callInAccount(call: ProductCall, making: OneLoan): Call {
    const { pool, autoScaling, cloudWatch } = this.#clients(call);
    const { groupName } = pool;
    switch (call.action) {
      case 'DescribeAutoScalingGroups':
        return () => autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [groupName] }));
      case 'DescribePolicies':
        return () =>
          autoScaling.send(
            new DescribePoliciesCommand({ AutoScalingGroupName: groupName, PolicyTypes: ['PredictiveScaling'] }),
          );
      case 'UpdateAutoScalingGroup': {
        const move = making.nextMove(call.accountId);
        const DesiredCapacity =
          move.toDesiredCapacity === move.fromDesiredCapacity ? {} : { DesiredCapacity: move.toDesiredCapacity };
        return () =>
          autoScaling.send(
            new UpdateAutoScalingGroupCommand({
              AutoScalingGroupName: groupName,
              MaxSize: move.toMaxSize,
              ...DesiredCapacity,
            }),
          );
      }
      case 'DescribeAlarms':
        return () =>
          cloudWatch.send(
            new DescribeAlarmsCommand({ AlarmNamePrefix: `entangle/${groupName}/`, AlarmTypes: ['MetricAlarm'] }),
          );
      default:
        return () => cloudWatch.send(call.by === 'choose' ? vcpusInUse() : latestMetricsOf(pool));
    }
  }

  #clients(call: ProductCall): LinkedClients {
    const clients = this.#linked.get(call.accountId as AccountId);
    if (clients === undefined)
      throw new Error(`${call.by} called ${call.action} in account ${call.accountId}, which lends nothing here`);
    return clients;
  }

  #start(making: OneLoan): Call {
    const { stateMachineArn } = this.#stage;
    const name = `bench-${making.number}-${making.nextSerial()}`;
    return () => this.#workflows.send(new StartExecutionCommand({ stateMachineArn, name, input: '{}' }));
  }

  #schedule({ number }: OneLoan) {
    return {
      Name: `bench-${number}`,
      GroupName: SCHEDULE_GROUP_NAME,
      ScheduleExpression: 'at(2099-12-31T23:59:59)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      Target: { Arn: this.#stage.stateMachineArn, RoleArn: this.#stage.roleOf(HUB).RoleArn, Input: '{}' },
    } as const;
  }
}

/** What of one loan has been played. */
class OneLoan {
  readonly loan: Loan;
  readonly number: number;
  readonly #transactions: BareTransaction[];
  readonly #moved = new Map<string, number>();
  readonly #reads = new Map<string, number>();
  #serial = 0;

  /** @param number no other one that is played has it */
  constructor(loan: Loan, transactions: BareTransaction[], number: number) {
    this.loan = loan;
    this.number = number;
    this.#transactions = transactions;
  }

  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** A function that runs again for the same loan reads the same again. */
  nextRead({ by }: ProductCall, pools: readonly FleetPool[]): BatchRead {
    const reads = batchReadsOf(by, pools, this.loan);
    const times = this.#reads.get(by) ?? 0;
    this.#reads.set(by, times + 1);
    const read = reads[times % reads.length];
    if (read === undefined) throw new Error(`${by} reads nothing in batches`);
    return read;
  }

  /** A transaction that was refused is played as the one that then went through. */
  nextTransaction(wasMade: boolean): BareTransaction {
    const next = this.#transactions[0];
    if (next === undefined) throw new Error(`loan ${this.loan.loanId} was written more often than a loan has steps`);
    if (wasMade) this.#transactions.shift();
    return next;
  }

  /** An account's group moves once there and once back. */
  nextMove(accountId: string) {
    const { take, give, takeBack, giveBack } = this.loan.moves;
    const times = this.#moved.get(accountId) ?? 0;
    this.#moved.set(accountId, times + 1);
    const move = (accountId === this.loan.borrowerAccountId ? [give, takeBack] : [take, giveBack])[times];
    if (move === undefined)
      throw new Error(`the group in ${accountId} was moved ${times + 1} times by loan ${this.loan.loanId}`);
    return move;
  }
}

function openLoansOf(account: AccountId) {
  return new QueryCommand({
    TableName: tableName('loans'),
    IndexName: 'open',
    KeyConditionExpression: 'openAccountId = :account',
    ExpressionAttributeValues: { ':account': account },
  });
}

/** As vcpuQuota asks: the account's usage and its quota. */
function vcpusInUse(): GetMetricDataCommand {
  const dimensions = { Service: 'EC2', Resource: 'vCPU', Type: 'Resource', Class: 'Standard/OnDemand' };
  const Metric = {
    Namespace: 'AWS/Usage',
    MetricName: 'ResourceCount',
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
  return new GetMetricDataCommand({
    MetricDataQueries: [
      { Id: 'used', MetricStat: { Metric, Stat: 'Maximum', Period: 300 } },
      { Id: 'quota', Expression: 'SERVICE_QUOTA(used)' },
    ],
    StartTime: new Date(Date.now() - 1_800_000),
    EndTime: new Date(Date.now() + 300_000),
    ScanBy: 'TimestampDescending',
  });
}

function latestMetricsOf(pool: FleetPool): GetMetricDataCommand {
  const resources = SPECS.get(idOf(pool))?.resources ?? {};
  const metrics = RESOURCE_TYPES.flatMap((type) => {
    const metric = resources[type];
    return metric === undefined ? [] : [{ id: type, ...metric }];
  });
  const inService = {
    id: 'inService',
    namespace: 'AWS/AutoScaling',
    metricName: 'GroupInServiceInstances',
    statistic: 'Average',
  };
  return new GetMetricDataCommand({
    MetricDataQueries: [...metrics, inService].map(({ id, namespace, metricName, statistic }) => ({
      Id: id,
      MetricStat: {
        Metric: {
          Namespace: namespace,
          MetricName: metricName,
          Dimensions: [{ Name: 'AutoScalingGroupName', Value: pool.groupName }],
        },
        Stat: statistic,
        Period: ALARM_PERIOD_SECONDS,
      },
    })),
    StartTime: new Date(Date.now() - LOOK_BACK_MILLIS),
    EndTime: new Date(Date.now() + 1_000),
    ScanBy: 'TimestampAscending',
  });
}
