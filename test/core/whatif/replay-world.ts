import type { ConsentTerms } from '../../../core/consent/consent.ts';
import { UNRESTRICTED } from '../../../core/consent/consent.ts';
import { emptyUsage } from '../../../core/consent/covers.ts';
import { seededRandom } from '../../../core/forecast/random.ts';
import type { PairingInput } from '../../../core/pairing/pair.ts';
import type { Pool, PoolSpec } from '../../../core/pool.ts';
import { accountId, epochMillis, microUsd, poolId } from '../../../core/units.ts';
import type { Participants } from '../../../core/whatif/participants.ts';
import { participantsOf } from '../../../core/whatif/participants.ts';
import type { Scenario } from '../../../core/whatif/scenario.ts';
import { DEFAULT_SCENARIO } from '../../../core/whatif/scenario.ts';
import type { Traces } from '../../../core/whatif/traces.ts';

export const START = Date.UTC(2026, 0, 5);
export const STEP_SECONDS = 300;
const STEPS_A_DAY = 288;

const LIMITS = { maxUnits: 1_000, maxSharePercent: 100, maxUnitHoursPerMonth: 1e9 };

/** Terms that both lend and borrow. */
export const TERMS: ConsentTerms = {
  lend: { ...LIMITS, minPriceMicroUsdPerUnitHour: microUsd(10_000), recallNoticeSeconds: 120 },
  borrow: { ...LIMITS, maxPriceMicroUsdPerUnitHour: microUsd(90_000), minRecallNoticeSeconds: 60 },
  ...UNRESTRICTED,
  dataAccess: 'metrics-only',
  maxLatencyMillis: 1_000,
  shortestTermSeconds: 600,
  longestTermSeconds: 604_800,
  whenNoPartner: 'refuse',
};

export const accountAt = (n: number): string => String(100_000_000_000 + n);
export const idAt = (n: number): string => `${accountAt(n)}/eu-west-1/web`;

function poolAt(n: number, ownedUnits: number): Pool {
  const account = accountId(accountAt(n));
  return {
    spec: {
      poolId: poolId(account, 'eu-west-1', 'web'),
      accountId: account,
      region: 'eu-west-1',
      groupName: 'web',
      application: 'web',
      azIds: ['euw1-az1'],
      instanceType: 'm7g.large',
      platform: 'Linux/UNIX',
      tenancy: 'default',
      storageType: 'gp3',
      networkGbps: 12.5,
      commitments: [{ kind: 'capacity-reservation', units: ownedUnits }],
      lendsAs: 'physical',
      launchesIntoReservations: true,
      withoutLending: 'on-demand',
      reserveUnits: 0,
      provisioningLimitUnits: 0,
      onDemandMicroUsdPerUnitHour: microUsd(90_000),
      alarmPeriodSeconds: 60,
      historyStepSeconds: STEP_SECONDS,
      seasonSteps: [],
      coolDownSeconds: 0,
      resources: {},
    },
    ownedUnits,
    lentUnits: 0,
    borrowedUnits: 0,
    provisionedUnits: 0,
    version: 1,
  };
}

export interface ReplayWorld {
  readonly traces: Traces;
  readonly participants: Participants;
  readonly scenario: Scenario;
}

/** Pools of accounts of their own with the demand given; all consent to the same terms unless others are given by place. */
export function worldOf(
  demand: readonly (readonly number[])[],
  ownedUnits: readonly number[],
  changes: Partial<Scenario> = {},
  termsAt: (place: number) => ConsentTerms = () => TERMS,
  specChanges: Partial<PoolSpec> = {},
): ReplayWorld {
  const pools = demand.map((_, place) => {
    const pool = poolAt(place, ownedUnits[place] ?? 10);
    return { ...pool, spec: { ...pool.spec, ...specChanges } };
  });
  const now = epochMillis(START);
  const consents: Record<string, PairingInput['consents'][string]> = {};
  for (const [place, { spec }] of pools.entries()) {
    consents[spec.accountId] = {
      usage: emptyUsage(spec.accountId),
      consent: {
        accountId: spec.accountId,
        version: 1,
        status: 'active',
        terms: termsAt(place),
        madeBy: 'test',
        madeAt: now,
      },
    };
  }
  const scenario = { ...DEFAULT_SCENARIO, ...changes };
  const traces: Traces = {
    poolIds: pools.map(({ spec }) => spec.poolId),
    startMillis: START,
    stepSeconds: STEP_SECONDS,
    steps: demand[0]?.length ?? 0,
    demand: demand.map((units) => Float64Array.from(units)),
  };
  const input: PairingInput = { pools, forecasts: {}, consents, trust: {}, now };
  return { traces, participants: participantsOf(input, traces, scenario), scenario };
}

/** Demand with a daily rhythm, shifted from pool to pool, noise and now and then a burst. */
export function rhythms(seed: number, pools: number, days: number): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: pools }, () => {
    const [shift, swing, noise] = [random(), 3 + 4 * random(), 0.5 + random()];
    let burst = 0;
    return Array.from({ length: days * STEPS_A_DAY }, (_, step) => {
      burst = random() < 0.004 ? 6 * random() : burst * 0.9;
      const wave = Math.sin(2 * Math.PI * (step / STEPS_A_DAY + shift));
      return Math.max(0, 7 + swing * wave + noise * (random() - 0.5) + burst);
    });
  });
}
