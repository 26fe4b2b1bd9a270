import type { Comparison, PeerRun } from './forecast/comparison.ts';
import { comparisonsOf } from './forecast/comparison.ts';
import { forecastMarkdown } from './forecast/markdown.ts';
import type { ForecastBenchOptions } from './forecast/options.ts';
import { readForecastOptions } from './forecast/options.ts';
import type { SetOutcome } from './forecast/outcome.ts';
import { forecastWindows } from './forecast/outcome.ts';
import { comparisonRows, peerFailureRows, speedRows } from './forecast/peer-rows.ts';
import type { PeerForecaster } from './forecast/peers.ts';
import { AUTO_ARIMA, runPeer } from './forecast/peers.ts';
import { ownRows } from './forecast/rows.ts';
import { loadSets } from './forecast/sets.ts';
import type { Subject } from './forecast/subject.ts';
import { PROPHET, subjectOf } from './forecast/subject.ts';
import type { WindowSet } from './forecast/windows.ts';
import type { BenchOptions, BenchReport } from './report.ts';

const NOTES = [
  'OWA, sMAPE, MASE: as in the M4 competition, each error averaged over the series first. rel: MASE divided by that of repeating the last day. SPL: twice the pinball loss, averaged over the levels .025 .1 .5 .9 .975 and the horizon, divided by the scale of MASE.',
  'Windows: M4 hourly with its official test values, 48 hours ahead. NAB, Azure, aggregates: 24 hours ahead from at most 14 days of hourly means; those whose history never changes from day to day are left out.',
  'Bottleneck: the highest value of the horizon exceeds the 90th, 95th or 99th percentile of the history. BSS: Brier skill against the share of such events among the same windows. ECE: ten bins.',
  'Checks lie outside of the development windows: M4 two days before the official origin, Azure machines that are not among them (hourly means, hourly maxima, 5-minute readings a day ahead), aggregates from ten more days before theirs. Among the worst: the largest errors of a set, relative to its scale.',
  'CPU time: user and system time of the process, threads and children included, one window after the other, after a first one to warm up; ours and the others in the same run.',
  'Rows with another forecaster compare both on the same windows. Intervals of statsforecast are its own at 80 % and 95 %, those of Prophet its predictive samples; Fracast tells levels from .1 to .9, from which a normal tail leads on to .025 and .975.',
];

async function measureSets(
  subject: Subject,
  sets: readonly WindowSet[],
  { say, signal }: BenchOptions,
): Promise<SetOutcome[]> {
  const outcomes: SetOutcome[] = [];
  for (const set of sets) {
    // The first window also pays for loading models and for compiling: it is made once more, unmeasured.
    if (outcomes.length === 0) await forecastWindows(subject, set.windows.slice(0, 1), signal);
    const forecasts = await forecastWindows(subject, set.windows, signal);
    say(`${set.name}: ${forecasts.length} windows forecast`);
    outcomes.push({ set, forecasts });
  }
  return outcomes;
}

const SECONDS_PER_HOUR = 3_600;

function isFor({ forecastsChecks }: PeerForecaster, { role, windows }: WindowSet): boolean {
  return role === 'development' || (forecastsChecks && windows[0]?.stepSeconds === SECONDS_PER_HOUR);
}

/** The peers one after the other, each on its share of the windows. */
async function runPeers(
  { peers, peerEvery }: ForecastBenchOptions,
  sets: readonly WindowSet[],
  { say, signal }: BenchOptions,
): Promise<PeerRun[]> {
  const runs: PeerRun[] = [];
  for (const peer of peers) {
    const every = peer.every === 1 ? 1 : (peerEvery ?? peer.every);
    const sampled = sets
      .filter((set) => isFor(peer, set))
      .map((set) => ({ ...set, windows: set.windows.filter((_, index) => index % every === 0) }));
    const windows = sampled.flatMap((set) => set.windows);
    if (windows.length === 0) continue;
    say(`${peer.title}: ${windows.length} windows`);
    const made = await runPeer(peer, windows, { say, signal });
    for (const reason of made.reasons) say(`${peer.title} failed: ${reason}`);
    runs.push({ peer, every, sets: sampled, made });
  }
  return runs;
}

/** The windows that AutoARIMA had, forecast by the same forecaster without Prophet, beside AutoARIMA. */
async function withoutProphet(
  { members }: ForecastBenchOptions,
  runs: readonly PeerRun[],
  options: BenchOptions,
): Promise<Comparison[]> {
  const run = runs.find(({ peer }) => peer.name === AUTO_ARIMA);
  if (run === undefined) return [];
  const subject = await subjectOf(members.filter((name) => name !== PROPHET));
  try {
    const outcomes = await measureSets(subject, run.sets, options);
    return comparisonsOf(
      run,
      outcomes.flatMap(({ forecasts }) => forecasts),
    );
  } finally {
    await subject.close();
  }
}

/** The forecaster on public series, beside other forecasters on the same series in the same run. */
export async function benchForecast(options: BenchOptions): Promise<BenchReport> {
  const { seed, say } = options;
  const asked = readForecastOptions(options.given);
  const sets = loadSets(asked.data, asked.sets, asked.every).filter(({ windows }) => windows.length > 0);
  const subject = await subjectOf(asked.members);
  say(`${sets.length} sets, ${subject.name}`);
  try {
    const outcomes = await measureSets(subject, sets, options);
    const runs = await runPeers(asked, sets, options);
    const ours = outcomes.flatMap(({ forecasts }) => forecasts);
    const comparisons = runs.flatMap((run) => comparisonsOf(run, ours));
    const rows = [
      ...ownRows(outcomes),
      ...comparisons.flatMap(comparisonRows),
      ...runs.flatMap(peerFailureRows),
      ...speedRows(await withoutProphet(asked, runs, options), 'without'),
      ...(asked.members.includes(PROPHET) ? speedRows(comparisons, 'with') : []),
    ];
    const markdown = forecastMarkdown(rows, outcomes, comparisons, NOTES);
    return { bench: 'forecast', seed, rows, notes: NOTES, markdown };
  } finally {
    await subject.close();
  }
}
