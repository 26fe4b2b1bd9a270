import type { Pool } from '../pool.ts';
import type { AccountId, PoolId } from '../units.ts';
import type { PairCandidate } from './assess.ts';
import { outlookOf, reasonsOf, screenPair } from './assess.ts';
import { commonGrid } from './fleet.ts';
import type { GateRefusal } from './gates.ts';
import { comingSlots } from './grid.ts';
import type { PlannedPair } from './lifecycle.ts';
import type { Merge } from './merge.ts';
import { mergePlan } from './merge.ts';
import type { PairOutlook } from './outlook.ts';
import type { PairingInput } from './pair.ts';
import { betterFirst, partnerOf } from './pair.ts';
import type { Pairing, PairingId } from './pairing.ts';
import { isOpenPairing } from './pairing.ts';
import type { PoolPlan, RefusedPartner } from './plan.ts';
import { Scene } from './scene.ts';
import type { Selected } from './selection.ts';
import { select } from './selection.ts';
import type { PairPrediction } from './verdicts.ts';
import { predictionOf } from './verdicts.ts';

export interface BucketInput extends PairingInput {
  /**
   * Lenders that are planned for elsewhere and have open pairings with these pools: they keep them, and get no others. Forecasts
   * and consents have theirs too.
   */
  readonly guests?: readonly Pool[];
  /** By pool id: open pairings in which the pool lends to pools that are planned for elsewhere. */
  readonly lentElsewhere?: Readonly<Record<string, number>>;
  /** All that are stored for the borrowers of the bucket, ended ones too. */
  readonly existing: readonly Pairing[];
  readonly pairingIdOf: (lender: PoolId, borrower: PoolId) => PairingId;
  /** How much credits weigh borrowers, from 0 up to 1, 1 excluded; absent: not at all. See credits.ts. */
  readonly creditStrength?: number;
  /** Name of the function that plans. */
  readonly actor: string;
}

export interface BucketPlan {
  /** One for each pool that is planned for, in the order of their ids. */
  readonly plans: readonly PoolPlan[];
  readonly merge: Merge;
  /** What is expected of the planned pairs on the first day: to be judged when it has passed. */
  readonly predictions: readonly PairPrediction[];
}

/** What is expected of a selected pair: of its share of the lender where its forecast is on the slots of the matching. */
function outlooksOf(selected: readonly Selected[], { context, input, pools }: Scene): Map<PairCandidate, PairOutlook> {
  const { forecasts, now } = input;
  const grid = commonGrid(
    pools.flatMap(({ spec }) => forecasts[spec.poolId] ?? []),
    now,
  );
  return new Map(
    selected.map(({ candidate, units }) => {
      const own = comingSlots(forecasts[candidate.borrower.spec.poolId], now);
      const from = (own.startMillis - grid.startMillis) / grid.stepMillis;
      const isShared = units !== undefined && own.stepMillis === grid.stepMillis && Number.isInteger(from);
      const shared = isShared ? [...units.subarray(from, from + own.slots)] : undefined;
      return [candidate, outlookOf(candidate, context, shared)];
    }),
  );
}

function plannedPair({ candidate, circleId }: Selected, outlook: PairOutlook, input: BucketInput): PlannedPair {
  const [lender, borrower] = [candidate.lender.spec, candidate.borrower.spec];
  const { low, mid, high, expected } = outlook.saving;
  return {
    pairingId: input.pairingIdOf(lender.poolId, borrower.poolId),
    lenderPoolId: lender.poolId,
    lenderAccountId: lender.accountId,
    borrowerPoolId: borrower.poolId,
    borrowerAccountId: borrower.accountId,
    ...(circleId === undefined ? {} : { circleId }),
    expectedUnits: outlook.expectedUnitsBySlot,
    confidence: outlook.confidence,
    savingMicroUsd: { low, mid, high, expected },
    ...reasonsOf(candidate, input.calibration),
  };
}

const ELSEWHERE: GateRefusal = {
  gate: 'instance-type',
  field: 'instanceType',
  detail: 'the lender is no longer enrolled with a region and instance family in which it can stand in',
};

function merged(planned: readonly PlannedPair[], scene: Scene): Merge {
  const { context, input, limits } = scene;
  const limitOf = (id: PoolId) => {
    const place = scene.placeOf(id);
    return place === undefined ? undefined : limits[place];
  };
  return mergePlan({
    existing: input.existing,
    planned,
    consentOf: (account: AccountId) => context.consentOf(account),
    refusalOf: (lenderId, borrowerId) => {
      const [lender, borrower] = [scene.placeOf(lenderId), scene.placeOf(borrowerId)];
      if (lender === undefined || borrower === undefined) return ELSEWHERE;
      const screened = screenPair(scene.pool(lender), scene.pool(borrower), context);
      return 'gate' in screened ? screened : undefined;
    },
    maxLendersOf: (id) => limitOf(id)?.lenders ?? 0,
    maxBorrowersOf: (id) => limitOf(id)?.borrowers ?? 0,
    actor: input.actor,
    now: input.now,
  });
}

/** Candidates whose pairings are open once a merge is written, by borrower's place, best first. */
function openAfter(merge: Merge, scene: Scene): Map<number, PairCandidate[]> {
  const after = new Map(scene.input.existing.map((pairing) => [pairing.pairingId, pairing]));
  for (const { pairing } of [...merge.changes, ...merge.refreshed]) after.set(pairing.pairingId, pairing);
  const found = new Map<number, PairCandidate[]>();
  for (const pairing of after.values()) {
    const [lender, borrower] = [scene.placeOf(pairing.lenderPoolId), scene.placeOf(pairing.borrowerPoolId)];
    if (!isOpenPairing(pairing) || lender === undefined || borrower === undefined) continue;
    const candidate = scene.candidate(lender, borrower);
    if (candidate === undefined) continue;
    const others = found.get(borrower);
    if (others === undefined) found.set(borrower, [candidate]);
    else others.push(candidate);
  }
  for (const candidates of found.values()) candidates.sort(betterFirst(scene.context));
  return found;
}

/** A refused lender as the borrower's plan shows it: what the lender's consent says stays out of it. */
function refusedPartner(lender: Pool, borrower: Pool, { context }: Scene): RefusedPartner[] {
  const screened = screenPair(lender, borrower, context);
  if (!('gate' in screened)) return [];
  const { gate, field, detail } = screened;
  return [{ lenderPoolId: lender.spec.poolId, gate, field, detail }];
}

function planOf(
  place: number,
  open: readonly PairCandidate[],
  outlooks: ReadonlyMap<PairCandidate, PairOutlook>,
  scene: Scene,
): PoolPlan {
  const { context, input } = scene;
  const pool = scene.pool(place);
  const { poolId, accountId } = pool.spec;
  const { refused = [], refusedByGate = {} } = scene.screenings[place] ?? {};
  const forecast = input.forecasts[poolId];
  const trust = input.trust?.[accountId];
  return {
    poolId,
    plannedAt: input.now,
    ...(forecast === undefined ? {} : { forecast }),
    partners: open.map((candidate) => partnerOf(candidate, context, outlooks.get(candidate))),
    refused: refused.flatMap((lender) => refusedPartner(scene.pool(lender), pool, scene)),
    refusedCount: Object.values(refusedByGate).reduce((sum, count) => sum + count, 0),
    refusedByGate,
    ...(trust === undefined ? {} : { trust }),
  };
}

/**
 * Pairs the pools of one bucket: which pairings are proposed, kept, paused and ended, and for each pool whom it may turn to.
 *
 * Where shortages are forecast, a matching decides (plan-pairings.ts): at most as many lenders as each account prefers, weighted
 * by what a unit-hour between the pools is worth, with a cost for changing what is in force. Places that are left go to the best of
 * the other candidates: they stand by. Members of a circle all lend to each other, beyond that number (circle-plan.ts); the matching
 * has what their circle leaves. `partners` of a plan are the open pairings that pass all gates, best first; loans are
 * made of those that are active. The order of the input changes nothing.
 *
 * `score = (coverage + peak reduction) × proximity × trust` (score.ts); candidates are ordered by it and the lender's price. Coverage
 * is the share of the borrower's P95 shortage above its own ceiling that the lender's P95 headroom covers, or, when no shortage
 * is forecast, the share of slots with headroom. Peak reduction is `1 − peak(both) ÷ (peak(lender) + peak(borrower))`, at P50 and
 * at P95.
 */
export function planBucket(input: BucketInput): BucketPlan {
  const scene = new Scene(input);
  const selected = select(scene);
  const outlooks = outlooksOf(selected, scene);
  const planned = selected.flatMap((each) => {
    const outlook = outlooks.get(each.candidate);
    return outlook === undefined ? [] : [plannedPair(each, outlook, input)];
  });
  const merge = merged(planned, scene);
  const open = openAfter(merge, scene);
  const plans = scene.pools.flatMap((_pool, place) =>
    scene.isGuest(place) ? [] : [planOf(place, open.get(place) ?? [], outlooks, scene)],
  );
  const predictions = [...outlooks].flatMap(([candidate, outlook]) => predictionOf(candidate, outlook) ?? []);
  return { plans, merge, predictions };
}
