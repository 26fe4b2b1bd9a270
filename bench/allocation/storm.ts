/** Two hundred alarms at once on the emulator: what becomes of each, and how long it takes until all are answered. */
import type { LoanView } from '../../core/lending/disclosure.ts';
import type { PoolId } from '../../core/units.ts';
import { RESOURCE_TYPES } from '../../core/units.ts';
import { standUpFleet } from '../../test/support/deploy-fleet.ts';
import { alsoKnow, Fleet, until } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import {
  BORROWER,
  CAREFUL_BORROWER,
  CAREFUL_LENDER,
  FICKLE,
  FLEET,
  idOf,
  LENDER,
  openTerms,
  PATIENT,
  RIVAL,
  SILENT,
  UNTAGGED,
} from '../../test/support/lending-fleet.ts';
import { auditOf, CALM_PERCENT, calm, OVERLOAD_PERCENT } from '../../test/support/loan-story.ts';
import { LoanDriver } from '../loan/drive.ts';
import { prepareBare } from '../loan.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { limitRow, plainRow, quantile, ratioRow } from '../report.ts';

const TYPES = ['m5', 'm6a', 'm7a', 'c5', 'c6a', 'c7a', 'r5', 'r6a', 'r7a', 'i3'];
/** So many that the template of each stays within what can be deployed without a bucket. */
const BORROWERS = [RIVAL, FICKLE, PATIENT, UNTAGGED, SILENT, CAREFUL_BORROWER, CAREFUL_LENDER, BORROWER] as const;
const ALARMS_A_POOL = RESOURCE_TYPES.length;
const SETTLED = new Set<LoanView['state']>(['active', 'waiting', 'refused', 'failed', 'compensated']);
const ANSWERED_WITHIN_SECONDS = 1_800;
const PUBLISHED_AT_ONCE = 16;
const BARE_LOANS = 3;
const NEEDED_UNITS = 2;
/** The loans that are made one at a time, for their calls: as the benchmark of loans makes them. */
const SINGLE = {
  lender: { ...FLEET.steps.lender, resources: RESOURCE_TYPES },
  borrower: { ...FLEET.steps.borrower, resources: RESOURCE_TYPES },
};

/** Pools of which each needs two units: of each five the lender of their kind can serve two; some may provision, some wait. */
function stormPools(count: number): { readonly borrowers: FleetPool[]; readonly lenders: FleetPool[] } {
  const of = (index: number) => `${TYPES[index % TYPES.length] ?? 'm5'}.large`;
  const lenders = TYPES.slice(0, Math.min(TYPES.length, count)).map((_, index) => ({
    ...FLEET.steps.lender,
    account: LENDER,
    groupName: `storm-lender-${index}`,
    resources: ['cpu' as const],
    instanceType: of(index),
  }));
  const borrowers = Array.from({ length: count }, (_, index) => ({
    ...FLEET.steps.borrower,
    resources: RESOURCE_TYPES,
    account: BORROWERS[index % BORROWERS.length] ?? BORROWER,
    groupName: `storm-${index}`,
    instanceType: of(index),
    provisioningLimitUnits: index % 3 === 0 ? NEEDED_UNITS : 0,
  }));
  return { borrowers, lenders };
}

async function publishAll(fleet: Fleet, pools: readonly FleetPool[], percent: number): Promise<void> {
  const data = pools.flatMap((pool) => RESOURCE_TYPES.map((type) => ({ id: idOf(pool), type })));
  for (let first = 0; first < data.length; first += PUBLISHED_AT_ONCE) {
    const some = data.slice(first, first + PUBLISHED_AT_ONCE);
    await Promise.all(some.map(({ id, type }) => fleet.publish(id, type, percent)));
  }
}

/** The answers to the alarms: the first part of each request that began at or after a moment. */
async function answersOf(fleet: Fleet, pools: ReadonlySet<PoolId>, since: number): Promise<LoanView[]> {
  const loans = (await Promise.all(BORROWERS.map((account) => fleet.loansOf(account)))).flat();
  return loans.filter((loan) => pools.has(loan.borrowerPoolId) && loan.requestedAt >= since);
}

function outcomeOf({ state, kind }: LoanView): string {
  if (state === 'active') return kind === 'provisioned' ? 'provisioned' : 'lent';
  return state === 'failed' || state === 'compensated' ? 'failed' : state;
}

interface Storm {
  readonly seconds: number;
  readonly answers: readonly LoanView[];
  readonly lost: number;
  readonly twice: number;
  readonly beyondNeed: number;
}

async function makeStorm(fleet: Fleet, pools: readonly FleetPool[], options: BenchOptions): Promise<Storm> {
  const ids = new Set(pools.map(idOf));
  const alarms = pools.length * ALARMS_A_POOL;
  await publishAll(fleet, pools, CALM_PERCENT);
  const since = Date.now();
  await publishAll(fleet, pools, OVERLOAD_PERCENT);
  let reported = -1;
  const all = await until(
    'every alarm has its answer',
    async () => {
      options.signal.throwIfAborted();
      const loans = await answersOf(fleet, ids, since);
      const settled = loans.filter(({ state }) => SETTLED.has(state)).length;
      if (settled !== reported) options.say(`${settled} of ${alarms} answered`);
      reported = settled;
      const first = new Set(loans.map(({ borrowerPoolId, alarmName }) => `${borrowerPoolId} ${alarmName}`));
      return first.size === alarms && settled === loans.length ? loans : undefined;
    },
    ANSWERED_WITHIN_SECONDS,
  );
  const lastAt = Math.max(...all.flatMap(({ history }) => history.map(({ at }) => at)));
  const answers = all.filter(({ request }) => (request?.part ?? 1) === 1);
  const distinct = new Set(answers.map(({ borrowerPoolId, alarmName }) => `${borrowerPoolId} ${alarmName}`));
  const unitsOf = (id: PoolId) =>
    all
      .filter(({ borrowerPoolId, state }) => borrowerPoolId === id && state === 'active')
      .reduce((sum, { units }) => sum + units, 0);
  // Throws when a chain is broken.
  for (const account of BORROWERS) await auditOf(fleet, account);
  return {
    seconds: (lastAt - since) / 1_000,
    answers,
    lost: alarms - distinct.size,
    twice: answers.length - distinct.size,
    beyondNeed: [...ids].filter((id) => unitsOf(id) > NEEDED_UNITS).length,
  };
}

/** Milliseconds of the AWS calls of one loan up to its being active, made bare. */
async function bareMillis(fleet: Fleet): Promise<number> {
  const { borrower } = SINGLE;
  await calm(fleet, borrower);
  const bare = await prepareBare(fleet);
  const driver = new LoanDriver(fleet, borrower);
  const times: number[] = [];
  for (let turn = 0; turn < BARE_LOANS; turn += 1) {
    const { loan, borrow } = await driver.drive();
    const { millis } = await bare.play(loan, borrow.calls);
    times.push(millis[0] ?? 0);
  }
  return quantile(times, 0.5);
}

/** @param alarms at once, over a quarter as many pools */
export async function stormRows(options: BenchOptions, alarms: number): Promise<BenchRow[]> {
  const { borrowers, lenders } = stormPools(Math.max(1, Math.round(alarms / ALARMS_A_POOL)));
  const pools = [...borrowers, ...lenders, SINGLE.lender, SINGLE.borrower];
  alsoKnow(pools);
  const { say, signal } = options;
  const standing = await standUpFleet({ pools, onProgress: say, signal });
  try {
    const fleet = new Fleet(standing.deployed);
    // Without that one would have none, and the others accept each pairing by hand.
    for (const account of [SILENT, CAREFUL_BORROWER, CAREFUL_LENDER])
      await fleet.api(account, 'PUT', '/consent', openTerms());
    await fleet.plan();
    const millis = await bareMillis(fleet);
    const storm = await makeStorm(fleet, borrowers, options);
    const n = storm.answers.length;
    const made = storm.answers.filter(({ state }) => state === 'active').length;
    const counts = Map.groupBy(storm.answers, outcomeOf);
    const seconds = plainRow(
      `${n} alarms at once over ${borrowers.length} pools: until the last is answered`,
      storm.seconds,
      's',
      n,
    );
    return [
      ratioRow(seconds, {
        name: `the calls of the ${made} loans, bare, one after the other`,
        value: (made * millis) / 1_000,
      }),
      limitRow('alarms at once that were lost', storm.lost, 'alarms', 0, n),
      limitRow('alarms at once that were answered twice', storm.twice, 'alarms', 0, n),
      limitRow('pools with more than they needed', storm.beyondNeed, 'pools', 0, borrowers.length),
      ...[...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([outcome, loans]) => {
          return plainRow(`alarms at once: ${outcome}`, loans.length, 'alarms', n);
        }),
    ];
  } finally {
    await standing.stop();
  }
}
