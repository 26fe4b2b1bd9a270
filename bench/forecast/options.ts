import { MODEL_NAMES } from '../../models/members.ts';
import { WrongUse } from '../wrong-use.ts';
import type { PeerForecaster } from './peers.ts';
import { PEERS } from './peers.ts';
import { SET_KEYS } from './sets.ts';
import { FLOOR } from './subject.ts';

export interface ForecastBenchOptions {
  /** Folder with m4-hourly, nab and azure-v1. */
  readonly data: string;
  /** Keys of the sets to forecast. */
  readonly sets: readonly string[];
  /** Of each set, one window in so many. */
  readonly every: number;
  /** Without the floor, which is always among them. */
  readonly members: readonly string[];
  readonly peers: readonly PeerForecaster[];
  /** Share of the windows for slow peers; undefined: each its own. */
  readonly peerEvery: number | undefined;
}

const NONE = 'none';

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new WrongUse(`--${option} ${text}: expected a whole number from 1`);
}

/** The names of a list, all of which must be known. */
function namesOf(option: string, text: string, known: readonly string[], orElse?: string): string[] {
  const choice = [...known, ...(orElse === undefined ? [] : [orElse])].join(', ');
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new WrongUse(`--${option} ${text}: "${unknown}" is not known, there is ${choice}`);
  }
  if (names.length === 0) throw new WrongUse(`--${option}: expected at least one of ${choice}`);
  return [...new Set(names)];
}

/** @throws WrongUse */
export function readForecastOptions(given: Readonly<Record<string, string>>): ForecastBenchOptions {
  const { data, sets, every, members, peers, 'peer-every': peerEvery } = given;
  if (data === undefined) {
    throw new WrongUse('forecast needs --data DIR, the folder with m4-hourly, nab and azure-v1');
  }
  const memberNames = members === undefined ? MODEL_NAMES : namesOf('members', members, [FLOOR, ...MODEL_NAMES]);
  const known = PEERS.map(({ name }) => name);
  const peerNames = peers === undefined ? known : peers.trim() === NONE ? [] : namesOf('peers', peers, known, NONE);
  return {
    data,
    sets: sets === undefined ? SET_KEYS : namesOf('sets', sets, SET_KEYS),
    every: every === undefined ? 1 : wholeNumber('every', every),
    members: memberNames.filter((name) => name !== FLOOR),
    peers: PEERS.filter(({ name }) => peerNames.includes(name)),
    peerEvery: peerEvery === undefined ? undefined : wholeNumber('peer-every', peerEvery),
  };
}
