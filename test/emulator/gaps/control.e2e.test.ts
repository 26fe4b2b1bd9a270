import {
  CreateTableCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  callOf,
  clientsOf,
  createFlaky,
  createRole,
  everything,
  hubAccount,
  lenderAccount,
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

const call = (payload: object) => callOf(flaky, payload);

const run = (name: string, states: object, input: object = {}) => runMachine(clients, role, name, states, input);

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
