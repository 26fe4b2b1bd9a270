import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { COMMANDS } from '../../cli/commands.ts';
import type { HubApi } from '../../cli/hub-api.ts';
import { hubRegion, runCli } from '../../cli/main.ts';
import { COMMAND_NAMES } from '../../cli/usage.ts';
import type { CircleId } from '../../core/pairing/pairing.ts';
import type { PairingView } from '../../core/pairing/pairing-view.ts';
import { evidenceOf } from '../../core/trust/evidence.ts';
import { trustOf } from '../../core/trust/trust.ts';
import { BORROWER, NOW } from '../support/fixtures.ts';

async function run(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text) };
  return { code: await runCli(argv, {}, streams), out, error };
}

/** A hub whose calls fail unless a test gives them. */
function hubWith(given: Partial<HubApi>): HubApi {
  const refuse = () => Promise.reject(new Error('not expected'));
  const none: HubApi = {
    enrol: refuse,
    consent: refuse,
    giveConsent: refuse,
    revokeConsent: refuse,
    loans: refuse,
    loan: refuse,
    requests: refuse,
    cancelRequest: refuse,
    plans: refuse,
    pairings: refuse,
    acceptPairing: refuse,
    endPairing: refuse,
    trust: refuse,
    recordTrust: refuse,
    stop: refuse,
    resume: refuse,
    switches: refuse,
    limitPairing: refuse,
    organisation: refuse,
    putOrganisation: refuse,
    capacities: refuse,
    bills: refuse,
    recallLoan: refuse,
    renewLoan: refuse,
    audit: refuse,
  };
  return { ...none, ...given };
}

const noFlags = { open: false };

describe('the command line', () => {
  it.each(COMMAND_NAMES)('%s --help tells how it is used and exits 0', async (name) => {
    const { code, out, error } = await run(name, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`entangle ${name}`);
    expect(out).toContain('--json');
    expect(error).toBe('');
  });

  it.each([
    [['bills', '--note', 'x'], 'entangle: --note: only "entangle trust record" takes it'],
    [
      ['lend'],
      'entangle: unknown command "lend": expected enrol, consents, loans, requests, pairings, bills, trust, audit',
    ],
    [['loans'], 'entangle: no hub: give --url or set ENTANGLE_API_URL'],
    [['loans', '--url', 'nowhere'], 'entangle: --url nowhere: expected a URL'],
    [['loans', '--url', 'https://hub.example/v1'], 'names no region: give --region'],
    [['--url', 'https://hub.example/v1', 'forecast'], 'entangle: forecast works offline: name it first'],
    [['loans', '--opened'], "Unknown option '--opened'"],
  ])('%j is refused in one line with exit code 2', async (argv, message) => {
    const { code, out, error } = await run(...argv);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(error).toContain(message);
    expect(error.trimEnd()).not.toContain('\n');
  });

  it('takes the region from the host of the API unless it is stated', () => {
    const url = new URL('https://abc123.execute-api.ap-southeast-2.amazonaws.com/v1');
    expect(hubRegion(url, undefined, { AWS_REGION: 'eu-west-1' })).toBe('ap-southeast-2');
    expect(hubRegion(url, 'us-east-1', {})).toBe('us-east-1');
    expect(hubRegion(new URL('http://localhost:4566'), undefined, { AWS_REGION: 'eu-west-1' })).toBe('eu-west-1');
  });
});

describe('the commands', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'entangle-cli-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('name the file that is not JSON', async () => {
    const path = join(folder, 'pools.json');
    writeFileSync(path, '{"groupName": ');
    await expect(COMMANDS['enrol']?.(hubWith({}), [path], noFlags)).rejects.toThrow(`${path}: `);
    await expect(COMMANDS['consents']?.(hubWith({}), ['put', path], noFlags)).rejects.toThrow(`${path}: `);
  });

  it('enrol every pool of a list', async () => {
    const path = join(folder, 'pools.json');
    writeFileSync(path, '[{"groupName":"a"},{"groupName":"b"}]');
    const names: string[] = [];
    const hub = hubWith({
      enrol: (spec) => {
        names.push(spec.groupName);
        return Promise.resolve({
          spec,
          ownedUnits: 3,
          lentUnits: 0,
          borrowedUnits: 0,
          provisionedUnits: 0,
          version: 1,
        });
      },
    });
    const output = await COMMANDS['enrol']?.(hub, [path], noFlags);
    expect(names).toEqual(['a', 'b']);
    expect(output?.text.split('\n')).toHaveLength(2);
  });

  it('ask only for open loans when told so', async () => {
    const asked: (boolean | undefined)[] = [];
    const hub = hubWith({
      loans: (open) => {
        asked.push(open);
        return Promise.resolve([]);
      },
    });
    expect((await COMMANDS['loans']?.(hub, [], { open: true }))?.text).toBe('no loans');
    await COMMANDS['loans']?.(hub, [], noFlags);
    expect(asked).toEqual([true, false]);
  });

  it('list, accept and end pairings', async () => {
    const pairing = {
      pairingId: 'pr-000000000000000000000001',
      version: 1,
      state: 'proposed',
      lenderPoolId: '222222222222/eu-west-1/web',
      borrowerPoolId: '111111111111/eu-west-1/web',
      acceptances: [],
      reasons: ['same region eu-west-1'],
    } as unknown as PairingView;
    const calls: unknown[] = [];
    const hub = hubWith({
      pairings: async (open) => {
        calls.push(['list', open]);
        return [pairing];
      },
      acceptPairing: async (id) => {
        calls.push(['accept', id]);
        return {
          ...pairing,
          circleId: 'ci-1' as CircleId,
          state: 'accepted-by-one',
          acceptances: [{ accountId: BORROWER, at: NOW }],
        };
      },
      endPairing: async (id) => {
        calls.push(['end', id]);
        return { ...pairing, state: 'ended', endReason: 'declined', confidence: 0.944 };
      },
    });
    const { pairingId } = pairing;
    const text = async (...args: string[]) => (await COMMANDS['pairings']?.(hub, args, { open: true }))?.text;
    expect(await text()).toContain('accepted by nobody; same region eu-west-1');
    expect(await text()).not.toContain('circle');
    const accepted = await text('accept', pairingId);
    expect(accepted).toContain(`accepted by ${BORROWER}`);
    expect(accepted).toContain('in circle ci-1');
    expect(accepted).not.toContain('confidence');
    expect(await text('end', pairingId)).toMatch(/ended .* confidence 94 % .* declined/);
    expect(calls).toEqual([
      ['list', true],
      ['list', true],
      ['accept', pairingId],
      ['end', pairingId],
    ]);
  });

  it('show the trust of the account with its evidence', async () => {
    const evidence = evidenceOf('loan-kept', { evidenceId: 'a', accountId: BORROWER, at: NOW, subject: 'ln-1' });
    const credits = { balanceUnitHours: -2.5, at: NOW };
    const hub = hubWith({ trust: async () => ({ trust: trustOf([evidence], NOW), credits }) });
    const output = await COMMANDS['trust']?.(hub, [], noFlags);
    expect(output?.text).toContain('service  0.80');
    expect(output?.text).toContain('2026-11-04T10:00:00.000Z  loan-kept  ln-1');
    expect(output?.text).toContain('credits  2.5 unit-hours borrowed more than lent');
    expect(output?.json).toMatchObject({ credits });
  });

  it('record what was seen of another account, and say when it was known already', async () => {
    const asked: unknown[] = [];
    const hub = hubWith({
      recordTrust: async (record) => {
        asked.push(record);
        const about = { evidenceId: 'ln-1#payment', accountId: BORROWER, at: NOW, subject: record.subject };
        return { evidence: evidenceOf(record.kind, about), recorded: asked.length === 1 };
      },
    });
    const flags = { ...noFlags, account: BORROWER, kind: 'payment-late', subject: 'ln-1', note: 'nine days' };
    const text = async () => (await COMMANDS['trust']?.(hub, ['record'], flags))?.text;
    expect(await text()).toBe(`payment-late for ln-1 is recorded for ${BORROWER}`);
    expect(await text()).toContain('was recorded already');
    expect(asked[0]).toEqual({ accountId: BORROWER, kind: 'payment-late', subject: 'ln-1', note: 'nine days' });
  });

  it('name the kinds that can be recorded, and what is missing', async () => {
    const record = (flags: object) => COMMANDS['trust']?.(hubWith({}), ['record'], { ...noFlags, ...flags });
    const flags = { account: BORROWER, kind: 'loan-kept', subject: 'ln-1' };
    await expect(record(flags)).rejects.toThrow('--kind loan-kept: expected payment-settled, payment-late');
    await expect(record({ account: BORROWER })).rejects.toThrow('expected: entangle trust record --account');
  });

  it('fail the audit of a chain whose records are gone', async () => {
    const hub = hubWith({ audit: () => Promise.resolve({ records: [], head: { seq: 1, hash: 'a'.repeat(64) } }) });
    const output = await COMMANDS['audit']?.(hub, ['verify'], noFlags);
    expect(output?.failed).toBe(true);
    expect(output?.json).toMatchObject({ intact: false, records: 0 });
  });

  it.each([
    ['audit', []],
    ['consents', ['give']],
    ['enrol', []],
    ['bills', ['2026-11']],
    ['loans', ['ln-1', 'ln-2']],
    ['pairings', ['accept']],
    ['pairings', ['list', 'pr-1']],
    ['pairings', ['decline', 'pr-1']],
    ['pairings', ['end', 'pr-1', 'pr-2']],
    ['trust', ['333333333333']],
  ])('%s refuses the arguments %j and says what it expects', async (name, args) => {
    await expect(COMMANDS[name]?.(hubWith({}), args, noFlags)).rejects.toThrow('expected: entangle');
  });
});
