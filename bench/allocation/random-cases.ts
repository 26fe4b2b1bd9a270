import { classicalVictims } from '../../core/allocation/classical-victims.ts';
import { fairVictims } from '../../core/allocation/fair-victims.ts';
import type { Demand, Holding, TakeRules } from '../../core/allocation/preemption.ts';
import { preemptionPlan } from '../../core/allocation/preemption-plan.ts';
import type { QuotaNode } from '../../core/allocation/quota-tree.ts';
import { QuotaTree } from '../../core/allocation/quota-tree.ts';
import type { RandomSource } from '../../core/forecast/random.ts';
import { seededRandom } from '../../core/forecast/random.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { plainRow } from '../report.ts';
import {
  areAllNeeded,
  availableByKep,
  canBeMadeToFit,
  holdsByKep,
  referenceWorld,
  wrongWithVictims,
} from './reference.ts';
import { wrongWithPlan } from './reference-plan.ts';
import { holding, KEY, loansOf, pick, requestOf, smallTree, whole } from './worlds.ts';

const TREES = 2_000;
const VICTIM_CASES = 2_000;
const PLANS = 2_000;
const MOST_HOLDINGS = 7;
const NOW_MILLIS = 1_700_000_000_000;
const TAKES_LOWER: TakeRules = { within: 'lower', reclaim: 'any', whileBorrowing: { policy: 'lower' } };
const RULES: readonly TakeRules[] = [
  TAKES_LOWER,
  { within: 'lower', reclaim: 'any', whileBorrowing: { policy: 'never' } },
  { within: 'never', reclaim: 'lower', whileBorrowing: { policy: 'lower', maxPriority: -1 } },
];

/** A tree with holdings in it, each admitted only where it fits. */
function filledTree(random: RandomSource): {
  readonly nodes: readonly QuotaNode[];
  readonly leaves: readonly string[];
  readonly tree: QuotaTree;
  readonly holdings: readonly Holding[];
} {
  const { nodes, leaves } = smallTree(random);
  const tree = QuotaTree.of(nodes);
  const holdings: Holding[] = [];
  for (let tries = 0; tries < 12 && holdings.length < MOST_HOLDINGS; tries += 1) {
    const nodeId = pick(random, leaves);
    const units = Math.min(tree.availableUnits(nodeId, KEY), whole(random, 1, 5));
    if (units < 1) continue;
    tree.use(nodeId, { [KEY]: units });
    holdings.push(holding(random, `h${holdings.length}`, nodeId, units));
  }
  const used = new Map(leaves.map((leaf) => [leaf, tree.usedUnits(leaf, KEY)]));
  const withUsage = nodes.map((node) => {
    const units = used.get(node.id);
    return units === undefined ? node : { ...node, usedUnits: { [KEY]: units } };
  });
  return { nodes: withUsage, leaves, tree, holdings };
}

function agreeRow(measure: string, agreeing: number, n: number): BenchRow {
  const share = agreeing / n;
  return { ...plainRow(measure, share, 'share', n), goal: '1', met: share === 1 };
}

function availableRow({ seed }: BenchOptions): BenchRow {
  const random = seededRandom(seed);
  let agreeing = 0;
  let asked = 0;
  for (let count = 0; count < TREES; count += 1) {
    const { nodes, leaves, tree } = filledTree(random);
    const world = referenceWorld(nodes, KEY);
    const most = nodes.reduce((sum, { ownedUnits }) => sum + (ownedUnits[KEY] ?? 0), 1);
    const holds = holdsByKep(world) && tree.violations().length === 0;
    for (const leaf of leaves) {
      asked += 1;
      if (holds && tree.availableUnits(leaf, KEY) === availableByKep(world, leaf, most)) agreeing += 1;
    }
  }
  return agreeRow('random trees: available agrees with a search by the invariant', agreeing, asked);
}

function victimRows({ seed }: BenchOptions, say: (message: string) => void): BenchRow[] {
  const random = seededRandom(seed + 1);
  const agreeing = { classical: 0, fair: 0 };
  const found = { possible: 0, found: 0 };
  for (let count = 0; count < VICTIM_CASES; count += 1) {
    const { nodes, leaves, tree, holdings } = filledTree(random);
    const nodeId = pick(random, leaves);
    const units = tree.availableUnits(nodeId, KEY) + whole(random, 1, 4);
    const demand: Demand = { nodeId, units: { [KEY]: units }, priority: 1 };
    const rules = pick(random, RULES);
    const world = referenceWorld(nodes, KEY);
    const classical = classicalVictims(tree, demand, rules, holdings).map((victim) => victim.holding.id);
    const fair = fairVictims(tree, demand, rules, holdings).map((victim) => victim.holding.id);
    const wrong = wrongWithVictims(world, demand, rules, holdings, classical);
    const needed = areAllNeeded(world, demand, holdings, classical);
    if (wrong === undefined && needed) agreeing.classical += 1;
    else say(`random case ${count}, classical: ${wrong ?? 'not all victims are needed'}`);
    const wrongFair = wrongWithVictims(world, demand, rules, holdings, fair);
    if (wrongFair === undefined) agreeing.fair += 1;
    else say(`random case ${count}, fair: ${wrongFair}`);
    if (rules !== TAKES_LOWER || !canBeMadeToFit(world, demand, rules, holdings)) continue;
    found.possible += 1;
    if (classical.length > 0) found.found += 1;
  }
  return [
    agreeRow(
      'random trees: classical victims may be taken, suffice and are all needed',
      agreeing.classical,
      VICTIM_CASES,
    ),
    agreeRow('random trees: fair victims may be taken and suffice', agreeing.fair, VICTIM_CASES),
    plainRow(
      'random trees: classical finds victims where a set exists, all priorities lower',
      found.found / found.possible,
      'share',
      found.possible,
    ),
  ];
}

function planRow({ seed }: BenchOptions, say: (message: string) => void): BenchRow {
  const random = seededRandom(seed + 2);
  let agreeing = 0;
  for (let count = 0; count < PLANS; count += 1) {
    const request = requestOf(random, 0, NOW_MILLIS);
    const loans = loansOf(random, whole(random, 0, 9), NOW_MILLIS);
    const plan = preemptionPlan(request, loans, { preemption: 'lower-tier' }, NOW_MILLIS);
    const wrong = wrongWithPlan(request, loans, NOW_MILLIS, plan);
    if (wrong === undefined) agreeing += 1;
    else say(`random plan ${count}: ${wrong}`);
  }
  return agreeRow('random plans of recall agree with trying all sets of loans', agreeing, PLANS);
}

/** Random instances, each answer checked by trying everything. */
export function randomCaseRows(options: BenchOptions): BenchRow[] {
  return [availableRow(options), ...victimRows(options, options.say), planRow(options, options.say)];
}
