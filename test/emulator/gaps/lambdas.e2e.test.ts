import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { type Clients, clientsOf, createFunction, createRole, everything, hubAccount } from './support.ts';

let emulator: Emulator;
let clients: Clients;

beforeAll(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator.endpoint, hubAccount);
  const role = await createRole(clients, 'logger', 'lambda.amazonaws.com', everything);
  const code = `export const handler = async ({ lines, fail }) => {
    for (let line = 1; line <= lines; line += 1) console[line % 2 ? 'log' : 'error']('line ' + line);
    if (fail) throw new RangeError('after ' + lines);
    return { lines };
  };`;
  await createFunction(clients, 'logger', role, code);
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
