import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kueueRows } from './allocation/agreement.ts';
import { decisionTimeRows } from './allocation/decision-time.ts';
import { readKueueCases } from './allocation/kueue-cases.ts';
import { randomCaseRows } from './allocation/random-cases.ts';
import { stormRows } from './allocation/storm.ts';
import type { BenchOptions, BenchReport, BenchRow } from './report.ts';

/** Where the cases are looked for unless they are named. */
const BESIDE = fileURLToPath(new URL('../../shared/kueue-cases.json', import.meta.url));

const NOTES = [
  "Kueue's cases: the numbers of its own test tables (limits in hierarchies, fits, fair share, preemption), read from the file given with --kueue-cases. A case agrees when everything that it states is ours too, the reasons of the victims included; each that differs has a row of its own.",
  'Random cases: up to thirteen nodes and seven holdings. Available: the largest number with which the invariant of KEP-79 holds, found by counting up. Victims and recalls: all sets are tried. Fair victims need not all be needed for the room: one may be what makes taking another fair.',
  'Alarms at once, with --alarms: four of each pool, on the emulator, until each has a loan, a place in the queue, provisioned units or a reasoned refusal. The bound is what the loans cost that were made, by their AWS calls alone.',
  'Times: the median of 31 runs. Organisations of a hundred pools a unit and five an account, half of the pools beyond what they own. The bounds are what any way to decide has to do at least once.',
];

/** Who may borrow how much and who comes first, beside Kueue's test tables and beside trying everything; and how long it takes. */
export async function benchAllocation(options: BenchOptions): Promise<BenchReport> {
  const file = options.given['kueue-cases'] ?? (existsSync(BESIDE) ? BESIDE : undefined);
  if (file === undefined) options.say("no --kueue-cases FILE: Kueue's cases are left out");
  const rows: BenchRow[] = [
    ...(file === undefined ? [] : kueueRows(readKueueCases(file))),
    ...randomCaseRows(options),
    ...decisionTimeRows(options),
    ...(options.given['alarms'] === undefined ? [] : await stormRows(options, Number(options.given['alarms']))),
  ];
  return { bench: 'allocation', seed: options.seed, rows, notes: NOTES };
}
