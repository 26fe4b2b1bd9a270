import { readFile } from 'node:fs/promises';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { QuantileLevel } from '../../core/forecast/forecast.ts';
import { QUANTILE_LEVELS } from '../../core/forecast/forecast.ts';
import { blockMeans, stepQuantiles, withinBlocks } from '../../core/forecast/lstm-blocks.ts';
import type { LstmFeatures } from '../../core/forecast/lstm-features.ts';
import {
  LSTM_DAY_STEPS,
  LSTM_HISTORY_STEPS,
  LSTM_HORIZON_STEPS,
  LSTM_SHAPES,
  lstmFeatures,
  lstmQuantiles,
} from '../../core/forecast/lstm-features.ts';
import type { ForecastMember, ForecastSeries, MemberForecast } from '../../core/forecast/member.ts';
import { locateLstmFiles } from './files.ts';

/** Histories in one run of the network: more would hold more memory and be no faster. */
const BATCH = 64;

type Quantiles = Record<QuantileLevel, number[]>;

interface Prepared {
  /** Which of the origins it belongs to. */
  readonly index: number;
  readonly values: readonly number[];
  readonly features: LstmFeatures;
}

/** Loads the runtime and the weights once; the member may then be used for any number of series. */
export async function loadLstm(): Promise<ForecastMember> {
  const { weights, runtime } = locateLstmFiles();
  const [binary, model] = await Promise.all([readFile(runtime), readFile(weights)]);
  env.logLevel = 'error';
  env.wasm.numThreads = 1;
  env.wasm.proxy = false;
  env.wasm.wasmBinary = binary;
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'], intraOpNumThreads: 1 });
  return {
    name: 'lstm',
    forecastFrom: (series, origins, horizonSteps) => forecastFrom(session, series, origins, horizonSteps),
  };
}

/** Steps of one hour of a day; undefined when the shortest season is not a day that divides into 24. */
function hourSteps(seasons: readonly number[]): number | undefined {
  const day = Math.min(...seasons);
  return Number.isSafeInteger(day) && day > 0 && day % LSTM_DAY_STEPS === 0 ? day / LSTM_DAY_STEPS : undefined;
}

async function forecastFrom(
  session: InferenceSession,
  series: ForecastSeries,
  origins: readonly number[],
  horizonSteps: number,
): Promise<readonly (MemberForecast | undefined)[]> {
  const forecasts: (MemberForecast | undefined)[] = origins.map(() => undefined);
  const blockSteps = hourSteps(series.seasons);
  if (blockSteps === undefined) return forecasts;
  const prepared = origins.flatMap((origin, index): Prepared[] => {
    const values = series.values.slice(Math.max(0, origin - LSTM_HISTORY_STEPS * blockSteps), origin);
    const features = lstmFeatures(blockSteps === 1 ? values : blockMeans(values, blockSteps));
    return features === undefined ? [] : [{ index, values, features }];
  });
  for (let first = 0; first < prepared.length; first += BATCH) {
    const batch = prepared.slice(first, first + BATCH);
    const answers = await answersOf(session, batch);
    for (const [place, { index, values, features }] of batch.entries()) {
      const answer = answers[place];
      if (answer === undefined) continue;
      const hourly = prolonged(lstmQuantiles(answer, features), Math.ceil(horizonSteps / blockSteps));
      const quantiles = blockSteps === 1 ? hourly : stepQuantiles(hourly, blockSteps, withinBlocks(values, blockSteps));
      forecasts[index] = memberForecast(quantiles, horizonSteps);
    }
  }
  return forecasts;
}

/** The network's raw answers, one a history. */
async function answersOf(session: InferenceSession, batch: readonly Prepared[]): Promise<Float32Array[]> {
  const input = (name: 'context' | 'horizon' | 'statics'): Tensor => {
    const shape = LSTM_SHAPES[name];
    const size = shape.reduce((product: number, length: number) => product * length, 1);
    const data = new Float32Array(batch.length * size);
    for (const [place, { features }] of batch.entries()) data.set(features[name], place * size);
    return new Tensor('float32', data, [batch.length, ...shape]);
  };
  const results = await session.run({
    context: input('context'),
    horizon: input('horizon'),
    statics: input('statics'),
  });
  const data = results['answer']?.data as Float32Array;
  const size = data.length / batch.length;
  return batch.map((_, place) => data.subarray(place * size, (place + 1) * size));
}

/**
 * Hours beyond what the network forecasts repeat its second day. Each distance from the median is the wider of the two days' at
 * that hour.
 */
function prolonged(quantiles: Quantiles, hours: number): Quantiles {
  if (hours <= LSTM_HORIZON_STEPS) return quantiles;
  const median = quantiles['0.5'];
  return Object.fromEntries(
    QUANTILE_LEVELS.map((level) => {
      const distance = (hour: number): number => (quantiles[level][hour] ?? 0) - (median[hour] ?? 0);
      const values = Array.from({ length: hours }, (_, hour) => {
        if (hour < LSTM_HORIZON_STEPS) return quantiles[level][hour] ?? 0;
        const first = hour % LSTM_DAY_STEPS;
        const second = first + LSTM_DAY_STEPS;
        const widest = Number(level) < 0.5 ? Math.min : Math.max;
        return (median[second] ?? 0) + widest(distance(first), distance(second));
      });
      return [level, values];
    }),
  ) as Quantiles;
}

/** undefined when a value is out of what a number can hold. */
function memberForecast(quantiles: Quantiles, horizonSteps: number): MemberForecast | undefined {
  const cut = Object.fromEntries(
    QUANTILE_LEVELS.map((level) => [level, quantiles[level].slice(0, horizonSteps)]),
  ) as Quantiles;
  const finite = QUANTILE_LEVELS.every((level) => cut[level].every(Number.isFinite));
  return finite ? { points: cut['0.5'], quantiles: cut } : undefined;
}
