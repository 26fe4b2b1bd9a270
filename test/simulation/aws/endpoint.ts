/** Every call that the functions make to AWS, taken to what stands for the service in memory. */
import { AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';
import {
  DynamoDBServiceException,
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { NoSuchKey } from '@aws-sdk/client-s3';
import { SFNServiceException } from '@aws-sdk/client-sfn';
import { HISTORY_BUCKET } from '../environment.ts';
import type { AwsCall, AwsEndpoint } from '../lambda.ts';
import type { World } from '../world.ts';
import { LinkedAccess } from './linked-access.ts';
import { namedError } from './named-error.ts';
import { reservationCalls } from './reservation-access.ts';
import type { QueryInput, TransactInput } from './tables.ts';

type Input = Readonly<Record<string, unknown>>;
type Handle = (input: Input, call: AwsCall) => unknown;

const DEFECTS = new Set(['Error', 'TypeError', 'RangeError', 'SyntaxError']);
const WRITES = new Set(['PutCommand', 'UpdateCommand', 'DeleteCommand', 'TransactWriteCommand']);

export class Endpoint implements AwsEndpoint {
  readonly #world: World;
  readonly #access: LinkedAccess;
  readonly #objects = new Map<string, string>();
  readonly #handlers: Readonly<Record<string, Handle>>;

  constructor(world: World) {
    this.#world = world;
    this.#access = new LinkedAccess(world);
    this.#handlers = { ...this.#tableCalls(), ...this.#hubCalls(), ...this.#linkedCalls() };
  }

  isImmediate(command: string): boolean {
    return command === 'AssumeRoleCommand';
  }

  throttled(command: string): Error {
    const options = { $fault: 'client' as const, $metadata: {}, message: 'Rate exceeded' };
    if (command === 'TransactWriteCommand') {
      return new TransactionCanceledException({ ...options, CancellationReasons: [{ Code: 'ThrottlingError' }] });
    }
    if (/Reservation|ResourceShare|GroupResources/.test(command))
      return namedError('RequestLimitExceeded', 'Rate exceeded');
    if (WRITES.has(command) || command.startsWith('Query') || command.includes('Get')) {
      return new ProvisionedThroughputExceededException(options);
    }
    if (command.includes('AutoScaling')) return new AutoScalingServiceException({ ...options, name: 'Throttling' });
    return new SFNServiceException({ ...options, name: 'ThrottlingException' });
  }

  conflicted(command: string, input: unknown): Error | undefined {
    const options = { $metadata: {}, message: 'Transaction is ongoing for the item' };
    if (command === 'TransactWriteCommand') {
      const { TransactItems } = input as { readonly TransactItems: readonly unknown[] };
      const CancellationReasons = TransactItems.map((_item, index) => ({
        Code: index === 0 ? 'TransactionConflict' : 'None',
      }));
      return new TransactionCanceledException({ ...options, CancellationReasons });
    }
    if (!WRITES.has(command)) return undefined;
    return new DynamoDBServiceException({ ...options, name: 'TransactionConflictException', $fault: 'client' });
  }

  handle(call: AwsCall): unknown {
    const handle = this.#handlers[call.command];
    if (handle === undefined) throw this.#world.defect(`the simulation does not know the call ${call.command}`);
    this.#world.acting = call.invocation;
    try {
      return handle(call.input as Input, call);
    } catch (error) {
      // What is no error of AWS's is one of the simulation.
      if (error instanceof Error && DEFECTS.has(error.name)) throw this.#world.defect(error.stack ?? error.message);
      throw error;
    } finally {
      this.#world.acting = undefined;
    }
  }

  /** An object of the hub's bucket, parsed; undefined when there is none. */
  objectOf(bucket: string, key: string): unknown {
    const text = this.#objects.get(`${bucket}/${key}`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Keeps an object in the hub's bucket. */
  keep(key: string, object: object): void {
    this.#objects.set(`${HISTORY_BUCKET}/${key}`, JSON.stringify(object));
  }

  #tableCalls(): Record<string, Handle> {
    const { tables } = this.#world;
    const write = (kind: 'Put' | 'Update' | 'Delete'): Handle => {
      return (input) => {
        tables.write(kind, input as never);
        return {};
      };
    };
    return {
      GetCommand: ({ TableName, Key }) => ({ Item: tables.get(String(TableName), Key as Input) }),
      BatchGetCommand: ({ RequestItems }) => this.#batchGet(RequestItems as Input),
      QueryCommand: (input) => tables.query(input as unknown as QueryInput),
      ScanCommand: (input) => tables.query(input as unknown as QueryInput),
      PutCommand: write('Put'),
      UpdateCommand: write('Update'),
      DeleteCommand: write('Delete'),
      TransactWriteCommand: ({ TransactItems }) => {
        tables.transactWrite(TransactItems as TransactInput[]);
        return {};
      },
    };
  }

  /** Now and then some keys are left for the next call, as a busy table does. */
  #batchGet(request: Input): object {
    const { tables, lambda } = this.#world;
    const Responses: Record<string, unknown[]> = {};
    const UnprocessedKeys: Record<string, unknown> = {};
    for (const [table, { Keys }] of Object.entries(request) as [string, { Keys: Input[] }][]) {
      const done = Keys.length > 1 && lambda.random.chance(0.02) ? Math.ceil(Keys.length / 2) : Keys.length;
      Responses[table] = Keys.slice(0, done).flatMap((key) => tables.get(table, key) ?? []);
      if (done < Keys.length) UnprocessedKeys[table] = { Keys: Keys.slice(done) };
    }
    return { Responses, UnprocessedKeys };
  }

  #hubCalls(): Record<string, Handle> {
    const world = this.#world;
    const keyOf = ({ Bucket, Key }: Input): string => `${String(Bucket)}/${String(Key)}`;
    return {
      StartExecutionCommand: (input, { invocation }) => {
        const start = input as { stateMachineArn: string; name: string; input: string };
        world.checks.onStart(invocation, start.stateMachineArn);
        return world.executions.start(start);
      },
      CreateScheduleCommand: (input) => world.schedules.create(input as never),
      DeleteScheduleCommand: (input) => world.schedules.delete(input as never),
      PutEventsCommand: ({ Entries }) => ({ FailedEntryCount: 0, Entries: (Entries as unknown[]).map(() => ({})) }),
      PutMetricDataCommand: () => ({}),
      PutObjectCommand: (input) => {
        this.#objects.set(keyOf(input), String(input['Body']));
        return {};
      },
      GetObjectCommand: (input) => {
        const text = this.#objects.get(keyOf(input));
        if (text === undefined) throw new NoSuchKey({ $metadata: {}, message: 'The specified key does not exist.' });
        return { Body: { transformToString: () => Promise.resolve(text) } };
      },
    };
  }

  #linkedCalls(): Record<string, Handle> {
    const access = this.#access;
    return {
      AssumeRoleCommand: (input, { invocation }) => access.assumeRole(input as never, invocation),
      DescribeAutoScalingGroupsCommand: (input, call) => access.describeGroups(input as never, call),
      UpdateAutoScalingGroupCommand: (input, call) => access.updateGroup(input as never, call),
      DescribeAlarmsCommand: (input, call) => access.describeAlarms(input as never, call),
      GetMetricDataCommand: (input, call) => access.metricData(input as never, call),
      SetInstanceProtectionCommand: (input, call) => access.protectInstances(input as never, call),
      CompleteLifecycleActionCommand: (input, call) => access.endHook(input as never, call),
      DescribeLifecycleHooksCommand: (input, call) => access.describeHooks(input as never, call),
      DescribePoliciesCommand: (input, call) => access.describePolicies(input as never, call),
      DescribeScalingActivitiesCommand: (input, call) => access.describeActivities(input as never, call),
      ...reservationCalls(this.#world, access),
    };
  }
}
