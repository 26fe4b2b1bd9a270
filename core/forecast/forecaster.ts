import type { DemandHistory } from '../telemetry/history.ts';
import { historyEndMillis } from '../telemetry/history.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { ForecastCoverage } from './coverage.ts';
import { eventEffects } from './event-effects.ts';
import type { BusinessEvent } from './events.ts';
import { withoutGaps } from './fill-gaps.ts';
import type { Forecast } from './forecast.ts';
import type { ForecastMember, ForecastSeries } from './member.ts';
import type { WithinTime } from './member-runs.ts';
import { shownSeasons } from './model.ts';
import { seasonalNaive } from './seasonal-naive.ts';
import type { OpenForecast } from './series-forecast.ts';
import { forecastSeries } from './series-forecast.ts';

/** What a forecast is made from besides the history itself. */
export interface ForecastRequest {
  /** Slots to forecast, each one step of the history. */
  readonly horizonSteps: number;
  /** Steps after which demand may repeat itself. */
  readonly seasonSteps: readonly number[];
  /** Demand, in units, that counts as a bottleneck. */
  readonly thresholdUnits: number;
  /** Other series at the history's steps, by name; values beyond its end are known in advance. null: unknown. */
  readonly regressors?: Readonly<Record<string, readonly (number | null)[]>>;
  /** Past ones are learned from, future ones expected. */
  readonly events?: readonly BusinessEvent[];
  /** How earlier forecasts of this history turned out. */
  readonly coverage?: ForecastCoverage;
}

/** Makes forecasts with a fixed set of models. */
export interface Forecaster {
  /**
   * @returns a forecast that begins at the end of the history
   * @throws RangeError when nothing is known of any step, the horizon is not a positive whole number, or an event cannot be
   */
  forecast(history: DemandHistory, request: ForecastRequest): Promise<Forecast & Pick<OpenForecast, 'bottleneckAt'>>;
}

export interface ForecasterOptions {
  /** Ends the wait for a model; without it, each may take as long as it likes. */
  readonly withinTime?: WithinTime;
}

const unlimited: WithinTime = (_, work) => work;

/** A history as the models see it: without gaps. @throws RangeError when nothing is known of any step */
function seriesOf(history: DemandHistory, { seasonSteps, regressors }: ForecastRequest): ForecastSeries {
  const span = shownSeasons(history.values.length, seasonSteps)[0] ?? 1;
  const { values, skipped } = withoutGaps(history.values, span);
  if (values.length === 0) {
    throw new RangeError(`history of ${history.resource} in ${history.poolId}: expected at least one known step`);
  }
  const aligned = Object.entries(regressors ?? {}).map(([name, known]) => [name, known.slice(skipped)] as const);
  return {
    values,
    stepSeconds: history.stepSeconds,
    startMillis: history.startMillis + skipped * history.stepSeconds * MILLIS_PER_SECOND,
    seasons: seasonSteps,
    ...(aligned.length === 0 ? {} : { regressors: Object.fromEntries(aligned) }),
  };
}

/**
 * A forecaster that combines models. Seasonal naive is always among them, as the floor that no other can take away. The effects
 * of business events are taken out of the history first, so that the models learn normal days, and put back into the forecast.
 * @param members the other models, in any order
 */
export function createForecaster(
  members: readonly ForecastMember[],
  { withinTime = unlimited }: ForecasterOptions = {},
): Forecaster {
  return {
    async forecast(history, request) {
      const { horizonSteps, thresholdUnits, coverage, events = [] } = request;
      if (!Number.isSafeInteger(horizonSteps) || horizonSteps < 1) {
        throw new RangeError(`horizon of ${horizonSteps} steps: expected a positive whole number`);
      }
      const measured = seriesOf(history, request);
      const effects = events.length === 0 ? undefined : eventEffects(measured, events, horizonSteps);
      const series = effects === undefined ? measured : { ...measured, values: effects.normalValues };
      const made = await forecastSeries(series, members, seasonalNaive, {
        horizonSteps,
        threshold: thresholdUnits,
        nonNegative: measured.values.every((value) => value >= 0),
        measuredValues: measured.values,
        withinTime,
        ...(effects === undefined ? {} : { effects }),
        ...(coverage === undefined ? {} : { coverage }),
      });
      return {
        ...made,
        poolId: history.poolId,
        resource: history.resource,
        stepSeconds: history.stepSeconds,
        startMillis: historyEndMillis(history),
      };
    },
  };
}
