import { describe, expect, it } from '@jest/globals';
import { frequencyEvents, scoresOf, toldEvents, worstOf } from '../../bench/forecast/outcome.ts';
import type { ForecastWindow } from '../../bench/forecast/windows.ts';
import { cutWindows, HOURLY } from '../../bench/forecast/windows.ts';

const DAY = 24;
const climbing = (hours: number) => ({
  id: 'climbing',
  values: Array.from({ length: hours }, (_, hour) => hour),
  startMillis: 0,
});

describe('cutWindows', () => {
  it('keeps a day for the forecast and at most 14 days before it', () => {
    const [window, ...others] = cutWindows(climbing(20 * DAY), HOURLY);
    expect(others).toEqual([]);
    expect(window).toMatchObject({ id: `climbing@${19 * DAY}`, startMillis: 5 * DAY * 3_600_000, scale: DAY });
    expect(window?.values).toHaveLength(14 * DAY);
    expect(window?.values.at(-1)).toBe(19 * DAY - 1);
    expect(window?.actual).toEqual(Array.from({ length: DAY }, (_, hour) => 19 * DAY + hour));
  });

  it('goes back by origins for as long as there is history, and can pass over the last ones', () => {
    const origins = (cutting: Partial<typeof HOURLY>) =>
      cutWindows(climbing(5 * DAY), { ...HOURLY, ...cutting }).map(({ id }) => id);
    expect(origins({ origins: 9 })).toEqual([4, 3, 2].map((days) => `climbing@${days * DAY}`));
    expect(origins({ origins: 9, skippedOrigins: 1 })).toEqual([3, 2].map((days) => `climbing@${days * DAY}`));
    expect(origins({ origins: 9, fewestHistorySteps: 4 * DAY })).toEqual([`climbing@${4 * DAY}`]);
  });

  it('leaves out a history that never changes from day to day', () => {
    const daily = Array.from({ length: 10 * DAY }, (_, hour) => hour % DAY);
    expect(cutWindows({ id: 'daily', values: daily, startMillis: 0 }, HOURLY)).toEqual([]);
  });
});

const WINDOW: ForecastWindow = {
  id: 'w',
  values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  actual: [12, 0],
  stepSeconds: 3_600,
  startMillis: 0,
  seasons: [2],
  scale: 2,
};
const forecastOf = (points: readonly number[], window = WINDOW) => ({ window, points, failed: [], cpuMillis: 3 });

describe('scoresOf', () => {
  it('divides errors by the scale and by those of repeating the last season', () => {
    const scores = scoresOf([forecastOf([10, 4])]);
    // Repeating 9 and 10 errs by 3 and 10.
    expect(scores).toMatchObject({ n: 1, mase: 1.5, rel: 3 / 6.5, cpuMillis: 3 });
    expect(scores.spl).toBeUndefined();
  });

  it('tells the competition average only where every window has Naive2', () => {
    const competing = { ...WINDOW, naive2: [10, 4] };
    expect(scoresOf([forecastOf([10, 4], competing)]).owa).toBe(1);
    expect(scoresOf([forecastOf([10, 4], competing), forecastOf([10, 4])]).owa).toBeUndefined();
  });
});

describe('worstOf', () => {
  it('puts the largest scaled errors first', () => {
    const [calm, wild] = [
      forecastOf([12, 0], { ...WINDOW, id: 'calm' }),
      forecastOf([0, 0], { ...WINDOW, id: 'wild' }),
    ];
    expect(worstOf([calm, wild]).map(({ window, error }) => [window.id, error])).toEqual([
      ['wild', 3],
      ['calm', 0],
    ]);
  });
});

describe('events', () => {
  it('are passings of the percentiles of the history', () => {
    const events = toldEvents({ ...forecastOf([1, 1]), probabilities: [0.1, 0.2, 0.3] });
    expect(events.map(({ happened }) => happened)).toEqual([true, true, true]);
    const level = { ...WINDOW, actual: [9.2, 0] };
    const told = toldEvents({ ...forecastOf([1, 1], level), probabilities: [0.1, 0.2, 0.3] });
    expect(told).toEqual([
      { probability: 0.1, happened: true },
      { probability: 0.2, happened: false },
      { probability: 0.3, happened: false },
    ]);
  });

  it('do not happen by staying on a plateau', () => {
    const plateau = { ...WINDOW, values: [1, 5, 5, 5, 5, 5], actual: [5, 5] };
    expect(frequencyEvents({ window: plateau })).toEqual(
      [0, 0, 0].map((probability) => ({ probability, happened: false })),
    );
  });
});
