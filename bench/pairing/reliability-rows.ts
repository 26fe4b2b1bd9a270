import { reliability } from '../../core/pairing/reliability.ts';
import type { BenchRow } from '../report.ts';
import { limitRow, plainRow, ratioRow } from '../report.ts';
import type { JudgedConfidence } from './calibration.ts';

const ECE_MAX = 0.05;
const NORMAL_95 = 1.959964;
/** Confidence of "0.8". */
const NEAR = { from: 0.75, to: 0.85 };
const PEER = 'as the forecasts say';

/** Where a share lies with a probability of 95 %. Source: Wilson 1927, Probable inference, Journal of the American Statistical Association 22. */
export function shareInterval(hits: number, count: number): { readonly low: number; readonly high: number } {
  if (count === 0) return { low: 0, high: 1 };
  const share = hits / count;
  const spread = NORMAL_95 ** 2 / count;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (NORMAL_95 * Math.sqrt((share * (1 - share)) / count + spread / (4 * count))) / (1 + spread);
  return { low: middle - half, high: middle + half };
}

function calibrationError(judged: readonly JudgedConfidence[], which: 'stated' | 'corrected'): number {
  return reliability(
    judged.map((each) => each[which]),
    judged.map(({ cameTrue }) => cameTrue),
  ).ece;
}

interface Near {
  readonly count: number;
  readonly delivered: number;
  readonly meanConfidence: number;
}

function nearOf(judged: readonly JudgedConfidence[], which: 'stated' | 'corrected'): Near {
  const near = judged.filter((each) => each[which] >= NEAR.from && each[which] < NEAR.to);
  const sum = near.reduce((total, each) => total + each[which], 0);
  return {
    count: near.length,
    delivered: near.filter(({ cameTrue }) => cameTrue).length,
    meanConfidence: near.length === 0 ? 0 : sum / near.length,
  };
}

/** The share that was delivered where the confidence is about 0.8: its interval has to hold the mean confidence there. */
function nearRow(name: string, judged: readonly JudgedConfidence[]): BenchRow[] {
  const [corrected, stated] = [nearOf(judged, 'corrected'), nearOf(judged, 'stated')];
  if (corrected.count === 0 || stated.count === 0) return [];
  const { low, high } = shareInterval(corrected.delivered, corrected.count);
  const measure = `${name}: share delivered at a confidence of ${NEAR.from} to ${NEAR.to}`;
  const row = plainRow(measure, corrected.delivered / corrected.count, 'share', corrected.count);
  const mean = corrected.meanConfidence;
  return [
    {
      ...ratioRow(row, { name: `${PEER} (n = ${stated.count})`, value: stated.delivered / stated.count }),
      goal: `95 % interval (${low.toFixed(3)} to ${high.toFixed(3)}) holds the mean confidence (${mean.toFixed(3)})`,
      met: low <= mean && mean <= high,
    },
  ];
}

/** How well a confidence says how often pairs deliver, beside what the forecasts alone say. */
export function reliabilityRows(name: string, judged: readonly JudgedConfidence[]): BenchRow[] {
  const row = limitRow(
    `${name}: calibration error`,
    calibrationError(judged, 'corrected'),
    'ECE',
    ECE_MAX,
    judged.length,
  );
  const { goal, met } = row;
  const beside = { ...ratioRow(row, { name: PEER, value: calibrationError(judged, 'stated') }), goal, met };
  return [beside, ...nearRow(name, judged)];
}
