import type { EpochMillis } from '../units.ts';
import type { TrustEvidence, TrustPart } from './evidence.ts';
import { TRUST_PARTS, valuationOf } from './evidence.ts';

const MILLIS_PER_DAY = 86_400_000;

/** Evidence counts half after so many days. */
export const HALF_LIFE_DAYS = 90;
/**
 * Beta(3, 1) for each part: an account of which nothing is known is taken for one that kept three promises of four. So it passes
 * the default floor, does not pass a floor of 0.8, and two or three broken promises take it below the default.
 */
const PRIOR = { good: 3, bad: 1 } as const;
/** What a newcomer has, in each part and combined. */
export const NEWCOMER_TRUST: number = PRIOR.good / (PRIOR.good + PRIOR.bad);
/** The least trust of a counterparty where a consent states no floor. */
export const DEFAULT_TRUST_FLOOR = 0.5;
/** What the evidence of one counterparty counts at most in a part: two accounts cannot lift each other by themselves. */
const COUNTERPARTY_WEIGHT_MAX = 10;
/** Newest pieces of evidence that a score shows of each part. */
const SHOWN_EVIDENCE = 5;

const PART_WEIGHTS: Readonly<Record<TrustPart, number>> = { payments: 0.4, compliance: 0.3, service: 0.3 };

/** One part of a trust score. */
export interface TrustPartScore {
  /** Mean of the Beta posterior, above 0 and below 1. */
  readonly score: number;
  /** Its standard deviation: how little is known. */
  readonly uncertainty: number;
  /** What good and bad evidence weighs now, after decay; the prior is not counted in. */
  readonly goodWeight: number;
  readonly badWeight: number;
  /** Pieces of evidence, each counted once. */
  readonly evidenceCount: number;
  /** The newest first. */
  readonly newestEvidence: readonly TrustEvidence[];
}

/** How far an account can be relied on, with what it rests on. */
export interface Trust {
  /** Above 0, below 1: the weighted harmonic mean of the parts, so that one bad part is not made up for by the others. */
  readonly score: number;
  readonly parts: Readonly<Record<TrustPart, TrustPartScore>>;
  readonly evidenceCount: number;
  readonly at: EpochMillis;
}

function newestFirst(a: TrustEvidence, b: TrustEvidence): number {
  return b.at - a.at || (a.evidenceId < b.evidenceId ? -1 : 1);
}

/** Each id once, the newest first: the order in which evidence came in changes no sum. */
function inOrder(evidence: readonly TrustEvidence[]): TrustEvidence[] {
  const byId = new Map<string, TrustEvidence>();
  for (const each of [...evidence].sort(newestFirst)) {
    if (!byId.has(each.evidenceId)) byId.set(each.evidenceId, each);
  }
  return [...byId.values()];
}

/** Share that evidence still counts: 1 when it is new, 0.5 after a half-life. Of a moment to come: 1. */
function decayOf(at: EpochMillis, now: EpochMillis): number {
  return 2 ** (-Math.max(0, now - at) / (HALF_LIFE_DAYS * MILLIS_PER_DAY));
}

interface Weights {
  good: number;
  bad: number;
}

function weightsByCounterparty(evidence: readonly TrustEvidence[], now: EpochMillis): Map<string, Weights> {
  const found = new Map<string, Weights>();
  for (const each of evidence) {
    const { quality, weight } = valuationOf(each.kind);
    const counted = weight * decayOf(each.at, now);
    const key = each.counterparty ?? '';
    const sums = found.get(key) ?? { good: 0, bad: 0 };
    sums.good += counted * quality;
    sums.bad += counted * (1 - quality);
    found.set(key, sums);
  }
  return found;
}

function partScore(evidence: readonly TrustEvidence[], now: EpochMillis): TrustPartScore {
  let [goodWeight, badWeight] = [0, 0];
  for (const [counterparty, { good, bad }] of weightsByCounterparty(evidence, now)) {
    // Good evidence of one counterparty is cut off alone: bad evidence cannot be buried under it.
    goodWeight += counterparty === '' ? good : Math.min(good, COUNTERPARTY_WEIGHT_MAX);
    badWeight += bad;
  }
  const [a, b] = [PRIOR.good + goodWeight, PRIOR.bad + badWeight];
  return {
    score: a / (a + b),
    uncertainty: Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))),
    goodWeight,
    badWeight,
    evidenceCount: evidence.length,
    newestEvidence: evidence.slice(0, SHOWN_EVIDENCE),
  };
}

/**
 * The trust that evidence of one account gives it at a moment.
 *
 * Each part is the mean of a Beta distribution: the prior of a newcomer plus what each piece of evidence weighs, halved every 90
 * days. Without new evidence each part goes back to the prior: good deeds of long ago and bad ones are both forgotten.
 * @param evidence of one account, in any order; a repeated id counts once
 */
export function trustOf(evidence: readonly TrustEvidence[], now: EpochMillis): Trust {
  const known = inOrder(evidence);
  const scoreOf = (part: TrustPart) =>
    partScore(
      known.filter((each) => each.part === part),
      now,
    );
  const parts = { payments: scoreOf('payments'), compliance: scoreOf('compliance'), service: scoreOf('service') };
  let inverse = 0;
  for (const part of TRUST_PARTS) inverse += PART_WEIGHTS[part] / parts[part].score;
  return { score: 1 / inverse, parts, evidenceCount: known.length, at: now };
}
