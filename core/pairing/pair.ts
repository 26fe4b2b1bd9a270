import type { Consent, ConsentUsage } from '../consent/consent.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import type { PairCandidate, PairContext } from './assess.ts';
import { outlookOf, reasonsOf, screenPair } from './assess.ts';
import type { PairingForecast } from './grid.ts';
import { matcher } from './match.ts';
import type { PairOutlook } from './outlook.ts';
import type { Partner, PoolPlan, RefusedPartner } from './plan.ts';
import { preferencesOf } from './preferences.ts';
import type { Calibration } from './reliability.ts';

/** Refused candidates kept in a plan, so that it fits in one DynamoDB item. */
const MAX_REFUSED = 100;

export interface PairingInput {
  readonly pools: readonly Pool[];
  /** By pool id. */
  readonly forecasts: Readonly<Record<string, PairingForecast>>;
  /** By account id. */
  readonly consents: Readonly<Record<string, { readonly consent?: Consent; readonly usage: ConsentUsage }>>;
  /** Trust scores by account id, 0 to 1; an account without one is not held to any floor. */
  readonly trust?: Readonly<Record<string, number>>;
  readonly calibration?: Calibration;
  readonly now: EpochMillis;
  /** Partners kept for each pool, whatever its account prefers. */
  readonly maxPartners: number;
}

/** The facts that every pair of an input is assessed with. */
export function pairContext(input: PairingInput): PairContext {
  const { forecasts, consents, trust, calibration, now } = input;
  return {
    forecasts,
    now,
    match: matcher(forecasts, now),
    consentOf: (account) => consents[account]?.consent,
    trustOf: (account) => trust?.[account],
    ...(calibration === undefined ? {} : { calibration }),
  };
}

function byPoolId(a: Pool, b: Pool): number {
  return a.spec.poolId < b.spec.poolId ? -1 : 1;
}

/** A candidate as a plan keeps it. */
export function partnerOf(
  candidate: PairCandidate,
  context: PairContext,
  outlook: PairOutlook = outlookOf(candidate, context),
): Partner {
  const { poolId, accountId } = candidate.lender.spec;
  const { confidence, expectedUnits, saving } = outlook;
  const { substance, low, mid, high, expected } = saving;
  return {
    lenderPoolId: poolId,
    lenderAccountId: accountId,
    score: candidate.score.score,
    scoreParts: candidate.score.parts,
    confidence,
    expectedUnits,
    ...(substance === 'nominal' ? {} : { substance, saving: { low, mid, high, expected } }),
    expectedSavingMicroUsd: expected,
    ...reasonsOf(candidate),
    lenderDataAccess: context.consentOf(accountId)?.terms.dataAccess ?? 'none',
  };
}

/** Best first: by score and price, then by trust, then by name. */
export function betterFirst(context: PairContext): (a: PairCandidate, b: PairCandidate) => number {
  const trustOf = ({ lender }: PairCandidate) => context.trustOf(lender.spec.accountId) ?? 0;
  return (a, b) =>
    b.score.rank - a.score.rank ||
    b.match.slotCoverage - a.match.slotCoverage ||
    trustOf(b) - trustOf(a) ||
    byPoolId(a.lender, b.lender);
}

/** Every other pool as a lender to one borrower. */
export interface Screening {
  /** Best first. */
  readonly candidates: readonly PairCandidate[];
  /** By pool id, as many as a plan keeps. */
  readonly refused: readonly RefusedPartner[];
  readonly refusedCount: number;
}

/** Who may lend to a pool, and why the others may not. @param pools in the order of their ids */
export function screenLenders(borrower: Pool, pools: readonly Pool[], context: PairContext): Screening {
  const candidates: PairCandidate[] = [];
  const refused: RefusedPartner[] = [];
  let refusedCount = 0;
  for (const lender of pools) {
    if (lender.spec.poolId === borrower.spec.poolId) continue;
    const screened = screenPair(lender, borrower, context);
    if (!('gate' in screened)) {
      candidates.push(screened);
      continue;
    }
    refusedCount += 1;
    if (refused.length >= MAX_REFUSED) continue;
    // The plan is shown to the borrower: what the lender's consent says stays out of it.
    const { gate, field, detail } = screened;
    refused.push({ lenderPoolId: lender.spec.poolId, gate, field, detail });
  }
  return { candidates: candidates.sort(betterFirst(context)), refused, refusedCount };
}

function planFor(borrower: Pool, pools: readonly Pool[], input: PairingInput, context: PairContext): PoolPlan {
  const { candidates, refused, refusedCount } = screenLenders(borrower, pools, context);
  const forecast = input.forecasts[borrower.spec.poolId];
  const preferred = preferencesOf(context.consentOf(borrower.spec.accountId)?.terms).maxPartners;
  const kept = candidates.slice(0, Math.min(preferred, input.maxPartners));
  return {
    poolId: borrower.spec.poolId,
    plannedAt: input.now,
    ...(forecast === undefined ? {} : { forecast }),
    partners: kept.map((candidate) => partnerOf(candidate, context)),
    refused,
    refusedCount,
  };
}

/**
 * A plan for each pool as a borrower: which pools may lend to it, best first, and why the others may not.
 *
 * `score = (coverage + peak reduction) × proximity × trust` (score.ts); partners are ordered by it and the lender's price. Coverage
 * is the share of the borrower's P95 shortage above its own ceiling that the lender's P95 headroom covers, or, when no shortage
 * is forecast, the share of slots with headroom. Peak reduction is `1 − peak(both) ÷ (peak(lender) + peak(borrower))`, at P50 and
 * at P95. Each pool is planned for by itself: a lender may stand in several plans. The order of the input changes nothing.
 */
export function pairPools(input: PairingInput): PoolPlan[] {
  const pools = [...input.pools].sort(byPoolId);
  const context = pairContext(input);
  return pools.map((borrower) => planFor(borrower, pools, input, context));
}
