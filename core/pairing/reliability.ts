/** How probabilities that were stated compare with what came of them, and how to correct them by that. */

/** A stated probability and whether what it was stated of came true. */
export interface Verdict {
  readonly predicted: number;
  readonly cameTrue: boolean;
}

export interface ReliabilityBin {
  /** Of predictions, from (inclusive). */
  readonly from: number;
  /** To (exclusive; the last one inclusive). */
  readonly to: number;
  readonly count: number;
  /** Mean of what was predicted; undefined in an empty bin. */
  readonly meanPredicted: number | undefined;
  /** Share that came true. */
  readonly shareTrue: number | undefined;
}

export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  readonly count: number;
  /** Expected calibration error: mean over the bins, by count, of |mean predicted − share true|. */
  readonly ece: number;
  /** Mean squared difference between prediction and outcome (Brier, 1950). */
  readonly brier: number;
}

/**
 * What a reliability plot shows.
 * @param predictions probabilities, 0 to 1
 * @param outcomes whether each came true, in the same order
 * @throws RangeError when the lengths differ or a prediction is no probability
 */
export function reliability(predictions: readonly number[], outcomes: readonly boolean[], binCount = 10): Reliability {
  if (predictions.length !== outcomes.length) {
    throw new RangeError(`expected as many outcomes as predictions, got ${outcomes.length} and ${predictions.length}`);
  }
  const sums = Array.from({ length: binCount }, () => ({ count: 0, predicted: 0, cameTrue: 0 }));
  let squares = 0;
  for (const [index, predicted] of predictions.entries()) {
    if (!(predicted >= 0 && predicted <= 1)) {
      throw new RangeError(`prediction ${index} is ${predicted}: expected a probability from 0 to 1`);
    }
    const bin = sums[Math.min(binCount - 1, Math.floor(predicted * binCount))];
    const actual = outcomes[index] === true ? 1 : 0;
    squares += (predicted - actual) ** 2;
    if (bin === undefined) continue;
    bin.count += 1;
    bin.predicted += predicted;
    bin.cameTrue += actual;
  }
  const count = predictions.length;
  const bins = sums.map((bin, index) => ({
    from: index / binCount,
    to: (index + 1) / binCount,
    count: bin.count,
    meanPredicted: bin.count === 0 ? undefined : bin.predicted / bin.count,
    shareTrue: bin.count === 0 ? undefined : bin.cameTrue / bin.count,
  }));
  const gaps = sums.reduce((total, bin) => total + Math.abs(bin.predicted - bin.cameTrue), 0);
  return { bins, count, ece: count === 0 ? 0 : gaps / count, brier: count === 0 ? 0 : squares / count };
}

/** A correction of probabilities. Its values never fall. */
export interface Calibration {
  /** Predictions with the corrected value of each, rising; between them the correction is interpolated. */
  readonly knots: readonly { readonly predicted: number; readonly corrected: number }[];
  /** Verdicts that it rests on; older ones may count for less than one. */
  readonly count: number;
}

/** What changes nothing. */
export const NO_CALIBRATION: Calibration = { knots: [], count: 0 };

/** Verdicts of one part of the scale; older ones may count for less than one. */
export interface VerdictBin {
  readonly count: number;
  /** Sum of what was predicted. */
  readonly predicted: number;
  /** How many came true. */
  readonly cameTrue: number;
}

/** Past verdicts in equal parts of the scale, from 0 to 1: all that calibration needs of them, of one size whatever their number. */
export type VerdictTally = readonly VerdictBin[];

const TALLY_BINS = 20;
/** What was stated counts as much as so many verdicts in each bin: few outcomes correct little. */
const PRIOR_VERDICTS = 10;

export const NO_VERDICTS: VerdictTally = Array.from({ length: TALLY_BINS }, () => ({
  count: 0,
  predicted: 0,
  cameTrue: 0,
}));

/**
 * A tally with more verdicts in it. Their order changes nothing.
 * @param keep what the verdicts that are in it already still count, 0 to 1
 * @throws RangeError when a prediction is no probability
 */
export function tallied(tally: VerdictTally, verdicts: readonly Verdict[], keep = 1): VerdictTally {
  for (const [index, { predicted }] of verdicts.entries()) {
    if (!(predicted >= 0 && predicted <= 1)) {
      throw new RangeError(`verdict ${index} predicted ${predicted}: expected a probability from 0 to 1`);
    }
  }
  const bins = NO_VERDICTS.map((_, index) => {
    const { count, predicted, cameTrue } = tally[index] ?? { count: 0, predicted: 0, cameTrue: 0 };
    return { count: count * keep, predicted: predicted * keep, cameTrue: cameTrue * keep };
  });
  // In the order of what was predicted, so that the sums are the same whatever the order that the verdicts came in.
  for (const { predicted, cameTrue } of [...verdicts].sort((a, b) => a.predicted - b.predicted)) {
    const bin = bins[Math.min(TALLY_BINS - 1, Math.floor(predicted * TALLY_BINS))];
    if (bin === undefined) continue;
    bin.count += 1;
    bin.predicted += predicted;
    bin.cameTrue += cameTrue ? 1 : 0;
  }
  return bins;
}

interface Block {
  /** Weighted sums; weight counts the prior in. */
  readonly predicted: number;
  readonly corrected: number;
  readonly weight: number;
}

function shrunkBins(tally: VerdictTally): Block[] {
  return tally
    .filter(({ count }) => count > 0)
    .map(({ count, predicted, cameTrue }) => {
      const weight = count + PRIOR_VERDICTS;
      const mean = predicted / count;
      return { predicted: mean * weight, corrected: cameTrue + PRIOR_VERDICTS * mean, weight };
    });
}

/** Pool-adjacent-violators (Ayer et al., 1955): neighbours of which the later one is lower become one. */
function rising(blocks: readonly Block[]): Block[] {
  const merged: Block[] = [];
  for (const block of blocks) {
    let current = block;
    for (let before = merged.at(-1); before !== undefined; before = merged.at(-1)) {
      if (before.corrected * current.weight < current.corrected * before.weight) break;
      merged.pop();
      current = {
        predicted: before.predicted + current.predicted,
        corrected: before.corrected + current.corrected,
        weight: before.weight + current.weight,
      };
    }
    merged.push(current);
  }
  return merged;
}

/**
 * Learns a correction from past verdicts: the share that came true in each part of the scale, drawn towards what was stated as if
 * a few more verdicts had agreed with it, then isotonic regression.
 */
export function calibrationOf(tally: VerdictTally): Calibration {
  const knots = rising(shrunkBins(tally)).map(({ predicted, corrected, weight }) => ({
    predicted: predicted / weight,
    corrected: corrected / weight,
  }));
  return { knots, count: tally.reduce((sum, { count }) => sum + count, 0) };
}

/** A probability as past outcomes correct it. Outside the knots it moves by as much as at the nearest one. */
export function calibrated(calibration: Calibration, predicted: number): number {
  const { knots } = calibration;
  const above = knots.findIndex((knot) => knot.predicted >= predicted);
  const [low, high] = [knots[above < 0 ? knots.length - 1 : above - 1], knots[above]];
  const nearest = high ?? low;
  if (nearest === undefined) return predicted;
  if (low === undefined || high === undefined) {
    return Math.min(1, Math.max(0, predicted + nearest.corrected - nearest.predicted));
  }
  const share = (predicted - low.predicted) / (high.predicted - low.predicted);
  return low.corrected + share * (high.corrected - low.corrected);
}
