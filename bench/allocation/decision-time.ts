import { classicalVictims } from '../../core/allocation/classical-victims.ts';
import { fitsNow } from '../../core/allocation/fits.ts';
import type { Holding, TakeRules } from '../../core/allocation/preemption.ts';
import { preemptionPlan } from '../../core/allocation/preemption-plan.ts';
import { DEFAULT_ORDER_RULES, orderRequests } from '../../core/allocation/priority.ts';
import type { QuotaNode } from '../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../core/allocation/quota-tree.ts';
import type { RandomSource } from '../../core/forecast/random.ts';
import { seededRandom } from '../../core/forecast/random.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { plainRow, quantile, ratioRow } from '../report.ts';
import { holding, KEY, loansOf, pick, requestOf, whole } from './worlds.ts';

const SIZES = [50, 1_000, 10_000];
const REPETITIONS = 31;
const POOLS_AN_ACCOUNT = 5;
const ACCOUNTS_A_UNIT = 20;
const NOW_MILLIS = 1_700_000_000_000;
const RULES: TakeRules = { within: 'lower', reclaim: 'any', whileBorrowing: { policy: 'lower' } };
const MICROS_A_MILLI = 1_000;

interface Organisation {
  readonly nodes: readonly QuotaNode[];
  readonly pools: readonly string[];
  readonly holdings: readonly Holding[];
}

/** Units of twenty accounts of five pools each; half of the pools use more than they own. */
function organisation(random: RandomSource, count: number): Organisation {
  const nodes: QuotaNode[] = [{ id: 'root', ownedUnits: {} }];
  const pools: string[] = [];
  const holdings: Holding[] = [];
  for (let pool = 0; pool < count; pool += 1) {
    const account = Math.floor(pool / POOLS_AN_ACCOUNT);
    const unit = Math.floor(account / ACCOUNTS_A_UNIT);
    if (pool % (POOLS_AN_ACCOUNT * ACCOUNTS_A_UNIT) === 0) {
      nodes.push({ id: `ou${unit}`, parentId: 'root', ownedUnits: {}, borrowLimitUnits: { [KEY]: 500 } });
    }
    if (pool % POOLS_AN_ACCOUNT === 0) {
      nodes.push({ id: `a${account}`, parentId: `ou${unit}`, ownedUnits: {}, lendLimitUnits: { [KEY]: 60 } });
    }
    const id = `a${account}/p${pool}`;
    const usedUnits = pool % 2 === 0 ? 20 : 5;
    nodes.push({ id, parentId: `a${account}`, ownedUnits: { [KEY]: 12 }, usedUnits: { [KEY]: usedUnits } });
    pools.push(id);
    for (let part = 0; part < usedUnits / 5; part += 1) holdings.push(holding(random, `${id}/${part}`, id, 5));
  }
  return { nodes, pools, holdings };
}

/** Microseconds of one run: the median of several, so that another process on the machine does not decide it. */
function microseconds(work: () => void): number {
  const times = Array.from({ length: REPETITIONS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) * MICROS_A_MILLI;
  });
  return quantile(times, 0.5);
}

function timedRow(measure: string, work: () => void, peerName: string, peer: () => void): BenchRow {
  const base = plainRow(measure, microseconds(work), 'µs', REPETITIONS);
  return ratioRow(base, { name: peerName, value: microseconds(peer) });
}

function rowsAt(count: number, random: RandomSource): BenchRow[] {
  const { nodes, pools, holdings } = organisation(random, count);
  const tree = QuotaTree.of(nodes);
  const units = { [KEY]: 2 };
  const asking = pick(random, pools);
  const demand = { nodeId: asking, units: { [KEY]: tree.availableUnits(asking, KEY) + 12 }, priority: 1 };
  const requests = Array.from({ length: count }, (_, index) => requestOf(random, index, NOW_MILLIS));
  const keys = requests.map(({ deficitUnits }, index) => deficitUnits * count + index);
  const loans = loansOf(random, count, NOW_MILLIS);
  const request = { ...requestOf(random, 0, NOW_MILLIS), tier: 1 as const, deficitUnits: whole(random, 20, 40) };
  const at = `${count} pools`;
  return [
    timedRow(
      `does a request fit, and take it, ${at}`,
      () => {
        if (fitsNow(tree, asking, units)) tree.use(asking, units);
        tree.use(asking, { [KEY]: fitsNow(tree, asking, units) ? -2 : 0 });
      },
      'the tree summed up anew',
      () => void QuotaTree.of(nodes).availableUnits(asking, KEY),
    ),
    timedRow(
      `victims among ${holdings.length} holdings, ${at}`,
      () => void classicalVictims(tree, demand, RULES, holdings),
      'sorting the holdings by priority (bound)',
      () => void holdings.toSorted((a, b) => a.priority - b.priority || (b.sinceSeconds ?? 0) - (a.sinceSeconds ?? 0)),
    ),
    timedRow(
      `order of ${count} requests`,
      () => void orderRequests(requests, DEFAULT_ORDER_RULES, NOW_MILLIS),
      'sorting as many numbers (bound)',
      () => void keys.toSorted((a, b) => a - b),
    ),
    timedRow(
      `which of ${count} loans are recalled`,
      () => void preemptionPlan(request, loans, { preemption: 'lower-tier' }, NOW_MILLIS),
      'sorting the loans by tier and time (bound)',
      () => void loans.toSorted((a, b) => b.tier - a.tier || b.activeAtMillis - a.activeAtMillis),
    ),
  ];
}

/** The time of each decision in organisations of three sizes, beside the least that any way to decide would have to do. */
export function decisionTimeRows({ seed, signal }: BenchOptions): BenchRow[] {
  const random = seededRandom(seed + 3);
  return SIZES.flatMap((count) => {
    signal.throwIfAborted();
    return rowsAt(count, random);
  });
}
