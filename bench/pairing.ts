import { confidenceRows } from './pairing/confidence.ts';
import { boundRows, limitedRows, oneToOneRows } from './pairing/exactness.ts';
import { readTraces } from './pairing/fleet.ts';
import { laterWeeksRows } from './pairing/later-weeks.ts';
import { Oracle } from './pairing/oracle.ts';
import { scaleRows } from './pairing/scale.ts';
import type { BenchOptions, BenchReport } from './report.ts';
import { WrongUse } from './wrong-use.ts';

const ORACLE_SECONDS = 60;

const NOTES = [
  'K: at most K lenders for each borrower and K borrowers for each lender. "3 lenders a borrower": a lender may have any number of borrowers.',
  'Made fleets: mean weeks of VMs of the Azure trace V1 in their own units, drawn at random, moved by whole hours, sizes log-normal (σ = 1). Each pool owns the 95th percentile of its week (ODCR-like); RI-like and the small instances: every other pool the 62nd. Sizes of the buckets fall as 1, 1/2, 1/3 …',
  'Instances that HiGHS does not solve to the optimum within a minute are left out; n says how many were solved.',
  'Out of sample: the 178 VMs of azure-v1, hourly, a pool each. The trace has four weeks, so plans are made of two and measured on the two after (13.8 days): what each owns is the 95th percentile of the training weeks. Loans are a maximum flow over the pairings, hour by hour; pooled cover: the same if all could lend to all. Alarms, start-up and recall are not part of it.',
  'Churn: the larger of the pairings started and ended, divided by those of the plan before. Starting or ending a pairing costs a fifth of what an average one serves.',
  'Confidence: the same VMs, whole units, what each owns decided by ten days; forecast by the product (without Prophet) and planned anew each day after. A pairing has delivered when its lender could give nine tenths of what was expected and asked for over the next day. Corrected by the verdicts of earlier days only, as the hub does; the first three days are learned from and not measured.',
  'CPU time: user and system time of the process. Memory: the most that the process held after the 10,000 pools were planned.',
];

/** The matching of pools, beside exact solvers on the same instances, and on weeks that it has not seen. */
export async function benchPairing(options: BenchOptions): Promise<BenchReport> {
  const { data, picture } = options.given;
  if (data === undefined) throw new WrongUse('pairing needs --data DIR, the folder with azure-v1');
  const traces = readTraces(data);
  // First, because what the solver takes would count as memory of the plan.
  const scale = scaleRows(traces, options);
  const oracle = await Oracle.load(ORACLE_SECONDS);
  const exact = [
    ...boundRows(traces, oracle, options),
    ...limitedRows(traces, oracle, options),
    ...oneToOneRows(traces, oracle, options),
  ];
  const later = laterWeeksRows(traces, options);
  const confidence = await confidenceRows(traces, options, picture);
  return { bench: 'pairing', seed: options.seed, rows: [...exact, ...scale, ...later, ...confidence], notes: NOTES };
}
