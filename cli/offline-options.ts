import { resolve } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { parseArgs } from 'node:util';
import { UsageError } from './usage.ts';

/** Stands for standard input where a file is named. */
export const STANDARD_INPUT = '-';

/**
 * The page that is written; undefined: none.
 * @param example a name that would do
 * @throws UsageError for no name, or that of the input
 */
export function plotFileOf(plot: string | undefined, input: string, example: string): string | undefined {
  if (plot === undefined) return undefined;
  if (plot.trim() === '') throw new UsageError(`--plot: expected a file to write, such as --plot ${example}`);
  if (resolve(plot) === resolve(input)) throw new UsageError(`--plot ${plot}: expected another file than the input`);
  return plot;
}

/**
 * The options of a command as they were written, with those that every offline command takes.
 * @throws UsageError for one that is not known
 */
export function writtenOptions<const Own extends ParseArgsOptionsConfig>(argv: readonly string[], own: Own) {
  return knownOptions(() =>
    parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        schema: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        plot: { type: 'string' },
        ...own,
      },
    }),
  ).values;
}

/** What `parseArgs` refuses is a mistake in the command line. */
export function knownOptions<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError for anything else than digits that make a number from `least` to `most` */
export function wholeNumberOf(option: string, text: string, least: number, most: number, what = 'number'): number {
  const value = /^\d{1,10}$/.test(text.trim()) ? Number(text) : -1;
  if (value < least || value > most) {
    throw new UsageError(`${option} ${text}: expected a whole ${what} from ${least} to ${most}`);
  }
  return value;
}
