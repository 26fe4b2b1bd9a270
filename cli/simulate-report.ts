import * as z from 'zod';
import type { ReplayMeasures, WhatIf } from '../core/whatif/compare.ts';
import { measuresOf } from '../core/whatif/compare.ts';
import type { Participants } from '../core/whatif/participants.ts';
import type { Scenario } from '../core/whatif/scenario.ts';
import type { PoolTotals } from '../core/whatif/tally.ts';
import type { Traces } from '../core/whatif/traces.ts';
import { firstMeasuredStep } from '../core/whatif/traces.ts';

const MICROS = 1_000_000;
const MILLIS_PER_SECOND = 1_000;
const SECONDS_AN_HOUR = 3_600;
const SECONDS_A_DAY = 86_400;

const amount = z.number().min(0);
const part = amount.nullable();

const measuresSchema = z.object({
  coverPercent: part.describe('Of the shortage, what loans serve; null: nothing is short'),
  ofPooledPercent: part.describe('What loans serve, of what pooling everything could serve'),
  harmPercent: part.describe(
    'Demand of lenders left unserved by their loans, of the unit-hours lent; null: nothing is lent',
  ),
  servedUnitHours: amount,
  lentUnitHours: amount,
  harmedUnitHours: amount,
  rescuedMinutes: amount.describe('Pool-minutes in which all of a shortage was served'),
  rescuedPercent: part.describe('Of the pool-minutes with a shortage'),
  loansPerDay: amount,
  recallsPerDay: amount,
  utilisationPercent: part.describe('Of what pools own, what demand uses'),
  usedOfLentPercent: part.describe('Of what is lent, what borrowers need'),
});

const accountSchema = z.object({
  accountId: z.string(),
  lentUnitHours: amount,
  borrowedUnitHours: amount,
  harmedUnitHours: amount,
  paidUsd: amount.describe('To lenders'),
  earnedUsd: amount.describe('From borrowers'),
  avoidedUsd: amount.describe('On-demand capacity not bought, where the lender had paid for the capacity anyway'),
  netUsd: z.number().describe('Avoided and earned, less paid'),
});

const poolSchema = z.object({
  poolId: z.string(),
  ownedUnits: amount,
  shortUnitHours: amount,
  coverPercent: part,
  lentUnitHours: amount,
  borrowedUnitHours: amount,
  harmedUnitHours: amount,
});

const daySchema = z.object({
  at: z.iso.datetime(),
  shortUnitHours: amount,
  servedUnitHours: amount,
  lentUnitHours: amount,
  harmedUnitHours: amount,
});

const reportSchema = z.object({
  seed: z.int(),
  startAt: z.iso.datetime(),
  measuredFrom: z.iso.datetime().describe('Before it forecasts and risks are learned'),
  endAt: z.iso.datetime(),
  stepSeconds: z.int(),
  pools: z.array(poolSchema),
  poolDays: amount,
  shortUnitHours: amount.describe('What demand passes what is owned by'),
  lending: measuresSchema,
  noLending: z.object({ coverPercent: z.literal(0), utilisationPercent: part }),
  perfectForecast: measuresSchema.describe('The same rules with the future known'),
  oracle: z
    .object({ coverPercent: part, ofPooledPercent: part })
    .describe(
      'The most that anybody could serve within the shares that may be lent: no alarm, start-up, notice or term',
    ),
  pooled: z.object({ coverPercent: part }).describe('Everything in one pool'),
  withoutLimits: measuresSchema
    .nullable()
    .describe('The same rules without the most that consents allow; null: no consent held a loan back'),
  limitedBy: z
    .array(z.object({ limit: z.string(), accounts: z.int() }))
    .describe('Limits of consents that left less than was wanted, and of how many accounts'),
  accounts: z.array(accountSchema),
  days: z.array(daySchema),
  scenario: z.record(z.string(), z.unknown()),
  notes: z.array(z.string()),
  elapsedMs: amount,
});

/** What is printed of a simulation. */
export type SimulationReport = z.infer<typeof reportSchema>;
export type ReportedMeasures = z.infer<typeof measuresSchema>;

/** The JSON Schema of the output. */
export function simulationJsonSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'Output of entangle simulate --json' }, undefined, 2)}\n`;
}

const rounded = (value: number): number => Number(value.toFixed(4)) + 0;
const roundedPart = (value: number | undefined): number | null => (value === undefined ? null : rounded(value));

function reportedMeasures(measures: ReplayMeasures): ReportedMeasures {
  const { coverPercent, ofPooledPercent, harmPercent, rescuedPercent, utilisationPercent, usedOfLentPercent } =
    measures;
  return {
    coverPercent: roundedPart(coverPercent),
    ofPooledPercent: roundedPart(ofPooledPercent),
    harmPercent: roundedPart(harmPercent),
    servedUnitHours: rounded(measures.servedUnitHours),
    lentUnitHours: rounded(measures.lentUnitHours),
    harmedUnitHours: rounded(measures.harmedUnitHours),
    rescuedMinutes: rounded(measures.rescuedMinutes),
    rescuedPercent: roundedPart(rescuedPercent),
    loansPerDay: rounded(measures.loansPerDay),
    recallsPerDay: rounded(measures.recallsPerDay),
    utilisationPercent: roundedPart(utilisationPercent),
    usedOfLentPercent: roundedPart(usedOfLentPercent),
  };
}

function reportedPools({ pools }: Participants, totals: PoolTotals, hours: number): SimulationReport['pools'] {
  return pools.map(({ poolId, ownedUnits }, place) => {
    const [short, served] = [totals.short[place] ?? 0, totals.served[place] ?? 0];
    return {
      poolId,
      ownedUnits: rounded(ownedUnits),
      shortUnitHours: rounded(short * hours),
      coverPercent: short > 0 ? rounded((100 * served) / short) : null,
      lentUnitHours: rounded((totals.lent[place] ?? 0) * hours),
      borrowedUnitHours: rounded((totals.borrowed[place] ?? 0) * hours),
      harmedUnitHours: rounded((totals.harmed[place] ?? 0) * hours),
    };
  });
}

function reportedAccounts({ lending }: WhatIf): SimulationReport['accounts'] {
  return lending.accounts.map((account) => ({
    accountId: account.accountId,
    lentUnitHours: rounded(account.lentUnitHours),
    borrowedUnitHours: rounded(account.borrowedUnitHours),
    harmedUnitHours: rounded(account.harmedUnitHours),
    paidUsd: account.paidMicroUsd / MICROS,
    earnedUsd: account.earnedMicroUsd / MICROS,
    avoidedUsd: account.avoidedMicroUsd / MICROS,
    netUsd: account.netMicroUsd / MICROS,
  }));
}

export interface Simulation {
  readonly traces: Traces;
  readonly participants: Participants;
  readonly scenario: Scenario;
  readonly result: WhatIf;
  readonly notes: readonly string[];
  readonly elapsedMs: number;
}

/** A simulation as it is printed. */
export function simulationReport(simulation: Simulation): SimulationReport {
  const { traces, participants, scenario, result, notes, elapsedMs } = simulation;
  const { stepSeconds, startMillis, steps } = traces;
  const hours = stepSeconds / SECONDS_AN_HOUR;
  const { totals, pools, days } = result.lending;
  const iso = (step: number) => new Date(startMillis + step * stepSeconds * MILLIS_PER_SECOND).toISOString();
  const share = (value: number, whole: number) => (whole > 0 ? rounded((100 * value) / whole) : null);
  const { seed, ...stated } = scenario;
  return {
    seed,
    startAt: iso(0),
    measuredFrom: iso(firstMeasuredStep(traces, scenario.trainingSeconds)),
    endAt: iso(steps),
    stepSeconds,
    pools: reportedPools(participants, pools, hours),
    poolDays: rounded((participants.pools.length * steps * stepSeconds) / SECONDS_A_DAY),
    shortUnitHours: rounded(totals.short * hours),
    lending: reportedMeasures(measuresOf(result.lending, stepSeconds)),
    noLending: { coverPercent: 0, utilisationPercent: share(totals.usedWithout, totals.owned) },
    perfectForecast: reportedMeasures(measuresOf(result.perfectForecast, stepSeconds)),
    oracle: {
      coverPercent: share(totals.withinLimits, totals.short),
      ofPooledPercent: share(totals.withinLimits, totals.pooled),
    },
    pooled: { coverPercent: share(totals.pooled, totals.short) },
    withoutLimits:
      result.withoutLimits === undefined ? null : reportedMeasures(measuresOf(result.withoutLimits, stepSeconds)),
    limitedBy: result.lending.limitedBy.map((hit) => ({ ...hit })),
    accounts: reportedAccounts(result),
    days: days.map(({ atMillis, short, served, lent, harmed }) => ({
      at: new Date(atMillis).toISOString(),
      shortUnitHours: rounded(short * hours),
      servedUnitHours: rounded(served * hours),
      lentUnitHours: rounded(lent * hours),
      harmedUnitHours: rounded(harmed * hours),
    })),
    scenario: { ...stated, wholeUnits: participants.wholeUnits },
    notes: [...notes],
    elapsedMs: Math.round(elapsedMs),
  };
}
