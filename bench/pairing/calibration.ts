import { UNRESTRICTED } from '../../core/consent/consent.ts';
import { emptyUsage } from '../../core/consent/covers.ts';
import type { Forecast } from '../../core/forecast/forecast.ts';
import type { Forecaster } from '../../core/forecast/forecaster.ts';
import { createForecaster } from '../../core/forecast/forecaster.ts';
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import { poolForecast } from '../../core/forecast/pool-forecast.ts';
import { seededRandom } from '../../core/forecast/random.ts';
import type { BucketInput } from '../../core/pairing/bucket.ts';
import { planBucket } from '../../core/pairing/bucket.ts';
import { pairOutlook } from '../../core/pairing/outlook.ts';
import type { Pairing, PairingId } from '../../core/pairing/pairing.ts';
import type { Verdict } from '../../core/pairing/reliability.ts';
import { calibrated, NO_CALIBRATION } from '../../core/pairing/reliability.ts';
import type { PairPrediction } from '../../core/pairing/verdicts.ts';
import { calibrationFor, judged, NOTHING_JUDGED, predictionOf, verdictOf } from '../../core/pairing/verdicts.ts';
import type { Pool } from '../../core/pool.ts';
import { unitsBelowThreshold } from '../../core/telemetry/demand.ts';
import type { EpochMillis, PoolId } from '../../core/units.ts';
import { accountId, epochMillis, microUsd, poolId } from '../../core/units.ts';
import { loadMembers } from '../../models/members.ts';
import type { BenchOptions } from '../report.ts';
import { quantile } from '../report.ts';
import type { Traces } from './fleet.ts';
import { DAY_HOURS, WEEK_HOURS } from './fleet.ts';

const HOUR_SECONDS = 3_600;
const MILLIS_PER_DAY = 86_400_000;
const HORIZON_HOURS = 2 * DAY_HOURS;
/** What is owned is decided by the first days; plans begin after them. */
const FIRST_DAY = 10;
/** Days of verdicts before the first correction that is measured. */
const LEARNED_DAYS = 3;
/** Monday 2026-01-05: any moment will do. */
const EPOCH = Date.UTC(2026, 0, 5);
/** Prophet takes four fifths of the product's time and changes a combination little. */
const MEMBERS = ['arima', 'theta', 'lstm'];
const THRESHOLD_PERCENT = 100;
/** Lenders drawn at random for each pool that is forecast to be short. */
const DRAWN_LENDERS = 6;

/** How much of its need a pool owns: ODCR-like its 95th percentile, RI-like its 62nd, near the mean. */
export const OWNERSHIPS = { 'ODCR-like': 0.95, 'RI-like': 0.62 } as const;
export type Ownership = keyof typeof OWNERSHIPS;

/** A probability as it was stated of a coming day, and as the verdicts of the days before it corrected it, with what came. */
export interface JudgedConfidence {
  readonly stated: number;
  readonly corrected: number;
  readonly cameTrue: boolean;
}

/** Of pairings that plans chose, and of pairs drawn at random, of which far more are unsure. */
export interface CalibrationRun {
  readonly planned: readonly JudgedConfidence[];
  readonly drawn: readonly JudgedConfidence[];
}

const idOf = (index: number): PoolId => poolId(accountId(String(100_000_000_000 + index)), 'eu-west-1', 'vm');
const dayStart = (day: number): EpochMillis => epochMillis(EPOCH + day * MILLIS_PER_DAY);

function poolsOf(traces: Traces, ownership: Ownership): Pool[] {
  return traces.map((trace, index) => {
    const need = trace.slice(0, FIRST_DAY * DAY_HOURS).map((demand) => unitsBelowThreshold(demand, THRESHOLD_PERCENT));
    const id = idOf(index);
    return {
      spec: {
        poolId: id,
        accountId: accountId(String(100_000_000_000 + index)),
        region: 'eu-west-1',
        groupName: 'vm',
        application: 'vm',
        azIds: ['euw1-az1'],
        instanceType: 'm5.large',
        platform: 'Linux/UNIX',
        tenancy: 'default',
        storageType: 'gp3',
        networkGbps: 10,
        commitments: [],
        reserveUnits: 0,
        provisioningLimitUnits: 0,
        onDemandMicroUsdPerUnitHour: microUsd(107_000),
        alarmPeriodSeconds: 60,
        historyStepSeconds: HOUR_SECONDS,
        seasonSteps: [DAY_HOURS, WEEK_HOURS],
        coolDownSeconds: 600,
        resources: {
          cpu: {
            namespace: 'AWS/EC2',
            metricName: 'CPUUtilization',
            statistic: 'Average',
            fullUsePerUnit: 100,
            thresholdPercent: THRESHOLD_PERCENT,
            recoveryPercent: 60,
          },
        },
      },
      ownedUnits: Math.ceil(quantile(need, OWNERSHIPS[ownership])),
      lentUnits: 0,
      borrowedUnits: 0,
      provisionedUnits: 0,
      version: 1,
    };
  });
}

function consentsOf(pools: readonly Pool[]): BucketInput['consents'] {
  const limits = { maxUnits: 1_000_000, maxSharePercent: 100, maxUnitHoursPerMonth: 1_000_000_000 };
  return Object.fromEntries(
    pools.map(({ spec }) => [
      spec.accountId,
      {
        usage: emptyUsage(spec.accountId),
        consent: {
          accountId: spec.accountId,
          version: 1,
          status: 'active',
          madeBy: 'bench',
          madeAt: epochMillis(EPOCH),
          terms: {
            lend: { ...limits, minPriceMicroUsdPerUnitHour: microUsd(10_000), recallNoticeSeconds: 120 },
            borrow: { ...limits, maxPriceMicroUsdPerUnitHour: microUsd(90_000), minRecallNoticeSeconds: 60 },
            ...UNRESTRICTED,
            maxLatencyMillis: 5,
            shortestTermSeconds: 600,
            longestTermSeconds: 3_600,
            whenNoPartner: 'refuse',
          },
        },
      },
    ]),
  );
}

type Forecasts = Readonly<Record<string, PoolForecast>>;

async function forecastsOn(day: number, traces: Traces, forecaster: Forecaster, specs: readonly Pool[]) {
  const made: Record<string, PoolForecast> = {};
  for (const [index, trace] of traces.entries()) {
    const spec = specs[index]?.spec;
    if (spec === undefined) continue;
    const values = trace.slice(0, day * DAY_HOURS);
    const history = {
      poolId: spec.poolId,
      resource: 'cpu',
      stepSeconds: HOUR_SECONDS,
      startMillis: EPOCH,
      values,
    } as const;
    const forecast: Forecast = await forecaster.forecast(history, {
      horizonSteps: HORIZON_HOURS,
      seasonSteps: spec.seasonSteps,
      thresholdUnits: 1,
    });
    made[spec.poolId] = poolForecast({ cpu: forecast }, spec);
  }
  return made;
}

/** Forecasts of all pools at the start of each day that is judged, by day: what is owned changes nothing of them. */
export async function dailyForecasts(
  traces: Traces,
  { say, signal }: Pick<BenchOptions, 'say' | 'signal'>,
): Promise<Map<number, Forecasts>> {
  const loaded = await loadMembers(MEMBERS);
  try {
    const forecaster = createForecaster(loaded.members);
    const pools = poolsOf(traces, 'ODCR-like');
    const byDay = new Map<number, Forecasts>();
    const days = Math.floor((traces[0]?.length ?? 0) / DAY_HOURS);
    for (let day = FIRST_DAY; day < days; day += 1) {
      signal.throwIfAborted();
      byDay.set(day, await forecastsOn(day, traces, forecaster, pools));
    }
    say(`${byDay.size} days of ${traces.length} pools forecast`);
    return byDay;
  } finally {
    await loaded.close();
  }
}

/** Predictions of pairs of which the borrower is forecast to be short, with lenders drawn at random. */
function drawnPredictions(pools: readonly Pool[], forecasts: Forecasts, now: EpochMillis, seed: number) {
  const random = seededRandom(seed);
  return pools.flatMap((borrower) => {
    const need = forecasts[borrower.spec.poolId]?.neededUnits['0.95'] ?? [];
    if (!need.slice(0, DAY_HOURS).some((units) => units > borrower.ownedUnits)) return [];
    return Array.from({ length: DRAWN_LENDERS }, () => pools[Math.floor(random() * pools.length)]).flatMap((lender) => {
      if (lender === undefined || lender === borrower) return [];
      const outlook = pairOutlook(lender, borrower, { forecasts, now, unitRatio: 1 });
      return predictionOf({ lender, borrower, unitRatio: 1 }, outlook) ?? [];
    });
  });
}

/** Each day's verdicts, with the confidence as the verdicts of the days before correct it. */
function judgedByDay(days: readonly (readonly Verdict[])[]): JudgedConfidence[] {
  let reliability = NOTHING_JUDGED;
  return days.flatMap((verdicts, index) => {
    const calibration = index === 0 ? NO_CALIBRATION : calibrationFor(reliability);
    reliability = judged(reliability, verdicts, dayStart(FIRST_DAY + index + 1));
    if (index < LEARNED_DAYS) return [];
    return verdicts.map(({ predicted, cameTrue }) => ({
      stated: predicted,
      corrected: calibrated(calibration, predicted),
      cameTrue,
    }));
  });
}

/**
 * Plans the pools anew each day as the hub does, and judges each day's pairings by the day after: rolling origin, so that no forecast
 * and no correction has seen what it is measured by.
 */
export function calibrationRun(
  traces: Traces,
  ownership: Ownership,
  forecastsByDay: ReadonlyMap<number, Forecasts>,
  seed: number,
): CalibrationRun {
  const pools = poolsOf(traces, ownership);
  const consents = consentsOf(pools);
  const indexOf = new Map(pools.map(({ spec }, index) => [spec.poolId, index]));
  const measured = (id: PoolId) => {
    const index = indexOf.get(id) ?? 0;
    const values = traces[index] ?? [];
    return {
      spec: { resources: pools[index]?.spec.resources ?? {} },
      history: { cpu: { stepSeconds: HOUR_SECONDS, startMillis: EPOCH, values } },
    };
  };
  const verdictsOf = (predictions: readonly PairPrediction[]) =>
    predictions.flatMap((each) => verdictOf(each, measured(each.lenderPoolId), measured(each.borrowerPoolId)) ?? []);
  const stored = new Map<PairingId, Pairing>();
  const [planned, drawn]: Verdict[][][] = [[], []];
  for (const [day, forecasts] of forecastsByDay) {
    const now = dayStart(day);
    const plan = planBucket({
      pools,
      forecasts,
      consents,
      existing: [...stored.values()],
      pairingIdOf: (lender, borrower) => `pr-${lender}-${borrower}` as PairingId,
      actor: 'bench',
      now,
    });
    for (const { pairing } of [...plan.merge.changes, ...plan.merge.refreshed]) stored.set(pairing.pairingId, pairing);
    planned?.push(verdictsOf(plan.predictions));
    drawn?.push(verdictsOf(drawnPredictions(pools, forecasts, now, seed + day)));
  }
  return { planned: judgedByDay(planned ?? []), drawn: judgedByDay(drawn ?? []) };
}
