import * as z from 'zod';
import { HOLIDAY_COUNTRIES } from '../calendars/holidays.ts';
import { isTimeZone } from '../calendars/time-zone.ts';
import { checkOrderRules } from '../core/allocation/priority.ts';
import { NEED_LEVELS } from '../core/forecast/pool-forecast.ts';
import { HARM_TARGET } from '../core/lending/harm.ts';
import { azIdObjection } from '../core/pairing/regions.ts';
import { ISOLATION_LEVELS } from '../core/pool.ts';
import { RESOURCE_TYPES } from '../core/units.ts';
import { alarm, EVALUATION_SECONDS_MAX, evaluationProblem, resourceAlarm, watch } from './alarm-schema.ts';
import { decimal, fields, list, oneOf, text, whole } from './config-fields.ts';
import { GROUP_NAME_CHARACTERS_MAX } from './names.ts';
import { organisation, unitLimits } from './organisation-schema.ts';

/** More would pass the size limits of the API's and the event bus's resource policies (8,192 and 10,240 bytes). */
const LINKED_ACCOUNTS_MAX = 400;
const TIME_ZONE_ERROR = 'a name of the IANA time zone database such as Europe/Berlin';
const HARM_TARGET_ERROR = 'a number from 0 to 1';
const CREDIT_STRENGTH_ERROR = 'a number from 0 to 0.9';
const UNITS_MAX = 100_000;

const percent = decimal(0, 100, 'a number above 0, at most 100');
const yesOrNo = z.boolean({ error: 'true or false' });
const accountId = text(/^\d{12}$/, '12 digits in quotes');
const AZ_ID = /^[a-z]{2,5}\d(-[a-z]{3}\d)?-az\d+$/;
const region = text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region such as eu-central-1');
/** Resolutions of GetMetricData: high-resolution metrics have steps below a minute. */
const HIGH_RESOLUTION_SECONDS = new Set([1, 5, 10, 20, 30]);
const stepError = '1, 5, 10, 20, 30 or a multiple of 60, at most 86400 seconds';
const stepSeconds = z
  .int({ error: stepError })
  .min(1, { error: stepError })
  .max(EVALUATION_SECONDS_MAX, { error: stepError })
  .refine((seconds) => HIGH_RESOLUTION_SECONDS.has(seconds) || seconds % 60 === 0, { error: stepError });

const metric = fields({
  namespace: text(/^[^:\s][^:]{0,254}$/, 'a CloudWatch namespace such as CWAgent'),
  metricName: text(/^\S.{0,254}$/, 'the name of a CloudWatch metric'),
  statistic: oneOf(['Average', 'Maximum', 'Sum']),
  fullUsePerUnit: decimal(0, Number.MAX_SAFE_INTEGER, "the metric's value at full use of one instance, above 0"),
}).describe('Where the resource type is measured, with the dimension AutoScalingGroupName');

const resource = fields({
  thresholdPercent: percent.describe('Utilisation at or above which the alarm asks for a loan'),
  recoveryPercent: percent.describe(
    'Utilisation at or below which it is asked whether a loan may go back early: demand has to fit at it into own capacity',
  ),
  metric: metric.optional(),
  alarm: resourceAlarm.exactOptional(),
}).superRefine((value, context) => {
  if (value.recoveryPercent < value.thresholdPercent) return;
  const message = `less than thresholdPercent (${value.thresholdPercent})`;
  context.addIssue({ code: 'custom', path: ['recoveryPercent'], message });
});

const commitment = fields({
  kind: oneOf(['capacity-reservation', 'reserved-instance', 'savings-plan']),
  units: whole(1, UNITS_MAX, 'instances'),
  discountFollowsLoan: yesOrNo
    .exactOptional()
    .describe(
      "Of Reserved Instances and Savings Plans: whether their discount applies to a borrower's instances; left out: no. Where AWS shares discounts within one payer already, lending adds nothing",
    ),
}).superRefine((value, context) => {
  if (value.kind !== 'capacity-reservation' || value.discountFollowsLoan === undefined) return;
  const message = 'no discountFollowsLoan: a reservation is lent itself, a discount belongs to the other kinds';
  context.addIssue({ code: 'custom', path: ['discountFollowsLoan'], message });
});

const resources = z.partialRecord(oneOf(RESOURCE_TYPES), resource, {
  error: `an object with some of the fields ${RESOURCE_TYPES.join(', ')}`,
});

const applicationMetric = fields({
  name: text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of 1 to 64 letters, digits, dots, dashes, underscores'),
  namespace: text(/^[^:\s][^:]{0,254}$/, 'a CloudWatch namespace such as AWS/ApplicationELB'),
  metricName: text(/^\S.{0,254}$/, 'the name of a CloudWatch metric'),
  dimensions: z
    .record(text(/^\S.{0,254}$/, 'the name of a dimension'), text(/^\S.{0,1023}$/, 'the value of a dimension'), {
      error: 'an object with the values of dimensions by their names',
    })
    .default({}),
  statistic: oneOf(['Average', 'Maximum', 'Minimum', 'Sum', 'SampleCount']).default('Sum'),
}).describe('A metric of the application, in the account and region of the pool, with all dimensions that it has');

const applicationMetrics = list(applicationMetric, 0, 10, 'application metrics').superRefine((metrics, context) => {
  for (const [index, { name }] of metrics.entries()) {
    if (metrics.findIndex((other) => other.name === name) === index) continue;
    context.addIssue({ code: 'custom', path: [index, 'name'], message: 'each name once' });
  }
});

const timeZone = z
  .string({ error: TIME_ZONE_ERROR })
  .refine(isTimeZone, { error: TIME_ZONE_ERROR })
  .default('UTC')
  .describe('Zone of whole days, and of times that name none');

const calendar = fields({
  files: list(text(/^.*\S.*$/, 'the path of an .ics or .csv file'), 0, 20, 'files')
    .default([])
    .describe('iCalendar files, and lines of name,start,end[,factor]; paths are relative to the configuration file'),
  holidays: list(oneOf(HOLIDAY_COUNTRIES as [string, ...string[]]), 0, 10, 'countries')
    .default([])
    .describe('Countries whose public holidays change demand'),
  monthEnds: yesOrNo.default(false).describe('Whether the last day of a month is special'),
  timeZone,
}).describe('Business events that change demand: read when a pool is enrolled, learned from past occurrences');

const borrowAhead = fields({
  atProbability: decimal(0, 1, 'a probability above 0, at most 1').describe(
    'Probability of a bottleneck within the time looked ahead, from which on a loan is asked for before any alarm',
  ),
  aheadSeconds: whole(1, 172_800, 'seconds')
    .default(3_600)
    .describe('How far is looked ahead; at least as long as an instance takes to be in service'),
  needLevel: oneOf(NEED_LEVELS).default('0.9').describe('Quantile of the forecast need that such a loan is sized by'),
}).describe('Borrow before an alarm, because a bottleneck is forecast; left out: on alarms only');

const pool = fields({
  groupName: text(
    new RegExp(`^[!-9;-~]([ -9;-~]{0,${GROUP_NAME_CHARACTERS_MAX - 2}}[!-9;-~])?$`),
    `the name of an Auto Scaling group: 1 to ${GROUP_NAME_CHARACTERS_MAX} ASCII characters without a colon`,
  ),
  application: text(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'a name of 1 to 64 letters, digits, dots, dashes, underscores',
  ),
  azIds: list(text(AZ_ID, 'an AZ id such as euc1-az1 (not a name such as eu-central-1a)'), 1, 20, 'AZ ids'),
  instanceType: text(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, 'an instance type such as m7g.large'),
  platform: text(/^\S.{0,63}$/, 'a platform such as Linux/UNIX').default('Linux/UNIX'),
  tenancy: oneOf(['default', 'dedicated']).default('default'),
  storageType: text(/^\S.{0,63}$/, 'a storage type such as gp3').default('gp3'),
  networkGbps: decimal(0, 10_000, 'gigabits per second of one instance, above 0'),
  vcpusPerUnit: whole(1, 1_000, 'vCPUs')
    .exactOptional()
    .describe(
      "vCPUs of one instance, for EC2's quota; left out: by the size of its type from large on, else quotas are not looked at",
    ),
  commitments: list(commitment, 0, 3, 'commitments').default([]),
  lendsAs: oneOf(['physical', 'nominal'])
    .exactOptional()
    .describe('What a loan moves: reserved capacity itself, or the ceiling of the group; left out: nominal'),
  launchesIntoReservations: yesOrNo
    .exactOptional()
    .describe('Whether the group launches into Capacity Reservations shared with its account; left out: no'),
  encryptedAtRest: yesOrNo
    .exactOptional()
    .describe('Whether every volume of the group is encrypted; left out: not stated, which counts as no'),
  isolation: oneOf(ISOLATION_LEVELS)
    .exactOptional()
    .describe(
      "How far its instances are kept apart from other customers', weakest first; left out: dedicated-instance with dedicated tenancy, else virtualised",
    ),
  withoutLending: oneOf(['on-demand', 'own-reservation', 'no-capacity'])
    .exactOptional()
    .describe(
      'What the owner would do about a shortage if nobody lent: what savings are counted against; left out: on-demand where provisioningLimitUnits allows it, else no-capacity',
    ),
  reserveUnits: whole(0, UNITS_MAX, 'instances').default(0),
  provisioningLimitUnits: whole(0, UNITS_MAX, 'instances').default(0),
  onDemandUsdPerUnitHour: z
    .number({ error: 'a price in US dollars from 0 to 10000' })
    .min(0, { error: 'a price in US dollars from 0 to 10000' })
    .max(10_000, { error: 'a price in US dollars from 0 to 10000' })
    .refine((usd) => Math.abs(usd * 1e6 - Math.round(usd * 1e6)) < 1e-3, { error: 'at most 6 decimal places' }),
  historyStepSeconds: stepSeconds.default(300),
  seasonSteps: list(whole(2, 1_000_000, 'steps'), 1, 5, 'seasons').default([288, 2_016]),
  coolDownSeconds: whole(0, 86_400, 'seconds').default(300),
  alarm: alarm.prefault({}),
  applicationMetrics: applicationMetrics.optional(),
  calendar: calendar.optional(),
  borrowAhead: borrowAhead.optional(),
  watch: watch.optional(),
  limits: unitLimits.exactOptional(),
  resources,
}).superRefine((value, context) => {
  const issue = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  for (const [type, own] of Object.entries(value.resources)) {
    const problem = own?.alarm === undefined ? undefined : evaluationProblem({ ...value.alarm, ...own.alarm });
    if (problem !== undefined) issue(['resources', type, 'alarm', problem[0]], problem[1]);
  }
  if (Object.keys(value.resources).length === 0) {
    issue(['resources'], `at least one of the fields ${RESOURCE_TYPES.join(', ')}`);
  }
  if (value.lendsAs === 'physical' && !value.commitments.some(({ kind }) => kind === 'capacity-reservation')) {
    issue(
      ['lendsAs'],
      'a commitment of kind capacity-reservation beside it: only reserved capacity is lent physically',
    );
  }
  const isDedicated = value.isolation?.startsWith('dedicated-');
  if (isDedicated !== undefined && isDedicated !== (value.tenancy === 'dedicated')) {
    issue(['isolation'], `a level that goes with the tenancy ${value.tenancy}`);
  }
  for (const [index, { kind }] of value.commitments.entries()) {
    const isRepeated = value.commitments.findIndex((other) => other.kind === kind) < index;
    if (isRepeated) issue(['commitments', index, 'kind'], 'each kind of commitment once');
  }
  for (const [index, azId] of value.azIds.entries()) {
    if (value.azIds.indexOf(azId) < index) issue(['azIds', index], 'each AZ id once');
  }
  for (const [index, steps] of value.seasonSteps.entries()) {
    const previous = value.seasonSteps[index - 1];
    if (previous !== undefined && steps <= previous)
      issue(['seasonSteps', index], `more than the season before (${previous})`);
  }
});

const linkedAccount = fields({
  accountId,
  name: text(/^\S.{0,63}$/, 'a name of 1 to 64 characters'),
  region,
  calendar: calendar.optional().describe('For the pools that have no calendar of their own'),
  pools: list(pool, 0, 500, 'pools'),
}).superRefine((value, context) => {
  for (const [index, { groupName }] of value.pools.entries()) {
    if (value.pools.findIndex((other) => other.groupName === groupName) === index) continue;
    context.addIssue({ code: 'custom', path: ['pools', index, 'groupName'], message: 'each group once' });
  }
  for (const [index, { azIds }] of value.pools.entries()) {
    for (const [at, azId] of azIds.entries()) {
      // What is no AZ id at all is said where the field is.
      const message = AZ_ID.test(azId) ? azIdObjection(value.region, azId) : undefined;
      if (message !== undefined) context.addIssue({ code: 'custom', path: ['pools', index, 'azIds', at], message });
    }
  }
});

const linkedAccounts = list(linkedAccount, 1, 10_000, 'linked accounts').superRefine((accounts, context) => {
  const places = accounts.map((account) => `${account.accountId}/${account.region}`);
  for (const [index, place] of places.entries()) {
    if (places.indexOf(place) === index) continue;
    context.addIssue({
      code: 'custom',
      path: [index],
      message: `each account once a region (${place} is there already)`,
    });
  }
  const distinct = new Set(accounts.map((account) => account.accountId)).size;
  if (distinct <= LINKED_ACCOUNTS_MAX) return;
  const message = `at most ${LINKED_ACCOUNTS_MAX} different accounts a hub (its resource policies hold no more)`;
  context.addIssue({ code: 'custom', path: [], message });
});

const orderRule = z.discriminatedUnion(
  'by',
  [
    fields({ by: z.literal('sla-tier') }),
    fields({ by: z.literal('criticality') }),
    fields({ by: z.literal('waiting'), perSeconds: whole(1, 604_800, 'seconds') }),
    fields({ by: z.literal('fair-share'), step: decimal(0, 1, 'a share above 0, at most 1').exactOptional() }),
    fields({ by: z.literal('smallest-deficit') }),
  ],
  { error: 'an object with by: sla-tier, criticality, waiting (with perSeconds), fair-share or smallest-deficit' },
);
const slaTier = z.literal([1, 2, 3, 4, 5], { error: 'a tier from 1 (highest) to 5' });
/** More would pass the size that the variables of a function may have. */
const TIERS_NAMED_MAX = 50;

const priorityRules = fields({
  order: list(orderRule, 1, 6, 'rules')
    .superRefine((rules, context) => {
      try {
        checkOrderRules(rules);
      } catch (error) {
        context.addIssue({ code: 'custom', message: `each rule once, waiting between others (${String(error)})` });
      }
    })
    .exactOptional()
    .describe('Who comes first, the first rule that tells two requests apart; left out: docs/allocation.md says'),
  preemption: oneOf(['never', 'lower-tier'])
    .default('never')
    .describe('Whether a request may have loans of strictly lower tiers recalled, where both their consents allow it'),
  minimumTerm: oneOf(['spared', 'not-spared'])
    .default('spared')
    .describe('Whether a loan inside its shortest term is left alone then'),
  highestTier: slaTier.default(1).describe('The highest SLA tier that the groups of an account may claim by their tag'),
  highestTierOf: z
    .record(accountId, slaTier, { error: 'an object with tiers by account id' })
    .refine((named) => Object.keys(named).length <= TIERS_NAMED_MAX, { error: `at most ${TIERS_NAMED_MAX} accounts` })
    .default({})
    .describe('The same for single accounts'),
}).describe('Who comes first when several ask the same lender, and whether a request may have loans recalled');

const hub = fields({
  accountId,
  region,
  externalId: text(/^[\w+=,.@:/-]{8,128}$/, '8 to 128 letters, digits or _+=,.@:/-').describe(
    'A value of your own choice that both sides know; it keeps other hubs out of the linked accounts',
  ),
  stuckAfterSeconds: whole(1, 86_400, 'seconds').default(1_800).describe('A loan that stood still so long is repaired'),
  planEveryHours: whole(1, 168, 'hours').default(6),
  reconcileEveryMinutes: whole(1, 60, 'minutes').default(1),
  lookAheadEveryMinutes: whole(1, 60, 'minutes')
    .default(5)
    .describe('How often forecasts are compared with what was measured since, and asked for bottlenecks'),
  lendBy: oneOf(['outlook', 'plan'])
    .default('outlook')
    .describe(
      "What tells a lender's need: a forecast of the next minutes, made at each look ahead, and the plan's where there is none or a loan lasts longer; or the plan's alone",
    ),
  harmTarget: z
    .number({ error: HARM_TARGET_ERROR })
    .min(0, { error: HARM_TARGET_ERROR })
    .max(1, { error: HARM_TARGET_ERROR })
    .default(HARM_TARGET)
    .describe(
      'Harm to lenders as a share of the unit-hours that they lend: above it a lender takes less risk, below it more; 0: the risk of 2 % is fixed',
    ),
  organisation: organisation.exactOptional(),
  capacityEveryMinutes: whole(0, 60, 'minutes')
    .default(5)
    .describe('How often it is measured how much each pool could lend and borrow: four metrics a pool; 0: never'),
  creditStrength: z
    .number({ error: CREDIT_STRENGTH_ERROR })
    .min(0, { error: CREDIT_STRENGTH_ERROR })
    .max(0.9, { error: CREDIT_STRENGTH_ERROR })
    .default(0)
    .describe('How much an account that lent more than it borrowed comes before others as a borrower; 0: not at all'),
  priorityRules: priorityRules.prefault({}),
});

/** The configuration file. Its errors state what is expected; `config.ts` adds where and what was there instead. */
export const configSchema = fields({
  $schema: z.string({ error: 'a text' }).optional(),
  hub,
  deployRoleName: text(/^[\w+=,.@-]{1,64}$/, 'the name of an IAM role')
    .optional()
    .describe('Role in every linked account that `cdk deploy` takes on, e.g. OrganizationAccountAccessRole'),
  linkedAccounts,
}).describe('Entangle: the hub, the linked accounts and the Auto Scaling groups that take part');

export type Config = z.infer<typeof configSchema>;
export type HubConfig = Config['hub'];
export type LinkedAccountConfig = Config['linkedAccounts'][number];
export type CalendarConfig = z.infer<typeof calendar>;
export type PoolConfig = LinkedAccountConfig['pools'][number];
