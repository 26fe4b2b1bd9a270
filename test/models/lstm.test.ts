import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { QuantileLevel } from '../../core/forecast/forecast.ts';
import { QUANTILE_LEVELS } from '../../core/forecast/forecast.ts';
import { lstmFeatures } from '../../core/forecast/lstm-features.ts';
import type { ForecastMember, ForecastSeries, MemberForecast } from '../../core/forecast/member.ts';
import { lstmFiles } from '../../models/lstm/files.ts';
import { loadLstm } from '../../models/lstm/lstm.ts';

interface FixtureCase {
  readonly values: readonly number[];
  readonly context: readonly number[];
  readonly horizon: readonly number[];
  readonly statics: readonly number[];
  readonly scale: number;
  readonly quantiles: Readonly<Record<QuantileLevel, readonly number[]>>;
}

const fixture = JSON.parse(readFileSync(new URL('fixtures/lstm-quantiles.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly FixtureCase[];
};

const hourly = (values: readonly number[]): ForecastSeries => ({
  values,
  stepSeconds: 3600,
  startMillis: 0,
  seasons: [24, 168],
});

const steps = (count: number, valueAt: (step: number) => number): number[] =>
  Array.from({ length: count }, (_, step) => valueAt(step));

/** Days with noise that does not repeat; `daySteps` steps each. */
const busy =
  (daySteps: number) =>
  (step: number): number =>
    50 + 20 * Math.sin((step * 2 * Math.PI) / daySteps) + ((step * step * 7919) % 101) / 20;

let member: ForecastMember;

beforeAll(async () => {
  member = await loadLstm();
});

async function forecastAtEnd(series: ForecastSeries, horizonSteps: number): Promise<MemberForecast | undefined> {
  const [forecast] = await member.forecastFrom(series, [series.values.length], horizonSteps);
  return forecast;
}

function atLevel(forecast: MemberForecast | undefined, level: QuantileLevel): readonly number[] {
  return forecast?.quantiles?.[level] ?? [];
}

function expectOrdered(forecast: MemberForecast | undefined, horizonSteps: number): void {
  expect(forecast?.points).toHaveLength(horizonSteps);
  expect(forecast?.points).toEqual(atLevel(forecast, '0.5'));
  for (const [index, level] of QUANTILE_LEVELS.entries()) {
    const values = atLevel(forecast, level);
    expect(values).toHaveLength(horizonSteps);
    expect(values.every(Number.isFinite)).toBe(true);
    const below = QUANTILE_LEVELS[index - 1];
    if (below !== undefined) {
      const lower = atLevel(forecast, below);
      expect(values.every((value, step) => value >= (lower[step] ?? Number.NaN))).toBe(true);
    }
  }
}

describe('the LSTM against the framework that trained it', () => {
  it.each(fixture.cases.map((each): [number, FixtureCase] => [each.values.length, each]))(
    'computes the same inputs and quantiles from %i hours',
    async (_length, expected) => {
      const features = lstmFeatures(expected.values);
      for (const input of ['context', 'horizon'] as const) {
        const sampled = [...(features?.[input] ?? [])].filter((_, index) => index % 7 === 0);
        expect(sampled).toHaveLength(expected[input].length);
        for (const [index, value] of sampled.entries()) expect(value).toBeCloseTo(expected[input][index] ?? 0, 4);
      }
      for (const [index, value] of (features?.statics ?? []).entries()) {
        expect(value).toBeCloseTo(expected.statics[index] ?? Number.NaN, 4);
      }
      const forecast = await forecastAtEnd(hourly(expected.values), 48);
      for (const level of QUANTILE_LEVELS) {
        const differences = atLevel(forecast, level).map((value, hour) =>
          Math.abs(value - (expected.quantiles[level][hour] ?? Number.NaN)),
        );
        expect(Math.max(...differences)).toBeLessThan(1e-4 * expected.scale);
      }
    },
  );
});

describe('the LSTM as a member', () => {
  it('is found with its runtime, and is small', () => {
    const [weights, runtime] = lstmFiles();
    expect(weights?.path).toMatch(/models.lstm.weights\.onnx$/);
    expect(runtime?.path).toMatch(/ort-wasm-simd-threaded\.wasm$/);
    expect(readFileSync(weights?.path ?? '').length).toBeLessThan(6e6);
  });

  it('gives ordered, finite quantiles for any horizon', async () => {
    const series = hourly(steps(500, busy(24)));
    for (const horizonSteps of [1, 24, 48, 100]) expectOrdered(await forecastAtEnd(series, horizonSteps), horizonSteps);
  });

  it('repeats its second day beyond 48 hours, never narrower', async () => {
    const forecast = await forecastAtEnd(hourly(steps(500, busy(24))), 96);
    expect(forecast?.points.slice(48, 72)).toEqual(forecast?.points.slice(24, 48));
    const width = (hour: number): number =>
      (atLevel(forecast, '0.975')[hour] ?? 0) - (atLevel(forecast, '0.025')[hour] ?? 0);
    for (let hour = 48; hour < 96; hour += 1) {
      expect(width(hour)).toBeGreaterThanOrEqual(width(24 + (hour % 24)) - 1e-9);
    }
  });

  it('foresees a clean day better than by chance', async () => {
    const clean = (hour: number): number => 100 + 30 * Math.sin((hour * Math.PI) / 12);
    const forecast = await forecastAtEnd(hourly(steps(336, clean)), 24);
    for (const [hour, value] of (forecast?.points ?? []).entries()) {
      expect(Math.abs(value - clean(336 + hour))).toBeLessThan(2);
    }
  });

  it('scales and shifts with the values', async () => {
    const values = steps(400, busy(24));
    const forecast = await forecastAtEnd(hourly(values), 48);
    for (const [factor, shift] of [
      [1e-3, 0],
      [1, -50],
      [1e6, 3e6],
    ] as const) {
      const moved = await forecastAtEnd(hourly(values.map((value) => value * factor + shift)), 48);
      for (const level of QUANTILE_LEVELS) {
        for (const [hour, value] of atLevel(forecast, level).entries()) {
          expect(((atLevel(moved, level)[hour] ?? Number.NaN) - shift) / factor).toBeCloseTo(value, 2);
        }
      }
    }
  });

  it('says the same of an origin alone, among others, at the same time, and again', async () => {
    const series = hourly(steps(500, busy(24)));
    const origins = steps(70, (index) => 60 + index * 6);
    const together = await member.forecastFrom(series, origins, 24);
    const again = await Promise.all([member.forecastFrom(series, origins, 24), member.forecastFrom(series, [474], 24)]);
    expect(again[0]).toEqual(together);
    expect(again[1][0]?.points).toHaveLength(24);
    const [alone] = await member.forecastFrom(series, [474], 24);
    for (const [hour, value] of (alone?.points ?? []).entries()) {
      expect(together.at(-1)?.points[hour]).toBeCloseTo(value, 3);
    }
    const cut = await forecastAtEnd(hourly(series.values.slice(0, 474)), 24);
    expect(cut).toEqual(alone);
  });

  it('has nothing to say without two days, without a change, or without a day', async () => {
    const series = hourly(steps(300, (step) => (step < 100 ? 4 : busy(24)(step))));
    expect(await member.forecastFrom(series, [0, 47, 90], 24)).toEqual([undefined, undefined, undefined]);
    const values = steps(300, busy(24));
    for (const seasons of [[], [7], [20, 140]]) {
      expect(await member.forecastFrom({ ...hourly(values), seasons }, [300], 24)).toEqual([undefined]);
    }
  });

  it('forecasts 5-minute steps by way of hours', async () => {
    const five = busy(288);
    const withBackup = (step: number): number => five(step) + (step % 12 === 3 ? 15 : 0);
    const values = steps(288 * 9 + 5, withBackup);
    const series = { ...hourly(values), stepSeconds: 300, seasons: [288, 2016] };
    const forecast = await forecastAtEnd(series, 300);
    expectOrdered(forecast, 300);
    const errors = (forecast?.points ?? []).map((value, step) => Math.abs(value - withBackup(values.length + step)));
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(4);
    const blocks = Array.from({ length: 25 }, (_, block) => forecast?.points.slice(block * 12, block * 12 + 12) ?? []);
    // The backup runs in one of the twelve steps of an hour.
    expect(blocks.every((block) => Math.max(...block) - Math.min(...block) > 8)).toBe(true);
  });

  it('survives values at the edges of what numbers hold', async () => {
    for (const size of [1e-300, 1e300]) {
      const forecast = await forecastAtEnd(hourly(steps(200, (step) => busy(24)(step) * size)), 24);
      if (forecast !== undefined) expectOrdered(forecast, 24);
      expect(forecast === undefined || forecast.points.every(Number.isFinite)).toBe(true);
    }
  });
});
