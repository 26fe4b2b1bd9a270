import type { Pool } from '../pool.ts';
import type { EpochMillis } from '../units.ts';
import type { PairingForecast } from './grid.ts';
import type { PairScenarios } from './pair-scenarios.ts';
import { pairScenarios, servedAt, shortOf } from './pair-scenarios.ts';
import type { Calibration } from './reliability.ts';
import { calibrated, NO_CALIBRATION } from './reliability.ts';
import type { PairSaving } from './savings.ts';
import { pairSaving } from './savings.ts';
import { rounded } from './score.ts';

/** Share of what is asked for that has to be lent for a pairing to have delivered. */
export const DELIVERED_SHARE = 0.9;

/** What a pairing is expected to do over the slots to come. */
export interface PairOutlook {
  /** Start of the first slot, in milliseconds since the epoch. */
  readonly startMillis: number;
  readonly stepSeconds: number;
  /** Mean units lent, by slot. */
  readonly expectedUnitsBySlot: readonly number[];
  /** Mean units lent over the slots in which any are expected. */
  readonly expectedUnits: number;
  /** Probability, from the forecasts alone, that the lender delivers what is expected of it, given that the borrower asks. */
  readonly forecastConfidence: number;
  /** The same, as past outcomes correct it; as it is where nothing is expected to be asked for. */
  readonly confidence: number;
  readonly saving: PairSaving;
}

/**
 * What came of a pairing: `delivered` when the lender could give at least nine tenths of what was asked for and expected,
 * `not-asked` when nothing was. The same rule judges forecasts before and outcomes after, so that they can be compared.
 * @param expected units by slot; `short` and `lendable` as they came, in the same slots
 */
export function pairOutcome(
  expected: readonly number[],
  short: ArrayLike<number>,
  lendable: ArrayLike<number>,
): 'delivered' | 'failed' | 'not-asked' {
  let [asked, given] = [0, 0];
  for (let slot = 0; slot < expected.length; slot += 1) {
    const units = expected[slot] as number;
    // Loans are of whole units: a mean of 1.2 promises 2.
    const wanted = Math.min(Math.ceil(units), short[slot] ?? 0);
    asked += wanted;
    given += Math.min(wanted, lendable[slot] ?? 0);
  }
  if (asked === 0) return 'not-asked';
  return given >= DELIVERED_SHARE * asked ? 'delivered' : 'failed';
}

function expectedBySlot({ grid, scenarios }: PairScenarios): number[] {
  const expected = new Float64Array(grid.slots);
  for (const scenario of scenarios) {
    for (const slot of scenario.shortSlots) {
      expected[slot] = (expected[slot] as number) + scenario.weight * servedAt(scenario, slot);
    }
  }
  return Array.from(expected, rounded);
}

/** A probability, and whether it is one of delivering what is asked for: only of such is there ever a verdict. */
interface Stated {
  readonly confidence: number;
  readonly isAsked: boolean;
}

function confidenceOf(expected: readonly number[], { scenarios }: PairScenarios): Stated {
  let [asked, delivered] = [0, 0];
  for (const { short, shortSlots, lendable, weight } of scenarios) {
    if (shortSlots.length === 0) continue;
    const outcome = pairOutcome(expected, short, lendable);
    if (outcome === 'not-asked') continue;
    asked += weight;
    if (outcome === 'delivered') delivered += weight;
  }
  if (asked > 0) return { confidence: Math.min(1, delivered / asked), isAsked: true };
  // Nothing is expected to be asked for: how often the lender has at least one unit to give.
  const confidence = scenarios.reduce((sum, scenario) => sum + scenario.weight * scenario.lendableShare, 0);
  return { confidence, isAsked: false };
}

export interface OutlookInput {
  readonly forecasts: Readonly<Record<string, PairingForecast>>;
  readonly now: EpochMillis;
  readonly unitRatio: number;
  readonly calibration?: Calibration;
  /**
   * Units by slot that a plan gives this pair where the lender has other borrowers too; absent: all that it has. More than either
   * side's own figures allow is never expected.
   */
  readonly plannedUnitsBySlot?: readonly number[];
}

function withinPlan(pair: PairScenarios, planned: readonly number[] | undefined): PairScenarios {
  if (planned === undefined) return pair;
  const within = new Map<Float64Array, ReturnType<typeof shortOf>>();
  const scenarios = pair.scenarios.map((scenario) => {
    const { short } = scenario;
    const known = within.get(short) ?? shortOf(short.map((units, slot) => Math.min(units, planned[slot] ?? 0)));
    within.set(short, known);
    return { ...scenario, ...known };
  });
  return { ...pair, scenarios };
}

/** What is expected of a lender for a borrower: loans, how sure they are, and what they save. */
export function pairOutlook(lender: Pool, borrower: Pool, input: OutlookInput): PairOutlook {
  const { forecasts, now, unitRatio, calibration = NO_CALIBRATION } = input;
  const pair = withinPlan(pairScenarios(lender, borrower, forecasts, now, unitRatio), input.plannedUnitsBySlot);
  const expectedUnitsBySlot = expectedBySlot(pair);
  const lent = expectedUnitsBySlot.filter((units) => units > 0);
  const stated = confidenceOf(expectedUnitsBySlot, pair);
  const forecastConfidence = rounded(stated.confidence);
  return {
    startMillis: pair.grid.startMillis,
    stepSeconds: pair.grid.stepMillis / 1_000,
    expectedUnitsBySlot,
    expectedUnits: rounded(lent.length === 0 ? 0 : lent.reduce((sum, units) => sum + units, 0) / lent.length),
    forecastConfidence,
    confidence: stated.isAsked ? rounded(calibrated(calibration, forecastConfidence)) : forecastConfidence,
    saving: pairSaving(lender, borrower, pair),
  };
}
