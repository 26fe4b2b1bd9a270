import { resolve } from 'node:path';
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
