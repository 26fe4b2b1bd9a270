import { describe, expect, it } from '@jest/globals';
import type { ForecastRequest } from '../../../core/forecast/forecaster.ts';
import { createForecaster } from '../../../core/forecast/forecaster.ts';
import type { ForecastMember, ForecastSeries } from '../../../core/forecast/member.ts';
import { BORROWER, specOf } from '../../support/fixtures.ts';
import { noise } from './simulated.ts';

const HOUR = 3_600_000;
const START = 1_000 * 24 * HOUR;
const { poolId } = specOf(BORROWER);
const request: ForecastRequest = { horizonSteps: 3, seasonSteps: [4], thresholdUnits: 30 };
const historyOf = (values: readonly (number | null)[]) => ({
  poolId,
  resource: 'memory' as const,
  stepSeconds: 3_600,
  startMillis: START,
  values,
});

/** Has nothing to say, and keeps what it was asked about. */
function listening(): { member: ForecastMember; heard: ForecastSeries[] } {
  const heard: ForecastSeries[] = [];
  const member: ForecastMember = {
    name: 'listening',
    forecastFrom(series, origins) {
      heard.push(series);
      return Promise.resolve(origins.map(() => undefined));
    },
  };
  return { member, heard };
}

async function heardOf(values: readonly (number | null)[], overrides: Partial<ForecastRequest> = {}) {
  const { member, heard } = listening();
  const made = await createForecaster([member]).forecast(historyOf(values), { ...request, ...overrides });
  return { made, series: heard[0] };
}

/** A season of four steps, over and over. */
const season = (steps: number): number[] => Array.from({ length: steps }, (_, step) => 10 + (step % 4));

describe('what the models see of a history', () => {
  it('is the history itself where it is whole', async () => {
    const { series } = await heardOf(season(20));
    expect(series).toEqual({ values: season(20), stepSeconds: 3_600, startMillis: START, seasons: [4] });
  });

  it('begins with the first known step', async () => {
    const { series, made } = await heardOf([null, null, null, ...season(20)]);
    expect(series?.values).toEqual(season(20));
    expect(series?.startMillis).toBe(START + 3 * HOUR);
    expect(made.startMillis).toBe(START + 23 * HOUR);
  });

  it('is filled at its end, so that the forecast begins where the history ends', async () => {
    const { series, made } = await heardOf([...season(18), null, null, null]);
    expect(series?.values).toEqual(season(21));
    expect(made.startMillis).toBe(START + 21 * HOUR);
    expect(made.quantiles['0.5']).toEqual([11, 12, 13]);
  });

  it('is filled in between', async () => {
    const values = season(24).map((value, step) => (step >= 8 && step < 14 ? null : value));
    expect((await heardOf(values)).series?.values).toEqual(season(24));
  });

  it('has the regressors at the same steps, and what is known of them in advance', async () => {
    const requests = Array.from({ length: 25 }, (_, step) => (step === 5 ? null : step));
    const { series } = await heardOf([null, null, ...season(20)], { regressors: { requests } });
    expect(series?.regressors).toEqual({ requests: requests.slice(2) });
  });

  it('has its normal days only: events are taken out', async () => {
    const shock = noise(95);
    const day = (step: number) => Math.floor(step / 24);
    const values = Array.from(
      { length: 24 * 28 },
      (_, step) => (day(step) % 7 === 6 ? 2 : 1) * (100 + 10 * Math.sin((Math.PI * step) / 12) + shock()),
    );
    const sale = (on: number) => ({
      name: 'sale',
      startMillis: START + on * 24 * HOUR,
      endMillis: START + (on + 1) * 24 * HOUR,
    });
    const { series, made } = await heardOf(values, {
      seasonSteps: [24],
      horizonSteps: 48,
      events: [sale(6), sale(13), sale(20), sale(27), sale(29)],
    });
    expect(Math.max(...values)).toBeGreaterThan(200);
    expect(Math.max(...(series?.values ?? []))).toBeLessThan(150);
    const meanOf = (slots: readonly number[]) => slots.reduce((sum, value) => sum + value, 0) / slots.length;
    const median = made.quantiles['0.5'];
    expect(Math.abs(meanOf(median.slice(0, 24)) - 100)).toBeLessThan(10);
    expect(Math.abs(meanOf(median.slice(24)) - 200)).toBeLessThan(30);
    expect(made.reasons[0]).toContain('sale');
  });
});

describe('a forecast', () => {
  it('says what it is of', async () => {
    const { made } = await heardOf(season(20));
    expect(made).toMatchObject({ poolId, resource: 'memory', stepSeconds: 3_600, startMillis: START + 20 * HOUR });
    // A season that repeats without a change has no scale to measure errors by.
    expect(made.models).toEqual([{ name: 'seasonal-naive', weight: 1, backtestMase: null }]);
  });

  it('is as wide as earlier coverage tells', async () => {
    const shock = noise(96);
    const values = season(200).map((value) => value + shock());
    const widthWith = async (level80: number) => {
      const coverage = { level80, level95: 0.95, slots: 5_000, untilMillis: START };
      const { made } = await heardOf(values, { coverage });
      return (made.quantiles['0.9'][0] ?? 0) - (made.quantiles['0.1'][0] ?? 0);
    };
    expect(await widthWith(0.5)).toBeGreaterThan(1.4 * (await widthWith(0.8)));
  });

  it('waits for its models as long as it is told, and for the floor in any case', async () => {
    const waited: string[] = [];
    const forecaster = createForecaster([listening().member], {
      withinTime(name, work) {
        waited.push(name);
        return work;
      },
    });
    await forecaster.forecast(historyOf(season(20)), request);
    expect(waited).toEqual(['listening']);
  });

  it('is negative only where demand was', async () => {
    const shock = noise(97);
    const around = (middle: number) => Array.from({ length: 60 }, () => middle + shock());
    const lowest = async (values: readonly number[]) => Math.min(...(await heardOf(values)).made.quantiles['0.025']);
    expect(await lowest(around(0).map(Math.abs))).toBe(0);
    expect(await lowest(around(0))).toBeLessThan(0);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('cannot be of %d steps', async (horizonSteps) => {
    await expect(heardOf(season(20), { horizonSteps })).rejects.toThrow(
      new RangeError(`horizon of ${horizonSteps} steps: expected a positive whole number`),
    );
  });

  it.each([[[]], [[null, null]]])('needs one known step (%j)', async (values) => {
    await expect(heardOf(values)).rejects.toThrow(
      new RangeError(`history of memory in ${poolId}: expected at least one known step`),
    );
  });

  it('is made of one known step', async () => {
    const { made } = await heardOf([null, 7, null]);
    expect(made.quantiles['0.5']).toEqual([7, 7, 7]);
    expect(made.startMillis).toBe(START + 3 * HOUR);
  });

  it('rejects an event that cannot be', async () => {
    const events = [{ name: 'sale', startMillis: START, endMillis: START }];
    await expect(heardOf(season(20), { events })).rejects.toThrow(/event "sale" ends no later than it starts/);
  });
});
