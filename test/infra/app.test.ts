import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { poolEventsSchema, poolSpecSchema } from '../../functions/adapters/schemas.ts';

/** What `cdk` runs, with a configuration file of that text, or with none. */
function runApp(app: string, configText?: string): { code: number | null; stderr: string; synthesized: boolean } {
  const folder = mkdtempSync(join(tmpdir(), 'entangle-app-'));
  try {
    const path = join(folder, 'entangle.json');
    if (configText !== undefined) writeFileSync(path, configText);
    const outdir = join(folder, 'out');
    const env = { ...process.env, ENTANGLE_CONFIG: path, ENTANGLE_SAMPLES: path, CDK_OUTDIR: outdir };
    const { status, stderr } = spawnSync(process.execPath, [app], { env, encoding: 'utf8' });
    return {
      code: status,
      stderr: stderr.replaceAll(folder, ''),
      synthesized: existsSync(join(outdir, 'manifest.json')),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(['infra/app.ts', 'infra/sample-app.ts'])('%s', (app) => {
  it('answers a missing configuration with one line that names the example, and synthesizes nothing', () => {
    expect(runApp(app)).toEqual({
      code: 1,
      stderr:
        '/entangle.json: expected the configuration file, got ENOENT: copy entangle.example.json to entangle.json and edit it, or set ENTANGLE_CONFIG to its path\n',
      synthesized: false,
    });
  });

  it('answers a wrong configuration with a line for each field, without a stack trace, and synthesizes nothing', () => {
    expect(runApp(app, '{ "hub": { "accountId": 1, "region": "us-east-1", "externalId": "12345678" } }')).toEqual({
      code: 1,
      stderr:
        'hub.accountId: expected 12 digits in quotes, got 1\nlinkedAccounts: expected a list of 1 to 10000 linked accounts, got nothing\n',
      synthesized: false,
    });
  });
});

describe('infra/print-pools.ts', () => {
  const print = (...args: string[]) =>
    spawnSync(process.execPath, ['infra/print-pools.ts', ...args], {
      env: { ...process.env, ENTANGLE_CONFIG: 'entangle.example.json' },
      encoding: 'utf8',
    });

  it('prints the pools of one account in the form in which the API takes them', () => {
    const { status, stdout } = print('222222222222');
    expect(status).toBe(0);
    const printed = z.array(z.looseObject({ events: poolEventsSchema })).parse(JSON.parse(stdout));
    const pools = printed.map(({ events: _, ...stated }) => poolSpecSchema.parse(stated));
    expect(printed[0]?.events.map(({ name }) => name)).toContain('Thanksgiving Day (US)');
    expect(pools.length).toBeGreaterThan(0);
    expect(new Set(pools.map((pool) => pool.accountId))).toEqual(new Set(['222222222222']));
  });

  it('names the accounts that there are when it is asked for another one', () => {
    const { status, stdout, stderr } = print('999999999999');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('222222222222, 333333333333');
  });
});
