import { shownSeasons } from './model.ts';

/** Where in its own history a series is forecast to see who would have forecast it well. */
export interface Backtest {
  /** Steps of the series at which a forecast begins, ascending; each sees only what came before. Empty: too little history. */
  readonly origins: readonly number[];
  /** Steps that each forecast is judged by, as far as the history goes. */
  readonly horizonSteps: number;
  /** The shortest season that the history shows; without one, a span that stands for it. */
  readonly spanSteps: number;
}

const MIN_STEPS = 12;
const MAX_HELD_OUT_SHARE = 0.3;
/** A week of days: older mistakes say little of those to come. */
const MAX_HELD_OUT_SPANS = 7;
const MAX_HORIZON_SPANS = 2;
const MAX_ORIGINS = 7;
const UNSEASONAL_SPAN_STEPS = 24;
const MIN_UNSEASONAL_SPANS = 8;

/**
 * Rolling origins over the end of a history: at most its last 30 %, at most seven seasons, the last origin a season before the
 * end, the others half a season or more apart.
 * Source: Tashman 2000, Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16.
 */
export function backtestOf(steps: number, seasons: readonly number[], horizonSteps: number): Backtest {
  const unseasonal = Math.max(1, Math.min(UNSEASONAL_SPAN_STEPS, Math.floor(steps / MIN_UNSEASONAL_SPANS)));
  const spanSteps = shownSeasons(steps, seasons)[0] ?? unseasonal;
  const judgedSteps = Math.min(horizonSteps, MAX_HORIZON_SPANS * spanSteps);
  if (steps < MIN_STEPS) return { origins: [], horizonSteps: judgedSteps, spanSteps };
  const heldOut = Math.min(Math.floor(steps * MAX_HELD_OUT_SHARE), MAX_HELD_OUT_SPANS * spanSteps);
  const newest = Math.min(judgedSteps, spanSteps, heldOut);
  const stride = Math.max(Math.ceil(spanSteps / 2), Math.ceil((heldOut - newest) / (MAX_ORIGINS - 1)));
  const origins: number[] = [];
  for (let back = newest; back <= heldOut; back += stride) origins.unshift(steps - back);
  return { origins, horizonSteps: judgedSteps, spanSteps };
}

/** The values that follow an origin, at most as many as a backtest judges. */
export function actualsAfter(values: readonly number[], origin: number, backtest: Backtest): number[] {
  return values.slice(origin, origin + backtest.horizonSteps);
}

/** Mean absolute change over a season: what errors are scaled by. undefined when there is none to measure, or none at all. */
export function seasonalScale(values: readonly number[], seasonSteps: number): number | undefined {
  let sum = 0;
  for (let step = seasonSteps; step < values.length; step += 1) {
    sum += Math.abs((values[step] ?? 0) - (values[step - seasonSteps] ?? 0));
  }
  const scale = sum / (values.length - seasonSteps);
  return scale > 0 && Number.isFinite(scale) ? scale : undefined;
}
