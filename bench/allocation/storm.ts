/** Two hundred alarms at once on the emulator: what becomes of each, and how long it takes until all are answered. */
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { LoanView } from '../../core/lending/disclosure.ts';
import { isOpen } from '../../core/lending/loan.ts';
import type { AccountId, PoolId } from '../../core/units.ts';
import { RESOURCE_TYPES } from '../../core/units.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { clientOptions } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import { HUB, idOf, REGION } from '../../test/support/lending-fleet.ts';
import { auditOf, billsOf, calm } from '../../test/support/loan-story.ts';
import { callsOfFunctions } from '../loan/calls.ts';
import type { DrivenLoan } from '../loan/drive.ts';
import { LoanDriver } from '../loan/drive.ts';
import { LOAN_POOLS, prepareBare } from '../loan.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { limitRow, plainRow, ratioRow } from '../report.ts';
import { LOAD_ACCOUNTS, LOAD_BORROWERS } from './load-fleet.ts';
import { overloadAtOnce } from './overload.ts';
import { Reconciling } from './reconciling.ts';
import { patiently } from './throttled.ts';

const ALARMS_A_POOL = RESOURCE_TYPES.length;
const SETTLED = new Set<LoanView['state']>(['active', 'waiting', 'refused', 'failed', 'compensated']);
const ANSWERED_WITHIN_SECONDS = 840;
/** Asking takes time from what is measured. */
const ASK_EVERY_MILLIS = 3_000;
/** Executions that answer an alarm or go on with a part of it; not those that look again at what waits. */
const ANSWERING = /^borrow-ln-[^-]+-\d+$/;
/** The default of a hub. */
const AT_ONCE = 16;
/** Functions whose calls every alarm needs; the others are those of a loan. */
const ASKED_BY = new Set(['on-alarm', 'assess', 'choose']);

interface StormPools {
  readonly stormBorrowers: readonly FleetPool[];
  readonly stormLenders: readonly FleetPool[];
}

interface Storm {
  readonly seconds: number;
  readonly all: readonly LoanView[];
  /** The first part of each request: what its alarm was answered with. */
  readonly answers: readonly LoanView[];
  readonly lost: number;
  readonly twice: number;
  /** Requests of alarms that were on still after the cool-down. */
  readonly again: number;
  readonly calls: number;
}

function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

async function inTurns(count: number, run: (turn: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const turn = next;
      next += 1;
      await run(turn);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function outcomeOf({ state, kind }: LoanView): string {
  if (state === 'active') return kind === 'provisioned' ? 'provisioned' : 'a loan';
  if (state === 'waiting') return 'a place in the queue';
  return state === 'refused' ? 'refused, with the reason' : 'undone, with the reason';
}

/** Loans of the pools that were asked for at or after a moment. */
async function loansSince(fleet: Fleet, pools: ReadonlySet<PoolId>, since: number): Promise<LoanView[]> {
  const loans = (await Promise.all(LOAD_BORROWERS.map((account) => patiently(() => fleet.loansOf(account))))).flat();
  return loans.filter((loan) => pools.has(loan.borrowerPoolId) && loan.requestedAt >= since);
}

const alarmOf = ({ borrowerPoolId, alarmName }: LoanView) => `${borrowerPoolId} ${alarmName}`;
const transitionOf = (loan: LoanView) => `${alarmOf(loan)} ${loan.alarmTransitionAt ?? 0}`;
const isFirstPart = ({ request }: LoanView) => (request?.part ?? 1) === 1;

interface Executions {
  readonly ended: number;
  readonly running: number;
}

/** Executions of borrowing that began at or after a moment. Asking so takes no function from those that are at work. */
async function executionsSince(fleet: Fleet, since: number): Promise<Executions> {
  const client = new SFNClient(clientOptions(fleet.deployed, HUB));
  const stateMachineArn = fleet.deployed.hub['BorrowStateMachineArn'];
  let [ended, running] = [0, 0];
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new ListExecutionsCommand({ stateMachineArn, ...(nextToken === undefined ? {} : { nextToken }) }),
    );
    const some = (page.executions ?? []).filter(
      ({ startDate, name }) => (startDate?.getTime() ?? 0) >= since && ANSWERING.test(name ?? ''),
    );
    const open = some.filter(({ status }) => status === 'RUNNING').length;
    running += open;
    ended += some.length - open;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return { ended, running };
}

/** Alarms that have an answer. */
async function alarmsAnswered(fleet: Fleet, ids: ReadonlySet<PoolId>, since: number): Promise<number> {
  return new Set((await loansSince(fleet, ids, since)).filter(isFirstPart).map(alarmOf)).size;
}

/**
 * Waits until so many alarms have an answer and no execution runs; what is missing at the deadline is lost. Whether one has is only
 * asked while nothing runs.
 */
async function untilAnswered(
  fleet: Fleet,
  alarms: number,
  since: number,
  ids: ReadonlySet<PoolId>,
  options: BenchOptions,
): Promise<void> {
  const deadline = Date.now() + ANSWERED_WITHIN_SECONDS * 1_000;
  let before = 0;
  const reconciling = new Reconciling(fleet, options);
  while (Date.now() < deadline) {
    options.signal.throwIfAborted();
    await sleep(ASK_EVERY_MILLIS);
    const { ended, running } = await executionsSince(fleet, since);
    if (ended + running !== before)
      options.say(`${ended} executions have ended for ${alarms} alarms, ${running} are under way`);
    before = ended + running;
    if (running === 0 && ended >= alarms && (await alarmsAnswered(fleet, ids, since)) >= alarms) return;
    reconciling.whenDue();
  }
}

async function makeStorm(fleet: Fleet, borrowers: readonly FleetPool[], options: BenchOptions): Promise<Storm> {
  const ids = new Set(borrowers.map(idOf));
  const alarms = borrowers.length * ALARMS_A_POOL;
  const since = await overloadAtOnce(fleet, borrowers);
  await fleet.control.resetCalls();
  options.say(`${alarms} alarms go off in ${Math.max(0, since - Date.now())} ms`);
  await untilAnswered(fleet, alarms, since, ids, options);
  const all = await loansSince(fleet, ids, since);
  const { calls } = callsOfFunctions(await fleet.control.calls());
  const answers = all.filter(isFirstPart);
  const distinct = new Set(answers.map(alarmOf));
  const transitions = new Set(answers.map(transitionOf));
  const firstAt = Math.min(...all.map(({ alarmTransitionAt = since }) => alarmTransitionAt));
  const lastAt = Math.max(...all.flatMap(({ history }) => history.map(({ at }) => at)));
  return {
    seconds: (lastAt - firstAt) / 1_000,
    all,
    answers,
    lost: alarms - distinct.size,
    twice: answers.length - transitions.size,
    again: transitions.size - distinct.size,
    calls: calls.filter(({ by }) => by !== 'api').length,
  };
}

/** Delivers the events of all alarms again. @returns how many loans that made or changed */
async function repeat(
  fleet: Fleet,
  storm: Storm,
  borrowers: readonly FleetPool[],
  options: BenchOptions,
): Promise<number> {
  const textOf = ({ loanId, state, history }: LoanView) => `${loanId} ${state} ${history.length}`;
  const before = new Set(storm.all.map(textOf));
  await inTurns(storm.answers.length, async (turn) => {
    const { borrowerAccountId: account, alarmName, alarmTransitionAt } = storm.answers[turn] ?? {};
    const state = { value: 'ALARM', timestamp: new Date(alarmTransitionAt ?? 0).toISOString() };
    await patiently(() => fleet.invoke('on-alarm', { account, region: REGION, detail: { alarmName, state } }));
  });
  const ids = new Set(borrowers.map(idOf));
  await untilAnswered(fleet, 0, 0, ids, options);
  const after = await loansSince(fleet, ids, 0);
  return after.filter((loan) => !before.has(textOf(loan))).length;
}

/** What is wrong with the books once all alarms are answered. */
async function checkBooks(fleet: Fleet, { stormBorrowers, stormLenders }: StormPools) {
  const chains = await Promise.all(
    LOAD_ACCOUNTS.map(async (account) =>
      auditOf(fleet, account)
        .then(() => 0)
        .catch(() => 1),
    ),
  );
  const bills = await Promise.all(LOAD_ACCOUNTS.map((account: AccountId) => billsOf(fleet, account)));
  const money = bills.reduce((sum, { balance }) => sum + balance.pendingMicroUsd + balance.postedMicroUsd, 0);
  let beyondUnits = 0;
  for (const pool of [...stormBorrowers, ...stormLenders]) {
    const [group, { provisionedUnits }] = await Promise.all([fleet.group(idOf(pool)), fleet.pool(idOf(pool))]);
    beyondUnits += group.maxSize - pool.sizes.maxSize - provisionedUnits;
  }
  return { brokenChains: chains.reduce<number>((sum, one) => sum + one, 0), money: Math.abs(money), beyondUnits };
}

/** One loan, made alone, whose calls are the pattern for the bare ones. */
async function patternLoan(fleet: Fleet): Promise<DrivenLoan> {
  await calm(fleet, LOAN_POOLS.borrower);
  const driver = new LoanDriver(fleet, LOAN_POOLS.borrower);
  await driver.drive();
  return driver.drive();
}

interface Bound {
  readonly seconds: number;
  readonly calls: number;
}

/** Seconds in which the emulator answers the calls that these answers need at least, bare and sixteen at a time. */
async function bareCalls(fleet: Fleet, pattern: DrivenLoan, storm: Storm): Promise<Bound> {
  const bare = await prepareBare(fleet);
  const { loan, borrow, giveBack } = pattern;
  const toAsk = borrow.calls.filter(({ by }) => ASKED_BY.has(by));
  const needs = storm.answers.map(({ state }) => (state === 'active' ? borrow.calls : toAsk));
  const startedAt = performance.now();
  await inTurns(needs.length, (turn) => bare.play(loan, needs[turn] ?? []));
  const seconds = (performance.now() - startedAt) / 1_000;
  await bare.play(loan, borrow.calls, giveBack.calls);
  return { seconds, calls: needs.reduce((sum, calls) => sum + calls.length, 0) };
}

/** Many alarms at once: each has one answer, nothing is lost and nothing made twice, and the time that it takes. */
export async function stormRows(fleet: Fleet, pools: StormPools, options: BenchOptions): Promise<BenchRow[]> {
  const { stormBorrowers } = pools;
  options.say('a loan alone');
  const pattern = await patternLoan(fleet);
  const storm = await makeStorm(fleet, stormBorrowers, options);
  options.say('the same events once more');
  const repeated = await repeat(fleet, storm, stormBorrowers, options);
  const books = await checkBooks(fleet, pools);
  options.say('the calls that this needs at least, bare');
  const bound = await bareCalls(fleet, pattern, storm);
  const n = storm.answers.length;
  const unexplained = storm.answers.filter(({ state, reasons }) => state !== 'active' && reasons.length === 0).length;
  const stuck = storm.all.filter((loan) => isOpen(loan) && !SETTLED.has(loan.state)).length;
  const measure = `${stormBorrowers.length * ALARMS_A_POOL} alarms at once over ${stormBorrowers.length} pools`;
  return [
    ratioRow(plainRow(`${measure}: until the last is answered`, storm.seconds, 's', n), {
      name: `${bound.calls} calls that they need, bare, ${AT_ONCE} at a time`,
      value: bound.seconds,
    }),
    ratioRow(plainRow(`${measure}: AWS calls of the functions`, storm.calls, 'calls', n), {
      name: 'needed at least',
      value: bound.calls,
    }),
    ...[...Map.groupBy(storm.answers, outcomeOf)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([outcome, loans]) => plainRow(`alarms at once: ${outcome}`, loans.length, 'alarms', n)),
    limitRow('alarms at once: lost', storm.lost, 'alarms', 0, n),
    limitRow('alarms at once: answered twice', storm.twice, 'alarms', 0, n),
    limitRow('alarms at once: without a reason', unexplained, 'alarms', 0, n),
    limitRow('alarms at once: loans that are stuck', stuck, 'loans', 0, storm.all.length),
    plainRow('alarms at once: on still after the cool-down, and asked anew', storm.again, 'requests', n),
    limitRow('the same events again: loans made or changed', repeated, 'loans', 0, n),
    limitRow('after it: audit chains that are broken', books.brokenChains, 'chains', 0, LOAD_ACCOUNTS.length),
    limitRow('after it: what the ledger does not balance by', books.money, 'micro-USD', 0, LOAD_ACCOUNTS.length),
    limitRow('after it: units of groups beyond those owned', books.beyondUnits, 'units', 0, stormBorrowers.length),
  ];
}
