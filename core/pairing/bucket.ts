import type { Pool } from '../pool.ts';
import type { AccountId, PoolId } from '../units.ts';
import type { PairCandidate, PairContext } from './assess.ts';
import { outlookOf, reasonsOf, screenPair, unitHourWeight } from './assess.ts';
import { commonGrid, fleetCurves } from './fleet.ts';
import type { GateRefusal } from './gates.ts';
import { comingSlots } from './grid.ts';
import type { PlannedPair } from './lifecycle.ts';
import type { MatchingPool } from './matching/market.ts';
import { planPairings } from './matching/plan-pairings.ts';
import type { Merge } from './merge.ts';
import { mergePlan, restReason } from './merge.ts';
import type { PairOutlook } from './outlook.ts';
import type { PairingInput, Screening } from './pair.ts';
import { betterFirst, pairContext, partnerOf, screenLenders } from './pair.ts';
import type { Pairing, PairingId } from './pairing.ts';
import { isOpenPairing } from './pairing.ts';
import type { Partner, PoolPlan } from './plan.ts';
import { preferencesOf } from './preferences.ts';

/** Candidates of one borrower that matching looks at, the best: what a bucket of thousands of pools needs stays in memory. */
const CANDIDATES_MAX = 200;
/** Starting or ending a pairing costs as much as this share of what an average one serves. */
const SWITCHING_SHARE = 0.2;

export interface BucketInput extends Omit<PairingInput, 'maxPartners'> {
  /** All that are stored for the borrowers of the bucket, ended ones too. */
  readonly existing: readonly Pairing[];
  readonly pairingIdOf: (lender: PoolId, borrower: PoolId) => PairingId;
  /** Name of the function that plans. */
  readonly actor: string;
}

export interface BucketPlan {
  /** One for each pool, in the order of their ids. */
  readonly plans: readonly PoolPlan[];
  readonly merge: Merge;
}

interface Scene {
  readonly pools: readonly Pool[];
  readonly context: PairContext;
  readonly input: BucketInput;
  readonly refusals: ReadonlyMap<PoolId, Pick<Screening, 'refused' | 'refusedCount'>>;
  /** Candidates that may be proposed, of each borrower, best first. */
  readonly offered: ReadonlyMap<PoolId, readonly PairCandidate[]>;
  readonly stored: ReadonlyMap<PairingId, Pairing>;
}

/** A pair that the plan has, with the units by slot that a matching gave it; absent: it stands by, in case an alarm goes off. */
interface Selected {
  readonly candidate: PairCandidate;
  readonly units?: Float64Array;
}

function maxPartnersOf(pool: Pool, context: PairContext): number {
  return preferencesOf(context.consentOf(pool.spec.accountId)?.terms).maxPartners;
}

function sceneOf(input: BucketInput): Scene {
  const pools = [...input.pools].sort((a, b) => (a.spec.poolId < b.spec.poolId ? -1 : 1));
  const context = pairContext({ ...input, maxPartners: CANDIDATES_MAX });
  const stored = new Map(input.existing.map((pairing) => [pairing.pairingId, pairing]));
  const refusals = new Map<PoolId, Pick<Screening, 'refused' | 'refusedCount'>>();
  const offered = new Map<PoolId, readonly PairCandidate[]>();
  for (const borrower of pools) {
    const { poolId } = borrower.spec;
    const { candidates, refused, refusedCount } = screenLenders(borrower, pools, context);
    const storedOf = ({ lender }: PairCandidate) => stored.get(input.pairingIdOf(lender.spec.poolId, poolId));
    const awake = candidates.filter((each) => restReason(storedOf(each), input.now) === undefined);
    const isOpen = (each: PairCandidate) => isOpenPairing(storedOf(each) ?? { state: 'ended' });
    refusals.set(poolId, { refused, refusedCount });
    offered.set(
      poolId,
      awake.filter((each, rank) => rank < CANDIDATES_MAX || isOpen(each)),
    );
  }
  return { pools, context, input, refusals, offered, stored };
}

const pairKey = (lender: string, borrower: string) => `${lender}\n${borrower}`;

function matchingPools({ pools, context, input }: Scene): MatchingPool[] {
  const { grid, surplus, deficit } = fleetCurves(pools, input.forecasts, input.now);
  return pools.map((pool, index) => {
    const [from, to] = [index * grid.slots, (index + 1) * grid.slots];
    const most = maxPartnersOf(pool, context);
    return {
      id: pool.spec.poolId,
      surplus: surplus.subarray(from, to),
      deficit: deficit.subarray(from, to),
      maxLenders: most,
      maxBorrowers: most,
    };
  });
}

/** Who is to lend to whom where shortages are forecast; what is in force is only given up for what serves clearly more. */
function matched(scene: Scene): Selected[] {
  const candidates = new Map<string, PairCandidate>();
  for (const offers of scene.offered.values()) {
    for (const each of offers) candidates.set(pairKey(each.lender.spec.poolId, each.borrower.spec.poolId), each);
  }
  const weights = new Map([...candidates].map(([key, each]) => [key, unitHourWeight(each)]));
  const weight = (lender: string, borrower: string) => weights.get(pairKey(lender, borrower)) ?? 0;
  const open = scene.input.existing.filter(isOpenPairing);
  const worths = open
    .map(({ lenderPoolId, borrowerPoolId, expectedUnits }) => {
      return weight(lenderPoolId, borrowerPoolId) * expectedUnits.reduce((sum, units) => sum + units, 0);
    })
    .filter((worth) => worth > 0);
  const average = worths.reduce((sum, worth) => sum + worth, 0) / Math.max(1, worths.length);
  const { pairings } = planPairings({
    pools: matchingPools(scene),
    weight,
    previous: open.map(({ lenderPoolId, borrowerPoolId }) => ({ lenderId: lenderPoolId, borrowerId: borrowerPoolId })),
    switchingCost: SWITCHING_SHARE * average,
  });
  return pairings.flatMap(({ lenderId, borrowerId, units, unitSlots }) => {
    const candidate = candidates.get(pairKey(lenderId, borrowerId));
    return candidate === undefined ? [] : [{ candidate, ...(unitSlots > 0 ? { units } : {}) }];
  });
}

/** The places that pools have for partners; a pool has as many as a lender as it has as a borrower. */
class Places {
  readonly #taken = new Map<string, number>();
  readonly #context: PairContext;
  readonly selected: Selected[] = [];
  readonly #keys = new Set<string>();

  constructor(context: PairContext) {
    this.#context = context;
  }

  has({ lender, borrower }: PairCandidate): boolean {
    return this.#keys.has(pairKey(lender.spec.poolId, borrower.spec.poolId));
  }

  hasRoomFor({ lender, borrower }: PairCandidate): boolean {
    const [lends, borrows] = [`lends ${lender.spec.poolId}`, `borrows ${borrower.spec.poolId}`];
    return (
      (this.#taken.get(lends) ?? 0) < maxPartnersOf(lender, this.#context) &&
      (this.#taken.get(borrows) ?? 0) < maxPartnersOf(borrower, this.#context)
    );
  }

  take(selected: Selected): void {
    const { lender, borrower } = selected.candidate;
    for (const role of [`lends ${lender.spec.poolId}`, `borrows ${borrower.spec.poolId}`]) {
      this.#taken.set(role, (this.#taken.get(role) ?? 0) + 1);
    }
    this.#keys.add(pairKey(lender.spec.poolId, borrower.spec.poolId));
    this.selected.push(selected);
  }
}

/**
 * The matched pairs, and beside them pairs that stand by: an alarm may go off where no shortage is forecast. First those that are
 * open already, then for each borrower in turn its best that has a place left.
 */
function select(scene: Scene): readonly Selected[] {
  const { context, input, offered, stored } = scene;
  const places = new Places(context);
  for (const each of matched(scene)) places.take(each);
  const all = [...offered.values()].flat().sort(betterFirst(context));
  const isOpen = ({ lender, borrower }: PairCandidate) => {
    const pairing = stored.get(input.pairingIdOf(lender.spec.poolId, borrower.spec.poolId));
    return pairing !== undefined && isOpenPairing(pairing);
  };
  const takeIfFits = (candidate: PairCandidate): boolean => {
    if (places.has(candidate) || !places.hasRoomFor(candidate)) return false;
    places.take({ candidate });
    return true;
  };
  for (const candidate of all) if (isOpen(candidate)) takeIfFits(candidate);
  let waiting = [...offered.values()];
  while (waiting.length > 0) waiting = waiting.filter((offers) => offers.some(takeIfFits));
  return places.selected;
}

/** What is expected of a selected pair: of its share of the lender where its forecast is on the slots of the matching. */
function outlooksOf(selected: readonly Selected[], scene: Scene): Map<PairCandidate, PairOutlook> {
  const { context, input, pools } = scene;
  const { forecasts, now } = input;
  const grid = commonGrid(
    pools.flatMap(({ spec }) => forecasts[spec.poolId] ?? []),
    now,
  );
  return new Map(
    selected.map(({ candidate, units }) => {
      const own = comingSlots(forecasts[candidate.borrower.spec.poolId], now);
      const sameSlots = own.startMillis === grid.startMillis && own.stepMillis === grid.stepMillis;
      const isShared = units !== undefined && sameSlots && own.slots === grid.slots;
      return [candidate, outlookOf(candidate, context, isShared ? [...units] : undefined)];
    }),
  );
}

function plannedPair(candidate: PairCandidate, outlook: PairOutlook, input: BucketInput): PlannedPair {
  const [lender, borrower] = [candidate.lender.spec, candidate.borrower.spec];
  const { low, mid, high, expected } = outlook.saving;
  return {
    pairingId: input.pairingIdOf(lender.poolId, borrower.poolId),
    lenderPoolId: lender.poolId,
    lenderAccountId: lender.accountId,
    borrowerPoolId: borrower.poolId,
    borrowerAccountId: borrower.accountId,
    expectedUnits: outlook.expectedUnitsBySlot,
    confidence: outlook.confidence,
    savingMicroUsd: { low, mid, high, expected },
    ...reasonsOf(candidate),
  };
}

const ELSEWHERE: GateRefusal = {
  gate: 'instance-type',
  field: 'instanceType',
  detail: 'the lender is no longer enrolled with a region and instance family in which it can stand in',
};

function merged(planned: readonly PlannedPair[], scene: Scene): Merge {
  const { context, input, pools } = scene;
  const byId = new Map(pools.map((pool) => [pool.spec.poolId, pool]));
  return mergePlan({
    existing: input.existing,
    planned,
    consentOf: (account: AccountId) => context.consentOf(account),
    refusalOf: (lenderId, borrowerId) => {
      const [lender, borrower] = [byId.get(lenderId), byId.get(borrowerId)];
      if (lender === undefined || borrower === undefined) return ELSEWHERE;
      const screened = screenPair(lender, borrower, context);
      return 'gate' in screened ? screened : undefined;
    },
    maxPartnersOf: (id) => {
      const pool = byId.get(id);
      return pool === undefined ? 0 : maxPartnersOf(pool, context);
    },
    actor: input.actor,
    now: input.now,
  });
}

/** Pairings that are open once a merge is written. */
function openAfter(merge: Merge, stored: Scene['stored']): Set<PairingId> {
  const after = new Map(stored);
  for (const { pairing } of [...merge.changes, ...merge.refreshed]) after.set(pairing.pairingId, pairing);
  return new Set([...after.values()].filter(isOpenPairing).map(({ pairingId }) => pairingId));
}

/**
 * Pairs the pools of one bucket: which pairings are proposed, kept, paused and ended, and for each pool whom it may turn to.
 *
 * Where shortages are forecast, a matching decides (plan-pairings.ts): at most as many partners as each account prefers, weighted
 * by what a unit-hour between the pools is worth, with a cost for changing what is in force. Places that are left go to the best of
 * the other candidates: they stand by. `partners` of a plan are the open pairings that pass all gates, best first; loans are
 * made of those that are active. The order of the input changes nothing.
 */
export function planBucket(input: BucketInput): BucketPlan {
  const scene = sceneOf(input);
  const { pools, context, offered, refusals } = scene;
  const selected = select(scene);
  const outlooks = outlooksOf(selected, scene);
  const planned = [...outlooks].map(([candidate, outlook]) => plannedPair(candidate, outlook, input));
  const merge = merged(planned, scene);
  const open = openAfter(merge, scene.stored);
  const plans = pools.map(({ spec }): PoolPlan => {
    const { poolId, accountId } = spec;
    const { refused = [], refusedCount = 0 } = refusals.get(poolId) ?? {};
    const forecast = input.forecasts[poolId];
    const trust = input.trust?.[accountId];
    const partners: Partner[] = (offered.get(poolId) ?? [])
      .filter(({ lender }) => open.has(input.pairingIdOf(lender.spec.poolId, poolId)))
      .map((candidate) => partnerOf(candidate, context, outlooks.get(candidate)));
    return {
      poolId,
      plannedAt: input.now,
      ...(forecast === undefined ? {} : { forecast }),
      partners,
      refused,
      refusedCount,
      ...(trust === undefined ? {} : { trust }),
    };
  });
  return { plans, merge };
}
