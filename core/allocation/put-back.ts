import { negated } from './amounts.ts';
import type { Victim } from './preemption.ts';
import type { QuotaTree } from './quota-tree.ts';

/**
 * Puts victims back that are not needed, last taken first, without the very last: it is the one that made the demand fit.
 * @param tree with all of them taken; it is changed
 * @param stillGood whether the demand still fits, and rightly, with what is then in the tree, given who would remain taken
 */
export function putBackUnneeded(
  tree: QuotaTree,
  taken: readonly Victim[],
  stillGood: (remaining: readonly Victim[]) => boolean,
): Victim[] {
  let remaining = [...taken];
  for (let index = taken.length - 2; index >= 0; index -= 1) {
    const victim = taken[index];
    if (victim === undefined) continue;
    const without = remaining.filter((each) => each !== victim);
    tree.use(victim.holding.nodeId, victim.holding.units);
    if (stillGood(without)) remaining = without;
    else tree.use(victim.holding.nodeId, negated(victim.holding.units));
  }
  return remaining;
}
