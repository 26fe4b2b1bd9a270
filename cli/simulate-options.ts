import { parseArgs } from 'node:util';
import { plotFileOf, STANDARD_INPUT } from './offline-options.ts';
import { UsageError } from './usage.ts';

/** What `entangle simulate` was asked for. */
export interface SimulateOptions {
  /** A file, or "-" for standard input. */
  readonly traces: string;
  readonly fleet: string;
  readonly scenario: string | undefined;
  readonly seed: number;
  readonly plotFile: string | undefined;
  readonly json: boolean;
}

const DEFAULT_SEED = 1;

/** The options as they were written. @throws UsageError for one that is not known */
export function parseSimulate(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        schema: { type: 'boolean', default: false },
        'scenario-schema': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        traces: { type: 'string' },
        fleet: { type: 'string' },
        scenario: { type: 'string' },
        seed: { type: 'string' },
        plot: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function seedOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SEED;
  const seed = /^\d{1,10}$/.test(text.trim()) ? Number(text) : -1;
  if (seed < 0 || seed >= 2 ** 32) throw new UsageError(`--seed ${text}: expected a whole number from 0 to 4294967295`);
  return seed;
}

function fileOf(option: string, text: string | undefined, example: string): string {
  if (text === undefined || text.trim() === '') throw new UsageError(`no ${option}: give --${option} ${example}`);
  return text;
}

/** @throws UsageError for a value that cannot be used */
export function simulateOptions(values: ReturnType<typeof parseSimulate>): SimulateOptions {
  const traces = fileOf('traces', values.traces, 'FILE.csv');
  const fleet = fileOf('fleet', values.fleet, 'FLEET.json');
  const { scenario } = values;
  if (scenario?.trim() === '') throw new UsageError('--scenario: expected a file such as --scenario SCENARIO.json');
  if ([traces, fleet, scenario].filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new UsageError('"-" twice: standard input can be one file only');
  }
  plotFileOf(values.plot, fleet, 'lending.html');
  return {
    traces,
    fleet,
    scenario,
    seed: seedOf(values.seed),
    plotFile: plotFileOf(values.plot, traces, 'lending.html'),
    json: values.json,
  };
}
