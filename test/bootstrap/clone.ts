// A clone with nothing installed, an npm and a Python that only pretend, and nothing else on PATH.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines on stderr that report a failure. */
  readonly errors: readonly string[];
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr or stdout contains the text. */
  readonly says: (text: string) => Promise<void>;
}

export interface Clone {
  readonly folder: string;
  readonly path: (...parts: string[]) => string;
  readonly start: (args: readonly string[], env?: Record<string, string | undefined>) => Started;
  readonly run: (args: readonly string[], env?: Record<string, string | undefined>) => Promise<Ended>;
  /** What the pretended npm and Python were asked to install, in order. */
  readonly installs: () => string[];
  readonly remove: () => void;
}

const fakeNpm = `
const { appendFileSync, mkdirSync, symlinkSync } = require('node:fs');
appendFileSync('installs.log', 'npm ' + process.argv[2] + '\\n');
if (process.env.NPM_SAYS) {
  console.error(process.env.NPM_SAYS);
  process.exit(1);
}
setTimeout(() => {
  mkdirSync('node_modules/.bin', { recursive: true });
  if (!process.env.NPM_BRINGS_NO_NODE) symlinkSync(process.execPath, 'node_modules/.bin/node');
}, Number(process.env.NPM_TAKES_MS ?? 0));
`;

const fakePython = `#!/bin/sh
case "$1 $2" in
  "-c import sys"*) echo "\${PYTHON_VERSION:-3.12.1}" ;;
  "-c import venv"*) test -z "$PYTHON_LACKS_VENV" ;;
  "-m venv") /bin/mkdir -p "$3/bin" && /bin/cp "$0" "$3/bin/python" ;;
  "-m pip")
    echo "pip $*" >> installs.log
    if [ -n "$PIP_SAYS" ]; then echo "$PIP_SAYS" >&2; exit 1; fi ;;
esac
`;

function collect(child: ChildProcess): Started {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      const errors = stderr.split('\n').filter((line) => line.startsWith('entangle: '));
      resolve({ code, stdout, stderr, errors });
    });
  });
  const heard = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const listener = (): void => {
        if (stdout.includes(text) || stderr.includes(text)) resolve();
      };
      listeners.add(listener);
      listener();
    });
  const closedFirst = (text: string): Promise<void> =>
    ended.then(({ stderr: said }) => {
      throw new Error(`it ended without saying "${text}": ${said}`);
    });
  return { child, ended, says: (text) => Promise.race([heard(text), closedFirst(text)]) };
}

/** Makes a clone in a temporary folder; `remove` it after the test. */
export function makeClone(): Clone {
  const folder = mkdtempSync(join(tmpdir(), 'entangle-bootstrap-'));
  const path = (...parts: string[]): string => join(folder, ...parts);
  cpSync(join(root, 'bin'), path('bin'), { recursive: true });
  for (const name of ['emulator', 'story', 'stubs', 'home']) mkdirSync(path(name));
  writeFileSync(path('package-lock.json'), '{}');
  writeFileSync(path('emulator', 'requirements.txt'), 'ministack==1.0.0\n');
  writeFileSync(path('emulator', 'traces-requirements.txt'), 'traces==1.0.0\n');
  writeFileSync(path('stubs', 'npm-cli.js'), fakeNpm);
  writeFileSync(path('stubs', 'python3'), fakePython);
  chmodSync(path('stubs', 'python3'), 0o755);

  const start: Clone['start'] = (args, env = {}) => {
    const base = { HOME: path('home'), PATH: path('stubs'), npm_execpath: path('stubs', 'npm-cli.js') };
    const nodeArgs = args[0]?.startsWith('--import=') ? [args[0]] : [];
    const rest = args.slice(nodeArgs.length);
    return collect(
      spawn(process.execPath, [...nodeArgs, path('bin', 'bootstrap.mjs'), ...rest], {
        cwd: folder,
        env: { ...base, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  };
  return {
    folder,
    path,
    start,
    run: (args, env) => start(args, env).ended,
    installs: () =>
      existsSync(path('installs.log')) ? readFileSync(path('installs.log'), 'utf8').trim().split('\n') : [],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
