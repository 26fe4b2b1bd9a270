import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Consent } from '../core/consent/consent.ts';
import { epochMillis, RESOURCE_TYPES } from '../core/units.ts';
import type { FunctionName } from '../infra/names.ts';
import { functionName } from '../infra/names.ts';
import { standUpFleet } from '../test/support/deploy-fleet.ts';
import { alsoKnow, clientOptions, Fleet, SPECS } from '../test/support/deployment.ts';
import type { FleetPool } from '../test/support/lending-fleet.ts';
import { FLEET, HUB, idOf, openTerms } from '../test/support/lending-fleet.ts';
import { calm } from '../test/support/loan-story.ts';
import { BareCalls } from './loan/bare.ts';
import type { ProductCall } from './loan/calls.ts';
import { countBy } from './loan/calls.ts';
import { costItems } from './loan/cost.ts';
import type { DrivenLoan, Ending } from './loan/drive.ts';
import { LoanDriver } from './loan/drive.ts';
import { ScratchStage } from './loan/scratch.ts';
import type { LendingSide } from './loan/transactions.ts';
import { ScratchBooks } from './loan/transactions.ts';
import type { BenchOptions, BenchReport, BenchRow } from './report.ts';
import { limitRow, plainRow, quantile, ratioRow } from './report.ts';

const LOANS = 30;
const WARM_UPS = 3;
const RATIO_MAX = 2.5;
const STATE_TRANSITIONS_MAX = 16;
const CALLS_MAX = 30;
const SHORT_TERM_SECONDS = 2;
/** The pools between which loans are made one at a time, all resource types measured. */
export const LOAN_POOLS = {
  lender: { ...FLEET.steps.lender, resources: RESOURCE_TYPES },
  borrower: { ...FLEET.steps.borrower, resources: RESOURCE_TYPES },
} as const;
const { lender, borrower } = LOAN_POOLS;
const BARE = 'same calls, bare';

interface Pair {
  readonly loan: DrivenLoan;
  /** Of the bare calls. */
  readonly bareToActiveMillis: number;
  readonly bareReturnMillis: number;
  readonly bareWriteUnits: number;
}

async function sideOf(fleet: Fleet, pool: FleetPool): Promise<LendingSide> {
  const { consent } = await fleet.api<{ consent: Consent }>(pool.account, 'GET', '/consent');
  const { instances, ...sizes } = await fleet.group(idOf(pool));
  const counted = { inServiceUnits: instances, occupiedUnits: instances };
  const group = { ...sizes, ...counted, lendingEnabled: true, observedAt: epochMillis(Date.now()) };
  return { pool: await fleet.pool(idOf(pool)), consent, group };
}

/** The bare calls of loans between the pools of one scenario. */
export async function prepareBare(fleet: Fleet): Promise<BareCalls> {
  const stage = await ScratchStage.set(fleet, [lender.account, borrower.account]);
  const options = { ...clientOptions(fleet.deployed, HUB), credentials: stage.credentialsOf(HUB) };
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(options));
  const books = await ScratchBooks.open(documents, await sideOf(fleet, borrower), await sideOf(fleet, lender));
  return new BareCalls(fleet, stage, books, [borrower, lender]);
}

/** Loans and their bare calls take turns; which of both goes first after a loan was made is drawn. */
function* draws(seed: number): Generator<boolean, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >= 2 ** 31;
  }
}

async function bareOf(bare: BareCalls, loan: DrivenLoan): Promise<Omit<Pair, 'loan'>> {
  const { millis, writeUnits } = await bare.play(loan.loan, loan.borrow.calls, loan.giveBack.calls);
  const [bareToActiveMillis = 0, bareReturnMillis = 0] = millis;
  return { bareToActiveMillis, bareReturnMillis, bareWriteUnits: writeUnits };
}

interface Measured {
  readonly cold: DrivenLoan;
  readonly pairs: readonly Pair[];
  readonly endings: Readonly<Record<Exclude<Ending, 'recovered'>, DrivenLoan>>;
  readonly histories: readonly { readonly borrow: HistoryEvent[]; readonly giveBack: HistoryEvent[] }[];
  readonly memoryMebibytes: Readonly<Partial<Record<FunctionName, number>>>;
}

/** Each pair's bare calls are those of its own loan, made right before or after the next one. */
async function measurePairs(
  driver: LoanDriver,
  bare: BareCalls,
  { n, seed, say, signal }: BenchOptions,
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  const loans = n ?? LOANS;
  const bareFirst = draws(seed);
  let last = await driver.drive();
  for (let turn = 1 - WARM_UPS; turn <= loans; turn += 1) {
    signal.throwIfAborted();
    const early = bareFirst.next().value ? await bareOf(bare, last) : undefined;
    const loan = await driver.drive();
    const timed = early ?? (await bareOf(bare, loan));
    last = loan;
    if (turn >= 1) pairs.push({ loan, ...timed });
    if (turn % 10 === 0) say(turn < 1 ? 'warm' : `${turn} of ${loans} loans measured`);
  }
  return pairs;
}

async function memoryOf(fleet: Fleet, names: Iterable<FunctionName>) {
  const client = new LambdaClient(clientOptions(fleet.deployed, HUB));
  const sizes: Partial<Record<FunctionName, number>> = {};
  for (const name of names) {
    const answer = await client.send(new GetFunctionConfigurationCommand({ FunctionName: functionName(name) }));
    sizes[name] = answer.MemorySize ?? 0;
  }
  return sizes;
}

async function measure(fleet: Fleet, options: BenchOptions): Promise<Measured> {
  const driver = new LoanDriver(fleet, borrower);
  await calm(fleet, borrower);
  const bare = await prepareBare(fleet);
  options.say('the first loan, everything cold');
  const cold = await driver.drive();
  options.say(`warming up with ${WARM_UPS + 1} loans, then measuring`);
  const pairs = await measurePairs(driver, bare, options);
  const histories = [];
  for (const { loan } of pairs) {
    histories.push({
      borrow: await driver.history(loan.borrow.arn),
      giveBack: await driver.history(loan.giveBack.arn),
    });
  }
  options.say('a loan that its owner gives back, and one whose term ends');
  const owner = await driver.drive('requested-by-owner');
  await fleet.api(borrower.account, 'PUT', '/consent', openTerms({ longestTermSeconds: SHORT_TERM_SECONDS }));
  // Deciding on the end of a term is a function of its own, which enters the roles for the first time with the first of them.
  await driver.drive('expired');
  const expired = await driver.drive('expired');
  const names = new Set(pairs.flatMap(({ loan }) => callsOf(loan).map((call) => call.by)));
  return {
    cold,
    pairs,
    endings: { 'requested-by-owner': owner, expired },
    histories,
    memoryMebibytes: await memoryOf(fleet, names),
  };
}

function callsOf(loan: DrivenLoan): readonly ProductCall[] {
  return [...loan.borrow.calls, ...loan.giveBack.calls];
}

function timeRows({ pairs }: Measured): BenchRow[] {
  const n = pairs.length;
  const rows: BenchRow[] = [];
  const add = (measure: string, ours: (pair: Pair) => number, bare: (pair: Pair) => number, ratioMax?: number) => {
    for (const [name, share] of [
      ['p50', 0.5],
      ['p95', 0.95],
    ] as const) {
      const base = plainRow(`${measure}, ${name}`, quantile(pairs.map(ours), share), 'ms', n);
      rows.push(ratioRow(base, { name: BARE, value: quantile(pairs.map(bare), share) }, ratioMax));
    }
  };
  const toActive = ({ loan }: Pair) =>
    loan.borrow.endedAtMillis - (loan.loan.alarmTransitionAt ?? loan.loan.requestedAt);
  const toReturned = ({ loan }: Pair) => loan.giveBack.endedAtMillis - loan.recoveredAtMillis;
  const datumToActive = ({ loan }: Pair) => loan.borrow.endedAtMillis - loan.overloadedAtMillis;
  const datumToReturned = ({ loan }: Pair) => loan.giveBack.endedAtMillis - loan.calmedAtMillis;
  const bareToActive = (pair: Pair) => pair.bareToActiveMillis;
  const bareWhole = (pair: Pair) => pair.bareToActiveMillis + pair.bareReturnMillis;
  add('alarm to active', toActive, bareToActive, RATIO_MAX);
  add('alarm to returned, without the time held', (pair) => toActive(pair) + toReturned(pair), bareWhole, RATIO_MAX);
  add('datum to active', datumToActive, bareToActive);
  add('datum to returned, without the time held', (pair) => datumToActive(pair) + datumToReturned(pair), bareWhole);
  return rows;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function callRows({ cold, pairs, endings }: Measured): BenchRow[] {
  const n = pairs.length;
  const warm = median(pairs.map(({ loan }) => callsOf(loan).length));
  const coldCalls = callsOf(cold);
  const byFunction = (calls: readonly ProductCall[]) => countBy(calls, (call) => call.by);
  const coldBy = byFunction(coldCalls);
  const warmBy = pairs.map(({ loan }) => byFunction(callsOf(loan)));
  const names = Object.keys(coldBy) as FunctionName[];
  const invoked = ({ borrow, giveBack }: DrivenLoan) => borrow.invocations.length + giveBack.invocations.length;
  return [
    limitRow('AWS calls, returned on recovery', warm, 'calls', CALLS_MAX, n),
    limitRow('AWS calls, returned by its owner', callsOf(endings['requested-by-owner']).length, 'calls', CALLS_MAX, 1),
    limitRow('AWS calls, returned at the end of its term', callsOf(endings.expired).length, 'calls', CALLS_MAX, 1),
    ratioRow(plainRow('AWS calls of the first loan', coldCalls.length, 'calls', 1), { name: 'warm', value: warm }),
    ...names.map((name) => {
      const value = median(warmBy.map((calls) => calls[name] ?? 0));
      return {
        ...plainRow(`AWS calls of ${name}`, value, 'calls', n),
        peer: 'first loan',
        peerValue: coldBy[name] ?? 0,
      };
    }),
    plainRow('function invocations', median(pairs.map(({ loan }) => invoked(loan))), 'invocations', n),
  ];
}

const isEntered = ({ type }: HistoryEvent) => type?.endsWith('StateEntered') === true;
const isTaskEntered = ({ type }: HistoryEvent) => type === 'TaskStateEntered';
const isScheduled = ({ type }: HistoryEvent) => type === 'LambdaFunctionScheduled' || type === 'TaskScheduled';

/** States entered, and tries after the first one of each task. */
function transitionsOf(events: readonly HistoryEvent[]): number {
  const retries = Math.max(0, events.filter(isScheduled).length - events.filter(isTaskEntered).length);
  return events.filter(isEntered).length + retries;
}

/** Milliseconds that each task was entered for, by the state's name. */
function taskMillis(events: readonly HistoryEvent[]): Map<string, number> {
  const entered = new Map<string, number>();
  const spent = new Map<string, number>();
  for (const event of events) {
    const at = event.timestamp?.getTime() ?? 0;
    const into = event.stateEnteredEventDetails?.name;
    const outOf = event.stateExitedEventDetails?.name;
    if (into !== undefined && isTaskEntered(event)) entered.set(into, at);
    const since = outOf === undefined ? undefined : entered.get(outOf);
    if (outOf !== undefined && since !== undefined) spent.set(outOf, at - since);
  }
  return spent;
}

function stepRows({ histories }: Measured): BenchRow[] {
  const all = histories.map(({ borrow, giveBack }) => new Map([...taskMillis(borrow), ...taskMillis(giveBack)]));
  const names = [...new Set(all.flatMap((steps) => [...steps.keys()]))];
  return names.map((name) =>
    plainRow(`step ${name}, p50`, median(all.map((steps) => steps.get(name) ?? 0)), 'ms', all.length),
  );
}

const STARTING_AND_ENDING_TWO_EXECUTIONS = 4;

function billRows(measured: Measured): BenchRow[] {
  const { pairs, histories, memoryMebibytes } = measured;
  const n = pairs.length;
  const transitions = median(histories.map(({ borrow, giveBack }) => transitionsOf(borrow) + transitionsOf(giveBack)));
  const billed = transitions + STARTING_AND_ENDING_TWO_EXECUTIONS;
  const metered = median(pairs.map(({ loan }) => callsOf(loan).reduce((sum, call) => sum + (call.writeUnits ?? 0), 0)));
  const writeUnits = median(pairs.map((pair) => pair.bareWriteUnits));
  const memory = Math.max(...Object.values(memoryMebibytes));
  const steps = histories.map(({ borrow, giveBack }) => [
    ...taskMillis(borrow).values(),
    ...taskMillis(giveBack).values(),
  ]);
  const functionSeconds = median(steps.map((millis) => millis.reduce((sum, one) => sum + one, 0))) / 1_000;
  const used = pairs.at(-1)?.loan;
  if (used === undefined) throw new Error('no loan was measured');
  const items = costItems({
    stateTransitions: billed,
    invocations: used.borrow.invocations.length + used.giveBack.invocations.length,
    gibibyteSeconds: (functionSeconds * memory) / 1_024,
    writeUnits,
    calls: callsOf(used),
    metricsOfAPool: Object.keys(SPECS.get(idOf(borrower))?.resources ?? {}).length + 1,
    pools: [borrower, lender],
    loan: used.loan,
    scheduleInvocations: 0,
  });
  const total = items.reduce((sum, item) => sum + item.microUsd, 0);
  return [
    plainRow('states entered and tries repeated', transitions, 'transitions', n),
    limitRow(
      'state transitions, start and end of both executions included',
      billed,
      'transitions',
      STATE_TRANSITIONS_MAX,
      n,
    ),
    ratioRow(plainRow('DynamoDB write units, as the emulator meters', metered, 'units', n), {
      name: 'from item sizes',
      value: writeUnits,
    }),
    plainRow('cost of a loan and its return', total, 'micro-USD', n),
    ...items.map(({ item, quantity, microUsd }) =>
      plainRow(`cost: ${item} (${Number(quantity.toPrecision(4))})`, microUsd, 'micro-USD', n),
    ),
  ];
}

const NOTES = [
  'A loan is made by its alarm and returned on recovery, by itself. Its start is the transition of the alarm, its end the end of the execution: active with its expiry scheduled, returned with its expiry cancelled.',
  'The bare calls are those that the functions made for that loan, in their order, one after the other from one warm process with sessions of the same accounts; transactions write as many items of the same shape under keys of their own.',
  'Instances start and stop at once on the emulator, for both sides: how long instances take is in neither time. Nor is the time for which the loan was held.',
  'Calls are those of the functions to AWS. What AWS does by itself (invoking functions, forwarding events, starting a workflow at the end of a term) is not among them.',
  'State transitions: AWS bills each step executed and each retry. Its examples are read here as counting the start and the end of an execution too, the costlier reading.',
  'Write units: two for each KiB of each item in a transaction, checked ones too, and one for each change of an index.',
  'Cost: list price of us-east-1 without free tiers. GB-seconds are the time that each step took on this emulator, invocation included.',
];

/** A loan and its return beside the same AWS calls made bare, on stacks of its own. */
export async function benchLoan(options: BenchOptions): Promise<BenchReport> {
  const { seed, say, signal } = options;
  if (process.env['AWS_ENDPOINT_URL']) {
    throw new Error(
      'AWS_ENDPOINT_URL is set: unset it, only the embedded emulator keeps the log of calls that is counted',
    );
  }
  alsoKnow([lender, borrower]);
  const standing = await standUpFleet({ pools: [lender, borrower], onProgress: say, signal });
  try {
    const measured = await measure(new Fleet(standing.deployed), options);
    const rows = [...timeRows(measured), ...callRows(measured), ...billRows(measured), ...stepRows(measured)];
    return { bench: 'loan', seed, rows, notes: NOTES };
  } finally {
    await standing.stop();
  }
}
