import { MAX_HISTORY_STEPS, MAX_HORIZON_STEPS } from './forecast-history.ts';
import type { LineOptions } from './forecast-line.ts';
import { plotFileOf, wholeNumberOf, writtenOptions } from './offline-options.ts';
import { UsageError } from './usage.ts';

/** What `entangle forecast` was asked for. */
export interface ForecastOptions extends LineOptions {
  readonly input: string;
  readonly json: boolean;
  /** Names of models; undefined: all. */
  readonly models: readonly string[] | undefined;
  /** Files of business events. */
  readonly eventFiles: readonly string[];
  /** The page that is written. */
  readonly plotFile: string | undefined;
}

/** The options as they were written. @throws UsageError for one that is not known */
export function parseForecast(argv: readonly string[]) {
  return writtenOptions(argv, {
    input: { type: 'string' },
    horizon: { type: 'string' },
    season: { type: 'string' },
    threshold: { type: 'string' },
    models: { type: 'string' },
    events: { type: 'string', multiple: true },
  });
}

function stepsOf(option: string, text: string, most: number): number {
  return wholeNumberOf(option, text, 1, most, 'number of steps');
}

function namesOf(option: string, text: string, what: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new UsageError(`${option} ${text}: expected ${what}, with commas between them`);
  return names;
}

function thresholdOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const threshold = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(threshold)) throw new UsageError(`--threshold ${text}: expected a number`);
  return threshold;
}

/** @throws UsageError for a value that cannot be used */
export function forecastOptions(values: ReturnType<typeof parseForecast>): ForecastOptions {
  const { input, horizon, season, models, events = [] } = values;
  if (input === undefined || input === '') throw new UsageError('no input: give --input FILE.csv, or --input - ');
  if (horizon === undefined) throw new UsageError('no horizon: give --horizon STEPS, such as --horizon 48');
  return {
    input,
    json: values.json,
    horizonSteps: stepsOf('--horizon', horizon, MAX_HORIZON_STEPS),
    seasonSteps: season?.split(',').map((steps) => stepsOf('--season', steps, MAX_HISTORY_STEPS)),
    threshold: thresholdOf(values.threshold),
    models: models === undefined ? undefined : namesOf('--models', models, 'names of models'),
    eventFiles: events.flatMap((files) => namesOf('--events', files, 'names of files')),
    plotFile: plotFileOf(values.plot, input, 'forecast.html'),
  };
}
