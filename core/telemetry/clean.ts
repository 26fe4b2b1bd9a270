import { MILLIS_PER_SECOND } from '../units.ts';

const SECONDS_PER_DAY = 86_400;

/** One line of a sampled series, as it was found. */
export interface SeriesSample {
  readonly atMillis: number;
  readonly value: number;
  /** Where it stands in its file, counted from 1; absent = its place in the series. */
  readonly line?: number;
}

export interface CleaningOptions {
  /** Step of the result; absent = the median distance between neighbouring timestamps. */
  readonly stepSeconds?: number;
  /** Values outside of `minimum … maximum`, and values that are not finite, are bad samples: treated as missing. */
  readonly minimum: number;
  readonly maximum: number;
  /** Longest run of missing steps that is interpolated. */
  readonly maxGapSteps: number;
}

/** What cleaning changed; all zero for a series that was clean. */
export interface Repairs {
  /** Samples that stood after a later one. */
  readonly unsorted: number;
  /** Samples replaced by a later line for the same step. */
  readonly duplicates: number;
  readonly badSamples: number;
  /** Steps filled between their neighbours. */
  readonly interpolated: number;
  /** Steps filled with the same time a day earlier. */
  readonly filledFromDayBefore: number;
}

export interface CleanSeries {
  readonly stepSeconds: number;
  readonly startMillis: number;
  readonly values: number[];
  readonly repairs: Repairs;
}

/** A series that no stated rule can repair. The message names the line. */
export class UnusableSeries extends Error {
  override readonly name = 'UnusableSeries';
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(line === undefined ? message : `line ${line}: ${message}`);
    this.line = line;
  }
}

interface Placed extends SeriesSample {
  readonly line: number;
}

function placed(samples: readonly SeriesSample[]): { sorted: Placed[]; unsorted: number } {
  if (samples.length === 0) throw new UnusableSeries('the series has no samples: expected at least one line');
  const lines: Placed[] = samples.map((sample, index) => ({ ...sample, line: sample.line ?? index + 1 }));
  let unsorted = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (const { atMillis, line } of lines) {
    if (!Number.isSafeInteger(atMillis)) {
      throw new UnusableSeries(`timestamp ${atMillis}: expected whole milliseconds since the epoch`, line);
    }
    if (atMillis < latest) unsorted += 1;
    latest = Math.max(latest, atMillis);
  }
  // The sort is stable: of two samples for the same moment the later line stays the later one.
  return { sorted: [...lines].sort((a, b) => a.atMillis - b.atMillis), unsorted };
}

function detectedStepSeconds(sorted: readonly Placed[]): number {
  const distances: number[] = [];
  let previous: number | undefined;
  for (const { atMillis } of sorted) {
    if (previous !== undefined && atMillis > previous) distances.push(atMillis - previous);
    previous = atMillis;
  }
  distances.sort((a, b) => a - b);
  const median = distances[Math.floor((distances.length - 1) / 2)];
  if (median === undefined) {
    throw new UnusableSeries('one timestamp tells no step: expected at least two, or a stated step', sorted[0]?.line);
  }
  const stepSeconds = Math.round(median / MILLIS_PER_SECOND);
  if (stepSeconds < 1) {
    throw new UnusableSeries(`the timestamps are ${median} ms apart: expected at least a second`, sorted[1]?.line);
  }
  return stepSeconds;
}

interface Slot {
  readonly step: number;
  readonly value: number;
  readonly line: number;
}

/** The good samples by step, counted from the first good one. */
function goodSlots(sorted: readonly Placed[], stepMillis: number, options: CleaningOptions) {
  const good = sorted.filter(({ value }) => value >= options.minimum && value <= options.maximum);
  const first = good[0];
  if (first === undefined) {
    const range = `${options.minimum} to ${options.maximum}`;
    throw new UnusableSeries(`no value lies within ${range}: expected at least one`, sorted[0]?.line);
  }
  const slots: Slot[] = [];
  for (const { atMillis, value, line } of good) {
    const slot = { step: Math.round((atMillis - first.atMillis) / stepMillis), value, line };
    if (slots.at(-1)?.step === slot.step) slots.pop();
    slots.push(slot);
  }
  const duplicates = good.length - slots.length;
  return { startMillis: first.atMillis, slots, duplicates, badSamples: sorted.length - good.length };
}

/** Values for the missing steps between two slots. @throws UnusableSeries when a long gap has no day before it */
function gapValues(
  before: Slot,
  after: Slot,
  stepSeconds: number,
  options: CleaningOptions,
  measured: ReadonlyMap<number, number>,
): { values: number[]; fromDayBefore: boolean } {
  const missing = after.step - before.step - 1;
  if (missing <= options.maxGapSteps) {
    // Rounding must not carry a value past its neighbours, and so out of the stated range.
    const [low, high] = [Math.min(before.value, after.value), Math.max(before.value, after.value)];
    const between = (part: number) => before.value + (after.value - before.value) * part;
    return {
      values: Array.from({ length: missing }, (_, index) =>
        Math.min(high, Math.max(low, between((index + 1) / (missing + 1)))),
      ),
      fromDayBefore: false,
    };
  }
  const stepsPerDay = SECONDS_PER_DAY / stepSeconds;
  const values: number[] = [];
  for (let step = before.step + 1; step < after.step; step += 1) {
    // Only what was measured fills a gap, so that a gap of more than a day is never filled with its own filling.
    const dayBefore = measured.get(step - stepsPerDay);
    if (dayBefore === undefined) {
      throw new UnusableSeries(
        `${missing} steps of ${stepSeconds} s are missing since line ${before.line}: expected at most ${options.maxGapSteps}, or samples of the same time a day earlier`,
        after.line,
      );
    }
    values.push(dayBefore);
  }
  return { values, fromDayBefore: true };
}

/**
 * A sampled series at a fixed step, repaired by these rules in this order:
 * 1. Samples are sorted by time. 2. Values outside of the range, NaN and infinite ones are missing; the series begins and
 * ends at its first and last good sample. 3. Each sample counts for the nearest step from the first good sample; of
 * several for one step the last line wins. 4. Up to `maxGapSteps` missing steps are interpolated. 5. Longer gaps are filled
 * with what was measured at the same time a day earlier.
 * @throws UnusableSeries when there is no sample, no good sample, no step to detect, or a long gap without a day before it
 */
export function cleanSeries(samples: readonly SeriesSample[], options: CleaningOptions): CleanSeries {
  const { sorted, unsorted } = placed(samples);
  const stepSeconds = options.stepSeconds ?? detectedStepSeconds(sorted);
  const { startMillis, slots, duplicates, badSamples } = goodSlots(sorted, stepSeconds * MILLIS_PER_SECOND, options);
  const measured = new Map(slots.map(({ step, value }) => [step, value]));
  const values: number[] = [];
  let interpolated = 0;
  let filledFromDayBefore = 0;
  let before: Slot | undefined;
  for (const slot of slots) {
    if (before !== undefined) {
      const gap = gapValues(before, slot, stepSeconds, options, measured);
      for (const value of gap.values) values.push(value);
      if (gap.fromDayBefore) filledFromDayBefore += gap.values.length;
      else interpolated += gap.values.length;
    }
    values.push(slot.value);
    before = slot;
  }
  return {
    stepSeconds,
    startMillis,
    values,
    repairs: { unsorted, duplicates, badSamples, interpolated, filledFromDayBefore },
  };
}
