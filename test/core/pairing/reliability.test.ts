import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { seededRandom } from '../../../core/forecast/random.ts';
import type { Verdict } from '../../../core/pairing/reliability.ts';
import {
  calibrated,
  calibrationOf,
  NO_CALIBRATION,
  NO_VERDICTS,
  reliability,
  tallied,
} from '../../../core/pairing/reliability.ts';

/** Predictions of which a share `truth(p)` comes true. */
function verdicts(count: number, seed: number, truth: (predicted: number) => number): Verdict[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const predicted = random();
    return { predicted, cameTrue: random() < truth(predicted) };
  });
}

const calibrationFrom = (items: readonly Verdict[]) => calibrationOf(tallied(NO_VERDICTS, items));

function eceOf(items: readonly Verdict[]): number {
  return reliability(
    items.map(({ predicted }) => predicted),
    items.map(({ cameTrue }) => cameTrue),
  ).ece;
}

describe('reliability', () => {
  it('counts what was predicted and what came true, bin by bin', () => {
    const { bins, ece, brier, count } = reliability([0.05, 0.82, 0.88, 1], [false, true, false, true]);
    expect(count).toBe(4);
    expect(bins).toHaveLength(10);
    expect(bins[0]).toEqual({ from: 0, to: 0.1, count: 1, meanPredicted: 0.05, shareTrue: 0 });
    expect(bins[8]).toMatchObject({ count: 2, meanPredicted: 0.85, shareTrue: 0.5 });
    expect(bins[9]).toMatchObject({ count: 1, shareTrue: 1 });
    expect(bins[5]).toMatchObject({ count: 0, meanPredicted: undefined, shareTrue: undefined });
    expect(ece).toBeCloseTo((0.05 + 0.7 + 0) / 4, 12);
    expect(brier).toBeCloseTo((0.05 ** 2 + 0.18 ** 2 + 0.88 ** 2 + 0) / 4, 12);
  });

  it('is 0 for predictions that are right, and for none at all', () => {
    expect(reliability([1, 1, 0], [true, true, false])).toMatchObject({ ece: 0, brier: 0 });
    expect(reliability([], [])).toMatchObject({ ece: 0, brier: 0, count: 0 });
  });

  it('refuses what cannot be compared', () => {
    expect(() => reliability([0.5], [])).toThrow('expected as many outcomes as predictions, got 0 and 1');
    expect(() => reliability([0.5, 1.2], [true, true])).toThrow('prediction 1 is 1.2');
    expect(() => calibrationFrom([{ predicted: Number.NaN, cameTrue: true }])).toThrow('verdict 0');
  });
});

describe('calibrationOf', () => {
  it('corrects predictions that claim too much, on outcomes that it has not seen', () => {
    const truth = (predicted: number) => predicted ** 2;
    const calibration = calibrationFrom(verdicts(3_000, 1, truth));
    const unseen = verdicts(3_000, 2, truth);
    const corrected = unseen.map(({ predicted, cameTrue }) => ({
      predicted: calibrated(calibration, predicted),
      cameTrue,
    }));
    expect(eceOf(unseen)).toBeGreaterThan(0.12);
    expect(eceOf(corrected)).toBeLessThan(0.04);
  });

  it('corrects little by few outcomes and nothing by none', () => {
    const few = calibrationFrom([{ predicted: 0.8, cameTrue: false }]);
    expect(calibrated(few, 0.8)).toBeCloseTo((10 * 0.8) / 11, 12);
    expect(calibrated(NO_CALIBRATION, 0.37)).toBe(0.37);
    expect(calibrated(calibrationFrom([]), 0.37)).toBe(0.37);
  });

  it('remembers verdicts in one size, of which older ones count less', () => {
    const [first, second] = [verdicts(400, 3, (p) => p), verdicts(400, 4, (p) => p)];
    const once = tallied(NO_VERDICTS, [...first, ...second]);
    const twice = tallied(tallied(NO_VERDICTS, second), first);
    expect(twice).toHaveLength(once.length);
    for (const [index, bin] of once.entries()) {
      expect(twice[index]?.count).toBe(bin.count);
      expect(twice[index]?.cameTrue).toBe(bin.cameTrue);
      expect(twice[index]?.predicted).toBeCloseTo(bin.predicted, 9);
    }
    expect(calibrationOf(tallied(once, [], 0.5)).count).toBe(400);
    // Outcomes have turned: with the old ones halved, the new ones weigh twice as much.
    const turned = (keep: number) =>
      calibrated(
        calibrationOf(
          tallied(
            tallied(
              NO_VERDICTS,
              Array.from({ length: 100 }, () => ({ predicted: 0.5, cameTrue: true })),
            ),
            Array.from({ length: 100 }, () => ({ predicted: 0.5, cameTrue: false })),
            keep,
          ),
        ),
        0.5,
      );
    expect(turned(1)).toBeCloseTo(0.5, 9);
    expect(turned(0.5)).toBeCloseTo((50 + 5) / 160, 9);
  });

  it('never falls, stays within 0 and 1, and does not depend on the order', () => {
    const verdict = fc.record({ predicted: fc.double({ min: 0, max: 1, noNaN: true }), cameTrue: fc.boolean() });
    const many = fc.array(verdict, { maxLength: 60 });
    const shuffled = many.chain((items) =>
      fc.tuple(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length })),
    );
    fc.assert(
      fc.property(shuffled, ([items, other]) => {
        const calibration = calibrationFrom(items);
        const values = Array.from({ length: 101 }, (_, place) => calibrated(calibration, place / 100));
        for (const [place, value] of values.entries()) {
          expect(value).toBeGreaterThanOrEqual(Math.max(0, (values[place - 1] ?? 0) - 1e-12));
          expect(value).toBeLessThanOrEqual(1);
        }
        const reordered = calibrationFrom(other);
        expect(reordered.knots).toHaveLength(calibration.knots.length);
        for (const [index, knot] of calibration.knots.entries()) {
          expect(reordered.knots[index]?.corrected).toBeCloseTo(knot.corrected, 9);
        }
      }),
      { numRuns: 100 },
    );
  });
});
