import type { Participants } from './participants.ts';
import type { ReplayResult } from './replay.ts';
import { replay } from './replay.ts';
import type { Scenario } from './scenario.ts';
import type { Traces } from './traces.ts';

const SECONDS_AN_HOUR = 3_600;
const SECONDS_A_DAY = 86_400;
const SECONDS_A_MINUTE = 60;

/** A replay in the measures that are reported. Shares are in percent; undefined: there is nothing to have a share of. */
export interface ReplayMeasures {
  /** Of the shortage, what loans served. */
  readonly coverPercent: number | undefined;
  /** What loans served, of what pooling everything could serve. */
  readonly ofPooledPercent: number | undefined;
  /** Demand of lenders left unserved by their loans, of what they lent. */
  readonly harmPercent: number | undefined;
  readonly servedUnitHours: number;
  readonly lentUnitHours: number;
  readonly harmedUnitHours: number;
  /** Pool-minutes in which all of a shortage was served, and their share of those with a shortage. */
  readonly rescuedMinutes: number;
  readonly rescuedPercent: number | undefined;
  readonly loansPerDay: number;
  readonly recallsPerDay: number;
  /** Of what pools own, what demand used. */
  readonly utilisationPercent: number | undefined;
  /** Of what was lent, what borrowers needed. */
  readonly usedOfLentPercent: number | undefined;
}

const percent = (part: number, whole: number): number | undefined => (whole > 0 ? (100 * part) / whole : undefined);

/** The measures of a replay. */
export function measuresOf({ totals, loans, recalls }: ReplayResult, stepSeconds: number): ReplayMeasures {
  const hours = stepSeconds / SECONDS_AN_HOUR;
  const days = (totals.measuredSteps * stepSeconds) / SECONDS_A_DAY;
  return {
    coverPercent: percent(totals.served, totals.short),
    ofPooledPercent: percent(totals.served, totals.pooled),
    harmPercent: percent(totals.harmed, totals.lent),
    servedUnitHours: totals.served * hours,
    lentUnitHours: totals.lent * hours,
    harmedUnitHours: totals.harmed * hours,
    rescuedMinutes: (totals.rescuedPoolSteps * stepSeconds) / SECONDS_A_MINUTE,
    rescuedPercent: percent(totals.rescuedPoolSteps, totals.shortPoolSteps),
    loansPerDay: loans / days,
    recallsPerDay: recalls / days,
    utilisationPercent: percent(totals.used, totals.owned),
    usedOfLentPercent: percent(totals.served, totals.lent),
  };
}

/** A replay beside what it is compared with. */
export interface WhatIf {
  readonly lending: ReplayResult;
  /** The same rules with the future known: what a better forecast could still bring. */
  readonly perfectForecast: ReplayResult;
  /** The same rules without the most that consents allow; absent: no consent limited a loan. */
  readonly withoutLimits?: ReplayResult;
}

/**
 * Replays a scenario, the same with a perfect forecast and, where limits of consents held loans back, without them.
 * @param unlimited the participants without such limits
 */
export function whatIf(
  traces: Traces,
  participants: Participants,
  scenario: Scenario,
  unlimited: () => Participants,
): WhatIf {
  const lending = replay(traces, participants, scenario);
  return {
    lending,
    ...(lending.limitedBy.length > 0 && { withoutLimits: replay(traces, unlimited(), scenario) }),
    perfectForecast: replay(traces, participants, { ...scenario, forecast: 'perfect' }),
  };
}
