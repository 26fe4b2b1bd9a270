import type { Consent } from '../../core/consent/consent.ts';
import { DRIFT_SLOTS, driftOf } from '../../core/forecast/coverage.ts';
import type { Outlook, RiskRule } from '../../core/lending/outlook.ts';
import { makeOutlook, mayHaveOutlook } from '../../core/lending/outlook.ts';
import type { Pool } from '../../core/pool.ts';
import { emptyHistory, historyEndMillis, mergeSamples } from '../../core/telemetry/history.ts';
import type { EpochMillis } from '../../core/units.ts';
import { epochMillis, MILLIS_PER_SECOND, RESOURCE_TYPES } from '../../core/units.ts';
import { demandSamples } from './demand.ts';
import type { StoredForecasts } from './forecast-store.ts';
import { readForecasts } from './forecast-store.ts';
import type { PoolHistory } from './history-store.ts';
import { readHistory } from './history-store.ts';
import type { RoleInLinkedAccount } from './linked-account.ts';
import { logger } from './middleware.ts';
import type { MetricSeries } from './telemetry.ts';
import { readMetrics } from './telemetry.ts';

/** What was measured since a pool was planned last says so much of it. */
export interface MeasuredNeed {
  /** Whether the demand of any resource type has left its forecast. */
  readonly drifted: boolean;
  readonly outlook: Outlook | undefined;
}

export interface MeasuredNeedRoute {
  readonly bucket: string;
  readonly role: RoleInLinkedAccount;
  /** How often this is looked at; undefined: no outlook is made. */
  readonly outlookPeriodSeconds: number | undefined;
  /** What the risk of outlooks follows. */
  readonly rule: RiskRule;
}

/** The newest steps of a history are revised for a while: they are read again. */
const OVERLAP_STEPS = 3;
/** What a history lacks for longer is left out: such a pool is not collected. */
const MOST_LACKING_STEPS = 2_016;

function driftFrom({ forecasts }: StoredForecasts, to: number, stepMillis: number): number {
  const starts = Object.values(forecasts).map(({ startMillis }) => startMillis);
  return starts.length === 0 ? to : Math.max(to - DRIFT_SLOTS * stepMillis, Math.min(...starts));
}

function hasDrifted(
  { spec: { poolId, historyStepSeconds }, spec }: Pool,
  { forecasts }: StoredForecasts,
  series: MetricSeries,
  to: number,
): boolean {
  return RESOURCE_TYPES.some((resource) => {
    const forecast = forecasts[resource];
    if (forecast === undefined) return false;
    // The slot that is still being measured says nothing yet.
    const samples = demandSamples(series, resource, spec).filter(({ atMillis }) => atMillis < to);
    const drift = driftOf(
      forecast,
      mergeSamples(emptyHistory(poolId, resource, historyStepSeconds), samples, DRIFT_SLOTS),
    );
    if (drift.drifted) logger.info('demand has left its forecast', { poolId, resource, ...drift });
    return drift.drifted;
  });
}

/** What lends, or borrows ahead, is worth the reading of its history. */
function wantsOutlook({ spec }: Pool, consent: Consent | undefined): consent is Consent {
  if (consent?.status !== 'active' || !mayHaveOutlook(spec)) return false;
  const { lend, borrow } = consent.terms;
  return lend !== undefined || (borrow !== undefined && spec.borrowAhead !== undefined);
}

function lackingFrom({ spec }: Pool, stored: PoolHistory, to: number, stepMillis: number): number {
  const ends = RESOURCE_TYPES.flatMap((type) => {
    const history = spec.resources[type] === undefined ? undefined : stored[type];
    return history === undefined ? [] : [historyEndMillis(history)];
  });
  if (ends.length === 0) return to;
  return Math.max(to - MOST_LACKING_STEPS * stepMillis, Math.min(...ends) - OVERLAP_STEPS * stepMillis);
}

/**
 * Compares what was measured of a pool with what was forecast, and makes its outlook from its stored history and what was measured
 * since: its metrics in one call a page.
 * @param before its outlook until now, which says how much harm has been seen
 */
export async function measuredNeed(
  pool: Pool,
  consent: Consent | undefined,
  before: Outlook | undefined,
  at: EpochMillis,
  route: MeasuredNeedRoute,
): Promise<MeasuredNeed> {
  const { spec } = pool;
  const { bucket, role, outlookPeriodSeconds: periodSeconds, rule } = route;
  const { poolId, historyStepSeconds: stepSeconds } = spec;
  const stepMillis = stepSeconds * MILLIS_PER_SECOND;
  const to = Math.floor(at / stepMillis) * stepMillis;
  const withOutlook = periodSeconds !== undefined && wantsOutlook(pool, consent);
  const nothing: PoolHistory = {};
  const [forecasts, stored] = await Promise.all([
    readForecasts(bucket, poolId),
    withOutlook ? readHistory(bucket, poolId) : nothing,
  ]);
  const from = Math.min(driftFrom(forecasts, to, stepMillis), lackingFrom(pool, stored, to, stepMillis));
  if (from >= to) return { drifted: false, outlook: undefined };
  const series = await readMetrics(spec, epochMillis(from), epochMillis(to), stepSeconds, role);
  const drifted = hasDrifted(pool, forecasts, series, to);
  if (!withOutlook) return { drifted, outlook: undefined };
  const histories = Object.fromEntries(
    RESOURCE_TYPES.flatMap((resource) => {
      const history = stored[resource];
      if (history === undefined || history.stepSeconds !== stepSeconds) return [];
      const samples = demandSamples(series, resource, spec);
      return [[resource, mergeSamples(history, samples, history.values.length + MOST_LACKING_STEPS)] as const];
    }),
  );
  const { shortestTermSeconds, lend } = consent.terms;
  const terms = { shortestTermSeconds, recallNoticeSeconds: lend?.recallNoticeSeconds ?? 0 };
  return { drifted, outlook: makeOutlook({ pool, histories, terms, periodSeconds, before, rule, now: at }) };
}
