import * as z from 'zod';
import { forecast } from '../core/forecast/seasonal-naive.ts';
import type { PoolId } from '../core/units.ts';
import type { SeriesHistory } from './forecast-history.ts';

const LEVELS = ['0.025', '0.1', '0.25', '0.5', '0.75', '0.9', '0.975'] as const;
const SECONDS_PER_DAY = 86_400;
const DAYS_PER_WEEK = 7;
const MILLIS = 1_000;

const probability = z.number().min(0).max(1);
const slots = z.array(z.number()).min(1);

const lineSchema = z.object({
  seriesId: z.string().min(1),
  stepSeconds: z.number().positive().describe('Time between two slots, detected from the input'),
  timestamps: z
    .array(z.iso.datetime({ precision: 3 }))
    .min(1)
    .describe('One for each slot, UTC'),
  mean: slots,
  quantiles: z
    .object(Object.fromEntries(LEVELS.map((level) => [level, slots])) as Record<(typeof LEVELS)[number], typeof slots>)
    .describe('One value a slot for each level; a higher level is never below a lower one'),
  models: z
    .array(
      z.object({
        name: z.string(),
        weight: probability.describe('The weights of a series sum to 1'),
        backtestMase: z
          .number()
          .min(0)
          .nullable()
          .describe('Error over the end of the history, relative to seasonal naive; null: nothing to measure it by'),
      }),
    )
    .min(1),
  bottleneck: z
    .object({
      threshold: z.number(),
      probability: probability.describe('That the value is at or above the threshold in at least one slot'),
      bySlot: z.array(probability).min(1),
    })
    .optional()
    .describe('Only when a threshold was given'),
});

/** The forecast of one series: one line of the output. */
export type ForecastLine = z.infer<typeof lineSchema>;

/** The JSON Schema of one line of the output. */
export function forecastLineJsonSchema(): string {
  const schema = z.toJSONSchema(lineSchema, { target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'A line of entangle forecast --json' }, undefined, 2)}\n`;
}

export interface LineOptions {
  readonly horizonSteps: number;
  /** Steps after which values repeat themselves; undefined: a day and a week, where they are whole steps. */
  readonly seasonSteps: readonly number[] | undefined;
  readonly threshold: number | undefined;
}

function calendarSeasons(stepSeconds: number): number[] {
  const lengths = [SECONDS_PER_DAY / stepSeconds, (SECONDS_PER_DAY * DAYS_PER_WEEK) / stepSeconds];
  return lengths.filter((steps) => Number.isSafeInteger(steps) && steps > 1);
}

/**
 * How far to lift a series with negative values. Demand is never negative, and its forecast is cut off at 0; lifted by this
 * much, no sum of a past value and a past error comes near 0.
 */
function liftOf(values: readonly (number | null)[]): number {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null) continue;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return lowest < 0 ? highest - 2 * lowest : 0;
}

/**
 * The forecast of a series, by the forecaster that plans loans. It begins one step after the history's last.
 * @throws RangeError when no step of the history is known
 */
export function forecastLine(seriesId: string, history: SeriesHistory, options: LineOptions): ForecastLine {
  const { horizonSteps, threshold } = options;
  const { stepSeconds } = history;
  const lift = liftOf(history.values);
  const made = forecast(
    {
      // The forecaster is told of a pool and a resource only to name them.
      poolId: seriesId as PoolId,
      resource: 'cpu',
      stepSeconds,
      startMillis: 0,
      values: lift === 0 ? history.values : history.values.map((value) => (value === null ? null : value + lift)),
    },
    {
      horizonSteps,
      seasonSteps: options.seasonSteps ?? calendarSeasons(stepSeconds),
      thresholdUnits: (threshold ?? Number.POSITIVE_INFINITY) + lift,
    },
  );
  const lowered = (values: readonly number[]) => (lift === 0 ? [...values] : values.map((value) => value - lift));
  const startMillis = history.startMillis + made.startMillis;
  return {
    seriesId,
    stepSeconds,
    timestamps: made.mean.map((_, slot) => new Date(startMillis + slot * stepSeconds * MILLIS).toISOString()),
    mean: lowered(made.mean),
    quantiles: Object.fromEntries(
      LEVELS.map((level) => [level, lowered(made.quantiles[level])]),
    ) as ForecastLine['quantiles'],
    models: made.models.map(({ name, weight, backtestMase }) => ({
      name,
      weight,
      // Errors over a history that hardly moves leave the range of numbers, which JSON has no word for.
      backtestMase: Number.isFinite(backtestMase) ? backtestMase : null,
    })),
    ...(threshold === undefined
      ? {}
      : { bottleneck: { threshold, probability: made.bottleneck.probability, bySlot: [...made.bottleneck.bySlot] } }),
  };
}
