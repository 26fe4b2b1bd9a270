/** What goes wrong in a world, and how often. */
import type { Random } from './random.ts';

/** Probabilities; each world has some of them above 0. */
export interface FaultRates {
  /** Of a call to AWS: the function dies before it takes effect, or after. */
  readonly crash: number;
  /** Of a call to AWS: throttled, or failed without effect. */
  readonly throttle: number;
  /** Of a call to AWS: it takes effect, and who made it is told that it failed. */
  readonly lostAnswer: number;
  /** Of a write: refused because another is being written. */
  readonly conflict: number;
  /** Of a call to AWS: takes many seconds, perhaps longer than the function may. */
  readonly slowCall: number;
  /** Of a call of a function by a workflow: it is not started, its answer is lost, or it is started twice. */
  readonly invoke: number;
  readonly lostEvent: number;
  readonly repeatedEvent: number;
  readonly lateEvent: number;
  readonly lostSchedule: number;
  readonly lateSchedule: number;
  readonly failedLaunch: number;
  readonly slowInstance: number;
  /** Of a minute of a pool: its owner changes the group. */
  readonly foreignChange: number;
  /** Of a minute of an account: its owner changes one of its Capacity Reservations. */
  readonly reservationChange: number;
  /** Of a new reservation or share: it is not found for some seconds; of an allocation: it fails, or a warning comes late. */
  readonly reservationFault: number;
  /** Of a minute of an account: its owner changes or revokes its consent, ends a pairing, gives a loan back. */
  readonly ownerAct: number;
  /** Of a loan that is just made: somebody wants something of it in the middle of its term. */
  readonly meddling: number;
  /** Of a minute of a pool: its alarms change their state for nothing. */
  readonly alarmStorm: number;
}

/** Most by which the clock of a function is wrong, in milliseconds. */
export interface Skew {
  readonly mostMillis: number;
}

const NEVER: FaultRates = {
  crash: 0,
  throttle: 0,
  lostAnswer: 0,
  conflict: 0,
  slowCall: 0,
  invoke: 0,
  lostEvent: 0,
  repeatedEvent: 0,
  lateEvent: 0,
  lostSchedule: 0,
  lateSchedule: 0,
  failedLaunch: 0,
  slowInstance: 0,
  foreignChange: 0,
  reservationChange: 0,
  reservationFault: 0,
  ownerAct: 0,
  meddling: 0,
  alarmStorm: 0,
};

/** The most that each is in a stormy world. */
const STORM: FaultRates = {
  crash: 0.03,
  throttle: 0.05,
  lostAnswer: 0.04,
  conflict: 0.05,
  slowCall: 0.02,
  invoke: 0.06,
  lostEvent: 0.5,
  repeatedEvent: 0.6,
  lateEvent: 0.5,
  lostSchedule: 0.5,
  lateSchedule: 0.5,
  failedLaunch: 0.4,
  slowInstance: 0.4,
  foreignChange: 0.01,
  reservationChange: 0.01,
  reservationFault: 0.5,
  ownerAct: 0.02,
  meddling: 0.8,
  alarmStorm: 0.02,
};

/** Nothing goes wrong any more. */
export function calm(): FaultRates {
  return NEVER;
}

/** One world in eight is calm; in the others some kinds of fault come, each as often as it falls out. */
export function drawFaults(random: Random): FaultRates {
  if (random.chance(0.125)) return NEVER;
  const share = random.pick([0.3, 0.6, 1]);
  const entries = Object.entries(STORM).map(([kind, most]): [string, number] => [
    kind,
    random.chance(share) ? most * random.next() ** 2 : 0,
  ]);
  return { ...NEVER, ...Object.fromEntries(entries) };
}

export function drawSkew(random: Random): Skew {
  return { mostMillis: random.pick([0, 50, 500, 2_000]) };
}
