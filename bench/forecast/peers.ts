import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SplQuantiles } from './measures.ts';
import type { TimedForecast } from './outcome.ts';
import type { Requirements } from './peer-packages.ts';
import { pythonWith } from './peer-packages.ts';
import type { ForecastWindow } from './windows.ts';

/** A forecaster that ours is measured beside. */
export interface PeerForecaster {
  /** As peers.py knows it. */
  readonly name: string;
  readonly title: string;
  readonly requirements: Requirements;
  /** Of each set, one window in so many is forecast, unless the command says otherwise. */
  readonly every: number;
  /** Whether it is fast enough for the hourly checks too. */
  readonly forecastsChecks: boolean;
}

const STATISTICAL: Requirements = { file: 'requirements.txt', what: 'statsforecast and Prophet, 0.6 GB,' };
const NEURAL: Requirements = { file: 'fracast-requirements.txt', what: 'Fracast with PyTorch, 5 GB,' };
/** Tens of seconds a series. */
const VERY_SLOW_EVERY = 48;
const SLOW_EVERY = 4;

/** Speed is told against it. */
export const AUTO_ARIMA = 'auto-arima';
/** The quantiles are told against it. */
export const FRACAST = 'fracast';

export const PEERS: readonly PeerForecaster[] = [
  { name: FRACAST, title: 'Fracast-0', requirements: NEURAL, every: 1, forecastsChecks: true },
  {
    name: 'dynamic-optimized-theta',
    title: 'DynamicOptimizedTheta',
    requirements: STATISTICAL,
    every: 1,
    forecastsChecks: false,
  },
  { name: 'prophet', title: 'Prophet (Python)', requirements: STATISTICAL, every: SLOW_EVERY, forecastsChecks: false },
  {
    name: 'mstl-auto-arima',
    title: 'MSTL + AutoARIMA',
    requirements: STATISTICAL,
    every: SLOW_EVERY,
    forecastsChecks: false,
  },
  { name: AUTO_ARIMA, title: 'AutoARIMA', requirements: STATISTICAL, every: VERY_SLOW_EVERY, forecastsChecks: false },
];

type Answer =
  | { readonly id: string; readonly error: string }
  | {
      readonly id: string;
      readonly points: readonly number[];
      readonly quantiles: SplQuantiles;
      readonly cpuMillis: number;
    };

/** What a peer made of the windows. */
export interface PeerForecasts {
  /** For each window in their order; undefined where it failed. */
  readonly forecasts: readonly (TimedForecast | undefined)[];
  /** What it failed of, without repetition. */
  readonly reasons: readonly string[];
}

const script = fileURLToPath(new URL('peers.py', import.meta.url));

interface Running {
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

function lineOf({ id, values, startMillis, stepSeconds, seasons, actual }: ForecastWindow): string {
  return `${JSON.stringify({ id, values, startMillis, stepSeconds, seasons, horizonSteps: actual.length })}\n`;
}

/** Answers of a peer, one a window. The shortest history is forecast once more before them all, to warm up. */
async function* answers(
  python: string,
  peer: PeerForecaster,
  windows: readonly ForecastWindow[],
  signal: AbortSignal,
): AsyncGenerator<Answer> {
  const child = spawn(python, [script, peer.name], { stdio: ['pipe', 'pipe', 'pipe'], signal });
  const ended = once(child, 'close') as Promise<[number | null]>;
  // Told where it is awaited; the process may end before that.
  ended.catch(() => undefined);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2_000);
  });
  // A process that ended early takes no more lines: its exit code and complaints say why.
  child.stdin.on('error', () => undefined);
  const shortest = windows.toSorted((a, b) => a.values.length - b.values.length).slice(0, 1);
  child.stdin.end([...shortest, ...windows].map(lineOf).join(''));
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (count > 0) yield JSON.parse(line) as Answer;
    count += 1;
  }
  const [code] = await ended;
  if (code !== 0 || count !== windows.length + 1) {
    const last = complaints.trim().split('\n').at(-1) ?? '';
    throw new Error(
      `${peer.title} ended with exit code ${code} after ${count} of ${windows.length + 1} series: ${last}`,
    );
  }
}

const SAY_EVERY_MILLIS = 30_000;

/**
 * Forecasts the windows with a peer, in a process of its own.
 * @throws Error when it cannot be installed or ends early
 */
export async function runPeer(
  peer: PeerForecaster,
  windows: readonly ForecastWindow[],
  { say, signal }: Running,
): Promise<PeerForecasts> {
  const python = await pythonWith([peer.requirements], say, signal);
  const forecasts: (TimedForecast | undefined)[] = [];
  const reasons = new Set<string>();
  let saidAt = Date.now();
  for await (const answer of answers(python, peer, windows, signal)) {
    const window = windows[forecasts.length];
    if (window?.id !== answer.id) throw new Error(`${peer.title}: answered ${answer.id}, expected ${window?.id}`);
    if ('error' in answer) reasons.add(answer.error);
    forecasts.push('error' in answer ? undefined : { ...answer, window, failed: [] });
    if (Date.now() - saidAt < SAY_EVERY_MILLIS) continue;
    saidAt = Date.now();
    say(`${peer.title}: ${forecasts.length} of ${windows.length} series`);
  }
  return { forecasts, reasons: [...reasons] };
}
