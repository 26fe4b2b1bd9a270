// A thread of its own for Prophet's fits: a trap of its WebAssembly, or a fit without end, ends this thread and no more.
import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import type { ProphetOptimizeOutput, ProphetOptions } from '@bsull/augurs/prophet';
import initialise, { Prophet } from '@bsull/augurs/prophet';
import { optimizer } from '@bsull/augurs-prophet-wasmstan';
import type { FitJob, FitReport, FitResult } from './fit-messages.ts';

type Optimizer = ProphetOptions['optimizer'];
type Parameters = ProphetOptimizeOutput['params'];

/** The parts of Stan's input that have an entry for each column of the design matrix. */
interface Columns {
  readonly K: number;
  readonly X: readonly (readonly number[])[];
  readonly sigmas: readonly number[];
  readonly s_a: readonly number[];
  readonly s_m: readonly number[];
}

/** Values below which Prophet chooses Newton's method. */
const SHORT_HISTORY = 100;
/**
 * When the search ends, in multiples of the machine's precision. Prophet's own limits (1e4, 1e7) take three times as long, and
 * lower the error on M4's hourly series by less than a hundredth of it.
 */
const STOPPING = { tolRelObj: 1e9, tolRelGrad: 1e11 };
const OFF = { type: 'manual', enabled: false } as const;

/** In a bundle the module stands beside it; otherwise beside the library that it belongs to. */
function wasmFile(): URL {
  const beside = import.meta.url.endsWith('.ts') ? import.meta.resolve('@bsull/augurs/prophet') : import.meta.url;
  return new URL('prophet_bg.wasm', beside);
}

function permuted<Value>(values: readonly Value[], order: readonly number[]): Value[] {
  return order.flatMap((index) => values.slice(index, index + 1));
}

/** Indices of the columns, ordered by the columns' values. */
function columnOrder({ K, X }: Columns): number[] {
  return Array.from({ length: K }, (_, index) => index).sort((a, b) => {
    for (const row of X) {
      const difference = (row[a] ?? 0) - (row[b] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/**
 * The optimiser with the columns in an order that depends on their values alone: the library draws them from a hash table with
 * a new seed for each model, and sums in another order end in another optimum, a hundred-thousandth away.
 */
function steadyOptimizer(onFitted: (parameters: Parameters, trendChanges: number) => void): Optimizer {
  return {
    optimize(initial, dataJson, options) {
      const data = JSON.parse(dataJson) as Columns & { readonly S: number };
      const order = columnOrder(data);
      const ordered = JSON.stringify({
        ...data,
        X: data.X.map((row) => permuted(row, order)),
        sigmas: permuted(data.sigmas, order),
        s_a: permuted(data.s_a, order),
        s_m: permuted(data.s_m, order),
      });
      const { logs, params } = optimizer.optimize(initial, ordered, options);
      const beta = new Float64Array(data.K);
      for (const [place, column] of order.entries()) beta[column] = params.beta[place] ?? 0;
      onFitted(params, data.S);
      return { logs, params: { ...params, beta } };
    },
  };
}

function fitAndPredict(job: FitJob, algorithm: 'newton' | 'lbfgs'): FitResult {
  let fitted: { parameters: Parameters; trendChanges: number } | undefined;
  const model = new Prophet({
    optimizer: steadyOptimizer((parameters, trendChanges) => {
      fitted = { parameters, trendChanges };
    }),
    // Its intervals come from random draws that cannot be seeded: the caller computes them from the parameters.
    uncertaintySamples: 0,
    dailySeasonality: OFF,
    weeklySeasonality: OFF,
    yearlySeasonality: OFF,
  });
  for (const { name, periodDays, fourierOrder } of job.seasonalities) {
    model.addSeasonality(name, { period: periodDays, fourierOrder });
  }
  Prophet.prototype.fit.call(
    model,
    { ds: [...job.timesSeconds], y: [...job.values] },
    { ...STOPPING, seed: 1, algorithm },
  );
  const { trend, seasonalities } = model.predict({ ds: [...job.predictSeconds] });
  model.free();
  if (fitted === undefined) throw new Error('the library ended a fit without asking for parameters');
  const { parameters, trendChanges } = fitted;
  const size = parameters.delta.reduce((sum, change) => sum + Math.abs(change), 0) / Math.max(1, trendChanges);
  return {
    // Summed here, in the job's order: the library's own sum has the order of its hash table.
    points: trend.point.map((level, index) =>
      job.seasonalities.reduce((sum, { name }) => sum + (seasonalities.get(name)?.point[index] ?? Number.NaN), level),
    ),
    noise: parameters.sigmaObs,
    trendChanges,
    trendChangeSize: size,
  };
}

const isTrap = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'RuntimeError';

/** As Prophet itself: Newton's method for short histories, and for those whose search by L-BFGS comes to a halt. */
function run(job: FitJob): FitResult {
  if (job.values.length < SHORT_HISTORY) return fitAndPredict(job, 'newton');
  try {
    return fitAndPredict(job, 'lbfgs');
  } catch (thrown) {
    if (isTrap(thrown)) throw thrown;
    return fitAndPredict(job, 'newton');
  }
}

function outcomeOf(job: FitJob): FitReport {
  try {
    return { kind: 'result', result: run(job) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const [firstLine = ''] = message.split('\n');
    return { kind: isTrap(thrown) ? 'trap' : 'error', message: firstLine.trim() };
  }
}

const parent = parentPort;
if (parent === null) throw new Error('models/prophet/fit-worker.ts runs in a worker thread');
await initialise({ module_or_path: await readFile(wasmFile()) });
parent.on('message', (job: FitJob) => parent.postMessage(outcomeOf(job), []));
parent.postMessage({ kind: 'ready' } satisfies FitReport, []);
