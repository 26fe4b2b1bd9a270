import * as z from 'zod';
import { emptyUsage } from '../core/consent/covers.ts';
import type { PairingForecast } from '../core/pairing/grid.ts';
import { instanceTypeProblem } from '../core/pairing/instance-types.ts';
import type { PairedPools } from '../core/pairing/matching/plan-pairings.ts';
import type { PairingInput } from '../core/pairing/pair.ts';
import { PARTNERS_MAX } from '../core/pairing/preferences.ts';
import { regionNamed } from '../core/pairing/regions.ts';
import type { Pool } from '../core/pool.ts';
import { EVIDENCE_KINDS, evidenceOf } from '../core/trust/evidence.ts';
import { trustOf } from '../core/trust/trust.ts';
import type { AccountId, EpochMillis } from '../core/units.ts';
import { epochMillis, microUsd, poolId } from '../core/units.ts';
import { accountIdSchema, consentTermsSchema, poolSpecSchema } from '../functions/adapters/schemas.ts';
import { contradictions } from './pair-input-checks.ts';

const MICROS = 1_000_000;
const SLOTS_MAX = 2_000;
const UNITS_MAX = 1_000_000;
const COURSES_MAX = 200;
const CREDITS_MAX = 1e12;
const UNIT_HOURS_ERROR = 'expected a number of unit-hours, 0 or more';
const STRENGTH_ERROR = 'expected a number from 0 up to 1, 1 excluded';
const SWITCHING_COST_MAX = 1e9;
/** How far from 1 a unit counts for the borrower whose credits are furthest from the average, where the file does not say it. */
const DEFAULT_CREDIT_STRENGTH = 0.5;

const UNITS_ERROR = `expected a whole number of units from 0 to ${UNITS_MAX}`;
const NEED_ERROR = `expected a number of units from 0 to ${UNITS_MAX}`;
const SLOTS_ERROR = `expected a list of 1 to ${SLOTS_MAX} slots`;
const units = z.int({ error: UNITS_ERROR }).min(0, { error: UNITS_ERROR }).max(UNITS_MAX, { error: UNITS_ERROR });
const slotUnits = z.number({ error: NEED_ERROR }).min(0, { error: NEED_ERROR }).max(UNITS_MAX, { error: NEED_ERROR });
const curve = z
  .array(slotUnits, { error: SLOTS_ERROR })
  .min(1, { error: SLOTS_ERROR })
  .max(SLOTS_MAX, { error: SLOTS_ERROR });

const region = z.string().superRefine((name, context) => {
  if (regionNamed(name) === undefined) {
    context.addIssue({ code: 'custom', message: 'expected an AWS region such as eu-central-1' });
  }
});

const instanceType = z.string().superRefine((name, context) => {
  const message = instanceTypeProblem(name);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** A line break in a name would break the lines of the table, an escape sequence the terminal. */
const name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'expected a name without control characters');
const poolName = z.string({ error: 'expected the id of a pool' });

const moment = z.iso.datetime({ error: 'expected a time in UTC such as 2026-03-01T00:00:00Z' });
const stepSeconds = z.int().min(60).max(86_400);

/** Need by slot in units, at quantiles; or what a pool could lend and what it lacks. */
const needSchema = z.strictObject({
  p10: curve.exactOptional(),
  p50: curve,
  p90: curve.exactOptional(),
  p95: curve.exactOptional(),
  courses: z.array(curve).min(1).max(COURSES_MAX).exactOptional(),
});
const balanceSchema = z.strictObject({ surplusUnits: curve, shortageUnits: curve });

const pool = poolSpecSchema.shape;
const poolSchema = z.strictObject({
  accountId: accountIdSchema,
  region,
  groupName: name,
  application: name.exactOptional(),
  azIds: z
    .array(
      z.string().regex(/^[a-z]{2,5}\d(-[a-z]{3}\d)?-az\d+$/, 'expected an AZ id such as euc1-az1, not a zone name'),
    )
    .min(1),
  instanceType,
  platform: pool.platform.default('Linux/UNIX'),
  tenancy: pool.tenancy.default('default'),
  storageType: pool.storageType.default('gp3'),
  networkGbps: pool.networkGbps,
  commitments: pool.commitments.default([]),
  lendsAs: pool.lendsAs,
  launchesIntoReservations: z
    .boolean()
    .default(true)
    .describe(
      'Whether its group launches into reservations shared with its account; left out: yes, as it could be prepared to',
    ),
  encryptedAtRest: pool.encryptedAtRest,
  isolation: pool.isolation,
  withoutLending: pool.withoutLending,
  ownedUnits: units,
  lentUnits: units.default(0),
  reserveUnits: units.default(0),
  provisioningLimitUnits: units.default(0),
  onDemandUsdPerUnitHour: z.number().min(0).max(100_000),
  credits: z
    .number({ error: 'expected a number of credits' })
    .min(-CREDITS_MAX)
    .max(CREDITS_MAX)
    .exactOptional()
    .describe(
      'What it has lent before, less what it has borrowed, in unit-slots; left out where other pools have credits: 0',
    ),
  /** Where they differ from the file's, the file is refused: curves are compared slot by slot. */
  startAt: moment.exactOptional(),
  stepSeconds: stepSeconds.exactOptional(),
  need: needSchema.exactOptional(),
  balance: balanceSchema.exactOptional(),
});

const terms = consentTermsSchema.shape;
const consentSchema = z.strictObject({
  ...terms,
  groupNames: terms.groupNames.default([]),
  allowedApplications: terms.allowedApplications.default([]),
  allowedCounterparties: terms.allowedCounterparties.default([]),
  deniedCounterparties: terms.deniedCounterparties.default([]),
  dataAccess: terms.dataAccess.default('metrics-only'),
  regions: z.array(region).default([]),
  requiredTenancy: terms.requiredTenancy.default('any'),
  maxLatencyMillis: terms.maxLatencyMillis.default(1_000),
  windows: terms.windows.default([]),
  shortestTermSeconds: terms.shortestTermSeconds.default(600),
  longestTermSeconds: terms.longestTermSeconds.default(86_400),
  whenNoPartner: terms.whenNoPartner.default('refuse'),
});

const evidenceSchema = z.strictObject({
  evidenceId: z.string().min(1).exactOptional(),
  kind: z.enum(Object.keys(EVIDENCE_KINDS) as [keyof typeof EVIDENCE_KINDS]),
  at: moment,
  counterparty: accountIdSchema.exactOptional(),
  subject: z.string().min(1).default('stated in the file'),
});

const accountSchema = z.strictObject({
  accountId: accountIdSchema,
  consent: consentSchema.exactOptional(),
  /** A score from 0 to 1, or what it is computed from. */
  trust: z.number().min(0).max(1).exactOptional(),
  evidence: z.array(evidenceSchema).exactOptional(),
});

export const fleetSchema = z.strictObject({
  $schema: z.string().exactOptional(),
  startAt: moment,
  stepSeconds,
  maxPartners: z
    .int()
    .min(1)
    .max(PARTNERS_MAX)
    .exactOptional()
    .describe('Lenders of a borrower at most, where the consent of its account says nothing less'),
  pools: z.array(poolSchema),
  /** Of accounts without a consent of their own. */
  defaultConsent: consentSchema.exactOptional(),
  accounts: z.array(accountSchema).default([]),
  previous: z
    .array(z.strictObject({ lenderPoolId: poolName, borrowerPoolId: poolName }))
    .exactOptional()
    .describe('The pairings in force: what has no reason to change stays'),
  switchingCostUnitHours: z
    .number({ error: UNIT_HOURS_ERROR })
    .min(0, { error: UNIT_HOURS_ERROR })
    .max(SWITCHING_COST_MAX)
    .exactOptional()
    .describe(
      'What starting or ending a pairing costs, in unit-hours between pools of an average one in force; left out: a fifth of what an average one serves',
    ),
  creditStrength: z
    .number({ error: STRENGTH_ERROR })
    .min(0, { error: STRENGTH_ERROR })
    .lt(1, { error: STRENGTH_ERROR })
    .exactOptional()
    .describe(
      'How far from 1 a unit counts for the borrower whose credits are furthest from the average; left out: 0.5',
    ),
});
export type FleetFile = z.infer<typeof fleetSchema>;
export type FleetPool = FleetFile['pools'][number];

/** A fleet as it is planned. */
export interface Fleet {
  readonly input: PairingInput;
  /** Lenders of a borrower at most; undefined: not stated. */
  readonly maxPartners: number | undefined;
  /** The pairings in force; undefined: not stated. */
  readonly previous: readonly PairedPools[] | undefined;
  /** Undefined: not stated. */
  readonly switchingCostUnitHours: number | undefined;
  /** By pool id, all pools; undefined: no pool states any. */
  readonly credits: ReadonlyMap<string, number> | undefined;
  readonly creditStrength: number;
}

/** The file cannot be planned from; each line of the message names a place in it, what is expected there and what it has. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** `pools[1].need.p90[3]` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function shownValue(root: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>((at, part) => {
    return typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined;
  }, root);
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  // A number that JSON has no text for, such as 1e999, is named as it was read.
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** What zod's own messages begin with. */
const ZOD_PREFIX = /^(?:Invalid input|Invalid option|Too small|Too big): /;

function issueLines(issue: z.core.$ZodIssue, root: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${pathText([...issue.path, key])}: unknown field`);
  }
  const expected = issue.message.replace(ZOD_PREFIX, '').replace(/, (received|got) .*$/s, '');
  return [`${pathText(issue.path) || 'the file'}: ${expected}, got ${shownValue(root, issue.path)}`];
}

function forecastOf(at: FleetPool, id: Pool['spec']['poolId'], file: FleetFile): PairingForecast | undefined {
  const { need, balance } = at;
  // Where a pool is neither idle nor short it needs just what it owns.
  const fromBalance = balance?.surplusUnits.map((surplus, slot) => {
    const short = balance.shortageUnits[slot] ?? 0;
    return short > 0 ? at.ownedUnits - at.lentUnits + short : at.ownedUnits - at.lentUnits - at.reserveUnits - surplus;
  });
  const median = need?.p50 ?? fromBalance;
  if (median === undefined) return undefined;
  const p90 = need?.p90 ?? need?.p95 ?? median;
  return {
    poolId: id,
    startMillis: Date.parse(file.startAt),
    stepSeconds: file.stepSeconds,
    neededUnits: { '0.5': median, '0.9': p90, '0.95': need?.p95 ?? p90 },
    bindingResource: 'cpu',
    bottlenecks: {},
    bottleneckProbability: 0,
    models: {},
    reasons: {},
    ...(need?.p10 === undefined ? {} : { lowNeededUnits: need.p10 }),
    ...(need?.courses === undefined ? {} : { courses: need.courses }),
  };
}

function poolOf(at: FleetPool, file: FleetFile): Pool {
  const { ownedUnits, lentUnits, onDemandUsdPerUnitHour, ...stated } = at;
  const { need: _need, balance: _balance, startAt: _at, stepSeconds: _step, credits: _credits, ...facts } = stated;
  return {
    spec: {
      ...facts,
      poolId: poolId(at.accountId, at.region, at.groupName),
      application: at.application ?? at.groupName,
      onDemandMicroUsdPerUnitHour: microUsd(Math.round(onDemandUsdPerUnitHour * MICROS)),
      alarmPeriodSeconds: 60,
      historyStepSeconds: file.stepSeconds,
      seasonSteps: [],
      coolDownSeconds: 0,
      resources: {},
    },
    ownedUnits,
    lentUnits,
    borrowedUnits: 0,
    provisionedUnits: 0,
    version: 1,
  };
}

function trustScore(account: FleetFile['accounts'][number], now: EpochMillis): number | undefined {
  if (account.trust !== undefined || account.evidence === undefined) return account.trust;
  const { accountId } = account;
  const evidence = account.evidence.map(({ kind, at, evidenceId, counterparty, subject }, index) =>
    evidenceOf(kind, {
      accountId,
      evidenceId: evidenceId ?? `${accountId}#${index}`,
      at: epochMillis(Date.parse(at)),
      subject,
      ...(counterparty === undefined ? {} : { counterparty }),
    }),
  );
  return trustOf(evidence, now).score;
}

function pairingInput(file: FleetFile): PairingInput {
  const now = epochMillis(Date.parse(file.startAt));
  const pools = file.pools.map((each) => poolOf(each, file));
  const forecasts: Record<string, PairingForecast> = {};
  for (const [index, { spec }] of pools.entries()) {
    const stated = file.pools[index];
    const forecast = stated === undefined ? undefined : forecastOf(stated, spec.poolId, file);
    if (forecast !== undefined) forecasts[spec.poolId] = forecast;
  }
  const consents: Record<string, PairingInput['consents'][string]> = {};
  const trust: Record<string, number> = {};
  const stated = new Map(file.accounts.map((account) => [account.accountId, account]));
  const accounts = new Set<AccountId>([...pools.map(({ spec }) => spec.accountId), ...stated.keys()]);
  for (const accountId of accounts) {
    const account = stated.get(accountId);
    const terms = account?.consent ?? file.defaultConsent;
    const made = { version: 1, status: 'active', madeBy: 'the file', madeAt: now } as const;
    consents[accountId] = {
      usage: emptyUsage(accountId),
      ...(terms === undefined ? {} : { consent: { accountId, terms, ...made } }),
    };
    const score = account === undefined ? undefined : trustScore(account, now);
    if (score !== undefined) trust[accountId] = score;
  }
  return { pools, forecasts, consents, trust, now };
}

/** Ordered by id: sums over them are the same whatever the order of the file. */
function creditsOf({ pools }: FleetFile): ReadonlyMap<string, number> | undefined {
  if (pools.every(({ credits }) => credits === undefined)) return undefined;
  const entries = pools.map(({ accountId, region: place, groupName, credits = 0 }): [string, number] => {
    return [poolId(accountId, place, groupName), credits];
  });
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * A fleet as it is planned, from the parsed JSON of a file.
 * @throws FleetError with a line for everything that is wrong, each beginning with its place in the file
 */
export function parseFleet(input: unknown): Fleet {
  const parsed = fleetSchema.safeParse(input);
  if (!parsed.success) {
    // A value may break several rules of which the message is the same.
    throw new FleetError([...new Set(parsed.error.issues.flatMap((issue) => issueLines(issue, input)))]);
  }
  const wrong = contradictions(parsed.data);
  if (wrong.length > 0) throw new FleetError(wrong.map(({ path, problem }) => `${pathText(path)}: ${problem}`));
  const { data } = parsed;
  return {
    input: pairingInput(data),
    maxPartners: data.maxPartners,
    previous: data.previous?.map(({ lenderPoolId, borrowerPoolId }) => ({
      lenderId: lenderPoolId,
      borrowerId: borrowerPoolId,
    })),
    switchingCostUnitHours: data.switchingCostUnitHours,
    credits: creditsOf(data),
    creditStrength: data.creditStrength ?? DEFAULT_CREDIT_STRENGTH,
  };
}

/** The JSON Schema of the file; what relates one field to another is checked by the code only. */
export function fleetJsonSchema(): string {
  const schema = z.toJSONSchema(fleetSchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'Input of entangle pair' }, undefined, 2)}\n`;
}
