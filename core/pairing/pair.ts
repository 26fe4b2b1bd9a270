import type { Consent, ConsentUsage } from '../consent/consent.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import type { PairCandidate, PairContext } from './assess.ts';
import { outlookOf, reasonsOf } from './assess.ts';
import type { PairingForecast } from './grid.ts';
import { matcher } from './match.ts';
import type { PairOutlook } from './outlook.ts';
import type { Partner } from './plan.ts';
import type { Calibration } from './reliability.ts';

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
    ...reasonsOf(candidate, context.calibration),
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
