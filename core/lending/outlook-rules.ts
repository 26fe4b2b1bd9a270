/**
 * How the short-term forecast is used, by the hub and by the replay of traces alike: the risks at which is lent and recalled, and how a
 * need that it expects is held near what was measured.
 */

/** Probability at which a lender's need may pass what it keeps over the start-up and the shortest loan. */
export const LEND_RISK = 0.02;
/** The risk at which a loan is recalled, as a share of the risk at which it is made. */
export const RECALL_RISK_SHARE = 0.5;
/** Units that must be left for each unit that is borrowed before an alarm. */
export const SPARE_PER_UNIT = 3;
/** From the request until borrowed units are in service, where nothing else is known. */
export const START_UP_SECONDS = 300;
/** Below this share of what is owned no bottleneck is looked for. */
export const IDLE_SHARE = 0.3;
/** A forecast need is no more than this share above the newest demand, and this share of what is owned. */
const MOST_RISE = 0.5;
const MOST_RISE_OF_OWNED = 0.05;

/** A forecast need, held near what is needed now. All in units. */
export function nearNeed(at: {
  readonly forecast: number;
  /** The newest need. */
  readonly last: number;
  /** The largest of the newest needs. */
  readonly recent: number;
  readonly owned: number;
}): number {
  const most = (1 + MOST_RISE) * at.recent + MOST_RISE_OF_OWNED * at.owned;
  return Math.max(at.last, Math.min(most, at.forecast));
}
