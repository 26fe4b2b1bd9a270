import { parseArgs } from 'node:util';
import { benchLoan } from './loan.ts';
import type { BenchOptions, BenchReport } from './report.ts';
import { reportJson, reportTable } from './report.ts';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchReport>>> = { loan: benchLoan };
const NAMES = Object.keys(BENCHES).join(', ');
const WRONG_USE = 2;
const FAILED = 1;
const INTERRUPTED = 130;

const HELP = `usage: npm run bench -- NAME [--json] [--seed N] [--n N]

Benchmarks:
  loan     a loan and its return on the emulator, beside the same AWS calls made bare one after the other:
           time, calls, state transitions, write units, cost at list price

  --json   print one JSON object on the last line of standard output; progress goes to standard error
  --seed N order in which a loan and its bare calls take turns (default 1)
  --n N    how often to measure (loan: 30, after 3 to warm up)
  --help   this text

Exit code 0 whenever it could measure, whether or not a goal is met.
`;

class WrongUse extends Error {}

function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new WrongUse(`--${option} ${text}: expected a whole number from ${least}`);
}

function readArguments(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        seed: { type: 'string' },
        n: { type: 'string' },
      },
    });
    const [name, ...more] = positionals;
    if (values.help) return { help: true } as const;
    if (name === undefined || more.length > 0) throw new WrongUse(`name one benchmark: ${NAMES}`);
    const run = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (run === undefined) throw new WrongUse(`no benchmark is called "${name}": there is ${NAMES}`);
    const seed = wholeNumber('seed', values.seed, 0) ?? 1;
    return { help: false, run, json: values.json, seed, n: wholeNumber('n', values.n, 1) } as const;
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
    const report = await options.run({ seed: options.seed, n: options.n, say, signal: stopped.signal });
    process.stdout.write(`${options.json ? reportJson(report) : reportTable(report)}\n`);
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
