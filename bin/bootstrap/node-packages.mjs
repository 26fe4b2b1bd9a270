// The npm packages, and with them the Node that runs everything else.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { outputOf, runLogged } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

const targetNodeMajor = 24;
const isWindows = process.platform === 'win32';
const platform = `${process.platform}-${process.arch}`;

const stampPath = (root) => join(root, 'node_modules', '.entangle-stamp');
const bundledNode = (root) => join(root, 'node_modules', '.bin', isWindows ? 'node.cmd' : 'node');

function lockKey(root) {
  const lockfile = join(root, 'package-lock.json');
  if (!existsSync(lockfile))
    throw new SetupError('package-lock.json is missing: restore it with git checkout package-lock.json');
  return `${createHash('sha256').update(readFileSync(lockfile)).digest('hex')} ${platform}`;
}

/** True when node_modules was completely installed from the present lockfile on this platform. */
export function nodePackagesAreCurrent(root) {
  const stamp = existsSync(stampPath(root)) ? readFileSync(stampPath(root), 'utf8') : '';
  return stamp === lockKey(root) && targetNode(root) !== undefined;
}

function majorOf(version) {
  return Number.parseInt((version ?? '').replace(/^v/, ''), 10);
}

/** The Node that runs the project's commands: the one among its packages, else this one if new enough. */
export function targetNode(root) {
  if (existsSync(bundledNode(root))) return isWindows ? realNodeOnWindows(root) : bundledNode(root);
  return majorOf(process.version) >= targetNodeMajor ? process.execPath : undefined;
}

function realNodeOnWindows(root) {
  return join(root, 'node_modules', `node-win-${process.arch}`, 'bin', 'node.exe');
}

/** npm as a script for Node to run: the npm that started us, else the one installed with this Node or on PATH. */
function findNpm() {
  const started = process.env.npm_execpath;
  if (started !== undefined && basename(started) === 'npm-cli.js' && existsSync(started)) return started;
  const nodeFolders = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)];
  for (const folder of nodeFolders) {
    const candidates = [
      join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
      join(folder, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
      join(folder, 'npm'),
    ].filter((path) => existsSync(path));
    const script = candidates.map((path) => realpathSync(path)).find((path) => basename(path) === 'npm-cli.js');
    if (script !== undefined) return script;
  }
  throw new SetupError(
    'npm was not found beside Node or on PATH: install it with Node from https://nodejs.org/en/download',
  );
}

const npmFailures = [
  [
    /\bENOSPC\b|no space left on device/i,
    'no disk space left for the npm packages: free about 1 GB and run the command again',
  ],
  [
    /\bEUSAGE\b/,
    'package.json and package-lock.json disagree: restore both with git checkout, or run npm install and node bin/complete-lockfile.mjs',
  ],
  [
    /\bEINTEGRITY\b/,
    'a downloaded npm package does not match its hash in package-lock.json: run npm cache clean --force, then the command again',
  ],
  [/\bE(?:ACCES|PERM|ROFS)\b/, 'npm may not write here: make the clone and the npm cache writable for this user'],
  [
    /\b(?:E40[0-9]|E5\d\d|ETARGET|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|\w*CERT\w*)\b/,
    'an npm package cannot be downloaded: check the network and the registry (npm config get registry), then run the command again',
  ],
];

/** The one line that explains a failed `npm ci`. */
function npmFailureLine(output, code) {
  const known = npmFailures.find(([pattern]) => pattern.test(output));
  return known?.[1] ?? `npm ci failed with exit code ${code}`;
}

/**
 * Installs exactly what package-lock.json names.
 * @throws {SetupError} with what to do
 */
export async function installNodePackages(root, logPath) {
  const key = lockKey(root);
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--no-progress'];
  // npm may be running us on the Node inside node_modules, which npm ci is about to delete.
  const node = process.env.npm_node_execpath ?? process.execPath;
  const { code, stopped, output } = await runLogged(node, [findNpm(), ...args], { cwd: root, logPath });
  if (stopped) return { stoppedWith: code };
  if (code !== 0) throw new SetupError(`${npmFailureLine(output, code)} (full output: ${logPath})`);
  checkTargetNode(root);
  writeFileSync(stampPath(root), key);
  return {};
}

function checkTargetNode(root) {
  const node = targetNode(root);
  if (node !== undefined && majorOf(outputOf(node, ['--version'])) >= targetNodeMajor) return;
  throw new SetupError(
    `no npm package brings Node ${targetNodeMajor} to ${platform}: install Node ${targetNodeMajor} from https://nodejs.org/en/download and run the command again`,
  );
}
