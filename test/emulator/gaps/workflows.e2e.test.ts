import {
  CreateTableCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { CreateScheduleCommand, GetScheduleCommand } from '@aws-sdk/client-scheduler';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  clientsOf,
  createFunction,
  createMachine,
  createRole,
  endOf,
  eventually,
  everything,
  hubAccount,
  lenderAccount,
} from './support.ts';

let emulator: Emulator;
let clients: Clients;
let role: string;
let flaky: string;

const flakyCode = `
class LenderGone extends Error { constructor(message) { super(message); this.name = 'LenderGone'; } }
export const handler = async (event) => {
  if (event.fail) throw new LenderGone('the lender has ' + event.fail);
  return { doubled: event.n * 2 };
};`;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  role = await createRole(clients, 'all', 'states.amazonaws.com', everything);
  flaky = await createFunction(clients, 'flaky', role, flakyCode);
});

beforeEach(async () => {
  await emulator.control.clearFaults();
});

afterAll(() => emulator?.stop());

const start = (stateMachineArn: string, input: object = {}, name?: string) =>
  clients.sfn.send(
    new StartExecutionCommand({
      stateMachineArn,
      input: JSON.stringify(input),
      ...(name === undefined ? {} : { name }),
    }),
  );

async function run(name: string, states: object, input: object = {}) {
  const [startAt] = Object.keys(states);
  const machine = await createMachine(clients, name, role, {
    QueryLanguage: 'JSONata',
    StartAt: startAt,
    States: states,
  });
  const { executionArn } = await start(machine, input);
  return endOf(clients, executionArn ?? '');
}

const outputOf = (execution: { output?: string | undefined }): unknown => JSON.parse(execution.output ?? 'null');

const call = (argument: object) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: flaky, Payload: argument },
});

describe('JSONata state machines', () => {
  it('assign variables, take arguments and shape outputs', async () => {
    const execution = await run(
      'variables',
      {
        Double: {
          ...call({ n: '{% $states.input.units %}' }),
          Assign: { doubled: '{% $states.result.Payload.doubled %}' },
          Output: '{% $states.input %}',
          Next: 'Sum',
        },
        Sum: { Type: 'Pass', Output: { sum: '{% $doubled + $states.input.units %}' }, End: true },
      },
      { units: 4 },
    );
    expect(execution.status).toBe('SUCCEEDED');
    expect(outputOf(execution)).toEqual({ sum: 12 });
  });

  it('catch a Node error by its name, with its message in the cause', async () => {
    const execution = await run('caught', {
      Fail: {
        ...call({ fail: 'left' }),
        Catch: [
          {
            ErrorEquals: ['LenderGone'],
            Assign: { cause: '{% $parse($states.errorOutput.Cause) %}' },
            Output: '{% $states.errorOutput.Error %}',
            Next: 'Report',
          },
        ],
        End: true,
      },
      Report: { Type: 'Pass', Output: { error: '{% $states.input %}', cause: '{% $cause %}' }, End: true },
    });
    expect(outputOf(execution)).toMatchObject({
      error: 'LenderGone',
      cause: { errorType: 'LenderGone', errorMessage: 'the lender has left', trace: expect.any(Array) },
    });
  });

  it('retry what a retrier names, as often as it says', async () => {
    await emulator.control.addFault({
      service: 'lambda',
      action: 'Invoke',
      match: 'flaky',
      times: 2,
      errorCode: 'Lambda.ServiceException',
    });
    const before = (await emulator.control.calls()).at(-1)?.seq ?? 0;
    const execution = await run('retried', {
      Double: {
        ...call({ n: 1 }),
        Retry: [{ ErrorEquals: ['Lambda.ServiceException'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }],
        Output: '{% $states.result.Payload %}',
        End: true,
      },
    });
    expect(outputOf(execution)).toEqual({ doubled: 2 });
    const invocations = (await emulator.control.calls(before)).filter((one) => one.action === 'Invoke');
    expect(invocations.map((one) => one.fault)).toEqual([
      'Lambda.ServiceException',
      'Lambda.ServiceException',
      undefined,
    ]);
  });

  it('run a distributed map over items of the input', async () => {
    const execution = await run(
      'mapped',
      {
        Each: {
          Type: 'Map',
          Items: '{% $states.input.numbers %}',
          MaxConcurrency: 2,
          ItemSelector: { n: '{% $states.context.Map.Item.Value %}' },
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            StartAt: 'Double',
            States: {
              Double: { ...call({ n: '{% $states.input.n %}' }), Output: '{% $states.result.Payload %}', End: true },
            },
          },
          End: true,
        },
      },
      { numbers: [1, 2, 3] },
    );
    expect(execution.status).toBe('SUCCEEDED');
    expect(outputOf(execution)).toEqual([{ doubled: 2 }, { doubled: 4 }, { doubled: 6 }]);
  });

  it('batch the items of a distributed map and shape its output', async () => {
    const execution = await run('batched', {
      Each: {
        Type: 'Map',
        Items: [1, 2, 3],
        ItemBatcher: { MaxItemsPerBatch: 2, BatchInput: { from: '{% $states.context.Execution.Name = "" %}' } },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Keep',
          States: { Keep: { Type: 'Pass', End: true } },
        },
        Output: { batches: '{% $states.result %}' },
        End: true,
      },
    });
    expect(outputOf(execution)).toEqual({
      batches: [
        { BatchInput: { from: false }, Items: [1, 2] },
        { BatchInput: { from: false }, Items: [3] },
      ],
    });
  });
});

describe('StartExecution', () => {
  it('gives the running execution for its name and input, and refuses other input or a closed one', async () => {
    const machine = await createMachine(clients, 'waiting', role, {
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', Seconds: 600, End: true } },
    });
    const first = await start(machine, { loan: 1 }, 'alarm-1');
    const again = await start(machine, { loan: 1 }, 'alarm-1');
    expect(again.executionArn).toBe(first.executionArn);
    expect(again.startDate).toEqual(first.startDate);
    await expect(start(machine, { loan: 2 }, 'alarm-1')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    const executionArn = first.executionArn ?? '';
    const history = async () => {
      const { events } = await clients.sfn.send(new GetExecutionHistoryCommand({ executionArn }));
      return events?.map((one) => one.type);
    };
    await eventually(async () => ((await history())?.includes('WaitStateEntered') ? true : undefined), 'the wait');
    await clients.sfn.send(new StopExecutionCommand({ executionArn, error: 'Stopped', cause: 'by the test' }));
    expect(await clients.sfn.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'ABORTED',
      error: 'Stopped',
      cause: 'by the test',
    });
    expect(await history()).toEqual(['ExecutionStarted', 'WaitStateEntered', 'ExecutionAborted']);
    await expect(start(machine, { loan: 1 }, 'alarm-1')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });
});

describe('one-time schedules', () => {
  const at = (seconds: number) => `at(${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)})`;
  const once = { FlexibleTimeWindow: { Mode: 'OFF' as const }, ActionAfterCompletion: 'DELETE' as const };

  const started = (machine: string) =>
    eventually(async () => {
      const { executions } = await clients.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
      const executionArn = executions?.[0]?.executionArn;
      return executionArn === undefined ? undefined : clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
    }, 'the scheduled execution');

  const done = { StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } };

  it('start an execution as templated target, with context attributes, and are gone', async () => {
    const machine = await createMachine(clients, 'templated', role, done);
    const Input = JSON.stringify({ loan: 'L1', schedule: '<aws.scheduler.schedule-arn>' });
    const { ScheduleArn } = await clients.scheduler.send(
      new CreateScheduleCommand({
        ...once,
        Name: 'templated',
        ScheduleExpression: at(1),
        Target: { Arn: machine, RoleArn: role, Input },
      }),
    );
    const execution = await started(machine);
    expect(JSON.parse(execution.input ?? '')).toEqual({ loan: 'L1', schedule: ScheduleArn });
    await expect(clients.scheduler.send(new GetScheduleCommand({ Name: 'templated' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('start a named execution as universal target, again after they were made anew', async () => {
    const machine = await createMachine(clients, 'universal', role, done);
    const schedule = (name: string) =>
      clients.scheduler.send(
        new CreateScheduleCommand({
          ...once,
          Name: 'universal',
          ScheduleExpression: at(1),
          Target: {
            Arn: 'arn:aws:scheduler:::aws-sdk:sfn:startExecution',
            RoleArn: role,
            Input: JSON.stringify({ StateMachineArn: machine, Name: name, Input: JSON.stringify({ loan: name }) }),
          },
        }),
      );
    for (const name of ['return-L1', 'return-L2']) {
      await schedule(name);
      const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
      const execution = await eventually(
        () => clients.sfn.send(new DescribeExecutionCommand({ executionArn })).catch(() => undefined),
        executionArn,
      );
      expect(execution).toMatchObject({ name, input: JSON.stringify({ loan: name }) });
    }
  });

  it('refuse a time that is none, and a universal target nobody knows', async () => {
    const create = (ScheduleExpression: string, Arn: string) =>
      clients.scheduler.send(
        new CreateScheduleCommand({ ...once, Name: 'wrong', ScheduleExpression, Target: { Arn, RoleArn: role } }),
      );
    await expect(create('at(2026-13-01T00:00:00)', flaky)).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(create(at(60), 'arn:aws:scheduler:::aws-sdk:sfn:nothing')).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });
});

describe('DynamoDB transactions', () => {
  beforeAll(async () => {
    for (const TableName of ['loans', 'ledger']) {
      await clients.dynamo.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        }),
      );
    }
  });

  const put = (TableName: string, pk: string) => ({
    Put: {
      TableName,
      Item: { pk: { S: pk } },
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    },
  });

  it('write to no table when one condition fails, and return the item in the way', async () => {
    await clients.dynamo.send(
      new PutItemCommand({ TableName: 'ledger', Item: { pk: { S: 'taken' }, owner: { S: 'first' } } }),
    );
    await expect(
      clients.dynamo.send(
        new TransactWriteItemsCommand({ TransactItems: [put('loans', 'new'), put('ledger', 'taken')] }),
      ),
    ).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'taken' }, owner: { S: 'first' } } },
      ],
    });
    const { Item } = await clients.dynamo.send(new GetItemCommand({ TableName: 'loans', Key: { pk: { S: 'new' } } }));
    expect(Item).toBeUndefined();
  });

  it('take effect once for one token', async () => {
    const transaction = { ClientRequestToken: 'token-1', TransactItems: [put('loans', 'L1'), put('ledger', 'L1')] };
    await clients.dynamo.send(new TransactWriteItemsCommand(transaction));
    await clients.dynamo.send(new TransactWriteItemsCommand(transaction));
    await expect(
      clients.dynamo.send(new TransactWriteItemsCommand({ ...transaction, TransactItems: [put('loans', 'L2')] })),
    ).rejects.toMatchObject({ name: 'IdempotentParameterMismatchException' });
  });

  it('are logged with the write units they consume', async () => {
    const before = (await emulator.control.calls()).at(-1)?.seq ?? 0;
    await clients.dynamo.send(
      new TransactWriteItemsCommand({ TransactItems: [put('loans', 'L3'), put('ledger', 'L3')] }),
    );
    const answer = await clients.dynamo.send(new PutItemCommand({ TableName: 'loans', Item: { pk: { S: 'L4' } } }));
    expect(answer.ConsumedCapacity).toBeUndefined();
    expect(await emulator.control.calls(before)).toMatchObject([
      { service: 'dynamodb', action: 'TransactWriteItems', writeUnits: 4, accountId: hubAccount, statusCode: 200 },
      { service: 'dynamodb', action: 'PutItem', writeUnits: 1, principalArn: `arn:aws:iam::${hubAccount}:root` },
    ]);
  });
});

describe('ordered faults', () => {
  const putLoan = (pk: string, owner = clients) =>
    owner.dynamo.send(new PutItemCommand({ TableName: 'loans', Item: { pk: { S: pk } } }));
  const exists = async (pk: string) => {
    const { Item } = await clients.dynamo.send(new GetItemCommand({ TableName: 'loans', Key: { pk: { S: pk } } }));
    return Item !== undefined;
  };

  it('happen before or after the call takes effect, so many times, only where they match', async () => {
    const fault = { service: 'dynamodb', action: 'PutItem', accountId: hubAccount };
    await emulator.control.addFault({ ...fault, match: '"early"', errorCode: 'ThrottlingException' });
    await emulator.control.addFault({ ...fault, match: '"late"', errorCode: 'InternalServerError', when: 'after' });
    await putLoan('unmatched');
    await expect(putLoan('early')).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await exists('early')).toBe(false);
    await expect(putLoan('late')).rejects.toMatchObject({
      name: 'InternalServerError',
      $metadata: { httpStatusCode: 500 },
    });
    expect(await exists('late')).toBe(true);
    await putLoan('early');
    await emulator.control.addFault({ ...fault, accountId: lenderAccount, errorCode: 'ThrottlingException' });
    await putLoan('in another account');
  });

  it('crash a step after it ran', async () => {
    await emulator.control.addFault({
      service: 'lambda',
      action: 'Invoke',
      match: 'flaky',
      errorCode: 'Runtime.ExitError',
      when: 'after',
    });
    const execution = await run('crashed', { Double: { ...call({ n: 1 }), End: true } });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Runtime.ExitError' });
  });

  it('also fail an invocation over the API', async () => {
    await emulator.control.addFault({ service: 'lambda', action: 'Invoke', errorCode: 'Runtime.ExitError' });
    const answer = await clients.lambda.send(new InvokeCommand({ FunctionName: 'flaky', Payload: '{"n":1}' }));
    expect(answer.FunctionError).toBe('Unhandled');
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toMatchObject({ errorType: 'Runtime.ExitError' });
  });

  it('are refused when they are wrong', async () => {
    await expect(
      emulator.control.addFault({ service: 'dynamodb', action: 'PutItem', errorCode: 'X', times: 0 }),
    ).rejects.toThrow(/times must be a whole number of 1 or more/);
    await expect(emulator.control.setInstances({ startSeconds: -1 })).rejects.toThrow(/must be 0 or more/);
  });

  it('are forgotten with the log when told so', async () => {
    await emulator.control.resetCalls();
    expect(await emulator.control.calls()).toEqual([]);
  });
});
