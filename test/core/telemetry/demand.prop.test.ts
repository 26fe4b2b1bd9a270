import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { unitsBelowThreshold } from '../../../core/telemetry/demand.ts';

describe('unitsBelowThreshold', () => {
  it('is the fewest units on which the alarm is quiet', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 5_000, noNaN: true }),
        fc.integer({ min: 1, max: 100 }),
        (demand, threshold) => {
          const units = unitsBelowThreshold(demand, threshold);
          expect((demand / units) * 100).toBeLessThan(threshold);
          expect((demand / (units - 1)) * 100).toBeGreaterThanOrEqual(threshold * (1 - 1e-8));
        },
      ),
    );
  });
});
