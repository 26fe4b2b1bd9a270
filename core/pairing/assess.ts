import type { PoolForecast } from '../forecast/pool-forecast.ts';
import type { Pool } from '../pool.ts';
import { microUsd } from '../units.ts';
import type { AccountFacts } from './consent-gate.ts';
import { consentRefusal, standInRatio } from './consent-gate.ts';
import type { GateRefusal } from './gates.ts';
import { pairSubstanceOf } from './gates.ts';
import type { PairingForecast } from './grid.ts';
import { latencyMillis, sharedZone } from './latency.ts';
import type { Match, Matcher } from './match.ts';
import type { PairOutlook } from './outlook.ts';
import { pairOutlook } from './outlook.ts';
import type { Calibration } from './reliability.ts';
import { NO_CALIBRATION } from './reliability.ts';
import type { Score } from './score.ts';
import { scorePair, unitHourFactor } from './score.ts';

/** What all pairs of a plan are assessed with. */
export interface PairContext extends AccountFacts {
  readonly forecasts: Readonly<Record<string, PairingForecast>>;
  /** Of the same forecasts and moment. */
  readonly match: Matcher;
  readonly calibration?: Calibration;
}

/** A lender that passes every gate. */
export interface PairCandidate {
  readonly lender: Pool;
  readonly borrower: Pool;
  /** Units of the lender's for one of the borrower's. */
  readonly unitRatio: number;
  readonly match: Match;
  readonly score: Score;
}

/** Pool facts first, then both consents, then whether there is anything to lend: the first that speaks against the pair. */
export function screenPair(lender: Pool, borrower: Pool, context: PairContext): PairCandidate | GateRefusal {
  const lenderConsent = context.consentOf(lender.spec.accountId);
  const borrowerConsent = context.consentOf(borrower.spec.accountId);
  const standIn = standInRatio(lender.spec, borrower.spec, { lender: lenderConsent, borrower: borrowerConsent });
  if ('gate' in standIn) return standIn;
  const refusal = consentRefusal(lender, borrower, context);
  if (refusal !== undefined) return refusal;
  const { unitRatio } = standIn;
  const match = context.match(lender, borrower, unitRatio);
  if (!match.everLendable) return nothingToLend(context.forecasts[lender.spec.poolId]);
  const score = pairScore(lender, borrower, unitRatio, match, context);
  return { lender, borrower, unitRatio, match, score };
}

/** How good a lender is that passes the gates, by what the pools do for each other. */
export function pairScore(
  lender: Pool,
  borrower: Pool,
  unitRatio: number,
  { coverage, peakReduction }: Pick<Match, 'coverage' | 'peakReduction'>,
  context: AccountFacts,
): Score {
  const price = context.consentOf(lender.spec.accountId)?.terms.lend?.minPriceMicroUsdPerUnitHour ?? 0;
  return scorePair({
    coverage,
    peakReduction,
    sharedZone: sharedZone(lender.spec, borrower.spec) !== undefined,
    sameRegion: lender.spec.region === borrower.spec.region,
    latencyMillis: latencyMillis(lender.spec, borrower.spec),
    trust: context.trustOf(lender.spec.accountId),
    priceMicroUsdPerUnitHour: microUsd(Math.round(price * unitRatio)),
    onDemandMicroUsdPerUnitHour: borrower.spec.onDemandMicroUsdPerUnitHour,
  });
}

function nothingToLend(forecast: PoolForecast | undefined): GateRefusal {
  const detail =
    forecast === undefined
      ? 'the lender has no forecast: none of its capacity is known to stay idle'
      : 'the lender has nothing to lend in any slot';
  return { gate: 'headroom', field: 'forecast', detail };
}

/** A nominal unit-hour is worth as much as a part of one that also saves money. */
const NOMINAL_SHARE = 0.5;

/**
 * What a unit-hour between the pools is worth beside the others of a plan, above 0: the borrower's on-demand price (in USD) times
 * proximity, trust and price. To be used as the weight in matching.
 */
export function unitHourWeight({
  lender,
  borrower,
  score,
}: Pick<PairCandidate, 'lender' | 'borrower' | 'score'>): number {
  const usd = Math.max(1, borrower.spec.onDemandMicroUsdPerUnitHour) / 1e6;
  return usd * unitHourFactor(score) * (pairSubstanceOf(lender.spec, borrower.spec) === 'physical' ? 1 : NOMINAL_SHARE);
}

/** What is expected of a candidate, with the plan's share of its lender where there is one. */
export function outlookOf(
  { lender, borrower, unitRatio }: PairCandidate,
  context: PairContext,
  plannedUnitsBySlot?: readonly number[],
): PairOutlook {
  const { forecasts, now, calibration } = context;
  return pairOutlook(lender, borrower, {
    forecasts,
    now,
    unitRatio,
    ...(calibration === undefined ? {} : { calibration }),
    ...(plannedUnitsBySlot === undefined ? {} : { plannedUnitsBySlot }),
  });
}

/** Why a candidate is one, for people: what enrolling says of both pools, and apart from it what the forecasts say. */
export function reasonsOf(
  { lender, borrower, unitRatio, match }: PairCandidate,
  calibration: Calibration = NO_CALIBRATION,
): {
  readonly reasons: string[];
  readonly metricReasons: string[];
} {
  const zone = sharedZone(lender.spec, borrower.spec);
  const verdicts = Math.round(calibration.count);
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const place =
    lender.spec.region === borrower.spec.region
      ? `same region ${lender.spec.region}`
      : `region ${lender.spec.region}, ${latencyMillis(lender.spec, borrower.spec)} ms from ${borrower.spec.region}`;
  const substitution = `${unitRatio} ${lender.spec.instanceType} for each ${borrower.spec.instanceType}`;
  return {
    reasons: [
      zone === undefined ? place : `shares the Availability Zone ${zone}`,
      ...(lender.spec.instanceType === borrower.spec.instanceType ? [] : [substitution]),
    ],
    metricReasons: [
      match.shortageSlots > 0
        ? `covers ${percent(match.coverage)} of the forecast shortage (P95)`
        : `no shortage is forecast; has headroom in ${percent(match.slotCoverage)} of the slots (P95)`,
      ...(match.peaksApartHours === undefined
        ? []
        : [
            `median peaks are ${Number(match.peaksApartHours.toFixed(1))} h apart; together they peak ${percent(match.peakReduction)} lower than apart`,
          ]),
      ...(verdicts === 0
        ? []
        : [`confidence is corrected by ${verdicts} verdict${verdicts === 1 ? '' : 's'} on earlier days`]),
    ],
  };
}
