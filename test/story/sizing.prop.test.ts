import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { burstiness, demandAt, neededUnits, SIZING, sizeGroup } from '../../story/sizing.ts';
import { highest, lowest, quantile } from '../../story/statistics.ts';
import { scalingPolicy, simulateHistory, utilisation } from '../../story/workload.ts';

const percent = fc.double({ min: 1, max: 100, noNaN: true });
const series = fc.array(percent, { minLength: 20, maxLength: 200 });
const ceiling = fc.integer({ min: 4, max: 200 });

describe('sizeGroup', () => {
  it('lets a tight ceiling carry its share of the history at the target, and no smaller one', () => {
    fc.assert(
      fc.property(series, ceiling, (cpu, units) => {
        const sizing = sizeGroup({ cpu }, units, 'tight');
        const demands = cpu.map((_, step) => demandAt({ cpu }, sizing, step).cpu ?? 0);
        const carried = quantile(demands, SIZING.tightShare);
        expect((carried / units) * 100).toBeCloseTo(SIZING.targetPercent, 6);
      }),
    );
  });

  it('keeps room above the highest demand of a generous one', () => {
    fc.assert(
      fc.property(series, ceiling, (cpu, units) => {
        const sizing = sizeGroup({ cpu }, units, 'generous');
        const peak = highest(cpu.map((_, step) => demandAt({ cpu }, sizing, step).cpu ?? 0));
        expect(((peak * (1 + SIZING.spareOverPeak)) / units) * 100).toBeCloseTo(SIZING.targetPercent, 6);
      }),
    );
  });

  it('counts a demand that is whole instances up to rounding as so many', () => {
    const sizing = sizeGroup({ cpu: [88.88888893333313, 99.99999994999999], memory: [1, 1] }, 4, 'tight');
    const demand = demandAt({ cpu: [88.88888893333313], memory: [1] }, sizing, 0);
    expect(neededUnits(demand, SIZING.targetPercent)).toBe(neededUnits({ cpu: demand.cpu ?? 0 }, SIZING.targetPercent));
  });

  it('never lets another resource than CPU need the most instances in the history', () => {
    fc.assert(
      fc.property(series, series, ceiling, (cpu, memory, units) => {
        const sizing = sizeGroup({ cpu, memory }, units, 'tight');
        for (const [step] of cpu.entries()) {
          const demand = demandAt({ cpu, memory }, sizing, step);
          expect(neededUnits(demand, SIZING.targetPercent)).toBe(
            neededUnits({ cpu: demand.cpu ?? 0 }, SIZING.targetPercent),
          );
        }
      }),
    );
  });

  it('has its floor below its ceiling, from one instance on', () => {
    fc.assert(
      fc.property(series, ceiling, fc.constantFrom('tight' as const, 'generous' as const), (cpu, units, provision) => {
        const { floorUnits, ceilingUnits } = sizeGroup({ cpu }, units, provision);
        expect(floorUnits).toBeGreaterThanOrEqual(1);
        expect(floorUnits).toBeLessThanOrEqual(ceilingUnits);
      }),
    );
  });

  it('sizes a history of zeros', () => {
    expect(sizeGroup({ cpu: [0, 0, 0] }, 10, 'tight').ceilingUnits).toBe(10);
  });
});

describe('burstiness', () => {
  it('is one for a flat history and does not depend on its scale', () => {
    expect(burstiness({ cpu: [40, 40, 40] })).toBe(1);
    fc.assert(
      fc.property(series, (cpu) => {
        expect(burstiness({ cpu: cpu.map((value) => value / 2) })).toBeCloseTo(burstiness({ cpu }), 6);
      }),
    );
  });
});

describe('scalingPolicy', () => {
  it('stays between floor and ceiling, and meets the target wherever the ceiling allows it', () => {
    fc.assert(
      fc.property(series, ceiling, (cpu, units) => {
        const sizing = sizeGroup({ cpu }, units, 'tight');
        for (const { demand, inServiceUnits } of simulateHistory({ cpu }, sizing, cpu.length)) {
          expect(inServiceUnits).toBeGreaterThanOrEqual(sizing.floorUnits);
          expect(inServiceUnits).toBeLessThanOrEqual(sizing.ceilingUnits);
          const used = utilisation(demand, inServiceUnits).cpu ?? 0;
          expect(used <= SIZING.targetPercent + 1e-6 || inServiceUnits === sizing.ceilingUnits).toBe(true);
        }
      }),
    );
  });

  it('scales out at once and in only after six lower samples', () => {
    const policy = scalingPolicy();
    const limits = { minSize: 1, maxSize: 100 };
    const desired = [8, 16, 8, 8, 8, 8, 8, 8].map((units) => policy.desired({ cpu: units }, limits));
    expect(desired).toEqual([10, 20, 20, 20, 20, 20, 20, 10]);
  });

  it('follows a ceiling that has just been lowered', () => {
    const policy = scalingPolicy();
    policy.desired({ cpu: 16 }, { minSize: 1, maxSize: 100 });
    expect(policy.desired({ cpu: 16 }, { minSize: 1, maxSize: 12 })).toBe(12);
  });
});

describe('utilisation', () => {
  it('cannot pass 100 percent', () => {
    expect(utilisation({ cpu: 30, memory: 5 }, 20)).toEqual({ cpu: 100, memory: 25 });
  });
});

describe('quantile', () => {
  it('is a value of the list that at least the share of the list does not exceed', () => {
    fc.assert(
      fc.property(series, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const found = quantile(values, share);
        expect(values).toContain(found);
        expect(found).toBeGreaterThanOrEqual(lowest(values));
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * values.length - 1e-9);
      }),
    );
  });
});
