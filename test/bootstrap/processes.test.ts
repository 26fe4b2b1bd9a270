import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Clone, makeClone } from './clone.ts';

let clone: Clone;
beforeEach(() => {
  clone = makeClone();
  mkdirSync(clone.path('.entangle'));
});
afterEach(() => {
  clone.remove();
});

const lock = (): string => clone.path('.entangle', 'setup.lock');
const holdLock = (pid: number): void => writeFileSync(lock(), JSON.stringify({ pid, host: hostname() }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The id of a process that has ended. */
async function endedPid(): Promise<number> {
  const { child, ended } = clone.start(['unknown']);
  await ended;
  return child.pid ?? 0;
}

describe('two set-ups of one clone', () => {
  it('install once', async () => {
    const both = await Promise.all([
      clone.run(['setup'], { NPM_TAKES_MS: '500' }),
      clone.run(['setup'], { NPM_TAKES_MS: '500' }),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(clone.installs().filter((line) => line === 'npm ci')).toHaveLength(1);
    expect(both.filter(({ stderr }) => stderr.includes('waiting for another set-up'))).toHaveLength(1);
  });

  it('wait for one another, and say for whom', async () => {
    holdLock(process.pid);
    const { ended, says } = clone.start(['setup']);
    await says(`waiting for another set-up of this clone (process ${process.pid})`);
    expect(clone.installs()).toEqual([]);
    rmSync(lock());
    expect(await ended).toMatchObject({ code: 0 });
  });
});

describe('a lock left behind', () => {
  it('by a process that ended is taken over', async () => {
    holdLock(await endedPid());
    const { code, stderr } = await clone.run(['setup']);
    expect(stderr).not.toContain('waiting');
    expect({ code, locked: existsSync(lock()) }).toEqual({ code: 0, locked: false });
  });

  it('by nobody who still refreshes it is taken over', async () => {
    holdLock(process.pid);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(lock(), longAgo, longAgo);
    expect(await clone.run(['setup'])).toMatchObject({ code: 0 });
  });
});

describe('a command', () => {
  it('gets its arguments, and passes on its output and exit code', async () => {
    writeFileSync(clone.path('story', 'main.ts'), 'console.log(process.argv.slice(2).join());\nprocess.exit(7);');
    await clone.run(['setup']);
    const { code, stdout, stderr } = await clone.run(['start', '--traces', 'a b']);
    expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: '--traces,a b\n', stderr: '' });
  });

  it("finds the project's tools first on PATH", async () => {
    writeFileSync(clone.path('story', 'main.ts'), 'console.log(process.env.PATH);');
    const { stdout } = await clone.run(['start']);
    expect(stdout.trim()).toBe(`${clone.path('node_modules', '.bin')}:${clone.path('stubs')}`);
  });
});

describe('a signal', () => {
  const story = `
    import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    process.on('SIGINT', () => { console.log('stopping'); process.exit(0); });
    console.log('pid', child.pid, process.pid, 'end');
  `;

  it.each([
    ['SIGINT', 130, true],
    ['SIGTERM', 143, false],
  ] as const)('%s ends the command and all it started', async (signal, code, handled) => {
    writeFileSync(clone.path('story', 'main.ts'), story);
    const { child, ended, says } = clone.start(['start'], { PATH: `${clone.path('stubs')}:/usr/bin:/bin` });
    await says('end\n');
    child.kill(signal);
    const { code: endedWith, stdout } = await ended;
    expect({ endedWith, handled: stdout.includes('stopping') }).toEqual({ endedWith: code, handled });
    const pids = /pid (\d+) (\d+)/.exec(stdout)?.slice(1).map(Number) ?? [];
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('during set-up leaves no lock and no half set-up that counts as whole', async () => {
    const { child, ended, says } = clone.start(['setup'], { NPM_TAKES_MS: '60000' });
    await says('installing the npm packages');
    while (clone.installs().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, errors: [] });
    expect(existsSync(lock())).toBe(false);
    expect(await clone.run(['setup'])).toMatchObject({ code: 0 });
    expect(clone.installs().filter((line) => line === 'npm ci')).toHaveLength(2);
  });
});
