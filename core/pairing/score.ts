import { NEWCOMER_TRUST } from '../trust/trust.ts';
import type { MicroUsd } from '../units.ts';

/** A shared Availability Zone is worth as much as a quarter more of everything else. */
const SHARED_ZONE_FACTOR = 1.25;
/** A pool of another region is worth as much as a same-region pool with a fifth less of everything else … */
const OTHER_REGION_FACTOR = 0.8;
/** … and less the farther it is: half of that at this latency. */
const HALVING_LATENCY_MILLIS = 100;
/** A trust of 1 counts 5 % more than a newcomer's 0.75: trust keeps out by its floor, and as a rank only tips the scales. */
const TRUST_SLOPE = 0.2;
/** A price of nothing counts a quarter more than the on-demand price. */
const PRICE_SLOPE = 0.25;
/** Scores and shares are rounded to this many parts, so that equal pools get equal scores whatever the order of sums. */
const PARTS = 1_000_000;

/** A number rounded to a millionth. */
export function rounded(value: number): number {
  return Math.round(value * PARTS) / PARTS;
}

export interface ScoreInput {
  readonly coverage: number;
  readonly peakReduction: number;
  readonly sharedZone: boolean;
  readonly sameRegion: boolean;
  readonly latencyMillis: number;
  /** Of the lender; absent: not looked at, counts as a newcomer's. */
  readonly trust?: number | undefined;
  readonly priceMicroUsdPerUnitHour: MicroUsd;
  /** What a unit-hour would cost the borrower on demand. */
  readonly onDemandMicroUsdPerUnitHour: MicroUsd;
}

/** What a score is made of: `score = complementarity × proximity × trust`. */
export interface ScoreParts {
  /** Coverage and peak reduction added: what the pools do for each other. */
  readonly complementarity: number;
  readonly proximity: number;
  readonly trust: number;
}

export interface Score {
  /** Higher is better. Without the price: it may be shown to a borrower, who would read the lender's lowest price from it. */
  readonly score: number;
  readonly parts: ScoreParts;
  /** 1 when the lender asks for the on-demand price, more when it asks for less. Not for the borrower. */
  readonly priceFactor: number;
  /** `score × priceFactor`: what partners are ordered by. */
  readonly rank: number;
}

function proximityFactor({ sharedZone, sameRegion, latencyMillis }: ScoreInput): number {
  if (sharedZone) return SHARED_ZONE_FACTOR;
  if (sameRegion) return 1;
  return OTHER_REGION_FACTOR / (1 + latencyMillis / HALVING_LATENCY_MILLIS);
}

/** How good a lender is for a borrower. */
export function scorePair(input: ScoreInput): Score {
  const { onDemandMicroUsdPerUnitHour: onDemand, priceMicroUsdPerUnitHour: price } = input;
  const discount = onDemand === 0 ? 0 : Math.max(-1, 1 - price / onDemand);
  const parts = {
    complementarity: rounded(input.coverage + input.peakReduction),
    proximity: rounded(proximityFactor(input)),
    trust: rounded(1 + TRUST_SLOPE * ((input.trust ?? NEWCOMER_TRUST) - NEWCOMER_TRUST)),
  };
  const score = rounded((input.coverage + input.peakReduction) * parts.proximity * parts.trust);
  const priceFactor = rounded(1 + PRICE_SLOPE * discount);
  return { score, parts, priceFactor, rank: rounded(score * priceFactor) };
}

/** What a unit-hour lent between the pools is worth beside others: the factors of the score that do not depend on the courses. */
export function unitHourFactor(score: Score): number {
  return rounded(score.parts.proximity * score.parts.trust * score.priceFactor);
}
