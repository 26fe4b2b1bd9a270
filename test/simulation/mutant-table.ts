/** Puts each bug in and runs worlds until one does not hold. */
import type { Mutant } from './mutants.ts';
import { MUTANTS } from './mutants.ts';
import { runInProcesses } from './processes.ts';
import type { SeedResult } from './run-seed.ts';

/** Worlds that are run for a bug at most. */
const SEEDS_MAX = 1_000;
/** Bugs that are looked for at the same time, each by a process of its own. */
const LANES = 2;

async function firstViolation({ replacements }: Mutant, firstSeed: number): Promise<SeedResult | undefined> {
  let first: SeedResult | undefined;
  const job = { firstSeed, seeds: SEEDS_MAX, processes: 1, replacements, stopsAtViolation: true };
  await runInProcesses(job, (result) => {
    if (result.violation !== undefined) first = result;
  });
  return first;
}

/** @returns the exit code: 1 when a bug was not found */
export async function runMutants(
  firstSeed: number,
  only: string | undefined,
  say: (line: string) => void,
): Promise<number> {
  const wanted = MUTANTS.filter(({ name }) => only === undefined || only.split(',').includes(name));
  if (wanted.length === 0)
    throw new RangeError(`--only ${only}: use one of ${MUTANTS.map(({ name }) => name).join(', ')}`);
  say('| bug | what it does | what did not hold | worlds needed |');
  say('| --- | --- | --- | --- |');
  let survivors = 0;
  const left = [...wanted];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const first = await firstViolation(next, firstSeed);
      if (first === undefined) survivors += 1;
      const found = first === undefined ? '**nothing**' : first.violation?.invariant;
      const needed = first === undefined ? `more than ${SEEDS_MAX}` : String(first.seed - firstSeed + 1);
      say(`| ${next.name} | ${next.what} | ${found} | ${needed} |`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  say(`${wanted.length} bugs, ${survivors} not found`);
  return survivors === 0 ? 0 : 1;
}
