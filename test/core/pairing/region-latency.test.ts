import { describe, expect, it } from '@jest/globals';
import { regionLatency } from '../../../core/pairing/region-latency.ts';
import { kilometresBetween, REGION_NAMES, regionNamed } from '../../../core/pairing/regions.ts';
import { invariant } from '../../../core/units.ts';

function region(name: string) {
  const found = regionNamed(name);
  invariant(found !== undefined, `${name} is a region`);
  return found;
}

describe('regionLatency', () => {
  it('has what was measured, either way round', () => {
    expect(regionLatency('us-east-1', 'us-east-2')).toEqual({ millis: 11, source: 'measured' });
    expect(regionLatency('ap-east-1', 'ap-northeast-1')).toEqual({ millis: 51, source: 'measured' });
    expect(regionLatency('eu-central-1', 'eu-west-3')).toEqual(regionLatency('eu-west-3', 'eu-central-1'));
    expect(regionLatency('eu-west-3', 'eu-central-1')?.millis).toBe(9);
  });

  it('estimates what was not measured from the distance', () => {
    const kilometres = kilometresBetween(region('eu-central-2'), region('eu-central-1'));
    // Zurich and Frankfurt are about 300 km apart.
    expect(Math.abs(kilometres - 300)).toBeLessThan(20);
    expect(regionLatency('eu-central-2', 'eu-central-1')).toEqual({
      millis: Math.ceil(5 + 0.022 * kilometres),
      source: 'estimated',
    });
  });

  it('is symmetric, and nowhere faster than light in glass', () => {
    for (const a of REGION_NAMES) {
      for (const b of REGION_NAMES) {
        const latency = regionLatency(a, b);
        if (a === b || latency === undefined) continue;
        expect(regionLatency(b, a)).toEqual(latency);
        // 200,000 km/s, there and back; cities stand for the places of the regions.
        expect(latency.millis).toBeGreaterThanOrEqual(kilometresBetween(region(a), region(b)) * 0.0098);
      }
    }
  });

  it('knows no way out of a partition, nor to a region that is not known', () => {
    expect(regionLatency('us-east-1', 'us-gov-east-1')).toBeUndefined();
    expect(regionLatency('eu-west-1', 'eu-west-9')).toBeUndefined();
    expect(regionNamed('toString')).toBeUndefined();
  });
});
