import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  fleetPrior,
  fleetRate,
  followedRisk,
  harmedUnits,
  keptShare,
  MOST_RISK,
  ownPrior,
  riskFactor,
} from '../../../core/lending/harm.ts';
import type { SeenHarm } from '../../../core/lending/harm-looks.ts';
import { fleetHarm, harmAfterLook, harmFactor } from '../../../core/lending/harm-looks.ts';
import { LEND_RISK, RECALL_RISK_SHARE } from '../../../core/lending/outlook-rules.ts';
import { plusMillis } from '../../../core/units.ts';
import { HarmRecord } from '../../../core/whatif/harm-record.ts';
import { NOW } from '../../support/fixtures.ts';

const STEP_SECONDS = 300;
const STEP_MILLIS = STEP_SECONDS * 1_000;
const HOUR_SECONDS = 3_600;
const LEAST_FACTOR = 0.1;
const amount = (max: number) => fc.double({ min: 0, max, noNaN: true });
const target = fc.double({ min: 1e-6, max: 1, noNaN: true });

describe('harm', () => {
  it('is never more than what was lent, nor than what was needed, and grows with both', () => {
    fc.assert(
      fc.property(amount(100), amount(100), amount(100), amount(20), (need, share, owned, more) => {
        const lent = Math.min(share, owned);
        const harmed = harmedUnits(need, lent, owned);
        expect(harmed).toBeGreaterThanOrEqual(0);
        expect(harmed).toBeLessThanOrEqual(lent);
        expect(harmed).toBeLessThanOrEqual(need + 1e-9);
        expect(harmedUnits(need + more, lent, owned)).toBeGreaterThanOrEqual(harmed);
        expect(harmedUnits(need, Math.min(owned, lent + more), owned)).toBeGreaterThanOrEqual(harmed);
      }),
    );
  });
});

describe('the risk that follows harm', () => {
  const record = fc.record({ target, lent: amount(10_000), harmedShare: amount(1), owned: amount(100) });
  const fleet = fc.record({ lent: amount(100_000), harmedShare: amount(1) });

  it('stays between a tenth of what is stated and what is allowed, and more harm never raises it', () => {
    fc.assert(
      fc.property(record, fleet, amount(1), ({ target: aim, lent, harmedShare, owned }, all, more) => {
        const [prior, priorOfAll] = [ownPrior(owned, HOUR_SECONDS), fleetPrior(owned + 1, HOUR_SECONDS)];
        const rateWith = (harmed: number) => fleetRate(aim, all.lent, all.lent * all.harmedShare + harmed, priorOfAll);
        const factorWith = (harmed: number) => riskFactor(aim, lent, harmed, prior, rateWith(harmed));
        const harmed = lent * harmedShare;
        for (const stated of [LEND_RISK, LEND_RISK * RECALL_RISK_SHARE]) {
          const risk = followedRisk(stated, factorWith(harmed));
          expect(risk).toBeGreaterThanOrEqual(stated * LEAST_FACTOR);
          expect(risk).toBeLessThanOrEqual(MOST_RISK);
          expect(followedRisk(stated, factorWith(harmed + more * lent))).toBeLessThanOrEqual(risk * (1 + 1e-12));
        }
        expect(followedRisk(LEND_RISK * RECALL_RISK_SHARE, factorWith(harmed))).toBeLessThanOrEqual(
          followedRisk(LEND_RISK, factorWith(harmed)),
        );
      }),
    );
  });

  it('leaves a stated risk that is higher where no record of harm lowers it', () => {
    expect(followedRisk(0.4, 20)).toBe(0.4);
    expect(followedRisk(0.4, 0.5)).toBe(0.2);
  });
});

/** Steps of one lender: what it had lent and what it needed. */
const course = fc.array(fc.record({ lent: fc.integer({ min: 0, max: 10 }), need: amount(15) }), {
  minLength: 1,
  maxLength: 60,
});
const OWNED = 10;

/** A look when so many steps of a course are known, at a time in steps. */
function lookAt(
  before: SeenHarm | undefined,
  needs: readonly number[],
  known: number,
  nowSteps: number,
  lentUnits: number,
  holdsSteps = 3,
): SeenHarm {
  const now = plusMillis(NOW, Math.round(nowSteps * STEP_MILLIS));
  return harmAfterLook({
    before,
    series: { values: needs.slice(0, known), endMillis: NOW + known * STEP_MILLIS },
    stepSeconds: STEP_SECONDS,
    ownedUnits: OWNED,
    lentUnits,
    now,
    holdsUntil: plusMillis(now, holdsSteps * STEP_MILLIS),
  });
}

describe('what looks count', () => {
  it('is what the replay counts of the same steps, and makes the same risk', () => {
    fc.assert(
      fc.property(course, fc.nat(2), fc.double({ min: 1e-3, max: 1, noNaN: true }), (steps, lateSteps, aim) => {
        const needs = steps.map(({ need }) => need);
        const replayed = new HarmRecord(aim, STEP_SECONDS, [OWNED]);
        let seen: SeenHarm | undefined;
        for (let step = 0; step <= steps.length + lateSteps; step += 1) {
          const known = Math.min(steps.length, Math.max(0, step - lateSteps));
          seen = lookAt(seen, needs, known, step, steps[step]?.lent ?? 0);
        }
        for (const { lent, need } of steps) replayed.observe([lent], [harmedUnits(need, lent, OWNED)]);
        if (seen === undefined) throw new Error('expected a look');
        const now = seen.countedUntil;
        const fleet = fleetHarm([{ harm: seen, ownedUnits: OWNED }], now);
        const factor = harmFactor({ harm: seen, ownedUnits: OWNED, fleet, target: aim, now });
        expect(factor / replayed.factor(0)).toBeCloseTo(1, 6);
        const keep = keptShare(STEP_SECONDS);
        const lent = steps.reduce((sum, each) => sum * keep + each.lent, 0);
        expect(seen.lentUnitHours).toBeCloseTo((lent * STEP_SECONDS) / HOUR_SECONDS, 6);
      }),
    );
  });

  it('counts each step once, whatever looks are late, repeated or know less than one before', () => {
    const looks = fc.array(fc.record({ at: amount(40), late: fc.nat(10) }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: OWNED }), (drawn, units) => {
        const needs = Array.from({ length: 40 }, () => 100);
        const knownAt = ({ at, late }: (typeof drawn)[number]) => Math.max(0, Math.floor(at) - late);
        const [first] = drawn;
        if (first === undefined) throw new Error('expected a look');
        let seen: SeenHarm | undefined;
        let most = 0;
        for (const { at, late } of drawn) {
          const known = knownAt({ at, late });
          most = Math.max(most, known);
          // What is seen lent holds until the end.
          seen = lookAt(seen, needs, known, at, units, 1_000);
          // Lent since the first look, not known at it.
          const begins = Math.max(knownAt(first), Math.ceil(Math.round(first.at * STEP_MILLIS) / STEP_MILLIS - 0.5));
          const hours = (Math.max(0, most - begins) * units * STEP_SECONDS) / HOUR_SECONDS;
          expect(seen.lentUnitHours).toBeLessThanOrEqual(hours + 1e-9);
          expect(seen.lentUnitHours).toBeGreaterThanOrEqual(hours * keptShare(40 * STEP_SECONDS));
          // Needs are above all that is owned: what is lent is harmed.
          expect(seen.harmedUnitHours).toBeCloseTo(seen.lentUnitHours, 9);
          expect(lookAt(seen, needs, known, at, units, 1_000)).toEqual(seen);
        }
      }),
    );
  });
});
