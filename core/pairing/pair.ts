import type { Consent, ConsentUsage } from '../consent/consent.ts';
import { pairRefusals } from '../consent/covers.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { microUsd } from '../units.ts';
import type { GateRefusal } from './gates.ts';
import { gateRefusal } from './gates.ts';
import { latencyMillis, sharedZone } from './latency.ts';
import type { Match, Matcher } from './match.ts';
import { matcher } from './match.ts';
import type { Partner, PoolPlan, RefusedPartner } from './plan.ts';

/** A shared Availability Zone is worth as much as a quarter more of everything else. */
const SHARED_ZONE_FACTOR = 1.25;
/** Refused candidates kept in a plan, so that it fits in one DynamoDB item. */
const MAX_REFUSED = 100;
/** Scores and shares are rounded to this many parts, so that equal pools get equal scores whatever the order of sums. */
const PARTS = 1_000_000;

export interface PairingInput {
  readonly pools: readonly Pool[];
  /** By pool id. */
  readonly forecasts: Readonly<Record<string, PoolForecast>>;
  /** By account id. */
  readonly consents: Readonly<Record<string, { readonly consent?: Consent; readonly usage: ConsentUsage }>>;
  readonly now: EpochMillis;
  /** Partners kept for each pool. */
  readonly maxPartners: number;
}

function rounded(value: number): number {
  return Math.round(value * PARTS) / PARTS;
}

function byPoolId(a: Pool, b: Pool): number {
  return a.spec.poolId < b.spec.poolId ? -1 : 1;
}

/** Why neither consent could ever cover a loan between the pools, as the borrower may read it; the lender's is asked first. */
function consentRefusal(lender: Pool, borrower: Pool, input: PairingInput): GateRefusal | undefined {
  const lenderConsent = input.consents[lender.spec.accountId]?.consent;
  const borrowerConsent = input.consents[borrower.spec.accountId]?.consent;
  const lendTerms = lenderConsent?.terms.lend;
  const refusal = (field: string, detail: string): GateRefusal => ({ gate: 'consent', field, detail });
  const shared = {
    application: borrower.spec.application,
    priceMicroUsdPerUnitHour: lendTerms?.minPriceMicroUsdPerUnitHour ?? microUsd(0),
    recallNoticeSeconds: lendTerms?.recallNoticeSeconds ?? 0,
    latencyMillis: latencyMillis(lender.spec, borrower.spec),
    now: input.now,
  };
  const side = (direction: 'lend' | 'borrow', own: Pool, other: Pool, consent: Consent | undefined) => {
    const [refused] = pairRefusals(consent, {
      ...shared,
      direction,
      accountId: own.spec.accountId,
      groupName: own.spec.groupName,
      pool: own.spec,
      counterparty: other.spec.accountId,
      counterpartyPool: other.spec,
    });
    if (refused === undefined) return undefined;
    return direction === 'lend'
      ? refusal(`lender.${refused.field}`, `the lender's consent does not cover it (${refused.code})`)
      : refusal(`borrower.${refused.field}`, refused.detail);
  };
  const refused = side('lend', lender, borrower, lenderConsent) ?? side('borrow', borrower, lender, borrowerConsent);
  if (refused !== undefined || lenderConsent === undefined || borrowerConsent === undefined) return refused;
  const { shortestTermSeconds, longestTermSeconds } = borrowerConsent.terms;
  const shortest = Math.max(lenderConsent.terms.shortestTermSeconds, shortestTermSeconds);
  const longest = Math.min(lenderConsent.terms.longestTermSeconds, longestTermSeconds);
  if (shortest <= longest) return undefined;
  const detail = `no term suits both consents; the borrower's accepts ${shortestTermSeconds} to ${longestTermSeconds} s`;
  return refusal('shortestTermSeconds', detail);
}

function metricReasonsOf(found: Match): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return [
    found.shortageSlots > 0
      ? `covers ${percent(found.coverage)} of the forecast shortage (P95)`
      : `no shortage is forecast; has headroom in ${percent(found.confidence)} of the slots (P95)`,
    ...(found.peaksApartHours === undefined
      ? []
      : [
          `median peaks are ${Number(found.peaksApartHours.toFixed(1))} h apart; together they peak ${percent(found.peakReduction)} lower than apart`,
        ]),
  ];
}

function assessPartner(lender: Pool, borrower: Pool, input: PairingInput, match: Matcher): Partner | RefusedPartner {
  const { poolId, accountId } = lender.spec;
  const gated = gateRefusal(lender.spec, borrower.spec) ?? consentRefusal(lender, borrower, input);
  if (gated !== undefined) return { lenderPoolId: poolId, ...gated };
  const found = match(lender, borrower);
  if (!found.everLendable) {
    const detail =
      input.forecasts[poolId] === undefined
        ? 'the lender has no forecast: none of its capacity is known to stay idle'
        : 'the lender has nothing to lend in any slot';
    return { lenderPoolId: poolId, gate: 'headroom', field: 'forecast', detail };
  }
  const zone = sharedZone(lender.spec, borrower.spec);
  const zoneFactor = zone === undefined ? 1 : SHARED_ZONE_FACTOR;
  return {
    lenderPoolId: poolId,
    lenderAccountId: accountId,
    score: rounded((found.coverage + found.peakReduction) * zoneFactor),
    confidence: rounded(found.confidence),
    expectedUnits: rounded(found.expectedUnits),
    expectedSavingMicroUsd: microUsd(0),
    reasons: [zone === undefined ? `same region ${lender.spec.region}` : `shares the Availability Zone ${zone}`],
    metricReasons: metricReasonsOf(found),
    lenderDataAccess: input.consents[accountId]?.consent?.terms.dataAccess ?? 'none',
  };
}

function betterFirst(a: Partner, b: Partner): number {
  return (
    b.score - a.score ||
    b.confidence - a.confidence ||
    b.expectedUnits - a.expectedUnits ||
    (a.lenderPoolId < b.lenderPoolId ? -1 : 1)
  );
}

function planFor(borrower: Pool, pools: readonly Pool[], input: PairingInput, match: Matcher): PoolPlan {
  const partners: Partner[] = [];
  const refused: RefusedPartner[] = [];
  for (const lender of pools) {
    if (lender.spec.poolId === borrower.spec.poolId) continue;
    const candidate = assessPartner(lender, borrower, input, match);
    if ('gate' in candidate) refused.push(candidate);
    else partners.push(candidate);
  }
  const forecast = input.forecasts[borrower.spec.poolId];
  return {
    poolId: borrower.spec.poolId,
    plannedAt: input.now,
    ...(forecast === undefined ? {} : { forecast }),
    partners: partners.sort(betterFirst).slice(0, input.maxPartners),
    refused: refused.slice(0, MAX_REFUSED),
    refusedCount: refused.length,
  };
}

/**
 * A plan for each pool as a borrower: which pools may lend to it, best first, and why the others may not.
 *
 * `score = (coverage + peak reduction) × 1.25 when an Availability Zone is shared`. Coverage is the share of the borrower's
 * P95 shortage above its own ceiling that the lender's P95 headroom covers, or, when no shortage is forecast, the share of
 * slots with headroom. Peak reduction is `1 − peak(both) ÷ (peak(lender) + peak(borrower))` of the median needs. The order of
 * the input changes nothing.
 */
export function pairPools(input: PairingInput): PoolPlan[] {
  const pools = [...input.pools].sort(byPoolId);
  const match = matcher(input.forecasts, input.now);
  return pools.map((borrower) => planFor(borrower, pools, input, match));
}
