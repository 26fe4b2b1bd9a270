/**
 * Borrowing before an alarm: when a pool's forecast makes a bottleneck likely enough within the time that the pool looks
 * ahead. The trigger and the assessment of the request decide by the same forecast, so both are here.
 */
import { utcMinuteText } from '../calendar.ts';
import type { Consent, ConsentUsage } from '../consent/consent.ts';
import { ownRefusals } from '../consent/covers.ts';
import type { BottleneckAhead } from '../forecast/bottleneck-ahead.ts';
import { bottleneckAhead, peakNeed } from '../forecast/bottleneck-ahead.ts';
import type { NeedLevel, PoolForecast } from '../forecast/pool-forecast.ts';
import type { BorrowAhead, GroupObservation, Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { AssessRefusalCode } from './assess.ts';
import type { ForecastNeed, Loan } from './loan.ts';
import { isOpen } from './loan.ts';

export type AheadAction =
  | {
      readonly action: 'borrow';
      readonly bottleneck: BottleneckAhead;
      /** The end of the last cool-down; a request refused for one slot may be made again after it, and not before. */
      readonly coolDownUntil: EpochMillis | undefined;
      readonly reason: string;
    }
  | { readonly action: 'none'; readonly reason: string };

/** Probabilities and units as people read them. */
const shown = (value: number): string => String(Number(value.toFixed(2)));

function describe({ resource, probability, thresholdUnits }: BottleneckAhead, before: EpochMillis): string {
  return `probability ${shown(probability)} of ${resource} reaching ${shown(thresholdUnits)} units before ${utcMinuteText(before)}`;
}

interface Outlook {
  readonly bottleneck: BottleneckAhead;
  readonly before: EpochMillis;
  readonly likely: boolean;
  readonly text: string;
}

/** What the forecast says of the time that the pool looks ahead; undefined when it says nothing. */
function outlook(forecast: PoolForecast | undefined, rule: BorrowAhead, now: EpochMillis): Outlook | undefined {
  if (forecast === undefined) return undefined;
  const before = plusMillis(now, rule.aheadSeconds * MILLIS_PER_SECOND);
  const bottleneck = bottleneckAhead(forecast, now, before);
  if (bottleneck === undefined) return undefined;
  const likely = bottleneck.probability >= rule.atProbability;
  return { bottleneck, before, likely, text: describe(bottleneck, before) };
}

/**
 * Whether a pool's forecast is a reason to ask for a loan now. A pool that has a loan already, or one in the making, or that
 * cools down, does not ask for another.
 * @param at.openLoans loans of the pool's account as a borrower
 */
export function lookAhead(at: {
  readonly pool: Pool;
  readonly forecast?: PoolForecast | undefined;
  readonly openLoans: readonly Loan[];
  readonly now: EpochMillis;
}): AheadAction {
  const { pool, now } = at;
  const none = (reason: string): AheadAction => ({ action: 'none', reason });
  const { borrowAhead, poolId } = pool.spec;
  if (borrowAhead === undefined) return none('the pool borrows on alarms only');
  const seen = outlook(at.forecast, borrowAhead, now);
  if (seen === undefined) return none('the forecast shows no bottleneck');
  if (!seen.likely) return none(`${seen.text}: below ${borrowAhead.atProbability}`);
  const { coolDownUntil } = pool;
  if (coolDownUntil !== undefined && now < coolDownUntil) return none(`the pool cools down until ${coolDownUntil} ms`);
  const open = at.openLoans.find((loan) => loan.borrowerPoolId === poolId && isOpen(loan));
  if (open !== undefined) return none(`${open.loanId} is ${open.state}`);
  return { action: 'borrow', bottleneck: seen.bottleneck, coolDownUntil, reason: seen.text };
}

export interface AheadObservation {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly forecast?: PoolForecast | undefined;
  readonly consent?: Consent | undefined;
  readonly usage: ConsentUsage;
  readonly now: EpochMillis;
}

export type AheadAssessment =
  | { readonly action: 'request'; readonly units: number; readonly forecastNeed: ForecastNeed; readonly reason: string }
  | { readonly action: 'refuse'; readonly code: AssessRefusalCode; readonly units: number; readonly reason: string };

/** The lower of the pool's level and the highest that the consent allows. */
function levelOf({ needLevel }: BorrowAhead, consent: Consent | undefined): NeedLevel {
  const most = consent?.terms.borrow?.maxNeedLevel;
  return most !== undefined && Number(most) < Number(needLevel) ? most : needLevel;
}

/** Units that the borrower's own consent leaves room for. */
function roomUnits({ pool, consent, usage }: AheadObservation): number {
  const limits = consent?.terms.borrow;
  if (limits === undefined) return 0;
  const ofShare = Math.floor((limits.maxSharePercent * pool.ownedUnits) / 100) - pool.borrowedUnits;
  return Math.max(0, Math.min(limits.maxUnits - usage.borrowedUnits, ofShare));
}

/** Why nothing may be asked for before an alarm, whatever is expected; undefined when it may. */
export function borrowBar(
  seen: Pick<AheadObservation, 'pool' | 'group' | 'consent' | 'now'>,
): { code: AssessRefusalCode; reason: string } | undefined {
  const { pool, group, now } = seen;
  const { accountId, application, groupName } = pool.spec;
  if (!group.lendingEnabled)
    return { code: 'not-tagged', reason: `${groupName} is not tagged entangle:lending=enabled` };
  if (pool.coolDownUntil !== undefined && now < pool.coolDownUntil) {
    return { code: 'cooling-down', reason: `the pool cools down until ${pool.coolDownUntil} ms, it is ${now} ms` };
  }
  const [refused] = ownRefusals(seen.consent, { direction: 'borrow', accountId, groupName, application, now });
  return refused === undefined ? undefined : { code: 'consent', reason: `${refused.field}: ${refused.detail}` };
}

/**
 * Whether a forecast is still a reason to borrow, and how many units: what is needed at the peak of the bottleneck, at the
 * level that pool and consent agree on, less the observed ceiling; no more than the consent leaves room for. A bottleneck that
 * is likelier than the pool accepts, of what it owns, is worth a unit even where that level stays below the ceiling.
 */
export function assessAhead(seen: AheadObservation): AheadAssessment {
  const { pool, group, forecast, consent, now } = seen;
  const { borrowAhead } = pool.spec;
  const refusal = (code: AssessRefusalCode, reason: string, units = 1): AheadAssessment => {
    return { action: 'refuse', code, reason, units: Math.max(1, units) };
  };
  const barred = borrowBar(seen);
  if (barred !== undefined) return refusal(barred.code, barred.reason);
  const expected = borrowAhead === undefined ? undefined : outlook(forecast, borrowAhead, now);
  if (borrowAhead === undefined || forecast === undefined || expected?.likely !== true) {
    return refusal(
      'bottleneck-unlikely',
      expected === undefined ? 'no bottleneck is forecast by now' : `by now ${expected.text}`,
    );
  }
  const needLevel = levelOf(borrowAhead, consent);
  const longest = plusMillis(now, (consent?.terms.longestTermSeconds ?? 0) * MILLIS_PER_SECOND);
  const time = { fromMillis: now, toMillis: expected.before, atMostMillis: longest };
  const peak = peakNeed(forecast, needLevel, time, group.maxSize);
  const neededUnits = peak?.neededUnits ?? 0;
  const missing = Math.max(neededUnits - group.maxSize, group.maxSize <= pool.ownedUnits ? 1 : 0);
  const need = `P${Number(needLevel) * 100} of the need is ${neededUnits} units, the ceiling is ${group.maxSize}`;
  if (missing <= 0 || peak === undefined) return refusal('own-headroom', `${expected.text}, but ${need}`);
  const room = roomUnits(seen);
  if (room < 1) return refusal('consent', 'borrow: what it allows is in use', missing);
  const { resource, thresholdUnits, probability } = expected.bottleneck;
  return {
    action: 'request',
    units: Math.min(missing, room),
    forecastNeed: {
      resource,
      thresholdUnits,
      probability,
      beforeMillis: expected.before,
      neededUnits,
      needLevel,
      peakEndMillis: epochMillis(peak.endMillis),
    },
    reason: `pre-emptive: ${expected.text}; ${need}${missing > room ? `, the consent leaves room for ${room} more` : ''}`,
  };
}
