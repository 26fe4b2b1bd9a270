/** Draws a world: accounts, pools, what they agree to, and how their demand goes. */
import type { ConsentTerms } from '../../core/consent/consent.ts';
import type { PoolSpec } from '../../core/pool.ts';
import type { AccountId } from '../../core/units.ts';
import { accountId, microUsd, poolId } from '../../core/units.ts';
import { specOf, termsOf } from '../support/fixtures.ts';
import { STUCK_AFTER_SECONDS } from './environment.ts';
import type { FaultRates, Skew } from './faults.ts';
import { drawFaults, drawSkew } from './faults.ts';
import { Random } from './random.ts';

const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 3_600_000;
const DAY_MILLIS = 86_400_000;
/** Beginning of the first world: 2026-01-01. Worlds that follow each other lie apart, so that nothing that a function keeps in memory is valid still. */
const FIRST_MILLIS = Date.UTC(2026, 0, 1);
const DAYS_APART = 2;
const WORLDS_APART = 20_000;

/** A surge of demand on top of the daily course. */
interface Surge {
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly units: number;
}

export interface PlannedPool {
  readonly spec: PoolSpec;
  readonly ownedUnits: number;
  readonly minSize: number;
  /** Size of its instances beside the smallest type. */
  readonly size: number;
  readonly baseUnits: number;
  readonly swingUnits: number;
  readonly periodMillis: number;
  readonly phase: number;
  readonly surges: readonly Surge[];
  /** The metric does not go beyond this. */
  readonly mostPercent: number;
}

export interface PlannedAccount {
  readonly accountId: AccountId;
  readonly terms: ConsentTerms;
}

export interface WorldPlan {
  readonly seed: number;
  readonly startMillis: number;
  /** How long there is demand, and faults. */
  readonly activeMillis: number;
  /** How long it is quiet after that. */
  readonly quietMillis: number;
  readonly accounts: readonly PlannedAccount[];
  readonly pools: readonly PlannedPool[];
  readonly faults: FaultRates;
  readonly skew: Skew;
  readonly reconcileMinutes: number;
  readonly lookAheadMinutes: number;
  readonly planHours: number;
  readonly pageItems: number;
  readonly indexLagMillis: number;
}

const TYPES = [
  { instanceType: 'm5.large', size: 1 },
  { instanceType: 'm5.xlarge', size: 2 },
] as const;
const SUBSTITUTIONS = [
  { from: 'm5.large', to: 'm5.xlarge', unitRatio: 0.5 },
  { from: 'm5.xlarge', to: 'm5.large', unitRatio: 2 },
];

function drawTerms(random: Random, others: readonly AccountId[]): ConsentTerms {
  const limits = () => ({
    maxUnits: random.int(2, 16),
    maxSharePercent: random.pick([60, 100, 100]),
    maxUnitHoursPerMonth: random.pick([5, 50, 1_000, 1_000]),
  });
  const lend = {
    ...limits(),
    minPriceMicroUsdPerUnitHour: microUsd(random.pick([0, 33_333, 33_333, 40_000])),
    recallNoticeSeconds: random.pick([0, 0, 120, 600]),
  };
  const borrow = {
    ...limits(),
    maxPriceMicroUsdPerUnitHour: microUsd(random.pick([33_333, 90_000, 90_000, 90_000])),
    minRecallNoticeSeconds: 0,
    ...(random.chance(0.3) ? { minimumUnits: 1 } : {}),
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
    longestTermSeconds: shortestTermSeconds * random.int(2, 6),
    whenNoPartner: random.pick(['provision', 'refuse', 'wait']),
    waitAtMostSeconds: random.pick([300, 1_500]),
    renewable: random.chance(0.5),
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

/** New terms that an account may agree to. */
export function drawConsent(random: Random, others: readonly AccountId[]): ConsentTerms {
  return onlyDrawn(random, drawTerms(random, others));
}

function drawSurges(random: Random, owned: number, activeMillis: number): Surge[] {
  return Array.from({ length: random.int(0, 5) }, () => {
    const fromMillis = random.between(10 * MINUTE_MILLIS, activeMillis);
    return {
      fromMillis,
      toMillis: Math.min(activeMillis, fromMillis + random.between(5, 60) * MINUTE_MILLIS),
      units: random.between(0.2, 0.8) * owned,
    };
  });
}

function drawPool(random: Random, account: AccountId, index: number, activeMillis: number): PlannedPool {
  const type = random.chance(0.85) ? TYPES[0] : TYPES[1];
  const groupName = `group-${index}`;
  const base = specOf(account, { groupName });
  // Some are roomy, some tight: those have something to lend to these.
  const isTight = random.chance(0.5);
  const ownedUnits = isTight ? random.int(2, 6) : random.int(6, 16);
  const baseUnits = ownedUnits * (isTight ? random.between(0.3, 0.6) : random.between(0.05, 0.25));
  return {
    spec: {
      ...base,
      poolId: poolId(account, base.region, groupName),
      instanceType: type.instanceType,
      reserveUnits: random.int(0, 1),
      provisioningLimitUnits: random.pick([0, 0, 2, 4]),
      coolDownSeconds: random.pick([60, 300, 600]),
      ...(random.chance(0.5)
        ? { borrowAhead: { atProbability: random.pick([0.3, 0.6]), aheadSeconds: 1_800, needLevel: '0.9' as const } }
        : {}),
    },
    ownedUnits,
    minSize: random.pick([0, 1]),
    size: type.size,
    baseUnits,
    swingUnits: ownedUnits * (isTight ? random.between(0.1, 0.6) : random.between(0, 0.3)),
    periodMillis: random.between(2, 12) * HOUR_MILLIS,
    phase: random.next(),
    surges: isTight || random.chance(0.2) ? drawSurges(random, ownedUnits, activeMillis) : [],
    mostPercent: random.pick([100, 250]),
  };
}

/** The world of a seed. */
export function drawWorld(seed: number): WorldPlan {
  const random = new Random(seed, 'world');
  const start = FIRST_MILLIS + (seed % WORLDS_APART) * DAYS_APART * DAY_MILLIS + random.int(0, 8 * HOUR_MILLIS);
  const activeMillis = Math.round(random.between(2, 8) * HOUR_MILLIS);
  const accountIds = Array.from({ length: random.int(2, 6) }, (_, index) => accountId(`${index + 1}`.repeat(12)));
  const poolCount = Math.max(accountIds.length, random.int(3, 8));
  return {
    seed,
    startMillis: start,
    activeMillis,
    quietMillis: 2 * HOUR_MILLIS + 3 * STUCK_AFTER_SECONDS * 1_000,
    accounts: accountIds.map((account) => ({
      accountId: account,
      terms: drawConsent(
        random,
        accountIds.filter((other) => other !== account),
      ),
    })),
    pools: Array.from({ length: poolCount }, (_, index) =>
      drawPool(random, accountIds[index % accountIds.length] ?? accountId('1'.repeat(12)), index, activeMillis),
    ),
    faults: drawFaults(random),
    skew: drawSkew(random),
    reconcileMinutes: random.pick([5, 10, 15]),
    lookAheadMinutes: random.pick([15, 30]),
    planHours: random.pick([3, 6]),
    pageItems: random.pick([1, 3, 100]),
    indexLagMillis: random.pick([10, 500, 5_000]),
  };
}

/** Demand of a pool without its surges, in units, so many milliseconds after the start. */
export function courseUnits(pool: PlannedPool, millis: number): number {
  const wave = Math.sin(2 * Math.PI * (millis / pool.periodMillis + pool.phase));
  return pool.baseUnits + pool.swingUnits * Math.max(0, wave);
}

/** Demand of a pool, in units; none once it is quiet. */
export function demandAt(pool: PlannedPool, millis: number, activeMillis: number): number {
  if (millis >= activeMillis) return 0.2;
  const surge = pool.surges.find(({ fromMillis, toMillis }) => millis >= fromMillis && millis < toMillis);
  return courseUnits(pool, millis) + (surge?.units ?? 0);
}
