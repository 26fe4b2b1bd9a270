import { describe, expect, it } from '@jest/globals';
import { rowsByLevel } from '../../../core/forecast/distribution.ts';
import { QUANTILE_LEVELS } from '../../../core/forecast/forecast.ts';
import type { ForecastMember, ForecastSeries } from '../../../core/forecast/member.ts';
import { NORMAL_QUANTILES } from '../../../core/forecast/normal-quantiles.ts';
import { seasonalNaive } from '../../../core/forecast/seasonal-naive.ts';
import type { SeriesRequest } from '../../../core/forecast/series-forecast.ts';
import { forecastSeries } from '../../../core/forecast/series-forecast.ts';
import { noise } from './simulated.ts';

const seriesOf = (values: readonly number[], seasons: readonly number[] = []): ForecastSeries => ({
  values,
  stepSeconds: 3_600,
  startMillis: 0,
  seasons,
});

function forecast(
  series: ForecastSeries,
  members: readonly ForecastMember[] = [],
  request: Partial<SeriesRequest> = {},
) {
  return forecastSeries(series, members, seasonalNaive, {
    horizonSteps: 5,
    threshold: 1e9,
    nonNegative: true,
    measuredValues: series.values,
    withinTime: (_, work) => work,
    ...request,
  });
}

/** Goes on in a straight line through the last two values. */
const line: ForecastMember = {
  name: 'line',
  forecastFrom({ values }, origins, horizonSteps) {
    const from = (origin: number) => {
      const last = values[origin - 1] ?? Number.NaN;
      const slope = last - (values[origin - 2] ?? Number.NaN);
      return { points: Array.from({ length: horizonSteps }, (_, step) => last + slope * (step + 1)) };
    };
    return Promise.resolve(origins.map(from));
  },
};
/** A member's quantiles, from how many standard deviations they lie from the median. */
const normal = (row: (deviations: number) => number[]) =>
  rowsByLevel(QUANTILE_LEVELS.map((level) => row(NORMAL_QUANTILES[level])));
const failing = (name: string, reason: string): ForecastMember => ({
  name,
  forecastFrom: () => Promise.reject(new Error(reason)),
});

const rising = seriesOf(Array.from({ length: 100 }, (_, step) => step));
const DAY = 24;
/** Days of a daily shape and noise; the last day lies higher by a shift. */
function daily(days: number, seed: number, shift = 0): ForecastSeries {
  const shock = noise(seed);
  const at = (step: number) => 100 + 20 * Math.sin((2 * Math.PI * step) / DAY) + 3 * shock();
  return seriesOf(
    Array.from({ length: DAY * days }, (_, step) => at(step) + (step >= DAY * (days - 1) ? shift : 0)),
    [DAY],
  );
}

describe('forecastSeries', () => {
  it('is certain of a constant', async () => {
    const constant = seriesOf(Array.from({ length: 100 }, () => 5));
    const made = await forecast(constant, [], { threshold: 5 });
    for (const level of QUANTILE_LEVELS) expect(made.quantiles[level]).toEqual([5, 5, 5, 5, 5]);
    for (const value of made.mean) expect(value).toBeCloseTo(5, 12);
    expect(made.bottleneck).toMatchObject({ thresholdUnits: 5, probability: 1, bySlot: [1, 1, 1, 1, 1] });
    expect(made.bottleneckAt(5.01)).toMatchObject({ thresholdUnits: 5.01, probability: 0 });
    expect(made.models).toEqual([{ name: 'seasonal-naive', weight: 1, backtestMase: null }]);
    expect(made.confidence).toMatchObject({ backtestCoverage: { '0.8': 1, '0.95': 1 }, drifted: false });
  });

  it('follows the member that is right, and leaves out the one that is not', async () => {
    const behind: ForecastMember = {
      name: 'behind',
      forecastFrom: (_, origins) =>
        Promise.resolve(origins.map((origin) => ({ points: Array.from({ length: 5 }, () => origin - 13) }))),
    };
    const made = await forecast(rising, [behind, line], { threshold: 103 });
    for (const level of QUANTILE_LEVELS) expect(made.quantiles[level]).toEqual([100, 101, 102, 103, 104]);
    // Over a span of 12 steps the series changes by 12; repeating the last value errs by 1 to 5, a lag of 13 by 13 to 17.
    expect(made.models).toEqual([
      { name: 'line', weight: 1, backtestMase: 0 },
      { name: 'behind', weight: 0, backtestMase: 1.25 },
      { name: 'seasonal-naive', weight: 0, backtestMase: 0.25 },
    ]);
    expect(made.reasons[0]).toBe('line alone');
    const { probability, bySlot } = made.bottleneck;
    expect(bySlot.slice(0, 3)).toEqual([0, 0, 0]);
    expect(bySlot.slice(3)).toEqual([probability, probability]);
    // Every course reaches it; it was never reached before, which has a say too.
    expect(probability).toBeGreaterThan(0.5);
    expect(probability).toBeLessThan(1);
  });

  it('compares errors with how much the series changed before them', async () => {
    const steeper = seriesOf(rising.values.map((step) => (step <= 70 ? step : 70 + 2 * (step - 70))));
    const made = await forecast(steeper, []);
    // From the first origin on the last value is 2 to 10 behind; until then the series changed by 12 over 12 steps.
    expect(made.models[0]?.backtestMase).toBeCloseTo(0.5, 9);
  });

  it('names members that failed or were late, and is otherwise made as without them', async () => {
    const late: ForecastMember = { name: 'late', forecastFrom: () => new Promise<never>(() => undefined) };
    const diverging: ForecastMember = {
      name: 'diverging',
      forecastFrom: (_, origins) => Promise.resolve(origins.map(() => ({ points: [1, 2, 3, 4, 1e35] }))),
    };
    const silent: ForecastMember = {
      name: 'silent',
      forecastFrom: (_, origins) => Promise.resolve(origins.map(() => undefined)),
    };
    const made = await forecast(rising, [failing('trapped', 'unreachable'), line, late, silent, diverging], {
      withinTime: (name, work) => (name === 'late' ? Promise.reject(new Error('took more than 5 s')) : work),
    });
    const alone = await forecast(rising, [line]);
    expect(made.models.slice(0, 2)).toEqual(alone.models);
    expect(made.models.slice(2)).toEqual([
      { name: 'trapped', weight: 0, backtestMase: null, failed: 'unreachable' },
      { name: 'late', weight: 0, backtestMase: null, failed: 'took more than 5 s' },
      { name: 'diverging', weight: 0, backtestMase: null, failed: expect.stringContaining('diverged') },
    ]);
    expect(made.quantiles).toEqual(alone.quantiles);
    expect(made.reasons).toEqual([
      ...alone.reasons,
      'trapped did not take part: unreachable',
      'late did not take part: took more than 5 s',
      expect.stringMatching(/^diverging did not take part: diverged/),
    ]);
  });

  it('asks only the floor about a history too short for a backtest', async () => {
    let asked = 0;
    const counting: ForecastMember = {
      name: 'counting',
      forecastFrom(series, origins, horizonSteps) {
        asked += 1;
        return line.forecastFrom(series, origins, horizonSteps);
      },
    };
    const made = await forecast(seriesOf([1, 2]), [counting]);
    expect(made.quantiles['0.5']).toEqual([2, 2, 2, 2, 2]);
    expect(made.models).toEqual([{ name: 'seasonal-naive', weight: 1, backtestMase: null }]);
    expect(made.confidence.backtestCoverage).toBeNull();
    const eleven = await forecast(seriesOf(rising.values.slice(0, 11)), [counting]);
    expect(eleven.confidence.level).toBeLessThan(0.5);
    expect(eleven.confidence.level).toBeGreaterThan(made.confidence.level);
    expect(asked).toBe(0);
    await forecast(seriesOf(rising.values.slice(0, 12)), [counting]);
    expect(asked).toBe(1);
  });

  it('rejects a series without values', async () => {
    await expect(forecast(seriesOf([]))).rejects.toThrow(
      new RangeError('a series without values cannot be forecast: expected at least one'),
    );
  });

  it('cannot be negative where demand cannot', async () => {
    const falling = seriesOf(rising.values.map((step) => 99 - step));
    const cut = await forecast(falling, [line]);
    expect(cut.quantiles['0.5']).toEqual([0, 0, 0, 0, 0]);
    expect(Math.min(...cut.mean, ...cut.quantiles['0.025'])).toBe(0);
    const free = await forecast(falling, [line], { nonNegative: false });
    expect(free.quantiles['0.5']).toEqual([-1, -2, -3, -4, -5]);
    expect(free.mean[4]).toBeCloseTo(-5, 9);
  });

  it('never leaves what the history allows, however wide the members are', async () => {
    const wide: ForecastMember = {
      name: 'wide',
      forecastFrom: (_, origins, horizonSteps) => {
        const row = (value: number) => Array.from({ length: horizonSteps }, () => value);
        const quantiles = normal((z) => row(99 + 140 * z));
        return Promise.resolve(origins.map((origin) => ({ points: row(origin), quantiles })));
      },
    };
    const made = await forecast(rising, [wide], { nonNegative: false });
    expect(made.models[0]?.name).toBe('wide');
    expect(Math.max(...made.quantiles['0.975'])).toBeLessThanOrEqual(99 + 3 * 99);
    expect(Math.min(...made.quantiles['0.025'])).toBeGreaterThanOrEqual(-3 * 99);
  });
});

describe('confidence', () => {
  it('falls when the newest season left the forecast, which is called drift', async () => {
    const [before, after] = await Promise.all([0, 80].map((shift) => forecast(daily(20, 91, shift))));
    expect(before?.confidence.drifted).toBe(false);
    expect(after?.confidence.drifted).toBe(true);
    expect(after?.confidence.level).toBeLessThan(0.6 * (before?.confidence.level ?? 0));
    const saysSo = expect.stringContaining('demand has changed');
    expect(after?.reasons).toContainEqual(saysSo);
    expect(before?.reasons).not.toContainEqual(saysSo);
  });

  it('falls with intervals that did not hold what they said', async () => {
    const series = daily(20, 98);
    // Right about its outermost levels, and about the others when its deviation is that of the noise.
    const knowing = (deviation: number): ForecastMember => ({
      name: 'knowing',
      forecastFrom: (_, origins, horizonSteps) =>
        Promise.resolve(
          origins.map((origin) => {
            const at = (z: number) => (_: unknown, step: number) =>
              100 + 20 * Math.sin((2 * Math.PI * (origin + step)) / DAY) + z * (Math.abs(z) > 1.9 ? 3 : deviation);
            const row = (z: number) => Array.from({ length: horizonSteps }, at(z));
            return { points: row(0), quantiles: normal(row) };
          }),
        ),
    });
    const request = { horizonSteps: DAY };
    const right = await forecast(series, [knowing(3)], request);
    const narrow = await forecast(series, [knowing(0.5)], request);
    expect(right.confidence.backtestCoverage?.['0.8']).toBeGreaterThan(0.7);
    expect(narrow.confidence.backtestCoverage?.['0.8']).toBeLessThan(0.5);
    expect([right.confidence.drifted, narrow.confidence.drifted]).toEqual([false, false]);
    expect(narrow.confidence.level).toBeLessThan(0.7 * right.confidence.level);
  });

  it('grows with the length of the history', async () => {
    const levels = await Promise.all(
      [3, 7, 14, 28].map(async (days) => (await forecast(daily(days, 92))).confidence.level),
    );
    expect(levels[0]).toBeLessThan(levels[1] ?? Number.NaN);
    expect(levels[1]).toBeLessThan(levels[2] ?? Number.NaN);
    expect(levels[1]).toBeLessThanOrEqual(0.5);
    expect(levels[3]).toBeGreaterThan(0.9);
  });
});

describe('intervals', () => {
  it('hold what they say of a day to come', async () => {
    const held = { '0.8': 0, '0.95': 0, all: 0 };
    for (let seed = 1; seed <= 60; seed += 1) {
      const { values } = daily(15, seed);
      const made = await forecast(seriesOf(values.slice(0, -DAY), [DAY]), [], { horizonSteps: DAY });
      for (const [step, value] of values.slice(-DAY).entries()) {
        const at = (level: (typeof QUANTILE_LEVELS)[number]) => made.quantiles[level][step] ?? Number.NaN;
        held.all += 1;
        if (value >= at('0.1') && value <= at('0.9')) held['0.8'] += 1;
        if (value >= at('0.025') && value <= at('0.975')) held['0.95'] += 1;
      }
    }
    expect(Math.abs(held['0.8'] / held.all - 0.8)).toBeLessThan(0.05);
    expect(Math.abs(held['0.95'] / held.all - 0.95)).toBeLessThan(0.03);
  });

  it('widen where earlier forecasts held less than they said, and stay where they did not', async () => {
    const series = daily(15, 93);
    const widthWith = async (coverage?: SeriesRequest['coverage']) => {
      const { quantiles } = await forecast(series, [], coverage === undefined ? {} : { coverage });
      return (quantiles['0.9'][0] ?? 0) - (quantiles['0.1'][0] ?? 0);
    };
    const untold = await widthWith();
    const tracked = { slots: 10_000, untilMillis: 0 };
    expect((await widthWith({ ...tracked, level80: 0.8, level95: 0.95 })) / untold).toBeCloseTo(1, 2);
    expect((await widthWith({ ...tracked, level80: 0.5, level95: 0.7 })) / untold).toBeGreaterThan(1.5);
    expect((await widthWith({ ...tracked, level80: 0.95, level95: 0.99 })) / untold).toBeLessThan(0.8);
  });
});

describe('courses', () => {
  it('go together as the paths of a model do that has some', async () => {
    const shock = noise(94);
    const uncertain = (samplePaths: () => number[][]): ForecastMember => ({
      name: 'uncertain',
      async forecastFrom(series, origins, horizonSteps) {
        const made = await line.forecastFrom(series, origins, horizonSteps);
        return made.map((said) => {
          const points = said?.points ?? [];
          const quantiles = normal((z) => points.map((point) => point + 7 * z));
          return { points, quantiles, samplePaths };
        });
      },
    });
    const paths = 200;
    const together = Array.from({ length: paths }, (_, path) => [path, path, path, path, path]);
    const apart = Array.from({ length: paths }, () => Array.from({ length: 5 }, () => shock()));
    const probabilityOf = async (samplePaths: number[][]) => {
      const { bottleneck, models } = await forecast(rising, [uncertain(() => samplePaths)], { threshold: 111 });
      expect(models[0]).toMatchObject({ name: 'uncertain', weight: 1 });
      return bottleneck.probability;
    };
    expect(await probabilityOf(apart)).toBeGreaterThan(1.2 * (await probabilityOf(together)));
  });
});

describe('events', () => {
  it('multiply the forecast of normal days, and are the first reason', async () => {
    const plain = await forecast(rising, [line]);
    const made = await forecast(rising, [line], {
      effects: { factors: [1, 2, 1, 0.5, 1], deviations: [0, 0, 0, 0, 0], reasons: ['sale: 2 × normal'] },
    });
    expect(made.quantiles['0.5']).toEqual([100, 202, 102, 51.5, 104]);
    expect(made.reasons).toEqual(['sale: 2 × normal', ...plain.reasons]);
  });

  it('count in how often the threshold was reached before', async () => {
    const constant = seriesOf(Array.from({ length: 100 }, () => 5));
    const measuredValues = constant.values.map((value, step) => (step % 10 === 3 ? 50 : value));
    expect((await forecast(constant, [], { threshold: 50 })).bottleneck.probability).toBe(0);
    const made = await forecast(constant, [], { threshold: 50, measuredValues });
    expect(made.bottleneck.probability).toBeGreaterThan(0.05);
    expect(made.bottleneck.probability).toBeLessThan(0.5);
  });
});
