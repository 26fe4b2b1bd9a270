import { bestEquations, spanOf } from './arima-selection.ts';
import type { ArmaEquation, Track } from './arma.ts';
import { differenced, oneStepErrors, pathAfter, reachSteps } from './arma.ts';
import type { FittedModel, PointModel } from './model.ts';
import { forecastBounds, shownSeasons } from './model.ts';
import type { RandomSource } from './random.ts';
import { shockPool } from './shocks.ts';
import { medianOf } from './statistics.ts';

const MIN_STEPS = 8;
/** What is older says little of tomorrow and costs time: four weeks of five minutes. */
const MAX_STEPS = 8064;

/** The median of several series, step by step, aligned at their ends and as long as the shortest. */
function medianPath(paths: readonly Float64Array[]): Float64Array {
  const steps = Math.min(...paths.map((path) => path.length));
  const median = new Float64Array(steps);
  const column = new Float64Array(paths.length);
  const middle = Math.floor(paths.length / 2);
  for (let index = 0; index < steps; index += 1) {
    for (let k = 0; k < paths.length; k += 1) {
      const path = paths[k] ?? median;
      const value = path[path.length - steps + index] ?? 0;
      let place = k;
      for (; place > 0 && (column[place - 1] ?? 0) > value; place -= 1) column[place] = column[place - 1] ?? 0;
      column[place] = value;
    }
    const above = column[middle] ?? 0;
    median[index] = paths.length % 2 === 0 ? ((column[middle - 1] ?? above) + above) / 2 : above;
  }
  return median;
}

/** Values made free of location and scale. */
interface Scaling {
  readonly centre: number;
  readonly scale: number;
}

function scalingOf(values: readonly number[]): Scaling | undefined {
  const centre = medianOf(values);
  let scale = 0;
  for (const value of values) scale += Math.abs(value - centre) / values.length;
  return scale > 0 && Number.isFinite(scale) ? { centre, scale } : undefined;
}

function scaled(values: readonly number[], { centre, scale }: Scaling): Float64Array {
  const result = new Float64Array(values.length);
  for (let step = 0; step < values.length; step += 1) result[step] = ((values[step] ?? 0) - centre) / scale;
  return result;
}

function trackOf(values: Float64Array, equation: ArmaEquation): Track {
  const changes = differenced(values, equation.difference);
  const errors = equation.errorLags.length === 0 ? changes : oneStepErrors(equation, changes);
  return { values, changes, errors };
}

/** Errors of one step, as far back as the equation reaches. */
function errorsOf(equation: ArmaEquation, values: Float64Array): Float64Array {
  return oneStepErrors(equation, differenced(values, equation.difference)).subarray(reachSteps(equation));
}

/** Simulated courses: each follows one of the equations, picked at random, through shocks like its own past errors. */
function simulated(
  equations: readonly ArmaEquation[],
  values: Float64Array,
  spanSteps: number,
  { horizonSteps, paths, random }: { horizonSteps: number; paths: number; random: RandomSource },
): Float64Array[] {
  const bounds = forecastBounds(values);
  const sources = equations.map((equation) => ({
    equation,
    track: trackOf(values, equation),
    shocks: shockPool(errorsOf(equation, values), spanSteps),
  }));
  return Array.from({ length: paths }, () => {
    const source = sources[Math.floor(random() * sources.length)];
    if (source === undefined) return new Float64Array(horizonSteps);
    const shocks = source.shocks.draw(horizonSteps, random);
    return pathAfter(source.equation, source.track, horizonSteps, bounds, shocks);
  });
}

function fitTo(given: readonly number[], seasonsGiven: readonly number[]): FittedModel | undefined {
  const recent = given.slice(-MAX_STEPS);
  const scaling = recent.length < MIN_STEPS ? undefined : scalingOf(recent);
  if (scaling === undefined) return undefined;
  const { centre, scale } = scaling;
  const values = scaled(recent, scaling);
  const seasons = shownSeasons(values.length, seasonsGiven);
  const equations = bestEquations(values, seasons);
  if (equations.length === 0) return undefined;
  const seenWith = (later: readonly number[]) => (later.length === 0 ? values : scaled([...recent, ...later], scaling));
  const errors = medianPath(equations.map((equation) => errorsOf(equation, values)));
  return {
    inSampleErrors: Array.from(errors, (error) => error * scale),
    forecast(horizonSteps, later = []) {
      const seen = seenWith(later);
      const bounds = forecastBounds(seen);
      const paths = equations.map((equation) => pathAfter(equation, trackOf(seen, equation), horizonSteps, bounds));
      return Array.from(medianPath(paths), (value) => centre + scale * value);
    },
    samplePaths(horizonSteps, paths, random, later = []) {
      const courses = simulated(equations, seenWith(later), spanOf(seasons), { horizonSteps, paths, random });
      return courses.map((course) => course.map((value) => centre + scale * value));
    },
  };
}

/**
 * Seasonal ARIMA: the value, its change, or its change over a season, explained by recent steps and by the steps around past
 * seasons with ridge, or by earlier errors (moving averages). Differencing, lags and ridge are chosen by forecasting the end of
 * the history; the median of the five best is the forecast. An equation of changes has no constant: one step of level within
 * the history would be taken for a trend.
 * Sources: Box & Jenkins 1970, Time Series Analysis: Forecasting and Control (seasonal lags and differencing); Hannan &
 * Rissanen 1982, Biometrika 69 (moving averages by regression); Hoerl & Kennard 1970, Technometrics 12 (ridge).
 */
export const seasonalArima: PointModel = { name: 'arima', fitTo };
