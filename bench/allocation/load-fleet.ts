/** The pools of the benchmarks under load, on an emulator of their own. */
import type { ConsentTerms } from '../../core/consent/consent.ts';
import type { AccountId } from '../../core/units.ts';
import { RESOURCE_TYPES } from '../../core/units.ts';
import type { StandingFleet } from '../../test/support/deploy-fleet.ts';
import { standUpFleet } from '../../test/support/deploy-fleet.ts';
import { alsoKnow } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import {
  BORROWER,
  CAREFUL_BORROWER,
  CAREFUL_LENDER,
  FICKLE,
  FLEET,
  LENDER,
  openTerms,
  PATIENT,
  RIVAL,
  SILENT,
  UNTAGGED,
} from '../../test/support/lending-fleet.ts';
import { LOAN_POOLS } from '../loan.ts';
import type { BenchOptions } from '../report.ts';

const STORM_FAMILIES = ['m5', 'm6a', 'm7a', 'c5', 'c6a', 'c7a', 'r5', 'r6a', 'r7a', 'i3'];
const STOP_FAMILIES = ['m5n', 'm6in', 'm6idn', 'c5n', 'c6in', 'c6id', 'r5n', 'r6in', 'r6id', 'i3en'];
/** So many that the template of each stays within what can be deployed without a bucket. */
export const LOAD_BORROWERS = [
  RIVAL,
  FICKLE,
  PATIENT,
  UNTAGGED,
  SILENT,
  CAREFUL_BORROWER,
  CAREFUL_LENDER,
  BORROWER,
] as const;
export const LOAD_ACCOUNTS = [LENDER, ...LOAD_BORROWERS] as const;
/** Units that an overloaded pool of the storm asks for. */
const NEEDED_UNITS = 2;
/** Functions that run at once: each is a process here, and AWS gives a new account ten. What comes on top is throttled and tried again. */
const FUNCTIONS_AT_ONCE = 16;
const STUCK_AFTER_SECONDS = 120;
/** Longer than a run takes. */
const TERM_SECONDS = 7_200;
const MANY_UNITS = 100_000;

/** Two pools between which loans are made in large numbers. */
export interface StopPair {
  readonly lender: FleetPool;
  readonly borrower: FleetPool;
  readonly loans: number;
}

export interface LoadPools {
  /** Each needs two units: of each five the lender of their kind can serve two; some may provision, some wait. */
  readonly stormBorrowers: readonly FleetPool[];
  readonly stormLenders: readonly FleetPool[];
  readonly stopPairs: readonly StopPair[];
}

function borrowerAccount(index: number) {
  return LOAD_BORROWERS[index % LOAD_BORROWERS.length] ?? BORROWER;
}

function stormPools(count: number): Pick<LoadPools, 'stormBorrowers' | 'stormLenders'> {
  const typeOf = (index: number) => `${STORM_FAMILIES[index % STORM_FAMILIES.length] ?? 'm5'}.large`;
  return {
    stormLenders: STORM_FAMILIES.slice(0, count).map((_, index) => ({
      ...FLEET.steps.lender,
      account: LENDER,
      groupName: `storm-lender-${index}`,
      resources: ['cpu' as const],
      instanceType: typeOf(index),
    })),
    stormBorrowers: Array.from({ length: count }, (_, index) => ({
      ...FLEET.steps.borrower,
      resources: RESOURCE_TYPES,
      account: borrowerAccount(index),
      groupName: `storm-${index}`,
      instanceType: typeOf(index),
      provisioningLimitUnits: index % 3 === 0 ? NEEDED_UNITS : 0,
    })),
  };
}

function stopPairs(loans: number): StopPair[] {
  const pairs = Math.min(STOP_FAMILIES.length, loans);
  return STOP_FAMILIES.slice(0, pairs).map((family, index) => {
    const own = Math.floor(loans / pairs) + (index < loans % pairs ? 1 : 0);
    const shared = { instanceType: `${family}.large`, resources: ['cpu' as const] };
    const sizes = { ...FLEET.steps.lender.sizes, maxSize: 2 * own + FLEET.steps.lender.sizes.maxSize };
    return {
      lender: {
        ...FLEET.steps.lender,
        ...shared,
        account: borrowerAccount(index + LOAD_BORROWERS.length / 2),
        groupName: `stop-lender-${index}`,
        sizes,
      },
      borrower: { ...FLEET.steps.borrower, ...shared, account: borrowerAccount(index), groupName: `stop-${index}` },
      loans: own,
    };
  });
}

/**
 * @param alarms at once, four a pool; 0: none
 * @param loans that are open at once; 0: none
 */
export function loadPools(alarms: number, loans: number): LoadPools {
  return { ...stormPools(Math.round(alarms / RESOURCE_TYPES.length)), stopPairs: stopPairs(loans) };
}

/** Nothing of a consent is in the way of so many loans. */
function wideTerms(account: AccountId): ConsentTerms {
  const { lend, borrow, ...others } = openTerms();
  const wide = { maxUnits: MANY_UNITS, maxUnitHoursPerMonth: MANY_UNITS };
  return {
    ...others,
    ...(lend === undefined ? {} : { lend: { ...lend, ...wide } }),
    ...(borrow === undefined ? {} : { borrow: { ...borrow, ...wide } }),
    longestTermSeconds: TERM_SECONDS,
    ...(account === PATIENT ? { whenNoPartner: 'wait' as const, waitAtMostSeconds: TERM_SECONDS } : {}),
  };
}

/** Stands the pools up, with consents that cover all that is done, and pairs them. */
export async function standUpLoad(
  { stormBorrowers, stormLenders, stopPairs: pairs }: LoadPools,
  { say, signal }: BenchOptions,
): Promise<StandingFleet> {
  const pools = [
    ...stormBorrowers,
    ...stormLenders,
    ...pairs.flatMap(({ lender, borrower }) => [lender, borrower]),
    LOAN_POOLS.lender,
    LOAN_POOLS.borrower,
  ];
  alsoKnow(pools);
  const emulatorEnv = { LAMBDA_ACCOUNT_CONCURRENCY: String(FUNCTIONS_AT_ONCE) };
  // A request that waits for its turn among hundreds has not been left behind.
  const hub = { stuckAfterSeconds: STUCK_AFTER_SECONDS };
  return standUpFleet({ pools, hub, termsOf: wideTerms, emulatorEnv, onProgress: say, signal });
}
