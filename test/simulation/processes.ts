/** Spreads seeds over processes: one for each processor, each with the functions loaded once. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Replacement } from './mutation.ts';
import type { SeedResult } from './run-seed.ts';
import type { NextSeed, WorkerTask } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
/** Worlds make much that is short-lived: with more room for it less is collected twice. */
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'];

interface Job {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly processes: number;
  readonly replacements: readonly Replacement[];
  /** Each process stops at the first that it finds. */
  readonly stopsAtViolation: boolean;
  readonly showsCoverage?: boolean;
}

type Message = {
  readonly wantsSeed?: true;
  readonly scenario?: string;
  readonly states?: string[];
  readonly result?: SeedResult;
  readonly error?: string;
  readonly processorMillis?: number;
};

/**
 * @param next the seed to run next; undefined: there is none left
 * @returns the processor time that it took, in milliseconds
 */
function runOne(
  task: WorkerTask,
  next: () => number | undefined,
  onMessage: (message: Message) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(WORKER, { execArgv: NODE_OPTIONS });
    let spent: number | undefined;
    child.on('message', (message: Message) => {
      const { error, processorMillis, wantsSeed } = message;
      onMessage(message);
      if (wantsSeed === true) child.send(handOut(next()));
      if (error !== undefined) reject(new Error(error));
      spent = processorMillis ?? spent;
    });
    child.on('exit', (code) => {
      if (spent === undefined) reject(new Error(`a process of the simulation ended early, with code ${code}`));
      else resolve(spent);
    });
    child.send(task);
  });
}

function handOut(seed: number | undefined): NextSeed {
  return seed === undefined ? {} : { seed };
}

/**
 * Runs all seeds of a job: whichever process has ended a world gets the next, as some take ten times as long as others.
 * @returns the processor time that it took, in milliseconds
 * @throws Error when the simulation itself goes wrong in one of its processes
 */
export async function runInProcesses(job: Job, onResult: (result: SeedResult) => void): Promise<number> {
  const { firstSeed, seeds, processes, ...task } = job;
  let handedOut = 0;
  const next = (): number | undefined => {
    if (handedOut === seeds) return undefined;
    handedOut += 1;
    return firstSeed + handedOut - 1;
  };
  const spent = await Promise.all(
    Array.from({ length: processes }, () =>
      runOne(task, next, ({ result }) => result !== undefined && onResult(result)),
    ),
  );
  return spent.reduce((sum, each) => sum + each, 0);
}

/** The states of the first loan of each scenario, by the scenario's name. */
export async function runScenarios(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const task = { replacements: [], stopsAtViolation: true, scenarios: true } as const;
  await runOne(
    task,
    () => undefined,
    ({ scenario, states }) => {
      if (scenario !== undefined && states !== undefined) found.set(scenario, states);
    },
  );
  return found;
}
