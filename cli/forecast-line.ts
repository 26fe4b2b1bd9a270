import * as z from 'zod';
import type { BusinessEvent } from '../core/forecast/events.ts';
import type { Forecaster } from '../core/forecast/forecaster.ts';
import type { PoolId } from '../core/units.ts';
import { MILLIS_PER_SECOND } from '../core/units.ts';
import type { SeriesHistory } from './forecast-history.ts';

const LEVELS = ['0.025', '0.1', '0.25', '0.5', '0.75', '0.9', '0.975'] as const;
const SECONDS_PER_DAY = 86_400;
const DAYS_PER_WEEK = 7;

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
        weight: probability.describe('The weights of a series sum to 1; of a median those above 0 are equal'),
        backtestMase: z
          .number()
          .min(0)
          .nullable()
          .describe(
            'Mean absolute error over the end of the history ÷ mean absolute change over a season before it; null: nothing to measure it by',
          ),
        failed: z.string().optional().describe('Why the model could not take part; its weight is 0'),
      }),
    )
    .min(1)
    .describe('The heaviest first. A model that has nothing to say about such a series is not there'),
  combination: z.enum(['median', 'weights']).describe('How the forecasts of the models became one'),
  confidence: z.object({
    level: probability.describe('How far the forecast can be relied on; 1: fully'),
    backtestCoverage: z
      .object({ '0.8': probability, '0.95': probability })
      .nullable()
      .describe(
        'Share of the backtested values within the 80 % and the 95 % interval before these were corrected; null: no backtest',
      ),
    drifted: z.boolean().describe('Whether the newest season left the forecast that was possible before it'),
  }),
  reasons: z.array(z.string()).min(1).describe('What shaped the forecast, in sentences for people'),
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

/** What a series is forecast from besides its own history. */
export interface LineRequest extends LineOptions {
  /** Business events, in any order. */
  readonly events: readonly BusinessEvent[];
}

function calendarSeasons(stepSeconds: number): number[] {
  const lengths = [SECONDS_PER_DAY / stepSeconds, (SECONDS_PER_DAY * DAYS_PER_WEEK) / stepSeconds];
  return lengths.filter((steps) => Number.isSafeInteger(steps) && steps > 1);
}

/** Errors over a history that hardly moves leave the range of numbers, which JSON has no word for. */
function finiteOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

/**
 * The forecast of a series, by the forecaster that plans loans. It begins one step after the history's last.
 * @throws RangeError when no step of the history is known
 */
export async function forecastLine(
  forecaster: Forecaster,
  seriesId: string,
  history: SeriesHistory,
  options: LineRequest,
): Promise<ForecastLine> {
  const { horizonSteps, threshold, seasonSteps, events } = options;
  const { stepSeconds, startMillis, values, regressors } = history;
  const request = {
    horizonSteps,
    seasonSteps: seasonSteps ?? calendarSeasons(stepSeconds),
    thresholdUnits: threshold ?? Number.POSITIVE_INFINITY,
    ...(Object.keys(regressors).length === 0 ? {} : { regressors }),
    ...(events.length === 0 ? {} : { events }),
  };
  // The forecaster is told of a pool and a resource only to name them.
  const named = { poolId: seriesId as PoolId, resource: 'cpu' as const, stepSeconds, startMillis, values };
  const made = await forecaster.forecast(named, request);
  const { confidence } = made;
  return {
    seriesId,
    stepSeconds,
    timestamps: made.mean.map((_, slot) =>
      new Date(made.startMillis + slot * stepSeconds * MILLIS_PER_SECOND).toISOString(),
    ),
    mean: [...made.mean],
    quantiles: Object.fromEntries(
      LEVELS.map((level) => [level, [...made.quantiles[level]]]),
    ) as ForecastLine['quantiles'],
    models: made.models.map((model) => ({ ...model, backtestMase: finiteOrNull(model.backtestMase) })),
    combination: made.combination,
    confidence: { level: confidence.level, backtestCoverage: confidence.backtestCoverage, drifted: confidence.drifted },
    reasons: [...made.reasons],
    ...(threshold === undefined
      ? {}
      : { bottleneck: { threshold, probability: made.bottleneck.probability, bySlot: [...made.bottleneck.bySlot] } }),
  };
}
