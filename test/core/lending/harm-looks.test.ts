import { describe, expect, it } from '@jest/globals';
import type { SeenHarm } from '../../../core/lending/harm-looks.ts';
import { fleetHarm, harmAfterLook, harmFactor } from '../../../core/lending/harm-looks.ts';
import { epochMillis, plusMillis } from '../../../core/units.ts';
import { NOW } from '../../support/fixtures.ts';

const STEP_SECONDS = 300;
const STEP_MILLIS = STEP_SECONDS * 1_000;
const HOLDS_MILLIS = 3 * STEP_MILLIS;
const OWNED = 10;
const TARGET = 0.0015;

const at = (steps: number) => plusMillis(NOW, steps * STEP_MILLIS);

/** A look at a pool of ten units, at a time in steps from NOW; the steps that are over are known. */
function look(
  before: SeenHarm | undefined,
  steps: number,
  lentUnits: number,
  changes: { readonly need?: number; readonly knownSteps?: number } = {},
): SeenHarm {
  const endMillis = NOW + (changes.knownSteps ?? Math.floor(steps)) * STEP_MILLIS;
  const values = Array.from({ length: 600 }, () => changes.need ?? 2);
  const now = at(steps);
  const series = { values, endMillis };
  const holdsUntil = plusMillis(now, HOLDS_MILLIS);
  return harmAfterLook({ before, series, stepSeconds: STEP_SECONDS, ownedUnits: OWNED, lentUnits, now, holdsUntil });
}

describe('harm that looks see', () => {
  it('is nothing before a look has seen anything lent', () => {
    const first = look(undefined, 0, 0);
    expect(first).toEqual({ lentUnitHours: 0, harmedUnitHours: 0, countedUntil: NOW, lent: [] });
    const second = look(first, 1, 4, { need: 20 });
    expect(second).toMatchObject({ lentUnitHours: 0, harmedUnitHours: 0, countedUntil: at(1) });
    expect(second.lent).toEqual([{ from: at(1), until: at(4), units: 4 }]);
  });

  it('is the need of the steps since, above what was left, and no more than what was lent', () => {
    const lending = look(undefined, 0, 4);
    const hours = STEP_SECONDS / 3_600;
    expect(look(lending, 1, 4, { need: 6 })).toMatchObject({ lentUnitHours: 4 * hours, harmedUnitHours: 0 });
    expect(look(lending, 1, 4, { need: 7.5 })).toMatchObject({
      lentUnitHours: 4 * hours,
      harmedUnitHours: 1.5 * hours,
    });
    expect(look(lending, 1, 4, { need: 30 })).toMatchObject({ lentUnitHours: 4 * hours, harmedUnitHours: 4 * hours });
  });

  it('counts late steps with what was lent in them', () => {
    let seen = look(undefined, 0.1, 4, { knownSteps: -2 });
    seen = look(seen, 1.1, 4, { knownSteps: -1 });
    expect(seen).toMatchObject({ lentUnitHours: 0, lent: [{ from: at(0.1), until: at(4.1), units: 4 }] });
    seen = look(seen, 2.1, 0, { knownSteps: 0 });
    expect(seen.lent).toEqual([{ from: at(0.1), until: at(2.1), units: 4 }]);
    seen = look(seen, 6, 0, { knownSteps: 6 });
    // The steps from 0 to 1 and from 1 to 2; that from 2 to 3 was over half without.
    expect(seen.lentUnitHours * 12).toBeCloseTo(8, 2);
    expect(seen.lent).toEqual([]);
  });

  it('takes what a look has seen for true until the next one is overdue', () => {
    const seen = look(look(undefined, 0, 4), 100, 4);
    expect(seen.lentUnitHours * 12).toBeCloseTo(12, 0);
    expect(seen.lent).toEqual([{ from: at(100), until: at(103), units: 4 }]);
  });

  it('does not count again where less is known than before, or a look is older than the last', () => {
    const seen = look(look(undefined, 0, 4), 2, 4, { need: 8 });
    const less = look(seen, 3, 4, { need: 8, knownSteps: 1 });
    expect(less).toMatchObject({ countedUntil: at(2), harmedUnitHours: seen.harmedUnitHours });
    const older = look(less, 2.5, 0, { need: 8, knownSteps: 2 });
    expect(older).toEqual({ ...less, lent: [{ from: NOW, until: at(2.5), units: 4 }] });
    const muchOlder = look({ ...less, lent: [{ from: at(3), until: at(6), units: 4 }] }, 2.5, 0, { knownSteps: 2 });
    expect(muchOlder.lent).toEqual([{ from: at(3), until: at(6), units: 4 }]);
  });

  it('fades: half of it is forgotten after 19 days, whether anything is measured or not', () => {
    const seen: SeenHarm = { lentUnitHours: 100, harmedUnitHours: 2, countedUntil: NOW, lent: [] };
    const later = look(seen, 19.41 * 288, 0);
    expect(later.lentUnitHours).toBeCloseTo(50, 1);
    expect(later.harmedUnitHours).toBeCloseTo(1, 2);
    const faint = look({ ...seen, lentUnitHours: 1.5e-9, harmedUnitHours: 1e-12 }, 2, 0);
    expect(faint.lentUnitHours).toBeGreaterThan(0);
    expect(faint.harmedUnitHours).toBe(0);
  });

  it('is summed up over all pools anew, as it counts then', () => {
    const harm: SeenHarm = { lentUnitHours: 100, harmedUnitHours: 2, countedUntil: NOW, lent: [] };
    const now = at(19.41 * 288);
    const fleet = fleetHarm(
      [{ harm, ownedUnits: 10 }, { harm: { ...harm, countedUntil: now }, ownedUnits: 20 }, { ownedUnits: 30 }],
      now,
    );
    expect(fleet).toMatchObject({ ownedUnits: 60, at: now });
    expect(fleet.lentUnitHours).toBeCloseTo(150, 1);
    expect(fleet.harmedUnitHours).toBeCloseTo(3, 2);
  });
});

describe('the risk that follows', () => {
  const none: SeenHarm = { lentUnitHours: 0, harmedUnitHours: 0, countedUntil: NOW, lent: [] };
  const factor = (changes: Partial<Parameters<typeof harmFactor>[0]> = {}): number =>
    harmFactor({ harm: none, ownedUnits: OWNED, fleet: undefined, target: TARGET, now: NOW, ...changes });
  const lentMuch = { ...none, lentUnitHours: 5_000 };

  it('begins as stated, and is fixed without a target', () => {
    expect(factor()).toBe(1);
    expect(factor({ harm: { ...lentMuch, harmedUnitHours: 500 }, target: 0 })).toBe(1);
    expect(factor({ ownedUnits: 0 })).toBe(1);
  });

  it('rises with what was lent without harm, and falls with harm', () => {
    // 240 unit-hours of its own at the target, beside 240 without harm: half of the target.
    expect(factor({ harm: { ...none, lentUnitHours: 240 } })).toBeCloseTo(2, 9);
    expect(factor({ harm: { ...none, lentUnitHours: 240, harmedUnitHours: 1.08 } })).toBeCloseTo(0.5, 9);
    expect(factor({ harm: { ...lentMuch, harmedUnitHours: 5_000 } })).toBe(0.1);
    expect(factor({ harm: { ...none, lentUnitHours: 1e9 } })).toBe(20);
  });

  it('follows all lenders together where a pool has lent little, and is careful where they are above the target', () => {
    const fleet = { lentUnitHours: 20, harmedUnitHours: 0, ownedUnits: OWNED, at: NOW };
    // 20 unit-hours on target beside 20 without harm.
    expect(factor({ fleet })).toBeCloseTo(2, 9);
    const harmed = { ...fleet, harmedUnitHours: 0.09 };
    expect(factor({ fleet: harmed })).toBeCloseTo((1 / 2) * (1 / 2), 2);
    expect(factor({ fleet: harmed, harm: lentMuch })).toBeLessThan(factor({ harm: lentMuch }));
    const old = factor({ fleet: harmed, now: epochMillis(NOW + 365 * 86_400_000) });
    expect(old).toBeGreaterThan(0.99);
    expect(old).toBeLessThanOrEqual(1);
  });
});
