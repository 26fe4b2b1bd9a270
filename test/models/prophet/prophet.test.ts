import { afterAll, describe, expect, it } from '@jest/globals';
import { createProphet } from '../../../models/prophet/prophet.ts';
import { DEGENERATE_SERIES, meanAbsoluteError, noise } from '../../core/forecast/simulated.ts';

// A test of accuracy, not of time: the machine may be busy.
const prophet = createProphet({ fitSeconds: 60 });
afterAll(() => prophet.close());

const seriesOf = (values: readonly number[], seasons: readonly number[] = [24], stepSeconds = 3_600) => ({
  values,
  stepSeconds,
  startMillis: Date.UTC(2026, 0, 5),
  seasons,
});

const level = (step: number) => (step < 250 ? 100 + 0.1 * step : 125 - 0.05 * (step - 250));
const daily = (step: number) => 10 * Math.sin((2 * Math.PI * step) / 24) + 4 * Math.cos((4 * Math.PI * step) / 24);
/** A line that turns at step 250, with a daily pattern. */
const truth = (step: number) => level(step) + daily(step);
const random = noise(7);
const noisy = Array.from({ length: 500 }, (_, step) => truth(step) + random());
const wanted = Array.from({ length: 48 }, (_, index) => truth(500 + index));

describe('Prophet', () => {
  it('finds a turn of the trend and a daily pattern again: two days ahead within a noise of 1', async () => {
    const [forecast] = await prophet.forecastFrom(seriesOf(noisy), [500], 48);
    expect(meanAbsoluteError(forecast?.points ?? [], wanted)).toBeLessThan(1);
  });

  it('tells the noise: half of the width of its 80 % is 1.28 times the noise, and grows with the trend’s doubt', async () => {
    const [forecast] = await prophet.forecastFrom(seriesOf(noisy), [500], 480);
    const halfWidth = (step: number) =>
      ((forecast?.quantiles?.['0.9']?.[step] ?? 0) - (forecast?.quantiles?.['0.1']?.[step] ?? 0)) / 2;
    expect(halfWidth(0)).toBeGreaterThan(1.28 * 0.9);
    expect(halfWidth(0)).toBeLessThan(1.28 * 1.2);
    expect(halfWidth(479)).toBeGreaterThan(1.2 * halfWidth(0));
  });

  it('carries the first fit on to the later origins of a backtest, and fits again at the last', async () => {
    const series = seriesOf(noisy);
    const [first, second, last] = await prophet.forecastFrom(series, [380, 404, 500], 48);
    const [alone] = await prophet.forecastFrom(series, [380], 72);
    const [whole] = await prophet.forecastFrom(series, [500], 48);
    expect(first?.points).toEqual(alone?.points.slice(0, 48));
    expect(second?.points).toEqual(alone?.points.slice(24));
    expect(last).toEqual(whole);
  });

  it('uses nothing from after an origin', async () => {
    const changed = [...noisy.slice(0, 380), ...noisy.slice(380).map((value) => value * 3)];
    const [before] = await prophet.forecastFrom(seriesOf(noisy), [380], 24);
    const [after] = await prophet.forecastFrom(seriesOf(changed), [380], 24);
    expect(after).toEqual(before);
  });

  it('forecasts every five minutes from hourly means', async () => {
    const fine = Array.from({ length: 4_032 }, (_, step) => truth(step / 12 + 200) + random());
    const [forecast] = await prophet.forecastFrom(seriesOf(fine, [288, 2_016], 300), [4_032], 288);
    const expected = Array.from({ length: 288 }, (_, index) => truth((4_032 + index) / 12 + 200));
    expect(meanAbsoluteError(forecast?.points ?? [], expected)).toBeLessThan(1);
    const [p10, p90] = [forecast?.quantiles?.['0.1']?.[0] ?? 0, forecast?.quantiles?.['0.9']?.[0] ?? 0];
    expect(p90 - p10).toBeGreaterThan(2 * 1.28 * 0.9);
  });

  it('says the same again, bit for bit, and moves and grows with the values', async () => {
    const whole = noisy.map((value) => Math.round(value * 64));
    const run = (change: (value: number) => number) =>
      prophet.forecastFrom(seriesOf(whole.map(change), [24, 168]), [400, 500], 24);
    const forecast = await run((value) => value);
    expect(await run((value) => value)).toEqual(forecast);
    const doubled = await run((value) => 1_024 * value);
    const moved = await run((value) => value - 8_192);
    for (const [origin, { points, quantiles } = { points: [] }] of forecast.entries()) {
      expect(doubled[origin]?.points).toEqual(points.map((point) => 1_024 * point));
      const upper = quantiles?.['0.9']?.[3] ?? Number.NaN;
      expect(moved[origin]?.points[3]).toBeCloseTo((points[3] ?? Number.NaN) - 8_192, 6);
      expect(moved[origin]?.quantiles?.['0.9']?.[3]).toBeCloseTo(upper - 8_192, 6);
    }
  });

  it.each(DEGENERATE_SERIES)(
    'keeps near what it was shown, has nothing to say, or says why not: %s',
    async (_, values) => {
      const outcome = await prophet
        .forecastFrom(seriesOf(values), [values.length], 24)
        .catch((thrown: Error) => thrown);
      if (outcome instanceof Error) {
        expect(outcome.message).toMatch(/^[^\n]+$/);
        return;
      }
      const [lowest, highest] = [Math.min(...values), Math.max(...values)];
      const excess = (highest - lowest) * 0.5;
      const said = outcome
        .flatMap((forecast) => [forecast?.points ?? [], ...Object.values(forecast?.quantiles ?? {})])
        .flat();
      expect(said.every((value) => value >= lowest - excess && value <= highest + excess)).toBe(true);
    },
  );

  it('has nothing to say of a constant or of seven values', async () => {
    expect(await prophet.forecastFrom(seriesOf(Array.from({ length: 100 }, () => 4)), [50, 100], 5)).toEqual([
      undefined,
      undefined,
    ]);
    expect(await prophet.forecastFrom(seriesOf([1, 2, 3, 4, 5, 6, 7]), [7], 5)).toEqual([undefined]);
    expect(await prophet.forecastFrom(seriesOf([]), [], 5)).toEqual([]);
  });
});
