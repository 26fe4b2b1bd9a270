import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HarmRecord } from '../../../core/whatif/harm-record.ts';

const STEP_SECONDS = 300;
const TARGET = 0.0015;

/** A record of two lenders of ten units that lent five for so many steps, the first of which was harmed at each of them. */
function recordOf(steps: number, harmed: number, target = TARGET): HarmRecord {
  const record = new HarmRecord(target, STEP_SECONDS, [10, 10]);
  for (let step = 0; step < steps; step += 1) record.observe([5, 5], [harmed, 0]);
  return record;
}

describe('record of harm', () => {
  it('begins at the risk of the scenario', () => {
    expect(recordOf(0, 0).factor(0)).toBe(1);
    expect(recordOf(0, 0).factor(1)).toBe(1);
  });

  it('lets a lender take more risk the longer it lent without harm, and less after harm', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_000 }),
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        (steps, harmed) => {
          expect(recordOf(steps + 50, 0).factor(0)).toBeGreaterThanOrEqual(recordOf(steps, 0).factor(0));
          expect(recordOf(steps, 0).factor(0)).toBeGreaterThan(1);
          const after = recordOf(steps, harmed);
          expect(after.factor(0)).toBeLessThan(1);
          expect(after.factor(0)).toBeLessThanOrEqual(after.factor(1));
        },
      ),
    );
  });

  it('stays within a tenth of the risk and twenty times as much', () => {
    expect(recordOf(20_000, 5).factor(0)).toBe(0.1);
    expect(recordOf(20_000, 0).factor(0)).toBe(20);
  });

  it('judges a lender without loans by all others', () => {
    const record = new HarmRecord(TARGET, STEP_SECONDS, [10, 10]);
    for (let step = 0; step < 500; step += 1) record.observe([5, 0], [1, 0]);
    expect(record.factor(1)).toBeLessThan(1);
  });

  it('does nothing without a target, nor for pools that own nothing', () => {
    expect(recordOf(500, 5, 0).factor(0)).toBe(1);
    expect(new HarmRecord(TARGET, STEP_SECONDS, [0]).factor(0)).toBe(1);
  });
});
