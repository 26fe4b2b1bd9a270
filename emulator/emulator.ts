import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectControl, type EmulatorControl, refuseControl } from './control.ts';

/** How to start the emulator. Everything has a default. */
export interface EmulatorOptions {
  /** Enforce IAM as AWS does. Default: false. */
  readonly auth?: boolean;
  /** Port on 127.0.0.1. Default: any free one. */
  readonly port?: number;
  /** Where the emulator logs. Default: a new file in `.entangle/logs/`. */
  readonly logFile?: string;
  /** Variables for the emulator and its Lambda workers, beside the few it takes over from this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running emulator, or the endpoint the user chose with `AWS_ENDPOINT_URL`. */
export interface Emulator {
  readonly endpoint: string;
  /** Undefined when `external`. */
  readonly port: number | undefined;
  /** Undefined when `external`. */
  readonly logFile: string | undefined;
  /** True when `AWS_ENDPOINT_URL` was set and nothing was started. */
  readonly external: boolean;
  /** Faults, instance behaviour and the call log; each rejects when `external`. */
  readonly control: EmulatorControl;
  /** Ends the emulator and its Lambda workers and removes their files. Safe to call twice. */
  stop(): Promise<void>;
}

const repoRoot = fileURLToPath(new URL('..', import.meta.url));
const startMillisMax = 90_000;
const stopMillisMax = 5_000;
const logFilesKeptMax = 50;

/**
 * Starts the emulator on 127.0.0.1 and waits until it answers.
 *
 * Starts nothing when `AWS_ENDPOINT_URL` is set: that endpoint is used instead.
 *
 * @throws Error with one line that says what to do: set-up missing, port taken, or the emulator's log file.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const chosen = process.env['AWS_ENDPOINT_URL'];
  if (chosen !== undefined && chosen !== '') return externalEmulator(chosen);
  const logFile = options.logFile ?? newLogFile();
  mkdirSync(dirname(logFile), { recursive: true });
  const child = launch(pythonPath(), options, logFile);
  const stop = stopper(child);
  try {
    const { endpoint, port } = await readGreeting(child, logFile);
    await waitForHealth(endpoint, child, logFile);
    return { endpoint, port, logFile, external: false, control: connectControl(endpoint, logFile), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function externalEmulator(endpoint: string): Emulator {
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    port: undefined,
    logFile: undefined,
    external: true,
    control: refuseControl(endpoint),
    stop: async () => {},
  };
}

/** In `.entangle/logs/`, where only the newest are kept. */
function newLogFile(): string {
  const directory = join(repoRoot, '.entangle', 'logs');
  mkdirSync(directory, { recursive: true });
  // The names sort by time.
  const logs = readdirSync(directory).filter((name) => /^emulator-.*\.log$/.test(name));
  for (const name of logs.sort().slice(0, -logFilesKeptMax)) rmSync(join(directory, name), { force: true });
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  return join(directory, `emulator-${stamp}-${process.pid}.log`);
}

function pythonPath(): string {
  const candidates = [join('.venv', 'bin', 'python'), join('.venv', 'Scripts', 'python.exe')];
  const found = candidates.map((path) => join(repoRoot, path)).find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(
      'the emulator is not installed (.venv is missing): run `npm start` or `npm test` once, which set it up',
    );
  }
  return found;
}

function launch(python: string, options: EmulatorOptions, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  const launcher = join(repoRoot, 'emulator', 'launcher.py');
  const flags = [...(options.auth === true ? ['--auth'] : []), '--port', String(options.port ?? 0)];
  // Its own process group, so that Lambda workers end with it; stdin's end tells it that this process is gone.
  const child = spawn(python, [launcher, '--watch-stdin', ...flags], {
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'pipe', log],
    env: { ...inheritedEnvironment(), ...options.env },
    windowsHide: true,
  });
  closeSync(log);
  child.stdin?.on('error', () => {});
  return child;
}

/** Only what a process needs to run: the user's AWS profile, NODE_OPTIONS and the like stay out of the emulator. */
function inheritedEnvironment(): Record<string, string> {
  const names = ['HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'windir', 'PATHEXT', 'USERPROFILE'];
  const kept = names.flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  // Lambda workers run `node` from PATH: it has to be the Node that runs this, not the machine's.
  const path = [dirname(process.execPath), join(repoRoot, 'node_modules', '.bin'), process.env['PATH'] ?? ''];
  return {
    ...Object.fromEntries(kept),
    PATH: path.join(delimiter),
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

interface Greeting {
  readonly endpoint: string;
  readonly port: number;
}

async function readGreeting(child: ChildProcess, logFile: string): Promise<Greeting> {
  if (child.stdout === null) throw new Error('the emulator has no standard output');
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(silent(logFile))), startMillisMax);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      act();
    };
    lines.once('line', (text) => settle(() => resolve(text)));
    lines.once('close', () => settle(() => reject(new Error(`the emulator ended while starting: see ${logFile}`))));
    child.once('error', (error) => settle(() => reject(new Error(`the emulator cannot be run: ${error.message}`))));
  });
  lines.close();
  const greeting: unknown = JSON.parse(line);
  if (isGreeting(greeting)) return greeting;
  throw new Error(`the emulator did not start: ${refusalIn(greeting) ?? line} (log: ${logFile})`);
}

function isGreeting(value: unknown): value is Greeting {
  return typeof value === 'object' && value !== null && 'endpoint' in value && 'port' in value;
}

function refusalIn(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'error' in value ? String(value.error) : undefined;
}

function silent(logFile: string): string {
  return `the emulator did not answer within ${startMillisMax / 1000} seconds: see ${logFile}`;
}

async function waitForHealth(endpoint: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + startMillisMax;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the emulator ended while starting: see ${logFile}`);
    const healthy = await fetch(`${endpoint}/_entangle/health`, { signal: AbortSignal.timeout(2_000) })
      .then((response) => response.ok)
      .catch(() => false);
    if (healthy) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(silent(logFile));
}

function stopper(child: ChildProcess): () => Promise<void> {
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let stopping: Promise<void> | undefined;
  return () => {
    stopping ??= stopChild(child, ended);
    return stopping;
  };
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    // Windows has no SIGTERM to catch: there the end of stdin lets the launcher clean up.
    if (process.platform === 'win32') child.stdin?.end();
    else child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMillisMax);
    await ended;
    clearTimeout(timer);
  }
  // Workers the launcher could not end itself (it was killed) are still in its process group.
  if (process.platform !== 'win32') killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left in the group, which is what is wanted.
  }
}
