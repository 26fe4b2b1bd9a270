import type { PairCandidate, PairContext } from '../core/pairing/assess.ts';
import { screenPair } from '../core/pairing/assess.ts';
import type { MatchingPool } from '../core/pairing/matching/market.ts';
import { maximise } from '../core/pairing/matching/max-flow.ts';
import type { PairedPools } from '../core/pairing/matching/plan-pairings.ts';
import type { Pool } from '../core/pool.ts';
import type { Candidates } from './pair-candidates.ts';

/** Where the file does not say it, starting or ending a pairing costs as much as this share of what an average one serves. */
const SWITCHING_SHARE = 0.2;

/** A pairing as one text, to look it up by. */
export function pairKey({ lenderId, borrowerId }: PairedPools): string {
  return `${lenderId}\n${borrowerId}`;
}

/** Pairings in force that pass every gate and are not among the candidates: those of borrowers that are not short now. */
export function standingCandidates(
  previous: readonly PairedPools[],
  candidates: readonly PairCandidate[],
  poolById: ReadonlyMap<string, Pool>,
  context: PairContext,
): PairCandidate[] {
  const wanted = new Map(previous.map((pair) => [pairKey(pair), pair]));
  for (const { lender, borrower } of candidates) {
    wanted.delete(pairKey({ lenderId: lender.spec.poolId, borrowerId: borrower.spec.poolId }));
  }
  return [...wanted.values()].flatMap(({ lenderId, borrowerId }) => {
    const [lender, borrower] = [poolById.get(lenderId), poolById.get(borrowerId)];
    if (lender === undefined || borrower === undefined) return [];
    const screened = screenPair(lender, borrower, context);
    return 'gate' in screened ? [] : [screened];
  });
}

/** Unit-slots that each of some pairs would serve if there were no others. */
function servedByPairs(pairs: readonly PairedPools[], market: ReadonlyMap<string, MatchingPool>): number[] {
  const ids = [...new Set(pairs.flatMap(({ lenderId, borrowerId }) => [lenderId, borrowerId]))];
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const pools = ids.map((id) => market.get(id));
  const slots = pools[0]?.surplus.length ?? 0;
  const served = pairs.map(() => 0);
  for (let slot = 0; slot < slots; slot += 1) {
    const idle = Float64Array.from(pools, (pool) => pool?.surplus[slot] ?? 0);
    const unmet = Float64Array.from(pools, (pool) => pool?.deficit[slot] ?? 0);
    const arcs = pairs.map(({ lenderId, borrowerId }) => ({
      lender: indexOf.get(lenderId) ?? 0,
      borrower: indexOf.get(borrowerId) ?? 0,
      flow: 0,
    }));
    maximise({ arcs, idle, unmet });
    for (const [at, { flow }] of arcs.entries()) served[at] = (served[at] ?? 0) + flow;
  }
  return served;
}

const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);

/** What starting or ending a pairing costs. */
export interface SwitchingCost {
  /** As planPairings takes it. */
  readonly weightedUnitSlots: number;
  /** Common unit-hours between pools of an average pairing in force. */
  readonly unitHours: number;
}

/**
 * @param standing the pairings in force that may go on
 * @param statedUnitHours undefined: a fifth of what an average pairing in force serves, as the hub has it
 * @param slotHours length of a slot
 */
export function switchingCostOf(
  standing: readonly PairedPools[],
  market: ReadonlyMap<string, MatchingPool>,
  candidates: Candidates,
  statedUnitHours: number | undefined,
  slotHours: number,
): SwitchingCost {
  const weights = standing.map(({ lenderId, borrowerId }) => candidates.weight(lenderId, borrowerId));
  const averageWeight = mean(weights);
  if (averageWeight === 0 || slotHours === 0) return { weightedUnitSlots: 0, unitHours: statedUnitHours ?? 0 };
  if (statedUnitHours !== undefined) {
    return { weightedUnitSlots: (statedUnitHours / slotHours) * averageWeight, unitHours: statedUnitHours };
  }
  const worths = servedByPairs(standing, market).map((units, at) => units * (weights[at] ?? 0));
  const weightedUnitSlots = SWITCHING_SHARE * mean(worths.filter((worth) => worth > 0));
  return { weightedUnitSlots, unitHours: (weightedUnitSlots / averageWeight) * slotHours };
}
