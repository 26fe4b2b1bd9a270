/** What a pool that has lent does when it needs its units itself. */
import { utcMinuteText } from '../calendar.ts';
import type { PoolForecast } from '../forecast/pool-forecast.ts';
import { forecastEndMillis, neededUnitsOver } from '../forecast/pool-forecast.ts';
import type { GroupObservation, Pool } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import { neededUnits } from '../telemetry/demand.ts';
import type { EpochMillis, PoolId } from '../units.ts';
import { MILLIS_PER_SECOND } from '../units.ts';
import type { LatestMetrics } from './assess.ts';
import { demandNow } from './assess.ts';
import { firmAtOf } from './drain.ts';
import type { Loan, RecallBy } from './loan.ts';
import { RETURNING_STATES } from './loan.ts';
import { lenderUnitsOf } from './loan-units.ts';
import type { Outlook } from './outlook.ts';
import { freshOutlook, riskText } from './outlook.ts';
import { START_UP_SECONDS } from './outlook-rules.ts';
import { noticeEnd, recallObjection } from './recall.ts';

/** How far ahead a pool has to look, where it does not say so: until instances are in service. */
function startUpSeconds({ spec }: Pool): number {
  return Math.max(spec.alarmPeriodSeconds, spec.borrowAhead?.aheadSeconds ?? START_UP_SECONDS);
}

function unitsOf(loans: readonly Loan[]): number {
  return loans.reduce((sum, loan) => sum + lenderUnitsOf(loan), 0);
}

/** Units of a pool that are on their way back to it: no loan need be asked for them. */
export function comingBackUnits(lentLoans: readonly Loan[], poolId: PoolId): number {
  return unitsOf(lentLoans.filter((loan) => loan.lenderPoolId === poolId && RETURNING_STATES.includes(loan.state)));
}

/**
 * The loans to recall for so many units of the lender's: the latest first, none of which could be left out. All of them when they are
 * too few.
 */
export function loansToRecall(recallable: readonly Loan[], units: number): Loan[] {
  const latestFirst = [...recallable].sort(
    (a, b) => (b.activeAt ?? 0) - (a.activeAt ?? 0) || (a.loanId < b.loanId ? -1 : 1),
  );
  const chosen: Loan[] = [];
  for (const loan of latestFirst) {
    if (unitsOf(chosen) >= units) break;
    chosen.push(loan);
  }
  // The oldest of them is spared first.
  for (const loan of [...chosen].reverse()) {
    const without = chosen.filter((other) => other !== loan);
    if (unitsOf(without) >= units) chosen.splice(chosen.indexOf(loan), 1);
  }
  return chosen;
}

export interface LenderNeed {
  readonly recall: readonly Loan[];
  /** Units that come back by the time that new instances would be in service: they are not borrowed as well. */
  readonly inTimeUnits: number;
  /** Figures of the lender's. */
  readonly reason: string;
}

function recallable(lent: readonly Loan[], pool: Pool, by: RecallBy, now: EpochMillis): Loan[] {
  return lent.filter((loan) => loan.lenderPoolId === pool.spec.poolId && recallObjection(loan, by, now) === undefined);
}

/**
 * What a pool's own alarm asks of the loans that it has made: as many units back as it is short of, less those that are on their way.
 * What comes back by the time that new instances would be in service is not borrowed as well.
 * @param at.lentLoans open loans made from the pool
 */
export function needOnAlarm(at: {
  readonly pool: Pool;
  readonly group: GroupObservation;
  readonly metrics: LatestMetrics;
  readonly lentLoans: readonly Loan[];
  readonly now: EpochMillis;
}): LenderNeed {
  const { pool, group, lentLoans, now } = at;
  const { units: needed } = neededUnits(demandNow(pool, group, at.metrics), pool.spec);
  const missing = needed - group.maxSize;
  if (missing <= 0) {
    return { recall: [], inTimeUnits: 0, reason: `it needs ${needed} units, its ceiling is ${group.maxSize}` };
  }
  const ownLoans = lentLoans.filter((loan) => loan.lenderPoolId === pool.spec.poolId);
  const back = comingBackUnits(ownLoans, pool.spec.poolId);
  const chosen = missing > back ? loansToRecall(recallable(ownLoans, pool, 'lender-alarm', now), missing - back) : [];
  const inTime = now + startUpSeconds(pool) * MILLIS_PER_SECOND;
  const early = [
    ...chosen.filter((loan) => noticeEnd(loan, now) <= inTime),
    ...ownLoans.filter((loan) => RETURNING_STATES.includes(loan.state) && (firmAtOf(loan) ?? 0) <= inTime),
  ];
  const covered = unitsOf(early);
  return {
    recall: chosen,
    inTimeUnits: covered,
    reason: `it needs ${needed} units, its ceiling is ${group.maxSize}: ${back} are on their way back, ${unitsOf(chosen)} are recalled, ${covered} come in time`,
  };
}

interface OwnNeed {
  readonly units: number;
  /** With the time and the forecast that it is of. */
  readonly text: string;
}

/** What a lender needs before a recall at the next look would have brought units back, or why that is not known. */
function needBeforeRecall(
  at: { readonly pool: Pool; readonly plan?: PoolForecast | undefined; readonly outlook?: Outlook | undefined },
  noticeSeconds: number,
  now: EpochMillis,
): OwnNeed | string {
  const { pool, plan } = at;
  const outlook = freshOutlook(at.outlook, now);
  if (outlook !== undefined) {
    const { untilMillis, neededUnits: units } = outlook.recall;
    const by = `by its outlook of ${utcMinuteText(outlook.madeAt)}`;
    return {
      units,
      text: `its need before ${untilMillis} ms is ${units} units but for ${riskText(outlook.recall, outlook)} ${by}`,
    };
  }
  if (plan === undefined) return 'there is no forecast of its demand';
  const until = now + (noticeSeconds + startUpSeconds(pool)) * MILLIS_PER_SECOND;
  const units = neededUnitsOver(plan, '0.95', now, Math.min(until, forecastEndMillis(plan)));
  if (units === undefined) return 'its forecast does not cover the time';
  return { units, text: `P95 of its need before ${until} ms is ${units} units` };
}

/**
 * The loans that a pool's forecast asks back: by the time that a recall takes it will need more than its ceiling, and its reserve does not
 * cover that. By a fresh outlook, at half of the risk at which it lends by it; else by the level of the plan at which it lends
 * (lendable.ts), until the notice is over and instances have started. Nothing when the plan's forecast ends before.
 */
export function needAhead(at: {
  readonly pool: Pool;
  readonly plan?: PoolForecast | undefined;
  readonly outlook?: Outlook | undefined;
  readonly lentLoans: readonly Loan[];
  readonly now: EpochMillis;
}): LenderNeed {
  const { pool, now } = at;
  const ownLoans = at.lentLoans.filter((loan) => loan.lenderPoolId === pool.spec.poolId);
  const back = comingBackUnits(ownLoans, pool.spec.poolId);
  const none = (reason: string): LenderNeed => ({ recall: [], inTimeUnits: back, reason });
  const notice = Math.max(0, ...ownLoans.map((loan) => loan.recallNoticeSeconds ?? 0));
  const need = needBeforeRecall(at, notice, now);
  if (typeof need === 'string') return none(need);
  const missing = need.units - ceilingUnits(pool) - back;
  const figures = `${need.text}, its ceiling is ${ceilingUnits(pool)}, ${back} are on their way back`;
  if (missing <= 0) return none(figures);
  const chosen = loansToRecall(recallable(ownLoans, pool, 'lender-forecast', now), missing);
  return { recall: chosen, inTimeUnits: back + unitsOf(chosen), reason: figures };
}
