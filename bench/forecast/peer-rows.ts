import type { BenchRow } from '../report.ts';
import { plainRow, ratioRow } from '../report.ts';
import type { Comparison, PeerRun } from './comparison.ts';
import { DAY_AHEAD, DEVELOPMENT } from './comparison.ts';
import { AUTO_ARIMA, FRACAST } from './peers.ts';
import { atLeastRow } from './rows.ts';

const SPL_RATIO_MAX = 1.03;
const SPEED_MIN = { without: 500, with: 50 };

type Measure = 'owa' | 'rel' | 'spl' | 'coverage80' | 'coverage95' | 'cpuMillis';

const MEASURES: readonly { readonly key: Measure; readonly title: string; readonly unit: string }[] = [
  { key: 'owa', title: 'OWA', unit: 'x' },
  { key: 'rel', title: 'rel', unit: 'x' },
  { key: 'spl', title: 'SPL', unit: 'x' },
  { key: 'coverage80', title: 'coverage of 80 %', unit: 'share' },
  { key: 'coverage95', title: 'coverage of 95 %', unit: 'share' },
  { key: 'cpuMillis', title: 'CPU time a series', unit: 'ms' },
];

const sampleOf = (every: number): string => (every === 1 ? '' : `, 1 window in ${every}`);

/** Ours beside a peer's. */
export function comparisonRows({ peer, every, windows, ours, theirs }: Comparison): BenchRow[] {
  return MEASURES.flatMap(({ key, title, unit }) => {
    const [value, peerValue] = [ours[key], theirs[key]];
    if (value === undefined || peerValue === undefined) return [];
    const base = plainRow(`${windows}${sampleOf(every)}: ${title}`, value, unit, ours.n);
    const hasGoal = key === 'spl' && peer.name === FRACAST && windows === DAY_AHEAD;
    return [ratioRow(base, { name: peer.title, value: peerValue }, hasGoal ? SPL_RATIO_MAX : undefined)];
  });
}

/** How many series a peer failed on, if any. */
export function peerFailureRows({ peer, every, made }: PeerRun): BenchRow[] {
  const failures = made.forecasts.filter((forecast) => forecast === undefined).length;
  const measure = `series in which ${peer.title} failed${sampleOf(every)}`;
  return failures === 0 ? [] : [plainRow(measure, failures, 'series', made.forecasts.length)];
}

/**
 * How many times our CPU time AutoARIMA takes on the same series.
 * @param comparisons of ours with or without Prophet among its members
 */
export function speedRows(comparisons: readonly Comparison[], prophet: 'with' | 'without'): BenchRow[] {
  return comparisons
    .filter(({ peer, windows }) => peer.name === AUTO_ARIMA && windows === DEVELOPMENT)
    .map(({ every, ours, theirs }) => {
      const measure = `${DEVELOPMENT}${sampleOf(every)}: CPU time of AutoARIMA divided by ours ${prophet} Prophet`;
      return atLeastRow(measure, theirs.cpuMillis / ours.cpuMillis, 'times', SPEED_MIN[prophet], ours.n);
    });
}
