/** Makes loans by alarm and has them returned, and takes down what happened when. */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { LoanSnapshot } from '../../core/lending/commit.ts';
import type { Loan, ReturnReason } from '../../core/lending/loan.ts';
import { RESOURCE_TYPES } from '../../core/units.ts';
import { alarmName } from '../../infra/names.ts';
import type { Fleet } from '../../test/support/deployment.ts';
import { clientOptions, until } from '../../test/support/deployment.ts';
import type { FleetPool } from '../../test/support/lending-fleet.ts';
import { ALARM_PERIOD_SECONDS, HUB, idOf } from '../../test/support/lending-fleet.ts';
import { CALM_PERCENT, OVERLOAD_PERCENT } from '../../test/support/loan-story.ts';
import type { CallsOfALoan } from './calls.ts';
import { callsOfFunctions } from './calls.ts';

export interface ExecutionTimes {
  readonly arn: string;
  readonly endedAtMillis: number;
}

/** One loan from its alarm to its end. */
export interface DrivenLoan {
  readonly loan: Loan;
  /** When the datum that fires the alarm was sent. */
  readonly overloadedAtMillis: number;
  readonly borrow: ExecutionTimes & CallsOfALoan;
  /** When the datum that ends the alarm was sent; for other endings, when the return was asked for. */
  readonly calmedAtMillis: number;
  /** When the alarm was OK again; for other endings the same as `calmedAtMillis`. */
  readonly recoveredAtMillis: number;
  readonly giveBack: ExecutionTimes & CallsOfALoan;
}

export type Ending = Extract<ReturnReason, 'recovered' | 'expired' | 'requested-by-owner'>;

const POLL_MILLIS = 40;
/** A loan at work is left alone for so long before it is asked about: asking takes time from it. */
const QUIET_MILLIS = 250;
const PERIOD_MILLIS = ALARM_PERIOD_SECONDS * 1_000;
/** A loan has to fit into one period: an alarm without data in the next one would be OK by itself. */
const ROOM_MILLIS = 5_000;
/** A recovered loan is returned once its shortest term, one second, is over. */
const SHORTEST_TERM_MILLIS = 1_000;

function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, millis)));
}

export class LoanDriver {
  readonly #fleet: Fleet;
  readonly #borrower: FleetPool;
  readonly #workflows: SFNClient;
  readonly #cloudWatch: CloudWatchClient;

  constructor(fleet: Fleet, borrower: FleetPool) {
    this.#fleet = fleet;
    this.#borrower = borrower;
    this.#workflows = new SFNClient(clientOptions(fleet.deployed, HUB));
    this.#cloudWatch = new CloudWatchClient(clientOptions(fleet.deployed, borrower.account));
  }

  /** @throws Error when the loan is not made or not returned */
  async drive(ending: Ending = 'recovered'): Promise<DrivenLoan> {
    const id = idOf(this.#borrower);
    const left = PERIOD_MILLIS - (Date.now() % PERIOD_MILLIS);
    if (left < ROOM_MILLIS) await sleep(left);
    // Recovering needs a recent value of every resource type.
    for (const type of RESOURCE_TYPES) await this.#fleet.publish(id, type, CALM_PERCENT);
    await this.#fleet.control.resetCalls();
    const overloadedAtMillis = Date.now();
    await this.#fleet.publish(id, 'cpu', OVERLOAD_PERCENT);
    await sleep(QUIET_MILLIS);
    const borrow = await this.#execution('BorrowStateMachineArn', overloadedAtMillis);
    const { loan: active } = this.#loanIn(borrow.output, 'active');
    const borrowCalls = callsOfFunctions(await this.#fleet.control.calls());
    await this.#fleet.control.resetCalls();
    const asked = await this.#askBack(active, ending);
    const returned = await this.#execution('ReturnStateMachineArn', overloadedAtMillis);
    const { loan } = this.#loanIn(returned.output, 'returned');
    if (loan.loanId !== active.loanId || loan.returnReason !== ending)
      throw new Error(`loan ${loan.loanId} came back because of ${loan.returnReason}`);
    const returnCalls = callsOfFunctions(await this.#fleet.control.calls());
    await this.#calm();
    return {
      loan,
      overloadedAtMillis,
      borrow: { ...borrow, ...borrowCalls },
      ...asked,
      recoveredAtMillis: ending === 'recovered' ? await this.#okSince() : asked.calmedAtMillis,
      giveBack: { ...returned, ...returnCalls },
    };
  }

  /** How many states were entered, and how often one was tried again; with the times of the tasks. */
  async history(arn: string): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    let nextToken: string | undefined;
    do {
      const page = await this.#workflows.send(
        new GetExecutionHistoryCommand({ executionArn: arn, ...(nextToken === undefined ? {} : { nextToken }) }),
      );
      events.push(...(page.events ?? []));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return events;
  }

  async #askBack(loan: Loan, ending: Ending): Promise<{ calmedAtMillis: number }> {
    if (ending === 'expired') return { calmedAtMillis: loan.dueAt ?? 0 };
    await sleep((loan.activeAt ?? 0) + SHORTEST_TERM_MILLIS + POLL_MILLIS - Date.now());
    const calmedAtMillis = Date.now();
    if (ending === 'requested-by-owner') {
      await this.#fleet.api(loan.borrowerAccountId, 'POST', `/loans/${loan.loanId}/return`);
    } else {
      await this.#calm();
    }
    await sleep(QUIET_MILLIS);
    return { calmedAtMillis };
  }

  #calm(): Promise<void> {
    return this.#fleet.publish(idOf(this.#borrower), 'cpu', CALM_PERCENT);
  }

  async #okSince(): Promise<number> {
    const name = alarmName(this.#borrower.groupName, 'cpu');
    const answer = await this.#cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
    const alarm = answer.MetricAlarms?.[0];
    const since = (alarm?.StateTransitionedTimestamp ?? alarm?.StateUpdatedTimestamp)?.getTime();
    if (alarm?.StateValue !== 'OK' || since === undefined) throw new Error(`alarm ${name} is ${alarm?.StateValue}`);
    return since;
  }

  #loanIn(output: string, state: Loan['state']): LoanSnapshot {
    const { snapshot, detail } = JSON.parse(output) as { snapshot?: LoanSnapshot; detail?: string };
    if (snapshot?.loan.state === state) return snapshot;
    const found = snapshot === undefined ? 'there is none' : `it is ${snapshot.loan.state}`;
    throw new Error(`a loan should be ${state}, but ${found}: ${detail ?? snapshot?.loan.endDetail ?? output}`);
  }

  /** The end of the execution that began after a moment: only one loan is under way. */
  async #execution(machine: string, since: number): Promise<ExecutionTimes & { output: string }> {
    const stateMachineArn = this.#fleet.deployed.hub[machine];
    const arn = await until(`an execution of ${stateMachineArn} has started`, async () => {
      const { executions = [] } = await this.#workflows.send(new ListExecutionsCommand({ stateMachineArn }));
      return executions.find(({ startDate }) => startDate !== undefined && startDate.getTime() >= since)?.executionArn;
    });
    for (;;) {
      const execution = await this.#workflows.send(new DescribeExecutionCommand({ executionArn: arn }));
      const { status, output, stopDate } = execution;
      if (status === 'SUCCEEDED' && output !== undefined && stopDate !== undefined) {
        return { arn, endedAtMillis: stopDate.getTime(), output };
      }
      if (status !== 'RUNNING') throw new Error(`${arn} ${status}: ${execution.error} ${execution.cause}`);
      await sleep(POLL_MILLIS);
    }
  }
}
