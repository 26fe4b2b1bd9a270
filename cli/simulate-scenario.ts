import * as z from 'zod';
import { CRITICALITIES, checkOrderRules, SLA_TIERS } from '../core/allocation/priority.ts';
import type { Scenario } from '../core/whatif/scenario.ts';
import { DEFAULT_SCENARIO } from '../core/whatif/scenario.ts';

const HOURS_A_YEAR = 8_760;
const SECONDS_AN_HOUR = 3_600;
const DURATION_ERROR = 'expected a number of seconds, 0 or more, at most a year';
const SHARE_ERROR = 'expected a number from 0 to 1';
const PERCENT_ERROR = 'expected a number from 0 to 100';

const seconds = z
  .number({ error: DURATION_ERROR })
  .min(0, { error: DURATION_ERROR })
  .max(HOURS_A_YEAR * SECONDS_AN_HOUR, { error: DURATION_ERROR });
const share = z.number({ error: SHARE_ERROR }).min(0, { error: SHARE_ERROR }).max(1, { error: SHARE_ERROR });
const percent = z.number({ error: PERCENT_ERROR }).min(0, { error: PERCENT_ERROR }).max(100, { error: PERCENT_ERROR });
const tier = z.literal([...SLA_TIERS]);

const orderRule = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('sla-tier') }),
  z.strictObject({ by: z.literal('criticality') }),
  z.strictObject({ by: z.literal('waiting'), perSeconds: z.number().positive() }),
  z.strictObject({ by: z.literal('fair-share'), step: z.number().positive().max(1).exactOptional() }),
  z.strictObject({ by: z.literal('smallest-deficit') }),
]);

const borrowAheadSchema = z.strictObject({
  atProbability: share.gt(0).describe('Probability of a bottleneck from which a pool asks before an alarm'),
  needLevel: share.gt(0).lt(1).describe('Quantile of the need over the shortest loan by which it is sized'),
  sparePerUnit: z.number().min(0).describe('Units that are left to lend for each unit that is asked for so'),
});

const { borrowAhead: _ahead, seed: _seed, ...DEFAULTS } = DEFAULT_SCENARIO;

/** What a scenario file may say; what it leaves out is as in DEFAULT_SCENARIO. */
const scenarioSchema = z.strictObject({
  $schema: z.string().exactOptional(),
  alarmSeconds: seconds
    .default(DEFAULTS.alarmSeconds)
    .describe('Demand is above the ceiling for so long before a loan is asked for'),
  startUpSeconds: seconds
    .default(DEFAULTS.startUpSeconds)
    .describe('From the request until borrowed units are in service'),
  recallSeconds: seconds
    .default(DEFAULTS.recallSeconds)
    .describe('From a recall until the lender has its units again, at least: the notice of its consent may be longer'),
  shortestLoanSeconds: seconds.default(DEFAULTS.shortestLoanSeconds),
  recallableFromSeconds: seconds
    .default(DEFAULTS.recallableFromSeconds)
    .describe('Before this age a loan is recalled only once its lender is short'),
  floorPercent: percent.default(DEFAULTS.floorPercent).describe('Of what it owns, kept by a lender above its forecast'),
  maxLentPercent: percent.default(DEFAULTS.maxLentPercent).describe('Of what it owns, lent by a pool at most'),
  forecast: z
    .enum(['short-term', 'profile', 'perfect'])
    .default(DEFAULTS.forecast)
    .describe('short-term: at each step anew. profile: a quantile of each time of day. perfect: the future is known'),
  profileQuantile: share.default(DEFAULTS.profileQuantile),
  lendRisk: share
    .gt(0)
    .default(DEFAULTS.lendRisk)
    .describe('Probability that a lender needs what it lends, per shortest loan'),
  recallRiskShare: share
    .gt(0)
    .default(DEFAULTS.recallRiskShare)
    .describe('Of lendRisk: at this risk a loan is recalled'),
  harmTarget: share
    .default(DEFAULTS.harmTarget)
    .describe(
      'Harm as a share of what is lent: above it a lender takes less risk, below it more; 0: risks stay as they are',
    ),
  borrowAhead: borrowAheadSchema.nullable().exactOptional().describe('null: by alarm only'),
  partners: z.enum(['any', 'circles']).default(DEFAULTS.partners),
  circleSize: z.int().min(2).max(16).default(DEFAULTS.circleSize),
  replanSeconds: seconds.default(DEFAULTS.replanSeconds).describe('How often circles are planned'),
  planFromSeconds: seconds.default(DEFAULTS.planFromSeconds).describe('From how much of the past circles are planned'),
  orderRules: z
    .array(orderRule)
    .min(1)
    .default([...DEFAULTS.orderRules])
    .describe('Who comes first: docs/allocation.md'),
  slaTiers: z.record(z.string(), tier).default({}).describe('By pool id; 3 where nothing is said'),
  criticalities: z
    .record(z.string(), z.enum(CRITICALITIES))
    .default({})
    .describe('By pool id; medium where nothing is said'),
  trainingSeconds: seconds
    .default(DEFAULTS.trainingSeconds)
    .describe('Learned from and not measured; at most half of the traces'),
  commitmentPercentile: percent
    .exactOptional()
    .describe('What a pool owns is this percentile of its demand while training, instead of ownedUnits of the fleet'),
  usageLimits: z
    .enum(['kept', 'ignored'])
    .default(DEFAULTS.usageLimits)
    .describe('Whether the units, shares and unit-hours that consents allow at most limit loans'),
  wholeUnits: z
    .boolean()
    .exactOptional()
    .describe('Whether only whole units are lent; left out: unless a pool owns parts of units'),
});

/** The file cannot be used; each line names a place in it and what would be right. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** A scenario from the parsed JSON of a file. @throws ScenarioError with a line for each mistake */
export function parseScenario(input: unknown, poolIds: ReadonlySet<string>, seed: number): Scenario {
  const parsed = scenarioSchema.safeParse(input);
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap((issue) => {
      const place = issue.path.map(String).join('.') || 'the file';
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => `${[...issue.path, key].map(String).join('.')}: unknown field`);
      return [`${place}: ${issue.message.replace(/^(?:Invalid input|Invalid option|Too small|Too big): /, '')}`];
    });
    throw new ScenarioError([...new Set(lines)]);
  }
  const { $schema: _schema, borrowAhead, ...stated } = parsed.data;
  const strangers = (['slaTiers', 'criticalities'] as const).flatMap((field) =>
    Object.keys(stated[field])
      .filter((id) => !poolIds.has(id))
      .map((id) => `${field}.${id}: expected the id of a pool of the fleet`),
  );
  if (strangers.length > 0) throw new ScenarioError(strangers);
  try {
    checkOrderRules(stated.orderRules);
  } catch (error) {
    throw new ScenarioError([`orderRules: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const ahead = borrowAhead === undefined ? DEFAULT_SCENARIO.borrowAhead : (borrowAhead ?? undefined);
  return { ...stated, seed, ...(ahead === undefined ? {} : { borrowAhead: ahead }) };
}

/** The JSON Schema of the file. */
export function scenarioJsonSchema(): string {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'Scenario of entangle simulate' }, undefined, 2)}\n`;
}
