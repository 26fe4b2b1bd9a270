import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kueueRows } from './allocation/agreement.ts';
import { decisionTimeRows } from './allocation/decision-time.ts';
import { readKueueCases } from './allocation/kueue-cases.ts';
import { loadRows } from './allocation/load.ts';
import { randomCaseRows } from './allocation/random-cases.ts';
import type { BenchOptions, BenchReport, BenchRow } from './report.ts';
import { WrongUse } from './wrong-use.ts';

/** Where the cases are looked for unless they are named. */
const BESIDE = fileURLToPath(new URL('../../shared/kueue-cases.json', import.meta.url));

/** A pool has four alarms. */
const LEAST = { alarms: 4, 'stop-loans': 1 } as const;

const NOTES = [
  "Kueue's cases: the numbers of its own test tables (limits in hierarchies, fits, fair share, preemption), read from the file given with --kueue-cases. A case agrees when everything that it states is ours too, the reasons of the victims included; each that differs has a row of its own.",
  'Random cases: up to thirteen nodes and seven holdings. Available: the largest number with which the invariant of KEP-79 holds, found by counting up. Victims and recalls: all sets are tried. Fair victims need not all be needed for the room: one may be what makes taking another fair.',
  'Alarms at once, with --alarms: four of each pool, on the emulator, until each has a loan, a place in the queue, provisioned units or a reasoned refusal. The bound is the time in which the same emulator answers the AWS calls that these answers need at least, bare, sixteen at a time: those of a whole loan for each that was made, those up to the choice for each other.',
  'Stop, with --stop-loans: active loans of one unit between ten pairs of pools, then one command for the organisation with --recall. A loan is on its way back when its return has begun. Instances stop at once on the emulator.',
  'Times: the median of 31 runs. Organisations of a hundred pools a unit and five an account, half of the pools beyond what they own. The bounds are what any way to decide has to do at least once.',
];

/** @throws WrongUse when the option is no whole number */
function countIn({ given }: BenchOptions, option: 'alarms' | 'stop-loans'): number {
  const text = given[option];
  if (text === undefined) return 0;
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < LEAST[option]) {
    throw new WrongUse(`--${option} ${text}: expected a whole number from ${LEAST[option]}`);
  }
  return count;
}

/** Who may borrow how much and who comes first, beside Kueue's test tables and beside trying everything; and how long it takes. */
export async function benchAllocation(options: BenchOptions): Promise<BenchReport> {
  const file = options.given['kueue-cases'] ?? (existsSync(BESIDE) ? BESIDE : undefined);
  if (file === undefined) options.say("no --kueue-cases FILE: Kueue's cases are left out");
  const rows: BenchRow[] = [
    ...(file === undefined ? [] : kueueRows(readKueueCases(file))),
    ...randomCaseRows(options),
    ...decisionTimeRows(options),
    ...(await loadRows(options, countIn(options, 'alarms'), countIn(options, 'stop-loans'))),
  ];
  return { bench: 'allocation', seed: options.seed, rows, notes: NOTES };
}
