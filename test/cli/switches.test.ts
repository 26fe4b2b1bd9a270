import { describe, expect, it } from '@jest/globals';
import type { HubApi } from '../../cli/hub-api.ts';
import { runCli } from '../../cli/main.ts';
import { resume, stop, switches } from '../../cli/switches.ts';
import { BORROWER, NOW } from '../support/fixtures.ts';

/** A hub that remembers what it was asked. */
function hub(asked: unknown[]): HubApi {
  const answers: Partial<HubApi> = {
    stop: (body) => {
      asked.push(body);
      return Promise.resolve({ answer: { recalled: ['ln-1'], left: 0 }, recalled: ['ln-1'], left: 0 });
    },
    resume: (body) => {
      asked.push(body);
      return Promise.resolve({ accounts: 3 });
    },
    switches: () =>
      Promise.resolve({
        organisation: null,
        accounts: [{ accountId: BORROWER, owner: { stopId: 'st-1', reason: 'drill', at: NOW, recall: true } }],
        pairings: [],
      }),
  };
  return answers as HubApi;
}

describe('the kill switch on the command line', () => {
  it('stops what is named, and says which loans are recalled', async () => {
    const asked: unknown[] = [];
    const { text } = await stop(hub(asked), [], { all: true, recall: true, reason: 'drill' });
    expect(text).toBe('all accounts: no new loans from now on; loans recalled: ln-1');
    await stop(hub(asked), [], { account: BORROWER, reason: 'drill' });
    await resume(hub(asked), [], { pairing: 'pr-1', reason: 'over' });
    expect(asked).toEqual([
      { all: true, reason: 'drill', recall: true },
      { accountId: BORROWER, reason: 'drill', recall: false },
      { pairingId: 'pr-1', reason: 'over' },
    ]);
  });

  /** A hub that recalls some loans with each request. */
  function slowHub(requests: readonly { readonly recalled: readonly string[]; readonly left: number }[]) {
    let made = 0;
    const api = {
      stop: () => {
        const some = requests[made] ?? { recalled: [], left: 0 };
        made += 1;
        return Promise.resolve({ answer: some, ...some });
      },
    };
    return { api: api as Partial<HubApi> as HubApi, made: () => made };
  }

  it('asks again until all loans are recalled', async () => {
    const { api, made } = slowHub([
      { recalled: ['ln-2', 'ln-3'], left: 1 },
      { recalled: ['ln-1', 'ln-2'], left: 0 },
    ]);
    const { text, json } = await stop(api, [], { all: true, recall: true, reason: 'drill' });
    expect(json).toEqual({ recalled: ['ln-1', 'ln-2', 'ln-3'], left: 0 });
    expect(text).toContain('loans recalled: ln-1, ln-2, ln-3');
    expect(made()).toBe(2);
  });

  it('leaves to reconciling what asking again does not recall', async () => {
    const { api, made } = slowHub([
      { recalled: ['ln-1'], left: 2 },
      { recalled: [], left: 2 },
    ]);
    const { text } = await stop(api, [], { all: true, recall: true, reason: 'drill' });
    expect(text).toMatch(/loans recalled: ln-1; 2 more are recalled within a minute, by reconciling$/);
    expect(made()).toBe(2);
  });

  it.each([
    [['--reason', 'x']],
    [['--all', '--account', '1', '--reason', 'x']],
    [['--all']],
    [['--all', '--reason', ' ']],
    [['now', '--all', '--reason', 'x']],
  ])('stop %j is refused with what was expected', async (argv) => {
    const [first, ...rest] = argv;
    const flags = {
      ...(rest.includes('--account') ? { account: BORROWER } : {}),
      ...(argv.includes('--all') ? { all: true } : {}),
      ...(argv.includes('--reason') ? { reason: argv[argv.indexOf('--reason') + 1] } : {}),
    };
    const args = first === 'now' ? [first] : [];
    await expect(stop(hub([]), args, flags)).rejects.toThrow('expected: entangle stop with one of --all');
  });

  it('does not let --recall be forgotten on resume, nor taken by other commands', async () => {
    await expect(resume(hub([]), [], { all: true, recall: true, reason: 'x' })).rejects.toThrow('--recall');
    let error = '';
    const streams = { out: () => undefined, error: (text: string) => void (error += text) };
    expect(await runCli(['loans', '--recall'], {}, streams)).toBe(2);
    expect(error).toContain('--recall: only "entangle stop" takes it');
  });

  it('lists what is stopped, by whom and why', async () => {
    const { text } = await switches(hub([]), []);
    expect(text).toBe(`account ${BORROWER}  by owner  since 2026-11-04T10:00:00.000Z, loans recalled  drill`);
  });
});
