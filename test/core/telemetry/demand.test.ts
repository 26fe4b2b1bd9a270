import { describe, expect, it } from '@jest/globals';
import {
  demandUnits,
  fits,
  neededUnits,
  unitsBelowThreshold,
  utilisationPercent,
} from '../../../core/telemetry/demand.ts';
import { metricOf } from '../../support/fixtures.ts';

describe('demand', () => {
  it('is utilisation times what is in service, in fully used instances', () => {
    const network = metricOf({ fullUsePerUnit: 1.25e9 * 60 });
    expect(utilisationPercent(3.75e10, network)).toBe(50);
    expect(demandUnits(3.75e10, 6, network)).toBe(3);
    expect(demandUnits(90, 4, metricOf())).toBeCloseTo(3.6, 12);
    expect(demandUnits(-1, 4, metricOf())).toBe(0);
    // A sum is of all instances already.
    expect(demandUnits(240, 4, metricOf({ statistic: 'Sum' }))).toBeCloseTo(2.4, 12);
  });
});

describe('unitsBelowThreshold', () => {
  it.each([
    // demand, threshold %, units
    [0, 80, 0],
    [0.001, 80, 1],
    [3.6, 80, 5],
    // 8 units at 80 % need more than 10: with 10 the alarm would fire still.
    [8, 80, 11],
    [7.999, 80, 10],
    [0.1 + 0.2, 10, 4],
    [0.3, 10, 4],
    [5, 100, 6],
  ])('%f units at %f %% need %i', (demand, threshold, units) => {
    expect(unitsBelowThreshold(demand, threshold)).toBe(units);
  });

  it('refuses a demand that is none', () => {
    expect(() => unitsBelowThreshold(Number.NaN, 80)).toThrow('finite');
    expect(() => unitsBelowThreshold(-1, 80)).toThrow('from 0');
    expect(() => unitsBelowThreshold(1, 0)).toThrow('above 0');
  });
});

describe('neededUnits', () => {
  const resources = { cpu: metricOf(), memory: metricOf({ thresholdPercent: 50 }), network: metricOf() };

  it('takes the resource type that needs the most, and each through its own threshold', () => {
    expect(neededUnits({ cpu: 4, memory: 3.1, storage: 99 }, { resources })).toEqual({
      units: 7,
      bindingResource: 'memory',
      byResource: { cpu: 6, memory: 7 },
    });
  });

  it('names the first type on a tie, and none without any demand known', () => {
    expect(neededUnits({ network: 4, cpu: 4 }, { resources }).bindingResource).toBe('cpu');
    expect(neededUnits({}, { resources })).toEqual({ units: 0, bindingResource: undefined, byResource: {} });
  });
});

describe('fits', () => {
  it('allows exactly the percentage, floating error forgiven', () => {
    expect(fits(6, 10, 60)).toBe(true);
    expect(fits(0.1 + 0.2, 1, 30)).toBe(true);
    expect(fits(6.001, 10, 60)).toBe(false);
    expect(fits(0, 0, 60)).toBe(true);
  });
});
