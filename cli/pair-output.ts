import * as z from 'zod';
import { outlookOf, reasonsOf } from '../core/pairing/assess.ts';
import { rounded } from '../core/pairing/score.ts';
import { MILLIS_PER_SECOND } from '../core/units.ts';
import type { Explanation } from './pair-explain.ts';
import { endedReasons } from './pair-explain.ts';
import type { PlannedPair } from './pair-matching.ts';
import type { FleetPlan, Spread } from './pair-plan.ts';
import { refusalReason } from './pair-reason.ts';

const MICROS = 1_000_000;

const share = z.number().min(0).max(1);
const amount = z.number().min(0);
const id = z.string().min(1).describe('account/region/group');

const pairingSchema = z.object({
  lenderPoolId: id,
  borrowerPoolId: id,
  confidence: share.describe('Probability that the lender delivers what is expected of it'),
  expectedUnits: z.array(amount).describe("Mean units of the borrower's that are lent, by slot"),
  substance: z.enum(['physical', 'nominal']).describe('What a loan moves: reserved capacity, or a ceiling'),
  unitRatio: z.number().positive().describe("Units of the lender's for one of the borrower's"),
  savingUsd: z
    .object({ low: z.number(), mid: z.number(), high: z.number(), expected: z.number() })
    .describe('What both sides together save over all slots: P10, P50, P90 and mean'),
  score: z.object({
    score: z.number().describe('complementarity × proximity × trust'),
    parts: z.object({ complementarity: z.number(), proximity: z.number(), trust: z.number() }),
    priceFactor: z.number().describe('1 at the on-demand price, more for less'),
  }),
  change: z.enum(['kept', 'new']).optional().describe('Only with previous: whether it was in force before'),
  reasons: z.array(z.string()).min(1),
});

const refusedSchema = z.object({
  lenderPoolId: id,
  borrowerPoolId: id,
  gate: z.string(),
  field: z.string().optional().describe('The field that decides'),
  reason: z.string().describe('With the values of both sides'),
});

const explainedSchema = z.object({
  lenderPoolId: id,
  borrowerPoolId: id,
  verdict: z.enum(['paired', 'not-chosen', 'refused']),
  gate: z.string().optional(),
  field: z.string().optional(),
  reason: z.string(),
  score: z.number().optional(),
});

const smallestHalfShare = share
  .nullable()
  .describe('Share of what is served that goes to the half of the borrowers with the least; null: nobody is served');

const churnSchema = z.object({
  kept: z.int().min(0),
  started: z.int().min(0),
  ended: z.int().min(0),
  share: z
    .number()
    .min(0)
    .nullable()
    .describe('The larger of started and ended ÷ pairings in force; null: none was in force'),
  switchingCostUnitHours: amount.describe('What starting or ending a pairing cost in the plan'),
  endedPairings: z.array(z.object({ lenderPoolId: id, borrowerPoolId: id, reason: z.string() })),
});

const reportSchema = z.object({
  startAt: z.iso.datetime({ precision: 3 }).describe('Start of the first slot, UTC'),
  stepSeconds: z.number().min(0),
  slots: z.int().min(0),
  pairings: z.array(pairingSchema).describe('By borrower, then by lender'),
  emptyReason: z.string().optional().describe('Why there are no pairings'),
  refused: z
    .array(refusedSchema)
    .describe('Pairs whose borrower is forecast to be short, with --circles all; the first 10,000 are listed'),
  refusedCount: z.int().min(0),
  refusedByGate: z.record(z.string(), z.int().min(0)),
  bound: z
    .object({
      unlimitedPartners: amount.describe('The most that any plan could serve, were partners unlimited: exact'),
      served: amount.describe('What the pairings serve'),
      share: share.nullable().describe('served ÷ unlimitedPartners; null: nothing could be served'),
      short: amount.describe('What the fleet lacks in all'),
      circles: amount.optional().describe('What the circles serve'),
    })
    .describe('In unit-slots at P95 of the forecasts'),
  fairness: z.object({
    smallestHalfShare,
    withoutCredits: z
      .object({ smallestHalfShare, served: amount.describe('Unit-slots at P95') })
      .optional()
      .describe('Only with credits: what the plan would be if they did not count'),
  }),
  churn: churnSchema.optional().describe('Only with previous'),
  circles: z
    .array(z.object({ poolIds: z.array(id).min(2), servedUnitSlots: amount }))
    .optional()
    .describe('Only with --circles'),
  explain: z
    .object({ poolId: id, asBorrower: z.array(explainedSchema), asLender: z.array(explainedSchema) })
    .optional()
    .describe('Only with --explain'),
  elapsedMs: amount,
});

/** The output of `entangle pair --json`. */
export type PairReport = z.infer<typeof reportSchema>;
export type ReportedPairing = PairReport['pairings'][number];

/** The JSON Schema of the output. */
export function pairReportJsonSchema(): string {
  const schema = z.toJSONSchema(reportSchema, { target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'Output of entangle pair --json' }, undefined, 2)}\n`;
}

function reportedPairing({ candidate, unitsBySlot, kept }: PlannedPair, plan: FleetPlan): ReportedPairing {
  const { context, churn } = plan;
  const { confidence, expectedUnitsBySlot, saving } = outlookOf(candidate, context, unitsBySlot);
  const { reasons, metricReasons } = reasonsOf(candidate);
  const { score, parts, priceFactor } = candidate.score;
  const usd = (micros: number) => micros / MICROS;
  const slots = unitsBySlot.filter((units) => units > 0).length;
  const most = rounded(unitsBySlot.reduce((highest, units) => Math.max(highest, units), 0));
  return {
    lenderPoolId: candidate.lender.spec.poolId,
    borrowerPoolId: candidate.borrower.spec.poolId,
    confidence,
    expectedUnits: [...expectedUnitsBySlot],
    substance: saving.substance,
    unitRatio: candidate.unitRatio,
    savingUsd: {
      low: usd(saving.low),
      mid: usd(saving.mid),
      high: usd(saving.high),
      expected: usd(saving.expected),
    },
    score: { score, parts: { ...parts }, priceFactor },
    ...(churn === undefined ? {} : { change: kept ? 'kept' : 'new' }),
    reasons: [
      slots === 0
        ? 'in force already; no units are planned for it (P95)'
        : `planned for up to ${most} units in ${slots} of ${unitsBySlot.length} slots (P95)`,
      ...metricReasons,
      ...reasons,
      saving.basis,
    ],
  };
}

function refusedPairs({ pools, pairs, context }: FleetPlan): PairReport['refused'] {
  const accountOf = new Map(pools.map(({ spec }) => [spec.poolId, spec.accountId]));
  return pairs.refused.flatMap((refused) => {
    const { lenderPoolId, borrowerPoolId, gate, field } = refused;
    const lender = accountOf.get(lenderPoolId);
    if (lender === undefined) return [];
    return [{ lenderPoolId, borrowerPoolId, gate, field, reason: refusalReason(refused, lender, context) }];
  });
}

function reportedChurn(plan: FleetPlan): Pick<PairReport, 'churn'> {
  if (plan.churn === undefined) return {};
  const { previous, kept, started, ended, switchingCostUnitHours } = plan.churn;
  const reasons = endedReasons(plan);
  return {
    churn: {
      kept,
      started,
      ended: ended.length,
      share: previous === 0 ? null : rounded(Math.max(started, ended.length) / previous),
      switchingCostUnitHours,
      endedPairings: ended.map(({ lenderId, borrowerId }, at) => ({
        lenderPoolId: lenderId,
        borrowerPoolId: borrowerId,
        reason: reasons[at] ?? '',
      })),
    },
  };
}

function reportedFairness({ spread, spreadWithoutCredits }: FleetPlan): PairReport['fairness'] {
  const shareOf = ({ smallestHalfShare: least }: Spread) => (least === undefined ? null : rounded(least));
  if (spreadWithoutCredits === undefined) return { smallestHalfShare: shareOf(spread) };
  const { servedUnitSlots: served } = spreadWithoutCredits;
  return {
    smallestHalfShare: shareOf(spread),
    withoutCredits: { smallestHalfShare: shareOf(spreadWithoutCredits), served },
  };
}

/** A plan as it is printed. */
export function pairReport(plan: FleetPlan, explanation: Explanation | undefined, elapsedMs: number): PairReport {
  const { grid } = plan.curves;
  const { boundUnitSlots, circles } = plan;
  const { servedUnitSlots } = plan.spread;
  const startMillis = grid.slots === 0 ? plan.fleet.input.now : grid.startMillis;
  return {
    startAt: new Date(startMillis).toISOString(),
    stepSeconds: grid.slots === 0 ? 0 : grid.stepMillis / MILLIS_PER_SECOND,
    slots: grid.slots,
    pairings: plan.pairings.map((pairing) => reportedPairing(pairing, plan)),
    ...(plan.emptyReason === undefined ? {} : { emptyReason: plan.emptyReason }),
    refused: refusedPairs(plan),
    refusedCount: Object.values(plan.pairs.refusedByGate).reduce((total, count) => total + count, 0),
    refusedByGate: { ...plan.pairs.refusedByGate },
    bound: {
      unlimitedPartners: boundUnitSlots,
      served: servedUnitSlots,
      share: boundUnitSlots > 0 ? rounded(Math.min(1, servedUnitSlots / boundUnitSlots)) : null,
      short: plan.shortUnitSlots,
      ...(circles === undefined
        ? {}
        : { circles: rounded(circles.reduce((total, circle) => total + circle.servedUnitSlots, 0)) }),
    },
    fairness: reportedFairness(plan),
    ...reportedChurn(plan),
    ...(circles === undefined
      ? {}
      : {
          circles: circles.map(({ poolIds, servedUnitSlots: served }) => ({
            poolIds: [...poolIds],
            servedUnitSlots: rounded(served),
          })),
        }),
    ...(explanation === undefined
      ? {}
      : {
          explain: {
            poolId: explanation.poolId,
            asBorrower: [...explanation.asBorrower],
            asLender: [...explanation.asLender],
          },
        }),
    elapsedMs: Math.round(elapsedMs * 10) / 10,
  };
}
