/** `npm run vopr`: runs seeded worlds with everything that can go wrong, and says what did not hold. docs/testing.md describes it. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { coverageLines } from './coverage.ts';
import { runMutants } from './mutant-table.ts';
import { runInProcesses } from './processes.ts';
import type { SeedResult } from './run-seed.ts';

const USAGE = `usage: npm run vopr -- [--seeds N] [--first-seed S] [--coverage] [--replay SEED] [--mutations [--only NAME]]

  --seeds N        worlds to run; default 1000
  --first-seed S   seed of the first; default 1
  --coverage       how many worlds came to each function, state and reason; what none came to
  --replay SEED    one world, with its last events
  --mutations      puts each bug of the list in and runs worlds until one does not hold
  --only NAME      with --mutations: that bug alone, or several with commas
`;
const DAY_MILLIS = 86_400_000;
const MINUTE_MILLIS = 60_000;
/** A run that takes long says how far it is after each of these. */
const PROGRESS_MILLIS = 15_000;

function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${option} ${text}: expected a whole number from 0 to 999999999`);
  return Number(text);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report({ seed, violation }: SeedResult): void {
  if (violation === undefined) return;
  say(`seed ${seed}: ${violation.invariant}: ${violation.what}`);
  for (const line of violation.lastLines) say(`  ${line}`);
  say(`replay it with: npm run vopr -- --replay ${seed}`);
}

interface Totals {
  seeds: number;
  days: number;
  loans: number;
  violations: number;
}

function add(totals: Totals, result: SeedResult): void {
  totals.seeds += 1;
  totals.days += result.simulatedMillis / DAY_MILLIS;
  totals.loans += result.loans;
  totals.violations += result.violation === undefined ? 0 : 1;
}

/** Not among the results: it goes where errors go. */
function progressOf(seeds: number, began: number): (totals: Totals) => void {
  let saidAt = began;
  return (totals) => {
    const now = performance.now();
    if (now - saidAt < PROGRESS_MILLIS) return;
    saidAt = now;
    const pace = totals.days / ((now - began) / MINUTE_MILLIS);
    process.stderr.write(
      `vopr: ${totals.seeds} of ${seeds} seeds, ${totals.days.toFixed(1)} simulated days, ${pace.toFixed(0)} days a minute, ${totals.violations} violations\n`,
    );
  };
}

async function runSeeds(firstSeed: number, seeds: number, showsCoverage: boolean): Promise<number> {
  const totals: Totals = { seeds: 0, days: 0, loans: 0, violations: 0 };
  const began = performance.now();
  const saysProgress = progressOf(seeds, began);
  const processes = Math.max(1, Math.min(availableParallelism(), seeds));
  const job = { firstSeed, seeds, processes, replacements: [], stopsAtViolation: false, showsCoverage };
  const covered = new Map<string, number>();
  const processorMillis = await runInProcesses(job, (result) => {
    add(totals, result);
    report(result);
    saysProgress(totals);
    for (const name of result.covered ?? []) covered.set(name, (covered.get(name) ?? 0) + 1);
  });
  if (showsCoverage) for (const line of coverageLines(covered)) say(line);
  const minutes = (performance.now() - began) / MINUTE_MILLIS;
  say(
    `${totals.seeds} seeds, ${totals.loans} loans, ${totals.days.toFixed(1)} simulated days, ${(totals.days / minutes).toFixed(0)} days a minute (${((totals.days * MINUTE_MILLIS) / processorMillis).toFixed(0)} a processor minute), ${totals.violations} violations`,
  );
  return totals.violations === 0 ? 0 : 1;
}

async function replay(seed: number): Promise<number> {
  let found = 0;
  await runInProcesses(
    { firstSeed: seed, seeds: 1, processes: 1, replacements: [], stopsAtViolation: false },
    (result) => {
      report(result);
      found = result.violation === undefined ? 0 : 1;
      say(`seed ${seed}: ${result.events} events, digest ${result.digest}, ${found} violations`);
    },
  );
  return found;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      'first-seed': { type: 'string', default: '1' },
      coverage: { type: 'boolean', default: false },
      replay: { type: 'string' },
      mutations: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  if (values.replay !== undefined) return replay(wholeNumber(values.replay, 'replay'));
  const firstSeed = wholeNumber(values['first-seed'], 'first-seed');
  if (values.mutations) return runMutants(firstSeed, values.only, say);
  const seeds = wholeNumber(values.seeds, 'seeds');
  if (seeds === 0) throw new RangeError('--seeds 0: expected at least one world');
  return runSeeds(firstSeed, seeds, values.coverage);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`vopr: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
