import { planCircles } from '../../core/pairing/matching/circles.ts';
import { creditFactors, settledCredits, smallestHalfShare } from '../../core/pairing/matching/fairness.ts';
import { maximise } from '../../core/pairing/matching/max-flow.ts';
import type { PairedPools, PairingsPlan } from '../../core/pairing/matching/plan-pairings.ts';
import { planPairings } from '../../core/pairing/matching/plan-pairings.ts';
import type { ScenarioCurves } from '../../core/pairing/matching/scenarios.ts';
import { lendingScenarios } from '../../core/pairing/matching/scenarios.ts';
import { atLeastRow } from '../forecast/rows.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { limitRow, plainRow, quantile } from '../report.ts';
import type { Traces } from './fleet.ts';
import { DAY_HOURS, WEEK_HOURS } from './fleet.ts';

const TRAINING_HOURS = 2 * WEEK_HOURS;
const COMMITTED_SHARE = 0.95;
const PARTNERS = 3;
const SCENARIOS = 600;
const COVER_MIN = 0.85;
const CHURN_MAX = 0.1;
const CIRCLE_SIZE = 16;
/** Starting or ending a pairing costs as much as this share of what an average one serves. */
const SWITCHING_SHARE = 0.2;
const CREDIT_STRENGTH = 0.5;

/** VMs of which each owns what it needed at 95 % of the training hours, and the hours after. */
interface Later {
  readonly traces: Traces;
  readonly owned: readonly number[];
  readonly trainFrom: number;
  readonly from: number;
  readonly to: number;
}

const idOf = (index: number) => `vm-${String(index).padStart(3, '0')}`;

function laterAfter(traces: Traces, trainFrom: number): Later {
  const from = trainFrom + TRAINING_HOURS;
  const owned = traces.map((trace) => quantile(trace.slice(trainFrom, from), COMMITTED_SHARE));
  return { traces, owned, trainFrom, from, to: traces[0]?.length ?? 0 };
}

/** Surplus and deficit as they were. */
function curvesSeen({ traces, owned }: Later, from: number, to: number): ScenarioCurves[] {
  return traces.map((trace, index) => {
    const over = Float64Array.from(trace.slice(from, to), (need) => need - (owned[index] ?? 0));
    return {
      id: idOf(index),
      surplus: over.map((units) => Math.max(0, -units)),
      deficit: over.map((units) => Math.max(0, units)),
    };
  });
}

function scenariosAt({ traces, owned }: Later, now: number): ScenarioCurves[] {
  const pools = traces.map((trace, index) => ({
    id: idOf(index),
    ownedUnits: owned[index] ?? 0,
    reserveUnits: 0,
    needUnits: Float64Array.from(trace.slice(now - TRAINING_HOURS, now)),
  }));
  return lendingScenarios(pools, { weekSlots: WEEK_HOURS, scenarios: SCENARIOS });
}

interface Served {
  readonly units: number;
  readonly pooledUnits: number;
  readonly byBorrower: ReadonlyMap<string, number>;
}

/** What loans between partners serve of the shortage hour by hour, and what pooling everything would. */
function servedLater(later: Later, pairs: readonly PairedPools[], from: number, to: number): Served {
  const curves = curvesSeen(later, from, to);
  const indexOf = new Map(curves.map(({ id }, index) => [id, index]));
  const byBorrower = new Map<string, number>();
  let [units, pooledUnits] = [0, 0];
  for (let slot = 0; slot < to - from; slot += 1) {
    const idle = Float64Array.from(curves, ({ surplus }) => surplus[slot] ?? 0);
    const unmet = Float64Array.from(curves, ({ deficit }) => deficit[slot] ?? 0);
    pooledUnits += Math.min(
      idle.reduce((a, b) => a + b, 0),
      unmet.reduce((a, b) => a + b, 0),
    );
    const arcs = pairs.map(({ lenderId, borrowerId }) => ({
      lender: indexOf.get(lenderId) ?? 0,
      borrower: indexOf.get(borrowerId) ?? 0,
      flow: 0,
    }));
    maximise({ arcs, idle, unmet });
    for (const { borrower, flow } of arcs) {
      units += flow;
      byBorrower.set(idOf(borrower), (byBorrower.get(idOf(borrower)) ?? 0) + flow);
    }
  }
  return { units, pooledUnits, byBorrower };
}

function coverShare(later: Later, pairs: readonly PairedPools[]): number {
  const { units, pooledUnits } = servedLater(later, pairs, later.from, later.to);
  return units / pooledUnits;
}

function planOf(curves: readonly ScenarioCurves[], maxLenders: number, maxBorrowers: number): PairingsPlan {
  return planPairings({ pools: curves.map((curve) => ({ ...curve, maxLenders, maxBorrowers })) });
}

function coverRows(traces: Traces, later: Later): BenchRow[] {
  const n = traces.length;
  const seen = curvesSeen(later, later.trainFrom, later.from);
  const scenarios = scenariosAt(later, later.from);
  const anyNumber = Number.POSITIVE_INFINITY;
  const name = (what: string) => `out of sample, ${what}: share of the pooled cover`;
  const cover = (curves: readonly ScenarioCurves[], lenders: number, borrowers: number) =>
    coverShare(later, planOf(curves, lenders, borrowers).pairings);
  const [strict, free] = [cover(scenarios, PARTNERS, PARTNERS), cover(scenarios, PARTNERS, anyNumber)];
  const earlier = laterAfter(traces, WEEK_HOURS);
  const second = coverShare(earlier, planOf(scenariosAt(earlier, earlier.from), PARTNERS, anyNumber).pairings);
  const indexOf = new Map(seen.map(({ id }, index) => [id, index]));
  const circles = planCircles({ pools: seen, size: CIRCLE_SIZE }).map(({ poolIds }) => poolIds);
  const lends = circles.flatMap((ids) =>
    ids.flatMap((lenderId) => ids.map((borrowerId) => ({ lenderId, borrowerId }))),
  );
  const inCircles = lends.filter(({ lenderId, borrowerId }) => indexOf.get(lenderId) !== indexOf.get(borrowerId));
  return [
    atLeastRow(name('3 lenders a borrower'), free, 'share', COVER_MIN, n),
    atLeastRow(name('3 lenders a borrower and 3 borrowers a lender'), strict, 'share', COVER_MIN, n),
    plainRow(name('3 lenders a borrower, from the third week to the fourth'), second, 'share', n),
    plainRow(
      name('3 lenders a borrower, planned on the weeks as they were'),
      cover(seen, PARTNERS, anyNumber),
      'share',
      n,
    ),
    plainRow(name('one-to-one, planned on the weeks as they were'), cover(seen, 1, 1), 'share', n),
    plainRow(name(`circles of ${CIRCLE_SIZE}`), coverShare(later, inCircles), 'share', n),
  ];
}

/** A plan a day, each beside the one before. */
function dailyRows(later: Later, what: string, maxBorrowers: number): BenchRow[] {
  const churn: number[] = [];
  let [units, pooledUnits, days] = [0, 0, 0];
  let before: PairingsPlan | undefined;
  for (let now = later.from; now + DAY_HOURS <= later.to; now += DAY_HOURS) {
    const pools = scenariosAt(later, now).map((curve) => ({ ...curve, maxLenders: PARTNERS, maxBorrowers }));
    const average = before === undefined ? 0 : before.servedUnitSlots / before.pairings.length;
    const plan = planPairings({ pools, previous: before?.pairings ?? [], switchingCost: SWITCHING_SHARE * average });
    const started = plan.pairings.filter(({ kept }) => !kept).length;
    if (before !== undefined) churn.push(Math.max(started, plan.ended.length) / before.pairings.length);
    const served = servedLater(later, plan.pairings, now, now + DAY_HOURS);
    units += served.units;
    pooledUnits += served.pooledUnits;
    days += 1;
    before = plan;
  }
  const mean = churn.reduce((sum, share) => sum + share, 0) / churn.length;
  return [
    limitRow(`churn between two plans a day apart, ${what}`, mean, 'share', CHURN_MAX, churn.length),
    plainRow(`churn between two plans a day apart, ${what}: most`, Math.max(...churn), 'share', churn.length),
    plainRow(`planned anew each day, ${what}: share of the pooled cover`, units / pooledUnits, 'share', days),
  ];
}

/** How even the benefit is, and what credits do to it. */
function fairnessRows(later: Later): BenchRow[] {
  const pools = scenariosAt(later, later.from).map((curve) => ({
    ...curve,
    maxLenders: PARTNERS,
    maxBorrowers: PARTNERS,
  }));
  const plan = planPairings({ pools });
  const nothing = new Map(pools.map(({ id }) => [id, 0]));
  const factors = creditFactors(settledCredits(nothing, plan.pairings), CREDIT_STRENGTH);
  const credited = planPairings({ pools, weight: (_lender, borrower) => factors.get(borrower) ?? 1 });
  const needy = curvesSeen(later, later.from, later.to).filter(({ deficit }) => deficit.some((units) => units > 0));
  const rows = [
    ['by amount alone', plan],
    ['weighed by credits', credited],
  ] as const;
  return rows.flatMap(([what, { pairings }]) => {
    const { byBorrower, units, pooledUnits } = servedLater(later, pairings, later.from, later.to);
    const share = smallestHalfShare(needy.map(({ id }) => byBorrower.get(id) ?? 0)) ?? 0;
    return [
      plainRow(`benefit of the smallest half, ${what}`, share, 'share', needy.length),
      plainRow(`share of the pooled cover, ${what}`, units / pooledUnits, 'share', needy.length),
    ];
  });
}

/** Plans made of two weeks, on the two weeks after them. */
export function laterWeeksRows(traces: Traces, { say }: BenchOptions): BenchRow[] {
  const later = laterAfter(traces, 0);
  const cover = coverRows(traces, later);
  say('two later weeks measured');
  const daily = [
    ...dailyRows(later, '3 lenders a borrower', Number.POSITIVE_INFINITY),
    ...dailyRows(later, '3 lenders a borrower and 3 borrowers a lender', PARTNERS),
  ];
  say('plans day by day measured');
  return [...cover, ...daily, ...fairnessRows(later)];
}
