/**
 * What a pool is expected to need in the next minutes, made anew every few minutes from what was measured. Where it is fresh the hub
 * lends, recalls and borrows ahead by it, else by the plan's forecast alone. The replay of traces decides by the same forecast at the
 * same risks (core/whatif).
 */
import { utcMinuteText } from '../calendar.ts';
import type { NeedLevel, PoolForecast } from '../forecast/pool-forecast.ts';
import { forecastEndMillis, neededUnitsOver } from '../forecast/pool-forecast.ts';
import { ShortTermForecast } from '../forecast/short-term.ts';
import type { Pool, PoolSpec } from '../pool.ts';
import { ceilingUnits } from '../pool.ts';
import { unitsBelowThreshold } from '../telemetry/demand.ts';
import type { DemandHistory } from '../telemetry/history.ts';
import type { NeedSeries } from '../telemetry/need-series.ts';
import { needSeries } from '../telemetry/need-series.ts';
import type { EpochMillis, PoolId, ResourceType } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND, plusMillis } from '../units.ts';
import { followedRisk } from './harm.ts';
import type { FleetHarm, SeenHarm } from './harm-looks.ts';
import { harmAfterLook, harmFactor } from './harm-looks.ts';
import { LEND_RISK, nearNeed, RECALL_RISK_SHARE, START_UP_SECONDS } from './outlook-rules.ts';

/** Longer steps say nothing of the next minutes. */
const LONGEST_STEP_SECONDS = 900;
const SECONDS_A_DAY = 86_400;
/** Less is too little to know errors from. */
const LEAST_DAYS = 2;
/** What a loan needs beyond this is the plan's to say. */
const LONGEST_LEAD_SECONDS = 21_600;
/** What was measured may be late by so much, and by two steps at least. */
const MOST_LATE_SECONDS = 600;
/** An outlook is used until so many runs have failed to replace it. */
const FRESH_PERIODS = 3;
/** Newest steps whose largest need a borrower's forecast is held near. */
const RECENT_STEPS = 2;
/** Places of the leads. */
const RECALL_LEAD = 0;
const LOAN_LEAD = 1;

/** Units that suffice until a moment, but for a risk. */
export interface OutlookNeed {
  readonly untilMillis: EpochMillis;
  /** Whole units; never less than the newest need. */
  readonly neededUnits: number;
  /** Probability that more is needed. */
  readonly risk: number;
}

/** Small enough to be stored beside the pool and read with it. */
export interface Outlook {
  readonly poolId: PoolId;
  readonly madeAt: EpochMillis;
  /** End of the last step that was measured. */
  readonly knownUntil: EpochMillis;
  /** From then on it is not used. */
  readonly freshUntil: EpochMillis;
  /** The resource type that needs the most now. */
  readonly bindingResource: ResourceType;
  /** Units that were needed last, with their fraction. */
  readonly lastUnits: number;
  /** Over start-up and the shortest loan. */
  readonly loan: OutlookNeed;
  /** Over the time that a recall takes at the next look. */
  readonly recall: OutlookNeed;
  /** What gives reason to borrow ahead. */
  readonly ahead: {
    readonly untilMillis: EpochMillis;
    /** The ceiling that the probability is of. */
    readonly ceilingUnits: number;
    /** That more is needed until then. */
    readonly probability: number;
    /** Whole units over start-up and the shortest loan, by level. */
    readonly neededUnits: Readonly<Record<NeedLevel, number>>;
  };
  /** What lending has cost the pool, by which the risks of `loan` and `recall` follow; absent: they are fixed. */
  readonly harm?: SeenHarm;
}

/** What the risk of an outlook follows. */
export interface RiskRule {
  /** Harm as a share of what is lent; 0: the risk is fixed. */
  readonly harmTarget: number;
  /** Absent: not known yet. */
  readonly fleet?: FleetHarm | undefined;
}

/** What the consent of the pool's account says of the times that are looked ahead. */
export interface OutlookTerms {
  readonly shortestTermSeconds: number;
  readonly recallNoticeSeconds: number;
}

interface Lead {
  readonly untilMillis: EpochMillis;
  readonly steps: number;
}

/** Whole units on which a need stays below the alarm. */
function wholeUnits(need: number): number {
  return unitsBelowThreshold(Math.max(0, need), 100);
}

const rounded = (value: number): number => Number(value.toFixed(4));
const roundedRisk = (risk: number): number => Number(risk.toPrecision(3));
const percentText = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;

/** Whether a pool measures often enough for an outlook to say anything. */
export function mayHaveOutlook({ historyStepSeconds }: Pick<PoolSpec, 'historyStepSeconds'>): boolean {
  return historyStepSeconds <= LONGEST_STEP_SECONDS;
}

/** The needs of a pool, where enough of them is known and the newest is new enough. */
function usableSeries(
  histories: Readonly<Partial<Record<ResourceType, DemandHistory>>>,
  { spec }: Pool,
  now: EpochMillis,
): NeedSeries | undefined {
  const { historyStepSeconds: stepSeconds } = spec;
  if (!mayHaveOutlook(spec)) return undefined;
  const series = needSeries(histories, spec, now);
  if (series === undefined || series.knownSteps * stepSeconds < LEAST_DAYS * SECONDS_A_DAY) return undefined;
  const lateSeconds = stepSeconds + Math.max(2 * stepSeconds, MOST_LATE_SECONDS);
  return now - series.endMillis > lateSeconds * MILLIS_PER_SECOND ? undefined : series;
}

/** The risk at which is recalled, and at which is lent, and what of the pool it follows. */
function risksOf(
  at: Pick<Parameters<typeof makeOutlook>[0], 'pool' | 'before' | 'rule' | 'now'>,
  series: NeedSeries,
  holdsUntil: EpochMillis,
): { readonly lendRisk: number; readonly recallRisk: number; readonly harm?: SeenHarm } {
  const { pool, before, rule, now } = at;
  const [lend, recall] = [LEND_RISK, LEND_RISK * RECALL_RISK_SHARE];
  if (rule === undefined || rule.harmTarget <= 0) return { lendRisk: lend, recallRisk: recall };
  const { spec, ownedUnits, lentUnits } = pool;
  const stepSeconds = spec.historyStepSeconds;
  const harm = harmAfterLook({ before: before?.harm, series, stepSeconds, ownedUnits, lentUnits, now, holdsUntil });
  const factor = harmFactor({ harm, ownedUnits, fleet: rule.fleet, target: rule.harmTarget, now });
  return {
    lendRisk: roundedRisk(followedRisk(lend, factor)),
    recallRisk: roundedRisk(followedRisk(recall, factor)),
    harm,
  };
}

/**
 * The outlook of a pool, from its demand by resource type.
 * @param at.periodSeconds how often outlooks are made: a need is looked at until the next one can do something about it
 * @param at.before the outlook that this one replaces, however old it is
 * @param at.rule absent: the risks are fixed
 * @returns undefined where steps are longer than 15 minutes, less than two days are known, or the newest known step is too old
 */
export function makeOutlook(at: {
  readonly pool: Pool;
  readonly histories: Readonly<Partial<Record<ResourceType, DemandHistory>>>;
  readonly terms: OutlookTerms;
  readonly periodSeconds: number;
  readonly before?: Outlook | undefined;
  readonly rule?: RiskRule | undefined;
  readonly now: EpochMillis;
}): Outlook | undefined {
  const { pool, terms, periodSeconds, now } = at;
  const series = usableSeries(at.histories, pool, now);
  if (series === undefined) return undefined;
  const { values, endMillis } = series;
  const stepSeconds = pool.spec.historyStepSeconds;
  const leadOf = (seconds: number): Lead => {
    const lead = Math.min(LONGEST_LEAD_SECONDS, periodSeconds + START_UP_SECONDS + seconds);
    const untilMillis = plusMillis(now, lead * MILLIS_PER_SECOND);
    return { untilMillis, steps: Math.ceil((untilMillis - endMillis) / (stepSeconds * MILLIS_PER_SECOND)) };
  };
  const leads = [leadOf(terms.recallNoticeSeconds), leadOf(terms.shortestTermSeconds)] as const;
  const step = values.length;
  // The value of the step after the last is not looked at.
  const forecast = new ShortTermForecast(
    [...values, 0],
    stepSeconds,
    pool.ownedUnits,
    leads.map(({ steps }) => steps),
  );
  for (let next = 1; next <= step; next += 1) forecast.observe(next);
  const last = values.at(-1) ?? 0;
  const needOf = (place: typeof RECALL_LEAD | typeof LOAN_LEAD, risk: number): OutlookNeed | undefined => {
    const units = forecast.unitsAt(step, place, risk);
    if (!Number.isFinite(units)) return undefined;
    return { untilMillis: leads[place].untilMillis, neededUnits: wholeUnits(Math.max(last, units)), risk };
  };
  const freshUntil = plusMillis(now, FRESH_PERIODS * periodSeconds * MILLIS_PER_SECOND);
  const { lendRisk, recallRisk, harm } = risksOf(at, series, freshUntil);
  const [loan, recall] = [needOf(LOAN_LEAD, lendRisk), needOf(RECALL_LEAD, recallRisk)];
  if (loan === undefined || recall === undefined) return undefined;
  const recent = Math.max(...values.slice(-RECENT_STEPS));
  const aheadUnits = (level: NeedLevel): number => {
    const expected = forecast.unitsAt(step, LOAN_LEAD, 1 - Number(level));
    return wholeUnits(nearNeed({ forecast: expected, last, recent, owned: pool.ownedUnits }));
  };
  const ceiling = ceilingUnits(pool);
  return {
    poolId: pool.spec.poolId,
    madeAt: now,
    knownUntil: epochMillis(endMillis),
    freshUntil,
    bindingResource: series.bindingResource,
    lastUnits: rounded(last),
    loan,
    recall,
    ahead: {
      untilMillis: leads[RECALL_LEAD].untilMillis,
      ceilingUnits: ceiling,
      probability: rounded(forecast.probabilityAbove(step, RECALL_LEAD, ceiling)),
      neededUnits: { '0.5': aheadUnits('0.5'), '0.9': aheadUnits('0.9'), '0.95': aheadUnits('0.95') },
    },
    ...(harm === undefined ? {} : { harm }),
  };
}

/** An outlook that may be used now. One that no later run has replaced in time says nothing any more. */
export function freshOutlook(outlook: Outlook | undefined, now: EpochMillis): Outlook | undefined {
  return outlook !== undefined && now < outlook.freshUntil ? outlook : undefined;
}

/** A risk of an outlook in words, with what it follows. */
export function riskText({ risk }: OutlookNeed, { harm }: Outlook): string {
  const text = `a risk of ${percentText(risk)}`;
  if (harm === undefined) return text;
  const { lentUnitHours: lent, harmedUnitHours: harmed } = harm;
  if (lent <= 0) return `${text} (it has lent nothing lately)`;
  return `${text} (harm was ${percentText(harmed / lent)} of the ${Number(lent.toPrecision(3))} unit-hours that it lent)`;
}

/** What tells the need of a lender, and from when it is. */
export interface ForecastBasis {
  readonly by: 'outlook' | 'plan';
  readonly madeAt: EpochMillis;
  /** Of an outlook: probability that more is needed. */
  readonly risk?: number;
  /** What that follows, of the last weeks; absent: it is fixed. */
  readonly harm?: Pick<SeenHarm, 'lentUnitHours' | 'harmedUnitHours'>;
}

function basisOf({ madeAt, loan, harm }: Outlook): ForecastBasis {
  const basis = { by: 'outlook', madeAt, risk: loan.risk } as const;
  if (harm === undefined) return basis;
  const { lentUnitHours, harmedUnitHours } = harm;
  return { ...basis, harm: { lentUnitHours: rounded(lentUnitHours), harmedUnitHours: rounded(harmedUnitHours) } };
}

/** Units that a lender is forecast to need itself while it lends. */
export interface LenderForecast {
  readonly units: number;
  readonly basis: ForecastBasis;
  readonly text: string;
}

export interface LenderForecastInput {
  readonly plan?: PoolForecast | undefined;
  readonly outlook?: Outlook | undefined;
  readonly now: EpochMillis;
}

/**
 * What a lender is forecast to need until a moment: by a fresh outlook as far as that looks, and by P95 of the plan after that. By the
 * plan alone where no outlook is fresh. What the outlook would recall by at once is not lent either.
 * @returns a sentence where the forecasts do not cover that time
 */
export function lenderForecast(at: LenderForecastInput, until: EpochMillis): LenderForecast | string {
  const { plan, now } = at;
  const outlook = freshOutlook(at.outlook, now);
  const from = outlook === undefined ? now : epochMillis(Math.max(now, outlook.loan.untilMillis));
  const planned = plan === undefined || from >= until ? undefined : neededUnitsOver(plan, '0.95', from, until);
  if (outlook !== undefined) {
    const { loan, recall, madeAt } = outlook;
    const own = Math.max(loan.neededUnits, recall.neededUnits);
    const text = `need ${own} until ${utcMinuteText(loan.untilMillis)} but for ${riskText(loan, outlook)} by its outlook of ${utcMinuteText(madeAt)}`;
    const basis = basisOf(outlook);
    if (from >= until) return { units: own, basis, text };
    if (planned !== undefined) {
      const units = Math.max(own, planned);
      return { units, basis, text: `${text}, after that P95 of forecast need ${planned}` };
    }
  }
  if (plan === undefined) return 'there is no forecast of its demand';
  if (planned === undefined) {
    return `its forecast covers ${plan.startMillis} to ${forecastEndMillis(plan)} ms, the loan would last from ${now} to ${until} ms`;
  }
  const basis = { by: 'plan', madeAt: epochMillis(plan.startMillis) } as const;
  return { units: planned, basis, text: `P95 of forecast need ${planned}` };
}
