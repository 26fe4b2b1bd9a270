/** Judging the pairings of a plan by what was measured after it, once for each day. */
import type { PoolSpec } from '../pool.ts';
import { neededUnits } from '../telemetry/demand.ts';
import type { StepSeries } from '../telemetry/history.ts';
import type { EpochMillis, PoolId, ResourceType } from '../units.ts';
import { epochMillis, MILLIS_PER_SECOND, RESOURCE_TYPES } from '../units.ts';
import type { PairCandidate } from './assess.ts';
import type { Grid } from './grid.ts';
import { borrowerOwnUnits, lenderOwnUnits } from './match.ts';
import type { PairOutlook } from './outlook.ts';
import { pairOutcome } from './outlook.ts';
import type { Calibration, Verdict, VerdictTally } from './reliability.ts';
import { calibrationOf, NO_VERDICTS, tallied } from './reliability.ts';

/** A prediction is judged by the day after the plan. */
export const JUDGED_MILLIS = 86_400_000;
/** Verdicts count half after so long: pools and forecasters change. */
const HALF_LIFE_MILLIS = 28 * JUDGED_MILLIS;
/** With less than this share of its slots measured, a prediction is not judged. */
const MEASURED_SHARE_MIN = 0.5;
/** Of one bucket: what a file of them takes stays within a few megabytes. */
const PREDICTIONS_MAX = 5_000;

/** What a plan expects of one pairing on its first day, with all that judging it needs to know of the plan. */
export interface PairPrediction {
  readonly lenderPoolId: PoolId;
  readonly borrowerPoolId: PoolId;
  /** Units of the lender's for one of the borrower's. */
  readonly unitRatio: number;
  /** What each side had of its own: units of its own type. */
  readonly lenderOwnUnits: number;
  readonly borrowerOwnUnits: number;
  /** Start of the first slot, in milliseconds since the epoch. */
  readonly startMillis: number;
  readonly stepSeconds: number;
  /** Whole units of the borrower's by slot. */
  readonly expectedUnitsBySlot: readonly number[];
  /** Before past verdicts corrected it: what is learned from must not be what was learned. */
  readonly forecastConfidence: number;
}

/** Predictions of one plan of one bucket. */
export interface Predictions {
  /** Start of their first slot. */
  readonly from: EpochMillis;
  /** When all of them are in the past. */
  readonly until: EpochMillis;
  readonly pairs: readonly PairPrediction[];
}

/** How the predictions of a bucket came out so far, and up to where they have been judged. Written conditional on `version`. */
export interface BucketReliability {
  readonly version: number;
  readonly tally: VerdictTally;
  /** Verdicts of all time. */
  readonly verdicts: number;
  /** End of the last day that was judged. */
  readonly judgedUntil?: EpochMillis;
  /** The predictions that are to be judged next; absent: there are none. */
  readonly pending?: { readonly from: EpochMillis; readonly until: EpochMillis };
}

export const NOTHING_JUDGED: BucketReliability = { version: 0, tally: NO_VERDICTS, verdicts: 0 };

/** What is predicted of a candidate's first day; undefined where no loan is expected on it. */
export function predictionOf(
  candidate: Pick<PairCandidate, 'lender' | 'borrower' | 'unitRatio'>,
  outlook: PairOutlook,
): PairPrediction | undefined {
  const { lender, borrower, unitRatio } = candidate;
  const { startMillis, stepSeconds, forecastConfidence } = outlook;
  const slots = Math.max(1, Math.floor(JUDGED_MILLIS / (stepSeconds * MILLIS_PER_SECOND)));
  const expectedUnitsBySlot = outlook.expectedUnitsBySlot.slice(0, slots).map(Math.ceil);
  if (!expectedUnitsBySlot.some((units) => units > 0)) return undefined;
  return {
    lenderPoolId: lender.spec.poolId,
    borrowerPoolId: borrower.spec.poolId,
    unitRatio,
    lenderOwnUnits: lenderOwnUnits(lender),
    borrowerOwnUnits: borrowerOwnUnits(borrower),
    startMillis,
    stepSeconds,
    expectedUnitsBySlot,
    forecastConfidence,
  };
}

function endMillis({ startMillis, stepSeconds, expectedUnitsBySlot }: PairPrediction): number {
  return startMillis + expectedUnitsBySlot.length * stepSeconds * MILLIS_PER_SECOND;
}

/** The predictions of a plan, to be judged together; undefined where it expects no loan. Of more than 5,000, the first by the ids of borrower and lender. */
export function predictionsOf(pairs: readonly PairPrediction[], now: EpochMillis): Predictions | undefined {
  if (pairs.length === 0) return undefined;
  const idOf = ({ lenderPoolId, borrowerPoolId }: PairPrediction) => `${borrowerPoolId}\n${lenderPoolId}`;
  const kept = [...pairs].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1)).slice(0, PREDICTIONS_MAX);
  const from = epochMillis(Math.min(now, ...kept.map(({ startMillis }) => startMillis)));
  const until = epochMillis(Math.max(now, ...kept.map(endMillis)));
  return { from, until, pairs: kept };
}

/** What of a pool was measured, by resource type, in units (fully used instances). */
export interface MeasuredPool {
  readonly spec: Pick<PoolSpec, 'resources'>;
  readonly history: Readonly<Partial<Record<ResourceType, StepSeries>>>;
}

/** A pool with what was measured of it between two moments only. */
export function sinceOnly({ spec, history }: MeasuredPool, from: EpochMillis, until: EpochMillis): MeasuredPool {
  const within = RESOURCE_TYPES.flatMap((type) => {
    const series = history[type];
    if (series === undefined) return [];
    const { stepSeconds, startMillis, values } = series;
    const stepMillis = stepSeconds * MILLIS_PER_SECOND;
    const [first, end] = [from, until].map((at) => Math.max(0, (at - startMillis) / stepMillis));
    const skipped = Math.floor(first ?? 0);
    const cut = {
      stepSeconds,
      startMillis: startMillis + skipped * stepMillis,
      values: values.slice(skipped, Math.ceil(end ?? 0)),
    };
    return [[type, cut] as const];
  });
  return { spec: { resources: spec.resources }, history: Object.fromEntries(within) };
}

function demandAt(series: StepSeries | undefined, atMillis: number): number | undefined {
  if (series === undefined) return undefined;
  const step = Math.floor((atMillis - series.startMillis) / (series.stepSeconds * MILLIS_PER_SECOND));
  return series.values[step] ?? undefined;
}

/** Whole units that a pool needed, by slot: the most of the steps in it. NaN where a step or a resource type was not measured. */
export function measuredNeed({ spec, history }: MeasuredPool, { startMillis, stepMillis, slots }: Grid): Float64Array {
  const types = RESOURCE_TYPES.filter((type) => spec.resources[type] !== undefined && history[type] !== undefined);
  const steps = types.map((type) => (history[type]?.stepSeconds ?? 0) * MILLIS_PER_SECOND);
  const strideMillis = Math.min(stepMillis, ...steps);
  return Float64Array.from({ length: slots }, (_, slot) => {
    let most = types.length === 0 ? Number.NaN : 0;
    for (let passed = 0; passed < stepMillis; passed += strideMillis) {
      const atMillis = startMillis + slot * stepMillis + passed;
      const demands = types.map((type) => [type, demandAt(history[type], atMillis)] as const);
      if (demands.some(([, demand]) => demand === undefined)) return Number.NaN;
      most = Math.max(most, neededUnits(Object.fromEntries(demands), spec).units);
    }
    return most;
  });
}

/**
 * What came of a prediction by what was measured; undefined where nothing was asked for, or too little was measured. Slots that
 * are not known of both sides do not count.
 */
export function verdictOf(
  prediction: PairPrediction,
  lender: MeasuredPool,
  borrower: MeasuredPool,
): Verdict | undefined {
  const { startMillis, stepSeconds, expectedUnitsBySlot, unitRatio, forecastConfidence } = prediction;
  const grid = { startMillis, stepMillis: stepSeconds * MILLIS_PER_SECOND, slots: expectedUnitsBySlot.length };
  const [lent, borrowed] = [measuredNeed(lender, grid), measuredNeed(borrower, grid)];
  const isKnown = (slot: number) => !Number.isNaN((lent[slot] ?? Number.NaN) + (borrowed[slot] ?? Number.NaN));
  const known = expectedUnitsBySlot.filter((_, slot) => isKnown(slot)).length;
  if (known === 0 || known < MEASURED_SHARE_MIN * grid.slots) return undefined;
  const outcome = pairOutcome(
    expectedUnitsBySlot.map((units, slot) => (isKnown(slot) ? units : 0)),
    borrowed.map((need) => Math.max(0, need - prediction.borrowerOwnUnits) || 0),
    lent.map((need) => Math.floor(Math.max(0, prediction.lenderOwnUnits - need) / unitRatio) || 0),
  );
  return outcome === 'not-asked' ? undefined : { predicted: forecastConfidence, cameTrue: outcome === 'delivered' };
}

/** Whether there are predictions of which the last slot has passed. */
export function isJudgeable({ pending }: BucketReliability, now: EpochMillis): boolean {
  return pending !== undefined && pending.until <= now;
}

/** Whether the predictions of a new plan are to be kept: those before it have been judged, or could not be for a day. */
export function takesPredictions({ pending }: BucketReliability, now: EpochMillis): boolean {
  return pending === undefined || now >= pending.until + JUDGED_MILLIS;
}

/** With predictions that are to be judged next. */
export function awaiting(before: BucketReliability, { from, until }: Predictions): BucketReliability {
  return { ...before, version: before.version + 1, pending: { from, until } };
}

/** With the verdicts of the pending predictions, which are pending no more. @param until end of what they judge */
export function judged(before: BucketReliability, verdicts: readonly Verdict[], until: EpochMillis): BucketReliability {
  const { pending: _, ...rest } = before;
  const passedMillis = Math.max(0, until - (before.judgedUntil ?? until));
  return {
    ...rest,
    version: before.version + 1,
    tally: tallied(before.tally, verdicts, 0.5 ** (passedMillis / HALF_LIFE_MILLIS)),
    verdicts: before.verdicts + verdicts.length,
    judgedUntil: until,
  };
}

/** The correction that the verdicts so far ask for. */
export function calibrationFor({ tally }: BucketReliability): Calibration {
  return calibrationOf(tally);
}
