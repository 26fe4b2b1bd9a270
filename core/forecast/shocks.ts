import type { RandomSource } from './random.ts';

/** Past errors of one step, from which those to come are drawn. */
export interface ShockPool {
  /** Steps that are drawn together, so that errors that go together stay together; 1 when they do not. */
  readonly blockSteps: number;
  draw(steps: number, random: RandomSource): Float64Array;
}

/** Seasons over which the level of the errors follows a change half of the way. */
const LEVEL_HALF_LIFE_SPANS = 2;
/** Of the recent level against that of the whole history: the recent one is known from few errors. */
const RECENT_SHARE = 0.5;
/** The middle of the history is drawn half as often as its end. */
const DRAW_HALF_LIFE_SHARE = 0.5;

/** Correlation of neighbours. */
function autocorrelation(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  let together = 0;
  for (let step = 0; step < values.length; step += 1) {
    const deviation = (values[step] ?? 0) - mean;
    variance += deviation * deviation;
    if (step > 0) together += deviation * ((values[step - 1] ?? 0) - mean);
  }
  return variance > 0 ? together / variance : 0;
}

/** Errors by their level at the time, around 0, and the level after the last of them. */
function standardised(errors: Float64Array, spanSteps: number): { shocks: Float64Array; level: number } {
  let overall = 0;
  for (const error of errors) overall += (error * error) / errors.length;
  if (!(overall > 0)) return { shocks: new Float64Array(errors.length), level: 0 };
  const kept = 0.5 ** (1 / (LEVEL_HALF_LIFE_SPANS * spanSteps));
  let recent = overall;
  const level = (): number => Math.sqrt(RECENT_SHARE * recent + (1 - RECENT_SHARE) * overall);
  let mean = 0;
  const shocks = errors.map((error) => {
    const shock = error / level();
    recent = kept * recent + (1 - kept) * error * error;
    mean += shock / errors.length;
    return shock;
  });
  return { shocks: shocks.map((shock) => shock - mean), level: level() };
}

/**
 * A bootstrap of past errors: each is divided by the level of errors at its time, and what is drawn is brought to the level of
 * now. Recent ones are drawn more often. Where neighbours correlate, by sign or by size, they are drawn in blocks.
 * Sources: Barone-Adesi, Giannopoulos & Vosper 1999, Journal of Futures Markets 19 (filtered historical simulation); Künsch
 * 1989, The Annals of Statistics 17 (blocks).
 * @param errors oldest first, all finite
 */
export function shockPool(errors: Float64Array, spanSteps: number): ShockPool {
  const { shocks, level } = standardised(errors, spanSteps);
  const count = shocks.length;
  const limit = 2 / Math.sqrt(Math.max(1, count));
  const related = Math.max(Math.abs(autocorrelation(shocks)), Math.abs(autocorrelation(shocks.map(Math.abs)))) > limit;
  const blockSteps = related ? Math.max(1, Math.ceil(Math.cbrt(count))) : 1;
  const halfLife = DRAW_HALF_LIFE_SHARE * count;
  const oldest = 1 - 0.5 ** (count / Math.max(1, halfLife));
  return {
    blockSteps,
    draw(steps, random) {
      const drawn = new Float64Array(steps);
      if (count === 0) return drawn;
      for (let step = 0; step < steps; ) {
        const age = Math.min(count - 1, Math.floor(-halfLife * Math.log2(1 - random() * oldest)));
        const first = Math.max(0, count - age - blockSteps);
        const until = Math.min(steps, step + blockSteps);
        for (let offset = 0; step < until; offset += 1, step += 1) drawn[step] = level * (shocks[first + offset] ?? 0);
      }
      return drawn;
    },
  };
}
