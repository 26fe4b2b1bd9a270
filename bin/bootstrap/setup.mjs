// What a clone needs before anything runs, each part installed only when it is missing or out of date.
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { installNodePackages, nodePackagesAreCurrent } from './node-packages.mjs';
import { installPythonPackages, pythonPackagesAreCurrent } from './python-packages.mjs';

const parts = [
  {
    title: 'installing the npm packages',
    logName: 'npm-ci.log',
    isCurrent: nodePackagesAreCurrent,
    install: installNodePackages,
  },
  {
    title: 'installing the emulator and the traces into .venv',
    logName: 'python-packages.log',
    isCurrent: pythonPackagesAreCurrent,
    install: installPythonPackages,
  },
];

// Set-up talks on stderr, so that a command's own output can be piped.
const say = (text) => process.stderr.write(text);

async function installPart(root, part) {
  const startedMs = performance.now();
  say(`set-up: ${part.title} … `);
  let ended = false;
  try {
    const { stoppedWith } = await part.install(root, join(root, '.entangle', 'logs', part.logName));
    ended = stoppedWith === undefined;
    if (ended) say(`${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`);
    return stoppedWith;
  } finally {
    if (!ended) say('\n');
  }
}

/**
 * Installs what is missing. Answers undefined, or the exit code when a signal stopped it.
 * @throws {SetupError} when a part cannot be installed
 */
export async function setUp(root) {
  if (parts.every((part) => part.isCurrent(root))) return undefined;
  const onWait = (pid) => say(`set-up: waiting for another set-up of this clone (process ${pid ?? 'unknown'})\n`);
  return withLock(join(root, '.entangle', 'setup.lock'), onWait, async () => {
    for (const part of parts) {
      if (part.isCurrent(root)) continue;
      const stoppedWith = await installPart(root, part);
      if (stoppedWith !== undefined) return stoppedWith;
    }
    return undefined;
  });
}
