import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Clone, makeClone } from './clone.ts';

let clone: Clone;
beforeEach(() => {
  clone = makeClone();
});
afterEach(() => {
  clone.remove();
});

const allInstalls = [
  'npm ci',
  'pip -m pip install --disable-pip-version-check --no-input --require-hashes -r emulator/requirements.txt',
  'pip -m pip install --disable-pip-version-check --no-input --require-hashes --no-deps -r emulator/traces-requirements.txt',
];

/** Makes Node believe that it is of another version, before the bootstrap reads it. */
function pretendNode(version: string): string {
  const script = `Object.defineProperty(process, 'version', { value: 'v${version}' });
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
  return `--import=data:text/javascript,${encodeURIComponent(script)}`;
}

describe('a fresh clone', () => {
  it('is set up with one line a part', async () => {
    const { code, stderr, stdout } = await clone.run(['setup']);
    expect(stderr).toMatch(
      /^set-up: installing the npm packages … [\d.]+ s\nset-up: installing the emulator .* … [\d.]+ s\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(clone.installs()).toEqual(allInstalls);
  });

  it('is set up once: the second run installs and says nothing', async () => {
    await clone.run(['setup']);
    expect(await clone.run(['setup'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(clone.installs()).toEqual(allInstalls);
  });
});

describe('a clone set up before', () => {
  beforeEach(async () => {
    await clone.run(['setup']);
  });

  it('gets its npm packages anew when the lockfile changed', async () => {
    writeFileSync(clone.path('package-lock.json'), '{"changed": true}');
    rmSync(clone.path('node_modules'), { recursive: true });
    await clone.run(['setup']);
    expect(clone.installs()).toEqual([...allInstalls, 'npm ci']);
  });

  it('gets its Python packages anew when a requirement changed', async () => {
    appendFileSync(clone.path('emulator', 'traces-requirements.txt'), 'more==1.0.0\n');
    await clone.run(['setup']);
    expect(clone.installs()).toEqual([...allInstalls, ...allInstalls.slice(1)]);
  });

  it('gets a new .venv when its Python is gone', async () => {
    rmSync(clone.path('.venv', 'bin', 'python'));
    expect(await clone.run(['setup'])).toMatchObject({ code: 0 });
    expect(existsSync(clone.path('.venv', 'bin', 'python'))).toBe(true);
  });

  it('gets a new .venv when its Python became another version', async () => {
    expect(await clone.run(['setup'], { PYTHON_VERSION: '3.13.0' })).toMatchObject({ code: 0 });
    expect(clone.installs()).toEqual([...allInstalls, ...allInstalls.slice(1)]);
  });
});

describe('a failure is one line that says what to do', () => {
  const failures: readonly [string, Record<string, string | undefined>, RegExp][] = [
    ['no Python', { PATH: '/nowhere' }, /Python was not found on PATH: install Python 3\.10 or newer/],
    ['an old Python', { PYTHON_VERSION: '3.9.2' }, /Python 3\.9\.2 \(python3\) is too old: install Python 3\.10/],
    ['a wrong PYTHON', { PYTHON: '/nowhere/python' }, /PYTHON=\/nowhere\/python is not a Python that runs/],
    ['no venv module', { PYTHON_LACKS_VENV: '1' }, /no venv module: .*apt install python3\.12-venv/],
    [
      'no space for pip',
      { PIP_SAYS: 'OSError: [Errno 28] No space left on device' },
      /no disk space left.*python-packages\.log/,
    ],
    [
      'an unreachable index',
      { PIP_SAYS: 'No matching distribution found for x' },
      /cannot be downloaded.*python-packages\.log/,
    ],
    ['a changed wheel', { PIP_SAYS: 'THESE PACKAGES DO NOT MATCH THE HASHES' }, /does not match its pinned hash/],
    ['another pip error', { PIP_SAYS: 'boom' }, /pip install -r .* failed with exit code 1 \(full output: .*\.log\)/],
    ['no space for npm', { NPM_SAYS: 'npm error code ENOSPC' }, /no disk space left for the npm packages.*npm-ci\.log/],
    [
      'an unreachable registry',
      { NPM_SAYS: 'npm error code ENOTFOUND' },
      /cannot be downloaded: check the network.*npm-ci\.log/,
    ],
    ['a package that is gone', { NPM_SAYS: 'npm error code E404' }, /cannot be downloaded/],
    ['a lockfile out of step', { NPM_SAYS: 'npm error code EUSAGE' }, /package\.json and package-lock\.json disagree/],
    ['a changed tarball', { NPM_SAYS: 'npm error code EINTEGRITY' }, /does not match its hash/],
    ['another npm error', { NPM_SAYS: 'boom' }, /npm ci failed with exit code 1 \(full output: .*npm-ci\.log\)/],
    ['no npm', { npm_execpath: undefined, PATH: '/nowhere/at/all' }, /npm was not found beside Node or on PATH/],
  ];

  it.each(failures)('%s', async (_name, env, expected) => {
    const { code, errors, stderr } = await clone.run(['setup'], env);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(expected);
    expect(stderr.endsWith(`${errors[0]}\n`)).toBe(true);
    expect(code).toBe(1);
  });

  it('an old Node', async () => {
    const { code, stderr } = await clone.run([pretendNode('18.20.4'), 'setup']);
    expect(stderr).toMatch(/^entangle: Node 18\.20\.4 is too old: install Node 20 or newer from .*\n$/);
    expect(code).toBe(1);
  });

  it('a platform without a Node of its own, on an older Node', async () => {
    const { code, errors } = await clone.run([pretendNode('20.20.0'), 'setup'], { NPM_BRINGS_NO_NODE: '1' });
    expect(errors.join()).toMatch(/no npm package brings Node 24 to \w+-\w+: install Node 24/);
    expect(code).toBe(1);
  });

  it('a missing requirement file', async () => {
    rmSync(clone.path('emulator', 'requirements.txt'));
    const { errors } = await clone.run(['setup']);
    expect(errors.join()).toMatch(/emulator\/requirements\.txt is missing: restore it/);
  });

  it('an unknown command', async () => {
    const { code, stderr } = await clone.run(['stat']);
    expect(stderr).toMatch(/^entangle: unknown command "stat": use one of setup, start, .*\n$/);
    expect(code).toBe(1);
  });

  it('the full output is in the log that the line names', async () => {
    const { errors } = await clone.run(['setup'], { NPM_SAYS: 'npm error code ENOTFOUND' });
    const log = /full output: (.*)\)/.exec(errors.join())?.[1] ?? '';
    expect(readFileSync(log, 'utf8')).toContain('npm error code ENOTFOUND');
  });
});

describe('after a failure', () => {
  it('the next run sets up what is missing', async () => {
    await clone.run(['setup'], { PIP_SAYS: 'No matching distribution found for x' });
    expect(await clone.run(['setup'])).toMatchObject({ code: 0, errors: [] });
    expect(clone.installs()).toEqual(['npm ci', allInstalls[1], ...allInstalls.slice(1)]);
  });

  it('no lock is left', async () => {
    await clone.run(['setup'], { NPM_SAYS: 'boom' });
    expect(existsSync(clone.path('.entangle', 'setup.lock'))).toBe(false);
  });
});

describe('a platform without a Node of its own', () => {
  it('uses the Node that it was started with, if new enough', async () => {
    writeFileSync(clone.path('story', 'main.ts'), 'console.log(process.execPath);');
    const { stdout } = await clone.run(['start'], { NPM_BRINGS_NO_NODE: '1' });
    expect(stdout.trim()).toBe(process.execPath);
  });
});
