import { describe, expect, it } from '@jest/globals';
import { expectedPeaks } from '../../../core/forecast/expected-peaks.ts';
import { BORROWER, NOW, planOf, specOf } from '../../support/fixtures.ts';

const { poolId } = specOf(BORROWER);
const HOUR = 3_600_000;

describe('expectedPeaks', () => {
  it('are the slots that need the most, apart from each other, in the order of time', () => {
    const plan = planOf(poolId, [2, 8, 9, 3, 2, 2, 7, 2], {
      bottlenecks: {
        cpu: { thresholdUnits: 5, probability: 0.8, bySlot: [0, 0.7, 0.8, 0, 0, 0, 0.2, 0] },
        memory: { thresholdUnits: 5, probability: 0.5, bySlot: [0, 0, 0.1, 0, 0, 0, 0.5, 0] },
      },
    });
    expect(expectedPeaks(plan, 3)).toEqual([
      {
        startMillis: NOW + 2 * HOUR,
        endMillis: NOW + 3 * HOUR,
        neededUnits: { '0.5': 9, '0.9': 9 },
        probability: 0.8,
        resource: 'cpu',
      },
      expect.objectContaining({ startMillis: NOW + 6 * HOUR, probability: 0.5, resource: 'memory' }),
    ]);
    expect(expectedPeaks(plan, 1)).toHaveLength(1);
  });

  it('is the first slot of a forecast that does not change, with the type that needs the most', () => {
    const flat = planOf(poolId, [4, 4, 4, 4, 4, 4, 4, 4], { bindingResource: 'storage' });
    expect(expectedPeaks(flat, 3)).toEqual([
      expect.objectContaining({ startMillis: NOW, probability: 0, resource: 'storage' }),
    ]);
  });
});
