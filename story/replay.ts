import type { HubApi } from '../cli/hub-api.ts';
import type { LoanView } from '../core/lending/disclosure.ts';
import { isOpen } from '../core/lending/loan.ts';
import type { StoryAccount } from './accounts.ts';
import type { AccountCloud, GroupSize } from './cloud.ts';
import { accountName, loanEvent } from './live.ts';
import { pause } from './pause.ts';
import type { Progress } from './progress.ts';
import type { AccountFrame, Frame } from './result.ts';
import { demandAt, neededUnits, SIZING } from './sizing.ts';
import { lowest } from './statistics.ts';
import type { TimeScale } from './time-scale.ts';
import { samplesPerHour, traceTime } from './time-scale.ts';
import type { Window } from './traces.ts';
import type { ScalingPolicy } from './workload.ts';
import { scalingPolicy, utilisation } from './workload.ts';

/** An account with everything that it acts with. */
export interface Player {
  readonly account: StoryAccount;
  readonly cloud: AccountCloud;
  readonly api: HubApi;
}

export interface Replay {
  readonly players: readonly Player[];
  readonly scale: TimeScale;
  readonly window: Window;
  /** Clock time of the first replayed sample, milliseconds since the epoch. */
  readonly startMillis: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Recording {
  readonly frames: readonly Frame[];
  readonly alarms: readonly { readonly sample: number; readonly accountName: string; readonly state: string }[];
  readonly loans: readonly LoanView[];
}

const LINES_PER_HOUR = 2;
/** Longest wait, in samples, for loans that are still open when the traces end. */
const WAITING_STEPS_MAX = 180;
/** Samples without an alarm and without an open loan after which the hub is no longer asked for loans. */
const QUIET_STEPS = 10;

/** The step of a trace with the least CPU. */
function quietestStep({ trace }: StoryAccount): number {
  const { cpu } = trace.utilisation;
  return cpu.indexOf(lowest(cpu));
}

/** One sample of one account: its own policy scales the group, then it publishes what it measures. */
async function playSample(
  player: Player,
  policy: ScalingPolicy,
  sample: number,
  at: number,
  scale: TimeScale,
): Promise<AccountFrame> {
  const { account, cloud } = player;
  const { trace, sizing } = account;
  // Past its end nothing is known: the workload goes quiet, so that no new loan is asked for and the open ones come back.
  const step = sample < trace.utilisation.cpu.length ? sample : quietestStep(account);
  const demand = demandAt(trace.utilisation, sizing, step);
  let group: GroupSize = await cloud.group();
  const desired = policy.desired(demand, group);
  if (desired !== group.desiredCapacity) {
    // A sample is longer than an instance takes to start, so what is measured already has the new instances.
    await cloud.setDesired(desired);
    group = await cloud.group();
  }
  const percent = utilisation(demand, group.inServiceUnits);
  await cloud.publish([{ atMillis: at, inServiceUnits: group.inServiceUnits, percent }], scale.stepSeconds);
  return {
    neededUnits: neededUnits(demand, SIZING.targetPercent),
    ceilingUnits: group.maxSize,
    desiredUnits: group.desiredCapacity,
    inServiceUnits: group.inServiceUnits,
    cpuPercent: percent.cpu ?? 0,
  };
}

/** A loan put together from what its parties are shown of it: each sees figures that the other does not. */
function together(known: LoanView, seen: LoanView): LoanView {
  const [older, newer] = known.version > seen.version ? [seen, known] : [known, seen];
  const reasons = [...new Set([...known.reasons, ...seen.reasons])];
  return { ...older, ...newer, moves: { ...older.moves, ...newer.moves }, reasons };
}

/** Remembers the states of alarms and loans, says every change, and knows when all is quiet. */
class Watch {
  readonly alarms: { sample: number; accountName: string; state: string }[] = [];
  readonly #replay: Replay;
  readonly #alarmStates = new Map<string, string>();
  readonly #loans = new Map<string, LoanView>();
  #quietSteps = QUIET_STEPS;

  constructor(replay: Replay) {
    this.#replay = replay;
  }

  get loans(): LoanView[] {
    return [...this.#loans.values()];
  }

  get hasOpenLoans(): boolean {
    return this.loans.some(isOpen);
  }

  async look(sample: number): Promise<void> {
    const states = await Promise.all(this.#replay.players.map(({ cloud }) => cloud.alarms()));
    for (const [index, alarms] of states.entries()) {
      for (const { name, state } of alarms) this.#noticeAlarm(index, name, state, sample);
    }
    const ringing = [...this.#alarmStates.values()].includes('ALARM');
    this.#quietSteps = ringing || this.hasOpenLoans ? 0 : this.#quietSteps + 1;
    if (this.#quietSteps <= QUIET_STEPS) await this.readLoans(sample);
  }

  /** Asks the hub for the loans of every account, each with its own credentials. */
  async readLoans(sample: number): Promise<void> {
    const lists = await Promise.all(this.#replay.players.map(({ api }) => api.loans()));
    for (const loan of lists.flat()) {
      const known = this.#loans.get(loan.loanId);
      this.#loans.set(loan.loanId, known === undefined ? loan : together(known, loan));
      if (known !== undefined && known.version >= loan.version) continue;
      const { players, progress, scale } = this.#replay;
      progress.say(
        `${traceTime(scale, sample)}  ${loanEvent(
          loan,
          players.map(({ account }) => account),
          scale,
        )}`,
      );
    }
  }

  #noticeAlarm(index: number, name: string, state: string, sample: number): void {
    const { players, progress, scale } = this.#replay;
    const account = players[index]?.account;
    const key = `${account?.accountId}/${name}`;
    const before = this.#alarmStates.get(key);
    this.#alarmStates.set(key, state);
    if (before === state || (before !== 'ALARM' && state !== 'ALARM')) return;
    this.alarms.push({ sample, accountName: account?.name ?? '', state });
    progress.say(`${traceTime(scale, sample)}  alarm ${name} is ${state}`);
  }
}

function sayFrame(replay: Replay, frame: Frame): void {
  const { players, progress, scale } = replay;
  const parts = frame.accounts.map((observed, index) => {
    const name = players[index]?.account.name ?? '';
    return `${name} ${observed.inServiceUnits}/${observed.ceilingUnits} at ${observed.cpuPercent.toFixed(0).padStart(3)} %`;
  });
  progress.say(`${traceTime(scale, frame.sample)}  ${parts.join('  ')}`);
}

function sayCeilings(replay: Replay, frame: Frame, previous: Frame | undefined): void {
  for (const [index, observed] of frame.accounts.entries()) {
    const before = previous?.accounts[index]?.ceilingUnits;
    if (before === undefined || before === observed.ceilingUnits) continue;
    const { players, progress, scale } = replay;
    const name = accountName(
      players.map(({ account }) => account),
      players[index]?.account.accountId,
    );
    progress.say(`${traceTime(scale, frame.sample)}  ceiling of ${name}: ${before} → ${observed.ceilingUnits}`);
  }
}

/**
 * Plays the hours after the history: every sample at its moment, until the traces end and every loan has come back.
 * @throws Error when loans are still open long after the end
 */
export async function replayHours(replay: Replay): Promise<Recording> {
  const { players, scale, window, startMillis, signal, progress } = replay;
  const policies = players.map(() => scalingPolicy());
  const watch = new Watch(replay);
  const frames: Frame[] = [];
  const sayEvery = Math.max(1, Math.round(samplesPerHour(scale) / LINES_PER_HOUR));
  for (let step = 0; step < window.replaySteps || watch.hasOpenLoans; step += 1) {
    if (step === window.replaySteps)
      progress.say('the traces end here; the workloads go quiet until every loan is back');
    if (step > window.replaySteps + WAITING_STEPS_MAX) {
      const open = watch.loans.filter(isOpen).map((loan) => `${loan.loanId} is ${loan.state}`);
      throw new Error(`loans have not come back: ${open.join(', ')}`);
    }
    const atMillis = startMillis + step * scale.stepSeconds * 1_000;
    await pause(atMillis - Date.now(), signal);
    const sample = window.historySteps + step;
    const accounts = await Promise.all(
      players.map((player, index) => playSample(player, policies[index] ?? scalingPolicy(), sample, atMillis, scale)),
    );
    const frame = { sample, atMillis, accounts };
    sayCeilings(replay, frame, frames.at(-1));
    frames.push(frame);
    if (step % sayEvery === 0) sayFrame(replay, frame);
    await watch.look(sample);
  }
  await watch.readLoans(window.historySteps + frames.length - 1);
  return { frames, alarms: watch.alarms, loans: watch.loans };
}
