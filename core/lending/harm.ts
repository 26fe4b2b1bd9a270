/**
 * What lending costs lenders, and the risk that a lender may take for it: less after harm, more once it has lent for long without. One
 * that has lent little is judged by all of them together (empirical Bayes: Efron & Morris 1975), so that risks begin where they are
 * stated and rise with evidence only. Used by the hub and by the replay of traces alike.
 */

/** Harm as a share of what is lent: above it a lender takes less risk, below it more. */
export const HARM_TARGET = 0.0015;
/** No record of a lender raises its risk above this: P95 of its highest demand over the time that is looked ahead is always kept. */
export const MOST_RISK = 0.05;
/** How far the risk may be raised above what is stated, where lenders have shown that it does no harm. */
const MOST_FACTOR = 20;
/** However much harm was done: without any loan nothing would be learned again. */
const LEAST_FACTOR = 0.1;
/** How long what was seen counts. */
const MEMORY_SECONDS = 28 * 86_400;
/** A lender counts as the fleet does until it has lent all that it owns for so long; the fleet, as on target for so long. */
const OWN_PRIOR_SECONDS = 86_400;
const FLEET_PRIOR_SECONDS = 7_200;

/** Units of a lender's need that what it has lent leaves unserved. @param lent units that it has given up of those that it owns */
export function harmedUnits(need: number, lent: number, owned: number): number {
  return Math.min(lent, Math.max(0, need + lent - owned));
}

/** What is left after a while of what was lent or harmed: both are forgotten alike. */
export function keptShare(seconds: number): number {
  return Math.exp(-seconds / MEMORY_SECONDS);
}

/** What counts as lent by a lender before it has lent anything, in units × `stepSeconds`. */
export function ownPrior(ownedUnits: number, stepSeconds: number): number {
  return (ownedUnits * OWN_PRIOR_SECONDS) / stepSeconds;
}

/** The same of all lenders together. */
export function fleetPrior(ownedUnits: number, stepSeconds: number): number {
  return ownedUnits * (FLEET_PRIOR_SECONDS / stepSeconds);
}

/**
 * Harm of all lenders together as a share of what they have lent.
 * @param lent units × time, as `harmed` and `prior`
 */
export function fleetRate(target: number, lent: number, harmed: number, prior: number): number {
  const all = lent + prior;
  return all > 0 ? (harmed + target * prior) / all : target;
}

/**
 * By what the risk that is stated is to be multiplied for a lender.
 * @param target above 0
 * @param lent units × time, as `harmed` and `prior`
 * @param rateOfAll of the fleet
 */
export function riskFactor(target: number, lent: number, harmed: number, prior: number, rateOfAll: number): number {
  const all = lent + prior;
  if (all <= 0) return 1;
  const rate = (harmed + prior * rateOfAll) / all;
  const raised = rate > 0 ? Math.min(MOST_FACTOR, target / rate) : MOST_FACTOR;
  // Where all together are above the target, those that are not are careful too.
  return Math.max(LEAST_FACTOR, raised * Math.min(1, target / rateOfAll));
}

/** The risk that follows; one that is stated higher than any record could raise it stays. */
export function followedRisk(stated: number, factor: number): number {
  return Math.min(Math.max(MOST_RISK, stated), stated * factor);
}
