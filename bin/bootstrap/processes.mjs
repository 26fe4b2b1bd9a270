// Child processes: run to the end, pass signals on, leave none behind.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';

const isWindows = process.platform === 'win32';
const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const stopGraceMs = 20_000;
const sweepGraceMs = 2_000;

/** Parents before children: every process started below `pid`. */
function descendantsOf(pid) {
  if (isWindows) return [];
  const listing = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = (listing.stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const found = [];
  for (let parents = [pid]; parents.length > 0; ) {
    const children = pairs.filter(([, parent]) => parents.includes(parent)).map(([child]) => child);
    found.push(...children);
    parents = children;
  }
  return found;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signalQuietly(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

async function sweep(pids) {
  let left = pids.filter(isAlive);
  for (const pid of left) signalQuietly(pid, 'SIGTERM');
  const deadline = Date.now() + sweepGraceMs;
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = left.filter(isAlive);
  }
  for (const pid of left) signalQuietly(pid, 'SIGKILL');
}

/**
 * Runs a command and answers how it ended; `code` is 128 + the signal's number when a signal ended it or stopped us.
 * A signal sent to this process goes on to the child; whatever the child had started and left running is ended too.
 * @throws the spawn error (ENOENT …) when the command cannot be started
 */
export function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    let stoppedBy;
    let offspring = [];
    const stop = (signal) => {
      if (stoppedBy !== undefined) return;
      stoppedBy = signal;
      offspring = descendantsOf(child.pid);
      child.kill(signal);
      setTimeout(() => child.kill('SIGKILL'), stopGraceMs).unref();
    };
    const release = () => forwardedSignals.forEach((signal) => process.off(signal, stop));
    for (const signal of forwardedSignals) process.on(signal, stop);
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('exit', async (code, signal) => {
      if (stoppedBy !== undefined) await sweep(offspring);
      release();
      const endedBy = stoppedBy ?? signal;
      resolve({ code: endedBy ? 128 + constants.signals[endedBy] : code, stopped: stoppedBy !== undefined });
    });
  });
}

/** Like `run`, with the output added to a log file; answers the output of this run too. */
export async function runLogged(command, args, { logPath, ...options }) {
  mkdirSync(dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'w');
  try {
    writeSync(log, `$ ${[command, ...args].join(' ')}\n`);
    const ended = await run(command, args, { ...options, stdio: ['ignore', log, log] });
    return { ...ended, output: readFileSync(logPath, 'utf8') };
  } finally {
    closeSync(log);
  }
}

/** The trimmed standard output of a short command, or undefined when it is missing or fails. */
export function outputOf(command, args) {
  const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return error === undefined && status === 0 ? stdout.trim() : undefined;
}
