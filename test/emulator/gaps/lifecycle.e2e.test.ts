import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Emulator, startEmulator } from '../../../emulator/emulator.ts';
import { clientsOf, createFunction, createRole, eventually, everything, hubAccount } from './support.ts';

const repoRoot = fileURLToPath(new URL('../../..', import.meta.url));
const chosenEndpoint = process.env['AWS_ENDPOINT_URL'];
const started: Emulator[] = [];

async function start(options: Parameters<typeof startEmulator>[0] = {}): Promise<Emulator> {
  const emulator = await startEmulator(options);
  started.push(emulator);
  return emulator;
}

afterEach(async () => {
  if (chosenEndpoint === undefined) delete process.env['AWS_ENDPOINT_URL'];
  else process.env['AWS_ENDPOINT_URL'] = chosenEndpoint;
  await Promise.all(started.splice(0).map((emulator) => emulator.stop()));
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const gone = (endpoint: string) =>
  eventually(
    () =>
      fetch(`${endpoint}/_entangle/health`).then(
        () => undefined,
        () => true,
      ),
    `${endpoint} gone`,
  );

const stateDirectories = () => readdirSync(tmpdir()).filter((name) => name.startsWith('entangle-emulator-'));

/** A Lambda worker of the emulator, as its process id. */
async function workerOf(endpoint: string): Promise<number> {
  const clients = clientsOf(endpoint, hubAccount);
  const role = await createRole(clients, 'worker', 'lambda.amazonaws.com', everything);
  await createFunction(clients, 'worker', role, 'export const handler = async () => process.pid;');
  const { Payload } = await clients.lambda.send(new InvokeCommand({ FunctionName: 'worker' }));
  return Number(Buffer.from(Payload ?? []).toString());
}

describe('the emulator', () => {
  it('ends with its Lambda workers and its files', async () => {
    const before = stateDirectories();
    const emulator = await start();
    const worker = await workerOf(emulator.endpoint);
    expect(isAlive(worker)).toBe(true);
    await emulator.stop();
    await eventually(async () => (isAlive(worker) ? undefined : true), 'the end of the worker');
    expect(stateDirectories().filter((name) => !before.includes(name))).toEqual([]);
    await gone(emulator.endpoint);
  });

  it('ends when the process that started it is killed', async () => {
    const program = `
      import { startEmulator } from ${JSON.stringify(new URL('../../../emulator/emulator.ts', import.meta.url).href)};
      console.log((await startEmulator()).endpoint);
      setInterval(() => {}, 1000);`;
    const { NODE_OPTIONS: _, AWS_ENDPOINT_URL: __, ...env } = process.env;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    });
    const endpoint = await new Promise<string>((resolve, reject) => {
      createInterface({ input: parent.stdout }).once('line', resolve);
      parent.once('exit', () => reject(new Error('the parent ended early')));
    });
    const worker = await workerOf(endpoint);
    parent.kill('SIGKILL');
    await gone(endpoint);
    await eventually(async () => (isAlive(worker) ? undefined : true), 'the end of the worker');
  });

  it('refuses a taken port with one line that says what to do', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      await expect(startEmulator({ port })).rejects.toThrow(
        new RegExp(`^the emulator did not start: port ${port} on 127\\.0\\.0\\.1 cannot be used .*choose another port`),
      );
    } finally {
      server.close();
    }
  });

  it('logs where it is told to', async () => {
    const logFile = join(tmpdir(), `entangle-log-${process.pid}.log`);
    const emulator = await start({ logFile });
    expect(emulator.logFile).toBe(logFile);
    expect(readFileSync(logFile, 'utf8')).toContain(`on port ${emulator.port}`);
    rmSync(logFile);
  });

  it('is not started when AWS_ENDPOINT_URL names another one', async () => {
    process.env['AWS_ENDPOINT_URL'] = 'http://localhost:4566/';
    const emulator = await startEmulator();
    expect(emulator).toMatchObject({ endpoint: 'http://localhost:4566', external: true, port: undefined });
    await expect(emulator.control.calls()).rejects.toThrow(/unset AWS_ENDPOINT_URL/);
    await emulator.stop();
  });
});

describe('the guard', () => {
  const python = join(repoRoot, '.venv', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const run = (code: string) =>
    execFileSync(
      python,
      ['-B', '-c', `import sys; sys.path.insert(0, "emulator")\nfrom gaps import patching\n${code}`],
      {
        cwd: repoRoot,
        stdio: ['ignore', 'pipe', 'pipe'],
        encoding: 'utf8',
      },
    );

  it('names the version it found and the one it needs', () => {
    expect(() => run('patching.check_version("1.5.32")')).toThrow(/ministack 1\.5\.32 is installed.*1\.5\.33/);
    expect(run('patching.check_version("1.5.33")\nprint("fits")')).toBe('fits\n');
  });

  it('names the function that is missing', () => {
    const wrapped = 'patching.wrap(patching, "_gone", lambda original: original)';
    expect(() => run(wrapped)).toThrow(/gaps\.patching\._gone is missing/);
  });
});
