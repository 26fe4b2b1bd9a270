import type { CleanSeries, Repairs, SeriesSample } from '../core/telemetry/clean.ts';
import { cleanSeries, UnusableSeries } from '../core/telemetry/clean.ts';
import type { ResourceType } from '../core/units.ts';
import { InputError } from './csv.ts';

/** A sample of a trace with the line that it stands in. */
export type RawSample = SeriesSample & { readonly line: number };

/** Longest run of missing samples that is interpolated; a longer one takes the day before. */
const LONGEST_INTERPOLATED_STEPS = 6;

const RULES: readonly { readonly repair: keyof Repairs; readonly done: string }[] = [
  { repair: 'unsorted', done: 'sorted by time' },
  { repair: 'duplicates', done: 'replaced by a later line for the same time' },
  { repair: 'badSamples', done: 'outside of 0–100 % left out' },
  { repair: 'interpolated', done: 'missing, interpolated' },
  { repair: 'filledFromDayBefore', done: 'missing, filled from the day before' },
];

/**
 * One column of a trace in percent at a fixed step, repaired by the product's own rules.
 * @param stepSeconds absent: the usual distance of the timestamps
 * @throws InputError with file and line when no rule can repair it
 */
export function cleanColumn(
  file: string,
  resource: ResourceType,
  samples: readonly RawSample[],
  stepSeconds?: number,
): CleanSeries & { readonly notes: readonly string[] } {
  try {
    const cleaned = cleanSeries(samples, {
      minimum: 0,
      maximum: 100,
      maxGapSteps: LONGEST_INTERPOLATED_STEPS,
      ...(stepSeconds === undefined ? {} : { stepSeconds }),
    });
    const notes = RULES.filter(({ repair }) => cleaned.repairs[repair] > 0).map(
      ({ repair, done }) => `${resource}: ${cleaned.repairs[repair]} samples ${done}`,
    );
    return { ...cleaned, notes };
  } catch (error) {
    if (!(error instanceof UnusableSeries)) throw error;
    const place = error.line === undefined ? file : `${file}:${error.line}`;
    throw new InputError(`${place}: ${resource}: ${error.message.replace(/^line \d+: /, '')}`);
  }
}
