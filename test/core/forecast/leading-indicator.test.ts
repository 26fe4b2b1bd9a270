import { describe, expect, it } from '@jest/globals';
import { leadingIndicator } from '../../../core/forecast/leading-indicator.ts';
import type { ForecastSeries } from '../../../core/forecast/member.ts';
import { DEGENERATE_SERIES, meanAbsoluteError, noise } from './simulated.ts';

const STEPS = 500;
const LEAD = 3;

/** A series whose value at a step is what an indicator showed three steps earlier, on top of a daily pattern. */
function driven(seed: number, future = 0) {
  const random = noise(seed);
  const indicator: number[] = [];
  for (let step = 0; step < STEPS + 24; step += 1) indicator.push(0.6 * (indicator[step - 1] ?? 0) + random());
  const truth = indicator.map(
    (_, step) => 100 + 10 * Math.sin((2 * Math.PI * step) / 24) + 5 * (indicator[step - LEAD] ?? 0),
  );
  const measured = truth.map((value) => value + 0.3 * random());
  const series: ForecastSeries = {
    values: measured.slice(0, STEPS),
    stepSeconds: 3_600,
    startMillis: 0,
    seasons: [24, 168],
    regressors: { requests: indicator.slice(0, STEPS + future).map((value) => 1_000 + 50 * value) },
  };
  return { series, truth };
}

const withRegressors = (series: ForecastSeries, regressors: ForecastSeries['regressors'] & object): ForecastSeries => ({
  ...series,
  regressors,
});

async function pointsOf(
  series: ForecastSeries,
  horizonSteps = LEAD,
  origins: readonly number[] = [series.values.length],
) {
  const forecasts = await leadingIndicator.forecastFrom(series, origins, horizonSteps);
  return forecasts.map((forecast) => forecast?.points);
}

describe('a regression on leading indicators', () => {
  it('forecasts as far as the indicator leads, with a tenth of the error of the season alone', async () => {
    let error = 0;
    let seasonalError = 0;
    for (const seed of [1, 2, 3, 4]) {
      const { series, truth } = driven(seed);
      const origins = [380, 400, 420, 440, 460, 480, 500];
      const paths = await pointsOf(series, LEAD, origins);
      for (const [index, origin] of origins.entries()) {
        const actual = truth.slice(origin, origin + LEAD);
        error += meanAbsoluteError(paths[index] ?? [], actual);
        seasonalError += meanAbsoluteError(truth.slice(origin - 24, origin - 24 + LEAD), actual);
      }
    }
    expect(error).toBeLessThan(seasonalError / 10);
  });

  it('goes on after that with what the series itself says', async () => {
    const { series, truth } = driven(5);
    const [points] = await pointsOf(series, 24);
    expect(points).toHaveLength(24);
    expect(meanAbsoluteError(points ?? [], truth.slice(STEPS, STEPS + 24))).toBeLessThan(10);
  });

  it('uses what is known in advance at the step itself', async () => {
    const { series, truth } = driven(6, 24);
    const [points] = await pointsOf(series, 24);
    const { series: unknown } = driven(6);
    const [blind] = await pointsOf(unknown, 24);
    const actual = truth.slice(STEPS, STEPS + 24);
    expect(meanAbsoluteError(points ?? [], actual)).toBeLessThan(2);
    expect(meanAbsoluteError(points ?? [], actual)).toBeLessThan(meanAbsoluteError(blind ?? [], actual) / 2);
  });

  it('has nothing to say without regressors, or with one that has nothing to do with the series', async () => {
    const { series } = driven(7);
    const { regressors: _, ...alone } = series;
    expect(await pointsOf(alone)).toEqual([undefined]);
    expect(await pointsOf(series, LEAD, [])).toEqual([]);
    let silent = 0;
    for (let seed = 10; seed < 20; seed += 1) {
      const random = noise(seed);
      const [points] = await pointsOf(withRegressors(series, { weather: series.values.map(() => random()) }));
      silent += Number(points === undefined);
    }
    expect(silent).toBeGreaterThanOrEqual(9);
  });

  it('is not misled by regressors beside the one that helps: constants, gaps, copies and noise', async () => {
    const { series, truth } = driven(8);
    const requests = series.regressors?.['requests'] ?? [];
    const random = noise(9);
    const [alone] = await pointsOf(series);
    const [amid] = await pointsOf(
      withRegressors(series, {
        constant: requests.map(() => 5),
        empty: requests.map(() => null),
        short: [1, 2, 3],
        infinite: requests.map((value, step) => (step % 9 === 0 ? Number.POSITIVE_INFINITY : value)),
        copy: requests.map((value) => (value === null ? null : 2 * value - 7)),
        ...Object.fromEntries(
          Array.from({ length: 8 }, (_, index) => [`noise ${index}`, requests.map(() => random())]),
        ),
        requests: requests.map((value, step) => (step % 50 === 7 ? null : value)),
      }),
    );
    const actual = truth.slice(STEPS, STEPS + LEAD);
    expect(meanAbsoluteError(amid ?? [], actual)).toBeLessThan(meanAbsoluteError(alone ?? [], actual) + 1.5);
  });

  it('uses nothing from after an origin', async () => {
    const { series } = driven(11);
    const later = (values: readonly (number | null)[]) =>
      values.map((value, step) => (step < 400 ? value : 3 * (value ?? 0) + 77));
    const changed = withRegressors(
      { ...series, values: later(series.values).map((value) => value ?? 0) },
      { requests: later(series.regressors?.['requests'] ?? []) },
    );
    const [before] = await pointsOf(series, 12, [400]);
    const [after] = await pointsOf(changed, 12, [400]);
    expect(before).toHaveLength(12);
    expect(after).toEqual(before);
  });

  it.each(DEGENERATE_SERIES)('keeps near what it was shown, or has nothing to say: %s', async (_, values) => {
    const random = noise(12);
    const regressors = {
      same: values.slice(),
      ahead: [...values.slice(2), 1, 2, 3],
      noise: values.map(() => random()),
    };
    const [points] = await pointsOf({ values, stepSeconds: 3_600, startMillis: 0, seasons: [24], regressors }, 24);
    const [lowest, highest] = [Math.min(...values), Math.max(...values)];
    const excess = (highest - lowest) * 0.5;
    expect((points ?? []).every((value) => value >= lowest - excess && value <= highest + excess)).toBe(true);
    expect([0, 24]).toContain(points?.length ?? 0);
  });
});
