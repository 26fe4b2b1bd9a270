import { parseArgs } from 'node:util';
import { benchAllocation } from './allocation.ts';
import { benchForecast } from './forecast.ts';
import { benchLoan } from './loan.ts';
import { benchPairing } from './pairing.ts';
import type { BenchOptions, BenchReport } from './report.ts';
import { reportJson, reportMarkdown, reportTable } from './report.ts';
import { benchWhatIf } from './whatif.ts';
import { WrongUse } from './wrong-use.ts';

interface Bench {
  readonly run: (options: BenchOptions) => Promise<BenchReport>;
  /** Options of its own, each with a value. */
  readonly ownOptions: readonly string[];
}

const BENCHES: Readonly<Record<string, Bench>> = {
  allocation: { run: benchAllocation, ownOptions: ['kueue-cases', 'alarms', 'stop-loans'] },
  forecast: { run: benchForecast, ownOptions: ['data', 'sets', 'every', 'members', 'peers', 'peer-every'] },
  loan: { run: benchLoan, ownOptions: ['n'] },
  pairing: { run: benchPairing, ownOptions: ['data', 'n', 'picture'] },
  whatif: { run: benchWhatIf, ownOptions: ['data', 'traces'] },
};
const OWN_OPTIONS = [...new Set(Object.values(BENCHES).flatMap(({ ownOptions }) => ownOptions))];
const NAMES = Object.keys(BENCHES).join(', ');
const WRONG_USE = 2;
const FAILED = 1;
const INTERRUPTED = 130;

const HELP = `usage: npm run bench -- NAME [--json | --markdown] [--seed N] [options of its own]

Benchmarks:
  allocation [--kueue-cases FILE] [--alarms N] [--stop-loans N]
           limits, fits, shares and preemption, beside trying everything on random cases and beside the numbers of
           Kueue's own tests, and the time of a decision
             --kueue-cases FILE   those numbers, as JSON (default: ../shared/kueue-cases.json; left out where it is not)
             --alarms N           so many alarms at once on the emulator, four a pool (left out: none); it takes minutes
             --stop-loans N       so many active loans on the emulator, recalled by one command (left out: none)
  forecast --data DIR [--sets LIST] [--members LIST] [--every K] [--peers LIST|none] [--peer-every K]
           the forecaster on public series (DIR holds m4-hourly, nab, azure-v1), beside other forecasters on the same
           series; the others are installed into .venv-bench the first time
             --sets LIST      of windows (default: all)
             --members LIST   of which it is made (default: all)
             --every K        each K-th window only
             --peers LIST     which others (default: all; none: it alone)
             --peer-every K   slow others get each K-th window only
  loan [--n N]
           a loan and its return on the emulator, beside the same AWS calls made bare one after the other:
           time, calls, state transitions, write units, cost at list price
             --n N            how often to measure (default 30, after 3 to warm up)
  pairing --data DIR [--n N] [--picture FILE]
           who lends to whom, beside exact solvers on the same instances and on weeks not seen (DIR holds azure-v1)
             --n N            instances for the exact solver of each kind (default 50)
             --picture FILE   write the reliability plot of the confidence there, as SVG
  whatif --data DIR [--traces FILE]
           what lending would have done to real demand, beside a simple policy, a perfect forecast and bounds (DIR holds
           azure-v1 and m4-hourly)
             --traces FILE    also traces of one's own: pool_id,timestamp,demand_units, as entangle simulate takes them

  --json     print one JSON object on the last line of standard output; progress goes to standard error
  --markdown print a Markdown table
  --seed N   loan: order in which a loan and its bare calls take turns; pairing: the fleets that are made (default 1)
  --help     this text

Exit code 0 whenever it could measure, whether or not a goal is met.
`;

function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new WrongUse(`--${option} ${text}: expected a whole number from ${least}`);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The options that are a benchmark's own. @throws WrongUse on one of another benchmark */
function ownOptions(name: string, bench: Bench, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = OWN_OPTIONS.flatMap((option) => {
    const text = textOf(values[option]);
    return text === undefined ? [] : [[option, text] as const];
  });
  const foreign = given.find(([option]) => !bench.ownOptions.includes(option));
  if (foreign !== undefined) throw new WrongUse(`--${foreign[0]} is not an option of ${name}`);
  return Object.fromEntries(given);
}

function readArguments(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        seed: { type: 'string' },
        ...Object.fromEntries(OWN_OPTIONS.map((option) => [option, { type: 'string' } as const])),
      },
    });
    const [name, ...more] = positionals;
    if (values['help']) return { help: true } as const;
    if (name === undefined || more.length > 0) throw new WrongUse(`name one benchmark: ${NAMES}`);
    const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (bench === undefined) throw new WrongUse(`no benchmark is called "${name}": there is ${NAMES}`);
    const given = ownOptions(name, bench, values);
    const print = values['json'] ? reportJson : values['markdown'] ? reportMarkdown : reportTable;
    const seed = wholeNumber('seed', textOf(values['seed']), 0) ?? 1;
    return { help: false, run: bench.run, print, seed, n: wholeNumber('n', given['n'], 1), given } as const;
  } catch (error) {
    if (error instanceof WrongUse) throw error;
    throw new WrongUse(error instanceof Error ? error.message : String(error));
  }
}

function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message.replaceAll(/\s*\n\s*/g, '; ')}\n`);
}

async function main(argv: readonly string[]): Promise<number> {
  const options = readArguments(argv);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  const startedAt = Date.now();
  const say = (message: string) =>
    void process.stderr.write(`[${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(5)} s] ${message}\n`);
  try {
    const { seed, n, given } = options;
    const report = await options.run({ seed, n, given, say, signal: stopped.signal });
    process.stdout.write(`${options.print(report)}\n`);
    return 0;
  } catch (error) {
    if (stopped.signal.aborted) return INTERRUPTED;
    throw error;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  complain(error);
  process.exitCode = error instanceof WrongUse ? WRONG_USE : FAILED;
}
