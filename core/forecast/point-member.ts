import type { ForecastMember, MemberForecast } from './member.ts';
import type { FittedModel, PointModel } from './model.ts';
import { seededRandom } from './random.ts';

/** As many as tell a probability to a few percent. */
const SAMPLE_PATHS = 240;
/** The same for all series: histories of the same steps then draw the shocks of the same moments. */
const SEED = 1;

/**
 * A model of point forecasts as a member. Two fits serve all origins: one to what came before the first of them, which forecasts
 * from each earlier origin with its parameters as they are, and one to everything for the forecast that is wanted.
 */
export function pointMember(model: PointModel): ForecastMember {
  return {
    name: model.name,
    forecastFrom({ values, seasons }, origins, horizonSteps) {
      const fits = new Map<number, FittedModel | undefined>();
      const fitBefore = (origin: number): FittedModel | undefined => {
        if (!fits.has(origin)) fits.set(origin, model.fitTo(values.slice(0, origin), seasons));
        return fits.get(origin);
      };
      const forecasts = origins.map((origin): MemberForecast | undefined => {
        const fitOrigin = origin === values.length ? origin : (origins[0] ?? origin);
        const fitted = fitBefore(fitOrigin);
        if (fitted === undefined) return undefined;
        const points = fitted.forecast(horizonSteps, values.slice(fitOrigin, origin));
        if (origin < values.length) return { points };
        return { points, samplePaths: () => fitted.samplePaths(horizonSteps, SAMPLE_PATHS, seededRandom(SEED)) };
      });
      return Promise.resolve(forecasts);
    },
  };
}
