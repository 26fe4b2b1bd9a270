import * as z from 'zod';
import { eventProblem } from '../../core/forecast/events.ts';
import { NEED_LEVELS } from '../../core/forecast/pool-forecast.ts';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { Offer } from '../../core/lending/saga.ts';
import { CIRCLE_MEMBERS_MAX } from '../../core/pairing/matching/circles.ts';
import type { PairingId } from '../../core/pairing/pairing.ts';
import { PARTNERS_MAX } from '../../core/pairing/preferences.ts';
import { azIdObjection } from '../../core/pairing/regions.ts';
import type { GroupObservation } from '../../core/pool.ts';
import { ISOLATION_LEVELS } from '../../core/pool.ts';
import { RECORD_KINDS } from '../../core/trust/record.ts';
import type { LoanId, PoolId } from '../../core/units.ts';
import { accountId, epochMillis, microUsd, poolIdParts, RESOURCE_TYPES } from '../../core/units.ts';
import { unitLimitsSchema } from './limit-schemas.ts';

/** Shapes of everything that enters from outside; parsed once, at the edge, into the types of core. */

const wholeNumber = z.int().min(0);
const positive = z.int().min(1);
const percent = z.number().gt(0).max(100);

export const accountIdSchema = z
  .string()
  .regex(/^\d{12}$/, 'expected a 12-digit AWS account id')
  .transform((text) => accountId(text));

export const poolIdSchema = z.string().transform((text, context) => {
  try {
    poolIdParts(text);
    return text as PoolId;
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
});

export const loanIdSchema = z
  .string()
  .regex(/^ln-[0-9a-f]{24}$/, 'expected a loan id: ln- and 24 hexadecimal digits')
  .transform((text) => text as LoanId);

export const pairingIdSchema = z
  .string()
  .regex(/^pr-[0-9a-f]{24}$/, 'expected a pairing id: pr- and 24 hexadecimal digits')
  .transform((text) => text as PairingId);

const epochMillisSchema = wholeNumber.transform((value) => epochMillis(value));
const microUsdSchema = wholeNumber.transform((value) => microUsd(value));

const instanceTypeSchema = z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'expected an instance type such as m7g.large');

const resourceMetricSchema = z
  .strictObject({
    namespace: z.string().min(1),
    metricName: z.string().min(1),
    statistic: z.enum(['Average', 'Maximum', 'Sum']),
    fullUsePerUnit: z.number().gt(0),
    thresholdPercent: percent,
    recoveryPercent: percent,
  })
  .refine((metric) => metric.recoveryPercent < metric.thresholdPercent, {
    path: ['recoveryPercent'],
    message: 'expected less than thresholdPercent',
  });

const watchSchema = z.strictObject({
  trend: z.strictObject({ withinSeconds: positive, samples: z.int().min(5).max(60) }).exactOptional(),
  anomaly: z
    .strictObject({ withinSeconds: positive, samples: positive.max(60), score: z.number().gt(0) })
    .exactOptional(),
});

/** Body of `PUT /pools`. */
export const poolSpecSchema = z
  .strictObject({
    poolId: poolIdSchema,
    accountId: accountIdSchema,
    region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected an AWS region such as eu-central-1'),
    groupName: z.string().min(1).max(255),
    application: z.string().min(1),
    azIds: z.array(z.string().min(1)).min(1),
    instanceType: instanceTypeSchema,
    platform: z.string().min(1),
    tenancy: z.enum(['default', 'dedicated']),
    storageType: z.string().min(1),
    networkGbps: z.number().gt(0),
    vcpusPerUnit: positive.exactOptional(),
    commitments: z.array(
      z.strictObject({
        kind: z.enum(['capacity-reservation', 'reserved-instance', 'savings-plan']),
        units: positive,
        discountFollowsLoan: z.boolean().exactOptional(),
      }),
    ),
    lendsAs: z.enum(['physical', 'nominal']).exactOptional(),
    launchesIntoReservations: z.boolean().exactOptional(),
    encryptedAtRest: z.boolean().exactOptional(),
    isolation: z.enum(ISOLATION_LEVELS).exactOptional(),
    withoutLending: z.enum(['on-demand', 'own-reservation', 'no-capacity']).exactOptional(),
    reserveUnits: wholeNumber,
    provisioningLimitUnits: wholeNumber,
    onDemandMicroUsdPerUnitHour: microUsdSchema,
    alarmPeriodSeconds: positive,
    historyStepSeconds: positive,
    seasonSteps: z.array(positive),
    coolDownSeconds: wholeNumber,
    applicationMetrics: z
      .array(
        z.strictObject({
          name: z.string().min(1),
          namespace: z.string().min(1),
          metricName: z.string().min(1),
          dimensions: z.record(z.string().min(1), z.string().min(1)),
          statistic: z.enum(['Average', 'Maximum', 'Minimum', 'Sum', 'SampleCount']),
        }),
      )
      .max(10)
      .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, 'expected each name once')
      .exactOptional(),
    borrowAhead: z
      .strictObject({
        atProbability: z.number().gt(0).max(1),
        aheadSeconds: positive,
        needLevel: z.enum(NEED_LEVELS),
      })
      .exactOptional(),
    limits: unitLimitsSchema.exactOptional(),
    watch: watchSchema.exactOptional(),
    resources: z.partialRecord(z.enum(RESOURCE_TYPES), resourceMetricSchema),
  })
  .refine((spec) => spec.poolId === `${spec.accountId}/${spec.region}/${spec.groupName}`, {
    path: ['poolId'],
    message: 'expected <accountId>/<region>/<groupName> of the same pool',
  })
  .superRefine(({ region, azIds }, context) => {
    for (const [index, azId] of azIds.entries()) {
      const objection = azIdObjection(region, azId);
      if (objection !== undefined) {
        context.addIssue({ code: 'custom', path: ['azIds', index], message: `expected ${objection}, got ${azId}` });
      }
    }
  });

/** Business events of one pool: far below the 400 KB of one item. */
export const POOL_EVENTS_MAX = 1_000;

/** What `PUT /pools` takes besides the pool itself. */
export const poolEventsSchema = z
  .array(
    z
      .strictObject({
        name: z.string().min(1).max(200),
        startMillis: z.int(),
        endMillis: z.int(),
        expectedFactor: z.number().exactOptional(),
      })
      .superRefine((event, context) => {
        const message = eventProblem(event);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
  )
  .max(POOL_EVENTS_MAX);

/** A pool may borrow many times what it owns: one that owns little has the highest peaks beside it. */
const BORROWED_PERCENT_MAX = 100_000;

const usageLimits = {
  maxUnits: positive,
  maxUnitHoursPerMonth: z.number().gt(0),
};

/** A week: a need that lasts longer is none for a loan. */
const WAIT_SECONDS_MAX = 604_800;

/** Body of `PUT /consent`. */
export const consentTermsSchema = z
  .strictObject({
    lend: z
      .strictObject({
        ...usageLimits,
        maxSharePercent: percent,
        minPriceMicroUsdPerUnitHour: microUsdSchema,
        recallNoticeSeconds: wholeNumber,
        recallableFromSeconds: wholeNumber.exactOptional(),
        preemption: z.enum(['never', 'lower-tier']).exactOptional(),
      })
      .exactOptional(),
    borrow: z
      .strictObject({
        ...usageLimits,
        maxSharePercent: z.number().gt(0).max(BORROWED_PERCENT_MAX),
        maxPriceMicroUsdPerUnitHour: microUsdSchema,
        minRecallNoticeSeconds: wholeNumber,
        maxNeedLevel: z.enum(NEED_LEVELS).exactOptional(),
        fill: z
          .strictObject({ minimumUnits: positive.exactOptional(), minimumSharePercent: percent.exactOptional() })
          .refine((fill) => Object.keys(fill).length > 0, 'expected minimumUnits, minimumSharePercent or both')
          .exactOptional(),
        preemption: z.enum(['never', 'lower-tier']).exactOptional(),
        substitutions: z
          .array(z.strictObject({ from: instanceTypeSchema, to: instanceTypeSchema, unitRatio: z.number().gt(0) }))
          .refine((all) => new Set(all.map(({ from, to }) => `${from} ${to}`)).size === all.length, {
            message: 'expected each pair of instance types once',
          })
          .exactOptional(),
      })
      .exactOptional(),
    groupNames: z.array(z.string().min(1)),
    allowedApplications: z.array(z.string().min(1)),
    allowedCounterparties: z.array(accountIdSchema),
    deniedCounterparties: z.array(accountIdSchema),
    dataAccess: z.enum(['none', 'metrics-only']),
    regions: z.array(z.string().min(1)),
    requiredTenancy: z.enum(['any', 'dedicated']),
    requiredEncryption: z.enum(['any', 'at-rest']).exactOptional(),
    requiredIsolation: z.enum(ISOLATION_LEVELS).exactOptional(),
    maxLatencyMillis: z.number().gt(0),
    otherRegions: z.enum(['refuse', 'accept']).exactOptional(),
    trustFloor: z.number().min(0).max(1).exactOptional(),
    maxPartners: positive.max(PARTNERS_MAX).exactOptional(),
    maxCircleAccounts: z.int().min(2).max(CIRCLE_MEMBERS_MAX).exactOptional(),
    pairingAcceptance: z.enum(['standing', 'explicit']).exactOptional(),
    windows: z.array(
      z.strictObject({
        daysOfWeek: z.array(z.int().min(0).max(6)).min(1),
        fromSecondOfDay: z.int().min(0).max(86_399),
        toSecondOfDay: z.int().min(0).max(86_400),
      }),
    ),
    shortestTermSeconds: positive,
    longestTermSeconds: positive,
    renewable: z.boolean().exactOptional(),
    whenNoPartner: z.enum(['provision', 'refuse', 'wait']),
    waitAtMostSeconds: positive.max(WAIT_SECONDS_MAX).exactOptional(),
    validUntil: epochMillisSchema.exactOptional(),
  })
  .refine((terms) => terms.lend !== undefined || terms.borrow !== undefined, {
    message: 'expected `lend`, `borrow` or both: a consent to neither is revoked with DELETE /consent',
  })
  .refine((terms) => terms.shortestTermSeconds <= terms.longestTermSeconds, {
    path: ['longestTermSeconds'],
    message: 'expected at least shortestTermSeconds',
  });

/** What somebody who is not the hub has seen of an account: POST /trust/records. */
export const evidenceRecordSchema = z.strictObject({
  accountId: accountIdSchema,
  kind: z.enum(RECORD_KINDS),
  subject: z.string().min(1).max(64),
  note: z.string().min(1).max(500).exactOptional(),
});

/** An alarm's change of state, as EventBridge delivers it from a linked account. */
export const alarmEventSchema = z.object({
  account: accountIdSchema,
  region: z.string().min(1),
  detail: z.object({
    alarmName: z.string().min(1),
    state: z.object({ value: z.enum(['ALARM', 'OK', 'INSUFFICIENT_DATA']), timestamp: z.string().min(1) }),
  }),
});

const borrowShape = {
  loanId: loanIdSchema,
  poolId: poolIdSchema,
  resourceType: z.enum(RESOURCE_TYPES),
  /** Name of the execution. */
  execution: z.string().min(1),
};

/** As look-ahead has found it a moment ago. */
const watchNeedSchema = z.object({
  kind: z.enum(['trend', 'anomaly']),
  resource: z.enum(RESOURCE_TYPES),
  neededUnits: positive,
  beforeMillis: epochMillisSchema,
  reason: z.string().min(1),
});

/** What asks for a loan: an alarm, or before there is one a forecast or the course of demand. */
export const borrowInputSchema = z.union([
  z.object({ ...borrowShape, alarmName: z.string().min(1), transitionAtMillis: epochMillisSchema }),
  z.object({ ...borrowShape, forecastSlotMillis: epochMillisSchema }),
  z.object({ ...borrowShape, watchNeed: watchNeedSchema }),
]);

/** A request that stands already goes on: the next part of a need, or one that waits. */
export const resumeInputSchema = z.object({
  loanId: loanIdSchema,
  poolId: poolIdSchema,
  execution: z.string().min(1),
  resume: z.literal(true),
});

export const returnReasonSchema = z.enum([
  'expired',
  'recovered',
  'recalled',
  'revoked',
  'requested-by-owner',
  'below-minimum',
  'repair',
  'step-failed',
]);

/** What the steps of a state machine hand on was written by a step before: only that it is there is checked. */
export const snapshotSchema = z.custom<LoanSnapshot>(
  (value) => typeof value === 'object' && value !== null && 'loan' in value && 'borrowerPool' in value,
  'expected the snapshot of a loan, as the step before returned it',
);
export const offerSchema = z.custom<Offer>(
  (value) => typeof value === 'object' && value !== null && 'borrowerGroup' in value,
  'expected the offer that was chosen',
);
export const groupObservationSchema = z.custom<GroupObservation>(
  (value) => typeof value === 'object' && value !== null && 'maxSize' in value && 'observedAt' in value,
  'expected a group as the step before observed it',
);
export const poolInputSchema = z.object({ poolId: poolIdSchema });
export const planInputSchema = z.object({
  /** Name of the execution. */
  plan: z.string().min(1),
  /** The pools that are planned; absent: all. */
  poolIds: z.array(poolIdSchema).exactOptional(),
});
/** Where the pools of a part of a plan are listed: plan-store.ts. */
const poolsKeySchema = z.string().regex(/^plans\//, 'expected the key of an object under plans/');
/** The pools that are looked at, by name or as a list of a plan; absent: all. */
export const lookAheadInputSchema = z.object({
  poolIds: z.array(poolIdSchema).exactOptional(),
  poolsKey: poolsKeySchema.exactOptional(),
  /** Whether what was measured since is compared with what was forecast. */
  compare: z.boolean().default(true),
});
export const bucketInputSchema = z.object({ bucket: z.string().min(1) });
export const partInputSchema = z.object({ bucket: z.string().min(1), poolsKey: poolsKeySchema });
export const noInputSchema = z.unknown();
