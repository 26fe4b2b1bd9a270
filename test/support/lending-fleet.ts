/** The accounts and pools that the tests of the deployed stacks share. Pools of one scenario have an instance type of their own, so that only they can be paired. */
import type { ConsentTerms } from '../../core/consent/consent.ts';
import { UNRESTRICTED } from '../../core/consent/consent.ts';
import type { BorrowAhead, PoolSpec } from '../../core/pool.ts';
import type { AccountId, PoolId, ResourceType } from '../../core/units.ts';
import { accountId, microUsd, poolId } from '../../core/units.ts';

export const REGION = 'eu-central-1';
export const HUB = accountId('111111111111');
/** Lends in most scenarios. */
export const LENDER = accountId('222222222222');
export const BORROWER = accountId('333333333333');
export const RIVAL = accountId('444444444444');
/** Takes part without ever consenting. */
export const SILENT = accountId('555555555555');
/** Lends, and revokes in the middle of a loan. */
export const FICKLE = accountId('666666666666');
/** Has an enrolled pool, but has not tagged its group. */
export const UNTAGGED = accountId('777777777777');
/** Both accept each pairing themselves. */
export const CAREFUL_BORROWER = accountId('888888888888');
export const CAREFUL_LENDER = accountId('101010101010');
/** Would rather wait for a lender than do without. */
export const PATIENT = accountId('121212121212');
export const LINKED = [
  LENDER,
  BORROWER,
  RIVAL,
  SILENT,
  FICKLE,
  UNTAGGED,
  CAREFUL_BORROWER,
  CAREFUL_LENDER,
  PATIENT,
] as const;

export const EXTERNAL_ID = 'entangle-test-3f9c';
export const ALARM_PERIOD_SECONDS = 10;
export const THRESHOLD_PERCENT = 70;
const RECOVERY_PERCENT = 50;
const PRICE_MICRO_USD = 36_000_000;

interface Sizes {
  readonly minSize: number;
  readonly desiredCapacity: number;
  readonly maxSize: number;
  readonly lendingEnabled?: boolean;
}

export interface FleetPool {
  readonly account: (typeof LINKED)[number];
  readonly groupName: string;
  readonly instanceType: string;
  readonly sizes: Sizes;
  readonly provisioningLimitUnits: number;
  readonly resources: readonly ResourceType[];
  /** Utilisation in percent that its history shows. */
  readonly historyPercent: number;
  /** Whether an alarm at the recovery percentage tells of low utilisation. */
  readonly lowAlarm?: boolean;
  /** Default: one zone, the same for all. */
  readonly azIds?: readonly string[];
  /** What it says of reserved capacity; default: nothing, a ceiling is lent. */
  readonly capacity?: Pick<PoolSpec, 'lendsAs' | 'commitments'> | Pick<PoolSpec, 'launchesIntoReservations'>;
  /** How it measures and forecasts, where that is not a step of a minute and a season of an hour. */
  readonly forecasting?: {
    readonly historyStepSeconds: number;
    readonly seasonSteps: readonly number[];
    readonly borrowAhead: BorrowAhead;
  };
}

const lenderSizes: Sizes = { minSize: 1, desiredCapacity: 2, maxSize: 8 };
const borrowerSizes: Sizes = { minSize: 1, desiredCapacity: 4, maxSize: 4 };

function lender(groupName: string, instanceType: string, changes: Partial<FleetPool> = {}): FleetPool {
  return {
    account: LENDER,
    groupName,
    instanceType,
    sizes: lenderSizes,
    provisioningLimitUnits: 0,
    resources: ['cpu', 'memory', 'network', 'storage'],
    historyPercent: 10,
    ...changes,
  };
}

function borrower(groupName: string, instanceType: string, changes: Partial<FleetPool> = {}): FleetPool {
  return {
    ...lender(groupName, instanceType),
    account: BORROWER,
    sizes: borrowerSizes,
    historyPercent: 60,
    ...changes,
  };
}

/** A "day" of two minutes, for the scenario that lends before an alarm. */
export const AHEAD = { stepSeconds: 5, seasonSteps: 24 } as const;

/** Scenario → its pools. */
export const FLEET = {
  types: { lender: lender('types-lender', 'm7g.large'), borrower: borrower('types-borrower', 'm7g.large') },
  steps: {
    lender: lender('steps-lender', 'm6i.large'),
    borrower: borrower('steps-borrower', 'm6i.large', { resources: ['cpu'] }),
  },
  events: { lender: lender('events-lender', 'c7g.large'), borrower: borrower('events-borrower', 'c7g.large') },
  restart: {
    lender: lender('restart-lender', 'r7g.large'),
    borrower: borrower('restart-borrower', 'r7g.large', { resources: ['cpu'] }),
  },
  lastUnits: {
    // 5 owned, 2 running, 1 in reserve: 2 can be lent, which is what one borrower needs.
    lender: lender('last-lender', 't4g.large', { sizes: { minSize: 1, desiredCapacity: 2, maxSize: 5 } }),
    borrower: borrower('last-borrower', 't4g.large', { resources: ['cpu'] }),
    rival: borrower('last-rival', 't4g.large', { account: RIVAL }),
  },
  alone: { borrower: borrower('alone-borrower', 'x2gd.large', { provisioningLimitUnits: 3 }) },
  silent: {
    lender: lender('silent-lender', 'c6g.large'),
    borrower: borrower('silent-borrower', 'c6g.large', { account: SILENT, provisioningLimitUnits: 5 }),
  },
  fickle: {
    lender: lender('fickle-lender', 'r6g.large', { account: FICKLE }),
    borrower: borrower('fickle-borrower', 'r6g.large', { resources: ['cpu'] }),
  },
  untagged: {
    lender: lender('untagged-lender', 'i4g.large', {
      account: UNTAGGED,
      sizes: { ...lenderSizes, lendingEnabled: false },
    }),
    borrower: borrower('untagged-borrower', 'i4g.large', { resources: ['cpu'] }),
  },
  term: {
    lender: lender('term-lender', 'm6g.large'),
    borrower: borrower('term-borrower', 'm6g.large', { account: RIVAL }),
  },
  recall: {
    lender: lender('recall-lender', 'c6i.large', { resources: ['cpu'] }),
    borrower: borrower('recall-borrower', 'c6i.large', { resources: ['cpu'], account: RIVAL }),
  },
  pairings: {
    borrower: borrower('pairings-borrower', 'm8g.large', { account: CAREFUL_BORROWER, resources: ['cpu', 'memory'] }),
    // 5 owned, 2 running, 1 in reserve: 2 can be lent, once.
    best: lender('pairings-best', 'm8g.large', {
      account: CAREFUL_LENDER,
      sizes: { minSize: 1, desiredCapacity: 2, maxSize: 5 },
      resources: ['cpu', 'memory'],
    }),
    // Farther away.
    next: lender('pairings-next', 'm8g.large', {
      account: CAREFUL_LENDER,
      resources: ['cpu', 'memory'],
      azIds: ['euc1-az2'],
    }),
  },
  limits: {
    lender: lender('limits-lender', 'm6a.large', { resources: ['cpu'] }),
    borrower: borrower('limits-borrower', 'm6a.large', { account: RIVAL, resources: ['cpu'] }),
  },
  // The lender's instances are of another size: one stands in for two, or two for one.
  larger: {
    lender: lender('larger-lender', 'm7a.xlarge'),
    borrower: borrower('larger-borrower', 'm7a.large', { resources: ['cpu'] }),
  },
  smaller: {
    lender: lender('smaller-lender', 'c7a.medium'),
    borrower: borrower('smaller-borrower', 'c7a.large', { resources: ['cpu'] }),
  },
  reserved: {
    lender: lender('reserved-lender', 'm5a.large', {
      resources: ['cpu'],
      capacity: { lendsAs: 'physical', commitments: [{ kind: 'capacity-reservation', units: 8 }] },
    }),
    borrower: borrower('reserved-borrower', 'm5a.large', {
      resources: ['cpu'],
      capacity: { launchesIntoReservations: true },
    }),
  },
  ahead: {
    // What a forecast asks for is lent only where three times as much is left.
    lender: lender('ahead-lender', 'c8g.large', {
      resources: ['cpu'],
      sizes: { minSize: 1, desiredCapacity: 2, maxSize: 12 },
    }),
    borrower: borrower('ahead-borrower', 'c8g.large', {
      resources: ['cpu'],
      historyPercent: 20,
      forecasting: {
        historyStepSeconds: AHEAD.stepSeconds,
        seasonSteps: [AHEAD.seasonSteps],
        borrowAhead: { atProbability: 0.5, aheadSeconds: 60, needLevel: '0.9' },
      },
    }),
  },
  // Its test gives the lender days of history.
  outlook: {
    lender: lender('outlook-lender', 'r6i.large', { resources: ['cpu'] }),
    borrower: borrower('outlook-borrower', 'r6i.large', { resources: ['cpu'], account: RIVAL }),
  },
  watched: {
    lender: lender('watched-lender', 'm5n.large', { resources: ['cpu'] }),
    borrower: borrower('watched-borrower', 'm5n.large', { resources: ['cpu'], lowAlarm: true }),
  },
  // Their owners interfere; in the end the borrower's group is gone.
  foreign: {
    lender: lender('foreign-lender', 'c5n.large', { resources: ['cpu'] }),
    borrower: borrower('foreign-borrower', 'c5n.large', { resources: ['cpu'] }),
  },
  // 4 owned, 2 running, 1 in reserve: each can lend one of the two units that the borrower needs.
  together: {
    first: lender('together-first', 'm7i.large', {
      resources: ['cpu'],
      sizes: { minSize: 1, desiredCapacity: 2, maxSize: 4 },
    }),
    second: lender('together-second', 'm7i.large', {
      resources: ['cpu'],
      sizes: { minSize: 1, desiredCapacity: 2, maxSize: 4 },
    }),
    borrower: borrower('together-borrower', 'm7i.large', { resources: ['cpu'] }),
  },
  // Two units can be lent at a time.
  queue: {
    lender: lender('queue-lender', 'r7i.large', {
      resources: ['cpu'],
      sizes: { minSize: 1, desiredCapacity: 2, maxSize: 5 },
    }),
    first: borrower('queue-first', 'r7i.large', { resources: ['cpu'] }),
    patient: borrower('queue-patient', 'r7i.large', { resources: ['cpu'], account: PATIENT }),
    // It needs three units, one more than can be lent.
    bulky: borrower('queue-bulky', 'r7i.large', {
      resources: ['cpu'],
      account: PATIENT,
      sizes: { minSize: 1, desiredCapacity: 8, maxSize: 8 },
    }),
  },
  tiers: {
    lender: lender('tiers-lender', 'c7i.large', {
      resources: ['cpu'],
      sizes: { minSize: 1, desiredCapacity: 2, maxSize: 5 },
    }),
    lower: borrower('tiers-lower', 'c7i.large', { resources: ['cpu'] }),
    higher: borrower('tiers-higher', 'c7i.large', { resources: ['cpu'], account: PATIENT }),
  },
} as const satisfies Record<string, Record<string, FleetPool>>;

export const ALL_POOLS: readonly FleetPool[] = Object.values(FLEET).flatMap((pools) => Object.values(pools));

export function idOf(pool: FleetPool): PoolId {
  return poolId(pool.account, REGION, pool.groupName);
}

/** The configuration file of the tests: the accounts of these pools. */
/** @param hub settings of the hub besides those of the tests */
export function fleetConfig(pools: readonly FleetPool[] = ALL_POOLS, hub: object = {}): object {
  const resource = { thresholdPercent: THRESHOLD_PERCENT, recoveryPercent: RECOVERY_PERCENT };
  return {
    hub: {
      accountId: HUB,
      region: REGION,
      externalId: EXTERNAL_ID,
      // Tests call reconciling and looking ahead when they want it.
      reconcileEveryMinutes: 60,
      lookAheadEveryMinutes: 60,
      capacityEveryMinutes: 60,
      stuckAfterSeconds: 2,
      priorityRules: { preemption: 'lower-tier' },
      ...hub,
    },
    linkedAccounts: LINKED.filter((account) => pools.some((pool) => pool.account === account)).map(
      (account, index) => ({
        accountId: account,
        name: `account-${index + 1}`,
        region: REGION,
        pools: pools
          .filter((pool) => pool.account === account)
          .map((pool) => ({
            groupName: pool.groupName,
            application: 'web',
            azIds: pool.azIds ?? ['euc1-az1'],
            instanceType: pool.instanceType,
            networkGbps: 10,
            reserveUnits: 1,
            provisioningLimitUnits: pool.provisioningLimitUnits,
            onDemandUsdPerUnitHour: 0.1,
            historyStepSeconds: 60,
            seasonSteps: [60],
            ...pool.forecasting,
            ...pool.capacity,
            coolDownSeconds: 0,
            alarm: { periodSeconds: ALARM_PERIOD_SECONDS, evaluationPeriods: 1, lowAlarm: pool.lowAlarm ?? false },
            resources: Object.fromEntries(pool.resources.map((type) => [type, resource])),
          })),
      }),
    ),
  };
}

export function fleetSamples(pools: readonly FleetPool[] = ALL_POOLS): Record<string, Sizes> {
  return Object.fromEntries(pools.map((pool) => [idOf(pool), pool.sizes]));
}

const anything: Omit<ConsentTerms, 'lend' | 'borrow' | 'whenNoPartner'> = {
  ...UNRESTRICTED,
  maxLatencyMillis: 10,
  shortestTermSeconds: 1,
  longestTermSeconds: 600,
};
const limits = { maxUnits: 50, maxSharePercent: 80, maxUnitHoursPerMonth: 1_000 };
const substitutions = [
  { from: 'm7a.large', to: 'm7a.xlarge', unitRatio: 0.5 },
  { from: 'c7a.large', to: 'c7a.medium', unitRatio: 2 },
];

/** A consent to lend and to borrow that covers everything the scenarios do. */
export function openTerms(changes: Partial<ConsentTerms> = {}): ConsentTerms {
  return {
    ...anything,
    lend: {
      ...limits,
      minPriceMicroUsdPerUnitHour: microUsd(PRICE_MICRO_USD),
      recallNoticeSeconds: 0,
      preemption: 'lower-tier',
    },
    borrow: {
      ...limits,
      // Two units of a lender that stand in for one of the borrower's cost twice as much.
      maxPriceMicroUsdPerUnitHour: microUsd(2 * PRICE_MICRO_USD),
      minRecallNoticeSeconds: 0,
      preemption: 'lower-tier',
      substitutions,
    },
    whenNoPartner: 'provision',
    ...changes,
  };
}

/** The consent that an account gives to begin with; undefined: none. */
export function firstTermsOf(account: AccountId): ConsentTerms | undefined {
  if (account === SILENT) return undefined;
  if (account === PATIENT) return openTerms({ whenNoPartner: 'wait', waitAtMostSeconds: 600 });
  const isCareful = account === CAREFUL_BORROWER || account === CAREFUL_LENDER;
  return openTerms(isCareful ? { pairingAcceptance: 'explicit' } : {});
}
