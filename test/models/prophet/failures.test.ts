import { afterAll, describe, expect, it } from '@jest/globals';
import { createProphet } from '../../../models/prophet/prophet.ts';

/** Of the thread that stands for the real one. It tells them from the season of the series. */
const FAILURES = { trap: 4, hang: 5, exit: 6, die: 7, wild: 8, 'no number': 9 };

const threadFile = new URL('./failing-thread.mjs', import.meta.url);
const member = createProphet({ fitSeconds: 60, fitsPerThread: 3, threadFile });
const impatient = createProphet({ fitSeconds: 0.5, threadFile });
afterAll(() => Promise.all([member.close(), impatient.close()]));

const values = Array.from({ length: 40 }, (_, step) => step % 3);

async function forecast(season?: number, by = member) {
  const series = { values, stepSeconds: 3_600, startMillis: 0, seasons: season === undefined ? [] : [season] };
  const [first] = await by.forecastFrom(series, [40], 2);
  return first?.points[0] ?? Number.NaN;
}

/** Fits that the thread has made: its forecast is a tenth of them above the middle of the values, which lie 1 to either side. */
const fitsMade = async () => Math.round(((await forecast()) - 1) * 10);

describe('a fit that fails', () => {
  it.each([
    ['trap', 'a fit ended in a WebAssembly trap: unreachable'],
    ['exit', 'the fitting thread ended with exit code 3'],
    ['die', 'the fitting thread failed: out of memory'],
    ['wild', 'the fit diverged: it forecasts 1e+35 after values between 0 and 2'],
    ['no number', 'the fit diverged: it forecasts NaN after values between 0 and 2'],
  ] as const)('says why, and leaves the next fit alone: %s', async (kind, message) => {
    await expect(forecast(FAILURES[kind])).rejects.toThrow(message);
    expect(await fitsMade()).toBeGreaterThanOrEqual(1);
  });

  it('is ended at the time limit, as often as it happens', async () => {
    await expect(forecast(FAILURES.hang, impatient)).rejects.toThrow('a fit took longer than its limit of 0.5 s');
    await expect(forecast(FAILURES.hang, impatient)).rejects.toThrow('a fit took longer than its limit of 0.5 s');
  });

  it('does not fail the fits that wait behind it', async () => {
    const asked = [forecast(FAILURES.trap), fitsMade(), fitsMade()];
    const [trapped, ...waiting] = await Promise.allSettled(asked);
    expect(trapped).toMatchObject({ status: 'rejected' });
    expect(waiting).toMatchObject([{ value: 1 }, { value: 2 }]);
  });
});

describe('the fitting thread', () => {
  it('is another one after as many fits as were allowed', async () => {
    await member.close();
    const made = [await fitsMade(), await fitsMade(), await fitsMade(), await fitsMade()];
    expect(made).toEqual([1, 2, 3, 1]);
  });

  it('that cannot be loaded is an error', async () => {
    const lost = createProphet({ threadFile: new URL('./there-is-none.mjs', import.meta.url) });
    const series = { values, stepSeconds: 3_600, startMillis: 0, seasons: [] };
    await expect(lost.forecastFrom(series, [40], 2)).rejects.toThrow('the fitting thread failed: Cannot find module');
  });
});
