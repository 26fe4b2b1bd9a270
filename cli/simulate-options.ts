import { plotFileOf, STANDARD_INPUT, wholeNumberOf, writtenOptions } from './offline-options.ts';
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
const HIGHEST_SEED = 2 ** 32 - 1;

/** The options as they were written. @throws UsageError for one that is not known */
export function parseSimulate(argv: readonly string[]) {
  return writtenOptions(argv, {
    'scenario-schema': { type: 'boolean', default: false },
    traces: { type: 'string' },
    fleet: { type: 'string' },
    scenario: { type: 'string' },
    seed: { type: 'string' },
  });
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
    seed: values.seed === undefined ? DEFAULT_SEED : wholeNumberOf('--seed', values.seed, 0, HIGHEST_SEED),
    plotFile: plotFileOf(values.plot, traces, 'lending.html'),
    json: values.json,
  };
}
