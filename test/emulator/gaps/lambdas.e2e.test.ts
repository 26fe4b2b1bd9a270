import { PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteFunctionConcurrencyCommand, InvokeCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import {
  type Clients,
  clientsOf,
  createFunction,
  createRole,
  eventually,
  everything,
  hubAccount,
  runMachine,
} from './support.ts';

let emulator: Emulator;
let clients: Clients;
let role: string;
let logger: string;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  role = await createRole(clients, 'logger', 'lambda.amazonaws.com', everything);
  const code = `export const handler = async ({ lines, fail }) => {
    for (let line = 1; line <= lines; line += 1) console[line % 2 ? 'log' : 'error']('line ' + line);
    if (fail) throw new RangeError('after ' + lines);
    return { lines };
  };`;
  logger = await createFunction(clients, 'logger', role, code);
});
afterAll(() => emulator?.stop());

async function logOf(payload: object): Promise<{ lines: string[]; log: string; error: string | undefined }> {
  const answer = await clients.lambda.send(
    new InvokeCommand({ FunctionName: 'logger', LogType: 'Tail', Payload: JSON.stringify(payload) }),
  );
  const log = Buffer.from(answer.LogResult ?? '', 'base64').toString('utf8');
  return { log, lines: log.match(/line \d+/g) ?? [], error: answer.FunctionError };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

describe('the log of an invocation', () => {
  it.each([0, 1, 40])('has all %i lines of it in their order, and nothing else', async (lines) => {
    const { log, ...seen } = await logOf({ lines });
    expect(seen).toEqual({ lines: numbered(lines), error: undefined });
    expect(log).not.toContain('end of the invocation');
  });

  it('ends with its own invocation, also when that fails', async () => {
    expect((await logOf({ lines: 3, fail: true })).lines).toEqual(numbered(3));
    expect((await logOf({ lines: 0 })).lines).toEqual([]);
    expect((await logOf({ lines: 2 })).lines).toEqual(numbered(2));
  });
});

describe('a function of which no more may run', () => {
  const throttle = () =>
    clients.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'logger', ReservedConcurrentExecutions: 0 }));
  const admit = () => clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'logger' }));

  it('fails the task of a state machine by the name that AWS gives', async () => {
    await throttle();
    const states = {
      Call: {
        Type: 'Task',
        Resource: logger,
        Catch: [{ ErrorEquals: ['Lambda.TooManyRequestsException'], Next: 'Throttled' }],
        End: true,
      },
      Throttled: { Type: 'Pass', Output: { throttled: true }, End: true },
    };
    const execution = await runMachine(clients, role, 'throttled', states);
    await admit();
    expect(JSON.parse(execution.output ?? 'null')).toEqual({ throttled: true });
  });

  it('gets its event once one may run again', async () => {
    await throttle();
    await clients.events.send(new PutRuleCommand({ Name: 'log', EventPattern: JSON.stringify({ source: ['sent'] }) }));
    await clients.events.send(new PutTargetsCommand({ Rule: 'log', Targets: [{ Id: 'logger', Arn: logger }] }));
    await emulator.control.resetCalls();
    await clients.events.send(
      new PutEventsCommand({ Entries: [{ Source: 'sent', DetailType: 'any', Detail: JSON.stringify({ lines: 1 }) }] }),
    );
    const invoked = async () =>
      (await emulator.control.calls()).filter(({ action, resource }) => action === 'Invoke' && resource === 'logger');
    expect(await invoked()).toEqual([]);
    await admit();
    const calls = await eventually(async () => {
      const found = await invoked();
      return found.length > 0 ? found : undefined;
    }, 'the event reaches the function');
    expect(calls).toHaveLength(1);
  });
});
