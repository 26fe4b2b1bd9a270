import type { Consent, ConsentTerms } from '../../core/consent/consent.ts';
import { UNRESTRICTED } from '../../core/consent/consent.ts';
import { emptyUsage } from '../../core/consent/covers.ts';
import type { PairingInput } from '../../core/pairing/pair.ts';
import type { Pool } from '../../core/pool.ts';
import { accountId, epochMillis, microUsd, poolId } from '../../core/units.ts';
import type { Participants } from '../../core/whatif/participants.ts';
import { participantsOf } from '../../core/whatif/participants.ts';
import type { Scenario } from '../../core/whatif/scenario.ts';
import type { Traces } from '../../core/whatif/traces.ts';

const FIRST_ACCOUNT = 100_000_000_000;
const START = epochMillis(Date.UTC(2026, 0, 5));
const LIMITS = { maxUnits: Number.MAX_SAFE_INTEGER, maxUnitHoursPerMonth: Number.MAX_SAFE_INTEGER };
const PERCENT = 100;
/** No limit on what a pool borrows: only the scenario limits. */
const ANY_PERCENT = 1e12;

const TERMS: ConsentTerms = {
  lend: { ...LIMITS, maxSharePercent: PERCENT, minPriceMicroUsdPerUnitHour: microUsd(30_000), recallNoticeSeconds: 0 },
  borrow: {
    ...LIMITS,
    maxSharePercent: ANY_PERCENT,
    maxPriceMicroUsdPerUnitHour: microUsd(90_000),
    minRecallNoticeSeconds: 0,
  },
  ...UNRESTRICTED,
  dataAccess: 'metrics-only',
  maxLatencyMillis: 1_000,
  shortestTermSeconds: 600,
  longestTermSeconds: 604_800,
  whenNoPartner: 'refuse',
};

function poolAt(place: number): Pool {
  const account = accountId(String(FIRST_ACCOUNT + place));
  return {
    spec: {
      poolId: poolId(account, 'eu-west-1', 'vm'),
      accountId: account,
      region: 'eu-west-1',
      groupName: 'vm',
      application: 'vm',
      azIds: ['euw1-az1'],
      instanceType: 'm7g.large',
      platform: 'Linux/UNIX',
      tenancy: 'default',
      storageType: 'gp3',
      networkGbps: 12.5,
      commitments: [],
      reserveUnits: 0,
      provisioningLimitUnits: 0,
      onDemandMicroUsdPerUnitHour: microUsd(90_000),
      alarmPeriodSeconds: 300,
      historyStepSeconds: 300,
      seasonSteps: [],
      coolDownSeconds: 0,
      resources: {},
    },
    ownedUnits: 0,
    lentUnits: 0,
    borrowedUnits: 0,
    provisionedUnits: 0,
    version: 1,
  };
}

/** Demand of pools, without names. */
export interface Demand {
  readonly stepSeconds: number;
  readonly demand: readonly Float64Array[];
}

/** A pool of an account of its own for each series, all of which may lend to each other as far as the scenario says. */
export function benchFleet(
  { stepSeconds, demand }: Demand,
  scenario: Scenario,
): { traces: Traces; participants: Participants } {
  const pools = demand.map((_, place) => poolAt(place));
  const consents: Record<string, PairingInput['consents'][string]> = {};
  for (const { spec } of pools) {
    const consent: Consent = {
      accountId: spec.accountId,
      version: 1,
      status: 'active',
      terms: TERMS,
      madeBy: 'bench',
      madeAt: START,
    };
    consents[spec.accountId] = { usage: emptyUsage(spec.accountId), consent };
  }
  const traces: Traces = {
    poolIds: pools.map(({ spec }) => spec.poolId),
    startMillis: START,
    stepSeconds,
    steps: Math.min(...demand.map(({ length }) => length)),
    demand,
  };
  const input: PairingInput = { pools, forecasts: {}, consents, trust: {}, now: START };
  return { traces, participants: participantsOf(input, traces, scenario) };
}
