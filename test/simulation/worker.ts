/** A process that runs seeds: it gets the bugs to put in, and asks for one seed after the other. */
import type { Replacement } from './mutation.ts';
import { assertMutated, mutate } from './mutation.ts';

export interface WorkerTask {
  readonly replacements: readonly Replacement[];
  readonly stopsAtViolation: boolean;
  readonly showsCoverage?: boolean;
  /** Runs all scenarios instead. */
  readonly scenarios?: true;
}

/** The answer to a process that asks for a seed: without one there is nothing left to do. */
export interface NextSeed {
  readonly seed?: number;
}

function nextSeed(): Promise<number | undefined> {
  return new Promise((resolve) => {
    process.once('message', ({ seed }: NextSeed) => resolve(seed));
    process.send?.({ wantsSeed: true });
  });
}

async function work(task: WorkerTask): Promise<void> {
  mutate(task.replacements);
  // What is mutated has to be loaded after that.
  const { loadShipped } = await import('./runtime.ts');
  const { runSeed } = await import('./run-seed.ts');
  const shipped = await loadShipped();
  assertMutated();
  if (task.scenarios === true) {
    const { runScenario } = await import('./scenarios.ts');
    const { SCENARIOS } = await import('./scenario-list.ts');
    for (const scenario of SCENARIOS) {
      process.send?.({ scenario: scenario.name, states: await runScenario(scenario, shipped) });
    }
  }
  for (let seed = await nextSeed(); seed !== undefined; seed = await nextSeed()) {
    const result = await runSeed(seed, shipped, task.showsCoverage);
    process.send?.({ result });
    if (result.violation !== undefined && task.stopsAtViolation) break;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ processorMillis: (user + system) / 1_000 });
}

process.once('message', (task: WorkerTask) => {
  work(task).then(
    () => process.disconnect(),
    (error: unknown) => {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.disconnect();
    },
  );
});
