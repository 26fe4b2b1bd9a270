import { seededRandom, seedOf } from '../../core/forecast/random.ts';
import { unlimitedBound } from '../../core/pairing/matching/bound.ts';
import type { PairWeight } from '../../core/pairing/matching/market.ts';
import { marketOf } from '../../core/pairing/matching/market.ts';
import { planPairings } from '../../core/pairing/matching/plan-pairings.ts';
import { atLeastRow } from '../forecast/rows.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { limitRow } from '../report.ts';
import type { Traces } from './fleet.ts';
import { DAY_HOURS, madeFleet, WEEK_HOURS } from './fleet.ts';
import type { Oracle } from './oracle.ts';

const BOUND_INSTANCES = 20;
const BOUND_POOLS = { least: 10, most: 40 };
const BOUND_TOLERANCE = 1e-6;
const LIMITED_INSTANCES = 50;
const LIMITED_POOLS = { least: 6, most: 14 };
const LIMITED_MEAN_MIN = 0.985;
const LIMITED_WORST_MIN = 0.96;
const ONE_TO_ONE_POOLS = 300;
const ONE_TO_ONE_MIN = 0.995;
const ONE_TO_ONE_FLEETS = 3;

/** Shares of what the oracle reached; where it reached nothing, nothing is all there is. */
function shareOf(value: number, best: number): number {
  return best === 0 && value === 0 ? 1 : value / best;
}

function besideOracle(row: BenchRow, peer: string): BenchRow {
  return { ...row, peer, peerValue: 1, ratio: row.value };
}

/** Unlimited partners against the LP, every other instance with a fifth of the pairs refused. */
export function boundRows(traces: Traces, oracle: Oracle, { seed, say, signal }: BenchOptions): BenchRow[] {
  const random = seededRandom(seedOf(`bound ${seed}`));
  const gaps: number[] = [];
  for (let instance = 0; instance < BOUND_INSTANCES; instance += 1) {
    signal.throwIfAborted();
    const count = BOUND_POOLS.least + Math.floor(random() * (BOUND_POOLS.most - BOUND_POOLS.least + 1));
    const limits = { maxLenders: count, maxBorrowers: count };
    const fleet = madeFleet(traces, {
      count,
      seed: seed * 1_000 + instance,
      commitment: 'half',
      slots: DAY_HOURS,
      ...limits,
    });
    const gates: PairWeight = (lender, borrower) => (seedOf(`${instance} ${lender} ${borrower}`) % 5 === 0 ? 0 : 1);
    const weight = instance % 2 === 0 ? undefined : gates;
    const best = oracle.served(fleet, false, weight);
    if (best !== undefined) gaps.push(Math.abs(1 - shareOf(unlimitedBound(marketOf(fleet, weight)), best)));
  }
  say(`unlimited partners: ${gaps.length} instances beside the LP`);
  const name = `unlimited partners, ${BOUND_POOLS.least} to ${BOUND_POOLS.most} pools: furthest from the LP`;
  return [{ ...limitRow(name, Math.max(...gaps), 'share', BOUND_TOLERANCE, gaps.length), peer: 'HiGHS LP' }];
}

/** At most K lenders for each borrower and K borrowers for each lender, against the MILP. */
export function limitedRows(traces: Traces, oracle: Oracle, { seed, n, say, signal }: BenchOptions): BenchRow[] {
  const instances = n ?? LIMITED_INSTANCES;
  return [3, 5].flatMap((partners) => {
    const random = seededRandom(seedOf(`limited ${seed} ${partners}`));
    const shares: number[] = [];
    for (let instance = 0; instance < instances; instance += 1) {
      signal.throwIfAborted();
      const count = LIMITED_POOLS.least + Math.floor(random() * (LIMITED_POOLS.most - LIMITED_POOLS.least + 1));
      const limits = { maxLenders: partners, maxBorrowers: partners };
      const fleet = madeFleet(traces, {
        count,
        seed: seed * 10_000 + partners * 1_000 + instance,
        commitment: 'half',
        slots: DAY_HOURS,
        ...limits,
      });
      const best = oracle.served(fleet, true);
      if (best !== undefined) shares.push(shareOf(planPairings({ pools: fleet }).servedUnitSlots, best));
    }
    say(`K = ${partners}: ${shares.length} of ${instances} instances solved by the MILP`);
    const name = `K = ${partners}, ${LIMITED_POOLS.least} to ${LIMITED_POOLS.most} pools`;
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const rows = [
      atLeastRow(`${name}: mean share of the optimum`, mean, 'share', LIMITED_MEAN_MIN, shares.length),
      atLeastRow(`${name}: worst share of the optimum`, Math.min(...shares), 'share', LIMITED_WORST_MIN, shares.length),
    ];
    return rows.map((row) => besideOracle(row, 'HiGHS MILP'));
  });
}

/** One lender for each borrower and one borrower for each lender, against the assignment LP, whose optimum is whole. */
export function oneToOneRows(traces: Traces, oracle: Oracle, { seed, say, signal }: BenchOptions): BenchRow[] {
  const shares: number[] = [];
  for (let instance = 0; instance < ONE_TO_ONE_FLEETS; instance += 1) {
    signal.throwIfAborted();
    const limits = { maxLenders: 1, maxBorrowers: 1 };
    const fleet = madeFleet(traces, {
      count: ONE_TO_ONE_POOLS,
      seed: seed * 100 + instance,
      commitment: instance % 2 === 0 ? 'odcr' : 'half',
      slots: WEEK_HOURS,
      ...limits,
    });
    const best = oracle.oneToOne(fleet);
    if (best !== undefined) shares.push(shareOf(planPairings({ pools: fleet }).servedUnitSlots, best));
  }
  say(`one-to-one: ${shares.length} fleets beside the assignment LP`);
  const name = `one-to-one, ${ONE_TO_ONE_POOLS} pools: worst share of the exact maximum weight`;
  return [besideOracle(atLeastRow(name, Math.min(...shares), 'share', ONE_TO_ONE_MIN, shares.length), 'HiGHS LP')];
}
