/** The kill switch with hundreds of loans: how long until nothing new can be lent, and until all is on its way back. */
import type { LoanView } from '../../core/lending/disclosure.ts';
import { isOpen } from '../../core/lending/loan.ts';
import type { LoanId } from '../../core/units.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { until } from '../../test/support/deployment.ts';
import { HUB } from '../../test/support/lending-fleet.ts';
import { auditOf } from '../../test/support/loan-story.ts';
import type { BenchOptions, BenchRow } from '../report.ts';
import { limitRow, plainRow } from '../report.ts';
import type { StopPair } from './load-fleet.ts';
import { LOAD_ACCOUNTS, LOAD_BORROWERS } from './load-fleet.ts';
import { makeActiveLoans } from './made-loans.ts';
import { Reconciling } from './reconciling.ts';
import { patiently } from './throttled.ts';

/** "No new loans, or recall all, within one minute, by one command." */
const MINUTE_SECONDS = 60;
const RETURNED_WITHIN_SECONDS = 900;
const ASK_EVERY_MILLIS = 4_000;

async function loansOf(fleet: Fleet, ids: ReadonlySet<LoanId>): Promise<LoanView[]> {
  const loans = await Promise.all(LOAD_BORROWERS.map((account) => fleet.loansOf(account)));
  // A loan between two of these accounts is in the lists of both.
  const byId = new Map(loans.flat().map((loan) => [loan.loanId, loan]));
  return [...byId.values()].filter(({ loanId }) => ids.has(loanId));
}

const enteredAt = ({ history }: LoanView, entered: LoanView['state']) =>
  history.find(({ state }) => state === entered)?.at;

interface Stopped {
  readonly recalled: readonly LoanId[];
  /** Loans that the request had no time for. */
  readonly left: number;
}

function stop(fleet: Fleet): Promise<Stopped> {
  return fleet.api(HUB, 'POST', '/switches/stop', { all: true, recall: true, reason: 'a drill' });
}

/** As `entangle stop` does: asks again for what a request had no time for. @returns how many requests it took */
async function stopAll(fleet: Fleet): Promise<number> {
  for (let requests = 1; ; requests += 1) {
    const { recalled, left } = await patiently(() => stop(fleet));
    if (left === 0 || recalled.length === 0) return requests;
  }
}

/** The loans once all of them have come back. */
async function untilReturned(fleet: Fleet, ids: ReadonlySet<LoanId>, options: BenchOptions): Promise<LoanView[]> {
  const reconciling = new Reconciling(fleet, options);
  return until(
    'every loan has come back',
    async () => {
      options.signal.throwIfAborted();
      reconciling.whenDue();
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MILLIS));
      // Functions that are at work may leave none for the question.
      const loans = await loansOf(fleet, ids).catch(() => []);
      const open = loans.filter(isOpen);
      options.say(`${open.length} of ${loans.length} loans are open still`);
      return loans.length === ids.size && open.length === 0 ? loans : undefined;
    },
    RETURNED_WITHIN_SECONDS,
  );
}

function secondsUntil(loans: readonly LoanView[], since: number, state: LoanView['state']): number {
  return (Math.max(...loans.map((loan) => enteredAt(loan, state) ?? Number.POSITIVE_INFINITY)) - since) / 1_000;
}

/** Loans of each pair with which the command is cut off. */
const CUT_OFF_LOANS = 2;
const CUT_OFF_SERIAL = 1_000_000;

/**
 * A command whose workflows do not start, as if it had crashed: reconciling carries it out.
 * @returns loans that are not back a minute later
 */
async function cutOff(fleet: Fleet, pairs: readonly StopPair[], options: BenchOptions): Promise<BenchRow> {
  await fleet.api(HUB, 'POST', '/switches/resume', { all: true, reason: 'the drill is over' });
  const few = pairs.map((pair) => ({ ...pair, loans: Math.min(pair.loans, CUT_OFF_LOANS) }));
  const ids = new Set(await makeActiveLoans(fleet, few, CUT_OFF_SERIAL));
  options.say(`${ids.size} loans are active: the command is cut off`);
  await fleet.control.addFault({
    service: 'states',
    action: 'StartExecution',
    times: 10_000,
    errorCode: 'ServiceError',
  });
  const refused = await stop(fleet).catch((error: unknown) => error);
  await fleet.control.clearFaults();
  if (!(refused instanceof Error)) throw new Error('the command was to be cut off, and was not');
  const deadline = Date.now() + MINUTE_SECONDS * 1_000;
  let open = ids.size;
  while (open > 0 && Date.now() < deadline) {
    await fleet.invoke('reconcile', {}).catch(() => undefined);
    const loans = await loansOf(fleet, ids).catch(() => undefined);
    open = loans?.filter(isOpen).length ?? open;
  }
  const measure = `stop with ${ids.size} loans, cut off: loans that reconciling did not bring back in a minute`;
  return limitRow(measure, open, 'loans', 0, ids.size);
}

/** One command recalls all loans of an organisation, how long each stage of that takes, and what a command that failed leaves. */
export async function stopRows(fleet: Fleet, pairs: readonly StopPair[], options: BenchOptions): Promise<BenchRow[]> {
  options.say('making the loans');
  const ids = new Set(await makeActiveLoans(fleet, pairs, 0));
  const n = ids.size;
  options.say(`${n} loans are active: stop --all --recall`);
  const since = Date.now();
  const requests = await stopAll(fleet);
  const answeredAt = Date.now();
  const loans = await untilReturned(fleet, ids, options);
  // The first recall follows the switch of the last account.
  const stoppedAt = Math.min(...loans.map((loan) => enteredAt(loan, 'recalled') ?? Number.POSITIVE_INFINITY));
  const chains = await Promise.all(
    LOAD_ACCOUNTS.map(async (account) =>
      auditOf(fleet, account)
        .then(() => 0)
        .catch(() => 1),
    ),
  );
  const name = `stop with ${n} loans`;
  const inTime = (what: string, seconds: number) => limitRow(`${name}: until ${what}`, seconds, 's', MINUTE_SECONDS, n);
  return [
    inTime('no new loan is possible', (stoppedAt - since) / 1_000),
    inTime('every loan is recalled', secondsUntil(loans, since, 'recalled')),
    inTime('every loan is on its way back', secondsUntil(loans, since, 'returning')),
    plainRow(`${name}: until the last is back`, secondsUntil(loans, since, 'returned'), 's', n),
    inTime('the command is answered', (answeredAt - since) / 1_000),
    plainRow(`${name}: requests that the command makes`, requests, 'requests', n),
    limitRow(
      `${name}: audit chains that are broken`,
      chains.reduce<number>((sum, one) => sum + one, 0),
      'chains',
      0,
      n,
    ),
    await cutOff(fleet, pairs, options),
  ];
}
