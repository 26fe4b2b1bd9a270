/** Valid values of the core's types for tests; each test states what matters to it. */
import type { Consent, ConsentTerms } from '../../core/consent/consent.ts';
import { UNRESTRICTED } from '../../core/consent/consent.ts';
import { emptyUsage } from '../../core/consent/covers.ts';
import type { PoolForecast } from '../../core/forecast/pool-forecast.ts';
import type { Candidate } from '../../core/lending/lender-finding.ts';
import type { Loan, RequestPart } from '../../core/lending/loan.ts';
import type { Partner } from '../../core/pairing/plan.ts';
import type { GroupObservation, Pool, PoolSpec, ResourceMetric } from '../../core/pool.ts';
import { ceilingUnits } from '../../core/pool.ts';
import type { AccountId, LoanId, PoolId } from '../../core/units.ts';
import { accountId, epochMillis, microUsd, poolId } from '../../core/units.ts';

/** Wednesday 2026-11-04 10:00:00 UTC. */
export const NOW = epochMillis(1_793_786_400_000);
export const BORROWER = accountId('111111111111');
export const LENDER = accountId('222222222222');
export const REGION = 'eu-west-1';

export function metricOf(overrides: Partial<ResourceMetric> = {}): ResourceMetric {
  return {
    namespace: 'AWS/EC2',
    metricName: 'CPUUtilization',
    statistic: 'Average',
    fullUsePerUnit: 100,
    thresholdPercent: 80,
    recoveryPercent: 60,
    ...overrides,
  };
}

export function specOf(account: AccountId, overrides: Partial<PoolSpec> = {}): PoolSpec {
  const groupName = overrides.groupName ?? 'web';
  return {
    poolId: poolId(account, overrides.region ?? REGION, groupName),
    accountId: account,
    region: REGION,
    groupName,
    application: 'shop',
    azIds: ['euw1-az1'],
    instanceType: 'm5.large',
    platform: 'Linux/UNIX',
    tenancy: 'default',
    storageType: 'gp3',
    networkGbps: 10,
    commitments: [],
    reserveUnits: 1,
    provisioningLimitUnits: 0,
    onDemandMicroUsdPerUnitHour: microUsd(107_000),
    historyStepSeconds: 300,
    seasonSteps: [288],
    alarmPeriodSeconds: 60,
    coolDownSeconds: 600,
    resources: { cpu: metricOf() },
    ...overrides,
  };
}

export function poolOf(account: AccountId, overrides: Partial<Pool> = {}, spec: Partial<PoolSpec> = {}): Pool {
  return {
    spec: specOf(account, spec),
    ownedUnits: 10,
    lentUnits: 0,
    borrowedUnits: 0,
    provisionedUnits: 0,
    version: 1,
    ...overrides,
  };
}

export function groupOf(overrides: Partial<GroupObservation> = {}): GroupObservation {
  const desired = overrides.desiredCapacity ?? 4;
  return {
    minSize: 0,
    desiredCapacity: desired,
    maxSize: 10,
    inServiceUnits: desired,
    occupiedUnits: desired,
    lendingEnabled: true,
    observedAt: NOW,
    ...overrides,
  };
}

export function termsOf(overrides: Partial<ConsentTerms> = {}): ConsentTerms {
  const limits = { maxUnits: 8, maxSharePercent: 100, maxUnitHoursPerMonth: 1_000 };
  return {
    lend: { ...limits, minPriceMicroUsdPerUnitHour: microUsd(40_000), recallNoticeSeconds: 120 },
    borrow: { ...limits, maxPriceMicroUsdPerUnitHour: microUsd(90_000), minRecallNoticeSeconds: 60 },
    ...UNRESTRICTED,
    maxLatencyMillis: 5,
    shortestTermSeconds: 600,
    longestTermSeconds: 3_600,
    whenNoPartner: 'refuse',
    ...overrides,
  };
}

export function consentOf(
  account: AccountId,
  terms: Partial<ConsentTerms> = {},
  overrides: Partial<Consent> = {},
): Consent {
  return {
    accountId: account,
    version: 1,
    status: 'active',
    terms: termsOf(terms),
    madeBy: `arn:aws:iam::${account}:role/owner`,
    madeAt: epochMillis(NOW - 86_400_000),
    ...overrides,
  };
}

/** A forecast from NOW on with the same need at each level: one number a slot of `stepSeconds`. */
export function planOf(pool: PoolId, needed: readonly number[], overrides: Partial<PoolForecast> = {}): PoolForecast {
  return {
    poolId: pool,
    startMillis: NOW,
    stepSeconds: 3_600,
    neededUnits: { '0.5': needed, '0.9': needed, '0.95': needed },
    bindingResource: 'cpu',
    bottlenecks: {},
    bottleneckProbability: 0,
    models: {},
    reasons: {},
    ...overrides,
  };
}

export function loanOf(overrides: Partial<Loan> = {}): Loan {
  const state = overrides.state ?? 'requested';
  return {
    loanId: 'ln-000000000000000000000001' as LoanId,
    version: 1,
    state,
    kind: 'nominal',
    borrowerAccountId: BORROWER,
    borrowerPoolId: poolId(BORROWER, REGION, 'web'),
    units: 2,
    bindingResource: 'cpu',
    alarmName: 'entangle/web/cpu',
    alarmTransitionAt: NOW,
    priceMicroUsdPerUnitHour: microUsd(0),
    termSeconds: 3_600,
    shortestTermSeconds: 600,
    moves: {},
    startedBy: 'borrow-test-0',
    inServiceBefore: 10,
    requestedAt: NOW,
    reasons: [],
    history: [{ state, at: NOW }],
    ...overrides,
  };
}

/** The first part of a need: so many units above the ceiling that the pool has. */
export function requestOf(
  requestId: LoanId,
  pool: Pool,
  wantedUnits: number,
  overrides: Partial<RequestPart> = {},
): RequestPart {
  return {
    requestId,
    part: 1,
    wantedUnits,
    minimumUnits: wantedUnits,
    ceilingUnits: ceilingUnits(pool) + wantedUnits,
    slaTier: 3,
    criticality: 'medium',
    ...overrides,
  };
}

/** A partner of which nothing speaks for or against it. */
export function partnerOf(pool: Pool): Partner {
  return {
    lenderPoolId: pool.spec.poolId,
    lenderAccountId: pool.spec.accountId,
    score: 1,
    confidence: 1,
    expectedUnits: 1,
    expectedSavingMicroUsd: microUsd(0),
    reasons: [],
    metricReasons: [],
    lenderDataAccess: 'none',
  };
}

/** A lender that may be chosen: of its 10 units 4 run and one is kept, so that 5 can be lent. */
export function candidateOf(account = LENDER, overrides: Partial<Candidate> = {}): Candidate {
  const pool = overrides.pool ?? poolOf(account);
  return {
    pool,
    group: groupOf({ desiredCapacity: 4 }),
    consent: consentOf(account),
    usage: emptyUsage(account),
    plan: planOf(pool.spec.poolId, [3, 3, 3]),
    ...overrides,
  };
}
