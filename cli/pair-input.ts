import * as z from 'zod';
import { emptyUsage } from '../core/consent/covers.ts';
import type { PairingForecast } from '../core/pairing/grid.ts';
import { instanceTypeProblem } from '../core/pairing/instance-types.ts';
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

const units = z.int({ error: 'a whole number of units, 0 or more' }).min(0).max(UNITS_MAX);
const curve = z
  .array(z.number({ error: 'a number of units, 0 or more' }).min(0).max(UNITS_MAX))
  .min(1)
  .max(SLOTS_MAX);

const region = z.string().superRefine((name, context) => {
  if (regionNamed(name) === undefined) {
    context.addIssue({ code: 'custom', message: 'expected an AWS region such as eu-central-1' });
  }
});

const instanceType = z.string().superRefine((name, context) => {
  const message = instanceTypeProblem(name);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

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
  groupName: pool.groupName,
  application: pool.application.exactOptional(),
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
  encryptedAtRest: pool.encryptedAtRest,
  isolation: pool.isolation,
  withoutLending: pool.withoutLending,
  ownedUnits: units,
  lentUnits: units.default(0),
  reserveUnits: units.default(0),
  provisioningLimitUnits: units.default(0),
  onDemandUsdPerUnitHour: z.number().min(0).max(100_000),
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
  regions: terms.regions.default([]),
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
  /** Partners of a pool at most, where its account's consent says nothing less. */
  maxPartners: z.int().min(1).max(PARTNERS_MAX).exactOptional(),
  pools: z.array(poolSchema),
  /** Of accounts without a consent of their own. */
  defaultConsent: consentSchema.exactOptional(),
  accounts: z.array(accountSchema).default([]),
});
export type FleetFile = z.infer<typeof fleetSchema>;
export type FleetPool = FleetFile['pools'][number];

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
  return typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value);
}

function issueLines(issue: z.core.$ZodIssue, root: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${pathText([...issue.path, key])}: unknown field`);
  }
  return [`${pathText(issue.path) || 'the file'}: ${issue.message}, got ${shownValue(root, issue.path)}`];
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
  const { ownedUnits, lentUnits, onDemandUsdPerUnitHour, need: _need, balance: _balance, startAt: _at, ...facts } = at;
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
  return { pools, forecasts, consents, trust, now, maxPartners: file.maxPartners ?? PARTNERS_MAX };
}

/**
 * A fleet as pairing takes it, from the parsed JSON of a file.
 * @throws FleetError with a line for everything that is wrong, each beginning with its place in the file
 */
export function parseFleet(input: unknown): PairingInput {
  const parsed = fleetSchema.safeParse(input);
  if (!parsed.success) throw new FleetError(parsed.error.issues.flatMap((issue) => issueLines(issue, input)));
  const wrong = contradictions(parsed.data);
  if (wrong.length > 0) throw new FleetError(wrong.map(({ path, problem }) => `${pathText(path)}: ${problem}`));
  return pairingInput(parsed.data);
}

/** The JSON Schema of the file; what relates one field to another is checked by the code only. */
export function fleetJsonSchema(): string {
  const schema = z.toJSONSchema(fleetSchema, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'Input of entangle pair' }, undefined, 2)}\n`;
}
