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

/** Why neither consent could ever cover a loan between the pools; the lender's is asked first. */
function consentRefusal(lender: Pool, borrower: Pool, input: PairingInput): GateRefusal | undefined {
  const lenderConsent = input.consents[lender.spec.accountId]?.consent;
  const borrowerConsent = input.consents[borrower.spec.accountId]?.consent;
  const lendTerms = lenderConsent?.terms.lend;
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
    const party = direction === 'lend' ? 'lender' : 'borrower';
    return refused && { gate: 'consent' as const, field: `${party}.${refused.field}`, detail: refused.detail };
  };
  const refused = side('lend', lender, borrower, lenderConsent) ?? side('borrow', borrower, lender, borrowerConsent);
  if (refused !== undefined || lenderConsent === undefined || borrowerConsent === undefined) return refused;
  const shortest = Math.max(lenderConsent.terms.shortestTermSeconds, borrowerConsent.terms.shortestTermSeconds);
  const longest = Math.min(lenderConsent.terms.longestTermSeconds, borrowerConsent.terms.longestTermSeconds);
  if (shortest <= longest) return undefined;
  const detail = `the longest term that both accept is ${longest} s, the shortest ${shortest} s`;
  return { gate: 'consent', field: 'shortestTermSeconds', detail };
}

function reasonsOf(found: Match, lender: Pool, borrower: Pool): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const zone = sharedZone(lender.spec, borrower.spec);
  return [
    found.shortageSlots > 0
      ? `covers ${percent(found.coverage)} of a forecast shortage of up to ${found.peakShortage} units (P95)`
      : `no shortage is forecast; has headroom in ${percent(found.confidence)} of the slots (P95)`,
    ...(found.peaksApartHours === undefined
      ? []
      : [
          `median peaks are ${Number(found.peaksApartHours.toFixed(1))} h apart; together they peak ${percent(found.peakReduction)} lower than apart`,
        ]),
    zone === undefined ? `same region ${lender.spec.region}` : `shares the Availability Zone ${zone}`,
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
        : `of the lender's ${lender.ownedUnits} units none is forecast to be idle (P95) beyond ${lender.lentUnits} lent and its reserve of ${lender.spec.reserveUnits}`;
    return { lenderPoolId: poolId, gate: 'headroom', field: 'forecast', detail };
  }
  const zoneFactor = sharedZone(lender.spec, borrower.spec) === undefined ? 1 : SHARED_ZONE_FACTOR;
  return {
    lenderPoolId: poolId,
    lenderAccountId: accountId,
    score: rounded((found.coverage + found.peakReduction) * zoneFactor),
    confidence: rounded(found.confidence),
    expectedUnits: rounded(found.expectedUnits),
    expectedSavingMicroUsd: microUsd(0),
    reasons: reasonsOf(found, lender, borrower),
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
