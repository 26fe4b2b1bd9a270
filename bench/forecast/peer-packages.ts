import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const VENV = '.venv-bench';
const isWindows = process.platform === 'win32';
const pythonOf = (venv: string) => join(root, venv, ...(isWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']));

/** A file of pinned requirements, and what a person should know before it is installed. */
export interface Requirements {
  readonly file: string;
  readonly what: string;
}

const stampPath = ({ file }: Requirements) => join(root, VENV, `installed-${file}`);

/** What is installed when it is up to date: the requirements themselves and the Python that they were installed for. */
function stampOf({ file }: Requirements, pythonVersion: string): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'bench', 'forecast', file)));
  return `${hash.digest('hex')} ${pythonVersion}`;
}

function pythonVersion(python: string): string | undefined {
  if (!existsSync(python)) return undefined;
  const { status, stdout } = spawnSync(python, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const LAST_LINES = 3;

/** Runs a command quietly. @throws Error with its last lines when it fails */
async function runQuietly(command: string, args: readonly string[], what: string, signal: AbortSignal): Promise<void> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code === 0) return;
  const last = output.trim().split('\n').slice(-LAST_LINES).join('; ');
  throw new Error(`${what} failed with exit code ${code}: ${last}`);
}

async function install(wanted: Requirements, say: (message: string) => void, signal: AbortSignal): Promise<void> {
  const python = pythonOf(VENV);
  const source = pythonOf('.venv');
  if (pythonVersion(python) === undefined) {
    if (pythonVersion(source) === undefined) throw new Error('.venv has no Python that runs: run npm run setup');
    say(`making ${VENV}`);
    rmSync(join(root, VENV), { recursive: true, force: true });
    mkdirSync(join(root, VENV));
    // So that no tool takes what is in it for the project's own.
    writeFileSync(join(root, VENV, '.gitignore'), '*\n');
    await runQuietly(source, ['-m', 'venv', join(root, VENV)], `making ${VENV}`, signal);
  }
  say(`installing ${wanted.what} into ${VENV} (once)`);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--quiet', '--require-hashes'];
  const path = join(dirname(fileURLToPath(import.meta.url)), wanted.file);
  await runQuietly(python, [...pip, '-r', path], `pip install -r bench/forecast/${wanted.file}`, signal);
  writeFileSync(stampPath(wanted), stampOf(wanted, pythonVersion(python) ?? ''));
}

/**
 * The Python of a virtual environment that holds the requirements, installed if they are not yet.
 * @throws Error with the reason when they cannot be installed
 */
export async function pythonWith(
  requirements: readonly Requirements[],
  say: (message: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const python = pythonOf(VENV);
  for (const wanted of requirements) {
    const version = pythonVersion(python);
    const isCurrent =
      version !== undefined &&
      existsSync(stampPath(wanted)) &&
      readFileSync(stampPath(wanted), 'utf8') === stampOf(wanted, version);
    if (!isCurrent) await install(wanted, say, signal);
  }
  return python;
}
