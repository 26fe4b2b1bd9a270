import { PARTNERS_MAX } from '../core/pairing/preferences.ts';
import { plotFileOf, wholeNumberOf, writtenOptions } from './offline-options.ts';
import { UsageError } from './usage.ts';

/** What `entangle pair` was asked for. */
export interface PairOptions {
  /** A file, or "-" for standard input. */
  readonly input: string;
  readonly json: boolean;
  /** Lenders of a borrower at most; undefined: what the file says, else 3. */
  readonly partners: number | undefined;
  /** Borrowers of a lender at most; undefined: any number. */
  readonly borrowers: number | undefined;
  /** Pools in a circle at most; undefined: no circles. */
  readonly circles: number | undefined;
  /** The pool whose candidates are explained. */
  readonly explain: string | undefined;
  /** The page that is written. */
  readonly plotFile: string | undefined;
}

const CIRCLE_LEAST = 2;
const CIRCLE_MOST = 16;
const BORROWERS_MOST = 999;

/** The options as they were written. @throws UsageError for one that is not known */
export function parsePair(argv: readonly string[]) {
  return writtenOptions(argv, {
    'input-schema': { type: 'boolean', default: false },
    input: { type: 'string' },
    partners: { type: 'string' },
    borrowers: { type: 'string' },
    circles: { type: 'string' },
    explain: { type: 'string' },
  });
}

function wholeOf(option: string, text: string | undefined, least: number, most: number): number | undefined {
  return text === undefined ? undefined : wholeNumberOf(option, text, least, most);
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
    borrowers: wholeOf('--borrowers', values.borrowers, 1, BORROWERS_MOST),
    circles: wholeOf('--circles', values.circles, CIRCLE_LEAST, CIRCLE_MOST),
    explain,
    plotFile: plotFileOf(values.plot, input, 'pairs.html'),
  };
}
