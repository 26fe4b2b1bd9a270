import { describe, expect, it } from '@jest/globals';
import type { ForecastSeries } from '../../../core/forecast/member.ts';
import type { PointModel } from '../../../core/forecast/model.ts';
import { pointMember } from '../../../core/forecast/point-member.ts';

const seriesOf = (values: readonly number[]): ForecastSeries => ({
  values,
  stepSeconds: 3_600,
  startMillis: 0,
  seasons: [4],
});

interface Seen {
  readonly fits: { values: readonly number[]; seasons: readonly number[] }[];
  readonly forecasts: { fitted: readonly number[]; later: readonly number[] }[];
}

/** Repeats the last value it was shown, and writes down what that was; it has nothing to say of fewer values than `least`. */
function spying(least = 1): { model: PointModel; seen: Seen } {
  const seen: Seen = { fits: [], forecasts: [] };
  const model: PointModel = {
    name: 'last value',
    fitTo(values, seasons) {
      seen.fits.push({ values: [...values], seasons });
      if (values.length < least) return undefined;
      return {
        forecast(horizonSteps, later = []) {
          seen.forecasts.push({ fitted: values, later: [...later] });
          const last = [...values, ...later].at(-1) ?? 0;
          return Array.from({ length: horizonSteps }, () => last);
        },
        samplePaths: (horizonSteps, paths) => Array.from({ length: paths }, () => new Float64Array(horizonSteps)),
        inSampleErrors: [],
      };
    },
  };
  return { model, seen };
}

describe('a model of points as a member', () => {
  const values = [10, 11, 12, 13, 14, 15, 16, 17];

  it('is fitted to what came before the first origin, and to everything', async () => {
    const { model, seen } = spying();
    await pointMember(model).forecastFrom(seriesOf(values), [4, 6, 8], 2);
    expect(seen.fits).toEqual([
      { values: [10, 11, 12, 13], seasons: [4] },
      { values, seasons: [4] },
    ]);
  });

  it('forecasts from each origin of a backtest with the first fit and the values up to that origin', async () => {
    const { model, seen } = spying();
    const forecasts = await pointMember(model).forecastFrom(seriesOf(values), [4, 6, 8], 2);
    expect(forecasts.map((forecast) => forecast?.points)).toEqual([
      [13, 13],
      [15, 15],
      [17, 17],
    ]);
    expect(seen.forecasts.map(({ fitted, later }) => [fitted.length, later])).toEqual([
      [4, []],
      [4, [14, 15]],
      [8, []],
    ]);
  });

  it('needs one fit without a backtest', async () => {
    const { model, seen } = spying();
    const [wanted] = await pointMember(model).forecastFrom(seriesOf(values), [8], 3);
    expect(wanted?.points).toEqual([17, 17, 17]);
    expect(seen.fits).toHaveLength(1);
  });

  it('is asked once about too short a beginning, and says nothing of the origins that needed it', async () => {
    const { model, seen } = spying(6);
    const forecasts = await pointMember(model).forecastFrom(seriesOf(values), [4, 6, 8], 1);
    expect(forecasts.map((forecast) => forecast?.points)).toEqual([undefined, undefined, [17]]);
    expect(seen.fits).toHaveLength(2);
  });

  it('bears the name of the model', () => {
    expect(pointMember(spying().model).name).toBe('last value');
  });
});
