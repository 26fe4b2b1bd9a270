/** Draws a world: its accounts and what they agree to, its organisation, its pools, and what goes wrong. */
import type { ConsentTerms } from '../../core/consent/consent.ts';
import type { OrganisationUnit } from '../../core/organisation.ts';
import type { AccountId } from '../../core/units.ts';
import { accountId, microUsd } from '../../core/units.ts';
import { termsOf } from '../support/fixtures.ts';
import { STUCK_AFTER_SECONDS } from './environment.ts';
import type { FaultRates, Skew } from './faults.ts';
import { drawFaults, drawSkew } from './faults.ts';
import type { PlannedPool } from './pool-plan.ts';
import { drawPool } from './pool-plan.ts';
import { Random } from './random.ts';
import type { RarePlan } from './rare-plan.ts';
import { drawRare, drawVcpuQuota } from './rare-plan.ts';

const HOUR_MILLIS = 3_600_000;
const DAY_MILLIS = 86_400_000;
/** Beginning of the first world: 2026-01-01. Worlds that follow each other lie apart, so that nothing that a function keeps in memory is valid still. */
const FIRST_MILLIS = Date.UTC(2026, 0, 1);
const DAYS_APART = 2;
const WORLDS_APART = 20_000;

export interface PlannedAccount {
  readonly accountId: AccountId;
  readonly terms: ConsentTerms;
  /** Of its instances of the standard families; absent: more than it can use. */
  readonly vcpuQuota?: number;
}

export interface WorldPlan {
  readonly seed: number;
  readonly startMillis: number;
  /** How long there is demand, and faults. */
  readonly activeMillis: number;
  /** How long it is quiet after that. */
  readonly quietMillis: number;
  readonly accounts: readonly PlannedAccount[];
  readonly organisation: readonly OrganisationUnit[];
  readonly pools: readonly PlannedPool[];
  /** What is shared with another account has to be accepted by it. */
  readonly sharesByInvitation: boolean;
  /** Full forecasts and histories are kept beside the plan. */
  readonly keepsForecasts: boolean;
  readonly isCrowded: boolean;
  readonly faults: FaultRates;
  readonly skew: Skew;
  readonly reconcileMinutes: number;
  readonly lookAheadMinutes: number;
  readonly measureMinutes: number;
  readonly planHours: number;
  readonly pageItems: number;
  readonly indexLagMillis: number;
  readonly rare: RarePlan;
}

const FILLS = [{ minimumUnits: 1 }, { minimumUnits: 2 }, { minimumSharePercent: 60 }];
const SUBSTITUTIONS = [
  { from: 'm5.large', to: 'm5.xlarge', unitRatio: 0.5 },
  { from: 'm5.xlarge', to: 'm5.large', unitRatio: 2 },
];

function drawTerms(random: Random, others: readonly AccountId[], isCrowded: boolean): ConsentTerms {
  const limits = () => ({
    maxUnits: random.int(isCrowded ? 6 : 2, 16),
    maxSharePercent: random.pick(isCrowded ? [100, 100, 100] : [60, 100, 100]),
    maxUnitHoursPerMonth: random.pick([isCrowded ? 50 : 5, 50, 1_000, 1_000]),
  });
  const preemption = () => (random.chance(isCrowded ? 0.9 : 0.3) ? { preemption: 'lower-tier' as const } : {});
  const lend = {
    ...limits(),
    minPriceMicroUsdPerUnitHour: microUsd(random.pick([0, 33_333, 33_333, 40_000])),
    recallNoticeSeconds: random.pick([0, 0, 120, 600]),
    ...preemption(),
  };
  const borrow = {
    ...limits(),
    maxPriceMicroUsdPerUnitHour: microUsd(random.pick([33_333, 90_000, 90_000, 90_000])),
    minRecallNoticeSeconds: random.pick([0, 0, 60]),
    ...(random.chance(0.4) ? { fill: random.pick(FILLS) } : {}),
    ...preemption(),
    substitutions: SUBSTITUTIONS,
  };
  const shortestTermSeconds = random.pick([60, 300, 600]);
  return termsOf({
    lend,
    borrow,
    maxLatencyMillis: 100,
    dataAccess: random.pick(['none', 'metrics-only']),
    deniedCounterparties: random.chance(0.08) && others.length > 0 ? [random.pick(others)] : [],
    shortestTermSeconds,
    longestTermSeconds: shortestTermSeconds * random.pick([2, 4, 6, 12]),
    whenNoPartner: random.pick(isCrowded ? ['wait', 'wait', 'provision'] : ['provision', 'refuse', 'wait']),
    waitAtMostSeconds: random.pick([300, 1_500]),
    renewable: random.chance(0.75),
  });
}

/** Some accounts agree to one direction only. */
function onlyDrawn(random: Random, terms: ConsentTerms): ConsentTerms {
  const { lend, borrow, ...rest } = terms;
  const direction = random.next();
  if (direction < 0.06 && lend !== undefined) return { ...rest, lend };
  if (direction < 0.12 && borrow !== undefined) return { ...rest, borrow };
  return terms;
}

/**
 * New terms that an account may agree to.
 * @param isCrowded accounts of the world would rather wait than go without, and let higher tiers come first
 */
export function drawConsent(random: Random, others: readonly AccountId[], isCrowded: boolean): ConsentTerms {
  return onlyDrawn(random, drawTerms(random, others, isCrowded));
}

/** Two units side by side, one of them with a unit below it; limits on what leaves and what enters them. */
function drawOrganisation(random: Random, accounts: readonly AccountId[]): OrganisationUnit[] {
  const limit = () => ({ maxUnits: random.int(1, 8), ...(random.chance(0.3) ? { maxUnitHoursPerMonth: 4 } : {}) });
  const limits = () => (random.chance(0.5) ? { lend: limit(), borrow: limit() } : { borrow: limit() });
  const [first = [], second = [], third = []] = [0, 1, 2].map((part) =>
    accounts.filter((_account, index) => index % 3 === part),
  );
  return [
    {
      name: 'shops',
      limits: limits(),
      accounts: first,
      units: [{ name: 'shops-eu', limits: limits(), accounts: second }],
    },
    { name: 'plants', limits: limits(), accounts: third },
  ];
}

/** Some accounts have a quota of vCPUs that counts. */
const COUNTED_SHARE = 0.15;

function drawTraits(random: Random, rare: Random, activeMillis: number, accounts: readonly AccountId[]) {
  return {
    counted: new Set(accounts.filter(() => rare.chance(COUNTED_SHARE))),
    activeMillis,
    hasReservations: random.chance(0.5),
    hasProtection: random.chance(0.4),
    hasPriorities: random.chance(0.25),
    hasLimits: random.chance(0.35),
    isWatched: random.chance(0.3),
  };
}

/** The world of a seed. */
export function drawWorld(seed: number): WorldPlan {
  const random = new Random(seed, 'world');
  const start = FIRST_MILLIS + (seed % WORLDS_APART) * DAYS_APART * DAY_MILLIS + random.int(0, 8 * HOUR_MILLIS);
  const activeMillis = Math.round(random.between(2, 8) * HOUR_MILLIS);
  const accountIds = Array.from({ length: random.int(2, 6) }, (_, index) => accountId(`${index + 1}`.repeat(12)));
  const poolCount = Math.max(accountIds.length, random.int(3, 8));
  const rare = new Random(seed, 'rare');
  const traits = drawTraits(random, rare, activeMillis, accountIds);
  const accounts = accountIds.map((account) => ({
    accountId: account,
    terms: drawConsent(
      random,
      accountIds.filter((other) => other !== account),
      traits.hasPriorities,
    ),
  }));
  const planHours = random.pick([4, 6]);
  const organisation = random.chance(0.3) ? drawOrganisation(random, accountIds) : [];
  const pools = Array.from({ length: poolCount }, (_, index) =>
    drawPool({ random, rare }, accountIds[index % accountIds.length] ?? accountId('1'.repeat(12)), index, traits),
  );
  return {
    seed,
    startMillis: start,
    activeMillis,
    quietMillis: 2 * HOUR_MILLIS + 3 * STUCK_AFTER_SECONDS * 1_000,
    accounts: accounts.map((account) =>
      traits.counted.has(account.accountId)
        ? { ...account, vcpuQuota: drawVcpuQuota(rare, account.accountId, pools) }
        : account,
    ),
    organisation,
    pools,
    sharesByInvitation: random.chance(0.5),
    keepsForecasts: random.chance(traits.isWatched ? 0.7 : 0.3),
    isCrowded: traits.hasPriorities,
    faults: drawFaults(random),
    skew: drawSkew(random),
    reconcileMinutes: random.pick([5, 10, 15]),
    lookAheadMinutes: random.pick(traits.isWatched ? [5, 15] : [15, 30]),
    measureMinutes: random.pick([120, 240]),
    planHours,
    pageItems: random.pick([1, 3, 100]),
    indexLagMillis: random.pick([10, 500, 5_000]),
    rare: drawRare(rare, activeMillis, planHours, traits.hasLimits),
  };
}
