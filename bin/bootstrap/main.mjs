import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { targetNode } from './node-packages.mjs';
import { run } from './processes.mjs';
import { setUp } from './setup.mjs';
import { filesystemErrorLine, SetupError } from './setup-error.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const jest = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];

/** The arguments of Node for each command, given the user's own. */
const commands = {
  setup: undefined,
  start: (args) => ['story/main.ts', ...args],
  bench: (args) => ['bench/main.ts', ...args],
  vopr: (args) => ['--disable-warning=ExperimentalWarning', 'test/simulation/main.ts', ...args],
  test: (args) => [...jest, ...args],
  // The project's name comes last: the option would take the user's arguments for further names.
  'test:unit': (args) => [...jest, ...args, '--selectProjects', 'unit'],
  'test:emulator': (args) => [...jest, ...args, '--selectProjects', 'emulator', 'lending'],
};

async function runCommand([name, ...args]) {
  if (!Object.hasOwn(commands, name ?? '')) {
    throw new SetupError(`unknown command "${name ?? ''}": use one of ${Object.keys(commands).join(', ')}`);
  }
  const stoppedWith = await setUp(root);
  const toArguments = commands[name];
  if (stoppedWith !== undefined || toArguments === undefined) return stoppedWith ?? 0;
  const env = { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter) };
  const { code } = await run(targetNode(root), toArguments(args), { cwd: root, env, stdio: 'inherit' });
  return code;
}

/** Sets up, runs the command and passes its exit code on; a failed set-up is one line on stderr. */
export async function main(args) {
  try {
    process.exitCode = await runCommand(args);
  } catch (error) {
    const line = error instanceof SetupError ? error.message : filesystemErrorLine(error, root);
    if (line === undefined) throw error;
    process.stderr.write(`entangle: ${line}\n`);
    process.exitCode = 1;
  }
}
