import type { PairCandidate } from '../core/pairing/assess.ts';
import { reasonsOf, screenPair } from '../core/pairing/assess.ts';
import type { Pool } from '../core/pool.ts';
import type { FleetPlan } from './pair-plan.ts';
import { refusalReason } from './pair-reason.ts';
import { percentText } from './percent.ts';
import { UsageError } from './usage.ts';

/** What became of a pool as the partner of another, and why. */
export interface ExplainedPair {
  readonly lenderPoolId: string;
  readonly borrowerPoolId: string;
  /** `not-chosen`: every gate lets it pass, and the plan does without. */
  readonly verdict: 'paired' | 'not-chosen' | 'refused';
  /** Where it is refused. */
  readonly gate?: string;
  /** The field that decides. */
  readonly field?: string;
  readonly reason: string;
  /** Where it is not refused. */
  readonly score?: number;
}

export interface Explanation {
  readonly poolId: string;
  /** Those that could lend to the pool, by id. */
  readonly asBorrower: readonly ExplainedPair[];
  /** Those that the pool could lend to, by id. */
  readonly asLender: readonly ExplainedPair[];
}

const NAMED_POOLS = 3;

/** The pool with an id. @throws UsageError when there is none */
export function poolNamed(pools: readonly Pool[], id: string): Pool {
  const found = pools.find(({ spec }) => spec.poolId === id);
  if (found !== undefined) return found;
  const ids = pools.map(({ spec }) => spec.poolId).sort();
  const near = ids.filter((poolId) => poolId.includes(id));
  const some = (near.length > 0 ? near : ids).slice(0, NAMED_POOLS).join(', ');
  const expected = some === '' ? 'the file has no pool' : `expected the id of a pool of the file, such as ${some}`;
  throw new UsageError(`--explain ${id}: ${expected}`);
}

function partnerCounts(plan: FleetPlan) {
  const lendersOf = new Map<string, number>();
  const borrowersOf = new Map<string, number>();
  const pairs = new Set<string>();
  for (const { candidate } of plan.pairings) {
    const [lender, borrower] = [candidate.lender.spec.poolId, candidate.borrower.spec.poolId];
    lendersOf.set(borrower, (lendersOf.get(borrower) ?? 0) + 1);
    borrowersOf.set(lender, (borrowersOf.get(lender) ?? 0) + 1);
    pairs.add(`${lender}\n${borrower}`);
  }
  return { lendersOf, borrowersOf, pairs };
}

/** Unit-slots that a pool still lacks under the plan. */
function leftOver(plan: FleetPlan, pool: Pool): number {
  const { grid, deficit } = plan.curves;
  const row = plan.pools.indexOf(pool) * grid.slots;
  const left = Float64Array.from({ length: grid.slots }, (_, slot) => deficit[row + slot] ?? 0);
  for (const { candidate, unitsBySlot } of plan.pairings) {
    if (candidate.borrower !== pool) continue;
    for (const [slot, units] of unitsBySlot.entries()) left[slot] = (left[slot] ?? 0) - units;
  }
  return left.reduce((sum, units) => sum + Math.max(0, units), 0);
}

const NEARLY_NOTHING = 1e-3;

/** Why a pair that every gate lets pass is not in the plan. */
function whyNotChosen(
  { lender, borrower, match }: PairCandidate,
  plan: FleetPlan,
  { lendersOf, borrowersOf }: ReturnType<typeof partnerCounts>,
): string {
  if (match.shortageSlots === 0) return 'the borrower is not short in any slot (P95): it needs no lender';
  if (match.coverage === 0) return 'the lender has nothing to lend in the slots in which the borrower is short';
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const covered = `it would cover ${percentText(match.coverage)} of the shortage`;
  const lenders = lendersOf.get(borrower.spec.poolId) ?? 0;
  const borrowers = borrowersOf.get(lender.spec.poolId) ?? 0;
  if (leftOver(plan, borrower) < NEARLY_NOTHING) {
    return `${covered}, which the plan has ${counted(lenders, 'other lender')} for`;
  }
  const limitOf = ({ spec }: Pool) => plan.limits.get(spec.poolId) ?? { lenders: 0, borrowers: 0 };
  if (lenders >= limitOf(borrower).lenders) return `${covered}, but the borrower has its ${counted(lenders, 'lender')}`;
  if (borrowers >= limitOf(lender).borrowers)
    return `${covered}, but the lender has its ${counted(borrowers, 'borrower')}`;
  return `${covered}, but what the lender has idle then is planned for ${counted(borrowers, 'other borrower')}`;
}

/** Why the pairings in force that the plan ends are ended, in the order of the plan. */
export function endedReasons(plan: FleetPlan): string[] {
  const counts = partnerCounts(plan);
  const poolById = new Map(plan.pools.map((pool) => [pool.spec.poolId as string, pool]));
  return (plan.churn?.ended ?? []).map(({ lenderId, borrowerId }) => {
    const [lender, borrower] = [poolById.get(lenderId), poolById.get(borrowerId)];
    if (lender === undefined || borrower === undefined) return 'a pool is not in the file';
    const screened = screenPair(lender, borrower, plan.context);
    return 'gate' in screened
      ? refusalReason(screened, lender.spec.accountId, plan.context)
      : whyNotChosen(screened, plan, counts);
  });
}

/** Every pair that a pool of the plan could be part of, with yes or no and why. */
export function explainPool(plan: FleetPlan, pool: Pool): Explanation {
  const counts = partnerCounts(plan);
  const explained = (lender: Pool, borrower: Pool): ExplainedPair => {
    const ids = { lenderPoolId: lender.spec.poolId, borrowerPoolId: borrower.spec.poolId };
    const screened = screenPair(lender, borrower, plan.context);
    if ('gate' in screened) {
      const { gate, field } = screened;
      const reason = refusalReason(screened, lender.spec.accountId, plan.context);
      return { ...ids, verdict: 'refused', gate, field, reason };
    }
    const { score } = screened.score;
    if (!counts.pairs.has(`${ids.lenderPoolId}\n${ids.borrowerPoolId}`)) {
      return { ...ids, verdict: 'not-chosen', reason: whyNotChosen(screened, plan, counts), score };
    }
    const { reasons, metricReasons } = reasonsOf(screened);
    return { ...ids, verdict: 'paired', reason: [...metricReasons, ...reasons].join('; '), score };
  };
  const others = plan.pools.filter((other) => other !== pool);
  return {
    poolId: pool.spec.poolId,
    asBorrower: others.map((lender) => explained(lender, pool)),
    asLender: others.map((borrower) => explained(pool, borrower)),
  };
}
