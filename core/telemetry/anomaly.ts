import type { Forecast } from '../forecast/forecast.ts';
import { medianOf } from '../forecast/statistics.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { DemandSample, StepSeries } from './history.ts';

/** What demand usually is at a moment, in units. */
export interface UsualDemand {
  readonly medianUnits: number;
  /** Above it demand is not usual. */
  readonly upperUnits: number;
}

/** What is usual by time; undefined where nothing is known. */
export type Usual = (atMillis: number) => UsualDemand | undefined;

/** Makes the median absolute deviation of a normal distribution its standard deviation. */
const MAD_TO_DEVIATION = 1.4826;
/** Demand that has always been the same may differ by so much of itself: a spread of nothing would make everything unusual. */
const SPREAD_SHARE_MIN = 0.05;
/** Fewer earlier days say nothing of what is usual. */
const SEASONS_MIN = 3;
const SEASONS_MAX = 14;

/** Usual is what was forecast: up to the upper end of its 95 % interval. */
export function usualByForecast({
  startMillis,
  stepSeconds,
  quantiles,
}: Pick<Forecast, 'startMillis' | 'stepSeconds' | 'quantiles'>): Usual {
  return (atMillis) => {
    const slot = Math.floor((atMillis - startMillis) / (stepSeconds * MILLIS_PER_SECOND));
    const [medianUnits, upperUnits] = [quantiles['0.5'][slot], quantiles['0.975'][slot]];
    return medianUnits === undefined || upperUnits === undefined ? undefined : { medianUnits, upperUnits };
  };
}

/**
 * Usual is what was measured in the same slot, and the ones beside it, of earlier seasons: up to `score` robust standard deviations
 * (median absolute deviation) above their median.
 * @param history demand in units
 * @param seasonSteps steps after which demand repeats itself, e.g. those of a day
 */
export function usualByHistory(history: StepSeries, seasonSteps: number, score: number): Usual {
  const stepMillis = history.stepSeconds * MILLIS_PER_SECOND;
  return (atMillis) => {
    const slot = Math.floor((atMillis - history.startMillis) / stepMillis);
    const values: number[] = [];
    let seasons = 0;
    for (let season = 1; season <= SEASONS_MAX; season += 1) {
      const centre = slot - season * seasonSteps;
      const found = [centre - 1, centre, centre + 1].flatMap((step) => history.values[step] ?? []);
      if (found.length > 0) seasons += 1;
      values.push(...found);
    }
    if (seasons < SEASONS_MIN) return undefined;
    const medianUnits = medianOf(values);
    const deviation = MAD_TO_DEVIATION * medianOf(values.map((value) => Math.abs(value - medianUnits)));
    return { medianUnits, upperUnits: medianUnits + score * Math.max(deviation, SPREAD_SHARE_MIN * medianUnits) };
  };
}

/**
 * By how much demand is above what is usual, in units: the median over the samples. Undefined unless every one of them is unusual: a
 * single one is noise.
 */
export function excessUnits(samples: readonly DemandSample[], usual: Usual): number | undefined {
  const excesses: number[] = [];
  for (const { atMillis, demandUnits } of samples) {
    const expected = usual(atMillis);
    if (expected === undefined || demandUnits <= expected.upperUnits) return undefined;
    excesses.push(demandUnits - expected.medianUnits);
  }
  return excesses.length === 0 ? undefined : medianOf(excesses);
}
