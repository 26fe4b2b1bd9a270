import { describe, expect, it } from '@jest/globals';
import { bucketSizes, madeFleet } from '../../../bench/pairing/fleet.ts';
import { Oracle } from '../../../bench/pairing/oracle.ts';
import { seededRandom } from '../../../core/forecast/random.ts';
import { unlimitedBound } from '../../../core/pairing/matching/bound.ts';
import { marketOf } from '../../../core/pairing/matching/market.ts';
import { planPairings } from '../../../core/pairing/matching/plan-pairings.ts';
import { poolWith } from '../../support/matching-fixtures.ts';

const SECONDS = 30;
/** VMs whose load comes and goes, each at its own hours. */
const random = seededRandom(7);
const traces = Array.from({ length: 8 }, (_, vm) =>
  Array.from({ length: 168 }, (_hour, hour) => 20 + 15 * Math.sin((hour + 3 * vm) / 4) + 5 * random()),
);
const fleetOf = (seed: number, partners: number) =>
  madeFleet(traces, { count: 8, seed, commitment: 'half', slots: 12, maxLenders: partners, maxBorrowers: partners });

describe('the exact solver', () => {
  it('finds what can be found by hand', async () => {
    const oracle = await Oracle.load(SECONDS);
    const pools = [
      poolWith('a', [5, 4], 1),
      poolWith('b', [4, 0], 1),
      poolWith('x', [-5, 0], 1),
      poolWith('y', [-1, -4], 1),
    ];
    expect(oracle.served(pools, true)).toBeCloseTo(9, 6);
    expect(oracle.oneToOne(pools)).toBeCloseTo(9, 6);
    expect(oracle.served(pools, false)).toBeCloseTo(10, 6);
    expect(oracle.served(pools, false, (lender) => (lender === 'a' ? 0 : 1))).toBeCloseTo(4, 6);
    expect(oracle.served([poolWith('a', [1])], true)).toBe(0);
  });

  it('agrees with the bound, and plans are near what it finds with limits', async () => {
    const oracle = await Oracle.load(SECONDS);
    for (const seed of [1, 2, 3]) {
      const pools = fleetOf(seed, 2);
      const best = oracle.served(pools, true) ?? Number.NaN;
      const served = planPairings({ pools }).servedUnitSlots;
      expect(served / best).toBeGreaterThan(0.97);
      expect(served / best).toBeLessThan(1 + 1e-6);
      expect(unlimitedBound(marketOf(pools)) / (oracle.served(pools, false) ?? Number.NaN)).toBeCloseTo(1, 9);
      const single = fleetOf(seed, 1);
      expect(planPairings({ pools: single }).servedUnitSlots / (oracle.oneToOne(single) ?? Number.NaN)).toBeCloseTo(
        1,
        9,
      );
    }
  });
});

describe('bucketSizes', () => {
  it('adds up, and falls', () => {
    const sizes = bucketSizes(10_000, 60);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_000);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes).toHaveLength(60);
  });
});
