import { describe, expect, it } from '@jest/globals';
import { storyArguments } from '../../story/arguments.ts';
import { accountName, loanEvent } from '../../story/live.ts';
import { progress } from '../../story/progress.ts';
import { loanOf } from './fixtures.ts';

describe('storyArguments', () => {
  it('has defaults for everything', () => {
    expect(storyArguments([])).toEqual({
      help: false,
      json: false,
      traces: undefined,
      out: undefined,
      speed: undefined,
    });
  });

  it('takes options', () => {
    expect(storyArguments(['--traces', 't', '--out', 'o', '--speed', '60', '--json'])).toEqual({
      help: false,
      json: true,
      traces: 't',
      out: 'o',
      speed: 60,
    });
  });

  it.each([
    [['--fast'], "Unknown option '--fast'"],
    [['--speed', 'fast'], '--speed fast: expected a number above 0'],
    [['--speed', '0'], '--speed 0: expected a number above 0'],
    [['traces'], "Unexpected argument 'traces'"],
  ])('refuses %j', (argv, message) => {
    expect(() => storyArguments(argv)).toThrow(message);
  });
});

describe('progress', () => {
  it('says what begins and how long it took, with the seconds since the start', async () => {
    const lines: string[] = [];
    let now = 5_000;
    const steps = progress(
      (line) => lines.push(line),
      () => now,
    );
    const answer = await steps.step('deploying', () => {
      now += 12_300;
      return Promise.resolve('done');
    });
    expect(answer).toBe('done');
    expect(lines).toEqual(['[  0.0 s] deploying …\n', '[ 12.3 s] deploying: done in 12.3 s\n']);
  });
});

describe('loanEvent', () => {
  const scale = { traceStepSeconds: 300, stepSeconds: 1 };

  it('tells a refusal with its reason and without a lender', () => {
    const { lenderAccountId: _lender, ...request } = loanOf({
      state: 'refused',
      units: 1,
      endDetail: 'nobody can lend',
    });
    expect(loanEvent(request, [], scale)).toBe(
      'ln-000000000000000000000001 is refused: 111111111111 asks for 1 unit, nobody can lend',
    );
  });

  it('tells the term in trace time', () => {
    expect(loanEvent(loanOf({ state: 'active' }), [], scale)).toContain('for up to 3 h 00 min of the trace');
  });

  it('tells who gives back to whom', () => {
    expect(loanEvent(loanOf(), [], scale)).toContain(
      '111111111111 gives 4 units back to 222222222222, billed 0.360000 USD',
    );
  });

  it('names nobody where there is no account', () => {
    expect(accountName([], undefined)).toBe('nobody');
  });
});
