/**
 * Borrowing before an alarm: when a pool's forecast makes a bottleneck likely enough within the time that the pool looks
 * ahead, or its outlook within the next minutes. The trigger and the assessment of the request decide by the same forecast, so both are here.
 */
import { utcMinuteText } from '../calendar.ts';
import type { Consent, ConsentUsage } from '../consent/consent.ts';
import { ownRefusals } from '../consent/covers.ts';
import type { BottleneckAhead } from '../forecast/bottleneck-ahead.ts';
import { bottleneckAhead, peakNeed } from '../forecast/bottleneck-ahead.ts';
import type { NeedLevel, PoolForecast } from '../forecast/pool-forecast.ts';
import { bottleneckUnits } from '../forecast/pool-forecast.ts';
import type { BorrowAhead, GroupObservation, Pool } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import type { AssessRefusalCode } from './assess.ts';
import type { ForecastNeed, Loan } from './loan.ts';
import { isOpen } from './loan.ts';
import type { Outlook } from './outlook.ts';
import { freshOutlook } from './outlook.ts';
import { IDLE_SHARE } from './outlook-rules.ts';

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

/** The units that are needed at a level, and until when at least. */
interface Peak {
  readonly neededUnits: number;
  readonly endMillis: number;
}

interface Expected {
  readonly bottleneck: BottleneckAhead;
  readonly before: EpochMillis;
  readonly likely: boolean;
  readonly text: string;
  readonly peakOf: (level: NeedLevel, atMost: EpochMillis, ownCeiling: number) => Peak | undefined;
}

/** What the plan's forecast says of the time that the pool looks ahead; undefined when it says nothing. */
function byPlan(forecast: PoolForecast | undefined, rule: BorrowAhead, now: EpochMillis): Expected | undefined {
  if (forecast === undefined) return undefined;
  const before = plusMillis(now, rule.aheadSeconds * MILLIS_PER_SECOND);
  const bottleneck = bottleneckAhead(forecast, now, before);
  if (bottleneck === undefined) return undefined;
  const likely = bottleneck.probability >= rule.atProbability;
  return {
    bottleneck,
    before,
    likely,
    text: describe(bottleneck, before),
    peakOf: (level, atMostMillis, ownCeiling) =>
      peakNeed(forecast, level, { fromMillis: now, toMillis: before, atMostMillis }, ownCeiling),
  };
}

/** A request by an outlook is asked for again only after so long: the next outlook says much the same. */
const SLOT_MILLIS = 900_000;

/** What a fresh outlook says of the next minutes; undefined when there is none, it is of another ceiling, or the pool is idle. */
function byOutlook(pool: Pool, made: Outlook | undefined, rule: BorrowAhead, now: EpochMillis): Expected | undefined {
  const outlook = freshOutlook(made, now);
  if (outlook === undefined) return undefined;
  const { ahead, bindingResource: resource, lastUnits } = outlook;
  const metric = pool.spec.resources[resource];
  if (metric === undefined || ahead.ceilingUnits !== ceilingUnits(pool)) return undefined;
  if (lastUnits <= IDLE_SHARE * pool.ownedUnits) return undefined;
  const bottleneck = {
    resource,
    thresholdUnits: bottleneckUnits(ahead.ceilingUnits, metric.thresholdPercent),
    probability: ahead.probability,
    slotMillis: Math.floor(now / SLOT_MILLIS) * SLOT_MILLIS,
  };
  const { untilMillis: before } = ahead;
  return {
    bottleneck,
    before,
    likely: ahead.probability >= rule.atProbability,
    text: `${describe(bottleneck, before)} by its outlook`,
    peakOf: (level) => ({ neededUnits: ahead.neededUnits[level], endMillis: before }),
  };
}

/** The forecast that makes a bottleneck likely enough, the plan's first; where none does, what one of them says. */
function expectedOf(
  at: {
    readonly pool: Pool;
    readonly forecast?: PoolForecast | undefined;
    readonly outlook?: Outlook | undefined;
    readonly now: EpochMillis;
  },
  rule: BorrowAhead,
): Expected | undefined {
  const found = [byPlan(at.forecast, rule, at.now), byOutlook(at.pool, at.outlook, rule, at.now)];
  return found.find((each) => each?.likely === true) ?? found.find((each) => each !== undefined);
}

/**
 * Whether a pool's forecast, or its outlook, is a reason to ask for a loan now. A pool that has a loan already, or one in the making, or that
 * cools down, does not ask for another.
 * @param at.openLoans loans of the pool's account as a borrower
 */
export function lookAhead(at: {
  readonly pool: Pool;
  readonly forecast?: PoolForecast | undefined;
  readonly outlook?: Outlook | undefined;
  readonly openLoans: readonly Loan[];
  readonly now: EpochMillis;
}): AheadAction {
  const { pool, now } = at;
  const none = (reason: string): AheadAction => ({ action: 'none', reason });
  const { borrowAhead, poolId } = pool.spec;
  if (borrowAhead === undefined) return none('the pool borrows on alarms only');
  const seen = expectedOf(at, borrowAhead);
  if (seen === undefined) return none('the forecast shows no bottleneck');
  if (!seen.likely) return none(`${seen.text}: below ${borrowAhead.atProbability}`);
  const coolDownUntil = pausedUntil(pool);
  if (coolDownUntil !== undefined && now < coolDownUntil) return none(`the pool cools down until ${coolDownUntil} ms`);
  const open = at.openLoans.find((loan) => loan.borrowerPoolId === poolId && isOpen(loan));
  if (open !== undefined) return none(`${open.loanId} is ${open.state}`);
  return { action: 'borrow', bottleneck: seen.bottleneck, coolDownUntil, reason: seen.text };
}

export interface AheadObservation {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly forecast?: PoolForecast | undefined;
  readonly outlook?: Outlook | undefined;
  readonly consent?: Consent | undefined;
  readonly usage: ConsentUsage;
  readonly now: EpochMillis;
}

export type AheadAssessment =
  | { readonly action: 'request'; readonly units: number; readonly forecastNeed: ForecastNeed; readonly reason: string }
  | { readonly action: 'refuse'; readonly code: AssessRefusalCode; readonly units: number; readonly reason: string };

/** Until when a pool does not ask by a forecast: after any request that was refused or a return, and after its last one by a forecast. */
function pausedUntil({ coolDownUntil, aheadAgainAt }: Pool): EpochMillis | undefined {
  if (coolDownUntil === undefined || aheadAgainAt === undefined) return coolDownUntil ?? aheadAgainAt;
  return epochMillis(Math.max(coolDownUntil, aheadAgainAt));
}

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
  const { pool, group, consent, now } = seen;
  const { borrowAhead } = pool.spec;
  const refusal = (code: AssessRefusalCode, reason: string, units = 1): AheadAssessment => {
    return { action: 'refuse', code, reason, units: Math.max(1, units) };
  };
  const barred = borrowBar(seen);
  if (barred !== undefined) return refusal(barred.code, barred.reason);
  const paused = pausedUntil(pool);
  if (paused !== undefined && now < paused) {
    return refusal('cooling-down', `the pool asks by no forecast until ${paused} ms, it is ${now} ms`);
  }
  const expected = borrowAhead === undefined ? undefined : expectedOf(seen, borrowAhead);
  if (borrowAhead === undefined || expected?.likely !== true) {
    return refusal(
      'bottleneck-unlikely',
      expected === undefined ? 'no bottleneck is forecast by now' : `by now ${expected.text}`,
    );
  }
  const needLevel = levelOf(borrowAhead, consent);
  const longest = plusMillis(now, (consent?.terms.longestTermSeconds ?? 0) * MILLIS_PER_SECOND);
  const peak = expected.peakOf(needLevel, longest, group.maxSize);
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
