import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Verdict } from '../../../core/pairing/reliability.ts';
import { calibrated } from '../../../core/pairing/reliability.ts';
import type { BucketReliability } from '../../../core/pairing/verdicts.ts';
import {
  awaiting,
  calibrationFor,
  isJudgeable,
  JUDGED_MILLIS,
  judged,
  NOTHING_JUDGED,
  takesPredictions,
} from '../../../core/pairing/verdicts.ts';
import { epochMillis, plusMillis } from '../../../core/units.ts';
import { NOW } from '../../support/fixtures.ts';

const verdict = fc.record({ predicted: fc.double({ min: 0, max: 1, noNaN: true }), cameTrue: fc.boolean() });
const HOUR_MILLIS = 3_600_000;

describe('judging a bucket', () => {
  it('never falls and does not depend on the order of a day', () => {
    const days = fc.array(fc.array(verdict, { maxLength: 30 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(days, (all) => {
        const after = (order: (day: Verdict[]) => Verdict[]) =>
          all.reduce<BucketReliability>(
            (before, day, index) => judged(before, order(day), plusMillis(NOW, index * JUDGED_MILLIS)),
            NOTHING_JUDGED,
          );
        const [one, other] = [after((day) => day), after((day) => day.toReversed())];
        expect(other.verdicts).toBe(one.verdicts);
        const [calibration, same] = [calibrationFor(one), calibrationFor(other)];
        let before = 0;
        for (let place = 0; place <= 50; place += 1) {
          const value = calibrated(calibration, place / 50);
          expect(value).toBeGreaterThanOrEqual(before - 1e-12);
          expect(value).toBeLessThanOrEqual(1);
          expect(calibrated(same, place / 50)).toBeCloseTo(value, 9);
          before = value;
        }
      }),
      { numRuns: 100 },
    );
  });

  it('judges no moment twice, whenever it is planned', () => {
    const plans = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(plans, (pauseHours) => {
        let at = NOW;
        let state = NOTHING_JUDGED;
        let judgedTo = 0;
        for (const hours of pauseHours) {
          at = plusMillis(at, hours * HOUR_MILLIS);
          if (state.pending !== undefined && isJudgeable(state, at)) {
            expect(state.pending.from).toBeGreaterThanOrEqual(judgedTo);
            judgedTo = state.pending.until;
            state = judged(state, [], epochMillis(judgedTo));
          }
          if (takesPredictions(state, at)) {
            state = awaiting(state, { from: at, until: plusMillis(at, JUDGED_MILLIS), pairs: [] });
          }
        }
        expect(state.version).toBeLessThanOrEqual(2 * pauseHours.length);
      }),
      { numRuns: 200 },
    );
  });
});
