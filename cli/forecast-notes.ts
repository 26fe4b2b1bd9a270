import type { SeriesHistory } from './forecast-history.ts';
import { ASSUMED_STEP_SECONDS, MAX_HISTORY_STEPS } from './forecast-history.ts';
import type { ForecastLine } from './forecast-line.ts';

/** The model that uses columns `x_NAME`. */
export const REGRESSOR_MODEL = 'leading-indicator';
/** Reasons of one model that are listed; the others are counted. */
const MAX_REASONS = 5;

/** What was done to the series of a file, and which models failed, so that it can be told in a line each at the end. */
export class ForecastNotes {
  readonly #regressorsAreUsed: boolean;
  readonly #counts = new Map<string, number>();
  /** By model: how many series it failed at, by reason. */
  readonly #failures = new Map<string, Map<string, number>>();

  /** @param regressorsAreUsed whether a model uses columns `x_NAME` */
  constructor(regressorsAreUsed: boolean) {
    this.#regressorsAreUsed = regressorsAreUsed;
  }

  #add(what: string, count: number): void {
    if (count > 0) this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  addHistory(history: SeriesHistory): void {
    this.#add('rows stood after a later one and were sorted', history.unsortedRows);
    this.#add('rows fell into the step of another one, and the last counts', history.repeatedRows);
    this.#add('rows have no finite value and count as missing', history.missingRows);
    this.#add(
      `series have one timestamp only: a step of ${ASSUMED_STEP_SECONDS} s is assumed`,
      +history.stepWasAssumed,
    );
    this.#add(`series are longer than ${MAX_HISTORY_STEPS} steps: older ones are not used`, +history.wasCut);
    const isUnused = !this.#regressorsAreUsed && Object.keys(history.regressors).length > 0;
    this.#add(`series have columns x_NAME, which no model but ${REGRESSOR_MODEL} uses`, +isUnused);
    this.#add('series go on after their last value with columns x_NAME alone', +(history.stepsKnownAhead > 0));
  }

  addFailures({ models }: ForecastLine): void {
    for (const { name, failed } of models) {
      if (failed === undefined) continue;
      const reasons = this.#failures.get(name) ?? new Map<string, number>();
      const reason = reasons.has(failed) || reasons.size < MAX_REASONS ? failed : 'other reasons';
      this.#failures.set(name, reasons.set(reason, (reasons.get(reason) ?? 0) + 1));
    }
  }

  lines(): string[] {
    const notes = [...this.#counts].map(([what, count]) => `${count} ${what}`);
    for (const [name, reasons] of this.#failures) {
      for (const [reason, count] of reasons) notes.push(`${name} did not take part in ${count} series: ${reason}`);
    }
    return notes.map((note) => `entangle: note: ${note.replaceAll(/\s*\n\s*/g, '; ')}\n`);
  }
}
