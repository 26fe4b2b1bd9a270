import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  callOf,
  clientsOf,
  createFlaky,
  createMachine,
  createRole,
  endOf,
  eventually,
  everything,
  hubAccount,
  runMachine,
} from './support.ts';

let emulator: Emulator;
let clients: Clients;
let role: string;
let flaky: string;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  role = await createRole(clients, 'all', 'states.amazonaws.com', everything);
  flaky = await createFlaky(clients, role);
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

const outputOf = (execution: { output?: string | undefined }): unknown => JSON.parse(execution.output ?? 'null');

const call = (payload: object) => callOf(flaky, payload);

const run = (name: string, states: object, input: object = {}) => runMachine(clients, role, name, states, input);

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

  it('run a distributed map over items of an object', async () => {
    const Bucket = 'lists';
    await clients.s3.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ['pools.json', 'none.json']) {
      const Body = Key === 'none.json' ? '[]' : '[{"poolId":"a"},{"poolId":"b"}]';
      await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    }
    const each = {
      Each: {
        Type: 'Map',
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSON' },
          Arguments: { Bucket, Key: '{% $states.input.key %}' },
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Keep',
          States: {
            Keep: { Type: 'Pass', Next: 'Name' },
            Name: { Type: 'Succeed', Output: '{% $states.input.poolId %}' },
          },
        },
        End: true,
      },
    };
    expect(outputOf(await run('read', each, { key: 'pools.json' }))).toEqual(['a', 'b']);
    expect(outputOf(await run('read-none', each, { key: 'none.json' }))).toEqual([]);
    expect(await run('read-missing', each, { key: 'missing.json' })).toMatchObject({
      status: 'FAILED',
      error: 'States.ItemReaderFailed',
    });
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

describe('a state machine', () => {
  it('ends when its own time is over', async () => {
    const machine = await createMachine(clients, 'timed', role, {
      TimeoutSeconds: 1,
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', Seconds: 600, End: true } },
    });
    const { executionArn } = await start(machine);
    expect(await endOf(clients, executionArn ?? '')).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
  });
});
