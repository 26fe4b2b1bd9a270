import { describe, expect, it } from '@jest/globals';
import type { PairOutlook } from '../../../core/pairing/outlook.ts';
import { calibrated } from '../../../core/pairing/reliability.ts';
import type { MeasuredPool, PairPrediction } from '../../../core/pairing/verdicts.ts';
import {
  awaiting,
  calibrationFor,
  isJudgeable,
  JUDGED_MILLIS,
  judged,
  measuredNeed,
  NOTHING_JUDGED,
  predictionOf,
  predictionsOf,
  sinceOnly,
  takesPredictions,
  verdictOf,
} from '../../../core/pairing/verdicts.ts';
import type { AccountId, PoolId } from '../../../core/units.ts';
import { accountId, plusMillis, poolId } from '../../../core/units.ts';
import { BORROWER, LENDER, metricOf, NOW, poolOf } from '../../support/fixtures.ts';

const HOUR_MILLIS = 3_600_000;
const idOf = (account: AccountId): PoolId => poolId(account, 'eu-west-1', 'web');
const SPEC = { resources: { cpu: metricOf({ thresholdPercent: 100 }) } };

/** What a lender of 10 units is expected to give to a borrower of 10. */
function prediction(expectedUnitsBySlot: readonly number[], overrides: Partial<PairPrediction> = {}): PairPrediction {
  return {
    lenderPoolId: idOf(LENDER),
    borrowerPoolId: idOf(BORROWER),
    unitRatio: 1,
    lenderOwnUnits: 10,
    borrowerOwnUnits: 10,
    startMillis: NOW,
    stepSeconds: 3_600,
    expectedUnitsBySlot,
    forecastConfidence: 0.8,
    ...overrides,
  };
}

/** A pool that needed so many units, hour by hour from NOW on. */
function needed(units: readonly (number | null)[]): MeasuredPool {
  const values = units.map((each) => (each === null ? null : Math.max(0, each - 0.5)));
  return { spec: SPEC, history: { cpu: { stepSeconds: 3_600, startMillis: NOW, values } } };
}

function outlookOf(expectedUnitsBySlot: readonly number[], stepSeconds = 3_600): PairOutlook {
  const none = { low: 0, mid: 0, high: 0, expected: 0 } as unknown as PairOutlook['saving'];
  return {
    startMillis: NOW,
    stepSeconds,
    expectedUnitsBySlot,
    expectedUnits: 1,
    forecastConfidence: 0.8,
    confidence: 0.7,
    saving: none,
  };
}

describe('predictionOf', () => {
  const lender = poolOf(LENDER, { ownedUnits: 12, lentUnits: 3 });
  const borrower = poolOf(BORROWER, { ownedUnits: 8, lentUnits: 1 });
  const candidate = { lender, borrower, unitRatio: 1 };

  it('keeps the first day, in whole units, with what both sides have and what was not corrected', () => {
    const expected = [0.2, 0, 1.5, ...Array<number>(45).fill(3)];
    expect(predictionOf(candidate, outlookOf(expected))).toEqual({
      lenderPoolId: lender.spec.poolId,
      borrowerPoolId: borrower.spec.poolId,
      unitRatio: 1,
      lenderOwnUnits: 8,
      borrowerOwnUnits: 7,
      startMillis: NOW,
      stepSeconds: 3_600,
      expectedUnitsBySlot: [1, 0, 2, ...Array<number>(21).fill(3)],
      forecastConfidence: 0.8,
    });
  });

  it('is none where nothing is expected on the first day', () => {
    expect(predictionOf(candidate, outlookOf([...Array<number>(24).fill(0), 5]))).toBeUndefined();
    expect(predictionOf(candidate, outlookOf([]))).toBeUndefined();
  });
});

describe('predictionsOf', () => {
  it('lasts from the first slot to the end of the last one, whatever the order', () => {
    const early = prediction([1, 1], { startMillis: NOW - HOUR_MILLIS });
    const late = prediction([1, 1, 1, 1], { borrowerPoolId: idOf(accountId('333333333333')) });
    const predictions = predictionsOf([late, early], NOW);
    expect(predictions).toEqual({ from: NOW - HOUR_MILLIS, until: NOW + 4 * HOUR_MILLIS, pairs: [early, late] });
    expect(predictionsOf([early, late], NOW)).toEqual(predictions);
    expect(predictionsOf([], NOW)).toBeUndefined();
  });

  it('keeps no more than a bucket may have', () => {
    const many = Array.from({ length: 5_003 }, (_, index) =>
      prediction([1], { borrowerPoolId: idOf(String(100_000_000_000 + index) as AccountId) }),
    );
    const kept = predictionsOf(many.toReversed(), NOW)?.pairs;
    expect(kept).toHaveLength(5_000);
    expect(kept?.[0]).toBe(many[0]);
  });
});

describe('measuredNeed', () => {
  const grid = { startMillis: NOW, stepMillis: HOUR_MILLIS, slots: 2 };

  it('is the most of the steps in a slot and of the resource types', () => {
    const quarter = { stepSeconds: 900, startMillis: NOW };
    const pool: MeasuredPool = {
      spec: { resources: { cpu: metricOf({ thresholdPercent: 50 }), memory: metricOf({ thresholdPercent: 100 }) } },
      history: {
        cpu: { ...quarter, values: [0.9, 0.9, 2.4, 0.9, 0.9, 0.9, 0.9, 0.9] },
        memory: { ...quarter, values: [1, 1, 1, 1, 6.5, 1, 1, 1] },
      },
    };
    expect([...measuredNeed(pool, grid)]).toEqual([5, 7]);
  });

  it('is not known where anything is missing', () => {
    expect([...measuredNeed(needed([3, null]), grid)]).toEqual([3, Number.NaN]);
    expect([...measuredNeed(needed([3]), grid)]).toEqual([3, Number.NaN]);
    expect([...measuredNeed({ spec: SPEC, history: {} }, grid)]).toEqual([Number.NaN, Number.NaN]);
  });

  it('needs no more of a history than the time that is judged', () => {
    const whole = { ...needed([9, 3, 4, 9]), extra: true };
    const from = plusMillis(NOW, HOUR_MILLIS);
    const cut = sinceOnly(whole, from, plusMillis(from, 2 * HOUR_MILLIS));
    expect(cut.history.cpu).toMatchObject({ startMillis: from, values: [2.5, 3.5] });
    expect([...measuredNeed(cut, { ...grid, startMillis: from })]).toEqual([3, 4]);
    expect(sinceOnly(whole, NOW, NOW).history.cpu?.values).toEqual([]);
  });
});

describe('verdictOf', () => {
  it('says whether at least nine tenths of what was asked for could be given', () => {
    const asked = needed([12, 12, 10, 15]);
    const expected = prediction([2, 2, 2, 2]);
    expect(verdictOf(expected, needed([8, 8, 8, 8]), asked)).toEqual({ predicted: 0.8, cameTrue: true });
    expect(verdictOf(expected, needed([8, 8, 8, 10]), asked)).toEqual({ predicted: 0.8, cameTrue: false });
    // In the third hour nothing was asked for.
    expect(verdictOf(expected, needed([8, 8, 10, 8]), asked)).toEqual({ predicted: 0.8, cameTrue: true });
  });

  it('is none where nothing was asked for, or too little was measured', () => {
    const expected = prediction([2, 2, 2, 2]);
    expect(verdictOf(expected, needed([1, 1, 1, 1]), needed([10, 9, 8, 10]))).toBeUndefined();
    expect(verdictOf(expected, needed([1, 1, 1, 1]), needed([12, null, null, null]))).toBeUndefined();
    expect(verdictOf(expected, needed([null, 10, 1, null]), needed([12, null, 12, 12]))).toBeUndefined();
    // Half is enough; what is not known counts neither way.
    expect(verdictOf(expected, needed([8, null, 8, 8]), needed([12, 12, null, 11]))).toMatchObject({ cameTrue: true });
  });

  it('counts a larger borrower in whole units of its own', () => {
    const expected = prediction([2], { unitRatio: 3 });
    expect(verdictOf(expected, needed([4]), needed([12]))).toMatchObject({ cameTrue: true });
    expect(verdictOf(expected, needed([5]), needed([12]))).toMatchObject({ cameTrue: false });
  });
});

describe('the reliability of a bucket', () => {
  const predictions = { from: NOW, until: plusMillis(NOW, JUDGED_MILLIS), pairs: [prediction([1])] };
  const pending = awaiting(NOTHING_JUDGED, predictions);
  const verdicts = Array.from({ length: 40 }, (_, index) => ({ predicted: 0.9, cameTrue: index % 2 === 0 }));

  it('waits until the day has passed, and takes no other predictions before it is judged', () => {
    expect(isJudgeable(NOTHING_JUDGED, NOW)).toBe(false);
    expect(takesPredictions(NOTHING_JUDGED, NOW)).toBe(true);
    expect(isJudgeable(pending, plusMillis(predictions.until, -1))).toBe(false);
    expect(isJudgeable(pending, predictions.until)).toBe(true);
    expect(takesPredictions(pending, predictions.until)).toBe(false);
    // What could not be judged for a day is given up.
    expect(takesPredictions(pending, plusMillis(predictions.until, JUDGED_MILLIS))).toBe(true);
  });

  it('counts a day once: with its verdicts nothing is pending any more', () => {
    const after = judged(pending, verdicts, predictions.until);
    expect(after).toMatchObject({ version: 2, verdicts: 40, judgedUntil: predictions.until });
    expect(isJudgeable(after, plusMillis(predictions.until, JUDGED_MILLIS))).toBe(false);
    expect(takesPredictions(after, predictions.until)).toBe(true);
    expect(calibrated(calibrationFor(after), 0.9)).toBeCloseTo((20 + 10 * 0.9) / 50, 12);
    expect(calibrated(calibrationFor(pending), 0.9)).toBe(0.9);
  });

  it('lets old verdicts count half after four weeks', () => {
    const first = judged(pending, verdicts, predictions.until);
    const later = judged(first, [], plusMillis(predictions.until, 28 * JUDGED_MILLIS));
    expect(calibrationFor(later).count).toBeCloseTo(20, 9);
    expect(later.verdicts).toBe(40);
  });
});
