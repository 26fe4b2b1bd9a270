// One set-up at a time in a clone: a lock file with its holder, kept fresh while the holder lives.
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

const heartbeatMs = 5_000;
const staleAfterMs = 60_000;
const pollMs = 250;

function createExclusively(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    // On a full disk the file exists but stays empty.
    rmSync(path, { force: true });
    throw error;
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

function holderOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A holder that died leaves a file that nobody refreshes; on the same host its missing process tells at once. */
function isStale(path) {
  const age = ageMs(path);
  if (age === undefined) return false;
  if (age > staleAfterMs) return true;
  const holder = holderOf(path);
  if (holder?.host !== hostname() || !Number.isInteger(holder.pid)) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Only the holder of a second lock may remove a stale one: otherwise two waiters could remove each other's fresh lock. */
function removeStale(path) {
  const guard = `${path}.stale`;
  if (!createExclusively(guard)) {
    if ((ageMs(guard) ?? 0) > staleAfterMs) rmSync(guard, { force: true });
    return;
  }
  try {
    if (isStale(path)) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function refresh(path) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // Somebody removed the lock by hand: the work under way is still worth finishing.
  }
}

/**
 * Runs `work` while no other set-up of this clone runs.
 * @param {string} path the lock file
 * @param {(pid: number | undefined) => void} onWait called once when another set-up is under way
 * @param {() => Promise<T>} work
 * @template T
 */
export async function withLock(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !createExclusively(path); ) {
    if (isStale(path)) {
      removeStale(path);
      continue;
    }
    if (!waited) onWait(holderOf(path)?.pid);
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const heartbeat = setInterval(() => refresh(path), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(path, { force: true });
  }
}
