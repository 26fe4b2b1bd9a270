import { createForecaster } from '../../core/forecast/forecaster.ts';
import type { ForecastSeries } from '../../core/forecast/member.ts';
import { accountId, poolId } from '../../core/units.ts';
import { loadMembers } from '../../models/members.ts';
import type { SplQuantiles } from './measures.ts';

/** What is measured of one forecast. */
export interface SubjectForecast {
  /** The median, one value a step. */
  readonly points: readonly number[];
  readonly quantiles: SplQuantiles;
  /** Probability of reaching each threshold within the horizon. */
  readonly probabilities: readonly number[];
  /** Members that failed on the way. */
  readonly failed: readonly string[];
}

/** A forecaster that is measured. */
export interface Subject {
  readonly name: string;
  /** @param thresholds values whose reaching counts as a bottleneck; at least one */
  forecast(series: ForecastSeries, horizonSteps: number, thresholds: readonly number[]): Promise<SubjectForecast>;
  /** Ends what its members started. */
  close(): Promise<void>;
}

/** The floor that is in every combination. As the only member: it alone. */
export const FLOOR = 'seasonal-naive';
/** The member whose CPU time is told apart. */
export const PROPHET = 'prophet';

const SOME_POOL = poolId(accountId('000000000000'), 'none', 'bench');

/** The forecaster of the named models; the floor is always among them. */
export async function subjectOf(names: readonly string[]): Promise<Subject> {
  const loaded = await loadMembers(names);
  const { members } = loaded;
  const forecaster = createForecaster(members);
  return {
    name: [...members.map(({ name }) => name), FLOOR].join(' + '),
    async forecast({ values, stepSeconds, startMillis, seasons }, horizonSteps, thresholds) {
      const made = await forecaster.forecast(
        { poolId: SOME_POOL, resource: 'cpu', stepSeconds, startMillis, values },
        { horizonSteps, seasonSteps: seasons, thresholdUnits: thresholds[0] ?? 0 },
      );
      return {
        points: made.quantiles['0.5'],
        quantiles: made.quantiles,
        probabilities: thresholds.map((threshold) => made.bottleneckAt(threshold).probability),
        failed: made.models.filter(({ failed }) => failed !== undefined).map(({ name }) => name),
      };
    },
    close: () => loaded.close(),
  };
}
