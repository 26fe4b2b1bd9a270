import { describe, expect, it } from '@jest/globals';
import type { Backtest } from '../../../core/forecast/backtest.ts';
import { LEVELS, MEDIAN_LEVEL, rowsByLevel } from '../../../core/forecast/distribution.ts';
import type { ForecastMember, MemberForecast } from '../../../core/forecast/member.ts';
import type { MemberRun, WithinTime } from '../../../core/forecast/member-runs.ts';
import { distributionsOf, limitsOf, runMember, simulatedBy } from '../../../core/forecast/member-runs.ts';

const series = { values: [1, 2, 3, 2, 1, 2, 3, 2], stepSeconds: 3_600, startMillis: 0, seasons: [4] };
const backtest: Backtest = { origins: [4, 6], horizonSteps: 2, spanSteps: 4 };
const anyTime: WithinTime = (_, work) => work;

/** A member that says the same at each origin. */
function saying(forecast: MemberForecast | undefined): ForecastMember {
  return { name: 'model', forecastFrom: (_, origins) => Promise.resolve(origins.map(() => forecast)) };
}

const run = (member: ForecastMember, withinTime = anyTime) => runMember(member, series, backtest, 3, withinTime);
const runOf = (past: readonly MemberForecast[], wanted: MemberForecast): MemberRun => ({ name: 'model', past, wanted });

const certain = (points: readonly number[]) => rowsByLevel(LEVELS.map(() => points));

describe('simulatedBy', () => {
  const simulating = (samplePaths: () => number[][]): MemberRun => runOf([], { points: [1, 2], samplePaths });

  it('takes the paths of the first member that has usable ones', () => {
    const broken = simulating(() => {
      throw new Error('no paths');
    });
    const unusable = [simulating(() => []), simulating(() => [[1]]), simulating(() => [[1, Number.NaN]])];
    const usable = simulating(() => [[3, 4]]);
    expect(simulatedBy([runOf([], { points: [1, 2] }), broken, ...unusable, usable], 2)).toEqual([[3, 4]]);
    expect(simulatedBy([broken, ...unusable], 2)).toBeUndefined();
  });
});

describe('limitsOf', () => {
  it('leave room on both sides of the range of the values', () => {
    expect(limitsOf([2, 1, 3])).toEqual({ lowest: -5, highest: 9 });
  });

  it('leave none but for rounding around values that never differ', () => {
    const { lowest, highest } = limitsOf([5, 5]);
    expect(lowest).toBeLessThan(5);
    expect(lowest).toBeGreaterThan(4.999999);
    expect(highest).toBeGreaterThan(5);
    expect(highest).toBeLessThan(5.000001);
  });
});

describe('runMember', () => {
  it('asks for the origins of the backtest and the end of the series, and tells them apart', async () => {
    const asked: unknown[] = [];
    const member: ForecastMember = {
      name: 'model',
      forecastFrom(given, origins, horizonSteps) {
        asked.push(given, origins, horizonSteps);
        return Promise.resolve(origins.map((origin) => ({ points: [1, 2, origin] })));
      },
    };
    expect(await run(member)).toEqual({
      name: 'model',
      past: [{ points: [1, 2, 4] }, { points: [1, 2, 6] }],
      wanted: { points: [1, 2, 8] },
    });
    expect(asked).toEqual([series, [4, 6, 8], 3]);
  });

  it('lets a member have nothing to say, at all or of one origin', async () => {
    expect(await run(saying(undefined))).toBeUndefined();
    const silentOnce: ForecastMember = {
      name: 'model',
      forecastFrom: () => Promise.resolve([undefined, { points: [1, 2, 3] }, { points: [1, 2, 3] }]),
    };
    expect(await run(silentOnce)).toBeUndefined();
    const silentAtTheEnd: ForecastMember = {
      name: 'model',
      forecastFrom: () => Promise.resolve([{ points: [1, 2, 3] }, { points: [1, 2, 3] }, undefined]),
    };
    expect(await run(silentAtTheEnd)).toBeUndefined();
  });

  it.each<readonly [string, MemberForecast, RegExp]>([
    ['too few steps', { points: [1, 2] }, /2 steps where 3 /],
    ['too many steps', { points: [1, 2, 3, 4] }, /4 steps where 3 /],
    ['what is not a number', { points: [1, Number.NaN, 2] }, /not finite/],
    ['what is infinite', { points: [1, 2, Number.POSITIVE_INFINITY] }, /not finite/],
    [
      'infinite quantiles',
      { points: [1, 2, 3], quantiles: { ...certain([1, 2, 3]), '0.9': [2, Number.POSITIVE_INFINITY, 4] } },
      /not finite/,
    ],
    ['too few quantiles', { points: [1, 2, 3], quantiles: { ...certain([1, 2, 3]), '0.5': [2] } }, /1 steps where 3 /],
    [
      'quantiles far away',
      { points: [1, 2, 3], quantiles: { ...certain([1, 2, 3]), '0.975': [2, 1e35, 4] } },
      /diverged/,
    ],
    ['far too much', { points: [1, 2, 1e35] }, /diverged.*-5 to 9/],
    ['far too little', { points: [1, -5.1, 2] }, /diverged.*-5 to 9/],
  ])('says why a member is left out that forecasts %s', async (_, forecast, reason) => {
    expect(await run(saying(forecast))).toEqual({ name: 'model', reason: expect.stringMatching(reason) });
  });

  it('leaves out a member that diverged at an origin of the backtest only', async () => {
    const member: ForecastMember = {
      name: 'model',
      forecastFrom: (_, origins) =>
        Promise.resolve(origins.map((origin) => ({ points: [1, 2, origin === 4 ? 1e9 : 3] }))),
    };
    expect(await run(member)).toMatchObject({ reason: expect.stringContaining('diverged') });
  });

  it('takes the reason from whatever a member fails with', async () => {
    const failing = (forecastFrom: ForecastMember['forecastFrom']) => run({ name: 'model', forecastFrom });
    expect(await failing(() => Promise.reject(new Error('trapped')))).toEqual({ name: 'model', reason: 'trapped' });
    expect(
      await failing(() => {
        throw new TypeError('broke at once');
      }),
    ).toEqual({ name: 'model', reason: 'broke at once' });
    const thrown: unknown = 'unreachable';
    expect(await failing(() => Promise.reject(thrown as Error))).toEqual({ name: 'model', reason: 'unreachable' });
  });

  it('lets its caller end the wait, by name', async () => {
    const late: ForecastMember = { name: 'slow', forecastFrom: () => new Promise<never>(() => undefined) };
    const impatient: WithinTime = (name) => Promise.reject(new Error(`${name} took too long`));
    expect(await run(late, impatient)).toEqual({ name: 'slow', reason: 'slow took too long' });
  });
});

describe('distributionsOf', () => {
  const flat: MemberForecast = { points: [0, 0] };
  const column = (rows: readonly (readonly number[])[], step: number) => rows.map((row) => row[step] ?? Number.NaN);

  it('puts the errors of the backtest around the points', () => {
    const { wanted } = distributionsOf(
      runOf([flat, flat], { points: [100, 200] }),
      [
        [1, 1],
        [-1, -1],
      ],
      4,
    );
    expect(wanted[0]).toEqual([99, 199]);
    expect(wanted[MEDIAN_LEVEL]).toEqual([100, 200]);
    expect(wanted.at(-1)).toEqual([101, 201]);
  });

  it('judges an origin by the errors of the others only', () => {
    const { past, wanted } = distributionsOf(
      runOf([flat, flat, flat], flat),
      [
        [1_000, -1_000],
        [1, -1],
        [1, -1],
      ],
      1,
    );
    expect(Math.max(...column(past[0] ?? [], 0))).toBeLessThanOrEqual(1);
    expect(Math.max(...column(past[1] ?? [], 0))).toBeGreaterThan(100);
    expect(Math.max(...column(wanted, 0))).toBeGreaterThan(100);
  });

  it('judges the only origin by its own errors', () => {
    const { past } = distributionsOf(runOf([flat], flat), [[3, -3]], 1);
    expect(Math.max(...column(past[0] ?? [], 0))).toBeGreaterThan(2.5);
  });

  it('is the points alone where nothing was ever wrong, or compared', () => {
    const points = { points: [4, 5] };
    for (const actuals of [[[4, 5]], [[]]]) {
      const { past, wanted } = distributionsOf(runOf([points], points), actuals, 4);
      for (const rows of [past[0], wanted]) expect(rows).toEqual(LEVELS.map(() => [4, 5]));
    }
  });

  it("takes a member's own quantiles, in order, whatever its errors were", () => {
    const places = LEVELS.map((_, place) => place);
    const own: MemberForecast = {
      points: [MEDIAN_LEVEL],
      quantiles: rowsByLevel(LEVELS.map((_, place) => [places.at(-1 - place) ?? -1])),
    };
    const { wanted, past } = distributionsOf(runOf([own], own), [[100]], 4);
    expect(column(wanted, 0)).toEqual(places);
    expect(past).toEqual([wanted]);
  });
});
