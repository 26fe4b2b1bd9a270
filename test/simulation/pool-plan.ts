/** Draws the pools of a world: what they own, how their groups are set up, and how their demand goes. */
import type { PoolSpec } from '../../core/pool.ts';
import type { UnitLimits } from '../../core/unit-limits.ts';
import type { AccountId } from '../../core/units.ts';
import { poolId } from '../../core/units.ts';
import { specOf } from '../support/fixtures.ts';
import type { GroupSetUp } from './aws/scaling-groups.ts';
import type { Random } from './random.ts';

const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 3_600_000;

/** A surge of demand on top of the daily course. */
interface Surge {
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly units: number;
  /** It rises to its height over so long; absent: at once. */
  readonly rampMillis?: number;
  /** From when on forecasts know of it; absent: never. */
  readonly foreseenMillis?: number;
}

export interface PlannedPool {
  readonly spec: PoolSpec;
  readonly setUp: GroupSetUp;
  readonly ownedUnits: number;
  /** Instances that its owner has reserved; absent: none. */
  readonly reservedUnits?: number;
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

/** What the pools of a world have in common. */
export interface PoolTraits {
  readonly activeMillis: number;
  /** Some lend reserved capacity, some launch into it. */
  readonly hasReservations: boolean;
  /** Some keep instances from scale-in, or hold them in a hook. */
  readonly hasProtection: boolean;
  /** Groups state their tier and criticality. */
  readonly hasPriorities: boolean;
  readonly hasLimits: boolean;
  readonly isWatched: boolean;
  /** Whose instances count against a quota of vCPUs. */
  readonly counted: ReadonlySet<AccountId>;
}

const TYPES = [
  { instanceType: 'm5.large', size: 1 },
  { instanceType: 'm5.xlarge', size: 2 },
] as const;
const VCPUS_PER_SIZE = 2;

/** Tiers whose groups need more when others have borrowed already. */
const HIGH_TIERS: ReadonlySet<string | undefined> = new Set(['1', '2']);

/** Where groups compete all need more at the same time, one after the other: high tiers last. */
function drawSurges(
  random: Random,
  owned: number,
  { slaTierTag }: GroupSetUp,
  { activeMillis, hasPriorities }: PoolTraits,
): Surge[] {
  if (hasPriorities) {
    const lateMinutes = HIGH_TIERS.has(slaTierTag) ? 20 : 0;
    return [0.3, 0.7].map((share) => {
      const fromMillis = share * activeMillis + (lateMinutes + random.between(0, 25)) * MINUTE_MILLIS;
      const toMillis = Math.min(activeMillis, fromMillis + random.between(30, 90) * MINUTE_MILLIS);
      return { fromMillis, toMillis, units: random.between(0.6, 1.5) * owned };
    });
  }
  return Array.from({ length: random.int(0, 5) }, () => {
    const fromMillis = random.between(10 * MINUTE_MILLIS, activeMillis);
    return {
      fromMillis,
      toMillis: Math.min(activeMillis, fromMillis + random.between(5, 60) * MINUTE_MILLIS),
      units: random.between(0.2, 0.8) * owned,
    };
  });
}

/** How demand comes: some of it rises over a while, and of some of it forecasts come to know before it is there. */
function drawCourse(random: Random, surges: readonly Surge[], owned: number, traits: PoolTraits): Surge[] {
  const { activeMillis, isWatched } = traits;
  const ramped = surges.map((surge): Surge => {
    const longest = (surge.toMillis - surge.fromMillis) / 2;
    const rampMillis = Math.min(longest, random.between(8, 30) * MINUTE_MILLIS);
    return random.chance(isWatched ? 0.8 : 0.1) ? { ...surge, rampMillis } : surge;
  });
  if (!random.chance(0.2)) return ramped;
  const fromMillis = random.between(0.3, 0.9) * activeMillis;
  const toMillis = Math.min(activeMillis, fromMillis + random.between(20, 120) * MINUTE_MILLIS);
  const foreseenMillis = fromMillis - random.between(0.2, 5) * HOUR_MILLIS;
  return [...ramped, { fromMillis, toMillis, units: random.between(0.3, 1) * owned, foreseenMillis }];
}

function drawLimits(random: Random): { readonly limits?: UnitLimits } {
  if (random.chance(0.5)) return {};
  const limit = () => ({
    maxUnits: random.int(1, 6),
    ...(random.chance(0.4) ? { maxUnitHoursPerMonth: random.pick([1, 3, 10]) } : {}),
  });
  return { limits: random.chance(0.5) ? { lend: limit() } : { lend: limit(), borrow: limit() } };
}

/** What only some groups have: tags that rank them, instances that do not go at once, reservations to launch into. */
function drawSetUp(random: Random, account: AccountId, index: number, traits: PoolTraits): GroupSetUp {
  const { hasPriorities, hasProtection, hasReservations } = traits;
  const arn = `arn:aws:resource-groups:eu-west-1:${account}:group/borrowed-${index}`;
  return {
    protectedShare: hasProtection && random.chance(0.4) ? random.pick([0.3, 1]) : 0,
    ...(hasProtection && random.chance(0.3) ? { hookName: 'drain' } : {}),
    ...(hasReservations && random.chance(0.8) ? { launchTarget: arn } : {}),
    ...(hasPriorities && random.chance(0.9) ? { slaTierTag: String(random.pick([1, 2, 4, 5])) } : {}),
    ...(hasPriorities && random.chance(0.5) ? { criticalityTag: random.pick(['low', 'high', 'unheard-of']) } : {}),
  };
}

/** What of a pool's spec only some have. */
function drawExtras(random: Random, setUp: GroupSetUp, traits: PoolTraits, ownedUnits: number): Partial<PoolSpec> {
  const ahead = { atProbability: random.pick([0.3, 0.6]), aheadSeconds: 1_800, needLevel: '0.9' as const };
  const trend = { withinSeconds: 300, samples: 5 };
  const anomaly = { withinSeconds: 600, samples: 3, score: 4 };
  const watch = random.pick([{ trend }, { anomaly }, { trend, anomaly }]);
  return {
    ...(random.chance(0.5) ? { borrowAhead: ahead } : {}),
    ...(traits.isWatched ? { watch } : {}),
    ...(traits.hasLimits ? drawLimits(random) : {}),
    ...(setUp.launchTarget === undefined && !(traits.hasReservations && random.chance(0.1))
      ? {}
      : { launchesIntoReservations: true }),
    ...(traits.hasReservations && random.chance(0.8)
      ? { lendsAs: 'physical' as const, commitments: [{ kind: 'capacity-reservation' as const, units: ownedUnits }] }
      : {}),
  };
}

/**
 * @param rare what is drawn from it leaves everything else as it is
 * @param index which of the world's pools it is
 */
export function drawPool(
  { random, rare }: { readonly random: Random; readonly rare: Random },
  account: AccountId,
  index: number,
  traits: PoolTraits,
): PlannedPool {
  const type = random.chance(0.85) ? TYPES[0] : TYPES[1];
  const groupName = `group-${index}`;
  const base = specOf(account, { groupName });
  // Some are roomy, some tight: those have something to lend to these.
  const isTight = traits.hasPriorities ? index !== 0 : random.chance(0.5);
  const ownedUnits = isTight ? random.int(2, 6) : random.int(6, 16);
  const baseUnits = ownedUnits * (isTight ? random.between(0.3, 0.6) : random.between(0.05, 0.25));
  const setUp = drawSetUp(random, account, index, traits);
  const extras = drawExtras(random, setUp, traits, ownedUnits);
  return {
    spec: {
      ...base,
      poolId: poolId(account, base.region, groupName),
      instanceType: type.instanceType,
      ...(random.chance(0.3) || traits.counted.has(account) ? { vcpusPerUnit: type.size * VCPUS_PER_SIZE } : {}),
      reserveUnits: random.int(0, 1),
      provisioningLimitUnits: random.pick([0, 0, 2, 4]),
      coolDownSeconds: random.pick(traits.hasPriorities ? [300, 600, 900] : [60, 300, 600]),
      ...extras,
    },
    setUp,
    ownedUnits,
    ...(extras.lendsAs === 'physical' ? { reservedUnits: ownedUnits + random.int(0, 2) } : {}),
    minSize: random.pick([0, 1]),
    size: type.size,
    baseUnits,
    swingUnits: ownedUnits * (isTight ? random.between(0.1, 0.6) : random.between(0, traits.hasPriorities ? 0.1 : 0.3)),
    periodMillis: random.between(2, 12) * HOUR_MILLIS,
    phase: random.next(),
    surges: drawCourse(
      rare,
      isTight || random.chance(0.2) ? drawSurges(random, ownedUnits, setUp, traits) : [],
      ownedUnits,
      traits,
    ),
    mostPercent: random.pick([100, 250]),
  };
}

/** Demand of a pool without its surges, in units, so many milliseconds after the start. */
export function courseUnits(pool: PlannedPool, millis: number): number {
  const wave = Math.sin(2 * Math.PI * (millis / pool.periodMillis + pool.phase));
  return pool.baseUnits + pool.swingUnits * Math.max(0, wave);
}

function heightOf({ fromMillis, toMillis, units, rampMillis = 0 }: Surge, millis: number): number {
  if (millis < fromMillis || millis >= toMillis) return 0;
  return millis < fromMillis + rampMillis ? (units * (millis - fromMillis)) / rampMillis : units;
}

/** The most that a forecast made at one moment adds to the course between two others, in units. */
export function foreseenUnits({ surges }: PlannedPool, madeAt: number, from: number, to: number): number {
  const known = surges.filter(({ foreseenMillis = Number.POSITIVE_INFINITY }) => foreseenMillis <= madeAt);
  return Math.max(0, ...known.map((surge) => (surge.fromMillis < to && surge.toMillis > from ? surge.units : 0)));
}

/** Demand of a pool, in units; none once it is quiet. */
export function demandAt(pool: PlannedPool, millis: number, activeMillis: number): number {
  if (millis >= activeMillis) return 0.2;
  return courseUnits(pool, millis) + Math.max(0, ...pool.surges.map((surge) => heightOf(surge, millis)));
}
