import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

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
