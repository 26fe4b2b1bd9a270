import { seedOf } from '../../core/forecast/random.ts';
import { unlimitedBound } from '../../core/pairing/matching/bound.ts';
import type { PairWeight } from '../../core/pairing/matching/market.ts';
import { marketOf } from '../../core/pairing/matching/market.ts';
import { planPairings } from '../../core/pairing/matching/plan-pairings.ts';
import { atLeastRow } from '../forecast/rows.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { limitRow, plainRow } from '../report.ts';
import type { Commitment, Traces } from './fleet.ts';
import { bucketSizes, madeFleet, timed, WEEK_HOURS } from './fleet.ts';

const POOLS = 10_000;
const BUCKETS = 60;
const PARTNERS = 3;
const SHARE_MIN = 0.92;
const CPU_SECONDS_MAX = 6;
const BOUND_CPU_SECONDS_MAX = 1;
const MEBIBYTES_MAX = 512;
const KIBIBYTES_A_MEBIBYTE = 1_024;
const LONG_EFFORT = 5;

/** A gate that refuses one pair in ten. */
const refusesSome: PairWeight = (lender, borrower) => (seedOf(`${lender} ${borrower}`) % 10 === 0 ? 0 : 1);

interface Totals {
  served: number;
  bound: number;
  cpuSeconds: number;
}

/** One bucket after the other, each made when its turn comes; making it is not timed. */
function overBuckets(
  traces: Traces,
  commitment: Commitment,
  { seed, signal }: BenchOptions,
  work: (fleet: ReturnType<typeof madeFleet>) => { readonly served: number; readonly bound: number },
): Totals {
  const totals: Totals = { served: 0, bound: 0, cpuSeconds: 0 };
  bucketSizes(POOLS, BUCKETS).forEach((count, bucket) => {
    signal.throwIfAborted();
    const limits = { maxLenders: PARTNERS, maxBorrowers: PARTNERS };
    const fleet = madeFleet(traces, { count, seed: seed * 1_000 + bucket, commitment, slots: WEEK_HOURS, ...limits });
    const { result, cpuSeconds } = timed(() => work(fleet));
    totals.served += result.served;
    totals.bound += result.bound;
    totals.cpuSeconds += cpuSeconds;
  });
  return totals;
}

function planned(effort: number) {
  return (fleet: ReturnType<typeof madeFleet>) => {
    const { servedUnitSlots, boundUnitSlots } = planPairings({ pools: fleet, effort });
    return { served: servedUnitSlots, bound: boundUnitSlots };
  };
}

function bounded(weight?: PairWeight) {
  return (fleet: ReturnType<typeof madeFleet>) => {
    const bound = unlimitedBound(marketOf(fleet, weight));
    return { served: bound, bound };
  };
}

/** 10,000 pools: how long, how good, how much memory. Run it before anything that takes memory of its own. */
export function scaleRows(traces: Traces, options: BenchOptions): BenchRow[] {
  const { say } = options;
  const name = (what: string) => `${POOLS.toLocaleString('en')} pools in ${BUCKETS} buckets, ${what}`;
  const bound = overBuckets(traces, 'odcr', options, bounded());
  const odcr = overBuckets(traces, 'odcr', options, planned(1));
  const mebibytes = process.resourceUsage().maxRSS / KIBIBYTES_A_MEBIBYTE;
  say(`${POOLS} pools planned in ${odcr.cpuSeconds.toFixed(1)} s CPU`);
  const gated = overBuckets(traces, 'odcr', options, bounded(refusesSome));
  const long = overBuckets(traces, 'odcr', options, planned(LONG_EFFORT));
  const half = overBuckets(traces, 'half', options, planned(1));
  say('other ways to plan them measured');
  const share = ({ served, bound: most }: Totals) => served / most;
  return [
    limitRow(name('unlimited partners: CPU time'), bound.cpuSeconds, 's', BOUND_CPU_SECONDS_MAX, BUCKETS),
    plainRow(name('unlimited partners, one pair in ten refused: CPU time'), gated.cpuSeconds, 's', BUCKETS),
    atLeastRow(name('K = 3: share of the unlimited bound'), share(odcr), 'share', SHARE_MIN, BUCKETS),
    limitRow(name('K = 3: CPU time'), odcr.cpuSeconds, 's', CPU_SECONDS_MAX, BUCKETS),
    limitRow(name('K = 3: most memory'), mebibytes, 'MiB', MEBIBYTES_MAX, BUCKETS),
    plainRow(name(`K = 3, ${LONG_EFFORT} times as many exchanges: share`), share(long), 'share', BUCKETS),
    plainRow(name('K = 3, half of them RI-like: share'), share(half), 'share', BUCKETS),
    plainRow(name('K = 3, half of them RI-like: CPU time'), half.cpuSeconds, 's', BUCKETS),
  ];
}
