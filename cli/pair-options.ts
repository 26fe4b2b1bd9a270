import { parseArgs } from 'node:util';
import { PARTNERS_MAX } from '../core/pairing/preferences.ts';
import { plotFileOf } from './offline-options.ts';
import { UsageError } from './usage.ts';

/** What `entangle pair` was asked for. */
export interface PairOptions {
  /** A file, or "-" for standard input. */
  readonly input: string;
  readonly json: boolean;
  /** Partners of a pool at most; undefined: what the file says, else 3. */
  readonly partners: number | undefined;
  /** Whether a lender may have any number of borrowers where its consent does not say how many. */
  readonly sharedLenders: boolean;
  /** Pools in a circle at most; undefined: no circles. */
  readonly circles: number | undefined;
  /** The pool whose candidates are explained. */
  readonly explain: string | undefined;
  /** The page that is written. */
  readonly plotFile: string | undefined;
}

const CIRCLE_LEAST = 2;
const CIRCLE_MOST = 16;

/** The options as they were written. @throws UsageError for one that is not known */
export function parsePair(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        schema: { type: 'boolean', default: false },
        'input-schema': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        input: { type: 'string' },
        partners: { type: 'string' },
        'shared-lenders': { type: 'boolean', default: false },
        circles: { type: 'string' },
        explain: { type: 'string' },
        plot: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeOf(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,3}$/.test(text.trim()) ? Number(text) : -1;
  if (value < least || value > most) {
    throw new UsageError(`${option} ${text}: expected a whole number from ${least} to ${most}`);
  }
  return value;
}

/** @throws UsageError for a value that cannot be used */
export function pairOptions(values: ReturnType<typeof parsePair>): PairOptions {
  const { input, explain } = values;
  if (input === undefined || input === '') throw new UsageError('no input: give --input FLEET.json, or --input -');
  if (explain?.trim() === '') throw new UsageError('--explain: expected the id of a pool of the file');
  return {
    input,
    json: values.json,
    partners: wholeOf('--partners', values.partners, 1, PARTNERS_MAX),
    sharedLenders: values['shared-lenders'],
    circles: wholeOf('--circles', values.circles, CIRCLE_LEAST, CIRCLE_MOST),
    explain,
    plotFile: plotFileOf(values.plot, input, 'pairs.html'),
  };
}
